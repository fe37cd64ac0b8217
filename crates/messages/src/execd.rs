// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said to executors: requests, replies, and the news of ended operations.
//!
//! Decides: the XML of each. Leaves to others: what an agent is (`agents`), when it runs (the executor's core).

use model::{ExecStatus, Interval, LegacyRc, OcfCode, WallTime};
use std::collections::BTreeMap;
use xml::Element;

/// The version of this language that we speak; the other side must have at least "1".
pub const PROTOCOL_VERSION: &str = "1.2";

/// Registering: cancel this client's recurring operations of the resource when it goes.
pub const OPT_DROP_RECURRING: u32 = 1;
/// Executing: tell only the client that asked.
pub const OPT_NOTIFY_ORIGIN_ONLY: u32 = 2;
/// Executing: tell of a recurring operation only when its result differs from what was told last.
pub const OPT_NOTIFY_CHANGES_ONLY: u32 = 4;

/// Parameters of an agent, in the order of their names.
pub type Parameters = BTreeMap<String, String>;

/// Which agent a resource has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// `ocf`, `stonith`, `systemd`, …
    pub class: String,
    /// `heartbeat`, `pacemaker`, …; only some classes have providers.
    pub provider: Option<String>,
    /// The agent's name.
    pub kind: String,
}

/// An operation to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The resource's id.
    pub resource: String,
    /// `start`, `stop`, `monitor`, …
    pub action: String,
    /// Zero, or run it again so long after each end.
    pub interval: Interval,
    /// How long it may run.
    pub timeout_ms: u64,
    /// How long to wait before.
    pub start_delay_ms: u64,
    /// Passed through, untouched (the transition key).
    pub user_data: Option<String>,
    /// The agent's parameters, meta attributes (`CRM_meta_…`) included.
    pub parameters: Parameters,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// The first thing any client says.
    Register {
        /// Its name.
        client_name: String,
        /// The version of this language that it speaks.
        protocol_version: String,
        /// It offers to be the way to the other daemons (only controllers, to remote executors).
        is_ipc_provider: bool,
    },
    /// Are you there?
    Poke,
    /// Make a resource known.
    RegisterResource {
        /// Its id.
        resource: String,
        /// Its agent.
        agent: Agent,
    },
    /// Which agent has it?
    ResourceInfo {
        /// The resource's id.
        resource: String,
    },
    /// Forget a resource; its operations that wait or recur are cancelled.
    UnregisterResource {
        /// Its id.
        resource: String,
    },
    /// Run an operation.
    Exec(Exec),
    /// Cancel an operation that recurs or waits.
    Cancel {
        /// The resource's id.
        resource: String,
        /// The operation.
        action: String,
        /// Its interval.
        interval: Interval,
    },
    /// Which operations recur?
    Recurring {
        /// Only those of this resource.
        resource: Option<String>,
    },
    /// Anything else; `op` is its name.
    Other {
        /// The name.
        op: String,
    },
}

/// A request with what is common to all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is asked.
    pub request: Request,
    /// A sum of `OPT_…`.
    pub options: u32,
    /// How long the client will wait for the reply.
    pub timeout_ms: u64,
}

/// A message to or from an executor is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecdMessageError {
    /// It is for somebody else.
    #[error("message type is {0:?}, expected \"lrmd\"")]
    WrongType(Option<String>),
    /// Something required is missing.
    #[error("'{op}' has no '{attribute}'")]
    Missing {
        /// The request's name.
        op: String,
        /// What is missing.
        attribute: &'static str,
    },
    /// A number is none.
    #[error("'{attribute}' of '{op}' is '{value}', expected a number")]
    NotANumber {
        /// The request's name.
        op: String,
        /// Which attribute.
        attribute: &'static str,
        /// What it is.
        value: String,
    },
}

const OP_REGISTER: &str = "register";
const OP_POKE: &str = "lrmd_rsc_poke";
const OP_RSC_REGISTER: &str = "lrmd_rsc_register";
const OP_RSC_INFO: &str = "lrmd_rsc_info";
const OP_RSC_UNREGISTER: &str = "lrmd_rsc_unregister";
const OP_RSC_EXEC: &str = "lrmd_rsc_exec";
const OP_RSC_CANCEL: &str = "lrmd_rsc_cancel";
const OP_RECURRING: &str = "lrmd_get_recurring";
const OP_NEW_CLIENT: &str = "lrmd_rsc_new_client";

impl Request {
    /// The name it has on the wire.
    pub fn op(&self) -> &str {
        match self {
            Request::Register { .. } => OP_REGISTER,
            Request::Poke => OP_POKE,
            Request::RegisterResource { .. } => OP_RSC_REGISTER,
            Request::ResourceInfo { .. } => OP_RSC_INFO,
            Request::UnregisterResource { .. } => OP_RSC_UNREGISTER,
            Request::Exec(_) => OP_RSC_EXEC,
            Request::Cancel { .. } => OP_RSC_CANCEL,
            Request::Recurring { .. } => OP_RECURRING,
            Request::Other { op } => op,
        }
    }

    /// Whether any client may ask it; the others are for privileged ones only.
    pub const fn is_for_everybody(&self) -> bool {
        matches!(self, Request::Register { .. } | Request::Poke)
    }

    /// The resource it is about.
    pub fn resource(&self) -> Option<&str> {
        match self {
            Request::RegisterResource { resource, .. }
            | Request::ResourceInfo { resource }
            | Request::UnregisterResource { resource }
            | Request::Cancel { resource, .. } => Some(resource),
            Request::Exec(exec) => Some(&exec.resource),
            Request::Recurring { resource } => resource.as_deref(),
            Request::Register { .. } | Request::Poke | Request::Other { .. } => None,
        }
    }

    fn data(&self) -> Option<Element> {
        let resource = |id: &str| {
            Element::new("lrmd_rsc").with_attr("lrmd_origin", "systole").with_attr("lrmd_rsc_id", id)
        };
        match self {
            Request::Register { .. } | Request::Poke | Request::Other { .. } => None,
            Request::RegisterResource { resource: id, agent } => {
                let mut element = resource(id).with_attr("lrmd_class", &agent.class);
                element.set_attr_opt("lrmd_provider", agent.provider.as_ref());
                Some(element.with_attr("lrmd_type", &agent.kind))
            }
            Request::ResourceInfo { resource: id } | Request::UnregisterResource { resource: id } => {
                Some(resource(id))
            }
            Request::Cancel { resource: id, action, interval } => Some(
                resource(id)
                    .with_attr("lrmd_rsc_action", action)
                    .with_attr("lrmd_rsc_interval", interval.as_ms()),
            ),
            Request::Recurring { resource: id } => id.as_deref().map(resource),
            Request::Exec(exec) => {
                let mut element = resource(&exec.resource).with_attr("lrmd_rsc_action", &exec.action);
                element.set_attr_opt("lrmd_rsc_userdata_str", exec.user_data.as_ref());
                element.set_attr("lrmd_rsc_interval", exec.interval.as_ms());
                element.set_attr("lrmd_timeout", exec.timeout_ms);
                element.set_attr("lrmd_rsc_start_delay", exec.start_delay_ms);
                Some(element.with_child(parameters_to_xml(&exec.parameters)))
            }
        }
    }
}

impl Command {
    /// With no options and the time most clients wait.
    pub fn new(request: Request) -> Command {
        Command { request, options: 0, timeout_ms: 30_000 }
    }

    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut message = Element::new("lrmd_command").with_attr("t", "lrmd");
        message.set_attr("lrmd_op", self.request.op());
        if let Request::Register { client_name, protocol_version, is_ipc_provider } = &self.request {
            message.set_attr("lrmd_clientname", client_name);
            message.set_attr("lrmd_protocol_version", protocol_version);
            if *is_ipc_provider {
                message.set_attr("lrmd_is_ipc_provider", "true");
            }
            return message;
        }
        message.set_attr("lrmd_timeout", self.timeout_ms);
        message.set_attr("lrmd_callopt", self.options);
        if let Some(data) = self.request.data() {
            message.push(Element::new("lrmd_calldata").with_child(data));
        }
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Command, ExecdMessageError> {
        if message.attr("t") != Some("lrmd") {
            return Err(ExecdMessageError::WrongType(message.attr("t").map(str::to_owned)));
        }
        let op = message
            .attr("lrmd_op")
            .ok_or_else(|| ExecdMessageError::Missing { op: message.name().into(), attribute: "lrmd_op" })?;
        let empty = Element::new("lrmd_rsc");
        let data = message
            .child("lrmd_calldata")
            .and_then(|wrapper| wrapper.child("lrmd_rsc"))
            .or_else(|| message.descendants().find(|element| element.name() == "lrmd_rsc"))
            .unwrap_or(&empty);
        let fields = Fields { op, element: data };
        let header = Fields { op, element: message };
        let request = match op {
            OP_REGISTER => Request::Register {
                client_name: message.attr("lrmd_clientname").unwrap_or("unknown").to_owned(),
                protocol_version: message.attr("lrmd_protocol_version").unwrap_or("0").to_owned(),
                is_ipc_provider: message.attr("lrmd_is_ipc_provider").and_then(model::parse_bool)
                    == Some(true),
            },
            OP_POKE => Request::Poke,
            OP_RSC_REGISTER => Request::RegisterResource {
                resource: fields.text("lrmd_rsc_id")?,
                agent: Agent {
                    class: fields.text("lrmd_class")?,
                    provider: data.attr("lrmd_provider").map(str::to_owned),
                    kind: fields.text("lrmd_type")?,
                },
            },
            OP_RSC_INFO => Request::ResourceInfo { resource: fields.text("lrmd_rsc_id")? },
            OP_RSC_UNREGISTER => Request::UnregisterResource { resource: fields.text("lrmd_rsc_id")? },
            OP_RSC_CANCEL => Request::Cancel {
                resource: fields.text("lrmd_rsc_id")?,
                action: fields.text("lrmd_rsc_action")?,
                interval: Interval::from_ms(fields.number("lrmd_rsc_interval")?),
            },
            OP_RECURRING => Request::Recurring { resource: data.attr("lrmd_rsc_id").map(str::to_owned) },
            OP_RSC_EXEC => Request::Exec(Exec {
                resource: fields.text("lrmd_rsc_id")?,
                action: fields.text("lrmd_rsc_action")?,
                interval: Interval::from_ms(fields.number("lrmd_rsc_interval")?),
                timeout_ms: fields.number("lrmd_timeout")?,
                start_delay_ms: fields.number("lrmd_rsc_start_delay")?,
                user_data: data.attr("lrmd_rsc_userdata_str").map(str::to_owned),
                parameters: parameters_from_xml(data),
            }),
            other => Request::Other { op: other.to_owned() },
        };
        let options = u32::try_from(header.number("lrmd_callopt")?).unwrap_or(0);
        Ok(Command { request, options, timeout_ms: header.number("lrmd_timeout")? })
    }
}

struct Fields<'a> {
    op: &'a str,
    element: &'a Element,
}

impl Fields<'_> {
    fn text(&self, attribute: &'static str) -> Result<String, ExecdMessageError> {
        let missing = || ExecdMessageError::Missing { op: self.op.to_owned(), attribute };
        self.element.attr(attribute).filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(missing)
    }

    /// A number; zero if it is missing or below zero (C clients write "no timeout" as such).
    fn number(&self, attribute: &'static str) -> Result<u64, ExecdMessageError> {
        let Some(value) = self.element.attr(attribute) else { return Ok(0) };
        let number = value.parse::<i64>().map_err(|_| ExecdMessageError::NotANumber {
            op: self.op.to_owned(),
            attribute,
            value: value.to_owned(),
        })?;
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

/// Names that are XML attribute names become attributes, the others children.
pub(crate) fn parameters_to_xml(parameters: &Parameters) -> Element {
    let mut element = Element::new("attributes");
    for (name, value) in parameters {
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            element.push(Element::new("param").with_attr("name", name).with_attr("value", value));
        } else {
            element.set_attr(name.clone(), value);
        }
    }
    element
}

/// The parameters in the first `<attributes>` of an element.
pub(crate) fn parameters_from_xml(element: &Element) -> Parameters {
    let Some(list) = element.descendants().find(|inner| inner.name() == "attributes") else {
        return Parameters::new();
    };
    let plain = list.attributes().iter().map(|one| (one.name().to_string(), one.value().to_owned()));
    let odd = list.elements_named("param").filter_map(|param| {
        Some((param.attr("name")?.to_owned(), param.attr("value").unwrap_or_default().to_owned()))
    });
    plain.chain(odd).collect()
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Zero or, for an execution, the number that the news of its end will have; a negative legacy code for refusals.
    pub rc: i32,
    /// The number the executor gave the request.
    pub call_id: i32,
    /// What it adds.
    pub body: ReplyBody,
}

/// What a reply adds to its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// Nothing.
    None,
    /// To [`Request::Register`].
    Registered {
        /// The client's id.
        client_id: String,
        /// Seconds the executor has been up.
        uptime_s: u64,
    },
    /// To [`Request::ResourceInfo`].
    Resource {
        /// Its id.
        resource: String,
        /// Its agent.
        agent: Agent,
    },
    /// To [`Request::Recurring`].
    Recurring(Vec<RecurringOp>),
}

/// An operation that recurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurringOp {
    /// Of which resource.
    pub resource: String,
    /// Its name.
    pub action: String,
    /// Its interval.
    pub interval: Interval,
    /// Its timeout.
    pub timeout_ms: u64,
}

impl Reply {
    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut reply = Element::new("lrmd_reply")
            .with_attr("lrmd_origin", "systole")
            .with_attr("lrmd_rc", self.rc)
            .with_attr("lrmd_callid", self.call_id);
        match &self.body {
            ReplyBody::None => {}
            ReplyBody::Registered { client_id, uptime_s } => {
                reply.set_attr("lrmd_op", OP_REGISTER);
                reply.set_attr("lrmd_clientid", client_id);
                reply.set_attr("lrmd_protocol_version", PROTOCOL_VERSION);
                reply.set_attr("uptime", uptime_s);
            }
            ReplyBody::Resource { resource, agent } => {
                reply.set_attr("lrmd_rsc_id", resource);
                reply.set_attr("lrmd_class", &agent.class);
                reply.set_attr_opt("lrmd_provider", agent.provider.as_ref());
                reply.set_attr("lrmd_type", &agent.kind);
            }
            ReplyBody::Recurring(operations) => {
                let mut known: Vec<Element> = Vec::new();
                for operation in operations {
                    if known.last().and_then(|last| last.attr("lrmd_rsc_id")) != Some(&operation.resource) {
                        known.push(Element::new("lrmd_rsc").with_attr("lrmd_rsc_id", &operation.resource));
                    }
                    let element = Element::new("lrmd_rsc_op")
                        .with_attr("lrmd_rsc_action", &operation.action)
                        .with_attr("lrmd_rsc_interval", operation.interval.as_ms())
                        .with_attr("lrmd_timeout", operation.timeout_ms);
                    if let Some(last) = known.last_mut() {
                        last.push(element);
                    }
                }
                reply = reply.with_children(known);
            }
        }
        reply
    }

    /// From the wire.
    pub fn from_xml(reply: &Element) -> Result<Reply, ExecdMessageError> {
        let op = reply.attr("lrmd_op").unwrap_or(reply.name());
        let rc = reply
            .attr("lrmd_rc")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| ExecdMessageError::Missing { op: op.to_owned(), attribute: "lrmd_rc" })?;
        let number = |element: &Element, name| {
            element.attr(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
        };
        let text = |name| reply.attr(name).map(str::to_owned);
        let body = if let Some(client_id) = text("lrmd_clientid") {
            ReplyBody::Registered { client_id, uptime_s: number(reply, "uptime") }
        } else if let (Some(resource), Some(class), Some(kind)) =
            (text("lrmd_rsc_id"), text("lrmd_class"), text("lrmd_type"))
        {
            ReplyBody::Resource { resource, agent: Agent { class, provider: text("lrmd_provider"), kind } }
        } else if reply.child("lrmd_rsc").is_some() {
            let operations = reply.elements_named("lrmd_rsc").flat_map(|resource| {
                resource.elements_named("lrmd_rsc_op").map(|operation| RecurringOp {
                    resource: resource.attr("lrmd_rsc_id").unwrap_or_default().to_owned(),
                    action: operation.attr("lrmd_rsc_action").unwrap_or_default().to_owned(),
                    interval: Interval::from_ms(number(operation, "lrmd_rsc_interval")),
                    timeout_ms: number(operation, "lrmd_timeout"),
                })
            });
            ReplyBody::Recurring(operations.collect())
        } else {
            ReplyBody::None
        };
        let call_id = reply.attr("lrmd_callid").and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Reply { rc, call_id, body })
    }
}

/// An operation has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpResult {
    /// The number that the reply to the request had as its code.
    pub call_id: i32,
    /// The resource's id.
    pub resource: String,
    /// The operation.
    pub action: String,
    /// Its interval.
    pub interval: Interval,
    /// Its timeout.
    pub timeout_ms: u64,
    /// Its start delay.
    pub start_delay_ms: u64,
    /// What the request had passed through.
    pub user_data: Option<String>,
    /// What the agent said.
    pub rc: OcfCode,
    /// How the execution ended.
    pub status: ExecStatus,
    /// Why, in the agent's words (or ours).
    pub exit_reason: Option<String>,
    /// What the agent wrote.
    pub output: Option<String>,
    /// The resource had been unregistered meanwhile.
    pub resource_deleted: bool,
    /// When it ran last.
    pub run_time: WallTime,
    /// When its code last changed.
    pub rc_change_time: WallTime,
    /// How long it ran.
    pub exec_time_ms: u64,
    /// How long it had waited.
    pub queue_time_ms: u64,
    /// The parameters it had.
    pub parameters: Parameters,
}

/// What an executor says on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notify {
    /// An operation has ended.
    Executed(Box<OpResult>),
    /// A resource was registered (`lrmd_rsc_register`) or unregistered, or somebody poked.
    Handled {
        /// The request's name.
        op: String,
        /// What it was answered.
        rc: LegacyRc,
        /// The number it had.
        call_id: i32,
        /// The resource it was about.
        resource: Option<String>,
    },
    /// Another client has registered.
    NewClient,
}

impl Notify {
    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut notify = Element::new("lrmd_notify").with_attr("lrmd_origin", "systole");
        match self {
            Notify::NewClient => notify.set_attr("lrmd_op", OP_NEW_CLIENT),
            Notify::Handled { op, rc, call_id, resource } => {
                notify.set_attr("lrmd_rc", rc.value());
                notify.set_attr("lrmd_callid", call_id);
                notify.set_attr("lrmd_op", op);
                notify.set_attr_opt("lrmd_rsc_id", resource.as_ref());
            }
            Notify::Executed(result) => {
                notify.set_attr("lrmd_timeout", result.timeout_ms);
                notify.set_attr("lrmd_rsc_interval", result.interval.as_ms());
                notify.set_attr("lrmd_rsc_start_delay", result.start_delay_ms);
                notify.set_attr("lrmd_exec_rc", result.rc.value());
                notify.set_attr("lrmd_exec_op_status", result.status.value());
                notify.set_attr("lrmd_callid", result.call_id);
                notify.set_attr("lrmd_rsc_deleted", u8::from(result.resource_deleted));
                notify.set_attr("lrmd_run_time", result.run_time);
                notify.set_attr("lrmd_rcchange_time", result.rc_change_time);
                notify.set_attr("lrmd_exec_time", result.exec_time_ms);
                notify.set_attr("lrmd_queue_time", result.queue_time_ms);
                notify.set_attr("lrmd_op", OP_RSC_EXEC);
                notify.set_attr("lrmd_rsc_id", &result.resource);
                notify.set_attr("lrmd_rsc_action", &result.action);
                notify.set_attr_opt("lrmd_rsc_userdata_str", result.user_data.as_ref());
                notify.set_attr_opt("lrmd_rsc_exit_reason", result.exit_reason.as_ref());
                notify.set_attr_opt("lrmd_rsc_output", result.output.as_ref());
                notify.push(parameters_to_xml(&result.parameters));
            }
        }
        notify
    }

    /// From the wire. `None` if it is nothing an executor says (or of a later version).
    pub fn from_xml(notify: &Element) -> Option<Notify> {
        if notify.name() != "lrmd_notify" {
            return None;
        }
        let text = |name| notify.attr(name).map(str::to_owned);
        let signed = |name| notify.attr(name).and_then(|value| value.parse::<i64>().ok());
        let number = |name| signed(name).and_then(|value| u64::try_from(value).ok()).unwrap_or_default();
        let small = |name| signed(name).and_then(|value| i32::try_from(value).ok());
        match notify.attr("lrmd_op")? {
            OP_NEW_CLIENT => Some(Notify::NewClient),
            OP_RSC_EXEC => Some(Notify::Executed(Box::new(OpResult {
                call_id: small("lrmd_callid")?,
                resource: text("lrmd_rsc_id")?,
                action: text("lrmd_rsc_action")?,
                interval: Interval::from_ms(number("lrmd_rsc_interval")),
                timeout_ms: number("lrmd_timeout"),
                start_delay_ms: number("lrmd_rsc_start_delay"),
                user_data: text("lrmd_rsc_userdata_str"),
                rc: OcfCode::new(small("lrmd_exec_rc")?),
                status: ExecStatus::from_value(small("lrmd_exec_op_status")?),
                exit_reason: text("lrmd_rsc_exit_reason"),
                output: text("lrmd_rsc_output"),
                resource_deleted: number("lrmd_rsc_deleted") != 0,
                run_time: WallTime::from_secs(signed("lrmd_run_time").unwrap_or_default()),
                rc_change_time: WallTime::from_secs(signed("lrmd_rcchange_time").unwrap_or_default()),
                exec_time_ms: number("lrmd_exec_time"),
                queue_time_ms: number("lrmd_queue_time"),
                parameters: parameters_from_xml(notify),
            }))),
            op => Some(Notify::Handled {
                op: op.to_owned(),
                rc: LegacyRc::new(small("lrmd_rc").unwrap_or_default()),
                call_id: small("lrmd_callid").unwrap_or_default(),
                resource: text("lrmd_rsc_id"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec() -> Exec {
        Exec {
            resource: "web".into(),
            action: "monitor".into(),
            interval: Interval::from_ms(10_000),
            timeout_ms: 20_000,
            start_delay_ms: 0,
            user_data: Some("1:2:0:uuid".into()),
            parameters: Parameters::from([
                ("state".into(), "/run/a \"b\"".into()),
                ("9lives".into(), "yes".into()),
            ]),
        }
    }

    #[test]
    fn requests_survive_the_wire() {
        let agent = Agent { class: "ocf".into(), provider: Some("pacemaker".into()), kind: "Dummy".into() };
        for request in [
            Request::Poke,
            Request::RegisterResource { resource: "web".into(), agent },
            Request::ResourceInfo { resource: "web".into() },
            Request::UnregisterResource { resource: "web".into() },
            Request::Exec(exec()),
            Request::Cancel {
                resource: "a".into(),
                action: "monitor".into(),
                interval: Interval::from_ms(5),
            },
            Request::Recurring { resource: None },
        ] {
            let command = Command { request, options: 4, timeout_ms: 7 };
            let text = command.to_xml().to_string();
            assert_eq!(Command::from_xml(&xml::parse(&text).unwrap()).unwrap(), command, "{text}");
        }
    }

    #[test]
    fn what_c_clients_write_is_understood() {
        let text = r#"<lrmd_command t="lrmd" lrmd_op="lrmd_rsc_exec" lrmd_timeout="30000" lrmd_callopt="4">
            <lrmd_calldata><lrmd_rsc lrmd_origin="lrmd_api_exec" lrmd_rsc_id="d" lrmd_rsc_action="start"
            lrmd_rsc_userdata_str="x" lrmd_rsc_interval="0" lrmd_timeout="-1" lrmd_rsc_start_delay="0">
            <attributes CRM_meta_timeout="20000" fake="a"/></lrmd_rsc></lrmd_calldata></lrmd_command>"#;
        let command = Command::from_xml(&xml::parse(text).unwrap()).unwrap();
        let Request::Exec(exec) = command.request else { panic!() };
        assert_eq!((exec.timeout_ms, exec.parameters["fake"].as_str()), (0, "a"));
        let refused = |text: &str| Command::from_xml(&xml::parse(text).unwrap()).unwrap_err().to_string();
        assert_eq!(refused("<x t='cib'/>"), r#"message type is Some("cib"), expected "lrmd""#);
        assert_eq!(refused("<x t='lrmd' lrmd_op='lrmd_rsc_info'/>"), "'lrmd_rsc_info' has no 'lrmd_rsc_id'");
        assert_eq!(
            refused("<x t='lrmd' lrmd_op='lrmd_rsc_poke' lrmd_timeout='soon'/>"),
            "'lrmd_timeout' of 'lrmd_rsc_poke' is 'soon', expected a number"
        );
    }

    #[test]
    fn replies_and_news_survive_the_wire() {
        let agent = Agent { class: "stonith".into(), provider: None, kind: "fence_lab".into() };
        let op = |resource: &str| RecurringOp {
            resource: resource.into(),
            action: "monitor".into(),
            interval: Interval::from_ms(9),
            timeout_ms: 3,
        };
        for body in [
            ReplyBody::None,
            ReplyBody::Registered { client_id: "c1".into(), uptime_s: 5 },
            ReplyBody::Resource { resource: "f".into(), agent },
            ReplyBody::Recurring(vec![op("a"), op("b"), op("b")]),
        ] {
            let reply = Reply { rc: 3, call_id: 3, body };
            assert_eq!(Reply::from_xml(&reply.to_xml()).unwrap(), reply);
        }
        let result = OpResult {
            call_id: 12,
            resource: "web".into(),
            action: "monitor".into(),
            interval: Interval::from_ms(10_000),
            timeout_ms: 20_000,
            start_delay_ms: 0,
            user_data: Some("1:2:0:uuid".into()),
            rc: OcfCode::NOT_RUNNING,
            status: ExecStatus::Done,
            exit_reason: Some("gone".into()),
            output: None,
            resource_deleted: true,
            run_time: WallTime::from_secs(100),
            rc_change_time: WallTime::from_secs(99),
            exec_time_ms: 8,
            queue_time_ms: 1,
            parameters: exec().parameters,
        };
        let handled = Notify::Handled {
            op: OP_RSC_REGISTER.into(),
            rc: LegacyRc::OK,
            call_id: 2,
            resource: Some("web".into()),
        };
        for notify in [Notify::Executed(Box::new(result)), handled, Notify::NewClient] {
            assert_eq!(Notify::from_xml(&notify.to_xml()).unwrap(), notify);
        }
    }
}
