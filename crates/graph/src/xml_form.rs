// SPDX-License-Identifier: GPL-2.0-or-later
//! The graph to and from XML, attribute for attribute in the order the controller's peers write them.
//!
//! Decides: the form (`<transition_graph>`). Given: a graph, or an element a peer sent. Leaves to others: whether the
//! graph makes sense. What a reader does not know it ignores; what it cannot do without it refuses.

use crate::{Action, ActionKind, GraphOptions, GraphResource, Input, NodeRef, Synapse, TransitionGraph};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use xml::{Element, Markup, TextMarkup, TreeMarkup};

/// The XML is not a transition graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Another element came.
    #[error("expected a <transition_graph>, found <{0}>")]
    NotAGraph(String),
    /// Something an action or synapse cannot do without is missing or no number.
    #[error("<{element}> in the transition graph has no usable '{attribute}' (found {found:?})")]
    BadAttribute {
        /// Where.
        element: String,
        /// What.
        attribute: &'static str,
        /// What was there.
        found: Option<String>,
    },
}

impl TransitionGraph {
    /// The graph as the scheduler sends it.
    pub fn to_xml(&self) -> Element {
        tree(|markup| self.describe(markup))
    }

    /// Writes the graph indented, as text, without a tree of it.
    pub fn write_indented(&self, out: impl fmt::Write) -> fmt::Result {
        let mut markup = TextMarkup::new(out);
        self.describe(&mut markup);
        markup.finish()
    }

    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        to.open("transition_graph");
        self.options.describe(to);
        self.synapses.iter().for_each(|synapse| synapse.describe(to));
        to.close();
    }

    /// The graph from what a scheduler sent.
    pub fn from_xml(element: &Element) -> Result<TransitionGraph, GraphError> {
        if element.name() != "transition_graph" {
            return Err(GraphError::NotAGraph(element.name().to_owned()));
        }
        let synapses = element.elements_named("synapse").map(Synapse::from_xml).collect::<Result<_, _>>()?;
        Ok(TransitionGraph { options: GraphOptions::from_xml(element)?, synapses })
    }
}

/// What is described, as a tree.
fn tree<'t>(describe: impl FnOnce(&mut TreeMarkup<'t>)) -> Element {
    let mut markup = TreeMarkup::new();
    describe(&mut markup);
    // Each description opens one element and closes it.
    markup.finish().unwrap_or_else(|| Element::new("transition_graph"))
}

fn number<T: FromStr>(element: &Element, attribute: &'static str) -> Result<T, GraphError> {
    let found = element.attr(attribute);
    found.and_then(|text| text.parse().ok()).ok_or_else(|| GraphError::BadAttribute {
        element: element.name().to_owned(),
        attribute,
        found: found.map(str::to_owned),
    })
}

fn owned(element: &Element, attribute: &str) -> Option<String> {
    element.attr(attribute).map(str::to_owned)
}

impl GraphOptions {
    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        to.attribute("cluster-delay", &self.cluster_delay);
        let timeout_name = if self.stonith_name { "stonith-timeout" } else { "fencing-timeout" };
        to.attribute(timeout_name, &self.fencing_timeout);
        to.attribute("failed-stop-offset", &self.failed_stop_offset);
        to.attribute("failed-start-offset", &self.failed_start_offset);
        to.attribute("batch-limit", &self.batch_limit);
        to.attribute_of("transition_id", self.transition_id);
        to.attribute_opt("migration-limit", self.migration_limit.as_deref());
        if let Some(when) = self.recheck_by {
            to.attribute_of("recheck-by", when);
        }
    }

    fn from_xml(element: &Element) -> Result<GraphOptions, GraphError> {
        let default = GraphOptions::default();
        let (new_name, old_name) = (owned(element, "fencing-timeout"), owned(element, "stonith-timeout"));
        Ok(GraphOptions {
            transition_id: number(element, "transition_id")?,
            cluster_delay: owned(element, "cluster-delay").unwrap_or(default.cluster_delay),
            stonith_name: new_name.is_none() && old_name.is_some(),
            fencing_timeout: new_name.or(old_name).unwrap_or(default.fencing_timeout),
            failed_stop_offset: owned(element, "failed-stop-offset").unwrap_or(default.failed_stop_offset),
            failed_start_offset: owned(element, "failed-start-offset").unwrap_or(default.failed_start_offset),
            batch_limit: owned(element, "batch-limit").unwrap_or(default.batch_limit),
            migration_limit: owned(element, "migration-limit"),
            recheck_by: element.attr("recheck-by").map(|_| number(element, "recheck-by")).transpose()?,
        })
    }
}

impl Synapse {
    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        to.open("synapse");
        to.attribute_of("id", self.id);
        if self.priority > 0 {
            to.attribute_of("priority", self.priority);
        }
        to.open("action_set");
        self.actions.iter().for_each(|action| action.describe(to));
        to.close();
        to.open("inputs");
        for input in &self.inputs {
            to.open("trigger");
            input.describe(to);
            to.close();
            to.close();
        }
        to.close();
        to.close();
    }

    fn from_xml(element: &Element) -> Result<Synapse, GraphError> {
        let known = |e: &&Element| ActionKind::from_element(e.name()).is_some();
        let actions = element.child("action_set").into_iter().flat_map(Element::elements).filter(known);
        let triggers = element.child("inputs").into_iter().flat_map(Element::elements);
        let inputs = triggers.flat_map(Element::elements).filter(known);
        Ok(Synapse {
            id: number(element, "id")?,
            priority: element.attr("priority").map(|_| number(element, "priority")).transpose()?.unwrap_or(0),
            actions: actions.map(Action::from_xml).collect::<Result<_, _>>()?,
            inputs: inputs.map(|input| Input::from_xml(input).map(Arc::new)).collect::<Result<_, _>>()?,
        })
    }
}

impl Input {
    /// The action's element without what only its executor needs.
    pub fn to_xml(&self) -> Element {
        tree(|markup| {
            self.describe(markup);
            markup.close();
        })
    }

    /// Opens the element; whoever asked closes it.
    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        to.open(self.kind.as_str());
        to.attribute_opt("mode", self.mode.as_deref());
        to.attribute_of("id", self.id);
        to.attribute("operation", &self.operation);
        to.attribute("operation_key", &self.operation_key);
        to.attribute_opt("internal_operation_key", self.internal_operation_key.as_deref());
        if let Some(node) = &self.node {
            to.attribute("on_node", &node.name);
            to.attribute("on_node_uuid", &node.id);
        }
        to.attribute_opt("router_node", self.router_node.as_deref());
    }

    /// From an action's element; what only its executor needs is ignored.
    pub fn from_xml(element: &Element) -> Result<Input, GraphError> {
        let missing = |attribute, found| GraphError::BadAttribute {
            element: element.name().to_owned(),
            attribute,
            found,
        };
        let kind = ActionKind::from_element(element.name()).ok_or_else(|| missing("name", None))?;
        let operation = owned(element, "operation").ok_or_else(|| missing("operation", None))?;
        let node = owned(element, "on_node").map(|name| {
            let id = owned(element, "on_node_uuid").unwrap_or_else(|| name.clone());
            NodeRef { name, id }
        });
        Ok(Input {
            kind,
            id: number(element, "id")?,
            operation_key: owned(element, "operation_key").unwrap_or_else(|| operation.clone()),
            operation,
            internal_operation_key: owned(element, "internal_operation_key"),
            mode: owned(element, "mode"),
            node,
            router_node: owned(element, "router_node"),
        })
    }
}

impl Action {
    /// The action's element in full.
    pub fn to_xml(&self) -> Element {
        tree(|markup| self.describe(markup))
    }

    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        self.identity.describe(to);
        if let Some(since) = self.shutdown_lock {
            to.attribute_of("shutdown-lock", since);
        }
        if let Some(resource) = &self.resource {
            resource.describe(to);
        }
        // Parameters may be called by numbers, attributes may not.
        let is_numbered = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
        to.open("attributes");
        for (name, value) in self.attributes.iter().filter(|(name, _)| !is_numbered(name)) {
            to.attribute(name, value);
        }
        for (name, value) in self.attributes.iter().filter(|(name, _)| is_numbered(name)) {
            to.open("param");
            to.attribute("name", name);
            to.attribute("value", value);
            to.close();
        }
        to.close();
        if let Some(downed) = &self.downed {
            to.open("downed");
            for id in downed {
                to.open("node");
                to.attribute("id", id);
                to.close();
            }
            to.close();
        }
        if let Some(nodes) = &self.maintenance {
            to.open("maintenance");
            for (id, on) in nodes {
                to.open("node");
                to.attribute("id", id);
                to.attribute_of("node_in_maintenance", u8::from(*on));
                to.close();
            }
            to.close();
        }
        to.close();
    }

    /// From an action's element in full.
    pub fn from_xml(element: &Element) -> Result<Action, GraphError> {
        let ids = |list: &Element| list.elements_named("node").filter_map(|n| owned(n, "id")).collect();
        let flags = |list: &Element| {
            let one = |n: &Element| Some((owned(n, "id")?, n.attr("node_in_maintenance") == Some("1")));
            list.elements_named("node").filter_map(one).collect()
        };
        let not_resource = ["attributes", "downed", "maintenance"];
        let resource = element.elements().find(|child| !not_resource.contains(&child.name()));
        let parameter = |e: &Element| Some((Arc::from(e.attr("name")?), Arc::from(e.attr("value")?)));
        let holder = element.child("attributes");
        let numbered = holder.into_iter().flat_map(|h| h.elements_named("param")).filter_map(parameter);
        let attributes = holder.into_iter().flat_map(Element::attributes);
        let pair = |a: xml::Attribute<'_>| (Arc::from(a.name().as_str()), Arc::from(a.value()));
        let lock = element.attr("shutdown-lock").map(|_| number(element, "shutdown-lock")).transpose()?;
        Ok(Action {
            identity: Arc::new(Input::from_xml(element)?),
            shutdown_lock: lock,
            resource: resource.map(|resource| Arc::new(GraphResource::from_xml(resource))),
            attributes: numbered.chain(attributes.map(pair)).collect(),
            downed: element.child("downed").map(ids),
            maintenance: element.child("maintenance").map(flags),
        })
    }
}

impl GraphResource {
    fn describe<'t>(&'t self, to: &mut impl Markup<'t>) {
        to.open(&self.element);
        to.attribute("id", &self.id);
        to.attribute_opt("long-id", self.long_id.as_deref());
        to.attribute_opt("class", self.class.as_deref());
        to.attribute_opt("provider", self.provider.as_deref());
        to.attribute_opt("type", self.agent.as_deref());
        to.close();
    }

    fn from_xml(element: &Element) -> GraphResource {
        GraphResource {
            element: element.name().to_owned(),
            id: owned(element, "id").unwrap_or_default(),
            long_id: owned(element, "long-id"),
            class: owned(element, "class"),
            provider: owned(element, "provider"),
            agent: owned(element, "type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = r#"<transition_graph cluster-delay="60s" fencing-timeout="60s" failed-stop-offset="INFINITY" failed-start-offset="1" batch-limit="0" transition_id="3" recheck-by="17"><synapse id="0" priority="5"><action_set><rsc_op id="5" operation="start" operation_key="a_start_0" internal_operation_key="a:0_start_0" on_node="n1" on_node_uuid="1" shutdown-lock="9"><primitive id="a" long-id="a:0" class="ocf" provider="p" type="t"/><attributes CRM_meta_timeout="20000" x="y"><param name="1" value="z"/></attributes></rsc_op></action_set><inputs><trigger><pseudo_event id="4" operation="g_start" operation_key="g_start_0"/></trigger></inputs></synapse><synapse id="1"><action_set><crm_event id="6" operation="stonith" operation_key="stonith-n2-off" on_node="n2" on_node_uuid="2"><attributes/><downed><node id="2"/></downed></crm_event></action_set><inputs/></synapse></transition_graph>"#;

    #[test]
    fn a_graph_survives_the_wire() {
        let graph = TransitionGraph::from_xml(&xml::parse(GRAPH).unwrap()).unwrap();
        assert_eq!(graph.to_xml().to_string(), GRAPH);
        let mut text = String::new();
        graph.write_indented(&mut text).unwrap();
        assert_eq!(text, xml::write_indented(&graph.to_xml()));
        assert_eq!(graph.synapses[0].actions[0].meta("timeout"), Some("20000"));
        assert_eq!(graph.synapses[1].actions[0].downed, Some(vec!["2".to_owned()]));
    }

    #[test]
    fn an_older_peer_is_answered_in_its_words() {
        let text = GRAPH.replace("fencing-timeout", "stonith-timeout");
        let graph = TransitionGraph::from_xml(&xml::parse(&text).unwrap()).unwrap();
        assert_eq!(graph.options.fencing_timeout, "60s");
        assert_eq!(graph.to_xml().to_string(), text);
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        for bad in [
            "<graph/>",
            "<transition_graph/>",
            "<transition_graph transition_id='1'><synapse/></transition_graph>",
            "<transition_graph transition_id='1'><synapse id='0'><action_set><rsc_op id='1'/></action_set></synapse></transition_graph>",
        ] {
            assert!(TransitionGraph::from_xml(&xml::parse(bad).unwrap()).is_err(), "{bad}");
        }
    }
}
