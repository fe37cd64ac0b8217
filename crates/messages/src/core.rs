// SPDX-License-Identifier: GPL-2.0-or-later
//! The frame of every daemon core: one input in, outputs drained, one timer.
//!
//! A core decides and does nothing else. A shell (or the simulator) feeds it what happened, drains what it wants done
//! and does it. What all daemons have in common (clients, other daemons they are clients of, the cluster, log, exit) is
//! here; what only one has (an agent to run, a file to write) is its own `Event` and `Effect`.

use model::{ExitCode, Instant, Now};
use std::fmt;
use std::sync::Arc;
use xml::Element;

pub use model::Level;

/// A daemon's decisions, as a state machine.
pub trait Core {
    /// What happens to this daemon only: the outcome of one of its effects.
    type Event: fmt::Debug;
    /// What only this daemon asks for.
    type Effect: fmt::Debug;

    /// Takes one input in. Never blocks, never panics on what the input says.
    fn handle(&mut self, now: Now, input: Input<Self::Event>);

    /// The next thing to be done, in order; `None` when there is nothing (until the next input).
    fn poll(&mut self) -> Option<Output<Self::Effect>>;

    /// When the core wants an [`Input::Tick`], if nothing else comes before.
    fn next_timeout(&self) -> Option<Instant>;
}

/// One connected IPC client, as long as it is connected. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// One effect of a core. Chosen by the core, unique for its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId(pub u64);

/// Who a client is. From the kernel, not from what the client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User id of the process that connected.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
    /// Its process id.
    pub pid: u32,
    /// The user's name; `#unprivileged` if the system knows none for the uid.
    pub user: Arc<str>,
    /// Root, the cluster's user (hacluster), or the very user the daemon runs as: may do anything and speak for others.
    pub privileged: bool,
}

/// The daemons, by what they serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// pacemakerd.
    Pacemakerd,
    /// The CIB manager.
    Based,
    /// The fencer.
    Fenced,
    /// The executor.
    Execd,
    /// The attribute manager.
    Attrd,
    /// The scheduler.
    Schedulerd,
    /// The controller.
    Controld,
}

impl Service {
    /// All of them, in the order they are started.
    pub const ALL: [Service; 7] = [
        Service::Pacemakerd,
        Service::Based,
        Service::Fenced,
        Service::Execd,
        Service::Attrd,
        Service::Schedulerd,
        Service::Controld,
    ];

    /// The IPC name that other daemons connect to.
    pub const fn ipc_name(self) -> &'static str {
        match self {
            Service::Pacemakerd => "pacemakerd",
            Service::Based => "cib_rw",
            Service::Fenced => "stonith-ng",
            Service::Execd => "lrmd",
            Service::Attrd => "attrd",
            Service::Schedulerd => "pengine",
            Service::Controld => "crmd",
        }
    }

    /// All IPC names it serves. The core is told which one a client came by: it may mean less (`cib_ro`).
    pub const fn ipc_names(self) -> &'static [&'static str] {
        match self {
            Service::Based => &["cib_rw", "cib_ro", "cib_shm"],
            Service::Pacemakerd => &["pacemakerd"],
            Service::Fenced => &["stonith-ng"],
            Service::Execd => &["lrmd"],
            Service::Attrd => &["attrd"],
            Service::Schedulerd => &["pengine"],
            Service::Controld => &["crmd"],
        }
    }

    /// The file name of its program.
    pub const fn program(self) -> &'static str {
        match self {
            Service::Pacemakerd => "pacemakerd",
            Service::Based => "pacemaker-based",
            Service::Fenced => "pacemaker-fenced",
            Service::Execd => "pacemaker-execd",
            Service::Attrd => "pacemaker-attrd",
            Service::Schedulerd => "pacemaker-schedulerd",
            Service::Controld => "pacemaker-controld",
        }
    }

    /// The cluster group its instances on all nodes talk in, if they do.
    pub const fn group(self) -> Option<&'static str> {
        match self {
            Service::Based => Some("cib"),
            Service::Fenced => Some("stonith-ng"),
            Service::Attrd => Some("attrd"),
            Service::Controld => Some("crmd"),
            Service::Pacemakerd | Service::Execd | Service::Schedulerd => None,
        }
    }
}

/// A cluster node: its number, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterNode {
    /// The number the cluster layer knows it by; in decimal, its id in the CIB.
    pub id: u32,
    /// Its name. Compare without regard to case.
    pub name: Arc<str>,
}

/// One node, as the cluster layer sees it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub node: ClusterNode,
    /// The cluster layer counts it as a member (it is up and can be reached).
    pub is_member: bool,
    /// A process of it is in this daemon's group. Peers are those of which both are true.
    pub in_group: bool,
}

/// Who is there, as agreed by all who are told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Grows with every change.
    pub generation: u64,
    /// Enough nodes are there to act for the whole cluster.
    pub quorate: bool,
    /// All nodes ever seen or configured, in the order of their numbers.
    pub nodes: Vec<Member>,
}

impl Membership {
    /// The nodes that are members and in the group.
    pub fn peers(&self) -> impl Iterator<Item = &ClusterNode> {
        self.nodes.iter().filter(|member| member.is_member && member.in_group).map(|member| &member.node)
    }
}

/// What a core is told.
#[derive(Debug)]
pub enum Input<E> {
    /// A client has connected and its system credentials allow it to.
    ClientConnected {
        /// It, from now on.
        client: ClientId,
        /// The IPC name it connected to.
        channel: &'static str,
        /// Who it is.
        credentials: Credentials,
    },
    /// A client says something.
    ClientMessage {
        /// Which client.
        client: ClientId,
        /// Its number for the request; goes back in [`Output::Respond`].
        request: i32,
        /// It waits for a response with this number. If not, answers are events.
        wants_response: bool,
        /// What it says.
        message: Element,
    },
    /// A client has gone.
    ClientGone {
        /// Which.
        client: ClientId,
    },
    /// A daemon that this one is a client of can be talked to (again). Nothing said before is known there.
    ServiceUp {
        /// Which.
        service: Service,
    },
    /// The response to an [`Output::Call`] with `respond`.
    ServiceResponse {
        /// From which.
        service: Service,
        /// The call's number.
        call: i32,
        /// What it says.
        message: Element,
    },
    /// A daemon says something on its own, or answers later.
    ServiceEvent {
        /// Which.
        service: Service,
        /// What it says.
        message: Element,
    },
    /// A daemon cannot be talked to any more; calls without an answer will have none. The shell connects again by
    /// itself.
    ServiceDown {
        /// Which.
        service: Service,
    },
    /// The cluster has been joined; this node is that.
    ClusterJoined {
        /// This node.
        local: ClusterNode,
    },
    /// Who is there has changed, in the same place of the order of messages on all nodes.
    Membership(Membership),
    /// Somebody (perhaps this node) said something to this node or to all. Same order on all nodes.
    ClusterMessage {
        /// Who, as the cluster layer knows it.
        from: ClusterNode,
        /// What.
        message: Element,
    },
    /// The cluster layer is gone.
    ClusterLost,
    /// One of the core's own effects has an outcome.
    Done {
        /// Which effect.
        effect: EffectId,
        /// The outcome. An effect may have several.
        event: E,
    },
    /// Somebody wants this daemon to end in good order (SIGTERM).
    Shutdown,
    /// The moment of [`Core::next_timeout`] has come.
    Tick,
}

/// What a core wants done.
#[derive(Debug)]
pub enum Output<F> {
    /// Answer a request of which the client waits for the response.
    Respond {
        /// Which client.
        client: ClientId,
        /// Its number for the request.
        request: i32,
        /// What to say.
        message: Element,
        /// Not before the first outcome of this effect is there.
        after: Option<EffectId>,
    },
    /// Tell a client something on our own, or an answer it does not wait for.
    Event {
        /// Which client.
        client: ClientId,
        /// What to say.
        message: Element,
        /// Not before the first outcome of this effect is there.
        after: Option<EffectId>,
    },
    /// Hang up on a client.
    Disconnect {
        /// Which.
        client: ClientId,
    },
    /// Say something to a daemon that this one is a client of. Lost if it is down: [`Input::ServiceDown`] tells.
    Call {
        /// Which.
        service: Service,
        /// Our number for the call, growing.
        call: i32,
        /// Whether it is to be answered with [`Input::ServiceResponse`].
        respond: bool,
        /// What to say.
        message: Element,
    },
    /// Say something to one node, or to all (this one included) with `to: None`.
    Send {
        /// To whom; by name.
        to: Option<Arc<str>>,
        /// What.
        message: Element,
        /// Not before the first outcome of this effect is there.
        after: Option<EffectId>,
    },
    /// Write to the log.
    Log {
        /// How important.
        level: Level,
        /// What; a ` | ` separates what is for people from what is for finding faults.
        text: String,
    },
    /// Do what only this daemon does; its outcomes come as [`Input::Done`].
    Effect {
        /// Its number.
        id: EffectId,
        /// What.
        effect: F,
    },
    /// End the process, when all outputs before this one are done.
    Exit {
        /// With what.
        code: ExitCode,
    },
}

impl<E> Input<E> {
    /// The same input with its event of another type; `None` if `convert` cannot.
    pub fn try_map<T>(self, convert: impl FnOnce(E) -> Option<T>) -> Option<Input<T>> {
        Some(match self {
            Input::ClientConnected { client, channel, credentials } => {
                Input::ClientConnected { client, channel, credentials }
            }
            Input::ClientMessage { client, request, wants_response, message } => {
                Input::ClientMessage { client, request, wants_response, message }
            }
            Input::ClientGone { client } => Input::ClientGone { client },
            Input::ServiceUp { service } => Input::ServiceUp { service },
            Input::ServiceResponse { service, call, message } => {
                Input::ServiceResponse { service, call, message }
            }
            Input::ServiceEvent { service, message } => Input::ServiceEvent { service, message },
            Input::ServiceDown { service } => Input::ServiceDown { service },
            Input::ClusterJoined { local } => Input::ClusterJoined { local },
            Input::Membership(membership) => Input::Membership(membership),
            Input::ClusterMessage { from, message } => Input::ClusterMessage { from, message },
            Input::ClusterLost => Input::ClusterLost,
            Input::Done { effect, event } => Input::Done { effect, event: convert(event)? },
            Input::Shutdown => Input::Shutdown,
            Input::Tick => Input::Tick,
        })
    }
}

impl<F> Output<F> {
    /// The same output with its effect of another type.
    pub fn map<T>(self, convert: impl FnOnce(F) -> T) -> Output<T> {
        match self {
            Output::Respond { client, request, message, after } => {
                Output::Respond { client, request, message, after }
            }
            Output::Event { client, message, after } => Output::Event { client, message, after },
            Output::Disconnect { client } => Output::Disconnect { client },
            Output::Call { service, call, respond, message } => {
                Output::Call { service, call, respond, message }
            }
            Output::Send { to, message, after } => Output::Send { to, message, after },
            Output::Log { level, text } => Output::Log { level, text },
            Output::Effect { id, effect } => Output::Effect { id, effect: convert(effect) },
            Output::Exit { code } => Output::Exit { code },
        }
    }
}
