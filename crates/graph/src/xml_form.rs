// SPDX-License-Identifier: GPL-2.0-or-later
//! The graph to and from XML, attribute for attribute in the order the controller's peers write them.
//!
//! Decides: the form (`<transition_graph>`). Given: a graph, or an element a peer sent. Leaves to others: whether the
//! graph makes sense. What a reader does not know it ignores; what it cannot do without it refuses.

use crate::{Action, ActionKind, GraphOptions, GraphResource, Input, NodeRef, Synapse, TransitionGraph};
use std::str::FromStr;
use xml::Element;

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
        self.options.to_xml().with_children(self.synapses.iter().map(Synapse::to_xml))
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
    fn to_xml(&self) -> Element {
        let timeout_name = if self.stonith_name { "stonith-timeout" } else { "fencing-timeout" };
        let mut out = Element::new("transition_graph")
            .with_attr("cluster-delay", &self.cluster_delay)
            .with_attr(timeout_name, &self.fencing_timeout)
            .with_attr("failed-stop-offset", &self.failed_stop_offset)
            .with_attr("failed-start-offset", &self.failed_start_offset)
            .with_attr("batch-limit", &self.batch_limit)
            .with_attr("transition_id", self.transition_id);
        out.set_attr_opt("migration-limit", self.migration_limit.as_ref());
        out.set_attr_opt("recheck-by", self.recheck_by);
        out
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
    fn to_xml(&self) -> Element {
        let mut out = Element::new("synapse").with_attr("id", self.id);
        out.set_attr_opt("priority", (self.priority > 0).then_some(self.priority));
        let set = Element::new("action_set").with_children(self.actions.iter().map(Action::to_xml));
        let trigger = |input: &Input| Element::new("trigger").with_child(input.to_xml());
        let inputs = Element::new("inputs").with_children(self.inputs.iter().map(trigger));
        out.with_child(set).with_child(inputs)
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
            inputs: inputs.map(Input::from_xml).collect::<Result<_, _>>()?,
        })
    }
}

impl Input {
    /// The action's element without what only its executor needs.
    pub fn to_xml(&self) -> Element {
        let mut out = Element::new(self.kind.as_str());
        out.set_attr_opt("mode", self.mode.as_ref());
        out.set_attr("id", self.id);
        out.set_attr("operation", &self.operation);
        out.set_attr("operation_key", &self.operation_key);
        out.set_attr_opt("internal_operation_key", self.internal_operation_key.as_ref());
        if let Some(node) = &self.node {
            out.set_attr("on_node", &node.name);
            out.set_attr("on_node_uuid", &node.id);
        }
        out.set_attr_opt("router_node", self.router_node.as_ref());
        out
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
        let mut out = self.identity.to_xml();
        out.set_attr_opt("shutdown-lock", self.shutdown_lock);
        if let Some(resource) = &self.resource {
            let mut element = Element::new(resource.element.clone()).with_attr("id", &resource.id);
            element.set_attr_opt("long-id", resource.long_id.as_ref());
            element.set_attr_opt("class", resource.class.as_ref());
            element.set_attr_opt("provider", resource.provider.as_ref());
            element.set_attr_opt("type", resource.agent.as_ref());
            out.push(element);
        }
        let mut attributes = Element::new("attributes");
        for (name, value) in &self.attributes {
            // Parameters may be called by numbers, attributes may not.
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                attributes.push(Element::new("param").with_attr("name", name).with_attr("value", value));
            } else {
                attributes.set_attr(xml::Name::new(name), value);
            }
        }
        out.push(attributes);
        if let Some(downed) = &self.downed {
            let node = |id: &String| Element::new("node").with_attr("id", id);
            out.push(Element::new("downed").with_children(downed.iter().map(node)));
        }
        if let Some(nodes) = &self.maintenance {
            let node = |(id, on): &(String, bool)| {
                Element::new("node").with_attr("id", id).with_attr("node_in_maintenance", u8::from(*on))
            };
            out.push(Element::new("maintenance").with_children(nodes.iter().map(node)));
        }
        out
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
        let parameter = |e: &Element| Some((owned(e, "name")?, owned(e, "value")?));
        let holder = element.child("attributes");
        let numbered = holder.into_iter().flat_map(|h| h.elements_named("param")).filter_map(parameter);
        let attributes = holder.into_iter().flat_map(Element::attributes);
        let pair = |a: xml::Attribute<'_>| (a.name().as_str().to_owned(), a.value().to_owned());
        let lock = element.attr("shutdown-lock").map(|_| number(element, "shutdown-lock")).transpose()?;
        Ok(Action {
            identity: Input::from_xml(element)?,
            shutdown_lock: lock,
            resource: resource.map(GraphResource::from_xml),
            attributes: numbered.chain(attributes.map(pair)).collect(),
            downed: element.child("downed").map(ids),
            maintenance: element.child("maintenance").map(flags),
        })
    }
}

impl GraphResource {
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
