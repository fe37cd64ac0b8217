// SPDX-License-Identifier: GPL-2.0-or-later
//! A report as JSON, by four rules from what is also its XML:
//!
//! 1. An element is an object; its attributes are the members, in order. A value is a number or a truth where the tool
//!    knows it to be one, and text otherwise (an id stays text even if it looks like a number).
//! 2. An element inside that can be there once is a member of its name; of those that can be there more often, the
//!    member of their name is an array, also if there is but one.
//! 3. An element that holds nothing but text is that text. Text beside anything else is the member `text`.
//! 4. Should a member of a name be there already, later ones of it get `_` appended until they are alone.

use super::entry::{Content, Entry, Value};

/// The report, indented, ending with a line feed.
pub(super) fn write(report: &Entry) -> String {
    let mut out = String::new();
    render(&of(report), 0, &mut out);
    out.push('\n');
    out
}

enum Json<'a> {
    Value(&'a Value),
    Text(String),
    Array(Vec<Json<'a>>),
    /// In the order of the report, which `serde_json`'s maps do not keep.
    Object(Vec<(String, Json<'a>)>),
}

fn of(entry: &Entry) -> Json<'_> {
    let text: String = entry
        .content
        .iter()
        .filter_map(|content| match content {
            Content::Text(text) | Content::Raw(text) => Some(text.as_str()),
            Content::One(_) | Content::Item(_) => None,
        })
        .collect();
    let mut members: Vec<(String, Json<'_>)> =
        entry.attributes.iter().map(|(name, value)| (name.clone(), Json::Value(value))).collect();
    // An element has few names in it, so the search among them is short; its items may be many.
    let mut arrays: Vec<(&str, usize)> = Vec::new();
    for content in &entry.content {
        match content {
            Content::One(child) => {
                let name = free_name(&members, &child.name);
                members.push((name, of(child)));
            }
            Content::Item(item) => {
                let known = arrays.iter().find(|(name, _)| *name == item.name).map(|(_, at)| *at);
                let at = known.unwrap_or_else(|| {
                    members.push((free_name(&members, &item.name), Json::Array(Vec::new())));
                    arrays.push((&item.name, members.len() - 1));
                    members.len() - 1
                });
                if let Some((_, Json::Array(array))) = members.get_mut(at) {
                    array.push(of(item));
                }
            }
            Content::Text(_) | Content::Raw(_) => {}
        }
    }
    if text.is_empty() {
        return Json::Object(members);
    }
    if members.is_empty() {
        return Json::Text(text);
    }
    let name = free_name(&members, "text");
    members.push((name, Json::Text(text)));
    Json::Object(members)
}

fn free_name(members: &[(String, Json<'_>)], wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while members.iter().any(|(there, _)| *there == name) {
        name.push('_');
    }
    name
}

fn render(json: &Json<'_>, depth: usize, out: &mut String) {
    match json {
        Json::Value(Value::Text(text)) => quote(text, out),
        Json::Value(value) => out.push_str(&value.to_text()),
        Json::Text(text) => quote(text, out),
        Json::Array(values) => {
            let values = values.iter().map(|value| (None, value));
            list(('[', ']'), values, depth, out);
        }
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| (Some(name.as_str()), value));
            list(('{', '}'), members, depth, out);
        }
    }
}

fn list<'a>(
    marks: (char, char),
    members: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Json<'a>)>,
    depth: usize,
    out: &mut String,
) {
    out.push(marks.0);
    let count = members.len();
    for (at, (name, value)) in members.enumerate() {
        out.push('\n');
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            quote(name, out);
            out.push_str(": ");
        }
        render(value, depth + 1, out);
        if at + 1 < count {
            out.push(',');
        }
    }
    if count > 0 {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push(marks.1);
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_its_rules() {
        let report = Entry::new("r")
            .attr("code", 5)
            .attr("id", "7")
            .attr("on", true)
            .child(Entry::new("status").child(Entry::new("errors").item(Entry::new("error").text("a \"b\""))))
            .items([Entry::new("node").attr("name", "n1"), Entry::new("node").attr("name", "n2").text("x")])
            .child(Entry::new("code"))
            .child(Entry::raw("output", "<x/>\n"));
        let json: serde_json::Value = serde_json::from_str(&write(&report)).unwrap();
        let expected = serde_json::json!({
            "code": 5, "id": "7", "on": true,
            "status": {"errors": {"error": ["a \"b\""]}},
            "node": [{"name": "n1"}, {"name": "n2", "text": "x"}],
            "code_": {}, "output": "<x/>\n",
        });
        assert_eq!(json, expected);
        assert!(write(&report).starts_with("{\n  \"code\": 5,\n  \"id\": \"7\",\n"), "the order is kept");
    }
}
