// SPDX-License-Identifier: GPL-2.0-or-later
//! Requests, from clients and from other fencers.

use super::{CALLDATA, Topic, options};
use crate::execd::{Parameters, parameters_from_xml, parameters_to_xml};
use xml::Element;

/// A node is to be fenced (or brought back).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    /// Which node.
    pub target: String,
    /// `off`, `reboot` or `on`.
    pub action: String,
    /// With this device (between fencers only).
    pub device: Option<String>,
    /// One that succeeded at most so many seconds ago will do.
    pub tolerance_s: u32,
    /// Wait so many seconds before; below zero: and ignore the devices' own delays.
    pub delay_s: i32,
}

/// A device to be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// `fence_…`.
    pub agent: String,
    /// The kind of agent: nothing, `redhat`, `stonith-ng`, `any`.
    pub namespace: Option<String>,
    /// `unfencing`, if nodes have to be unfenced by it before they may run anything.
    pub provides: Option<String>,
    /// What the agent is told, and what only the fencer reads (`pcmk_…`).
    pub parameters: Parameters,
}

/// Which nodes a fencing level is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LevelTarget {
    /// One node.
    Name(String),
    /// All whose names match a regular expression.
    Pattern(String),
    /// All that have this value of a node attribute.
    Attribute {
        /// The attribute.
        name: String,
        /// Its value.
        value: String,
    },
}

/// Devices that all have to succeed, and when to try them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// 1 is tried first, 9 last.
    pub index: u32,
    /// For which nodes.
    pub target: LevelTarget,
    /// The ids of the devices, in order.
    pub devices: Vec<String>,
}

/// What is asked of a fencer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The first thing a client says.
    Register {
        /// Its name.
        client_name: String,
    },
    /// Begin or end to tell me of this.
    Subscribe {
        /// Of what.
        topic: Topic,
        /// Begin.
        activate: bool,
    },
    /// Fence a node.
    Fence(Fence),
    /// Fence a node for another node, which would be the target (between fencers only).
    Relay(Fence),
    /// Which devices can do this?
    Query {
        /// To which node; none: tell of all devices.
        target: Option<String>,
        /// `off`, `reboot` or `on`.
        action: Option<String>,
    },
    /// Let a device do something that is not fencing (`monitor`, `list`, `status`).
    Execute {
        /// Which device.
        device: String,
        /// What.
        action: String,
        /// To which node.
        target: Option<String>,
    },
    /// Know a device.
    RegisterDevice(Device),
    /// Forget a device.
    RemoveDevice {
        /// Its id.
        id: String,
    },
    /// Know a level.
    AddLevel(Level),
    /// Forget a level.
    RemoveLevel(Level),
    /// What was fenced.
    History {
        /// Only this node.
        target: Option<String>,
        /// Between fencers: what the sender knows.
        known: Option<Element>,
    },
    /// Another node says how long a client should wait (between fencers only).
    TimeoutUpdate,
    /// Anything else; `op` is its name.
    Other {
        /// The name.
        op: String,
    },
}

/// Which client a request is from, as the first fencer that heard it stamped it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientStamp {
    /// The client's id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The node it is on.
    pub node: Option<String>,
}

/// A request with what is common to all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is asked.
    pub request: Request,
    /// The client's number for the call.
    pub call_id: i32,
    /// A sum of [`options`].
    pub options: u32,
    /// How long it may take.
    pub timeout_s: u32,
    /// From whom.
    pub client: ClientStamp,
    /// The fencing operation it belongs to (between fencers).
    pub remote_op: Option<String>,
    /// The node that owns that operation (between fencers).
    pub origin: Option<String>,
    /// The operation that this one takes the place of, because its target was its owner (between fencers).
    pub relay_of: Option<String>,
}

/// A message to a fencer is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FencerMessageError {
    /// It is for somebody else.
    #[error("message type is {0:?}, expected \"stonith-ng\"")]
    WrongType(Option<String>),
    /// Something required is missing.
    #[error("'{op}' has no '{attribute}'")]
    Missing {
        /// The request's name.
        op: String,
        /// What is missing.
        attribute: &'static str,
    },
    /// A level's number is out of range.
    #[error("fencing level has index {0:?}, expected 1 to 9")]
    LevelIndex(Option<String>),
    /// Nobody can subscribe to that.
    #[error("'{0}' is nothing that can be subscribed to")]
    UnknownTopic(String),
}

impl Request {
    /// The name it has on the wire.
    pub fn op(&self) -> &str {
        match self {
            Request::Register { .. } => "register",
            Request::Subscribe { .. } => "st_notify",
            Request::Fence(_) => "st_fence",
            Request::Relay(_) => "st_relay",
            Request::Query { .. } => "st_query",
            Request::Execute { .. } => "st_execute",
            Request::RegisterDevice(_) => "st_device_register",
            Request::RemoveDevice { .. } => "st_device_remove",
            Request::AddLevel(_) => "st_level_add",
            Request::RemoveLevel(_) => "st_level_remove",
            Request::History { .. } => "st_fence_history",
            Request::TimeoutUpdate => "st_timeout_update",
            Request::Other { op } => op,
        }
    }

    fn data(&self) -> Option<Element> {
        match self {
            Request::Register { .. }
            | Request::Subscribe { .. }
            | Request::TimeoutUpdate
            | Request::Other { .. } => None,
            Request::Fence(fence) | Request::Relay(fence) => {
                let mut data = Element::new("st_fence");
                fence.write(&mut data);
                data.set_attr("st_tolerance", fence.tolerance_s);
                Some(data)
            }
            Request::Query { target, action } => {
                let mut data = Element::new("st_device_id");
                data.set_attr_opt("st_target", target.as_ref());
                data.set_attr_opt("st_device_action", action.as_ref());
                Some(data)
            }
            Request::Execute { device, action, target } => {
                let mut data = Element::new("st_device_id")
                    .with_attr("st_device_id", device)
                    .with_attr("st_device_action", action);
                data.set_attr_opt("st_target", target.as_ref());
                Some(data)
            }
            Request::RegisterDevice(device) => {
                let mut data = Element::new("st_device_id")
                    .with_attr("id", &device.id)
                    .with_attr("agent", &device.agent);
                data.set_attr_opt("namespace", device.namespace.as_ref());
                data.set_attr_opt("rsc_provides", device.provides.as_ref());
                Some(data.with_child(parameters_to_xml(&device.parameters)))
            }
            Request::RemoveDevice { id } => Some(Element::new("st_device_id").with_attr("id", id)),
            Request::AddLevel(level) | Request::RemoveLevel(level) => Some(level.to_xml()),
            Request::History { target, known } => {
                if target.is_none() && known.is_none() {
                    return None;
                }
                let mut data = Element::new("st_fence_history");
                data.set_attr_opt("st_target", target.as_ref());
                if let Some(known) = known {
                    data.push(known.clone());
                }
                Some(data)
            }
        }
    }
}

impl Fence {
    fn write(&self, element: &mut Element) {
        element.set_attr("st_target", &self.target);
        element.set_attr("st_device_action", &self.action);
        element.set_attr_opt("st_device_id", self.device.as_ref());
        element.set_attr("st_delay", self.delay_s);
    }
}

impl Level {
    fn to_xml(&self) -> Element {
        let mut data =
            Element::new("fencing-level").with_attr("id", self.index).with_attr("index", self.index);
        match &self.target {
            LevelTarget::Name(name) => data.set_attr("target", name),
            LevelTarget::Pattern(pattern) => data.set_attr("target-pattern", pattern),
            LevelTarget::Attribute { name, value } => {
                data.set_attr("target-attribute", name);
                data.set_attr("target-value", value);
            }
        }
        if !self.devices.is_empty() {
            data.set_attr("devices", self.devices.join(","));
        }
        data
    }

    /// From a `<fencing-level>`, in a request or in the CIB.
    pub fn from_xml(level: &Element) -> Result<Level, FencerMessageError> {
        let text = |name| level.attr(name).map(str::to_owned);
        let index = level
            .attr("index")
            .and_then(|index| index.parse().ok())
            .filter(|index| (1..=9).contains(index))
            .ok_or_else(|| FencerMessageError::LevelIndex(text("index")))?;
        let target = if let Some(name) = text("target") {
            LevelTarget::Name(name)
        } else if let Some(pattern) = text("target-pattern") {
            LevelTarget::Pattern(pattern)
        } else if let (Some(name), Some(value)) = (text("target-attribute"), text("target-value")) {
            LevelTarget::Attribute { name, value }
        } else {
            return Err(FencerMessageError::Missing { op: "fencing-level".into(), attribute: "target" });
        };
        let devices = level.attr("devices").unwrap_or_default().split(',').map(str::trim);
        let devices = devices.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        Ok(Level { index, target, devices })
    }
}

impl Command {
    /// A client's.
    pub fn new(request: Request, call_id: i32, options: u32, timeout_s: u32) -> Command {
        Command {
            request,
            call_id,
            options,
            timeout_s,
            client: ClientStamp::default(),
            remote_op: None,
            origin: None,
            relay_of: None,
        }
    }

    /// Whether the reply is to be the response.
    pub const fn is_sync(&self) -> bool {
        self.options & options::SYNC != 0
    }

    /// As clients write it: what it is about is inside.
    pub fn to_xml(&self) -> Element {
        let mut message = self.header();
        if let Some(data) = self.request.data() {
            message.push(Element::new(CALLDATA).with_child(data));
        }
        message
    }

    /// As fencers write it to each other: what it is about is in the message's own attributes.
    pub fn to_peer_xml(&self) -> Element {
        let mut message = self.header();
        match &self.request {
            Request::Fence(fence) => fence.write(&mut message),
            Request::Query { target, action } => {
                message.set_attr_opt("st_target", target.as_ref());
                message.set_attr_opt("st_device_action", action.as_ref());
            }
            _ => return self.to_xml(),
        }
        message
    }

    fn header(&self) -> Element {
        let mut message = Element::new("stonith_command").with_attr("t", "stonith-ng");
        message.set_attr("st_op", self.request.op());
        match &self.request {
            Request::Register { client_name } => {
                message.set_attr("st_clientname", client_name);
                return message;
            }
            Request::Subscribe { topic, activate } => {
                let attribute = if *activate { "st_notify_activate" } else { "st_notify_deactivate" };
                message.set_attr(attribute, topic.as_str());
                return message;
            }
            Request::History { known: Some(_), .. } => message.set_attr("subt", "broadcast"),
            Request::Fence(fence) | Request::Relay(fence) => message.set_attr("st_delay", fence.delay_s),
            _ => {}
        }
        // Histories between fencers have no number: that is how they differ from clients' requests.
        if self.call_id != 0 {
            message.set_attr("st_callid", self.call_id);
        }
        message.set_attr("st_callopt", self.options);
        message.set_attr("st_timeout", self.timeout_s);
        message.set_attr_opt("st_clientid", self.client.id.as_ref());
        message.set_attr_opt("st_clientname", self.client.name.as_ref());
        message.set_attr_opt("st_clientnode", self.client.node.as_ref());
        message.set_attr_opt("st_remote_op", self.remote_op.as_ref());
        message.set_attr_opt("st_origin", self.origin.as_ref());
        message.set_attr_opt("st_remote_op_relay", self.relay_of.as_ref());
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Command, FencerMessageError> {
        if message.attr("t") != Some("stonith-ng") {
            return Err(FencerMessageError::WrongType(message.attr("t").map(str::to_owned)));
        }
        let op = message
            .attr("st_op")
            .ok_or_else(|| FencerMessageError::Missing { op: message.name().into(), attribute: "st_op" })?;
        let number = |name| message.attr(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
        let text = |name| message.attr(name).map(str::to_owned);
        Ok(Command {
            request: request_from_xml(message, op)?,
            call_id: i32::try_from(number("st_callid")).unwrap_or_default(),
            options: u32::try_from(number("st_callopt")).unwrap_or_default(),
            timeout_s: u32::try_from(number("st_timeout")).unwrap_or_default(),
            client: ClientStamp {
                id: text("st_clientid"),
                name: text("st_clientname"),
                node: text("st_clientnode"),
            },
            remote_op: text("st_remote_op"),
            origin: text("st_origin"),
            relay_of: text("st_remote_op_relay"),
        })
    }
}

fn request_from_xml(message: &Element, op: &str) -> Result<Request, FencerMessageError> {
    let with = |attribute: &'static str| message.descendants().find(|inner| inner.attr(attribute).is_some());
    let missing = |attribute| FencerMessageError::Missing { op: op.to_owned(), attribute };
    let text = |element: &Element, name| element.attr(name).map(str::to_owned);
    let device_element =
        || message.descendants().find(|inner| inner.name() == "st_device_id" && inner.attr("id").is_some());
    Ok(match op {
        "register" => Request::Register {
            client_name: text(message, "st_clientname").unwrap_or_else(|| "unknown".into()),
        },
        "st_notify" => {
            let (name, activate) =
                match (text(message, "st_notify_activate"), text(message, "st_notify_deactivate")) {
                    (Some(name), _) => (name, true),
                    (None, Some(name)) => (name, false),
                    (None, None) => return Err(missing("st_notify_activate")),
                };
            let topic = name.parse().map_err(|()| FencerMessageError::UnknownTopic(name))?;
            Request::Subscribe { topic, activate }
        }
        "st_fence" | "st_relay" => {
            let data = with("st_target").ok_or_else(|| missing("st_target"))?;
            let signed =
                |name| data.attr(name).or(message.attr(name)).and_then(|text| text.parse::<i32>().ok());
            let fence = Fence {
                target: text(data, "st_target").ok_or_else(|| missing("st_target"))?,
                action: text(data, "st_device_action").ok_or_else(|| missing("st_device_action"))?,
                device: text(data, "st_device_id"),
                tolerance_s: signed("st_tolerance").and_then(|s| u32::try_from(s).ok()).unwrap_or_default(),
                delay_s: signed("st_delay").unwrap_or_default(),
            };
            if op == "st_relay" { Request::Relay(fence) } else { Request::Fence(fence) }
        }
        "st_query" => {
            let data = with("st_device_action").or_else(|| with("st_target")).unwrap_or(message);
            Request::Query { target: text(data, "st_target"), action: text(data, "st_device_action") }
        }
        "st_execute" => {
            let data = with("st_device_action").ok_or_else(|| missing("st_device_action"))?;
            Request::Execute {
                device: text(data, "st_device_id").ok_or_else(|| missing("st_device_id"))?,
                action: text(data, "st_device_action").ok_or_else(|| missing("st_device_action"))?,
                target: text(data, "st_target"),
            }
        }
        "st_device_register" => {
            let data = device_element().ok_or_else(|| missing("id"))?;
            Request::RegisterDevice(Device {
                id: text(data, "id").ok_or_else(|| missing("id"))?,
                agent: text(data, "agent").ok_or_else(|| missing("agent"))?,
                namespace: text(data, "namespace"),
                provides: text(data, "rsc_provides"),
                parameters: parameters_from_xml(data),
            })
        }
        "st_device_remove" => {
            let id = device_element().and_then(|data| text(data, "id"));
            Request::RemoveDevice { id: id.ok_or_else(|| missing("id"))? }
        }
        "st_level_add" | "st_level_remove" => {
            let level = message.descendants().find(|inner| inner.name() == "fencing-level");
            let level = Level::from_xml(level.ok_or_else(|| missing("fencing-level"))?)?;
            if op == "st_level_add" { Request::AddLevel(level) } else { Request::RemoveLevel(level) }
        }
        "st_fence_history" => Request::History {
            target: with("st_target")
                .filter(|data| data.attr("st_state").is_none())
                .and_then(|d| text(d, "st_target")),
            known: message.descendants().find(|inner| inner.name() == "st_history").cloned(),
        },
        "st_timeout_update" => Request::TimeoutUpdate,
        other => Request::Other { op: other.to_owned() },
    })
}
