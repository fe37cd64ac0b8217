// SPDX-License-Identifier: GPL-2.0-or-later
//! The general form of requests and replies that controllers, schedulers, pacemakerd and their clients speak.
//!
//! A request names a task, the subsystem (and host) it goes to and the one it comes from, and carries at most one
//! payload inside `<crm_xml>`. A reply has the same reference and task, with the directions turned.

use model::FeatureSet;
use std::sync::Arc;
use xml::Element;

/// Whether it asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `subt="request"`.
    Request,
    /// `subt="response"`.
    Response,
}

/// A request or reply in the general form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Asks or answers.
    pub direction: Direction,
    /// What is to be done (`crm_task`).
    pub task: String,
    /// Names the request; its reply has the same.
    pub reference: String,
    /// The subsystem it is for (`crmd`, `dc`, `tengine`, `pengine`, `lrmd`, …, or an IPC client's id).
    pub sys_to: String,
    /// The subsystem (or IPC client) it is from.
    pub sys_from: String,
    /// The node it is for; `None` is any.
    pub host_to: Option<String>,
    /// The node it is from. Stamped by the receiver of a cluster message, so it can be believed.
    pub src: Option<String>,
    /// The sender's feature set (`version`), as it was written.
    pub version: Option<String>,
    /// Further attributes of the message itself, in order (join and vote messages have them).
    pub extra: Vec<(&'static str, String)>,
    /// What is inside `<crm_xml>`.
    pub payload: Option<Element>,
}

/// The message is not in the general form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is of another type.
    #[error("message type is {0:?}, expected \"crmd\"")]
    WrongType(Option<String>),
    /// Neither request nor response.
    #[error("message subtype is {0:?}, expected \"request\" or \"response\"")]
    WrongSubtype(Option<String>),
    /// Something required is missing.
    #[error("message has no '{0}'")]
    Missing(&'static str),
}

/// The attributes beyond the general form that are kept when a message is read.
const EXTRA: [&str; 15] = [
    "election-owner",
    "election-id",
    "election-age-sec",
    "election-age-nano-sec",
    "join_id",
    "dc-leaving",
    "crm_feature_set",
    "join_ack_nack",
    "crm-limit-mode",
    "crm-limit-max",
    "crm-tgraph-in",
    "crm_user",
    "id",
    "transition-key",
    "uname",
];

impl Envelope {
    /// A request; `reference` must be unique for its sender ([`References`] makes them).
    pub fn request(task: &str, reference: String, sys_to: &str, sys_from: &str) -> Envelope {
        Envelope {
            direction: Direction::Request,
            task: task.to_owned(),
            reference,
            sys_to: sys_to.to_owned(),
            sys_from: sys_from.to_owned(),
            host_to: None,
            src: None,
            version: None,
            extra: Vec::new(),
            payload: None,
        }
    }

    /// The reply to this request.
    pub fn reply(&self, payload: Option<Element>) -> Envelope {
        Envelope {
            direction: Direction::Response,
            task: self.task.clone(),
            reference: self.reference.clone(),
            sys_to: self.sys_from.clone(),
            sys_from: self.sys_to.clone(),
            host_to: self.src.clone(),
            src: None,
            version: None,
            extra: Vec::new(),
            payload,
        }
    }

    /// To a node.
    #[must_use]
    pub fn to_host(mut self, host: &str) -> Envelope {
        self.host_to = Some(host.to_owned());
        self
    }

    /// With a payload.
    #[must_use]
    pub fn with_payload(mut self, payload: Element) -> Envelope {
        self.payload = Some(payload);
        self
    }

    /// With a further attribute; one of those that are kept when it is read.
    #[must_use]
    pub fn with_extra(mut self, name: &'static str, value: impl ToString) -> Envelope {
        debug_assert!(EXTRA.contains(&name), "{name} would be lost on the way");
        self.extra.push((name, value.to_string()));
        self
    }

    /// A further attribute.
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extra.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// For the wire. `origin` names what made it, for people who read traces; `version` is our feature set.
    pub fn to_xml(&self, origin: &str, version: FeatureSet) -> Element {
        let mut message = Element::new("message");
        message.set_attr("origin", origin);
        message.set_attr("t", "crmd");
        message.set_attr("version", self.version.clone().unwrap_or_else(|| version.to_string()));
        message.set_attr(
            "subt",
            match self.direction {
                Direction::Request => "request",
                Direction::Response => "response",
            },
        );
        message.set_attr("reference", &self.reference);
        message.set_attr("crm_task", &self.task);
        message.set_attr("crm_sys_to", &self.sys_to);
        message.set_attr("crm_sys_from", &self.sys_from);
        message.set_attr_opt("crm_host_to", self.host_to.as_ref());
        message.set_attr_opt("src", self.src.as_ref());
        for (name, value) in &self.extra {
            message.set_attr(*name, value);
        }
        if let Some(payload) = &self.payload {
            message.push(Element::new("crm_xml").with_child(payload.clone()));
        }
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Envelope, EnvelopeError> {
        let attr = |name| message.attr(name).map(str::to_owned);
        let required = |name| attr(name).ok_or(EnvelopeError::Missing(name));
        if message.attr("t") != Some("crmd") {
            return Err(EnvelopeError::WrongType(attr("t")));
        }
        let direction = match message.attr("subt") {
            Some("request") => Direction::Request,
            Some("response") => Direction::Response,
            _ => return Err(EnvelopeError::WrongSubtype(attr("subt"))),
        };
        let kept = EXTRA.iter().filter_map(|name| Some((*name, message.attr(name)?.to_owned())));
        Ok(Envelope {
            direction,
            task: required("crm_task")?,
            reference: required("reference")?,
            sys_to: required("crm_sys_to")?,
            sys_from: required("crm_sys_from")?,
            host_to: attr("crm_host_to"),
            src: attr("src"),
            version: attr("version"),
            extra: kept.collect(),
            payload: message.child("crm_xml").and_then(Element::first_element).cloned(),
        })
    }
}

/// Makes references: `<task>-<from>-<unix time>-<counter>`.
#[derive(Clone, Debug, Default)]
pub struct References {
    counter: u64,
}

impl References {
    /// The next one.
    pub fn next(&mut self, task: &str, sys_from: &str, now: model::WallTime) -> String {
        self.counter += 1;
        format!("{task}-{sys_from}-{now}-{}", self.counter)
    }
}

/// The `<ack>` with which servers of this language (and others) answer at once: `status` is an exit code,
/// [`model::ExitCode::INDETERMINATE`] meaning "accepted; the answer follows as an event".
pub fn ack(function: &str, status: model::ExitCode) -> Element {
    Element::new("ack")
        .with_attr("function", function)
        .with_attr("line", 0)
        .with_attr("status", status.value())
}

/// The hello with which a client of the controller or scheduler introduces itself.
pub fn hello(reference: String, sys_to: &str, uuid: &str, client_name: &str) -> Envelope {
    let options = Element::new("options")
        .with_attr("client_name", client_name)
        .with_attr("major_version", 1)
        .with_attr("minor_version", 0)
        .with_attr("client_uuid", uuid);
    let from: Arc<str> = Arc::from(uuid);
    Envelope::request("hello", reference, sys_to, &from).with_payload(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_finds_its_way_back() {
        let request = Envelope::request("pe_calc", "r-1".into(), "pengine", "dc")
            .with_payload(Element::new("cib"))
            .with_extra("join_id", 3);
        let wire = request.to_xml("test", FeatureSet::new(3, 20, 5));
        let read = Envelope::from_xml(&wire).unwrap();
        assert_eq!(Envelope { version: None, ..read.clone() }, request);
        assert_eq!(read.extra("join_id"), Some("3"));
        let reply = read.reply(None);
        assert_eq!((reply.sys_to.as_str(), reply.reference.as_str()), ("dc", "r-1"));
    }

    #[test]
    fn hostile_messages_are_refused_by_name() {
        let parse = |text: &str| Envelope::from_xml(&xml::parse(text).unwrap()).unwrap_err().to_string();
        assert_eq!(parse("<m t='cib'/>"), r#"message type is Some("cib"), expected "crmd""#);
        assert_eq!(parse("<m t='crmd' subt='request'/>"), "message has no 'crm_task'");
    }
}
