// SPDX-License-Identifier: GPL-2.0-or-later
//! What a fencer answers and tells.

use super::{ActionResult, CALLDATA, Command, OpState};
use std::fmt;
use std::str::FromStr;
use xml::Element;

/// What clients can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A node was fenced, or could not be.
    Fence,
    /// The history has changed.
    History,
    /// The history may have come in line with that of other nodes.
    HistorySynced,
    /// A device was registered by a client.
    DeviceRegistered,
    /// A device was removed by a client.
    DeviceRemoved,
    /// A level was added by a client.
    LevelAdded,
    /// A level was removed by a client.
    LevelRemoved,
}

impl Topic {
    const ALL: [Topic; 7] = [
        Topic::Fence,
        Topic::History,
        Topic::HistorySynced,
        Topic::DeviceRegistered,
        Topic::DeviceRemoved,
        Topic::LevelAdded,
        Topic::LevelRemoved,
    ];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Topic::Fence => "st_notify_fence",
            Topic::History => "st_notify_history",
            Topic::HistorySynced => "st_notify_history_synced",
            Topic::DeviceRegistered => "st_device_register",
            Topic::DeviceRemoved => "st_device_remove",
            Topic::LevelAdded => "st_level_add",
            Topic::LevelRemoved => "st_level_remove",
        }
    }
}

impl FromStr for Topic {
    type Err = ();
    fn from_str(name: &str) -> Result<Topic, ()> {
        Topic::ALL.into_iter().find(|topic| topic.as_str() == name).ok_or(())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The response to a client that registers.
pub fn registered(client_id: &str) -> Element {
    Element::new("reply").with_attr("st_op", "register").with_attr("st_clientid", client_id)
}

/// The outcome of a fencing operation, as fencers tell each other and their clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceNotice {
    /// The operation.
    pub remote_op: String,
    /// Done or failed.
    pub state: OpState,
    /// Which node.
    pub target: String,
    /// What was asked: `off`, `reboot` or `on`.
    pub action: String,
    /// The node that did it.
    pub delegate: Option<String>,
    /// The node whose client asked.
    pub origin: String,
    /// That client's id.
    pub client_id: Option<String>,
    /// That client's name.
    pub client_name: Option<String>,
    /// How it ended.
    pub result: ActionResult,
}

impl FenceNotice {
    fn data(&self) -> Element {
        let mut data = Element::new(Topic::Fence.as_str())
            .with_attr("state", self.state.value())
            .with_attr("st_target", &self.target)
            .with_attr("st_device_action", &self.action);
        data.set_attr_opt("st_delegate", self.delegate.as_ref());
        data.set_attr("st_remote_op", &self.remote_op);
        data.set_attr("st_origin", &self.origin);
        data.set_attr_opt("st_clientid", self.client_id.as_ref());
        data.set_attr_opt("st_clientname", self.client_name.as_ref());
        data
    }

    /// For clients.
    pub fn to_event(&self) -> Element {
        notification(Topic::Fence, &self.result, Some(self.data()))
    }

    /// For all fencers. `count` numbers the sender's broadcasts; `merged`: told on behalf of an equal request.
    pub fn to_broadcast(&self, count: u64, merged: bool) -> Element {
        let mut message = Element::new("st-reply")
            .with_attr("t", "st_notify")
            .with_attr("subt", "broadcast")
            .with_attr("st_op", "st_notify")
            .with_attr("count", count);
        if merged {
            message.set_attr("st_op_merged", "true");
        }
        let mut data = self.data();
        self.result.write(&mut data);
        message.with_child(Element::new(CALLDATA).with_child(data))
    }

    /// From a broadcast or an event; `None` if it is neither.
    pub fn from_xml(message: &Element) -> Option<FenceNotice> {
        let data = message.descendants().find(|inner| inner.name() == Topic::Fence.as_str())?;
        let text = |name| data.attr(name).map(str::to_owned);
        Some(FenceNotice {
            remote_op: text("st_remote_op")?,
            state: data.attr("state").and_then(|state| state.parse().ok()).map(OpState::from_value)?,
            target: text("st_target")?,
            action: text("st_device_action")?,
            delegate: text("st_delegate"),
            origin: text("st_origin").unwrap_or_default(),
            client_id: text("st_clientid"),
            client_name: text("st_clientname"),
            result: ActionResult::read(ActionResult::holder(message)),
        })
    }
}

fn notification(topic: Topic, result: &ActionResult, data: Option<Element>) -> Element {
    let mut message = Element::new("notify")
        .with_attr("t", "st_notify")
        .with_attr("subt", topic.as_str())
        .with_attr("st_op", topic.as_str());
    result.write(&mut message);
    if let Some(data) = data {
        message.push(Element::new(CALLDATA).with_child(data));
    }
    message
}

/// The answer to a request: a response, or an event for those that did not want to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The request's name.
    pub op: String,
    /// The client's number for the call.
    pub call_id: i32,
    /// How it ended.
    pub result: ActionResult,
    /// The node that did it (of a fencing).
    pub delegate: Option<String>,
    /// What was asked for: the one element inside the data.
    pub data: Option<Element>,
}

impl Reply {
    /// The reply to a request.
    pub fn to(command: &Command, result: ActionResult) -> Reply {
        Reply {
            op: command.request.op().to_owned(),
            call_id: command.call_id,
            result,
            delegate: None,
            data: None,
        }
    }

    /// With what was asked for.
    #[must_use]
    pub fn with_data(self, data: Element) -> Reply {
        Reply { data: Some(data), ..self }
    }

    /// For the wire; `command` is the request it answers.
    pub fn to_xml(&self, command: &Command) -> Element {
        let mut reply =
            Element::new("st-reply").with_attr("st_origin", "systole").with_attr("t", "stonith-ng");
        self.result.write(&mut reply);
        reply.set_attr("st_op", &self.op);
        reply.set_attr("st_callid", self.call_id);
        reply.set_attr_opt("st_clientid", command.client.id.as_ref());
        reply.set_attr_opt("st_clientname", command.client.name.as_ref());
        reply.set_attr_opt("st_remote_op", command.remote_op.as_ref());
        reply.set_attr("st_callopt", command.options);
        reply.set_attr_opt("st_delegate", self.delegate.as_ref());
        if let Some(data) = &self.data {
            reply.push(Element::new(CALLDATA).with_child(data.clone()));
        }
        reply
    }

    /// From the wire; `None` if it is no answer.
    pub fn from_xml(reply: &Element) -> Option<Reply> {
        if reply.attr("t") != Some("stonith-ng") || reply.name() == "stonith_command" {
            return None;
        }
        Some(Reply {
            op: reply.attr("st_op")?.to_owned(),
            call_id: reply.attr("st_callid")?.parse().ok()?,
            result: ActionResult::read(reply),
            delegate: reply.attr("st_delegate").map(str::to_owned),
            data: reply.child(CALLDATA).and_then(Element::first_element).cloned(),
        })
    }
}

/// What a fencer says to a client that is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The answer to a request without the option to wait.
    Reply(Box<Reply>),
    /// A node was fenced, or could not be.
    Fence(Box<FenceNotice>),
    /// The history has changed.
    HistoryChanged,
    /// The history may have come in line with that of other nodes.
    HistorySynced,
    /// A device or level was added or removed by a client.
    Configuration {
        /// What happened.
        topic: Topic,
        /// The device, or the level.
        what: String,
        /// Whether it succeeded.
        result: ActionResult,
    },
    /// The call with this number will take at most so long.
    Timeout {
        /// The client's number for the call.
        call_id: i32,
        /// How long.
        timeout_s: u32,
    },
}

impl Event {
    /// For the wire. Replies are written by [`Reply::to_xml`], as they need the request.
    pub fn to_xml(&self) -> Option<Element> {
        Some(match self {
            Event::Reply(_) => return None,
            Event::Fence(notice) => notice.to_event(),
            Event::HistoryChanged => notification(Topic::History, &ActionResult::ok(), None),
            Event::HistorySynced => notification(Topic::HistorySynced, &ActionResult::ok(), None),
            Event::Configuration { topic, what, result } => {
                let data = Element::new(topic.as_str()).with_attr("st_device_id", what);
                notification(*topic, result, Some(data))
            }
            Event::Timeout { call_id, timeout_s } => Element::new("st-async-timeout-value")
                .with_attr("t", "st-async-timeout-value")
                .with_attr("st_callid", call_id)
                .with_attr("st_timeout", timeout_s),
        })
    }

    /// From the wire; `None` if it is nothing a fencer says (or of a later version).
    pub fn from_xml(message: &Element) -> Option<Event> {
        match message.attr("t")? {
            "st-async-timeout-value" => Some(Event::Timeout {
                call_id: message.attr("st_callid")?.parse().ok()?,
                timeout_s: message.attr("st_timeout")?.parse().ok()?,
            }),
            "st_notify" => match message.attr("subt")?.parse::<Topic>().ok()? {
                Topic::Fence => FenceNotice::from_xml(message).map(|notice| Event::Fence(Box::new(notice))),
                Topic::History => Some(Event::HistoryChanged),
                Topic::HistorySynced => Some(Event::HistorySynced),
                topic => Some(Event::Configuration {
                    topic,
                    what: message
                        .child(CALLDATA)
                        .and_then(Element::first_element)
                        .and_then(|data| data.attr("st_device_id"))
                        .unwrap_or_default()
                        .to_owned(),
                    result: ActionResult::read(message),
                }),
            },
            _ => Reply::from_xml(message).map(|reply| Event::Reply(Box::new(reply))),
        }
    }
}
