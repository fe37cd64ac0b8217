// SPDX-License-Identifier: GPL-2.0-or-later
//! Which nodes and resources are looked at, if not all.
//!
//! Decides: what a name, or a tag, that was asked for stands for, and whether a resource has to do with it. Given: the
//! name. Leaves to others: what is shown of it.

use super::View;
use super::resources::printable_id;
use scheduler::{Cluster, ResourceId, Variant};
use std::collections::BTreeSet;

/// All, or those of some names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Only {
    /// All.
    #[default]
    All,
    /// These (nodes in lower case: their names' case means nothing).
    These(BTreeSet<String>),
}

impl Only {
    /// All.
    pub const ALL: Only = Only::All;

    /// The node of a name, or else those with a tag; without a name, all.
    pub fn nodes(cluster: &Cluster, wanted: Option<&str>) -> Only {
        let Some(wanted) = wanted.filter(|wanted| *wanted != "*") else { return Only::All };
        if cluster.node_named(wanted).is_some() {
            return Only::These(BTreeSet::from([wanted.to_ascii_lowercase()]));
        }
        let ids: BTreeSet<&str> = cluster.ids_tagged(wanted).into_iter().flatten().map(|id| &**id).collect();
        let nodes = cluster.nodes.iter().filter(|node| ids.contains(&*node.id));
        Only::These(nodes.map(|node| node.name.to_ascii_lowercase()).collect())
    }

    /// The resource of a name (if that is an instance's, this one only), or else those with a tag; without a name, all.
    pub fn resources(cluster: &Cluster, wanted: Option<&str>) -> Only {
        let Some(wanted) = wanted.filter(|wanted| *wanted != "*") else { return Only::All };
        if let Some(found) = named(cluster, wanted) {
            let found = cluster.resource(found);
            let id = if wanted.contains(':') { &found.id } else { printable_id(found) };
            return Only::These(BTreeSet::from([id.to_owned()]));
        }
        let ids = cluster.ids_tagged(wanted).into_iter().flatten();
        let found = ids.filter_map(|id| named(cluster, id));
        Only::These(found.map(|id| printable_id(cluster.resource(id)).to_owned()).collect())
    }

    /// Whether a name is among them.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Only::All => true,
            Only::These(names) => names.contains(name),
        }
    }

    /// Whether a node's name is among them.
    pub fn has_node(&self, name: &str) -> bool {
        match self {
            Only::All => true,
            Only::These(names) => names.contains(&name.to_ascii_lowercase()),
        }
    }

    /// Whether a resource is among them by name: the one it is shown under, or its own if it is an instance.
    fn names(&self, cluster: &Cluster, id: ResourceId) -> bool {
        let resource = cluster.resource(id);
        self.has(printable_id(resource)) || (resource.id.contains(':') && self.has(&resource.id))
    }
}

/// The resource of an id, of a history, or whose instances have that name in common; outer ones first.
fn named(cluster: &Cluster, wanted: &str) -> Option<ResourceId> {
    if let Some(found) = cluster.resource_in_history(wanted) {
        return Some(found);
    }
    let fits = |id: &str| match id.rsplit_once(':') {
        Some((base, number)) => base == wanted && number.bytes().all(|b| b.is_ascii_digit()),
        None => id == wanted,
    };
    cluster.resources.iter().position(|resource| fits(&resource.id)).map(ResourceId::new)
}

impl View<'_> {
    /// Whether the resource itself is among those looked at.
    pub(super) fn names(self, id: ResourceId) -> bool {
        self.resources.names(self.cluster, id)
    }

    /// Whether a resource is one of those looked at or holds one; or, `within`, is in one.
    pub(super) fn wants(self, id: ResourceId, within: bool) -> bool {
        if *self.resources == Only::All {
            return true;
        }
        let cluster = self.cluster;
        let resource = cluster.resource(id);
        match resource.variant {
            Variant::Primitive => {
                let own = self.resources.has(printable_id(resource)) || self.resources.has(&resource.id);
                own || (within && resource.parent.is_some() && self.wants(outermost(cluster, id), false))
            }
            Variant::Group => {
                let top = cluster.resource(cluster.top_of(id));
                (within && self.resources.has(printable_id(top)))
                    || self.names(id)
                    || resource.children.iter().any(|&member| self.wants(member, false))
            }
            Variant::Clone => {
                let child = resource.children.first().and_then(|&child| cluster.resource(child).xml.id());
                self.resources.has(printable_id(resource))
                    || child.is_some_and(|child| self.resources.has(child))
                    || resource.children.iter().any(|&instance| self.wants(instance, false))
            }
            Variant::Bundle => {
                let parts = resource
                    .replicas
                    .iter()
                    .flat_map(|r| [r.ip, r.child, Some(r.container), r.remote].into_iter().flatten());
                self.resources.has(printable_id(resource))
                    || parts.into_iter().any(|id| self.wants(id, false))
            }
        }
    }

    /// Whether a resource runs on one of the nodes looked at.
    pub(super) fn is_on_wanted_node(self, id: ResourceId) -> bool {
        let nodes = super::resources::active_on(self.cluster, id);
        nodes.into_iter().any(|node| self.nodes.has_node(&self.cluster.node(node).name))
    }
}

/// The outermost resource it is in, bundles included.
fn outermost(cluster: &Cluster, id: ResourceId) -> ResourceId {
    let mut id = id;
    while let Some(parent) = cluster.resource(id).parent {
        id = parent;
    }
    id
}
