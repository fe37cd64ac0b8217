// SPDX-License-Identifier: GPL-2.0-or-later
//! What becomes of a resource: compared is where it is at the beginning and in the end, and what is done in between.
//!
//! Decides: the word for it, and whether it interrupts a service. Instances that are all the same go by one name, and what
//! becomes of them is told node by node.

use super::{Causes, Deed, Deeds};
use model::Role;
use scheduler::{Cluster, ResourceId, Variant};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is stopped and stays so.
    Stopped,
    /// It is stopped and started where it was.
    Restarted,
    /// It is stopped and started elsewhere.
    Moved,
    /// It is promoted no longer.
    Demoted,
    /// It moves without being stopped.
    Migrated,
    /// It is told of new parameters while it runs.
    Reloaded,
    /// It is started.
    Started,
    /// It is promoted.
    Promoted,
    /// Nothing is done with it.
    Untouched,
}

impl Fate {
    /// As one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fate::Stopped => "stopped",
            Fate::Restarted => "restarted",
            Fate::Moved => "moved",
            Fate::Demoted => "demoted",
            Fate::Migrated => "migrated live",
            Fate::Reloaded => "reloaded",
            Fate::Started => "started",
            Fate::Promoted => "promoted",
            Fate::Untouched => "untouched",
        }
    }

    /// Whether it ends what was going on, for a moment or for good.
    pub const fn interrupts(self) -> bool {
        matches!(self, Fate::Stopped | Fate::Restarted | Fate::Moved | Fate::Demoted)
    }
}

/// What becomes of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its id; instances that are all the same go by one.
    pub resource: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Where it was (or, if it stays, is).
    pub from: Vec<String>,
    /// Where it will be.
    pub to: Vec<String>,
    /// The differences it comes from.
    pub causes: Vec<String>,
    /// It would happen without the change as well.
    pub anyway: bool,
    /// It is a fence device, which nobody uses but the cluster.
    pub is_device: bool,
}

impl Outcome {
    /// Whether whoever uses it notices.
    pub fn interrupts(&self) -> bool {
        self.fate.interrupts() && !self.is_device
    }
}

/// Where a resource is, with its role there.
pub(super) type Standing = BTreeMap<String, Role>;

/// The name a primitive goes by: instances that are all the same share one.
pub(super) fn name_of(cluster: &Cluster, id: ResourceId) -> String {
    let resource = cluster.resource(id);
    let id = &*resource.id;
    match id.rsplit_once(':') {
        Some((base, number)) if !resource.state.unique && number.bytes().all(|b| b.is_ascii_digit()) => {
            base.to_owned()
        }
        _ => id.to_owned(),
    }
}

/// Where all primitives are.
pub(super) fn standing(cluster: &Cluster) -> BTreeMap<String, Standing> {
    let mut all: BTreeMap<String, Standing> = BTreeMap::new();
    for (index, resource) in cluster.resources.iter().enumerate() {
        if resource.variant != Variant::Primitive {
            continue;
        }
        let places = all.entry(name_of(cluster, ResourceId::new(index))).or_default();
        for &node in &resource.state.active_on {
            let role = places.entry(cluster.node(node).name.to_string()).or_default();
            *role = (*role).max(resource.state.role);
        }
    }
    all
}

/// What becomes of every resource: first what begins first, what is untouched last.
pub(super) fn outcomes(
    begin: &BTreeMap<String, Standing>,
    end: &BTreeMap<String, Standing>,
    done: &[Deed],
    causes: &Causes,
    (before, after): (&Deeds, &Deeds),
) -> Vec<Outcome> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (resource, ..)) in done.iter().enumerate() {
        order.entry(resource).or_insert(index);
    }
    let done = by_resource(done);
    let (before, after) = (by_resource(before), by_resource(after));
    let names: BTreeSet<&String> = begin.keys().chain(end.keys()).collect();
    let none = Standing::new();
    let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
    for name in names {
        let (from, to) = (begin.get(name).unwrap_or(&none), end.get(name).unwrap_or(&none));
        let fates = fates(from, to, done.get(name).map(Vec::as_slice).unwrap_or_default());
        let single = fates.len() == 1;
        for (fate, (from, to)) in fates {
            if fate == Fate::Untouched && from.is_empty() {
                continue;
            }
            let concerns = |node: &String| single || from.contains(node) || to.contains(node);
            let mut why: Vec<String> = Vec::new();
            for (nodes, text) in causes.get(name).into_iter().flatten() {
                if nodes.iter().any(concerns) && !why.contains(text) {
                    why.push(text.clone());
                }
            }
            let of = |deeds: &BTreeMap<&String, Vec<&Deed>>| -> Vec<Deed> {
                let own = deeds.get(name).into_iter().flatten();
                own.filter(|(_, _, node)| concerns(node)).map(|deed| (*deed).clone()).collect()
            };
            let anyway = fate != Fate::Untouched && why.is_empty() && of(&before) == of(&after);
            let outcome =
                Outcome { resource: name.clone(), fate, from, to, causes: why, anyway, is_device: false };
            let place = if fate == Fate::Untouched {
                usize::MAX
            } else {
                order.get(name.as_str()).copied().unwrap_or(usize::MAX - 1)
            };
            outcomes.push((place, outcome));
        }
    }
    outcomes.sort_by_key(|(place, outcome)| (*place, outcome.fate));
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn by_resource<'a>(deeds: impl IntoIterator<Item = &'a Deed>) -> BTreeMap<&'a String, Vec<&'a Deed>> {
    let mut all: BTreeMap<&String, Vec<&Deed>> = BTreeMap::new();
    for deed in deeds {
        all.entry(&deed.0).or_default().push(deed);
    }
    all
}

type Places = (Vec<String>, Vec<String>);

/// The fates of a resource, each with the nodes concerned.
fn fates(from: &Standing, to: &Standing, deeds: &[&Deed]) -> BTreeMap<Fate, Places> {
    let did = |task: &str, node: &str| deeds.iter().any(|(_, did, at)| did == task && at == node);
    let mut fates: BTreeMap<Fate, Places> = BTreeMap::new();
    let left: Vec<&String> = from.keys().filter(|node| !to.contains_key(*node)).collect();
    let come: Vec<&String> = to.keys().filter(|node| !from.contains_key(*node)).collect();
    let mut add = |fate: Fate, from: Option<&String>, to: Option<&String>| {
        let places = fates.entry(fate).or_default();
        places.0.extend(from.cloned());
        places.1.extend(to.cloned());
    };
    // One that leaves and one that comes are one that moves.
    let moving = left.len().min(come.len());
    for (&old, &new) in left.iter().zip(&come) {
        let live = did("migrate_to", old) || did("migrate_from", new);
        add(if live { Fate::Migrated } else { Fate::Moved }, Some(old), Some(new));
    }
    left.iter().skip(moving).for_each(|node| add(Fate::Stopped, Some(node), None));
    come.iter().skip(moving).for_each(|node| add(Fate::Started, None, Some(node)));
    for (node, role) in from.iter().filter(|(node, _)| to.contains_key(*node)) {
        let next = to.get(node).copied().unwrap_or_default();
        let fate = if did("stop", node) || did("start", node) {
            Fate::Restarted
        } else if *role == Role::Promoted && next < Role::Promoted {
            Fate::Demoted
        } else if next == Role::Promoted && *role < Role::Promoted {
            Fate::Promoted
        } else if did("reload-agent", node) || did("reload", node) {
            Fate::Reloaded
        } else {
            Fate::Untouched
        };
        add(fate, Some(node), Some(node));
    }
    for (node, _) in to.iter().filter(|(node, role)| **role == Role::Promoted && !from.contains_key(*node)) {
        add(Fate::Promoted, None, Some(node));
    }
    fates
}
