// SPDX-License-Identifier: GPL-2.0-or-later
//! Why a resource is where it is, what is going to be done with it, and what would move it.
//!
//! Decides: what of the scheduler's reasons concerns a resource. Given: a cluster with its schedule, made with reasons.
//! Leaves to others: the reasons themselves (`scheduler`), and showing them. The parts: each node (`nodes`), each action
//! (`actions`), the words for scores (`words`), and what would move it (`change`).

mod actions;
mod change;
mod nodes;
mod words;

pub(crate) use actions::fencing;
pub(crate) use words::is_left_behind;

pub use change::{Budget, Change, Search, smallest_changes};

use scheduler::{Cluster, NodeId, ResourceId, Schedule, Variant};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only this node.
    pub node: Option<NodeId>,
    /// Only actions of this task.
    pub action: Option<String>,
}

/// Where something is, and in which role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node.
    pub node: String,
    /// The role.
    pub role: String,
}

/// A term of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What kind of cause, as one word for programs.
    pub kind: &'static str,
    /// The constraint, attribute or resource that gave it, if one did.
    pub source: Option<String>,
    /// How much.
    pub value: i32,
    /// What was said before does not count any more.
    pub replaces: bool,
    /// For people.
    pub text: String,
}

/// What a node is to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will be there.
    Chosen,
    /// It could be there.
    Possible,
    /// It may not be there.
    Banned,
    /// Nothing can be there now.
    Unavailable,
    /// It is not configured to run there.
    Unknown,
}

impl Verdict {
    /// As one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Chosen => "chosen",
            Verdict::Possible => "possible",
            Verdict::Banned => "banned",
            Verdict::Unavailable => "unavailable",
            Verdict::Unknown => "unknown",
        }
    }
}

/// A node, seen by a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Its name.
    pub node: String,
    /// What it is to the resource.
    pub verdict: Verdict,
    /// The score; none if the resource knows nothing of the node.
    pub score: Option<i32>,
    /// What keeps the resource off it, the hard reasons first.
    pub reasons: Vec<String>,
    /// What the score is made of; the terms add up to it.
    pub terms: Vec<Term>,
}

/// What an action waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The other action.
    pub action: String,
    /// Why.
    pub cause: String,
    /// The constraint that says so, if one does.
    pub constraint: Option<String>,
}

/// An action that is to be done, or would be if it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionView {
    /// `start`, `stop`, `monitor` …
    pub task: String,
    /// Every so many milliseconds; zero: once.
    pub interval_ms: u64,
    /// Where.
    pub node: Option<String>,
    /// It can be done.
    pub possible: bool,
    /// Why it is to be done, or cannot be.
    pub why: String,
    /// What is done first.
    pub waits: Vec<Wait>,
}

/// All there is to say of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Its id.
    pub resource: String,
    /// What it is: `primitive ocf:heartbeat:IPaddr2`, `group`, …
    pub kind: String,
    /// What it is in.
    pub within: Option<String>,
    /// Where it is.
    pub now: Vec<Place>,
    /// Where it will be.
    pub next: Vec<Place>,
    /// What is special about it.
    pub notes: Vec<String>,
    /// How its node was chosen.
    pub choice: Option<String>,
    /// Every node.
    pub nodes: Vec<NodeView>,
    /// How much it wants to be promoted, if it can be: the score and its terms.
    pub promotion: Option<(i32, Vec<Term>)>,
    /// What is to be done.
    pub actions: Vec<ActionView>,
    /// Its members or instances.
    pub parts: Vec<Explanation>,
}

/// A cluster with its schedule, asked about.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub cluster: &'a Cluster,
    pub schedule: &'a Schedule,
}

impl View<'_> {
    pub fn node_name(&self, id: NodeId) -> String {
        self.cluster.nodes.get(id.index()).map(|node| node.name.to_string()).unwrap_or_default()
    }

    pub fn resource_id(&self, id: ResourceId) -> String {
        self.cluster.resources.get(id.index()).map(|resource| resource.id.to_string()).unwrap_or_default()
    }

    /// The primitives in a resource, itself if it is one.
    pub fn primitives(&self, id: ResourceId) -> Vec<ResourceId> {
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let Some(placement) = self.schedule.placements.get(id.index()) else { continue };
            if placement.children.is_empty() {
                found.push(id);
            }
            open.extend(placement.children.iter().rev());
        }
        found
    }
}

/// The name by which the configuration knows a resource: instances are known by the clone they are of.
pub(crate) fn configured_name(view: View<'_>, id: ResourceId) -> String {
    let mut named = id;
    let mut at = id;
    while let Some(parent) = view.cluster.resource(at).parent {
        if matches!(view.cluster.resource(parent).variant, Variant::Clone | Variant::Bundle) {
            named = parent;
        }
        at = parent;
    }
    view.resource_id(named)
}

/// Explains a resource. The schedule has to have been made of a cluster read by [`scheduler::unpack_with_reasons`]; without
/// reasons there are no scores to tell of.
pub fn explain(
    cluster: &Cluster,
    schedule: &Schedule,
    resource: ResourceId,
    question: &Question,
) -> Explanation {
    // Resources are nested four deep at most (bundle, clone, group, primitive).
    View { cluster, schedule }.explain(resource, question)
}

impl View<'_> {
    fn explain(&self, id: ResourceId, question: &Question) -> Explanation {
        let resource = self.cluster.resource(id);
        let parts: Vec<ResourceId> =
            self.schedule.placements.get(id.index()).map(|p| p.children.clone()).unwrap_or_default();
        let is_leaf = parts.is_empty();
        Explanation {
            resource: resource.id.to_string(),
            kind: self.kind(id),
            within: resource.parent.map(|parent| {
                format!("{} {}", self.cluster.resource(parent).variant.as_str(), self.resource_id(parent))
            }),
            now: self.now(id),
            next: self.next(id),
            notes: self.notes(id),
            choice: if is_leaf { self.choice(id) } else { None },
            nodes: if is_leaf { self.nodes(id, question.node) } else { Vec::new() },
            promotion: self.promotion(id),
            actions: if is_leaf { self.actions(id, question) } else { Vec::new() },
            parts: parts.into_iter().map(|part| self.explain(part, question)).collect(),
        }
    }

    fn kind(&self, id: ResourceId) -> String {
        let resource = self.cluster.resource(id);
        let Some(agent) = resource.agent.as_ref().filter(|_| resource.variant == Variant::Primitive) else {
            return resource.variant.as_str().to_owned();
        };
        match &agent.provider {
            Some(provider) => format!("primitive {}:{provider}:{}", agent.class, agent.name),
            None => format!("primitive {}:{}", agent.class, agent.name),
        }
    }

    fn now(&self, id: ResourceId) -> Vec<Place> {
        let state = |id: ResourceId| &self.cluster.resource(id).state;
        self.places(id, |id| state(id).active_on.clone(), |id| state(id).role)
    }

    fn next(&self, id: ResourceId) -> Vec<Place> {
        let placement = |id: ResourceId| self.schedule.placements.get(id.index());
        let nodes = |id| placement(id).and_then(|p| p.assigned).into_iter().collect();
        let role = |id| {
            let role = placement(id).map(|p| p.state.next_role).unwrap_or_default();
            if role == model::Role::Unknown { model::Role::Started } else { role }
        };
        self.places(id, nodes, role)
    }

    fn places(
        &self,
        id: ResourceId,
        nodes: impl Fn(ResourceId) -> Vec<NodeId>,
        role: impl Fn(ResourceId) -> model::Role,
    ) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for primitive in self.primitives(id) {
            for node in nodes(primitive) {
                let place = Place { node: self.node_name(node), role: role(primitive).to_string() };
                if place.role != "Stopped" && !places.contains(&place) {
                    places.push(place);
                }
            }
        }
        places
    }

    fn notes(&self, id: ResourceId) -> Vec<String> {
        let resource = self.cluster.resource(id);
        let state = &resource.state;
        let mut notes = Vec::new();
        if state.removed {
            notes.push("it is no longer in the configuration, only in the history of what ran".to_owned());
        }
        let policy = self.cluster.options.value("no-quorum-policy").unwrap_or("stop");
        if !self.cluster.quorate && resource.parent.is_none() && policy != "ignore" {
            notes.push(format!("the partition has no quorum (no-quorum-policy={policy})"));
        }
        if resource.variant != Variant::Primitive {
            return notes;
        }
        if state.blocked {
            notes.push(
                "it is blocked: nothing is done with it until somebody has looked and cleaned up".to_owned(),
            );
        }
        if self.cluster.options.maintenance_mode {
            notes.push("the whole cluster is in maintenance mode: nothing is started or stopped".to_owned());
        } else if state.maintenance {
            notes.push("it is in maintenance (by itself or with its node): it is left alone".to_owned());
        } else if !state.managed && !state.blocked {
            notes.push("it is not managed (is-managed=false): it is left alone".to_owned());
        }
        if state.failed {
            notes.push("it has failed and is to be recovered".to_owned());
        }
        if let Some(target) = resource.meta.get("target-role").filter(|role| &***role != "Started") {
            notes.push(format!("target-role is {target}"));
        }
        if let Some(node) = state.lock_node {
            notes.push(format!("it is locked to {}, which is being shut down", self.node_name(node)));
        }
        notes
    }
}
