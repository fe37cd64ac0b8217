// SPDX-License-Identifier: GPL-2.0-or-later
//! What causes are called: a word for programs, a phrase for people.
//!
//! Decides: the words. Given: causes. Leaves to others: the numbers beside them.

use super::{Term, View};
use model::{OcfCode, Score};
use scheduler::{Cause, FailureKind, NodeId, ResourceId};

/// How constraints begin that `crm_resource --move` and `--ban` leave behind.
pub(crate) const LEFT_BEHIND: [&str; 2] = ["cli-ban-", "cli-prefer-"];

/// Whether a constraint was left behind by a move or a ban.
pub(crate) fn is_left_behind(id: &str) -> bool {
    LEFT_BEHIND.iter().any(|prefix| id.starts_with(prefix))
}

/// A score as people know it.
pub(crate) fn score(value: i32) -> String {
    Score::new(i64::from(value)).to_string()
}

impl View<'_> {
    /// A term with its words.
    pub(super) fn term(&self, of: ResourceId, node: NodeId, term: &scheduler::Term) -> Term {
        let (kind, source, text) = self.cause(of, node, &term.cause);
        Term { kind, source, value: term.value, replaces: term.replaces, text }
    }

    fn cause(&self, of: ResourceId, node: NodeId, cause: &Cause) -> (&'static str, Option<String>, String) {
        let name = |id: ResourceId| self.resource_id(id);
        let own = |id: ResourceId| if id == of { "it".to_owned() } else { name(id) };
        match cause {
            Cause::Node => ("node", None, self.node_words(node)),
            Cause::Location { id, rule } => {
                let mut text = format!("location constraint {id}");
                if let Some(rule) = rule {
                    text += &format!(" (rule {rule})");
                }
                if is_left_behind(id) {
                    text += ", left behind by crm_resource --move or --ban";
                }
                ("location", Some(id.to_string()), text)
            }
            Cause::Health { strategy } => {
                let text = format!("node health (node-health-strategy={strategy})");
                ("health", Some(strategy.to_string()), text)
            }
            Cause::Discovery => {
                let text = "no constraint with resource-discovery=exclusive names the node".to_owned();
                ("discovery", None, text)
            }
            Cause::Stickiness => {
                let role = self.cluster.resource(of);
                let from = match role.xml.elements_named("meta_attributes").next().is_some_and(|set| {
                    set.elements().any(|pair| pair.attr("name") == Some("resource-stickiness"))
                }) {
                    true => "its own",
                    false => "inherited or default",
                };
                ("stickiness", None, format!("resource-stickiness ({from}), as it runs here"))
            }
            Cause::FailCount { of: failed, count, threshold } => {
                let text = format!(
                    "{} failed {} here, and migration-threshold is {threshold}",
                    own(*failed),
                    times(*count)
                );
                ("fail-count", Some(name(*failed)), text)
            }
            Cause::Failure { of: failed, task, rc, kind } => {
                let what = match kind {
                    FailureKind::NotInstalled => "it is not installed here",
                    FailureKind::Hard => "it cannot work here",
                    FailureKind::Fatal => "it cannot work anywhere",
                    FailureKind::Stop => "a failed stop keeps it off the node",
                    FailureKind::Probe => "it cannot run here",
                    FailureKind::OnFailStop => "on-fail=stop keeps it down",
                };
                let code = OcfCode::new(*rc);
                let text = format!("{task} of {} here returned {rc} ({code}): {what}", own(*failed));
                ("failure", Some(name(*failed)), text)
            }
            Cause::FailedThere { of: failed } => {
                ("failure", Some(name(*failed)), format!("{} failed here for good", own(*failed)))
            }
            Cause::ShutdownLock { to } => {
                let text = format!("shutdown lock: it waits for {}", self.node_name(*to));
                ("shutdown-lock", None, text)
            }
            Cause::Ticket { id, ticket } => {
                ("ticket", Some(id.to_string()), format!("ticket {ticket} is not granted (constraint {id})"))
            }
            Cause::Role { role } => ("role", None, self.role_words(of, *role)),
            Cause::Removed => ("removed", None, "it is no longer configured".to_owned()),
            Cause::Unmanaged => ("unmanaged", None, "it runs here and is not managed".to_owned()),
            Cause::MultiplyActive => {
                let text = "it is active more than once, and multiple-active=stop_only".to_owned();
                ("multiple-active", None, text)
            }
            Cause::Colocation { id, with } => {
                ("colocation", Some(id.to_string()), self.colocation_words(id, *with))
            }
            Cause::Dependent { id, of: dependent } => {
                let text = match &**id {
                    "#group-members" => {
                        format!("what {}, after it in the group, thinks of the node", name(*dependent))
                    }
                    _ => format!(
                        "what {}, which is colocated with it ({id}), thinks of the node",
                        name(*dependent)
                    ),
                };
                ("dependent", Some(id.to_string()), text)
            }
            Cause::InstanceLimit { of: whole } => {
                ("instance-limit", Some(name(*whole)), self.limit_words(*whole, node))
            }
            Cause::InstancesPlaced { of: whole } => {
                let max = self.cluster.resource(*whole).instances.max;
                let text = format!("{} has all its instances already ({max})", name(*whole));
                ("clone-max", Some(name(*whole)), text)
            }
            Cause::Capacity { needs, free } => {
                let list = |amounts: &[(std::sync::Arc<str>, i64)]| {
                    let words = amounts.iter().map(|(name, amount)| format!("{name}={amount}"));
                    words.collect::<Vec<String>>().join(" ")
                };
                let free = if free.is_empty() { "nothing".to_owned() } else { list(free) };
                ("capacity", None, format!("not enough room: {} needed, {free} left", list(needs)))
            }
            Cause::ClusterNodesOnly => {
                ("cluster-nodes-only", None, "it cannot be on a remote or guest node".to_owned())
            }
            Cause::Container => ("container", None, "it is where its container is".to_owned()),
            Cause::BundleNode => {
                ("bundle-node", None, "only what is in the bundle runs on the bundle's node".to_owned())
            }
            Cause::PromotionScore => {
                ("promotion-score", None, "promotion score that its agent set for the node".to_owned())
            }
            Cause::PromotionUnset => {
                let text = "its agent set no promotion score for the node".to_owned();
                ("promotion-score", None, text)
            }
            Cause::PromotionPriority { of: instance } => (
                "promotion",
                Some(name(*instance)),
                format!("how much {} wants to be promoted", name(*instance)),
            ),
            Cause::PromotionBarred => {
                ("ticket", None, "a ticket that promotion needs is not granted".to_owned())
            }
            Cause::Unknown => ("unknown", None, "not accounted for".to_owned()),
        }
    }

    fn node_words(&self, node: NodeId) -> String {
        let state = &self.cluster.node(node).state;
        let words = match (state.online, state.shutdown) {
            (false, _) => "the node is not online",
            (true, true) => "the node is shutting down",
            (true, false) => "the node by itself",
        };
        words.to_owned()
    }

    fn role_words(&self, of: ResourceId, role: model::Role) -> String {
        match self.cluster.resource(of).meta.get("target-role") {
            Some(target) if target.parse() == Ok(role) => format!("target-role is {target}"),
            _ => format!("it is not to be more than {role}"),
        }
    }

    fn colocation_words(&self, id: &str, with: ResourceId) -> String {
        let placement = self.schedule.placements.get(with.index());
        let nodes: Vec<String> = self
            .primitives(with)
            .into_iter()
            .filter_map(|id| self.schedule.placements.get(id.index())?.assigned)
            .map(|node| self.node_name(node))
            .fold(Vec::new(), |mut nodes, node| {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
                nodes
            });
        let place = match (nodes.as_slice(), placement) {
            ([], _) => "which runs nowhere".to_owned(),
            (nodes, _) => format!("which will be on {}", nodes.join(", ")),
        };
        let with = self.resource_id(with);
        match id {
            "#group-members" => format!("in its group it follows {with}, {place}"),
            _ if id.starts_with('#') => format!("it belongs with {with}, {place}"),
            _ => format!("colocation {id} with {with}, {place}"),
        }
    }

    fn limit_words(&self, whole: ResourceId, node: NodeId) -> String {
        let terms = &self.cluster.resource(whole).instances;
        let reasons = self.schedule.reasons.as_ref();
        let ruled_out = reasons.and_then(|reasons| reasons.terms(whole, node)).unwrap_or_default();
        if let Some(term) = ruled_out.iter().find(|term| term.value <= Score::MINUS_INFINITY.value()) {
            return self.cause(whole, node, &term.cause).2;
        }
        let state = &self.cluster.node(node).state;
        if !state.is_available() {
            return self.unavailable(node).unwrap_or_else(|| "the node is not available".to_owned());
        }
        if scheduler::sum(&ruled_out) < 0 {
            return format!("{} as a whole avoids the node", self.resource_id(whole));
        }
        let whole = self.resource_id(whole);
        match terms.per_node {
            0 | 1 => format!("another instance of {whole} is there, or it must not be"),
            most => format!("{most} instances of {whole}, as many as may be, are there"),
        }
    }
}

/// How often.
pub(super) fn times(count: i32) -> String {
    match count {
        1 => "once".to_owned(),
        1_000_000.. => "for good".to_owned(),
        count => format!("{count} times"),
    }
}
