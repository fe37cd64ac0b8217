// SPDX-License-Identifier: GPL-2.0-or-later
//! Patches as lines for people, in Pacemaker's form: `++` was made, `+ ` changed, `+~` moved, `--` is gone.

use super::versions;
use xml::{Element, Node, Style, write_with};

/// The lines, each ended by a line feed; none if the patch says nothing. What makes no sense in a patch is passed over.
pub fn describe(patch: &Element) -> String {
    let mut lines = Lines(String::new());
    lines.header(patch);
    for change in patch.elements_named("change") {
        let path = change.attr("path").unwrap_or_default();
        match change.attr("operation") {
            Some("create") => lines.created(change, path),
            Some("modify") => lines.modified(change, path),
            Some("move") => {
                let position = change.attr("position").unwrap_or_default();
                lines.add(format_args!("+~ {path} moved to offset {position}"));
            }
            Some("delete") => match change.attr("position").and_then(|text| text.parse::<u32>().ok()) {
                Some(position) => lines.add(format_args!("-- {path} ({position})")),
                None => lines.add(format_args!("-- {path}")),
            },
            _ => {}
        }
    }
    lines.0
}

struct Lines(String);

impl Lines {
    fn add(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }

    fn header(&mut self, patch: &Element) {
        let Ok((Some(from), Some(to))) = versions(patch) else { return };
        let dotted = |version: crate::Version| {
            format!("{}.{}.{}", version.admin_epoch, version.epoch, version.num_updates)
        };
        let (from, to) = (dotted(from), dotted(to));
        if from != to {
            let format = patch.attr("format").unwrap_or("(no format)");
            let digest = patch.attr("digest").unwrap_or("(no digest)");
            self.add(format_args!("Diff: --- {from} {format}"));
            self.add(format_args!("Diff: +++ {to} {digest}"));
        } else if to != "0.0.0" {
            self.add(format_args!("Local-only Change: {to}"));
        }
    }

    /// The element itself stands beside its path, what is in it below that.
    fn created(&mut self, change: &Element, path: &str) {
        let Some(made) = change.children().iter().find(|node| !matches!(node, Node::Text(_))) else { return };
        let element = match made {
            Node::Element(element) => element,
            Node::Comment(text) => return self.add(format_args!("<!--{text}-->")),
            Node::Text(_) => return,
        };
        let opening = write_with(&element.without_children(), Style::Compact, xml::Escaping::Modern);
        self.add(format_args!("++ {path}:  {opening}"));
        let text = write_with(element, Style::Indented, xml::Escaping::Modern);
        let margin = " ".repeat(path.chars().count() + 3);
        // The first line is the one above.
        for line in text.lines().skip(1) {
            match line.trim_start().starts_with("<!--") {
                true => self.add(format_args!("{line}")),
                false => self.add(format_args!("++{margin} {line}")),
            }
        }
    }

    fn modified(&mut self, change: &Element, path: &str) {
        let list = change.child("change-list");
        let said = |operation: &str, text: &dyn Fn(&Element) -> String| -> String {
            let changes = list.into_iter().flat_map(Element::elements);
            let changes = changes.filter(|change| change.attr("operation") == Some(operation));
            changes.map(text).collect::<Vec<_>>().join(", ")
        };
        let name = |change: &Element| change.attr("name").unwrap_or_default().to_owned();
        let set =
            said("set", &|change| format!("@{}={}", name(change), change.attr("value").unwrap_or_default()));
        let unset = said("unset", &|change| format!("@{}", name(change)));
        if !set.is_empty() {
            self.add(format_args!("+  {path}:  {set}"));
        }
        if !unset.is_empty() {
            self.add(format_args!("-- {path}:  {unset}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_reads_as_pacemakers_tools_show_it() {
        let patch = r#"<diff format="2" digest="d"><version><source admin_epoch="0" epoch="1" num_updates="2"/>
            <target admin_epoch="0" epoch="2" num_updates="0"/></version>
            <change operation="delete" path="/cib/a[@id='1']"/><change operation="delete" path="/cib/comment" position="3"/>
            <change operation="modify" path="/cib"><change-list><change-attr name="x" operation="set" value="1"/>
            <change-attr name="y" operation="set" value="2"/><change-attr name="z" operation="unset"/></change-list></change>
            <change operation="create" path="/cib" position="0"><b id="2"><c/></b></change>
            <change operation="move" path="/cib/d" position="4"/><change/></diff>"#;
        assert_eq!(
            describe(&xml::parse(patch).unwrap()),
            "Diff: --- 0.1.2 2\nDiff: +++ 0.2.0 d\n-- /cib/a[@id='1']\n-- /cib/comment (3)\n+  /cib:  @x=1, @y=2\n-- /cib:  @z\n\
             ++ /cib:  <b id=\"2\"/>\n++          <c/>\n++        </b>\n+~ /cib/d moved to offset 4\n"
        );
        assert_eq!(describe(&xml::parse("<diff format='2'/>").unwrap()), "");
    }
}
