// SPDX-License-Identifier: GPL-2.0-or-later
//! The status as a page of HTML.
//!
//! Decides: elements and classes (Pacemaker's, so that its users' style sheets fit), where lines break. Given: an
//! outline, a title, a style sheet. Leaves to others: the words.

use super::outline::{Outline, Piece, Span};

/// How the classes look, unless a style sheet says otherwise.
const STYLE: [(&str, &str); 13] = [
    ("bold", "font-weight: bold"),
    ("online", "color: green"),
    ("offline", "color: red"),
    ("maint", "color: blue"),
    ("standby", "color: blue"),
    ("health_red", "color: red"),
    ("health_yellow", "color: GoldenRod"),
    ("rsc-failed", "color: red"),
    ("rsc-failure-ignored", "color: DarkGreen"),
    ("rsc-managed", "color: blue"),
    ("rsc-multiple", "color: orange"),
    ("rsc-ok", "color: green"),
    ("warning", "color: red; font-weight: bold"),
];

/// An element of a page.
#[derive(Debug)]
struct Tag {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Content>,
}

#[derive(Debug)]
enum Content {
    Tag(Tag),
    Text(String),
}

impl Tag {
    fn new(name: &'static str) -> Tag {
        Tag { name, attributes: Vec::new(), content: Vec::new() }
    }

    fn attr(mut self, name: &'static str, value: impl Into<String>) -> Tag {
        self.attributes.push((name, value.into()));
        self
    }

    fn class(self, class: Option<&'static str>) -> Tag {
        match class {
            Some(class) => self.attr("class", class),
            None => self,
        }
    }

    fn text(mut self, text: impl Into<String>) -> Tag {
        self.content.push(Content::Text(text.into()));
        self
    }

    fn push(&mut self, child: Tag) {
        self.content.push(Content::Tag(child));
    }

    fn spans<'s>(mut self, spans: impl IntoIterator<Item = &'s Span>) -> Tag {
        for span in spans {
            self.push(Tag::new("span").class(span.class).text(&*span.text));
        }
        self
    }

    /// Elements of running text, around which no line may be broken.
    fn is_inline(&self) -> bool {
        self.name == "span"
    }

    /// Elements that never hold anything.
    fn is_void(&self) -> bool {
        matches!(self.name, "meta" | "link" | "br")
    }

    // Recursion is bounded: lists are nested as deep as resources are.
    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\"{}\"", escaped(value).replace('"', "&quot;")));
        }
        out.push('>');
        if self.is_void() {
            return;
        }
        let breaks = !self.is_inline() && self.content.len() > 1;
        let is_tag = |content: Option<&Content>| matches!(content, Some(Content::Tag(_)));
        if breaks && is_tag(self.content.first()) {
            out.push('\n');
        }
        for (at, content) in self.content.iter().enumerate() {
            match content {
                Content::Text(text) => out.push_str(&escaped(text)),
                Content::Tag(tag) => {
                    tag.write(out);
                    if !tag.is_inline() && is_tag(self.content.get(at + 1)) {
                        out.push('\n');
                    }
                }
            }
        }
        if breaks && is_tag(self.content.last()) {
            out.push('\n');
        }
        out.push_str(&format!("</{}>", self.name));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// What its window is called.
    pub title: String,
    /// Where a style sheet is.
    pub stylesheet: Option<String>,
    /// After how many seconds it is to be loaded again.
    pub refresh_secs: Option<u64>,
    /// What went wrong.
    pub errors: Vec<String>,
}

impl Page {
    /// The page with an outline on it.
    pub fn with(&self, outline: &Outline) -> String {
        let mut body = body(outline);
        if !self.errors.is_empty() {
            let mut list = Tag::new("ul");
            self.errors.iter().for_each(|error| list.push(Tag::new("li").text(error)));
            body.push(list);
        }
        self.around(body)
    }

    /// The page that says which Pacemaker we are.
    pub fn of_version(&self, lines: &[String]) -> String {
        let mut body = Tag::new("body");
        body.push(Tag::new("h2").text("Version Information"));
        lines.iter().for_each(|line| body.push(Tag::new("div").text(line)));
        self.around(body)
    }

    fn around(&self, body: Tag) -> String {
        let style: Vec<String> = STYLE.iter().map(|(class, look)| format!(".{class} {{ {look} }}")).collect();
        let mut head = Tag::new("head");
        head.push(Tag::new("title").text(&*self.title));
        head.push(Tag::new("meta").attr("charset", "utf-8"));
        if let Some(secs) = self.refresh_secs {
            head.push(Tag::new("meta").attr("http-equiv", "refresh").attr("content", secs.to_string()));
        }
        head.push(Tag::new("style").text(style.join("\n")));
        if let Some(sheet) = &self.stylesheet {
            head.push(Tag::new("link").attr("rel", "stylesheet").attr("href", sheet));
        }
        let mut html = Tag::new("html").attr("lang", "en");
        html.push(head);
        html.push(body);
        let mut text = "<!DOCTYPE html>\n".to_owned();
        html.write(&mut text);
        text.push('\n');
        text
    }
}

/// Lists within lists stand in an item of the outer one, with their title.
fn body(outline: &Outline) -> Tag {
    let mut open = vec![Tag::new("body")];
    let close = |open: &mut Vec<Tag>| {
        if let Some(done) = open.pop()
            && let Some(outer) = open.last_mut()
        {
            outer.push(done);
        }
    };
    for piece in &outline.pieces {
        let depth = open.len();
        let Some(inner) = open.last_mut() else { break };
        match piece {
            Piece::Begin(title) => {
                let heading =
                    title.as_ref().map(|title| Tag::new(if depth > 1 { "h3" } else { "h2" }).text(title));
                if depth > 1 {
                    let mut item = Tag::new("li");
                    heading.into_iter().for_each(|heading| item.push(heading));
                    open.push(item);
                } else {
                    heading.into_iter().for_each(|heading| inner.push(heading));
                }
                open.push(Tag::new("ul"));
            }
            Piece::End => {
                close(&mut open);
                if open.len() > 1 {
                    close(&mut open);
                }
            }
            Piece::Line { class, text } => inner.push(Tag::new("li").class(*class).text(text)),
            Piece::Spans { label, spans } => {
                let label = label.map(|label| Span::classed("bold", format!("{label}: ")));
                inner.push(Tag::new("li").spans(&label).spans(spans));
            }
            Piece::Open(spans) => open.push(Tag::new("li").spans(spans)),
            Piece::Close => close(&mut open),
            Piece::Spacer | Piece::Banner(_) => {}
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().unwrap_or_else(|| Tag::new("body"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::outline::span;

    #[test]
    fn lists_stand_in_items_with_their_titles_and_words_in_their_classes() {
        let mut outline = Outline::default();
        outline.begin("Node List");
        outline.labelled("Stack", vec![span("a < b"), Span::classed("warning", " NONE")]);
        outline.begin("n1:");
        outline.open(vec![span("Status:"), Span::classed("online", " online")]);
        outline.begin("Resources");
        outline.line("one");
        outline.end();
        outline.close();
        outline.end();
        outline.end();
        let page = Page {
            title: "T & x".into(),
            refresh_secs: Some(5),
            stylesheet: Some("a\"b.css".into()),
            ..Page::default()
        };
        let text = page.with(&outline);
        let (head, body) = text.split_once("</head>\n").unwrap();
        assert!(head.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>T &amp; x</title>\n<meta charset=\"utf-8\">\n"));
        assert!(
            head.contains(
                "<meta http-equiv=\"refresh\" content=\"5\">\n<style>.bold { font-weight: bold }\n"
            )
        );
        assert!(head.ends_with("</style>\n<link rel=\"stylesheet\" href=\"a&quot;b.css\">\n"));
        assert_eq!(
            body,
            "<body>\n<h2>Node List</h2>\n<ul>\n<li>\n<span class=\"bold\">Stack: </span><span>a &lt; b</span><span \
             class=\"warning\"> NONE</span>\n</li>\n<li>\n<h3>n1:</h3>\n<ul><li>\n<span>Status:</span><span \
             class=\"online\"> online</span><li>\n<h3>Resources</h3>\n<ul><li>one</li></ul>\n</li>\n</li></ul>\n</li>\n\
             </ul>\n</body>\n</html>\n"
        );
        let failed = Page { errors: vec!["Could not".into()], ..Page::default() };
        assert!(
            failed.with(&Outline::default()).ends_with("<body><ul><li>Could not</li></ul></body>\n</html>\n")
        );
    }
}
