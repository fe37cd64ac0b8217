// SPDX-License-Identifier: GPL-2.0-or-later
//! Clones as configured, and which instance a history is of.
//!
//! Decides: how many instances there are, how they are called, and, as the history of instances that are all the same
//! goes by one name, which of them runs where. Given: `clone`s, the names in histories. Leaves to others: the instances
//! themselves (`resources`), what the history says of them (`history`).

use crate::cluster::{InstanceTerms, Parameters};
use crate::notation::{base_name, integer, is_true};
use crate::{Cluster, ConfigIssue, NodeId, NodeKind, ResourceId, Variant};
use std::sync::Arc;
use xml::Element;

/// More instances than this of one clone are not made: no cluster has so many nodes, and each takes memory.
const INSTANCES_MAX: usize = 10_000;

/// A number of a clone's meta-attributes: what is nonsense counts as zero.
fn count(meta: &Parameters, names: [&str; 2], default: usize) -> usize {
    let value = names.iter().find_map(|name| meta.get(*name));
    value.map_or(default, |value| integer(value).and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
}

/// Whether instances are all different: as configured, else if there may be several on a node.
pub(super) fn is_unique(meta: &Parameters) -> bool {
    match meta.get("globally-unique") {
        Some(value) => is_true(Some(value)),
        None => count(meta, ["clone-node-max"; 2], 1) > 1,
    }
}

/// Whether agents of a class tell instances apart, and whether they can be promoted.
fn abilities(class: &str) -> (bool, bool) {
    let is_ocf = class.eq_ignore_ascii_case("ocf");
    (is_ocf || class.eq_ignore_ascii_case("stonith"), is_ocf)
}

fn truth(value: bool) -> Arc<str> {
    Arc::from(if value { "true" } else { "false" })
}

impl Cluster {
    /// Reads a clone's terms and makes its instances; false if there is nothing to clone.
    pub(super) fn unpack_clone(&mut self, clone: ResourceId, xml: &Element) -> bool {
        let name = self.resource(clone).id.clone();
        let pattern = xml.elements().find(|child| matches!(child.name(), "primitive" | "group")).cloned();
        let Some(pattern) = pattern else {
            self.note_issue(ConfigIssue::error(format!("{name} has nothing to clone")));
            return false;
        };
        let terms = self.clone_terms(clone);
        let unique = self.state(clone).unique;
        let resource = self.resource_mut(clone);
        resource.instances = terms;
        resource.work.pattern = Some(pattern);
        // A little reluctance to move, so that instances do not change places for nothing.
        resource.meta.entry(Arc::from("resource-stickiness")).or_insert_with(|| Arc::from("1"));
        resource.meta.insert(Arc::from("globally-unique"), truth(unique));
        // Even if none shall run there is one to attach the history to.
        while self.make_instance(clone).is_some() {
            let resource = self.resource(clone);
            if resource.work.made >= resource.instances.max {
                return true;
            }
        }
        false
    }

    fn clone_terms(&mut self, clone: ResourceId) -> InstanceTerms {
        let resource = self.resource(clone);
        let (meta, name) = (&resource.meta, resource.id.clone());
        let promotable = resource.work.promotable;
        let promoted = |names, promotable: bool| if promotable { count(meta, names, 1) } else { 0 };
        let mut terms = InstanceTerms {
            max: count(meta, ["clone-max"; 2], self.born_nodes().len().max(1)),
            per_node: count(meta, ["clone-node-max"; 2], 1),
            promoted_max: promoted(["promoted-max", "master-max"], promotable),
            promoted_per_node: promoted(["promoted-node-max", "master-node-max"], promotable),
            ordered: is_true(meta.get("ordered").map(|value| &**value)),
        };
        let legacy = [("master-max", "promoted-max"), ("master-node-max", "promoted-node-max")];
        let old: Vec<String> = legacy
            .iter()
            .filter(|(old, new)| promotable && meta.contains_key(*old) && !meta.contains_key(*new))
            .map(|(old, new)| {
                format!(
                    "Support for the {old} meta-attribute (such as in {name}) is deprecated and will be removed in a future \
                     release. Use the {new} meta-attribute instead."
                )
            })
            .collect();
        let is_unique = resource.state.unique;
        old.into_iter().for_each(|issue| self.note_once(issue));
        if !is_unique && terms.per_node > 1 {
            let issue = format!(
                "Ignoring clone-node-max of {} for {name} because anonymous clones support only one instance per node",
                terms.per_node
            );
            terms.per_node = 1;
            self.note_issue(ConfigIssue::error(issue));
        }
        if terms.max > INSTANCES_MAX {
            let issue = format!("Limiting clone-max of {} for {name} to {INSTANCES_MAX}", terms.max);
            terms.max = INSTANCES_MAX;
            self.note_issue(ConfigIssue::error(issue));
        }
        terms
    }

    /// Makes a clone's next instance. Those beyond what is configured are there to be stopped.
    fn make_instance(&mut self, clone: ResourceId) -> Option<ResourceId> {
        let resource = self.resource(clone);
        let (number, max) = (resource.work.made, resource.instances.max);
        let mut xml = resource.work.pattern.clone()?;
        xml.set_attr("clone", number.to_string());
        let instance = self.unpack_resource(&xml, Some(clone))?;
        let resource = self.resource_mut(clone);
        resource.work.made += 1;
        resource.children.push(instance);
        if number >= max {
            self.mark_removed(instance);
        }
        self.resource_mut(instance).meta.insert(Arc::from("clone-max"), Arc::from(max.to_string()));
        Some(instance)
    }

    fn mark_removed(&mut self, id: ResourceId) {
        self.state_mut(id).removed = true;
        for child in self.resource(id).children.clone() {
            self.mark_removed(child);
        }
    }

    /// Whether a primitive's agent can do what the clone it is in asks. Instances that it cannot tell apart are the same.
    pub(super) fn is_usable_in_clone(&mut self, id: ResourceId) -> bool {
        let top = self.top_of(id);
        let class = self.resource(id).xml.attr("class").unwrap_or_default().to_owned();
        let (tells_apart, promotes) = abilities(&class);
        if self.resource(top).variant == Variant::Clone && self.state(id).unique && !tells_apart {
            let (clone, name) = (self.resource(top).id.clone(), self.resource(id).id.clone());
            let issue = format!(
                "Ignoring globally-unique for {clone} because {class} resources such as {name} can be used only as \
                 anonymous clones"
            );
            self.note_issue(ConfigIssue::warning(issue));
            let nodes = self.born_nodes().len();
            let terms = &mut self.resource_mut(top).instances;
            terms.per_node = 1;
            terms.max = terms.max.min(nodes);
            self.clear_unique(top);
            self.clear_unique(id);
        }
        if self.work(top).promotable && !promotes {
            let name = self.resource(id).id.clone();
            let issue = format!(
                "Resource {name} is of type {class} and therefore cannot be used as a promotable clone resource"
            );
            self.note_issue(ConfigIssue::error(issue));
            return false;
        }
        true
    }

    fn clear_unique(&mut self, id: ResourceId) {
        let resource = self.resource_mut(id);
        resource.state.unique = false;
        resource.meta.insert(Arc::from("globally-unique"), truth(false));
        for child in resource.children.clone() {
            self.clear_unique(child);
        }
    }

    // --- whose history it is --------------------------------------------------------------------------------------

    /// The resource a history on a node is of; `None` if it is of none that is configured.
    pub(super) fn history_owner(&mut self, node: NodeId, history_id: &str) -> Option<ResourceId> {
        let known = self.resource_named(history_id).or_else(|| self.by_history.get(history_id).copied());
        let found = match known {
            // The id is now that of something else; what ran under it is unknown to the configuration.
            Some(id) if self.resource(id).variant != Variant::Primitive => return None,
            Some(id) => id,
            None => {
                let first = self.resource_named(&format!("{}:0", base_name(history_id)))?;
                if self.state(first).unique || self.resource(first).variant != Variant::Primitive {
                    return None;
                }
                first
            }
        };
        let top = self.top_of(found);
        let anonymous = self.resource(top).variant == Variant::Clone && !self.state(top).unique;
        let owner = match self.resource(top).parent.filter(|_| anonymous) {
            // In a bundle the node says which it is.
            Some(bundle) => self.resource(bundle).replicas.iter().find(|r| r.node == Some(node))?.child?,
            None if anonymous => self.anonymous_instance(node, top, base_name(history_id))?,
            None => found,
        };
        let resource = self.resource(owner);
        if *resource.id != *history_id && resource.history_id.as_deref() != Some(history_id) {
            let name: Arc<str> = Arc::from(history_id);
            self.resource_mut(owner).history_id = Some(name.clone());
            self.by_history.entry(name).or_insert(owner);
        }
        Some(owner)
    }

    /// The member of an instance (or the instance itself) that is made from a configured resource.
    pub(crate) fn made_from(&self, id: ResourceId, configured: &str) -> Option<ResourceId> {
        let resource = self.resource(id);
        if *resource.id == *configured || resource.xml.id() == Some(configured) {
            return Some(id);
        }
        resource.children.iter().find_map(|&child| self.made_from(child, configured))
    }

    /// The node an instance (or any member of it) is active on, or has something pending on; so far there is only one.
    fn place_so_far(&self, id: ResourceId) -> Option<NodeId> {
        let resource = self.resource(id);
        if resource.children.is_empty() {
            return resource.state.active_on.first().copied().or(resource.state.pending_node);
        }
        resource.children.iter().find_map(|&child| self.place_so_far(child))
    }

    /// Which of a clone's instances, that are all the same, a history on a node is of: the one that is there already
    /// (another member of the instance has told so), else one that is nowhere yet, else one too many.
    fn anonymous_instance(&mut self, node: NodeId, clone: ResourceId, base: &str) -> Option<ResourceId> {
        let (mut here, mut idle, mut no_idle) = (None, None, false);
        for &instance in &self.resource(clone).children {
            match self.place_so_far(instance) {
                Some(place) if place == node => {
                    here = self.made_from(instance, base);
                    if here.is_some_and(|member| !self.state(member).active_on.is_empty()) {
                        // A second history on the node, from when the instances were different: it has to go.
                        no_idle = true;
                        here = None;
                    }
                    if here.is_some() {
                        break;
                    }
                }
                Some(_) => {}
                None if !no_idle && idle.is_none() && !self.state(instance).blocked => {
                    let elsewhere =
                        |id: &ResourceId| self.state(*id).pending_node.is_some_and(|other| other != node);
                    idle = self.made_from(instance, base).filter(|id| !elsewhere(id));
                }
                None => {}
            }
        }
        let found = here.or(idle.filter(|_| !no_idle)).filter(|&id| !self.is_wasted_on(id, clone, node));
        match found {
            Some(id) => Some(id),
            None => {
                let extra = self.make_instance(clone)?;
                self.made_from(extra, base)
            }
        }
    }

    /// Where fencing is not needed, and there are fewer instances than nodes, what seems to run on a lost node takes no
    /// instance's place.
    fn is_wasted_on(&self, instance: ResourceId, clone: ResourceId, node: NodeId) -> bool {
        let state = &self.node(node).state;
        !self.state(instance).needs_fencing
            && (!state.online || state.unclean)
            && self.node(node).kind != NodeKind::Guest
            && self.resource(clone).instances.max != self.born_nodes().len()
    }
}
