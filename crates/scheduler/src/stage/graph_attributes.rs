// SPDX-License-Identifier: GPL-2.0-or-later
//! What an action of the graph tells whoever carries it out: parameters, and meta-attributes as `CRM_meta_*`.
//!
//! Decides: their names, and which counts where several have one name. Given: actions. Leaves to others: their XML.
//!
//! Most of it is the same for thousands of actions, so texts are shared.

use crate::action::ActionId;
use crate::{Cluster, ResourceId, Variant};
use model::FeatureSet;
use std::collections::HashMap;
use std::sync::Arc;

/// An attribute's name and its value.
type Attribute = (Arc<str>, Arc<str>);

/// Texts that come again and again, each kept once.
pub(super) struct Words {
    feature_set: Attribute,
    /// The attributes' names by those of the meta-attributes.
    names: HashMap<Arc<str>, Arc<str>>,
    /// What clones say of themselves.
    clones: HashMap<ResourceId, Vec<Attribute>>,
}

impl Words {
    pub(super) fn new(feature_set: FeatureSet) -> Words {
        let feature_set = (Arc::from("crm_feature_set"), Arc::from(feature_set.to_string()));
        Words { feature_set, names: HashMap::new(), clones: HashMap::new() }
    }

    /// The attribute's name for a meta-attribute; none if that is not for agents, as fail counts and the like.
    fn meta_name(&mut self, name: &str) -> Option<Arc<str>> {
        if let Some(known) = self.names.get(name) {
            return Some(Arc::clone(known));
        }
        if name.contains(['#', ':']) {
            return None;
        }
        let made: Arc<str> = Arc::from(format!("CRM_meta_{}", name.replace('-', "_")));
        self.names.insert(Arc::from(name), Arc::clone(&made));
        Some(made)
    }

    fn same(&mut self, name: &'static str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let made: Arc<str> = Arc::from(name);
        self.names.insert(Arc::clone(&made), Arc::clone(&made));
        made
    }
}

/// Attributes as they are collected.
#[derive(Default)]
struct Collected {
    /// In the order of their precedence within each: what decides later goes before all.
    deciding: Vec<(Arc<str>, Arc<str>)>,
    others: Vec<(Arc<str>, Arc<str>)>,
}

impl Collected {
    /// Sorted by name; of several of a name, the last that decides or else the first.
    fn sorted(self) -> Vec<(Arc<str>, Arc<str>)> {
        let mut all: Vec<_> = self.deciding.into_iter().rev().chain(self.others).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.dedup_by(|(later, _), (first, _)| later == first);
        all.shrink_to_fit();
        all
    }
}

impl Cluster {
    pub(super) fn graph_attributes(&mut self, id: ActionId, words: &mut Words) -> Vec<(Arc<str>, Arc<str>)> {
        let (resource, node) = (self.action(id).resource, self.action(id).node);
        let primitive = resource.filter(|&r| self.resource(r).variant == Variant::Primitive);
        let parameters = match (resource, node) {
            (Some(resource), Some(node)) => self.parameters(resource, Some(node)),
            _ => primitive.map(|resource| self.parameters(resource, None)).unwrap_or_default(),
        };
        let parameters = self.with_real_address(resource, parameters);
        let action = self.action(id);
        let mut all = Collected::default();
        all.others.reserve(action.extra.len() + parameters.len() + 20);
        all.others.push(words.feature_set.clone());
        for (name, value) in action.extra.iter().chain(&*parameters) {
            all.others.push((Arc::clone(name), Arc::clone(value)));
        }
        // In the order of the meta-attributes' own names: two of them may lead to one.
        let (mut own, common) = (action.meta.own().peekable(), action.meta.common());
        for (name, value) in common.iter().flat_map(|common| common.iter()) {
            let mut replaced = false;
            while let Some((own_name, own_value)) = own.next_if(|(own, _)| **own <= **name) {
                replaced |= *own_name == **name;
                all.others.extend(words.meta_name(own_name).map(|name| (name, Arc::clone(own_value))));
            }
            if !replaced {
                all.others.extend(words.meta_name(name).map(|name| (name, Arc::clone(value))));
            }
        }
        all.others.extend(own.filter_map(|(name, value)| Some((words.meta_name(name)?, Arc::clone(value)))));
        if let Some(primitive) = primitive {
            self.add_primitive_attributes(primitive, words, &mut all);
        }
        let mut holder = resource;
        while let Some(id) = holder {
            if self.resource(id).variant == Variant::Clone {
                let known = words.clones.entry(id).or_insert_with(|| self.clone_attributes(id));
                all.deciding.extend(known.iter().cloned());
            }
            holder = self.resource(id).parent;
        }
        if let (Some(resource), Some(host)) = (resource, self.guest_host_of(action)) {
            if let Some(source) = self.attribute_source(resource) {
                let name = words.same("CRM_meta_container_attribute_target");
                all.deciding.push((name, Arc::from(source)));
            }
            all.deciding.push((words.same("CRM_meta_physical_host"), Arc::clone(&self.node(host).name)));
        }
        all.sorted()
    }

    /// Which instance of a clone it is, and the container it runs in.
    fn add_primitive_attributes(&self, id: ResourceId, words: &mut Words, all: &mut Collected) {
        let meta = &self.resource(id).meta;
        let known = [
            ("clone", "CRM_meta_clone"),
            ("remote-node", "CRM_meta_remote_node"),
            ("external-ip", "pcmk_external_ip"),
        ];
        for (name, attribute) in known {
            if let Some(value) = meta.get(name) {
                all.deciding.push((words.same(attribute), Arc::clone(value)));
            }
        }
        let mut holder = Some(id);
        while let Some(id) = holder {
            if let Some(container) = self.work(id).launcher {
                let container = Arc::clone(&self.resource(container).id);
                all.deciding.push((words.same("CRM_meta_container"), container));
            }
            holder = self.resource(id).parent;
        }
    }

    /// What agents may want to know of the clone they are in; the older names too.
    fn clone_attributes(&self, id: ResourceId) -> Vec<(Arc<str>, Arc<str>)> {
        let clone = self.resource(id);
        let terms = &clone.instances;
        let mut all = Vec::new();
        let mut add = |name: &str, value: String| {
            all.push((Arc::from(format!("CRM_meta_{name}")), Arc::from(value)));
        };
        add("globally_unique", clone.state.unique.to_string());
        add("notify", clone.work.notify.to_string());
        add("clone_max", terms.max.to_string());
        add("clone_node_max", terms.per_node.to_string());
        if clone.work.promotable {
            for (name, count) in [
                ("promoted_max", terms.promoted_max),
                ("promoted_node_max", terms.promoted_per_node),
                ("master_max", terms.promoted_max),
                ("master_node_max", terms.promoted_per_node),
            ] {
                add(name, count.to_string());
            }
        }
        all
    }
}
