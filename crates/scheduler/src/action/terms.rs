// SPDX-License-Identifier: GPL-2.0-or-later
//! What many actions have in common is kept once.
//!
//! Decides: when the meta-attributes of an operation are the same for all actions of it, and the parameters of a resource
//! the same on all nodes. Given: configuration. Leaves to others: reading it (`meta`).

use crate::cluster::Parameters;
use crate::{Cluster, NodeId, ResourceId};
use std::sync::Arc;
use xml::{Element, Name};

/// An action's meta-attributes: those that all actions of the operation have, and its own, which count first.
#[derive(Clone, Debug, Default)]
pub struct ActionMeta {
    common: Option<Arc<Parameters>>,
    /// Sorted by name.
    own: Vec<(Name, Arc<str>)>,
}

impl ActionMeta {
    pub(super) fn new(common: Arc<Parameters>) -> ActionMeta {
        ActionMeta { common: Some(common), own: Vec::new() }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.own.binary_search_by(|(own, _)| own.as_str().cmp(name))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<str>> {
        match self.place(name) {
            Ok(at) => self.own.get(at).map(|(_, value)| value),
            Err(_) => self.common.as_ref()?.get(name),
        }
    }

    pub(crate) fn insert(&mut self, name: impl Into<Name>, value: impl Into<Arc<str>>) {
        let name = name.into();
        match self.place(&name) {
            Ok(at) => self.own[at].1 = value.into(),
            Err(at) => self.own.insert(at, (name, value.into())),
        }
    }

    /// Takes what the other has and this has not.
    pub(crate) fn add_missing(&mut self, other: &ActionMeta) {
        for (name, value) in other.iter() {
            if self.get(name).is_none() {
                self.insert(Name::new(name), Arc::clone(value));
            }
        }
    }

    /// What all actions of the operation have.
    pub(crate) fn common(&self) -> Option<&Arc<Parameters>> {
        self.common.as_ref()
    }

    /// What this one has of its own, sorted by name.
    pub(crate) fn own(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.own.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// All names with their values; first its own, then what is common, each sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        let common = self.common.iter().flat_map(|common| common.iter());
        let common = common.map(|(name, value)| (&**name, value));
        self.own().chain(common.filter(|(name, _)| self.place(name).is_err()))
    }
}

/// What is configured of an operation of a resource.
#[derive(Clone, Debug)]
pub(crate) struct OperationTerms {
    pub task: Arc<str>,
    pub interval_ms: u64,
    /// What is configured for notifications counts where nothing is for the task.
    pub notifies: bool,
    pub config: Option<Element>,
    pub meta: Arc<Parameters>,
}

/// What is remembered of a resource's configuration while planning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// By task, interval and whether it notifies: few.
    operations: Vec<OperationTerms>,
    /// If they are the same on all nodes at all times.
    parameters: Option<Arc<Parameters>>,
}

/// Whether the blocks of a name are the same whatever is asked: they have no rules, and are not elsewhere (where they may
/// have).
pub(super) fn is_plain(holder: &Element, block: &str) -> bool {
    holder.elements_named(block).all(|block| block.attr("id-ref").is_none() && block.child("rule").is_none())
}

impl Cluster {
    /// What is configured of an operation; the same again costs little. (Of fence devices, some of it depends on the
    /// node.)
    pub(crate) fn operation_terms(
        &mut self,
        resource: ResourceId,
        node: Option<NodeId>,
        task: &str,
        interval_ms: u64,
        notifies: bool,
    ) -> OperationTerms {
        let same = |terms: &&OperationTerms| {
            terms.interval_ms == interval_ms && terms.notifies == notifies && *terms.task == *task
        };
        if let Some(known) = self.work(resource).remembered.operations.iter().find(same) {
            return known.clone();
        }
        let config = self.operation_config(resource, task, interval_ms, true);
        let config =
            config.or_else(|| notifies.then(|| self.operation_config(resource, "notify", 0, true)).flatten());
        let issues = self.issues.len();
        let meta = self.action_meta(resource, node, task, interval_ms, config.as_ref());
        let terms =
            OperationTerms { task: Arc::from(task), interval_ms, notifies, config, meta: Arc::new(meta) };
        // What is wrong with it is to be said whenever it is asked for.
        if self.issues.len() == issues && !self.state(resource).fence_device {
            self.work_mut(resource).remembered.operations.push(terms.clone());
        }
        terms
    }

    /// The parameters of a resource on a node (rules may differ by node).
    pub(crate) fn parameters(&mut self, resource: ResourceId, node: Option<NodeId>) -> Arc<Parameters> {
        if let Some(known) = &self.work(resource).remembered.parameters {
            return Arc::clone(known);
        }
        let mut news = crate::notation::RuleNews::since(self.recheck_by);
        let read = Arc::new(self.read_parameters(resource, node, &mut news));
        self.heed(news);
        let holders = std::iter::successors(Some(resource), |&id| self.resource(id).parent);
        if holders.into_iter().all(|id| is_plain(&self.resource(id).xml, "instance_attributes")) {
            self.work_mut(resource).remembered.parameters = Some(Arc::clone(&read));
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_count_first() {
        let common = Parameters::from([("b", "1"), ("c", "2")].map(|(n, v)| (Arc::from(n), Arc::from(v))));
        let mut meta = ActionMeta::new(Arc::new(common));
        meta.insert("c", "3");
        meta.insert("a", "4");
        meta.insert("a", "5");
        let value = |name: &str| meta.get(name).map(|value| &**value);
        assert_eq!((value("a"), value("b"), value("c"), value("d")), (Some("5"), Some("1"), Some("3"), None));
        let all: Vec<_> = meta.iter().map(|(name, value)| (name, &**value)).collect();
        assert_eq!(all, [("a", "5"), ("c", "3"), ("b", "1")]);
        let mut other = ActionMeta::default();
        other.insert("b", "6");
        other.add_missing(&meta);
        let value = |name: &str| other.get(name).map(|value| &**value);
        assert_eq!((value("a"), value("b"), value("c")), (Some("5"), Some("6"), Some("3")));
    }
}
