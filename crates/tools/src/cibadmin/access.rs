// SPDX-License-Identifier: GPL-2.0-or-later
//! `--show-access`: a CIB printed with what a user may do with its parts.
//!
//! Decides: whether rights can be shown at all, and how they are written. Given: the whole CIB and a user's name. Leaves
//! to others: which rights those are (`cib::acl`).

use super::Failure;
use super::options::ShowAccess;
use ::cib::acl::{self, Acl, Annotated, Level};
use model::ExitCode;
use std::io::IsTerminal;
use xml::{Element, Node};

/// How the marks of the three levels are put around elements.
#[derive(Clone, Copy)]
enum Style {
    Color,
    Namespace,
    Text,
}

const NAMESPACE: &str = "http://clusterlabs.org/ns/pacemaker/access/";

/// A CIB as text, with what `user` may do with its parts.
pub(super) fn rendered(cib: &Element, user: &str, show: ShowAccess) -> Result<String, Failure> {
    let refuse =
        |why: &str| Failure::new(ExitCode::CONFIG, format!("Could not evaluate ACLs for {user}: {why}"));
    if user.contains(['<', '>', '&']) {
        return Err(refuse("Invalid argument"));
    }
    if !acl::is_restricted(user) {
        return Err(refuse("Already in requested state"));
    }
    if !knows_acls(cib.attr("validate-with")) {
        return Err(refuse("Update does not conform to the configured schema"));
    }
    let acl = Acl::of(cib, user, &crate::cib_access::acl_facts(cib).groups);
    let style = match show {
        ShowAccess::Color => Style::Color,
        ShowAccess::Text => Style::Text,
        ShowAccess::Namespace => Style::Namespace,
        ShowAccess::Auto if std::io::stdout().is_terminal() => Style::Color,
        ShowAccess::Auto => Style::Text,
    };
    let annotated = acl::annotate(&acl, cib);
    let mut writer = Writer { style, text: String::new() };
    writer.text.push_str(&format!("<!-- ACLs as evaluated for user {user} -->\n"));
    writer.element(cib, &annotated, None, Indent { depth: 0, gap: "" });
    Ok(writer.text)
}

/// ACLs in their present form came with the second series of schemas. (No series at all counts as older than any.)
fn knows_acls(schema: Option<&str>) -> bool {
    let Some(schema) = schema else { return false };
    let series = schema.strip_prefix("pacemaker-").and_then(|version| version.split('.').next());
    match series.map(str::parse::<u32>) {
        Some(Ok(series)) => series >= 2,
        Some(Err(_)) => true,
        None => schema == "none",
    }
}

impl Style {
    /// What marks the beginning of a level.
    fn mark(self, level: Level) -> &'static str {
        match (self, level) {
            (Style::Color, Level::Writable) => "\x1b[32m",
            (Style::Color, Level::Readable) => "\x1b[34m",
            (Style::Color, Level::Denied) => "\x1b[31m",
            (Style::Namespace, Level::Writable) => "pcmk-access-writable:",
            (Style::Namespace, Level::Readable) => "pcmk-access-readable:",
            (Style::Namespace, Level::Denied) => "pcmk-access-denied:",
            (Style::Text, Level::Writable) => "vvv---[ WRITABLE ]---vvv",
            (Style::Text, Level::Readable) => "vvv---[ READABLE ]---vvv",
            (Style::Text, Level::Denied) => "vvv---[ ~DENIED~ ]---vvv",
        }
    }
}

/// Where an element is: how deep, and what is between it and what comes before.
#[derive(Clone, Copy)]
struct Indent<'a> {
    depth: usize,
    gap: &'a str,
}

struct Writer {
    style: Style,
    text: String,
}

impl Writer {
    // Recursion is bounded by the depth that the parser accepts.
    fn element(
        &mut self,
        element: &Element,
        annotated: &Annotated,
        above: Option<Level>,
        indent: Indent<'_>,
    ) {
        let level = annotated.level;
        // Only colors are set anew for each element, as each ends its own.
        let marked = matches!(self.style, Style::Color) || above != Some(level);
        let mark = if marked { self.style.mark(level) } else { "" };
        match self.style {
            Style::Color => self.push(&[mark, "<"]),
            Style::Namespace => self.push(&["<", mark]),
            Style::Text if marked => {
                let before = if indent.gap.is_empty() { "\n" } else { indent.gap };
                self.push(&[indent.gap, mark, before, "<"]);
            }
            Style::Text => self.push(&["<"]),
        }
        self.push(&[element.name()]);
        for attribute in element.attributes() {
            self.push(&[" ", attribute.name(), "=\"", attribute.value(), "\""]);
        }
        if above.is_none() {
            self.namespaces(annotated);
        }
        if element.children().iter().any(|node| !matches!(node, Node::Text(_))) {
            self.push(&[">"]);
            self.children(element, annotated, indent.depth + 1);
            self.push(&["\n", &"  ".repeat(indent.depth)]);
            match self.style {
                Style::Color => self.push(&[mark, "</", element.name(), ">"]),
                Style::Namespace => self.push(&["</", mark, element.name(), ">"]),
                Style::Text => self.push(&["</", element.name(), ">"]),
            }
        } else {
            self.push(&["/>"]);
        }
        if matches!(self.style, Style::Color) {
            self.push(&["\x1b[0m"]);
        }
    }

    fn children(&mut self, element: &Element, annotated: &Annotated, depth: usize) {
        let gap = format!("\n{}", "  ".repeat(depth));
        let mut levels = annotated.children.iter();
        for node in element.children() {
            match node {
                Node::Element(child) => {
                    self.push(&[&gap]);
                    if let Some(below) = levels.next() {
                        self.element(child, below, Some(annotated.level), Indent { depth, gap: &gap });
                    }
                }
                Node::Comment(text) => self.push(&[&gap, "<!-- ", text, " -->\n"]),
                Node::Text(_) => {}
            }
        }
    }

    /// On the root, those that occur.
    fn namespaces(&mut self, annotated: &Annotated) {
        if !matches!(self.style, Style::Namespace) {
            return;
        }
        for (level, name) in
            [(Level::Writable, "writable"), (Level::Readable, "readable"), (Level::Denied, "denied")]
        {
            if occurs(annotated, level) {
                self.push(&[" xmlns:pcmk-access-", name, "=\"", NAMESPACE, name, "\""]);
            }
        }
    }

    fn push(&mut self, texts: &[&str]) {
        self.text.extend(texts.iter().copied());
    }
}

fn occurs(annotated: &Annotated, level: Level) -> bool {
    annotated.level == level || annotated.children.iter().any(|below| occurs(below, level))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<cib epoch="1" validate-with="pacemaker-4.0"><configuration><crm_config/><resources><!-- mine --></resources>
        <acls><acl_role id="r"><acl_permission id="p1" kind="read" xpath="/cib"/>
        <acl_permission id="p2" kind="write" xpath="//resources"/><acl_permission id="p3" kind="deny" object-type="acls"/>
        </acl_role><acl_target id="tony"><role id="r"/></acl_target></acls></configuration><status/></cib>"#;

    fn shown(user: &str, show: ShowAccess) -> String {
        match rendered(&xml::parse(CIB).unwrap(), user, show) {
            Ok(text) => text,
            Err(failure) => format!("{}: {}", failure.code.value(), failure.text.unwrap_or_default()),
        }
    }

    #[test]
    fn rights_are_shown_where_they_change() {
        let text = shown("tony", ShowAccess::Text);
        assert!(
            text.starts_with(
                "<!-- ACLs as evaluated for user tony -->\nvvv---[ READABLE ]---vvv\n<cib epoch"
            ),
            "{text}"
        );
        let resources = "<crm_config/>\n    \n    vvv---[ WRITABLE ]---vvv\n    <resources>\n      <!--  mine  -->\n\n    </resources>";
        assert!(text.contains(resources), "{text}");
        assert_eq!(text.matches("~DENIED~").count(), 1, "{text}");

        let xml = shown("tony", ShowAccess::Namespace);
        assert!(xml::parse(&xml).is_ok(), "{xml}");
        assert!(xml.contains(":resources>") && xml.contains("<pcmk-access-denied:acls>"), "{xml}");

        let color = shown("tony", ShowAccess::Color);
        assert!(color.contains("\x1b[34m<crm_config/>\x1b[0m\n    \x1b[32m<resources>"), "{color}");
    }

    #[test]
    fn a_user_without_permissions_has_no_rights() {
        let text = shown("nobody", ShowAccess::Text);
        assert_eq!((text.matches("vvv").count(), text.matches("~DENIED~").count()), (2, 1), "{text}");
    }

    #[test]
    fn rights_that_are_not_evaluated_are_not_shown() {
        assert_eq!(
            shown("root", ShowAccess::Text),
            "78: Could not evaluate ACLs for root: Already in requested state"
        );
        assert!(shown("<b>", ShowAccess::Text).ends_with("Invalid argument"));
        let old = xml::parse(&CIB.replace("pacemaker-4.0", "pacemaker-1.3")).unwrap();
        let refused = rendered(&old, "tony", ShowAccess::Text).unwrap_err();
        assert_eq!(
            refused.text.unwrap_or_default(),
            "Could not evaluate ACLs for tony: Update does not conform to the configured schema"
        );
        assert!(knows_acls(Some("none")) && knows_acls(Some("pacemaker-next")) && !knows_acls(None));
    }
}
