// SPDX-License-Identifier: GPL-2.0-or-later
//! One fencing operation of the cluster: who asked, who can do it, how far it is.

use super::topology::Topology;
use messages::fencer::{
    ActionLimits, ActionResult, ClientStamp, Command, FenceNotice, HistoryEntry, OpState, PeerDevice,
    SupportFlags, options,
};
use model::{Instant, Now, WallTime};
use std::collections::{BTreeSet, VecDeque};

/// Everything takes a bit longer than the agent: the answers have to travel.
const MARGIN: f64 = 1.2;

/// A span with the margin, in whole seconds.
pub(super) fn with_margin(seconds: u32) -> u32 {
    // Saturates, and cuts off.
    (f64::from(seconds) * MARGIN) as u32
}

/// Usually an operation is what was requested. A reboot by several devices at once becomes `off` with all of them, then
/// `on` with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Requested,
    Off,
    On,
}

/// A device that a peer can use.
#[derive(Clone, Debug)]
pub(super) struct Usable {
    pub device: PeerDevice,
    /// It has been asked for already, by phase.
    executed: [bool; 3],
}

/// What a peer has answered.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub host: String,
    pub tried: bool,
    pub devices: Vec<Usable>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub id: String,
    pub requested: String,
    pub phase: Phase,
    pub target: String,
    /// The node whose fencer drives it.
    pub origin: String,
    /// That is this one.
    pub is_owner: bool,
    pub client: ClientStamp,
    pub call_id: i32,
    pub options: u32,
    pub base_timeout_s: u32,
    pub delay_s: i32,
    pub relay_of: Option<String>,
    pub state: OpState,
    pub delegate: Option<String>,
    created: Instant,
    pub completed: WallTime,
    pub result: ActionResult,
    /// Who was there to answer the query, and who has answered.
    pub expected: BTreeSet<String>,
    pub replied: BTreeSet<String>,
    pub peers: Vec<Peer>,
    /// Who was asked to do it.
    pub asked: Option<String>,
    pub level: u32,
    /// The devices of the level, and those of them that are not done.
    pub level_devices: Vec<String>,
    pub devices: VecDeque<String>,
    /// Devices that unfence nodes when they join.
    pub automatic: Vec<String>,
    /// Operations that end with this one.
    pub duplicates: Vec<String>,
    pub total_timeout_s: u32,
    /// Its end has been broadcast, and will come back.
    pub is_ending: bool,
    /// Its end has been told to local clients.
    pub is_told: bool,
}

impl Operation {
    /// As a request describes it.
    pub fn new(
        id: String,
        command: &Command,
        target: &str,
        action: &str,
        origin: &str,
        now: Now,
    ) -> Operation {
        Operation {
            id,
            requested: action.to_owned(),
            phase: Phase::Requested,
            target: target.to_owned(),
            origin: origin.to_owned(),
            is_owner: false,
            client: command.client.clone(),
            call_id: command.call_id,
            options: command.options & !options::TARGET_IS_NODE_ID,
            base_timeout_s: command.timeout_s,
            delay_s: 0,
            relay_of: None,
            state: OpState::Query,
            delegate: None,
            created: now.instant,
            completed: WallTime::default(),
            result: ActionResult::ok(),
            expected: BTreeSet::new(),
            replied: BTreeSet::new(),
            peers: Vec::new(),
            asked: None,
            level: 0,
            level_devices: Vec::new(),
            devices: VecDeque::new(),
            automatic: Vec::new(),
            duplicates: Vec::new(),
            total_timeout_s: 0,
            is_ending: false,
            is_told: false,
        }
    }

    /// As the history of another node has it.
    pub fn from_history(id: String, entry: HistoryEntry, now: Now) -> Operation {
        let client = ClientStamp { id: None, name: entry.client_name, node: None };
        let none = Command { client, ..Command::new(messages::fencer::Request::TimeoutUpdate, 0, 0, 0) };
        Operation {
            state: entry.state,
            delegate: entry.delegate,
            completed: entry.completed,
            result: entry.result,
            is_told: true,
            ..Operation::new(id, &none, &entry.target, &entry.action, &entry.origin, now)
        }
    }

    pub fn to_history(&self) -> HistoryEntry {
        HistoryEntry {
            remote_op: Some(self.id.clone()),
            target: self.target.clone(),
            action: self.action().to_owned(),
            origin: self.origin.clone(),
            delegate: self.delegate.clone(),
            client_name: self.client.name.clone(),
            completed: self.completed,
            state: self.state,
            result: self.result.clone(),
        }
    }

    pub fn notice(&self) -> FenceNotice {
        FenceNotice {
            remote_op: self.id.clone(),
            state: self.state,
            target: self.target.clone(),
            action: self.requested.clone(),
            delegate: self.delegate.clone(),
            origin: self.origin.clone(),
            client_id: self.client.id.clone(),
            client_name: self.client.name.clone(),
            result: self.result.clone(),
        }
    }

    /// What is to be done now.
    pub fn action(&self) -> &str {
        match self.phase {
            Phase::Requested => &self.requested,
            Phase::Off => "off",
            Phase::On => "on",
        }
    }

    pub fn client_name(&self) -> &str {
        self.client.name.as_deref().unwrap_or("unknown")
    }

    /// Enough of the id to recognise it.
    pub fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    /// Levels apply.
    pub fn has_levels(&self) -> bool {
        self.options & options::TOPOLOGY != 0
    }

    /// Everybody has answered who was there at the beginning and still is.
    pub fn all_have_replied(&self, active: &BTreeSet<String>) -> bool {
        self.expected.intersection(active).all(|peer| self.replied.contains(peer))
    }

    pub fn age_s(&self, now: Now) -> u64 {
        now.instant.since(self.created).as_secs()
    }

    pub fn add_peer(&mut self, host: &str, devices: Vec<PeerDevice>) {
        for device in &devices {
            let on =
                if self.requested == "on" { Some(device.limits) } else { device.remap.map(|remap| remap.on) };
            if on.is_some_and(|on| on.required) && !self.automatic.contains(&device.id) {
                self.automatic.push(device.id.clone());
            }
        }
        let devices: Vec<Usable> =
            devices.into_iter().map(|device| Usable { device, executed: [false; 3] }).collect();
        // Whoever has more devices is asked first; of equals who has answered first.
        let at = self.peers.iter().position(|peer| peer.devices.len() < devices.len());
        let peer = Peer { host: host.to_owned(), tried: false, devices };
        self.peers.insert(at.unwrap_or(self.peers.len()), peer);
    }

    /// What a device must support to be of use now.
    fn is_of_use(&self, usable: &Usable) -> bool {
        let can = self.action() != "on" || usable.device.flags.has(SupportFlags::ON);
        can && !usable.is_executed(self.phase) && !usable.limits(self.phase).disallowed
    }

    fn is_target(&self, peer: &Peer) -> bool {
        peer.host.eq_ignore_ascii_case(&self.target)
    }

    /// A peer has a device that has been seen to work.
    pub fn has_verified_device(&self, host: &str) -> bool {
        let of_host = self.peers.iter().filter(|peer| peer.host == host && !self.is_target(peer));
        of_host.flat_map(|peer| &peer.devices).any(|usable| usable.is_verified() && self.is_of_use(usable))
    }

    /// Every device of every level is known to be usable by somebody other than the target.
    pub fn all_level_devices_found(&self, topology: &Topology) -> bool {
        let Some(levels) = topology.levels_for(&self.target) else { return false };
        let is_found = |id: &String| {
            let others = self.peers.iter().filter(|peer| !self.is_target(peer));
            others
                .flat_map(|peer| &peer.devices)
                .any(|usable| usable.device.id == *id && self.is_of_use(usable))
        };
        levels.values().flatten().all(is_found)
    }

    /// The best peer to ask: one that is not the target and whose device has been seen to work; then any that is not the
    /// target; then the target itself (but nobody turns itself on again). `None` with `wait` set: better ones may answer
    /// yet. With levels, the device is taken from further consideration.
    pub fn choose_peer(&mut self, may_wait: bool) -> Choice {
        let device = self.devices.front().cloned();
        if device.is_none() && self.has_levels() {
            return Choice::Nobody;
        }
        if let Some(host) = self.take_peer(device.as_deref(), false, true) {
            return Choice::Peer(host);
        }
        if may_wait {
            return Choice::Wait;
        }
        if let Some(host) = self.take_peer(device.as_deref(), false, false) {
            return Choice::Peer(host);
        }
        if self.phase != Phase::On
            && let Some(host) = self.take_peer(device.as_deref(), true, false)
        {
            return Choice::Peer(host);
        }
        Choice::Nobody
    }

    fn take_peer(&mut self, device: Option<&str>, target: bool, verified: bool) -> Option<String> {
        let (levels, phase) = (self.has_levels(), self.phase);
        let at = self.peers.iter().position(|peer| {
            let usable = |usable: &Usable| {
                self.is_of_use(usable)
                    && (!verified || usable.is_verified())
                    && (!levels || Some(usable.device.id.as_str()) == device)
            };
            self.is_target(peer) == target && (levels || !peer.tried) && peer.devices.iter().any(usable)
        })?;
        let peer = self.peers.get_mut(at)?;
        if levels && let Some(usable) = peer.devices.iter_mut().find(|u| Some(u.device.id.as_str()) == device)
        {
            usable.set_executed(phase);
        }
        Some(peer.host.clone())
    }

    /// How long a peer's device may take.
    pub fn device_timeout_s(&self, host: Option<&str>, device: Option<&str>, with_delay: bool) -> u32 {
        let peer = self.peers.iter().find(|peer| Some(peer.host.as_str()) == host);
        let usable = peer.and_then(|peer| peer.devices.iter().find(|u| Some(u.device.id.as_str()) == device));
        let Some(limits) = usable.map(|usable| usable.limits(self.phase)) else { return self.base_timeout_s };
        let delay_s = if limits.delay_max_s > 0 { limits.delay_max_s } else { limits.delay_base_s };
        let delay_s = if with_delay && self.delay_s >= 0 { delay_s } else { 0 };
        limits.timeout_s.unwrap_or(self.base_timeout_s) + delay_s
    }

    /// How long a peer may take that tries all its devices.
    pub fn peer_timeout_s(&self, host: &str) -> u32 {
        let peer = self.peers.iter().find(|peer| peer.host == host);
        let devices = peer
            .into_iter()
            .flat_map(|peer| &peer.devices)
            .filter(|usable| !usable.is_executed(self.phase) && !usable.limits(self.phase).disallowed);
        let sum =
            devices.map(|usable| self.device_timeout_s(Some(host), Some(&usable.device.id), true)).sum();
        if sum == 0 { self.base_timeout_s } else { sum }
    }

    /// How long all of it may take, without margin.
    pub fn whole_timeout_s(&self, host: Option<&str>, topology: &Topology) -> u32 {
        let levels = topology.levels_for(&self.target).filter(|_| self.has_levels());
        let sum: u32 = match (levels, host) {
            (Some(levels), _) => {
                let of_device = |id: &String| {
                    let has_it = |peer: &&Peer| {
                        peer.devices.iter().any(|usable| usable.device.id == *id && self.is_of_use(usable))
                    };
                    let peer = self.peers.iter().find(has_it)?;
                    Some(self.device_timeout_s(Some(&peer.host), Some(id), true))
                };
                levels.values().flatten().filter_map(of_device).sum()
            }
            (None, Some(host)) => self.peer_timeout_s(host),
            (None, None) => self.base_timeout_s,
        };
        let sum = if sum == 0 { self.base_timeout_s } else { sum };
        sum + u32::try_from(self.delay_s).unwrap_or(0)
    }

    /// Goes to the next level; whether there is one. In a cluster without levels for the target, there is none.
    pub fn next_level(&mut self, topology: &Topology) -> bool {
        self.phase = Phase::Requested;
        let Some((level, devices)) = topology.next_level(&self.target, self.level) else { return false };
        self.options |= options::TOPOLOGY;
        self.level = level;
        self.devices = devices.iter().cloned().collect();
        self.level_devices = devices;
        // The requested delay was for the first try.
        if level > 1 {
            self.delay_s = self.delay_s.min(0);
        }
        if self.level_devices.len() > 1 && self.requested == "reboot" {
            self.phase = Phase::Off;
        }
        true
    }

    /// The device at the front has done its part. Whether there is more to do.
    pub fn next_device(&mut self) -> bool {
        if let Some(done) = self.devices.pop_front()
            && self.phase == Phase::Requested
            && self.requested == "on"
        {
            self.automatic.retain(|id| *id != done);
            if self.devices.is_empty() {
                self.devices = self.automatic.iter().cloned().collect();
            }
        }
        if self.devices.is_empty() && self.phase == Phase::Off {
            // Devices that unfence when the node joins do so then, not now.
            self.phase = Phase::On;
            let by_hand = self.level_devices.iter().filter(|id| !self.automatic.contains(id));
            self.devices = by_hand.cloned().collect();
        }
        self.delay_s = self.delay_s.min(0);
        !self.devices.is_empty()
    }
}

/// Who is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// This one.
    Peer(String),
    /// Nobody yet: somebody better may answer.
    Wait,
    /// Nobody is left.
    Nobody,
}

impl Usable {
    fn is_verified(&self) -> bool {
        self.device.flags.has(SupportFlags::VERIFIED)
    }

    fn is_executed(&self, phase: Phase) -> bool {
        let [requested, off, on] = self.executed;
        match phase {
            Phase::Requested => requested,
            Phase::Off => off,
            Phase::On => on,
        }
    }

    fn set_executed(&mut self, phase: Phase) {
        let [requested, off, on] = &mut self.executed;
        match phase {
            Phase::Requested => *requested = true,
            Phase::Off => *off = true,
            Phase::On => *on = true,
        }
    }

    fn limits(&self, phase: Phase) -> ActionLimits {
        let remap = self.device.remap.unwrap_or_default();
        match phase {
            Phase::Requested => self.device.limits,
            Phase::Off => remap.off,
            Phase::On => remap.on,
        }
    }
}
