// SPDX-License-Identifier: GPL-2.0-or-later
//! Several CIB managers at once, as clients and each other see them.

use super::{Based, Config, Effect, Event};
use ::cib::acl::Groups;
use ::cib::patch;
use messages::cib::{Command, DIFF_NOTIFY, Notification, Reply, option, register, subscribe, transaction};
use messages::core::{
    ClientId, ClusterNode, Core, Credentials, EffectId, Input, Level, Member, Membership, Output,
};
use model::{ExitCode, Instant, LegacyRc, Now, Profile, WallTime};
use std::collections::VecDeque;
use std::time::Duration;
use xml::{Element, Escaping, digest_v2};

/// Nodes with a manager each, and the cluster between them: one order for all, delivered when asked for.
struct Cluster {
    nodes: Vec<Node>,
    order: VecDeque<(usize, Option<String>, Element)>,
    now: Duration,
}

struct Node {
    core: Based,
    name: String,
    /// What clients heard: who, the number of the request if it is a response, what, and what it had to wait for.
    heard: Vec<(ClientId, Option<i32>, Element, Option<EffectId>)>,
    effects: Vec<EffectId>,
    written: Vec<Element>,
    looked_up: Vec<(EffectId, Vec<String>)>,
    logged: Vec<(Level, String)>,
    hung_up: Vec<ClientId>,
    exit: Option<ExitCode>,
    call: i32,
}

fn config(cib: Element) -> Config {
    Config {
        profile: Profile::V3_0,
        cib,
        warnings: Vec::new(),
        writes_at_start: false,
        writes: true,
        stand_alone: false,
        node_name: None,
        utc_offset_secs: 0,
        groups: Groups::default(),
    }
}

const CLIENT: ClientId = ClientId(1);

fn credentials(user: &str, privileged: bool) -> Credentials {
    Credentials { uid: 0, gid: 0, pid: 42, user: user.into(), privileged }
}

impl Cluster {
    fn of(configs: Vec<Config>) -> Cluster {
        let nodes = configs.into_iter().enumerate().map(|(index, config)| Node {
            core: Based::new(config),
            name: format!("node{}", index + 1),
            heard: Vec::new(),
            effects: Vec::new(),
            written: Vec::new(),
            looked_up: Vec::new(),
            logged: Vec::new(),
            hung_up: Vec::new(),
            exit: None,
            call: 0,
        });
        Cluster { nodes: nodes.collect(), order: VecDeque::new(), now: Duration::from_secs(100) }
    }

    /// All with an empty CIB, joined, each with a client that may do anything.
    fn joined(count: usize) -> Cluster {
        let configs = (0..count).map(|_| config(::cib::empty(Profile::V3_0))).collect();
        let mut cluster = Cluster::of(configs);
        for index in 0..count {
            cluster.join(index);
            cluster.connect(index, "cib_rw");
        }
        cluster
    }

    fn node(&self, index: usize) -> ClusterNode {
        ClusterNode { id: index as u32 + 1, name: self.nodes[index].name.as_str().into() }
    }

    fn join(&mut self, index: usize) {
        let members = (0..self.nodes.len()).map(|index| Member {
            node: self.node(index),
            is_member: true,
            in_group: true,
        });
        let membership = Membership { generation: 1, quorate: true, nodes: members.collect() };
        self.feed(index, Input::ClusterJoined { local: self.node(index) });
        self.feed(index, Input::Membership(membership));
    }

    fn connect(&mut self, index: usize, channel: &'static str) {
        let credentials = credentials("root", true);
        self.feed(index, Input::ClientConnected { client: CLIENT, channel, credentials });
    }

    fn feed(&mut self, index: usize, input: Input<Event>) {
        let now = Now {
            instant: Instant::since_origin(self.now),
            wall: WallTime::from_secs(self.now.as_secs() as i64),
            cpu: Duration::ZERO,
        };
        let node = &mut self.nodes[index];
        node.core.handle(now, input);
        while let Some(output) = node.core.poll() {
            match output {
                Output::Respond { client, request, message, after } => {
                    node.heard.push((client, Some(request), message, after));
                }
                Output::Event { client, message, after } => node.heard.push((client, None, message, after)),
                Output::Disconnect { client } => node.hung_up.push(client),
                Output::Send { to, message, after } => {
                    assert!(after.is_none());
                    // As it travels.
                    let message = xml::parse(&message.to_string()).unwrap();
                    self.order.push_back((index, to.map(|to| to.to_string()), message));
                }
                Output::Log { level, text } => node.logged.push((level, text)),
                Output::Effect { id, effect: Effect::Persist { cib, .. } } => {
                    node.effects.push(id);
                    node.written.push(cib);
                }
                Output::Effect { id, effect: Effect::LookUpGroups(names) } => {
                    node.looked_up.push((id, names))
                }
                Output::Exit { code } => node.exit = Some(code),
                Output::Call { .. } => panic!("a CIB manager is nobody's client"),
            }
        }
    }

    /// Delivers what was said, in one order to all.
    fn deliver(&mut self) {
        while let Some((from, to, message)) = self.order.pop_front() {
            let from = self.node(from);
            for index in 0..self.nodes.len() {
                if to.as_ref().is_none_or(|to| *to == self.nodes[index].name) {
                    let (from, message) = (from.clone(), message.clone());
                    self.feed(index, Input::ClusterMessage { from, message });
                }
            }
        }
    }

    /// A client's message; the number it was given as a request.
    fn say(&mut self, index: usize, message: Element, wants_response: bool) -> i32 {
        self.nodes[index].call += 1;
        let request = self.nodes[index].call;
        self.feed(index, Input::ClientMessage { client: CLIENT, request, wants_response, message });
        request
    }

    /// A command that is waited for; its answer.
    fn call(&mut self, index: usize, command: Command) -> Reply {
        let command = Command { options: command.options | option::SYNC, ..command };
        self.nodes[index].heard.clear();
        let request = self.say(index, command.to_xml(), true);
        self.deliver();
        let answers = self.nodes[index].heard.iter().filter(|(_, number, ..)| *number == Some(request));
        let answers: Vec<_> = answers.collect();
        assert_eq!(answers.len(), 1, "{:?}", self.nodes[index].heard);
        Reply::from_xml(&answers[0].2).unwrap()
    }

    fn pass(&mut self, span: Duration) {
        self.now += span;
        for index in 0..self.nodes.len() {
            let due = self.nodes[index].core.next_timeout();
            if due.is_some_and(|due| due <= Instant::since_origin(self.now)) {
                self.feed(index, Input::Tick);
            }
        }
        self.deliver();
    }

    fn digests(&self) -> Vec<String> {
        self.nodes.iter().map(|node| digest_v2(node.core.cib(), Escaping::Modern)).collect()
    }

    fn agree(&self) -> bool {
        self.digests().windows(2).all(|pair| pair[0] == pair[1])
    }
}

fn create(id: &str) -> Command {
    let data =
        Element::new("primitive").with_attr("id", id).with_attr("class", "lsb").with_attr("type", "dummy");
    Command::new("cib_create", 7, option::NONE).section("resources").data(data)
}

#[test]
fn a_client_registers_subscribes_and_reads() {
    let mut cluster = Cluster::joined(1);
    cluster.say(0, register("cibadmin", 1), true);
    let (_, request, answer, _) = cluster.nodes[0].heard.pop().unwrap();
    assert_eq!(
        (request, answer.attr("cib_op"), answer.attr("cib_clientid").map(str::len)),
        (Some(1), Some("register"), Some(36))
    );
    cluster.say(0, subscribe(DIFF_NOTIFY, true), true);
    assert_eq!(cluster.nodes[0].heard.pop().unwrap().2.attr("status"), Some("0"));
    cluster.say(0, subscribe("weather", true), true);
    assert_eq!(cluster.nodes[0].heard.pop().unwrap().2.attr("status"), Some("2"));
    let reply = cluster.call(0, Command::new("cib_query", 5, option::NONE).section("nodes"));
    assert_eq!((reply.rc, reply.call_id, reply.data), (LegacyRc::OK, 5, Some(Element::new("nodes"))));
    // Without waiting, the answer is an event.
    cluster.say(0, Command::new("cib_query", 6, option::NONE).to_xml(), false);
    let (_, request, answer, _) = cluster.nodes[0].heard.pop().unwrap();
    assert_eq!((request, answer.attr("cib_callid")), (None, Some("6")));
}

#[test]
fn a_change_is_done_by_all_and_answered_by_one() {
    let mut cluster = Cluster::joined(3);
    cluster.say(1, subscribe(DIFF_NOTIFY, true), true);
    let before = cluster.nodes[1].core.cib().clone();
    cluster.nodes[1].heard.clear();
    let reply = cluster.call(0, create("p"));
    assert_eq!((reply.rc, reply.op.as_str(), reply.call_id), (LegacyRc::OK, "cib_create", 7));
    assert!(cluster.agree());
    let cib = cluster.nodes[2].core.cib();
    assert_eq!(
        (cib.attr("epoch"), cib.attr("update-origin"), cib.attr("update-user")),
        (Some("1"), Some("node1"), Some("root"))
    );
    // The other node's subscriber can follow by the patch, and nobody else is answered.
    let heard = &cluster.nodes[1].heard;
    assert_eq!(heard.len(), 1);
    let notification = Notification::from_xml(&heard[0].2).unwrap();
    assert_eq!((notification.op.as_str(), notification.origin.as_deref()), ("cib_create", Some("node1")));
    let followed = patch::apply(&before, &notification.patch, Escaping::Modern).unwrap().cib;
    assert_eq!(digest_v2(&followed, Escaping::Modern), cluster.digests()[0]);
    assert!(cluster.nodes[2].heard.is_empty());
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_disk() {
    let mut cluster = Cluster::joined(1);
    cluster.call(0, create("p"));
    let effect = *cluster.nodes[0].effects.last().unwrap();
    assert_eq!(cluster.nodes[0].heard.last().unwrap().3, Some(effect));
    assert!(cluster.nodes[0].written.last().unwrap().descendants().any(|e| e.id() == Some("p")));
    // Status is not for the disk.
    let status = Element::new("node_state").with_attr("id", 1);
    let update = Command::new("cib_modify", 8, option::CAN_CREATE).section("status").data(status);
    assert!(cluster.call(0, update).rc.is_ok());
    assert_eq!((cluster.nodes[0].effects.len(), cluster.nodes[0].heard.last().unwrap().3), (1, None));
    cluster.feed(0, Input::Done { effect, event: Event::Persisted(Err("disk full".into())) });
    assert!(
        cluster.nodes[0]
            .logged
            .iter()
            .any(|(level, text)| *level == Level::Error && text.contains("disk full"))
    );
}

#[test]
fn refusals_are_the_same_everywhere_and_change_nothing() {
    let mut cluster = Cluster::joined(2);
    assert!(cluster.call(0, create("p")).rc.is_ok());
    let reply = cluster.call(1, create("p"));
    assert_eq!(
        (reply.rc, reply.data.map(|data| data.name().to_owned())),
        (LegacyRc::EEXIST, Some("failed".into()))
    );
    let dangling =
        Element::new("rsc_location").with_attr("id", "l").with_attr("rsc", "ghost").with_attr("node", "n");
    let reply =
        cluster.call(1, Command::new("cib_create", 9, option::NONE).section("constraints").data(dangling));
    assert_eq!(reply.rc, LegacyRc::SCHEMA_VALIDATION);
    assert_eq!(cluster.call(0, Command::new("cib_paint", 9, option::NONE)).rc, LegacyRc::EINVAL);
    assert!(cluster.agree());
    assert_eq!(cluster.nodes[0].core.cib().attr("epoch"), Some("1"));
}

#[test]
fn readers_may_not_write() {
    let mut cluster = Cluster::of(vec![config(::cib::empty(Profile::V3_0))]);
    cluster.join(0);
    cluster.connect(0, "cib_ro");
    assert_eq!(cluster.call(0, create("p")).rc, LegacyRc::EACCES);
    assert_eq!(cluster.call(0, Command::new("cib_master", 2, option::NONE)).rc, LegacyRc::EACCES);
    assert!(cluster.call(0, Command::new("cib_query", 3, option::NONE)).rc.is_ok());
    assert!(cluster.order.is_empty());
}

#[test]
fn who_is_not_privileged_speaks_for_himself_only() {
    let mut cluster = Cluster::of(vec![config(::cib::empty(Profile::V3_0))]);
    cluster.join(0);
    let credentials = credentials("alice", false);
    cluster.feed(0, Input::ClientConnected { client: CLIENT, channel: "cib_rw", credentials });
    let mut command = create("p");
    command.user = Some("root".into());
    assert!(cluster.call(0, command).rc.is_ok());
    assert_eq!(cluster.nodes[0].core.cib().attr("update-user"), Some("alice"));
    // Nor can a client pass for a manager.
    let forged = Command::new("cib_replace", 4, option::SYNC).data(::cib::empty(Profile::V3_0)).to_xml();
    cluster.say(0, forged.with_attr("cib_update", true), true);
    cluster.deliver();
    let reply = Reply::from_xml(&cluster.nodes[0].heard.last().unwrap().2).unwrap();
    assert_eq!(reply.rc, LegacyRc::OLD_DATA);
}

#[test]
fn a_fresh_node_is_synced_and_never_wins() {
    let mut cluster = Cluster::joined(1);
    cluster.call(0, create("p"));
    let old = cluster.nodes.remove(0).core.cib().clone();
    let mut cluster = Cluster::of(vec![config(::cib::empty(Profile::V3_0)), config(old)]);
    for index in 0..2 {
        cluster.join(index);
        cluster.connect(index, "cib_rw");
    }
    // The DC (here the fresh node) asks the node with the best CIB to send it to all.
    let reply = cluster.call(0, Command::new("cib_sync", 3, option::NONE).host("node2"));
    assert_eq!((reply.rc, reply.op.as_str()), (LegacyRc::OK, "cib_replace"));
    assert!(cluster.agree());
    assert!(cluster.nodes[0].core.cib().descendants().any(|e| e.id() == Some("p")));
    assert_eq!(cluster.nodes[0].core.cib().attr("epoch"), Some("1"));
    assert_eq!(cluster.nodes[0].written.len(), 1);
    // Had the fresh one been asked, the other would have refused.
    let mut cluster =
        Cluster::of(vec![config(::cib::empty(Profile::V3_0)), config(cluster.nodes[1].core.cib().clone())]);
    for index in 0..2 {
        cluster.join(index);
        cluster.connect(index, "cib_rw");
    }
    let reply = cluster.call(1, Command::new("cib_sync", 3, option::NONE).host("node1"));
    assert_eq!(reply.rc, LegacyRc::OLD_DATA);
    assert!(cluster.nodes[1].core.cib().descendants().any(|e| e.id() == Some("p")));
}

#[test]
fn syncing_to_all_from_here_is_answered_when_it_is_done() {
    let mut cluster = Cluster::joined(2);
    cluster.nodes[0].core.cib = ::cib::empty(Profile::V3_0).with_attr("epoch", 5);
    cluster.nodes[0].heard.clear();
    let sync = Command::new("cib_sync", 3, option::SYNC).host("node1").to_xml();
    cluster.say(0, sync, true);
    assert!(cluster.nodes[0].heard.is_empty());
    cluster.deliver();
    assert_eq!(Reply::from_xml(&cluster.nodes[0].heard[0].2).unwrap().rc, LegacyRc::OK);
    assert!(cluster.agree());
    assert_eq!(cluster.nodes[1].core.cib().attr("epoch"), Some("5"));
}

#[test]
fn a_cib_that_went_astray_is_found_and_mended() {
    let mut cluster = Cluster::joined(3);
    assert!(cluster.call(0, Command::new("cib_master", 2, option::NONE)).rc.is_ok());
    assert!(cluster.call(0, create("p")).rc.is_ok());
    cluster.nodes[2].core.cib.set_attr("have-quorum", 1);
    assert!(!cluster.agree());
    cluster.pass(Duration::from_secs(5));
    assert!(cluster.agree());
    let notices = cluster.nodes[0].logged.iter().filter(|(_, text)| text.contains("differs from node3"));
    assert_eq!(notices.count(), 1);
    // Equal ones are left alone, and one question is enough.
    let said = cluster.nodes[0].logged.len();
    cluster.pass(Duration::from_secs(60));
    assert!(cluster.nodes[0].logged[said..].iter().all(|(_, text)| !text.contains("differs")));
}

#[test]
fn a_transaction_is_whole_on_all_nodes() {
    let mut cluster = Cluster::joined(2);
    let state = |n: i32| Element::new("node_state").with_attr("id", n);
    let commands = |last: &str| {
        let modify = Command::new("cib_modify", 0, option::CAN_CREATE).section("status").data(state(1));
        let last = Command::new(last, 0, option::XPATH).section("//node_state[@id='2']");
        Command::new("cib_commit_transact", 4, option::NONE).data(transaction([modify, last]))
    };
    assert!(cluster.call(0, commands("cib_delete")).rc.is_ok());
    assert!(cluster.agree());
    assert!(cluster.nodes[1].core.cib().child("status").unwrap().child_with_id("node_state", "1").is_some());
    let before = cluster.digests();
    assert_eq!(cluster.call(0, commands("cib_master")).rc, LegacyRc::EOPNOTSUPP);
    assert_eq!(cluster.digests(), before);
}

#[test]
fn requests_before_the_cluster_is_there_wait() {
    let mut cluster = Cluster::of(vec![config(::cib::empty(Profile::V3_0))]);
    cluster.connect(0, "cib_rw");
    cluster.say(0, create("p").to_xml(), false);
    assert!(cluster.nodes[0].heard.is_empty() && cluster.order.is_empty());
    assert!(cluster.call(0, Command::new("cib_query", 2, option::NONE)).rc.is_ok());
    cluster.nodes[0].heard.clear();
    cluster.join(0);
    cluster.deliver();
    assert_eq!(Reply::from_xml(&cluster.nodes[0].heard[0].2).unwrap().rc, LegacyRc::OK);
}

#[test]
fn alone_it_does_everything_itself() {
    let alone =
        Config { stand_alone: true, node_name: Some("solo".into()), ..config(::cib::empty(Profile::V3_0)) };
    let mut cluster = Cluster::of(vec![alone]);
    cluster.connect(0, "cib_rw");
    assert!(cluster.call(0, create("p")).rc.is_ok());
    assert_eq!(cluster.nodes[0].core.cib().attr("update-origin"), Some("solo"));
    assert!(cluster.call(0, Command::new("cib_ismaster", 3, option::NONE)).rc.is_ok());
    assert_eq!(cluster.call(0, Command::new("cib_sync", 4, option::NONE)).rc, LegacyRc::ENOTCONN);
    assert!(cluster.order.is_empty());
}

#[test]
fn an_upgrade_is_decided_by_the_primary_for_all() {
    let old = ::cib::empty(Profile::V3_0).with_attr("validate-with", "pacemaker-3.2");
    let mut cluster = Cluster::of(vec![config(old.clone()), config(old)]);
    for index in 0..2 {
        cluster.join(index);
        cluster.connect(index, "cib_rw");
    }
    cluster.call(1, Command::new("cib_master", 1, option::NONE));
    assert!(cluster.call(0, Command::new("cib_upgrade", 2, option::NONE)).rc.is_ok());
    assert!(cluster.agree());
    assert_eq!(cluster.nodes[0].core.cib().attr("validate-with"), Some("pacemaker-4.0"));
    let again = cluster.call(0, Command::new("cib_upgrade", 3, option::NONE));
    assert_eq!(again.rc.value(), -211);
}

#[test]
fn an_invalid_cib_is_shown_but_not_touched() {
    let mut broken = ::cib::empty(Profile::V3_0);
    broken.child_mut("configuration").unwrap().push(Element::new("zoo"));
    let mut cluster = Cluster::of(vec![config(broken)]);
    cluster.join(0);
    cluster.connect(0, "cib_rw");
    let reply = cluster.call(0, create("p"));
    assert_eq!((reply.rc, reply.data.is_some()), (LegacyRc::SCHEMA_VALIDATION, true));
    assert!(
        cluster.nodes[0]
            .logged
            .iter()
            .any(|(_, text)| text.contains("<zoo> is not expected in <configuration>"))
    );
}

#[test]
fn it_ends_when_a_peer_has_heard_of_it_and_all_is_on_disk() {
    let mut cluster = Cluster::joined(2);
    cluster.call(0, create("p"));
    let effect = cluster.nodes[0].effects[0];
    cluster.feed(0, Input::Shutdown);
    assert_eq!(cluster.nodes[0].hung_up, [CLIENT]);
    assert_eq!(cluster.nodes[0].exit, None);
    cluster.deliver();
    assert_eq!(cluster.nodes[0].exit, None);
    cluster.feed(0, Input::Done { effect, event: Event::Persisted(Ok(())) });
    assert_eq!((cluster.nodes[0].exit, cluster.nodes[1].exit), (Some(ExitCode::OK), None));
    cluster.connect(0, "cib_rw");
    assert_eq!(cluster.nodes[0].hung_up.len(), 2);
}

#[test]
fn it_ends_at_once_when_alone_and_after_a_while_when_nobody_answers() {
    let mut cluster = Cluster::joined(1);
    cluster.feed(0, Input::Shutdown);
    assert_eq!(cluster.nodes[0].exit, Some(ExitCode::OK));
    let mut cluster = Cluster::joined(2);
    cluster.feed(0, Input::Shutdown);
    cluster.order.clear();
    cluster.pass(Duration::from_secs(10));
    assert_eq!(cluster.nodes[0].exit, Some(ExitCode::ERROR));
    cluster.feed(1, Input::ClusterLost);
    assert_eq!(cluster.nodes[1].exit, Some(ExitCode::DISCONNECT));
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut cluster = Cluster::joined(1);
    let before = cluster.digests();
    for text in [
        "<x/>",
        "<x cib_op='cib_modify'/>",
        "<x cib_op='cib_query' cib_callopt='-5' cib_callid='x'/>",
        "<x cib_op='cib_delete' cib_callopt='2' cib_section='//['/>",
        "<x cib_op='cib_replace' digest='0'><cib_calldata><cib/></cib_calldata></x>",
        "<x cib_op='cib_apply_diff'><cib_calldata><diff format='2'><version><source/></version></diff></cib_calldata></x>",
        "<x cib_op='cib_commit_transact'><cib_calldata><zoo/></cib_calldata></x>",
        "<x cib_op='cib_modify' cib_callopt='1024'/>",
        "<x cib_op='ping' cib_isreplyto='node1'><cib_calldata><p/></cib_calldata></x>",
        "<x cib_op='cib_shutdown_req' cib_isreplyto='node1'/>",
        "<x cib_op='cib_upgrade' cib_upgrade_rc='7' cib_isreplyto='node1'/>",
    ] {
        let message = xml::parse(text).unwrap();
        cluster.say(0, message.clone(), true);
        let from = ClusterNode { id: 9, name: "stranger".into() };
        cluster.feed(0, Input::ClusterMessage { from, message });
        cluster.deliver();
        assert_eq!(cluster.digests(), before, "{text}");
        assert_eq!(cluster.nodes[0].exit, None);
    }
    cluster.feed(
        0,
        Input::ClientMessage {
            client: ClientId(99),
            request: 1,
            wants_response: true,
            message: Element::new("x"),
        },
    );
}

/// What can be read, but makes no sense, is refused by all nodes alike.
#[test]
fn requests_that_make_no_sense_change_nothing_on_any_node() {
    let mut cluster = Cluster::joined(2);
    assert!(cluster.call(0, create("a")).rc.is_ok());
    let before = cluster.digests();
    let command = |op: &str, section: &str, data: &str| {
        Command::new(op, 7, option::CAN_CREATE).section(section).data(xml::parse(data).unwrap())
    };
    let diff = |from: &str, to: &str, change: &str| {
        let [source, target] =
            [from, to].map(|epoch| format!("admin_epoch='0' epoch='{epoch}' num_updates='0'"));
        let version = format!("<version><source {source}/><target {target}/></version>");
        command("cib_apply_diff", "all", &format!("<diff format='2'>{version}{change}</diff>"))
    };
    let nowhere = "<change operation='modify' path='/cib/zoo'><change-list/><change-result><zoo/></change-result></change>";
    let dangling = "<rsc_location id='l' rsc='ghost' node='n1' score='1'/>";
    let twice = "<tags><tag id='t'><obj_ref id='a'/></tag><tag id='t'><obj_ref id='a'/></tag></tags>";
    let taken = "<primitive id='b' class='lsb' type='x'><meta_attributes id='a'/></primitive>";
    // As deep as can be read in its envelope, and too deep for where it is to go.
    let deep = "<x>".repeat(245) + &"</x>".repeat(245);
    let steps = (0..300).map(|number| create(&format!("t{number}"))).chain([create("a")]);
    for (command, rc) in [
        (command("cib_create", "constraints", dangling), LegacyRc::SCHEMA_VALIDATION),
        (command("cib_modify", "constraints", dangling), LegacyRc::SCHEMA_VALIDATION),
        (command("cib_create", "configuration", twice), LegacyRc::SCHEMA_VALIDATION),
        (command("cib_create", "resources", taken), LegacyRc::SCHEMA_VALIDATION),
        (command("cib_modify", "cib", "<cib epoch='99999999999999999999'/>"), LegacyRc::OLD_DATA),
        (command("cib_modify", "cib", "<cib epoch='-1'/>"), LegacyRc::OLD_DATA),
        (diff("7", "8", ""), LegacyRc::DIFF_FAILED),
        (diff("0", "1", ""), LegacyRc::OLD_DATA),
        (diff("1", "99999999999999999999", ""), LegacyRc::EINVAL),
        (diff("1", "2", nowhere), LegacyRc::DIFF_FAILED),
        (command("cib_modify", "status", &deep), LegacyRc::EINVAL),
        (Command::new("cib_commit_transact", 7, option::NONE).data(transaction(steps)), LegacyRc::EEXIST),
    ] {
        let shown: String = command.to_xml().to_string().chars().take(300).collect();
        let reply = cluster.call(0, command);
        assert_eq!(reply.rc, rc, "{shown}");
        assert_eq!(cluster.digests(), before, "{shown}");
    }
    // And it goes on.
    assert!(cluster.call(1, create("b")).rc.is_ok());
    assert!(cluster.agree());
}

/// A CIB in which `olaf` may read, and members of `admins` may do anything.
fn with_acls() -> Element {
    xml::parse(
        "<cib admin_epoch='0' epoch='1' num_updates='0' validate-with='pacemaker-3.9'><configuration><crm_config>\
         <cluster_property_set id='o'><nvpair id='e' name='enable-acl' value='true'/></cluster_property_set></crm_config><nodes/>\
         <resources/><constraints/><acls><acl_role id='see'><acl_permission id='p1' kind='read' xpath='/cib'/></acl_role>\
         <acl_role id='do'><acl_permission id='p2' kind='write' xpath='/cib'/></acl_role><acl_target id='olaf'><role id='see'/>\
         </acl_target></acls></configuration><status/></cib>",
    )
    .unwrap()
}

/// Two nodes with that CIB, and on the first a client of this user.
fn cluster_with_acls(user: &str, privileged: bool) -> Cluster {
    let mut cluster = Cluster::of(vec![config(with_acls()), config(with_acls())]);
    cluster.join(0);
    cluster.join(1);
    let credentials = credentials(user, privileged);
    cluster.feed(0, Input::ClientConnected { client: CLIENT, channel: "cib_rw", credentials });
    cluster.connect(1, "cib_rw");
    cluster
}

fn new_node() -> Command {
    Command::new("cib_create", 0, option::NONE)
        .section("nodes")
        .data(xml::parse("<node id='1' uname='n1'/>").unwrap())
}

#[test]
fn a_user_under_acls_is_held_to_them_on_all_nodes() {
    let mut cluster = cluster_with_acls("olaf", false);
    let seen = cluster.call(0, Command::new("cib_query", 0, option::NONE));
    assert_eq!((seen.rc, seen.data.map(|cib| cib.name().to_owned())), (LegacyRc::OK, Some("cib".to_owned())));
    // Claiming to be somebody else does not help an unprivileged client.
    for user in [None, Some("root".to_owned()), Some("hacluster".to_owned())] {
        let refused = cluster.call(0, Command { user, ..new_node() });
        assert_eq!(refused.rc, LegacyRc::EACCES);
    }
    for node in &cluster.nodes {
        assert_eq!(*node.core.cib(), with_acls());
    }
    let mut cluster = cluster_with_acls("stranger", false);
    assert_eq!(cluster.call(0, Command::new("cib_query", 0, option::NONE)).rc, LegacyRc::EACCES);
}

#[test]
fn a_privileged_client_may_speak_for_a_user_and_has_then_their_rights() {
    let mut cluster = cluster_with_acls("root", true);
    let refused = cluster.call(0, Command { user: Some("olaf".to_owned()), ..new_node() });
    assert_eq!(refused.rc, LegacyRc::EACCES);
    assert_eq!(cluster.call(0, new_node()).rc, LegacyRc::OK);
}

#[test]
fn groups_are_looked_up_when_acls_speak_of_them() {
    let mut cluster = cluster_with_acls("root", true);
    let group = "<acl_group id='admins'><role id='do'/></acl_group>";
    let group = Command::new("cib_create", 0, option::NONE).section("acls").data(xml::parse(group).unwrap());
    assert_eq!(cluster.call(0, group).rc, LegacyRc::OK);
    for node in &cluster.nodes {
        assert_eq!(node.looked_up.len(), 1);
        assert_eq!(node.looked_up[0].1, ["admins"]);
    }
    let ada = || Command { user: Some("ada".to_owned()), ..new_node() };
    let olaf = || Command { user: Some("olaf".to_owned()), ..Command::new("cib_query", 0, option::NONE) };
    assert_eq!(cluster.call(0, ada()).rc, LegacyRc::EACCES);
    assert_eq!(cluster.call(0, olaf()).rc, LegacyRc::EACCES, "he might be in a group that may less");
    for index in 0..2 {
        let effect = cluster.nodes[index].looked_up[0].0;
        let event = Event::Groups(vec![("admins".to_owned(), vec!["ada".to_owned()])]);
        cluster.feed(index, Input::Done { effect, event });
    }
    assert_eq!(cluster.call(0, ada()).rc, LegacyRc::OK);
    assert_eq!(cluster.call(0, olaf()).rc, LegacyRc::OK);
    // They are not believed for ever.
    let before = cluster.nodes[0].looked_up.len();
    cluster.pass(Duration::from_secs(61));
    assert_eq!(cluster.call(0, olaf()).rc, LegacyRc::OK);
    assert_eq!(cluster.nodes[0].looked_up.len(), before + 1);
}

#[test]
fn a_client_without_privilege_changes_nothing() {
    let mut cluster = Cluster::joined(1);
    let other = ClientId(7);
    let credentials = credentials("olaf", false);
    cluster.feed(0, Input::ClientConnected { client: other, channel: "cib_ro", credentials });
    let before = cluster.nodes[0].core.cib().clone();
    let operations = [
        "cib_apply_diff",
        "cib_bump",
        "cib_commit_transact",
        "cib_create",
        "cib_delete",
        "cib_erase",
        "cib_master",
        "cib_modify",
        "cib_replace",
        "cib_slave",
        "cib_shutdown_req",
        "cib_sync",
        "cib_upgrade",
        "cib_ismaster",
        "cib_delete_alt",
    ];
    for operation in operations {
        cluster.nodes[0].heard.clear();
        let message = Command::new(operation, 5, option::SYNC).data(with_acls()).to_xml();
        cluster.feed(0, Input::ClientMessage { client: other, request: 9, wants_response: true, message });
        cluster.deliver();
        let answer = cluster.nodes[0].heard.iter().find(|(client, ..)| *client == other);
        let reply = Reply::from_xml(&answer.unwrap().2).unwrap();
        assert_eq!(reply.rc, LegacyRc::EACCES, "{operation}");
    }
    assert!(cluster.nodes[0].core.cib().ptr_eq(&before));
}
