// SPDX-License-Identifier: GPL-2.0-or-later
//! What agents say of themselves: their parameters and actions.
//!
//! Decides: what the meta-data mean, older spellings included. Given: their text. Leaves to others: to get it
//! ([`crate::ocf`], [`crate::fence`]) and to keep it.

use model::Interval;
use xml::{Element, Limits, TextPolicy};

/// An agent's description of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// The version of the agent, or of the rules it keeps.
    pub version: Option<String>,
    /// In one line.
    pub short: Option<String>,
    /// In full.
    pub long: Option<String>,
    /// What it can be told.
    pub parameters: Vec<Parameter>,
    /// What it can do.
    pub actions: Vec<Action>,
    /// The whole, as it came.
    pub xml: Element,
}

/// One thing an agent can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// It must be told.
    pub required: bool,
    /// Changing it needs no restart, only `reload-agent`.
    pub reloadable: bool,
    /// No two resources with this agent may have the same value.
    pub unique: bool,
    /// Nobody should read its value.
    pub private: bool,
    /// The default, if any.
    pub default: Option<String>,
    /// In one line.
    pub short: Option<String>,
}

/// One thing an agent can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// How long it should be given at least.
    pub timeout: Option<Interval>,
    /// How often it should be done.
    pub interval: Option<Interval>,
    /// A fence agent's `on`: to be done when a node joins.
    pub automatic: bool,
    /// A fence agent's: to be done by the target itself.
    pub on_target: bool,
}

/// The text is no description of an agent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is not XML.
    #[error("meta-data is not XML: {0}")]
    NotXml(String),
    /// It is something else.
    #[error("meta-data is <{0}>, expected <resource-agent>")]
    NotAnAgent(String),
}

/// Meta-data come from a program: small ones are enough.
const LIMITS: Limits =
    Limits { depth: 32, bytes: 4 << 20, nodes: 100_000, attributes: 100, value_bytes: 1 << 20 };

impl Description {
    /// Reads what an agent printed.
    pub fn parse(text: &str) -> Result<Description, MetadataError> {
        let root = xml::parse_with(text.trim(), TextPolicy::Keep, LIMITS)
            .map_err(|error| MetadataError::NotXml(error.to_string()))?;
        if root.name() != "resource-agent" {
            return Err(MetadataError::NotAnAgent(root.name().to_owned()));
        }
        let list = |outer: &str, inner: &'static str| {
            let found = root.child(outer).into_iter().flat_map(move |list| list.elements_named(inner));
            found.cloned().collect::<Vec<_>>()
        };
        Ok(Description {
            name: root.attr("name").unwrap_or_default().to_owned(),
            version: root
                .attr("version")
                .map(str::to_owned)
                .or_else(|| root.child("version").map(|version| version.text().trim().to_owned())),
            short: root.attr("shortdesc").map(str::to_owned).or_else(|| text_of(&root, "shortdesc")),
            long: text_of(&root, "longdesc"),
            parameters: list("parameters", "parameter").iter().filter_map(Parameter::from_xml).collect(),
            actions: list("actions", "action").iter().filter_map(Action::from_xml).collect(),
            xml: root,
        })
    }

    /// The parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The action of a name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// How a fence agent wants to be told its target, unless the device says: `plug`, else `port`.
    pub fn host_argument(&self) -> Option<&'static str> {
        ["plug", "port"].into_iter().find(|name| self.parameter(name).is_some())
    }
}

fn text_of(element: &Element, child: &str) -> Option<String> {
    element.child(child).map(|child| child.text().trim().to_owned()).filter(|text| !text.is_empty())
}

fn flag(element: &Element, name: &str) -> bool {
    element.attr(name).and_then(model::parse_bool) == Some(true)
}

impl Parameter {
    fn from_xml(parameter: &Element) -> Option<Parameter> {
        Some(Parameter {
            name: parameter.attr("name")?.to_owned(),
            required: flag(parameter, "required"),
            reloadable: flag(parameter, "reloadable"),
            unique: flag(parameter, "unique") || parameter.attr("unique-group").is_some(),
            private: flag(parameter, "private"),
            default: parameter
                .child("content")
                .and_then(|content| content.attr("default"))
                .map(str::to_owned),
            short: text_of(parameter, "shortdesc"),
        })
    }
}

impl Action {
    fn from_xml(action: &Element) -> Option<Action> {
        let span = |name| action.attr(name).and_then(|text| text.parse().ok());
        Some(Action {
            name: action.attr("name")?.to_owned(),
            timeout: span("timeout"),
            interval: span("interval"),
            automatic: flag(action, "automatic") || flag(action, "required"),
            on_target: flag(action, "on_target"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: &str = r#"<?xml version="1.0"?>
<resource-agent name="fence_x" shortdesc="Fences X"><longdesc>Long &amp; clear.</longdesc>
<parameters><parameter name="port" unique="1" required="1"><content type="string" default="a"/>
<shortdesc lang="en">Plug</shortdesc></parameter></parameters>
<actions><action name="on" automatic="1" on_target="1"/><action name="reboot" timeout="20s"/></actions>
</resource-agent>"#;

    #[test]
    fn descriptions_are_understood() {
        let agent = Description::parse(FENCE).unwrap();
        assert_eq!((agent.name.as_str(), agent.short.as_deref()), ("fence_x", Some("Fences X")));
        assert_eq!(agent.long.as_deref(), Some("Long & clear."));
        assert_eq!(agent.host_argument(), Some("port"));
        let port = agent.parameter("port").unwrap();
        assert!(port.required && port.unique && !port.reloadable);
        assert_eq!((port.default.as_deref(), port.short.as_deref()), (Some("a"), Some("Plug")));
        assert!(agent.action("on").is_some_and(|on| on.automatic && on.on_target));
        assert_eq!(agent.action("reboot").unwrap().timeout, Some(Interval::from_secs(20)));
    }

    #[test]
    fn what_is_none_is_refused() {
        let refused = |text| Description::parse(text).unwrap_err().to_string();
        assert_eq!(refused("<a/>"), "meta-data is <a>, expected <resource-agent>");
        assert!(refused("usage: me").starts_with("meta-data is not XML: "));
    }
}
