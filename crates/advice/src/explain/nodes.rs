// SPDX-License-Identifier: GPL-2.0-or-later
//! A resource and the nodes: what each is to it, with the arithmetic, and how one was chosen.
//!
//! Decides: which of the terms are hard reasons. Given: the account of scores. Leaves to others: the words of causes.

use super::words::score;
use super::{NodeView, Term, Verdict, View};
use model::Score;
use scheduler::{Candidate, ChoiceBy, NodeId, ResourceId, Variant};

impl View<'_> {
    /// Why nothing can run on a node, if nothing can.
    pub(super) fn unavailable(&self, node: NodeId) -> Option<String> {
        let known = self.cluster.node(node);
        // The plan may have found a node to be worse than it looked; connections it may have made better.
        let state = self.schedule.nodes.get(node.index()).unwrap_or(&known.state);
        if state.is_available() && !state.pending {
            return None;
        }
        let mut words = Vec::new();
        if state.unclean {
            words.push("it is unclean and is to be fenced");
        } else if !state.online {
            words.push("it is offline");
        }
        if state.pending {
            words.push("it is still joining");
        }
        if state.standby_on_fail {
            words.push("it is in standby because something failed there (on-fail=standby)");
        } else if state.standby {
            words.push("it is in standby");
        }
        if state.maintenance {
            words.push("it is in maintenance");
        }
        if state.shutdown {
            words.push("it is shutting down");
        }
        Some(words.join("; "))
    }

    pub(super) fn nodes(&self, id: ResourceId, only: Option<NodeId>) -> Vec<NodeView> {
        let all = (0..self.cluster.nodes.len()).map(NodeId::new);
        all.filter(|node| only.is_none_or(|only| only == *node)).map(|node| self.node(id, node)).collect()
    }

    fn node(&self, id: ResourceId, node: NodeId) -> NodeView {
        let terms = self.schedule.reasons.as_ref().and_then(|reasons| reasons.terms(id, node));
        let value = terms.as_deref().map(scheduler::sum);
        let assigned = self.schedule.placements.get(id.index()).and_then(|placement| placement.assigned);
        let unavailable = self.unavailable(node);
        let verdict = match (value, &unavailable) {
            _ if assigned == Some(node) => Verdict::Chosen,
            (_, Some(_)) => Verdict::Unavailable,
            (None, None) => Verdict::Unknown,
            (Some(score), None) if score < 0 => Verdict::Banned,
            (Some(_), None) => Verdict::Possible,
        };
        let mut view = NodeView {
            node: self.node_name(node),
            verdict,
            score: value,
            reasons: Vec::new(),
            terms: terms.iter().flatten().map(|term| self.term(id, node, term)).collect(),
        };
        view.reasons = self.against(id, node, &view, unavailable);
        view
    }

    /// What keeps a resource off a node.
    fn against(
        &self,
        id: ResourceId,
        node: NodeId,
        view: &NodeView,
        unavailable: Option<String>,
    ) -> Vec<String> {
        let mut reasons: Vec<String> = unavailable.into_iter().collect();
        if view.verdict == Verdict::Chosen {
            return Vec::new();
        }
        for term in counting(&view.terms).filter(|term| term.value <= Score::MINUS_INFINITY.value()) {
            // A node that cannot run anything has said so.
            if (term.kind != "node" || reasons.is_empty()) && !reasons.contains(&term.text) {
                reasons.push(term.text.clone());
            }
        }
        match view.verdict {
            Verdict::Unknown => {
                let text = match self.cluster.options.symmetric {
                    true => "it is not known there".to_owned(),
                    false => "no location constraint allows it (symmetric-cluster=false)".to_owned(),
                };
                reasons.push(text);
            }
            Verdict::Banned if reasons.is_empty() => {
                reasons.push("its score is below zero".to_owned());
            }
            Verdict::Possible => reasons.push(self.beaten(id, node)),
            _ => {}
        }
        reasons
    }

    /// Why a node that is possible was not taken.
    fn beaten(&self, id: ResourceId, node: NodeId) -> String {
        let choice = self.schedule.reasons.as_ref().and_then(|reasons| reasons.choice(id));
        let assigned = self.schedule.placements.get(id.index()).and_then(|placement| placement.assigned);
        let (Some(choice), Some(assigned)) = (choice, assigned) else {
            return match choice.map(|choice| choice.by) {
                Some(ChoiceBy::StopAll) => "stop-all-resources is set".to_owned(),
                Some(ChoiceBy::Unmanaged) => "it is not managed".to_owned(),
                _ => "it is not to run".to_owned(),
            };
        };
        if choice.by == ChoiceBy::Unmanaged {
            return "it is not managed, so it stays where it is".to_owned();
        }
        let candidate = |wanted: NodeId| choice.candidates.iter().find(|candidate| candidate.node == wanted);
        let better = self.node_name(assigned);
        let (Some(here), Some(there)) = (candidate(node), candidate(assigned)) else {
            return format!("{better} was taken");
        };
        if here.score < there.score {
            return format!(
                "{better} has the higher score: {} against {}",
                score(there.score),
                score(here.score)
            );
        }
        self.tie(choice.by, here, there, &better)
    }

    fn tie(&self, by: ChoiceBy, here: &Candidate, there: &Candidate, better: &str) -> String {
        match by {
            ChoiceBy::Stays => format!("the score is the same, and it runs on {better} already"),
            ChoiceBy::Preferred => format!("the score is the same, and {better} was asked for first"),
            _ if there.load < here.load => format!(
                "the score is the same, and less was placed on {better} before it ({} against {})",
                resources(there.load),
                resources(here.load)
            ),
            _ => format!("the score is the same, and {better} comes first among equals"),
        }
    }

    /// How the node of a primitive was chosen, in one sentence.
    pub(super) fn choice(&self, id: ResourceId) -> Option<String> {
        let choice = self.schedule.reasons.as_ref()?.choice(id)?;
        let placement = self.schedule.placements.get(id.index())?;
        let assigned = placement.assigned.map(|node| self.node_name(node));
        let Some(chosen) = assigned else {
            return Some(match choice.by {
                ChoiceBy::StopAll => "it is stopped: stop-all-resources is set".to_owned(),
                ChoiceBy::Unmanaged => "it is not managed and runs nowhere: it is left alone".to_owned(),
                _ => "no node can run it: see what keeps it off each".to_owned(),
            });
        };
        let best = |candidate: &&Candidate| candidate.available && candidate.score >= 0;
        let others: Vec<&Candidate> = choice
            .candidates
            .iter()
            .filter(|candidate| Some(candidate.node) != placement.assigned)
            .filter(best)
            .collect();
        let own = choice.candidates.iter().find(|candidate| Some(candidate.node) == placement.assigned);
        Some(match (choice.by, own) {
            (ChoiceBy::Unmanaged, _) => format!("{chosen}: it runs there and is not managed"),
            (_, Some(_)) if others.is_empty() => format!("{chosen}: the only node that can run it"),
            (by, Some(own)) => {
                let rival = others.iter().max_by_key(|candidate| candidate.score);
                match rival {
                    Some(rival) if rival.score == own.score => format!(
                        "{chosen}, though {} is as good: {}",
                        self.node_name(rival.node),
                        self.tie(by, rival, own, &chosen)
                    ),
                    Some(rival) => format!(
                        "{chosen}: the highest score, {} ({} comes next with {})",
                        score(own.score),
                        self.node_name(rival.node),
                        score(rival.score)
                    ),
                    None => format!("{chosen}: the highest score, {}", score(own.score)),
                }
            }
            (_, None) => format!("{chosen}: forced there by what it belongs to"),
        })
    }

    /// How much an instance of a promotable clone wants to be promoted.
    pub(super) fn promotion(&self, id: ResourceId) -> Option<(i32, Vec<Term>)> {
        let resource = self.cluster.resource(id);
        let parent = self.cluster.resource(resource.parent?);
        if parent.variant != Variant::Clone {
            return None;
        }
        let score = self.schedule.scores.iter().rev().find_map(|line| match line {
            scheduler::ScoreLine::Promotion { resource: of, score, .. } if *of == resource.id => {
                Some(score.value())
            }
            _ => None,
        })?;
        let reasons = self.schedule.reasons.as_ref()?;
        let placed = |id: &ResourceId| self.schedule.placements.get(id.index())?.assigned;
        let node = self.primitives(id).iter().find_map(placed).unwrap_or(NodeId::new(0));
        let terms = reasons.promotion(id);
        Some((score, terms.iter().map(|term| self.term(id, node, term)).collect()))
    }
}

/// The terms that count: those from the last that replaced all before it.
pub(crate) fn counting(terms: &[Term]) -> impl Iterator<Item = &Term> {
    let from = terms.iter().rposition(|term| term.replaces).unwrap_or(0);
    terms.iter().skip(from)
}

fn resources(count: usize) -> String {
    match count {
        1 => "1 resource".to_owned(),
        count => format!("{count} resources"),
    }
}
