// SPDX-License-Identifier: GPL-2.0-or-later
//! Who can hear whom, and what each daemon's group looks like from each node.

use messages::core::{ClusterNode, Member, Membership};
use std::collections::{BTreeMap, BTreeSet};

/// The cluster layer of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Network {
    nodes: Vec<ClusterNode>,
    /// The partition each node is in; nodes of one partition hear each other.
    partition: BTreeMap<u32, u32>,
    /// The nodes that the cluster layer counts as up.
    up: BTreeSet<u32>,
    /// The groups, with the nodes whose daemon has joined.
    groups: BTreeMap<&'static str, BTreeSet<u32>>,
    generation: u64,
}

impl Network {
    pub fn new(nodes: Vec<ClusterNode>) -> Network {
        let partition = nodes.iter().map(|node| (node.id, 0)).collect();
        Network { nodes, partition, ..Network::default() }
    }

    pub fn nodes(&self) -> &[ClusterNode] {
        &self.nodes
    }

    pub fn join(&mut self, group: &'static str, node: u32) {
        self.generation += 1;
        self.up.insert(node);
        self.groups.entry(group).or_default().insert(node);
    }

    pub fn leave(&mut self, group: &'static str, node: u32) {
        self.generation += 1;
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(&node);
        }
    }

    /// The node is gone, with all its daemons.
    pub fn lose(&mut self, node: u32) {
        self.generation += 1;
        self.up.remove(&node);
        for members in self.groups.values_mut() {
            members.remove(&node);
        }
    }

    /// Puts nodes into partitions of their own number.
    pub fn cut(&mut self, node: u32, partition: u32) {
        self.generation += 1;
        self.partition.insert(node, partition);
    }

    pub fn can_hear(&self, from: u32, to: u32) -> bool {
        self.partition.get(&from) == self.partition.get(&to)
    }

    /// What the daemon of a group is told on a node.
    pub fn membership(&self, group: &str, on: u32) -> Membership {
        let is_member = |id: u32| self.up.contains(&id) && self.can_hear(id, on);
        let members = self.nodes.iter().filter(|node| is_member(node.id)).count();
        let in_group =
            |id: u32| is_member(id) && self.groups.get(group).is_some_and(|group| group.contains(&id));
        let nodes = self.nodes.iter().map(|node| Member {
            node: node.clone(),
            is_member: is_member(node.id),
            in_group: in_group(node.id),
        });
        Membership {
            generation: self.generation,
            quorate: members * 2 > self.nodes.len(),
            nodes: nodes.collect(),
        }
    }
}
