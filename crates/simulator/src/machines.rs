// SPDX-License-Identifier: GPL-2.0-or-later
//! The physical world of a simulated cluster: what runs where, who has power, and the laws that nobody may break.
//!
//! It sees what agents are told to do and keeps the truth of it, apart from what the cluster believes. A law broken is
//! recorded with its time; tests assert that there is none.

use model::{Instant, OcfCode};
use std::collections::{BTreeMap, BTreeSet};

/// What happened in the physical world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When.
    pub at: Instant,
    /// On which node, or to which.
    pub node: String,
    /// What.
    pub what: What,
}

/// Kinds of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A resource was started.
    Started(String),
    /// A resource was stopped.
    Stopped(String),
    /// The node has no power any more, for whatever reason.
    Dead,
    /// The power switch has confirmed that the node has no power.
    Confirmed,
}

/// Machines and what runs on them.
#[derive(Debug, Default)]
pub struct Machines {
    running: BTreeMap<String, BTreeSet<String>>,
    facts: Vec<Fact>,
    broken_laws: Vec<String>,
    switched_off: Vec<String>,
    /// How many more times cutting a node's power fails.
    pub stuck: BTreeMap<String, u32>,
    /// Resources whose start fails on a node.
    pub start_fails: BTreeSet<(String, String)>,
}

impl Machines {
    /// All that happened, in order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// What was done that must never be done.
    pub fn broken_laws(&self) -> &[String] {
        &self.broken_laws
    }

    /// The nodes on which a resource runs; more than one is against the law.
    pub fn runs_on(&self, resource: &str) -> Vec<&str> {
        let on = self.running.get(resource).into_iter().flatten();
        on.map(String::as_str).collect()
    }

    /// A process of a resource ends by itself.
    pub fn fail(&mut self, resource: &str) {
        self.running.remove(resource);
    }

    /// A resource agent does its work; what it exits with.
    pub fn agent(&mut self, at: Instant, node: &str, resource: &str, action: &str) -> OcfCode {
        let runs_here = self.running.get(resource).is_some_and(|nodes| nodes.contains(node));
        match action {
            "start" if self.start_fails.contains(&(resource.to_owned(), node.to_owned())) => {
                OcfCode::UNKNOWN_ERROR
            }
            "start" => {
                let nodes = self.running.entry(resource.to_owned()).or_default();
                if nodes.insert(node.to_owned()) {
                    if nodes.len() > 1 {
                        let text = format!("{at:?}: {resource} runs on {nodes:?} at once");
                        self.broken_laws.push(text);
                    }
                    self.fact(at, node, What::Started(resource.to_owned()));
                }
                OcfCode::OK
            }
            "stop" => {
                if runs_here {
                    if let Some(nodes) = self.running.get_mut(resource) {
                        nodes.remove(node);
                    }
                    self.fact(at, node, What::Stopped(resource.to_owned()));
                }
                OcfCode::OK
            }
            "monitor" if runs_here => OcfCode::OK,
            "monitor" => OcfCode::NOT_RUNNING,
            "meta-data" | "validate-all" | "reload-agent" => OcfCode::OK,
            _ => OcfCode::UNIMPLEMENT_FEATURE,
        }
    }

    /// The power switch is asked to cut a node's power; whether it did.
    pub fn switch_off(&mut self, at: Instant, node: &str) -> bool {
        if let Some(left) = self.stuck.get_mut(node).filter(|left| **left > 0) {
            *left -= 1;
            return false;
        }
        self.switched_off.push(node.to_owned());
        self.fact(at, node, What::Confirmed);
        true
    }

    /// Nodes the switch has cut since the last question.
    pub fn take_switched_off(&mut self) -> Vec<String> {
        std::mem::take(&mut self.switched_off)
    }

    /// A node has no power any more: nothing runs there.
    pub fn died(&mut self, at: Instant, node: &str) {
        for nodes in self.running.values_mut() {
            nodes.remove(node);
        }
        self.fact(at, node, What::Dead);
    }

    fn fact(&mut self, at: Instant, node: &str, what: What) {
        self.facts.push(Fact { at, node: node.to_owned(), what });
    }
}
