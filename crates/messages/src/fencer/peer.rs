// SPDX-License-Identifier: GPL-2.0-or-later
//! What a fencer answers when another one asks who can fence a node.

use super::{ActionResult, CALLDATA, Command, Reply};
use crate::execd::{Parameters, parameters_from_xml, parameters_to_xml};
use xml::Element;

/// What a device's agent can do; travels as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SupportFlags(pub u32);

impl SupportFlags {
    /// It can list its targets.
    pub const LIST: SupportFlags = SupportFlags(1);
    /// It can turn on.
    pub const ON: SupportFlags = SupportFlags(1 << 1);
    /// It can reboot.
    pub const REBOOT: SupportFlags = SupportFlags(1 << 2);
    /// It can tell a target's status.
    pub const STATUS: SupportFlags = SupportFlags(1 << 3);
    /// Nodes are unfenced with it when they join.
    pub const AUTO_UNFENCE: SupportFlags = SupportFlags(1 << 4);
    /// A list, status or monitor has succeeded on this node.
    pub const VERIFIED: SupportFlags = SupportFlags(1 << 5);
    /// A client has registered it.
    pub const API_REGISTERED: SupportFlags = SupportFlags(1 << 6);
    /// The CIB has it.
    pub const CIB_REGISTERED: SupportFlags = SupportFlags(1 << 7);

    /// All of `flags` are in it.
    pub const fn has(self, flags: SupportFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Adds `flags`.
    pub fn insert(&mut self, flags: SupportFlags) {
        self.0 |= flags.0;
    }

    /// Takes `flags` away.
    pub fn remove(&mut self, flags: SupportFlags) {
        self.0 &= !flags.0;
    }
}

/// What is special about one action of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionLimits {
    /// It has its own timeout.
    pub timeout_s: Option<u32>,
    /// At most so much random delay.
    pub delay_max_s: u32,
    /// At least so much delay.
    pub delay_base_s: u32,
    /// It has to be done (unfencing).
    pub required: bool,
    /// The node that answers may not do it.
    pub disallowed: bool,
}

/// The limits of `off` and `on`, should a `reboot` become those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemapLimits {
    /// Of `off`.
    pub off: ActionLimits,
    /// Of `on`.
    pub on: ActionLimits,
}

/// A device that the node that answers can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerDevice {
    /// Its id.
    pub id: String,
    /// Its agent.
    pub agent: String,
    /// The agent's kind.
    pub namespace: Option<String>,
    /// What it can do.
    pub flags: SupportFlags,
    /// Of the action asked about.
    pub limits: ActionLimits,
    /// If that was `reboot`.
    pub remap: Option<RemapLimits>,
    /// The device's own parameters, when no target was asked about.
    pub parameters: Option<Parameters>,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryReply {
    /// The operation the query was for.
    pub remote_op: Option<String>,
    /// Which node was asked about.
    pub target: Option<String>,
    /// The devices that can do it.
    pub devices: Vec<PeerDevice>,
}

impl ActionLimits {
    fn write(&self, element: &mut Element) {
        if self.required {
            element.set_attr("st_required", 1);
        }
        element.set_attr_opt("st_action_timeout", self.timeout_s);
        element.set_attr_opt("st_delay_max", (self.delay_max_s > 0).then_some(self.delay_max_s));
        element.set_attr_opt("st_delay_base", (self.delay_base_s > 0).then_some(self.delay_base_s));
        if self.disallowed {
            element.set_attr("st_action_disallowed", "true");
        }
    }

    fn read(element: &Element) -> ActionLimits {
        let number = |name| element.attr(name).and_then(|text| text.parse::<u32>().ok());
        ActionLimits {
            timeout_s: number("st_action_timeout").filter(|timeout| *timeout > 0),
            delay_max_s: number("st_delay_max").unwrap_or_default(),
            delay_base_s: number("st_delay_base").unwrap_or_default(),
            required: number("st_required").is_some_and(|required| required > 0),
            disallowed: element.attr("st_action_disallowed").and_then(model::parse_bool) == Some(true),
        }
    }
}

impl PeerDevice {
    fn to_xml(&self) -> Element {
        let mut device = Element::new("st_device_id").with_attr("id", &self.id);
        device.set_attr_opt("namespace", self.namespace.as_ref());
        device.set_attr("agent", &self.agent);
        device.set_attr("st_monitor_verified", u8::from(self.flags.has(SupportFlags::VERIFIED)));
        device.set_attr("st_device_support_flags", self.flags.0);
        self.limits.write(&mut device);
        if let Some(remap) = &self.remap {
            for (action, limits) in [("off", &remap.off), ("on", &remap.on)] {
                let mut inner = Element::new("st_device_action").with_attr("id", action);
                limits.write(&mut inner);
                device.push(inner);
            }
        }
        if let Some(parameters) = &self.parameters {
            device.push(parameters_to_xml(parameters));
        }
        device
    }

    fn from_xml(device: &Element) -> Option<PeerDevice> {
        let number = |name| device.attr(name).and_then(|text| text.parse::<u32>().ok());
        // Fencers before 2.1.5 do not tell; they can be trusted to turn on.
        let mut flags = SupportFlags(number("st_device_support_flags").unwrap_or(SupportFlags::ON.0));
        if number("st_monitor_verified").is_some_and(|verified| verified > 0) {
            flags.insert(SupportFlags::VERIFIED);
        } else {
            flags.remove(SupportFlags::VERIFIED);
        }
        let inner = |action| device.child_with_id("st_device_action", action).map(ActionLimits::read);
        let remap = match (inner("off"), inner("on")) {
            (None, None) => None,
            (off, on) => Some(RemapLimits { off: off.unwrap_or_default(), on: on.unwrap_or_default() }),
        };
        Some(PeerDevice {
            id: device.id()?.to_owned(),
            agent: device.attr("agent").unwrap_or_default().to_owned(),
            namespace: device.attr("namespace").map(str::to_owned),
            flags,
            limits: ActionLimits::read(device),
            remap,
            parameters: device.child("attributes").map(|_| parameters_from_xml(device)),
        })
    }
}

impl QueryReply {
    /// For the wire; `command` is the query.
    pub fn to_xml(&self, command: &Command) -> Element {
        let mut list = Element::new("st_query");
        list.set_attr_opt("st_target", self.target.as_ref());
        let mut list = list.with_children(self.devices.iter().map(PeerDevice::to_xml));
        list.set_attr("st-available-devices", self.devices.len());
        Reply::to(command, ActionResult::ok()).with_data(list).to_xml(command)
    }

    /// From the wire; `None` if it is no such answer.
    pub fn from_xml(reply: &Element) -> Option<QueryReply> {
        let list = reply.child(CALLDATA)?.first_element()?;
        list.attr("st-available-devices")?;
        Some(QueryReply {
            remote_op: reply.attr("st_remote_op").map(str::to_owned),
            target: list.attr("st_target").map(str::to_owned),
            devices: list.elements_named("st_device_id").filter_map(PeerDevice::from_xml).collect(),
        })
    }
}

/// What a peer answers that was asked to fence, or tells everybody on behalf of an owner that it has fenced itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceReply {
    /// The operation.
    pub remote_op: String,
    /// The device that did it, or could not.
    pub device: Option<String>,
    /// Which node.
    pub target: Option<String>,
    /// How it ended.
    pub result: ActionResult,
    /// It was one of several equal requests.
    pub merged: bool,
    /// It is the end of the operation: everybody is told.
    pub is_broadcast: bool,
}

impl FenceReply {
    /// For the wire; `command` is the request it answers.
    pub fn to_xml(&self, command: &Command) -> Element {
        let mut reply = Element::new("st-reply").with_attr("t", "stonith-ng").with_attr("st_op", "st_fence");
        reply.set_attr_opt("st_device_id", self.device.as_ref());
        reply.set_attr("st_remote_op", &self.remote_op);
        reply.set_attr_opt("st_clientid", command.client.id.as_ref());
        reply.set_attr_opt("st_clientname", command.client.name.as_ref());
        reply.set_attr_opt("st_target", self.target.as_ref());
        reply.set_attr("st_device_action", "st_fence");
        reply.set_attr_opt("st_origin", command.origin.as_ref());
        reply.set_attr("st_callid", command.call_id);
        reply.set_attr("st_callopt", command.options);
        self.result.write(&mut reply);
        if self.merged {
            reply.set_attr("st_op_merged", "true");
        }
        reply
    }

    /// From the wire, a broadcast [`FenceNotice`](super::FenceNotice) included; `None` if it is no such answer.
    pub fn from_xml(reply: &Element) -> Option<FenceReply> {
        let named = reply.descendants().find(|element| element.attr("st_remote_op").is_some())?;
        let holder = ActionResult::holder(reply);
        let text = |name| holder.attr(name).or(reply.attr(name)).map(str::to_owned);
        Some(FenceReply {
            remote_op: named.attr("st_remote_op")?.to_owned(),
            device: text("st_device_id"),
            target: text("st_target"),
            result: ActionResult::read(holder),
            merged: reply.attr("st_op_merged").and_then(model::parse_bool) == Some(true),
            is_broadcast: reply.attr("subt") == Some("broadcast"),
        })
    }
}
