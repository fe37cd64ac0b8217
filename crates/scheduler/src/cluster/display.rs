// SPDX-License-Identifier: GPL-2.0-or-later
//! What only displays ask of a cluster: who is meant by a name, what an agent was told, how often something failed.
//!
//! Decides: nothing. Given: a cluster as it was read. Leaves to others: how it is shown.

use super::{Cluster, NodeId, ResourceId};
use std::sync::Arc;

impl Cluster {
    /// What a tag (or a template) stands for: ids of nodes or resources, in order; none if there is no such tag.
    pub fn ids_tagged(&self, tag: &str) -> Option<&[Arc<str>]> {
        self.tags.get(tag).map(Vec::as_slice)
    }

    /// The resource whose history is kept under a name: its id, or for instances of anonymous clones another one.
    pub fn resource_in_history(&self, name: &str) -> Option<ResourceId> {
        self.resource_named(name).or_else(|| self.by_history.get(name).copied())
    }

    /// Whether it is (in) a clone whose instances may be promoted.
    pub fn is_promotable(&self, id: ResourceId) -> bool {
        self.work(self.top_of(id)).promotable
    }

    /// The cluster with the consequences of tickets that it lost: whoever looks at constraints sees them, too.
    #[must_use]
    pub fn with_lost_tickets(mut self) -> Cluster {
        self.apply_tickets();
        self
    }

    /// How often a resource has failed on a node, expired or not, and when last in seconds since the epoch (zero if
    /// unknown).
    pub fn failures_on(&self, resource: ResourceId, node: NodeId) -> (i32, i64) {
        let (count, last) = self.recorded_failures(resource, node);
        (count, if count > 0 { last } else { 0 })
    }
}
