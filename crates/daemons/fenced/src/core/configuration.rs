// SPDX-License-Identifier: GPL-2.0-or-later
//! What the CIB says of fencing: the devices this node may use, the levels, nodes' attributes.
//!
//! A device is a primitive of class stonith that is not disabled, and from which no location constraint keeps this node
//! away. Rules are followed as far as they ask for the node's name; others are left out, and told.

use messages::execd::Parameters;
use messages::fencer::{Device, Level};
use model::Score;
use std::collections::BTreeMap;
use xml::Element;

/// What is of interest here.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    pub devices: Vec<Device>,
    /// Devices that are not for this node, and why.
    pub ignored: Vec<(String, String)>,
    pub levels: Vec<Level>,
    pub attributes: BTreeMap<String, BTreeMap<String, String>>,
    /// What could not be understood.
    pub issues: Vec<String>,
}

impl Configuration {
    /// Reads a `<configuration>`, or a `<cib>` with one, for a node.
    pub fn read(cib: &Element, node: &str) -> Configuration {
        let empty = Element::new("configuration");
        let configuration =
            if cib.name() == "configuration" { cib } else { cib.child("configuration").unwrap_or(&empty) };
        let mut found = Configuration::default();
        let context = Context {
            configuration,
            node,
            defaults: nvpairs(configuration.child("rsc_defaults"), "meta_attributes"),
            symmetric: option(configuration, "symmetric-cluster")
                .and_then(|text| model::parse_bool(&text))
                .unwrap_or(true),
        };
        if let Some(resources) = configuration.child("resources") {
            context.collect(resources, &mut Vec::new(), &mut found);
        }
        for level in configuration.child("fencing-topology").iter().flat_map(|all| all.elements()) {
            match Level::from_xml(level) {
                Ok(level) => found.levels.push(level),
                Err(error) => {
                    let id = level.id().unwrap_or("without id");
                    found.issues.push(format!("Ignoring fencing level {id}: {error}"));
                }
            }
        }
        for node in configuration.child("nodes").iter().flat_map(|all| all.elements_named("node")) {
            if let Some(name) = node.attr("uname") {
                found.attributes.insert(name.to_owned(), nvpairs(Some(node), "instance_attributes"));
            }
        }
        found
    }
}

/// A cluster option, from the first set that has it.
fn option(configuration: &Element, name: &str) -> Option<String> {
    nvpairs(configuration.child("crm_config"), "cluster_property_set").remove(name)
}

/// The name-value pairs of all sets of a kind; the first of a name counts.
fn nvpairs(element: Option<&Element>, set: &'static str) -> Parameters {
    let mut values = Parameters::new();
    for nvpair in element.iter().flat_map(|e| e.elements_named(set)).flat_map(|s| s.elements_named("nvpair"))
    {
        if let (Some(name), Some(value)) = (nvpair.attr("name"), nvpair.attr("value")) {
            values.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    values
}

struct Context<'a> {
    configuration: &'a Element,
    node: &'a str,
    defaults: Parameters,
    symmetric: bool,
}

impl Context<'_> {
    /// All devices below an element; `parents` are the groups and clones around it.
    fn collect<'e>(&self, element: &'e Element, parents: &mut Vec<&'e Element>, found: &mut Configuration) {
        for child in element.elements() {
            match child.name() {
                "primitive" => self.device(child, parents, found),
                "group" | "clone" | "master" => {
                    parents.push(child);
                    self.collect(child, parents, found);
                    parents.pop();
                }
                _ => {}
            }
        }
    }

    fn device(&self, primitive: &Element, parents: &[&Element], found: &mut Configuration) {
        let template = primitive.attr("template").and_then(|id| self.template(id));
        let attr = |name| primitive.attr(name).or_else(|| template.and_then(|template| template.attr(name)));
        let (Some(id), Some("stonith"), Some(agent)) = (primitive.id(), attr("class"), attr("type")) else {
            return;
        };
        let both = |set| {
            let mut values = nvpairs(Some(primitive), set);
            for (name, value) in nvpairs(template, set) {
                values.entry(name).or_insert(value);
            }
            values
        };
        let mut meta = both("meta_attributes");
        for inherited in parents.iter().rev().map(|parent| nvpairs(Some(parent), "meta_attributes")) {
            for (name, value) in inherited {
                meta.entry(name).or_insert(value);
            }
        }
        let role = meta.get("target-role").or_else(|| self.defaults.get("target-role"));
        if role.is_some_and(|role| role.eq_ignore_ascii_case("stopped")) {
            found.ignored.push((id.to_owned(), "it is disabled".to_owned()));
            return;
        }
        let ids: Vec<&str> =
            std::iter::once(id).chain(parents.iter().filter_map(|parent| parent.id())).collect();
        match self.preference(&ids, &mut found.issues) {
            None => {
                found.ignored.push((id.to_owned(), "local node is not allowed to run it".to_owned()));
                return;
            }
            Some(score) if score < Score::ZERO => {
                let reason = format!("local node has preference {score} for it");
                found.ignored.push((id.to_owned(), reason));
                return;
            }
            Some(_) => {}
        }
        found.devices.push(Device {
            id: id.to_owned(),
            agent: agent.to_owned(),
            namespace: None,
            provides: meta.remove("provides"),
            parameters: both("instance_attributes"),
        });
    }

    fn template(&self, id: &str) -> Option<&Element> {
        self.configuration.child("resources")?.child_with_id("template", id)
    }

    /// The sum of what location constraints say for this node; `None` if the node would have to be named and is not.
    fn preference(&self, ids: &[&str], issues: &mut Vec<String>) -> Option<Score> {
        let mut sum = self.symmetric.then_some(Score::ZERO);
        let constraints = self.configuration.child("constraints");
        for location in constraints.iter().flat_map(|all| all.elements_named("rsc_location")) {
            if !self.concerns(location, ids) {
                continue;
            }
            let of_node = location.attr("node").is_some_and(|node| node.eq_ignore_ascii_case(self.node));
            if of_node {
                sum = Some(sum.unwrap_or(Score::ZERO) + score_of(location));
            }
            for rule in location.elements_named("rule") {
                match self.rule_holds(rule) {
                    Some(true) => sum = Some(sum.unwrap_or(Score::ZERO) + score_of(rule)),
                    Some(false) => {}
                    None => {
                        let id = location.id().unwrap_or("without id");
                        issues.push(format!(
                            "Ignoring a rule of location constraint {id}: for fence devices only rules about the \
                             node's name (#uname) are understood"
                        ));
                    }
                }
            }
        }
        sum
    }

    fn concerns(&self, location: &Element, ids: &[&str]) -> bool {
        let is_one = |id: Option<&str>| id.is_some_and(|id| ids.contains(&id));
        let in_sets = location
            .elements_named("resource_set")
            .flat_map(|set| set.elements_named("resource_ref"))
            .any(|reference| is_one(reference.id()));
        is_one(location.attr("rsc")) || in_sets
    }

    /// `None` if it asks for something else than the node's name.
    fn rule_holds(&self, rule: &Element) -> Option<bool> {
        let any = rule.attr("boolean-op") == Some("or");
        let mut results = Vec::new();
        for part in rule.elements() {
            results.push(match part.name() {
                "rule" => self.rule_holds(part)?,
                "expression" if part.attr("attribute") == Some("#uname") => {
                    let is_it = part.attr("value").is_some_and(|name| name.eq_ignore_ascii_case(self.node));
                    match part.attr("operation")? {
                        "eq" => is_it,
                        "ne" => !is_it,
                        "defined" => true,
                        "not_defined" => false,
                        _ => return None,
                    }
                }
                _ => return None,
            });
        }
        Some(if any { results.contains(&true) } else { !results.contains(&false) })
    }
}

fn score_of(element: &Element) -> Score {
    element.attr("score").and_then(|text| text.parse().ok()).unwrap_or(Score::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r##"<cib><configuration><crm_config/>
<nodes><node id="1" uname="n1"><instance_attributes id="i"><nvpair id="r" name="rack" value="1"/>
</instance_attributes></node></nodes>
<resources><primitive id="f1" class="stonith" type="fence_lab"><instance_attributes id="a">
<nvpair id="b" name="switch" value="/s"/></instance_attributes></primitive>
<primitive id="off" class="stonith" type="fence_lab"><meta_attributes id="m">
<nvpair id="n" name="target-role" value="Stopped"/></meta_attributes></primitive>
<primitive id="away" class="stonith" type="fence_lab"/><primitive id="ruled" class="stonith" type="fence_lab"/>
<group id="g"><primitive id="grouped" class="stonith" type="fence_lab"/></group>
<template id="t" class="stonith" type="fence_t"/><primitive id="templated" template="t"/>
<primitive id="web" class="ocf" provider="p" type="x"/></resources>
<constraints><rsc_location id="l1" rsc="away" node="n1" score="-INFINITY"/>
<rsc_location id="l2" rsc="g" node="N1" score="-100"/>
<rsc_location id="l3" rsc="ruled"><rule id="ru" score="-INFINITY"><expression id="e" attribute="#uname"
operation="eq" value="n1"/></rule></rsc_location>
<rsc_location id="l4" rsc="f1"><rule id="rx" score="-INFINITY"><expression id="ex" attribute="cpu"
operation="eq" value="1"/></rule></rsc_location></constraints>
<fencing-topology><fencing-level id="x" index="1" target="n1" devices="f1, f2"/>
<fencing-level id="y" index="77" target="n1" devices="f1"/></fencing-topology></configuration><status/></cib>"##;

    #[test]
    fn the_devices_for_a_node_are_those_it_may_use() {
        let cib = xml::parse(CIB).unwrap();
        let ids = |node| -> Vec<String> {
            Configuration::read(&cib, node).devices.into_iter().map(|device| device.id).collect()
        };
        assert_eq!(ids("n1"), ["f1", "templated"]);
        assert_eq!(ids("n2"), ["f1", "away", "ruled", "grouped", "templated"]);
        let found = Configuration::read(&cib, "n1");
        assert_eq!(found.devices[0].parameters["switch"], "/s");
        assert_eq!(found.devices[1].agent, "fence_t");
        assert_eq!(found.levels[0].devices, ["f1", "f2"]);
        assert_eq!(found.attributes["n1"]["rack"], "1");
        assert_eq!(found.ignored.len(), 4);
        assert!(found.issues.iter().any(|issue| issue.contains("constraint l4")));
        assert!(found.issues.iter().any(|issue| issue.contains("fencing level y")));
    }

    #[test]
    fn in_an_opt_in_cluster_a_node_has_to_be_named() {
        let text = r#"<configuration><crm_config><cluster_property_set id="c"><nvpair id="s"
name="symmetric-cluster" value="false"/></cluster_property_set></crm_config><resources><primitive id="f"
class="stonith" type="a"/></resources><constraints><rsc_location id="l" rsc="f" node="n1" score="0"/>
</constraints></configuration>"#;
        let cib = xml::parse(text).unwrap();
        assert_eq!(Configuration::read(&cib, "n1").devices.len(), 1);
        assert_eq!(Configuration::read(&cib, "n2").devices.len(), 0);
    }
}
