// SPDX-License-Identifier: GPL-2.0-or-later
//! What only the DC has: its phase, the join it leads, the transition it walks; taking over and scheduling.
//!
//! Decides: what a new DC writes, when the scheduler is asked and which answer counts. Leaves to others: the join
//! ([`super::join_dc`]), the walk ([`super::transition`]).

use super::cib_calls::{CibReply, Purpose};
use super::context::Context;
use super::state::Signal;
use graph::walk::{Next, Walk};
use messages::core::{Level, Service};
use model::{Instant, WallTime};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use xml::Element;

/// How long the scheduler may take.
const SCHEDULER_PATIENCE: Duration = Duration::from_secs(120);

/// What a DC is doing.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Waits for nodes to ask for the places they were offered.
    Integration {
        /// When to go on without the others.
        deadline: Instant,
    },
    /// Brings all nodes to one CIB, and theirs into it.
    FinalizeJoin {
        /// When to start the join again.
        deadline: Instant,
        /// A transition has to end before.
        stalled: bool,
    },
    /// Finds out what to do.
    PolicyEngine(Scheduling),
    /// Does it.
    TransitionEngine,
    /// Waits for something to happen.
    Idle {
        /// When to look again even if nothing does.
        recheck_at: Instant,
    },
}

impl Phase {
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Integration { .. } => "S_INTEGRATION",
            Phase::FinalizeJoin { .. } => "S_FINALIZE_JOIN",
            Phase::PolicyEngine(_) => "S_POLICY_ENGINE",
            Phase::TransitionEngine => "S_TRANSITION_ENGINE",
            Phase::Idle { .. } => "S_IDLE",
        }
    }

    pub fn is_joining(&self) -> bool {
        matches!(self, Phase::Integration { .. } | Phase::FinalizeJoin { .. })
    }

    pub fn deadline(&self) -> Option<Instant> {
        match *self {
            Phase::Integration { deadline } | Phase::FinalizeJoin { deadline, .. } => Some(deadline),
            Phase::PolicyEngine(Scheduling::Asked { deadline, .. }) => Some(deadline),
            Phase::Idle { recheck_at } => Some(recheck_at),
            Phase::PolicyEngine(_) | Phase::TransitionEngine => None,
        }
    }
}

/// How far the question to the scheduler has come.
#[derive(Clone, Debug)]
pub(super) enum Scheduling {
    /// Changes of the CIB are still on their way.
    WaitingForUpdates,
    /// The CIB was asked for.
    Querying {
        /// Only the answer to this counts.
        call: i32,
    },
    /// The scheduler was asked.
    Asked {
        /// Only the answer to this counts.
        reference: String,
        /// When to give up.
        deadline: Instant,
    },
}

/// The join this DC leads.
#[derive(Clone, Debug, Default)]
pub(super) struct Join {
    /// The membership its offers were made for.
    pub membership: u64,
    /// The newest membership that was reacted to.
    pub reacted_to: u64,
    /// The node with the best CIB so far, and its version.
    pub best: Option<(String, Element)>,
    /// All nodes have one CIB.
    pub have_cib: bool,
    /// Nodes whose CIB could not be had, and in which join.
    pub failed_syncs: BTreeMap<String, i32>,
}

/// A DC.
pub(super) struct Dc {
    pub phase: Phase,
    pub join: Join,
    /// The last transition, under way or over.
    pub walk: Option<Walk>,
    /// Where the scheduler has saved what it was made from.
    pub walk_source: String,
    /// When the scheduler wants to be asked again.
    pub recheck_by: Option<i64>,
    /// To abort at that moment for that reason, if nothing else has aborted before.
    pub delayed_abort: Option<(Instant, &'static str)>,
    /// Failures from outside the cluster that this change of the CIB reports a second time.
    pub outside_events: BTreeSet<i32>,
}

impl Dc {
    pub fn new(now: Instant) -> Dc {
        Dc {
            phase: Phase::Integration { deadline: now },
            join: Join::default(),
            walk: None,
            walk_source: String::new(),
            recheck_by: None,
            delayed_abort: None,
            outside_events: BTreeSet::new(),
        }
    }

    /// Whether no transition is under way.
    pub fn is_complete(&self) -> bool {
        self.walk.as_ref().is_none_or(|walk| walk.ending().is_some())
    }

    /// Whether what happens in the CIB matters now.
    pub fn watches_cib(&self) -> bool {
        !self.is_complete() || !self.phase.is_joining()
    }

    /// What a new DC does before it gathers the nodes.
    pub fn take_over(&mut self, cx: &mut Context) {
        cx.log(Level::Info, "Taking over DC status for this partition");
        cx.fencing_cleanup();
        cx.cib_set_primary(true);
        let version = Element::new("cib").with_attr("crm_feature_set", cx.feature_set());
        cx.cib_modify("cib", version, Purpose::Takeover);
        let dc_version = format!("{}-{}", cx.config.profile.version(), cx.config.build);
        let watchdog = cx.config.have_watchdog.to_string();
        let infrastructure = cx.config.infrastructure.clone();
        for (name, value) in [
            ("dc-version", dc_version.as_str()),
            ("cluster-infrastructure", &infrastructure),
            ("have-watchdog", &watchdog),
        ] {
            let update = cx.options.property_update(name, value);
            cx.cib_create("crm_config", update, Purpose::Takeover);
        }
        cx.read_options();
    }

    /// Begins (again) to find out what to do.
    pub fn schedule(&mut self, cx: &mut Context) {
        self.phase = Phase::PolicyEngine(Scheduling::WaitingForUpdates);
        self.query_when_settled(cx);
    }

    /// Asks for the CIB as soon as all that was written into it has arrived.
    pub fn query_when_settled(&mut self, cx: &mut Context) {
        if !matches!(self.phase, Phase::PolicyEngine(Scheduling::WaitingForUpdates)) {
            return;
        }
        if !self.join.have_cib {
            cx.log(Level::Error, "Attempted to invoke scheduler without consistent CIB");
            cx.raise_first(Signal::Election);
            return;
        }
        if cx.cib.open_updates() == 0 && cx.scheduler_connected {
            let call = cx.cib_query(Purpose::Schedule);
            self.phase = Phase::PolicyEngine(Scheduling::Querying { call });
        }
    }

    /// The CIB is there: hands it to the scheduler.
    pub fn ask_scheduler(&mut self, cx: &mut Context, reply: CibReply) {
        match self.phase {
            Phase::PolicyEngine(Scheduling::Querying { call }) if call == reply.call => {}
            _ => return,
        }
        let Some(mut cib) = reply.data.filter(|_| reply.rc.is_ok()) else {
            cx.raise(Signal::Error(format!("Could not retrieve the CIB: {}", reply.rc.text())));
            return;
        };
        cib.set_attr("dc-uuid", cx.local_id());
        cib.set_attr("have-quorum", cx.quorate);
        force_watchdog_option(&mut cib, cx.config.have_watchdog);
        if cx.ever_quorate && !cx.quorate {
            cib.set_attr("no-quorum-panic", 1);
        }
        let request = cx.request("pe_calc", "pengine", "tengine").with_payload(cib);
        let message = request.to_xml("pe_calc", cx.feature_set());
        cx.call(Service::Schedulerd, true, message);
        let text = format!(
            "Invoking the scheduler: query={}, ref={}, seq={}, quorate={}",
            reply.call, request.reference, cx.peers.generation, cx.quorate
        );
        cx.log(Level::Debug, text);
        let deadline = cx.now.instant + SCHEDULER_PATIENCE;
        self.phase = Phase::PolicyEngine(Scheduling::Asked { reference: request.reference, deadline });
    }

    /// The scheduler has gone: it must be asked again when it is back.
    pub fn scheduler_lost(&mut self, cx: &mut Context) {
        if matches!(self.phase, Phase::PolicyEngine(Scheduling::Asked { .. })) {
            cx.log(Level::Error, "Lost connection to the scheduler");
            // The schedule continues with its return.
            self.phase = Phase::PolicyEngine(Scheduling::WaitingForUpdates);
        }
    }

    /// Whether an answer of the scheduler is the one that is waited for.
    pub fn awaits(&self, answer: &str) -> bool {
        matches!(&self.phase, Phase::PolicyEngine(Scheduling::Asked { reference, .. }) if reference == answer)
    }

    /// When to look again though nothing happens.
    pub fn recheck_at(&self, cx: &Context) -> Instant {
        let mut span = cx.options.recheck_interval;
        if let Some(at) = self.recheck_by {
            let WallTime { secs, .. } = cx.now.wall;
            let left = u64::try_from(at.saturating_sub(secs)).unwrap_or(0).saturating_add(1);
            span = span.min(Duration::from_secs(left));
        }
        cx.now.instant + span
    }

    /// Writes quorum and who is DC; what follows from a change of quorum.
    pub fn write_quorum(&mut self, cx: &mut Context, had: bool, force: bool) {
        if had == cx.quorate && !force {
            return;
        }
        let update = Element::new("cib")
            .with_attr("have-quorum", u8::from(cx.quorate))
            .with_attr("dc-uuid", cx.local_id());
        cx.log(Level::Debug, format!("Updating quorum status to {}", cx.quorate));
        cx.cib_modify("cib", update, Purpose::Quorum);
        if cx.quorate {
            // Others may be joining: that nodes come one by one must not fence the rest.
            self.delayed_abort = Some((cx.now.instant + Duration::from_secs(5), "Quorum gained"));
        } else {
            self.abort(cx, model::Score::INFINITY.value(), Next::Restart, "Quorum lost", None);
        }
    }
}

/// The scheduler is told of this node's watchdog, whatever the configuration says.
fn force_watchdog_option(cib: &mut Element, have_watchdog: bool) {
    const NAME: &str = "have-watchdog";
    let config = cib.child_or_insert("configuration").child_or_insert("crm_config");
    let mut found = false;
    for set in config.elements_mut().filter(|set| set.name() == "cluster_property_set") {
        for pair in set.elements_mut().filter(|pair| pair.attr("name") == Some(NAME)) {
            pair.set_attr("value", have_watchdog);
            found = true;
        }
    }
    if !found {
        let set = config.child_or_insert("cluster_property_set");
        if set.id().is_none() {
            set.set_attr("id", "cib-bootstrap-options");
        }
        let pair = Element::new("nvpair")
            .with_attr("id", format!("cib-bootstrap-options-{NAME}"))
            .with_attr("name", NAME)
            .with_attr("value", have_watchdog);
        set.push(pair);
    }
}
