// SPDX-License-Identifier: GPL-2.0-or-later
//! Lists of options in the form of agents' meta-data, for front-ends that show both alike.
//!
//! Decides: the form. Given: the options (`model::options`). Leaves to others: which options, and printing.

use model::options::{Audience, CLUSTER_OPTIONS, FENCING_PARAMETERS, Kind, OptionInfo, Reader};
use xml::{Element, Node};

/// The version of the OCF standard whose meta-data these look like.
const OCF_VERSION: &str = "1.1";

/// What a list says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'t> {
    /// The name, in place of an agent's.
    pub name: &'t str,
    /// The version of the software.
    pub version: &'t str,
    /// What is listed, in one line.
    pub short: &'t str,
    /// What is listed, in full.
    pub long: &'t str,
}

/// The two forms in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Of tools: who may use an option has an element or attribute of its own.
    Tools,
    /// Of daemons' `metadata`: only what all front-ends have always understood, the rest is put into the descriptions.
    Daemons,
}

/// The list as an element. Names of old follow those of today.
pub fn option_list<'o>(
    heading: &Heading<'_>,
    options: impl IntoIterator<Item = &'o OptionInfo>,
    dialect: Dialect,
) -> Element {
    let mut parameters = Element::new("parameters");
    for option in options {
        parameters.push(parameter(option, None, dialect));
        if let Some(alias) = option.alias {
            let short = format!("Deprecated alias for {}", option.name);
            parameters.push(parameter(option, Some((alias, &short)), dialect));
        }
    }
    Element::new("resource-agent")
        .with_attr("name", heading.name)
        .with_attr("version", heading.version)
        .with_child(Element::new("version").with_child(text(OCF_VERSION)))
        .with_child(description("longdesc", heading.long))
        .with_child(description("shortdesc", heading.short))
        .with_child(parameters)
}

/// What a daemon prints for `metadata`: the options that it reads.
pub fn of_daemon(reader: Reader, version: &str) -> String {
    let (name, short, long, options) = match reader {
        Reader::Manager => (
            "pacemaker-based",
            "Cluster Information Base manager options",
            "Cluster options used by Pacemaker's Cluster Information Base manager",
            CLUSTER_OPTIONS,
        ),
        Reader::Controller => (
            "pacemaker-controld",
            "Pacemaker controller options",
            "Cluster options used by Pacemaker's controller",
            CLUSTER_OPTIONS,
        ),
        Reader::Fencer => (
            "pacemaker-fenced",
            "Instance attributes available for all \"stonith\"-class resources",
            "Instance attributes available for all \"stonith\"-class resources and used by Pacemaker's fence daemon",
            FENCING_PARAMETERS,
        ),
        Reader::Scheduler => (
            "pacemaker-schedulerd",
            "Pacemaker scheduler options",
            "Cluster options used by Pacemaker's scheduler",
            CLUSTER_OPTIONS,
        ),
    };
    let own = options.iter().filter(|option| option.reader == reader);
    let list = option_list(&Heading { name, version, short, long }, own, Dialect::Daemons);
    xml::write_document(&with_texts_on_their_own_lines(&list, 0))
}

/// As daemons have always laid them out. Such lists are four levels deep, which bounds the recursion.
fn with_texts_on_their_own_lines(element: &Element, depth: usize) -> Element {
    let indent = "  ".repeat(depth);
    let mut out = Element::new(element.name_shared().clone());
    out.replace_attrs(element);
    for child in element.children().iter() {
        match child {
            Node::Element(child) => out.push(with_texts_on_their_own_lines(child, depth + 1)),
            Node::Text(words) => out.push(text(&format!("\n{indent}  {words}\n{indent}"))),
            Node::Comment(_) => {}
        }
    }
    out
}

fn text(text: &str) -> Node {
    Node::Text(text.into())
}

fn description(name: &'static str, words: &str) -> Element {
    Element::new(name).with_attr("lang", "en").with_child(text(words))
}

/// One option, by its name or (with what is said of that) by the one of old.
fn parameter(option: &OptionInfo, alias: Option<(&str, &str)>, dialect: Dialect) -> Element {
    let (name, short, long) = match alias {
        Some((name, short)) => (name, short, None),
        None => (option.name, option.short, option.long),
    };
    let replaced_with = alias.map(|_| option.name);
    let deprecated = alias.is_some() || option.audience == Audience::Deprecated;
    let advanced = option.audience == Audience::Advanced;
    let mut element = Element::new("parameter").with_attr("name", name);
    let (short, long, kind) = match dialect {
        Dialect::Tools => {
            let digit = |yes: bool| if yes { "1" } else { "0" };
            element.set_attr("advanced", digit(advanced));
            element.set_attr("generated", digit(option.generated));
            if deprecated {
                let mut mark = Element::new("deprecated");
                if let Some(name) = replaced_with {
                    mark.push(Element::new("replaced-with").with_attr("name", name));
                }
                element.push(mark);
            }
            (short.to_owned(), long.unwrap_or(short).to_owned(), option.kind.as_str())
        }
        Dialect::Daemons => {
            let values = option.kind.values();
            let with_values = |text: &str| match values {
                [] => text.to_owned(),
                values => format!("{text}  Allowed values: {}", values.join(", ")),
            };
            let mut marks = Vec::new();
            if deprecated {
                marks.push("*** Deprecated ***".to_owned());
                marks.extend(replaced_with.map(|name| format!("*** Replaced with {name} ***")));
            }
            if advanced {
                marks.push("*** Advanced Use Only ***".to_owned());
            }
            let marked = !marks.is_empty();
            // With marks, the words are said once only: in the long text if that is not just the words again.
            if !marked || (long.is_some() && values.is_empty()) {
                marks.push(short.to_owned());
            }
            (marks.join(" "), with_values(long.unwrap_or(short)), simple(option.kind))
        }
    };
    let mut content = Element::new("content").with_attr("type", kind);
    content.set_attr_opt("default", option.default);
    let values = option.kind.values().iter().map(|value| Element::new("option").with_attr("value", value));
    element
        .with_child(description("longdesc", &long))
        .with_child(description("shortdesc", &short))
        .with_child(content.with_children(values))
}

/// The type as it was called when there were fewer.
const fn simple(kind: Kind) -> &'static str {
    match kind {
        Kind::Duration | Kind::Timeout => "time",
        Kind::NonnegativeInteger | Kind::Score => "integer",
        Kind::Version => "string",
        kind => kind.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::options::cluster_option;

    const HEADING: Heading<'_> = Heading { name: "n", version: "3", short: "S", long: "L" };

    fn one(name: &str, dialect: Dialect) -> String {
        let list = option_list(&HEADING, cluster_option(name), dialect);
        xml::write_document(list.child("parameters").unwrap())
    }

    #[test]
    fn tools_tell_who_may_use_an_option() {
        assert!(one("stop-all-resources", Dialect::Tools).contains(r#"advanced="0" generated="0""#));
        let both = one("fencing-enabled", Dialect::Tools);
        let alias = both.find(r#"name="stonith-enabled" advanced="1""#).unwrap();
        assert!(both[alias..].contains(r#"<replaced-with name="fencing-enabled"/>"#), "{both}");
        assert!(both[alias..].contains("Deprecated alias for fencing-enabled"), "{both}");
    }

    #[test]
    fn daemons_put_all_into_words() {
        let policy = one("no-quorum-policy", Dialect::Daemons);
        assert!(
            policy.contains("have quorum  Allowed values: stop, freeze, ignore, demote, fence, suicide"),
            "{policy}"
        );
        assert!(!policy.contains("generated"));
        let deprecated = one("cluster-ipc-limit", Dialect::Daemons);
        assert!(
            deprecated.contains("*** Deprecated ***") && deprecated.matches("Ignored").count() == 1,
            "{deprecated}"
        );
        assert!(one("dc-deadtime", Dialect::Daemons).contains(r#"type="time" default="20s""#));
    }

    #[test]
    fn every_option_has_a_daemon() {
        let listed = |reader| {
            let text = of_daemon(reader, "3.0.2");
            assert!(text.contains("\n  <version>\n    1.1\n  </version>\n"), "{text}");
            let list = xml::parse(&text).unwrap();
            let names = list
                .child("parameters")
                .unwrap()
                .elements()
                .map(|option| option.attr("name").unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(listed(Reader::Manager), ["enable-acl", "cluster-ipc-limit"]);
        assert_eq!(listed(Reader::Fencer).len(), FENCING_PARAMETERS.len());
        let cluster =
            [Reader::Manager, Reader::Controller, Reader::Scheduler].map(|reader| listed(reader).len());
        let aliases = CLUSTER_OPTIONS.iter().filter(|option| option.alias.is_some()).count();
        assert_eq!(cluster.iter().sum::<usize>(), CLUSTER_OPTIONS.len() + aliases);
    }
}
