// SPDX-License-Identifier: GPL-2.0-or-later
//! What is said to and between CIB managers.
//!
//! A client registers, sends commands and gets replies; it may subscribe to be told of every change. Managers pass each
//! other's clients' commands on as they are, with where they came from. What the operations do is the `cib` crate's.

use model::{ExitCode, LegacyRc, Profile};
use xml::Element;

/// The options of a call (`cib_callopt`), to be joined with `|`.
pub mod option {
    /// None.
    pub const NONE: u32 = 0;
    /// The section is an XPath.
    pub const XPATH: u32 = 0x2;
    /// All that the XPath finds, not only the first.
    pub const MULTIPLE: u32 = 0x4;
    /// Modify may create what it does not find.
    pub const CAN_CREATE: u32 = 0x8;
    /// Nobody waits for the reply: there will be none.
    pub const DISCARD_REPLY: u32 = 0x10;
    /// Query without children.
    pub const NO_CHILDREN: u32 = 0x20;
    /// Query for the paths of what the XPath finds.
    pub const XPATH_ADDRESS: u32 = 0x40;
    /// Only on this node.
    pub const SCOPE_LOCAL: u32 = 0x100;
    /// Say what would come out, change nothing.
    pub const DRY_RUN: u32 = 0x200;
    /// Part of a transaction.
    pub const TRANSACTION: u32 = 0x400;
    /// Values such as `x++` and `x+=5` are counted, not stored.
    pub const SCORE_UPDATE: u32 = 0x800;
    /// The reply is the response to the call (otherwise an event).
    pub const SYNC: u32 = 0x1000;
    /// Leave who changed the CIB and when as it is.
    pub const NO_MTIME: u32 = 0x2000;
    /// Tell no subscriber.
    pub const INHIBIT_NOTIFY: u32 = 0x10000;
}

/// The notification that carries a patch for every change.
pub const DIFF_NOTIFY: &str = "cib_diff_notify";

/// Clients after whose changes the status still says what is so: the cluster's own daemons, and tools that have the
/// daemons change it. After those of any other, the daemons write what they know again.
pub const SAFE_CLIENTS: &[&str] = &[
    "attrd",
    "pacemaker-attrd",
    "pacemaker-based",
    "cib",
    "cib_ro",
    "cib_rw",
    "cib_shm",
    "pacemaker-controld",
    "crmd",
    "dc",
    "tengine",
    "pacemaker-execd",
    "pacemaker-remoted",
    "lrmd",
    "pacemaker-fenced",
    "stonith-ng",
    "stonithd",
    "pacemakerd",
    "pacemaker-schedulerd",
    "pengine",
    "attrd_updater",
    "crm_attribute",
    "crm_node",
    "crm_resource",
    "crm_ticket",
    "controld",
    "fenced",
];

/// A command of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// What to do (`cib_query`, `cib_modify`, …).
    pub op: String,
    /// The client's number for the call; from 1.
    pub call_id: i32,
    /// How to do it, see [`option`].
    pub options: u32,
    /// A section's name, or an XPath with [`option::XPATH`].
    pub section: Option<String>,
    /// The node that is to do it alone.
    pub host: Option<String>,
    /// On whose behalf.
    pub user: Option<String>,
    /// With what.
    pub data: Option<Element>,
}

impl Command {
    /// A command.
    pub fn new(op: &str, call_id: i32, options: u32) -> Command {
        Command { op: op.to_owned(), call_id, options, ..Command::default() }
    }

    /// In a section, or at an XPath.
    #[must_use]
    pub fn section(mut self, section: &str) -> Command {
        self.section = Some(section.to_owned());
        self
    }

    /// For one node alone.
    #[must_use]
    pub fn host(mut self, host: &str) -> Command {
        self.host = Some(host.to_owned());
        self
    }

    /// With data.
    #[must_use]
    pub fn data(mut self, data: Element) -> Command {
        self.data = Some(data);
        self
    }

    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut message = Element::new("cib_command").with_attr("t", "cib").with_attr("cib_op", &self.op);
        message.set_attr_opt("cib_host", self.host.as_ref());
        message.set_attr_opt("cib_section", self.section.as_ref());
        message.set_attr_opt("cib_user", self.user.as_ref());
        message.set_attr("cib_callid", self.call_id);
        message.set_attr("cib_callopt", self.options);
        if let Some(data) = &self.data {
            message.push(Element::new("cib_calldata").with_child(data.clone()));
        }
        message
    }
}

/// The first thing a client says. It is answered at once with [`registered`].
pub fn register(client_name: &str, call_id: i32) -> Element {
    Element::new("cib_command")
        .with_attr("t", "cib")
        .with_attr("cib_op", "register")
        .with_attr("cib_clientname", client_name)
        .with_attr("cib_callid", call_id)
        .with_attr("cib_callopt", option::SYNC)
}

/// The answer to [`register`].
pub fn registered(client_id: &str, profile: Profile) -> Element {
    let name = match profile {
        Profile::V3_0 => "dispatch_common",
        Profile::V2_1 => "cib_common_callback_worker",
    };
    Element::new(name).with_attr("cib_op", "register").with_attr("cib_clientid", client_id)
}

/// Asks to be told (or no more) of a type of events, such as [`DIFF_NOTIFY`]. Answered with an ack.
pub fn subscribe(notify_type: &str, activate: bool) -> Element {
    Element::new("cib-callback")
        .with_attr("cib_op", "cib_notify")
        .with_attr("cib_notify_type", notify_type)
        .with_attr("cib_notify_activate", u8::from(activate))
}

/// The answer to what is no request for data.
pub fn ack(status: ExitCode) -> Element {
    crate::controller::ack("cib", status)
}

/// A transaction: the data of a `cib_commit_transact` command. Each command is given [`option::TRANSACTION`].
pub fn transaction(commands: impl IntoIterator<Item = Command>) -> Element {
    let commands = commands.into_iter().map(|mut command| {
        command.options |= option::TRANSACTION;
        command.to_xml()
    });
    Element::new("cib_transaction").with_children(commands)
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was to be done.
    pub op: String,
    /// The client's number for the call.
    pub call_id: i32,
    /// The client, as the manager knows it.
    pub client_id: Option<String>,
    /// The call's options.
    pub options: u32,
    /// How it went.
    pub rc: LegacyRc,
    /// What came out.
    pub data: Option<Element>,
}

/// The message is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CibMessageError {
    /// Something is missing or no number.
    #[error("message <{element}> has no (or no valid) '{attribute}'")]
    Attribute {
        /// The message.
        element: String,
        /// What is missing.
        attribute: &'static str,
    },
    /// It is of another kind.
    #[error("message <{element}> is of type {found:?}, expected \"{expected}\"")]
    Type {
        /// The message.
        element: String,
        /// Its type.
        found: Option<String>,
        /// What it should be.
        expected: &'static str,
    },
}

fn number(message: &Element, attribute: &'static str) -> Result<i32, CibMessageError> {
    let value = message.attr(attribute).and_then(|text| text.trim().parse().ok());
    value.ok_or_else(|| CibMessageError::Attribute { element: message.name().to_owned(), attribute })
}

fn typed(message: &Element, expected: &'static str) -> Result<(), CibMessageError> {
    if message.attr("t") == Some(expected) {
        return Ok(());
    }
    let (element, found) = (message.name().to_owned(), message.attr("t").map(str::to_owned));
    Err(CibMessageError::Type { element, found, expected })
}

impl Reply {
    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut message = Element::new("cib-reply")
            .with_attr("t", "cib")
            .with_attr("cib_op", &self.op)
            .with_attr("cib_callid", self.call_id);
        message.set_attr_opt("cib_clientid", self.client_id.as_ref());
        message.set_attr("cib_callopt", self.options);
        message.set_attr("cib_rc", self.rc.value());
        if let Some(data) = &self.data {
            message.push(Element::new("cib_calldata").with_child(data.clone()));
        }
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Reply, CibMessageError> {
        typed(message, "cib")?;
        Ok(Reply {
            op: message.attr("cib_op").unwrap_or_default().to_owned(),
            call_id: number(message, "cib_callid")?,
            client_id: message.attr("cib_clientid").map(str::to_owned),
            options: number(message, "cib_callopt").ok().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            rc: LegacyRc::new(number(message, "cib_rc")?),
            data: message.child("cib_calldata").and_then(Element::first_element).cloned(),
        })
    }
}

/// What subscribers are told of a change (or of a try).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What was done.
    pub op: String,
    /// How it went; if not well, the patch is of no use.
    pub rc: LegacyRc,
    /// The client who wanted it, as its manager knows it.
    pub client_id: Option<String>,
    /// What the client calls itself.
    pub client_name: Option<String>,
    /// The client's number for the call.
    pub call_id: Option<String>,
    /// The node it came from.
    pub origin: Option<String>,
    /// The change, as a patch (`<diff>`).
    pub patch: Element,
}

impl Notification {
    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut message = Element::new("notify")
            .with_attr("t", "cib_notify")
            .with_attr("subt", DIFF_NOTIFY)
            .with_attr("cib_op", &self.op);
        message.set_attr_opt("cib_clientid", self.client_id.as_ref());
        message.set_attr_opt("cib_clientname", self.client_name.as_ref());
        message.set_attr_opt("cib_callid", self.call_id.as_ref());
        message.set_attr_opt("src", self.origin.as_ref());
        message.set_attr("cib_rc", self.rc.value());
        message.push(Element::new("cib_update_result").with_child(self.patch.clone()));
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Notification, CibMessageError> {
        typed(message, "cib_notify")?;
        let attr = |name| message.attr(name).map(str::to_owned);
        let patch = message.child("cib_update_result").and_then(Element::first_element);
        let element = message.name().to_owned();
        Ok(Notification {
            op: attr("cib_op").unwrap_or_default(),
            rc: LegacyRc::new(number(message, "cib_rc")?),
            client_id: attr("cib_clientid"),
            client_name: attr("cib_clientname"),
            call_id: attr("cib_callid"),
            origin: attr("src"),
            patch: patch
                .cloned()
                .ok_or(CibMessageError::Attribute { element, attribute: "cib_update_result" })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_as_clients_write_it() {
        let command = Command::new("cib_modify", 3, option::SYNC | option::CAN_CREATE)
            .section("status")
            .data(Element::new("status"));
        assert_eq!(
            command.to_xml().to_string(),
            r#"<cib_command t="cib" cib_op="cib_modify" cib_section="status" cib_callid="3" cib_callopt="4104"><cib_calldata><status/></cib_calldata></cib_command>"#
        );
    }

    #[test]
    fn replies_and_notifications_read_back() {
        let reply = Reply {
            op: "cib_query".into(),
            call_id: 2,
            client_id: Some("c".into()),
            options: option::SYNC,
            rc: LegacyRc::ENXIO,
            data: Some(Element::new("cib")),
        };
        assert_eq!(Reply::from_xml(&reply.to_xml()), Ok(reply));
        let notification = Notification {
            op: "cib_modify".into(),
            rc: LegacyRc::OK,
            client_id: None,
            client_name: Some("crmd".into()),
            call_id: Some("7".into()),
            origin: Some("node1".into()),
            patch: Element::new("diff"),
        };
        assert_eq!(Notification::from_xml(&notification.to_xml()), Ok(notification));
    }

    #[test]
    fn hostile_replies_are_refused_by_name() {
        let refuse = |text: &str| Reply::from_xml(&xml::parse(text).unwrap()).unwrap_err().to_string();
        assert_eq!(refuse("<r t='lrmd'/>"), r#"message <r> is of type Some("lrmd"), expected "cib""#);
        assert_eq!(refuse("<r t='cib' cib_callid='x'/>"), "message <r> has no (or no valid) 'cib_callid'");
    }
}
