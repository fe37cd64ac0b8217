// SPDX-License-Identifier: GPL-2.0-or-later
//! The language of the attribute manager: what its clients ask, and what attribute managers of all nodes tell each
//! other.
//!
//! Decides: which attributes a message has and what a missing one means. Clients and peers share one form: what a client
//! asks is passed on to all peers nearly as it came. Leaves to others: what is done about it (the attribute manager).

use model::ExitCode;
use xml::Element;

/// The protocol version we announce: updates in one message (4), confirmations (5), reaping (6), no flush (7).
pub const PROTOCOL: u32 = 7;

/// The private attribute with which every attribute manager tells its protocol version.
pub const PROTOCOL_ATTRIBUTE: &str = "#attrd-protocol";

/// The first protocol version that takes several updates in one message.
pub const PROTOCOL_MULTIPLE: u32 = 4;

/// The first protocol version that confirms messages.
pub const PROTOCOL_CONFIRM: u32 = 5;

/// The set type of ordinary attributes.
pub const INSTANCE_ATTRIBUTES: &str = "instance_attributes";

/// The set type of utilization attributes.
pub const UTILIZATION: &str = "utilization";

/// What an update is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateKind {
    /// The value.
    #[default]
    Value,
    /// Value and write delay.
    Both,
    /// The write delay only.
    Delay,
}

impl UpdateKind {
    const fn task(self) -> &'static str {
        match self {
            UpdateKind::Value => "update",
            UpdateKind::Both => "update-both",
            UpdateKind::Delay => "update-delay",
        }
    }

    fn from_task(task: &str) -> Option<UpdateKind> {
        match task {
            "update" => Some(UpdateKind::Value),
            "update-both" => Some(UpdateKind::Both),
            "update-delay" => Some(UpdateKind::Delay),
            _ => None,
        }
    }
}

/// When a client that waits is told that its update has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPoint {
    /// When the attribute manager of its own node knows it.
    Local,
    /// When all attribute managers know it.
    Cluster,
}

/// One attribute of one node (or of all that have it), and what becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// What is changed.
    pub kind: UpdateKind,
    /// The attribute's name.
    pub name: Option<String>,
    /// All attributes whose names match this extended regular expression (clients only, instead of a name).
    pub pattern: Option<String>,
    /// The new value; `None` removes it. Clients may say `value++` or `value+=N`.
    pub value: Option<String>,
    /// How long to wait for further changes before it is written: interval text.
    pub dampening: Option<String>,
    /// Which node's. A client's without is its own node's; a peer's without is for all nodes that have it.
    pub host: Option<String>,
    /// That node's id in the CIB.
    pub host_id: Option<String>,
    /// The id of the set it is written into, if not the usual one.
    pub set: Option<String>,
    /// `instance_attributes` (also when missing) or `utilization`.
    pub set_type: Option<String>,
    /// Whose permissions it is written to the CIB with.
    pub user: Option<String>,
    /// The node is a remote node.
    pub is_remote: bool,
    /// Never written to the CIB.
    pub is_private: bool,
    /// To be written by the next writer even if unchanged.
    pub force_write: bool,
    /// What the client waits for.
    pub sync_point: Option<SyncPoint>,
}

impl Update {
    /// Sets an attribute (of the local node unless [`Update::on`] says another).
    pub fn set(name: &str, value: &str) -> Update {
        Update { name: Some(name.to_owned()), value: Some(value.to_owned()), ..Update::default() }
    }

    /// Removes an attribute.
    pub fn unset(name: &str) -> Update {
        Update { name: Some(name.to_owned()), ..Update::default() }
    }

    /// Of that node.
    #[must_use]
    pub fn on(mut self, host: &str) -> Update {
        self.host = Some(host.to_owned());
        self
    }

    fn write(&self, element: &mut Element) {
        element.set_attr("task", self.kind.task());
        element.set_attr_opt("attr_name", self.name.as_ref());
        element.set_attr_opt("attr_regex", self.pattern.as_ref());
        element.set_attr_opt("attr_set_type", self.set_type.as_ref());
        element.set_attr_opt("attr_set", self.set.as_ref());
        element.set_attr_opt("attr_user", self.user.as_ref());
        element.set_attr_opt("attr_host", self.host.as_ref());
        element.set_attr_opt("attr_host_id", self.host_id.as_ref());
        element.set_attr_opt("attr_value", self.value.as_ref());
        element.set_attr_opt("attr_dampening", self.dampening.as_ref());
        element.set_attr("attr_is_private", i32::from(self.is_private));
        element.set_attr("attr_is_remote", i32::from(self.is_remote));
        if self.force_write {
            element.set_attr("attrd_is_force_write", 1);
        }
        let sync_point = self.sync_point.map(|point| match point {
            SyncPoint::Local => "local",
            SyncPoint::Cluster => "cluster",
        });
        element.set_attr_opt("attr_sync_point", sync_point);
    }

    /// What an element lacks is taken from `around`, the message it is in.
    fn read(element: &Element, around: &Element, kind: UpdateKind) -> Update {
        let text = |name| element.attr(name).or_else(|| around.attr(name)).map(str::to_owned);
        let flag =
            |name| text(name).is_some_and(|text| text == "1" || model::parse_bool(&text) == Some(true));
        Update {
            kind: element.attr("task").and_then(UpdateKind::from_task).unwrap_or(kind),
            name: text("attr_name"),
            pattern: text("attr_regex"),
            value: text("attr_value"),
            dampening: text("attr_dampening"),
            host: text("attr_host"),
            host_id: text("attr_host_id"),
            set: text("attr_set"),
            set_type: text("attr_set_type"),
            user: text("attr_user"),
            is_remote: flag("attr_is_remote"),
            is_private: flag("attr_is_private"),
            force_write: flag("attrd_is_force_write"),
            sync_point: match text("attr_sync_point").as_deref() {
                Some("local") => Some(SyncPoint::Local),
                Some("cluster") => Some(SyncPoint::Cluster),
                _ => None,
            },
        }
    }
}

/// Which failures are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClearFailure {
    /// Of which resource; `None` is all.
    pub resource: Option<String>,
    /// Of which operation; `None` is all.
    pub operation: Option<String>,
    /// The operation's interval (interval text); `None` is not recurring.
    pub interval: Option<String>,
    /// On which node; `None` is all.
    pub host: Option<String>,
    /// Whose permissions it is written with.
    pub user: Option<String>,
    /// The node is a remote node.
    pub is_remote: bool,
    /// What the client waits for.
    pub sync_point: Option<SyncPoint>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Client, peer: change these, all or none seen by others in between.
    Update(Vec<Update>),
    /// Client: what is the value?
    Query {
        /// Of which attribute.
        name: Option<String>,
        /// Of which node (`localhost`: this one); `None` is all.
        host: Option<String>,
    },
    /// Client: write everything to the CIB again.
    Refresh,
    /// Client, peer: forget a node's values.
    PeerRemove {
        /// Its name.
        host: Option<String>,
        /// Or its number.
        host_id: Option<String>,
        /// Forget that the node was ever there, too. Missing means yes, as those who do not say it meant it.
        reap: Option<bool>,
    },
    /// Client, peer: forget failures.
    ClearFailure(ClearFailure),
    /// Peer: all the values that the sender knows.
    SyncResponse(Vec<Update>),
    /// Peer: the message with this call id has been dealt with.
    Confirm,
}

impl Body {
    /// The task's name on the wire.
    pub fn task(&self) -> &'static str {
        match self {
            Body::Update(updates) => updates.first().map_or(UpdateKind::Value, |update| update.kind).task(),
            Body::Query { .. } => "query",
            Body::Refresh => "refresh",
            Body::PeerRemove { .. } => "peer-remove",
            Body::ClearFailure(_) => "clear-failure",
            Body::SyncResponse(_) => "sync-response",
            Body::Confirm => "confirm",
        }
    }

    /// What the client that sent it waits for.
    pub fn sync_point(&self) -> Option<SyncPoint> {
        match self {
            Body::Update(updates) => updates.iter().find_map(|update| update.sync_point),
            Body::ClearFailure(clear) => clear.sync_point,
            _ => None,
        }
    }
}

/// A message of a client or a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the sender calls itself: program or node.
    pub src: Option<String>,
    /// What is said.
    pub body: Body,
    /// Peers: the sender's protocol version.
    pub version: Option<u32>,
    /// Peers: the state of the election of the writer, as the sender sees it (3: it is the writer).
    pub writer: Option<i32>,
    /// Peers: the sender wants a [`Body::Confirm`].
    pub confirm: bool,
    /// The number by which the sender knows the client's request again.
    pub call_id: Option<i32>,
}

/// The message is none of the attribute manager's language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttrdError {
    /// It is of another type.
    #[error("message type is {0:?}, expected \"attrd\"")]
    WrongType(Option<String>),
    /// It says not what to do.
    #[error("message has no 'task'")]
    NoTask,
    /// Nobody knows the task.
    #[error("unknown request type '{0}'")]
    UnknownTask(String),
    /// A query's answer names no attribute: there is none of the name.
    #[error("the attribute does not exist")]
    NoSuchAttribute,
}

impl Message {
    /// What a client (`src`) says.
    pub fn new(src: &str, body: Body) -> Message {
        Message {
            src: Some(src.to_owned()),
            body,
            version: None,
            writer: None,
            confirm: false,
            call_id: None,
        }
    }

    /// For the wire. `origin` names what made it, for people who read traces.
    pub fn to_xml(&self, origin: &'static str) -> Element {
        let mut message = Element::new(origin);
        message.set_attr("t", "attrd");
        message.set_attr_opt("src", self.src.as_ref());
        message.set_attr("task", self.body.task());
        match &self.body {
            Body::Update(updates) => match updates.as_slice() {
                [update] => update.write(&mut message),
                updates => updates.iter().for_each(|update| {
                    let mut child = Element::new("op");
                    update.write(&mut child);
                    message.push(child);
                }),
            },
            Body::Query { name, host } => {
                message.set_attr_opt("attr_name", name.as_ref());
                message.set_attr_opt("attr_host", host.as_ref());
            }
            Body::PeerRemove { host, host_id, reap } => {
                message.set_attr_opt("reap", *reap);
                message.set_attr_opt("attr_host", host.as_ref());
                message.set_attr_opt("attr_host_id", host_id.as_ref());
            }
            Body::ClearFailure(clear) => write_clear(clear, &mut message),
            Body::SyncResponse(values) => {
                for value in values {
                    let mut child = Element::new("attrd_add_value_xml");
                    value.write(&mut child);
                    // Without a task, values of a sync response bring their delay with them.
                    child.remove_attr("task");
                    message.push(child);
                }
            }
            Body::Refresh | Body::Confirm => {}
        }
        message.set_attr_opt("call-id", self.call_id);
        message.set_attr_opt("attr_version", self.version);
        if self.confirm {
            message.set_attr("confirm", true);
        }
        message.set_attr_opt("attr_writer", self.writer);
        message
    }

    /// From the wire.
    pub fn from_xml(message: &Element) -> Result<Message, AttrdError> {
        let attr = |name| message.attr(name).map(str::to_owned);
        // Peers of old do not say the type in every message; a wrong one is no message of ours.
        if message.attr("t").is_some_and(|t| t != "attrd") {
            return Err(AttrdError::WrongType(attr("t")));
        }
        let task = message.attr("task").ok_or(AttrdError::NoTask)?;
        let body = match (UpdateKind::from_task(task), task) {
            (Some(kind), _) => Body::Update(read_updates(message, kind)),
            (None, "query") => Body::Query { name: attr("attr_name"), host: attr("attr_host") },
            (None, "refresh") => Body::Refresh,
            (None, "peer-remove") => Body::PeerRemove {
                host: attr("attr_host"),
                host_id: attr("attr_host_id"),
                reap: message.attr("reap").and_then(model::parse_bool),
            },
            (None, "clear-failure") => Body::ClearFailure(read_clear(message)),
            (None, "sync-response") => {
                let bare = Element::new("none");
                let values = message.elements().map(|child| Update::read(child, &bare, UpdateKind::Both));
                Body::SyncResponse(values.collect())
            }
            (None, "confirm") => Body::Confirm,
            (None, unknown) => return Err(AttrdError::UnknownTask(unknown.to_owned())),
        };
        Ok(Message {
            src: attr("src"),
            body,
            version: message.attr("attr_version").and_then(|text| text.parse().ok()),
            writer: message.attr("attr_writer").and_then(|text| text.parse().ok()),
            confirm: message.attr("confirm").and_then(model::parse_bool) == Some(true),
            call_id: message.attr("call-id").and_then(|text| text.parse().ok()),
        })
    }
}

fn read_updates(message: &Element, kind: UpdateKind) -> Vec<Update> {
    if message.first_element().is_none() {
        vec![Update::read(message, message, kind)]
    } else {
        message.elements_named("op").map(|child| Update::read(child, message, kind)).collect()
    }
}

fn write_clear(clear: &ClearFailure, message: &mut Element) {
    message.set_attr_opt("attr_user", clear.user.as_ref());
    message.set_attr_opt("attr_host", clear.host.as_ref());
    message.set_attr_opt("attr_resource", clear.resource.as_ref());
    message.set_attr_opt("attr_clear_operation", clear.operation.as_ref());
    message.set_attr_opt("attr_clear_interval", clear.interval.as_ref());
    message.set_attr("attr_is_remote", i32::from(clear.is_remote));
    let sync_point = clear.sync_point.map(|point| match point {
        SyncPoint::Local => "local",
        SyncPoint::Cluster => "cluster",
    });
    message.set_attr_opt("attr_sync_point", sync_point);
}

fn read_clear(message: &Element) -> ClearFailure {
    // What the two have in common is read the same way.
    let common = Update::read(message, message, UpdateKind::Value);
    let attr = |name| message.attr(name).map(str::to_owned);
    ClearFailure {
        resource: attr("attr_resource"),
        operation: attr("attr_clear_operation"),
        interval: attr("attr_clear_interval"),
        host: common.host,
        user: common.user,
        is_remote: common.is_remote,
        sync_point: common.sync_point,
    }
}

/// The answer to a query: the attribute's values by node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryReply {
    /// The attribute; `None` if there is none of the name.
    pub name: Option<String>,
    /// Node and value.
    pub values: Vec<(String, Option<String>)>,
}

impl QueryReply {
    /// For the wire.
    pub fn to_xml(&self) -> Element {
        let mut reply = Element::new("build_query_reply")
            .with_attr("t", "attrd")
            .with_attr("subt", "query")
            .with_attr("attr_version", PROTOCOL);
        reply.set_attr_opt("attr_name", self.name.as_ref());
        for (host, value) in &self.values {
            let mut node = Element::new("node").with_attr("attr_host", host);
            node.set_attr_opt("attr_value", value.as_ref());
            reply.push(node);
        }
        reply
    }

    /// From the wire. That there is no such attribute is an error.
    pub fn from_xml(reply: &Element) -> Result<QueryReply, AttrdError> {
        if reply.attr("t") != Some("attrd") {
            return Err(AttrdError::WrongType(reply.attr("t").map(str::to_owned)));
        }
        let name = reply.attr("attr_name").ok_or(AttrdError::NoSuchAttribute)?;
        let values = reply.elements_named("node").filter_map(|node| {
            Some((node.attr("attr_host")?.to_owned(), node.attr("attr_value").map(str::to_owned)))
        });
        Ok(QueryReply { name: Some(name.to_owned()), values: values.collect() })
    }
}

/// The `<ack>` of the attribute manager, which tells its protocol version besides the status.
pub fn ack(function: &str, status: ExitCode) -> Element {
    crate::controller::ack(function, status).with_attr("ipc-protocol-version", PROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, AttrdError> {
        Message::from_xml(&xml::parse(text).unwrap())
    }

    #[test]
    fn what_the_stock_tools_send_is_understood() {
        // As `attrd_updater -n ping -U 100 -d 5s` of 3.0.2 sends it.
        let message = read(
            "<create_attrd_op t='attrd' src='attrd_updater' task='update-both' attr_name='ping' \
             attr_set_type='instance_attributes' attr_value='100' attr_dampening='5s' attr_is_remote='0' \
             attr_is_private='0'/>",
        )
        .unwrap();
        let Body::Update(updates) = &message.body else { panic!("{message:?}") };
        assert_eq!(updates.len(), 1);
        assert_eq!(updates[0].kind, UpdateKind::Both);
        assert_eq!((updates[0].name.as_deref(), updates[0].value.as_deref()), (Some("ping"), Some("100")));
        assert_eq!(updates[0].dampening.as_deref(), Some("5s"));
        assert_eq!(updates[0].host, None);
    }

    #[test]
    fn several_updates_take_what_they_lack_from_the_message() {
        let message = read(
            "<m t='attrd' task='update' attr_user='u' attr_host='n1'><op task='update' attr_name='a' \
             attr_value='1'/><op attr_name='b' attr_host='n2'/></m>",
        )
        .unwrap();
        let Body::Update(updates) = &message.body else { panic!("{message:?}") };
        assert_eq!(updates[0].host.as_deref(), Some("n1"));
        assert_eq!(updates[1].host.as_deref(), Some("n2"));
        assert_eq!((updates[1].user.as_deref(), updates[1].value.as_deref()), (Some("u"), None));
    }

    #[test]
    fn messages_survive_the_wire() {
        let two = vec![Update::set("a", "1").on("n1"), Update::unset("b").on("n2")];
        let clear = ClearFailure { resource: Some("db".into()), ..ClearFailure::default() };
        let value =
            Update { kind: UpdateKind::Both, dampening: Some("0".into()), ..Update::set("a", "1").on("n1") };
        for body in [
            Body::Update(vec![Update::set("a", "value++").on("n1")]),
            Body::Update(two),
            Body::Query { name: Some("a".into()), host: None },
            Body::Refresh,
            Body::PeerRemove { host: Some("n1".into()), host_id: None, reap: Some(false) },
            Body::ClearFailure(clear),
            Body::SyncResponse(vec![value]),
            Body::Confirm,
        ] {
            let message = Message { call_id: Some(4), writer: Some(3), ..Message::new("me", body) };
            assert_eq!(Message::from_xml(&message.to_xml("test")), Ok(message));
        }
    }

    #[test]
    fn hostile_messages_are_refused_by_name() {
        assert_eq!(read("<m t='cib' task='update'/>"), Err(AttrdError::WrongType(Some("cib".into()))));
        assert_eq!(read("<m t='attrd'/>"), Err(AttrdError::NoTask));
        assert_eq!(
            read("<m t='attrd' task='flush'/>").unwrap_err().to_string(),
            "unknown request type 'flush'"
        );
    }

    #[test]
    fn an_answer_without_a_name_means_there_is_none() {
        let none = QueryReply { name: None, values: Vec::new() };
        assert_eq!(QueryReply::from_xml(&none.to_xml()), Err(AttrdError::NoSuchAttribute));
        let some = QueryReply {
            name: Some("a".into()),
            values: vec![("n1".into(), Some("1".into())), ("n2".into(), None)],
        };
        assert_eq!(QueryReply::from_xml(&some.to_xml()), Ok(some));
    }
}
