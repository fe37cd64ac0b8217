// SPDX-License-Identifier: GPL-2.0-or-later
//! Which devices a fencer knows, from where, and what it answers about them.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests count as tests

mod world;

use messages::core::{ClientId, ClusterNode, Input};
use messages::fencer::{
    ActionResult, Command, Device, OpState, QueryReply, Request, SupportFlags, Topic, options,
};
use model::{ExecStatus, ExitCode};
use world::{World, all_but, configuration, device, failed};

const ALL: &[(&str, &str)] = &[("pcmk_host_list", "n1 n2")];

fn devices(world: &mut World, name: &str, client: ClientId, target: Option<&str>) -> Vec<String> {
    let request = Request::Query { target: target.map(str::to_owned), action: Some("off".into()) };
    let command = Command::new(request, 900, options::SYNC, 20);
    world.pass(0);
    let answer = world.call(name, client, command).unwrap();
    QueryReply::from_xml(&answer).unwrap().devices.into_iter().map(|device| device.id).collect()
}

fn registered(id: &str) -> Request {
    let parameters = [("pcmk_host_list".to_owned(), "n1 n2".to_owned())];
    let (namespace, provides) = (None, None);
    Request::RegisterDevice(Device {
        id: id.into(),
        agent: format!("fence_{id}"),
        namespace,
        provides,
        parameters: parameters.into(),
    })
}

#[test]
fn devices_follow_the_cib() {
    let mut world = World::new(2, configuration(&(device("a", ALL) + &device("b", ALL)), "")).start();
    let client = world.connect("n1", 1, true);
    assert_eq!(devices(&mut world, "n1", client, None), ["a", "b"]);
    assert_eq!(devices(&mut world, "n1", client, Some("n2")), ["a", "b"]);
    assert!(devices(&mut world, "n1", client, Some("n9")).is_empty());
    let ban = "<constraints><rsc_location id='l' rsc='b' node='n1' score='-INFINITY'/></constraints>";
    world.change_cib(configuration(&(device("b", ALL) + &device("c", ALL)), ban));
    assert_eq!(devices(&mut world, "n1", client, None), ["c"]);
    let other = world.connect("n2", 2, true);
    assert_eq!(devices(&mut world, "n2", other, None), ["b", "c"]);
}

#[test]
fn clients_may_register_devices_if_they_are_privileged() {
    let mut world = World::new(2, configuration("", "")).start();
    let (root, stranger) = (world.connect("n1", 1, true), world.connect("n1", 2, false));
    let refused = world.ask("n1", stranger, registered("x")).result;
    assert_eq!((refused.exit, refused.status), (ExitCode::INSUFFICIENT_PRIV, ExecStatus::Invalid));
    assert!(devices(&mut world, "n1", root, None).is_empty());
    let subscribe = Request::Subscribe { topic: Topic::DeviceRegistered, activate: true };
    world.call("n1", stranger, Command::new(subscribe, 0, options::SYNC, 0));
    assert!(world.ask("n1", root, registered("x")).result.is_ok());
    assert_eq!(devices(&mut world, "n1", root, None), ["x"]);
    assert!(!world.nodes["n1"].told.is_empty(), "those who want to know are told");
    let refused = world.ask("n1", stranger, Request::RemoveDevice { id: "x".into() }).result;
    assert_eq!(refused.exit, ExitCode::INSUFFICIENT_PRIV);
    assert!(world.ask("n1", root, Request::RemoveDevice { id: "x".into() }).result.is_ok());
    assert!(devices(&mut world, "n1", root, None).is_empty());
}

#[test]
fn a_device_that_the_cib_has_too_stays_when_the_executor_stops_it() {
    let mut world = World::new(1, configuration(&device("a", ALL), "")).start();
    let client = world.connect("n1", 1, true);
    let monitor = || Request::Execute { device: "a".into(), action: "monitor".into(), target: None };
    let refused = world.ask("n1", client, monitor()).result;
    assert_eq!(
        (refused.status, refused.reason.as_deref()),
        (ExecStatus::NoFenceDevice, Some("'a' not active"))
    );
    world.ask("n1", client, registered("a"));
    let command = Command::new(monitor(), 55, 0, 20);
    world.call("n1", client, command);
    world.pass(1_000);
    assert_eq!(world.answer("n1", client, 55), Some(ActionResult::ok()));
    world.ask("n1", client, Request::RemoveDevice { id: "a".into() });
    assert_eq!(devices(&mut world, "n1", client, None), ["a"]);
    let missing = Request::Execute { device: "z".into(), action: "monitor".into(), target: None };
    assert_eq!(world.ask("n1", client, missing).result.reason.as_deref(), Some("'z' not found"));
}

#[test]
fn a_query_waits_for_agents_that_have_not_described_themselves() {
    let mut world = World::new(2, configuration(&device("a", ALL), ""));
    world.describe_ms = 3_000;
    let mut world = world.start();
    let client = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", client, "n2", "reboot");
    world.pass(2_900);
    assert!(world.deeds().is_empty());
    world.pass(1_100);
    assert_eq!(world.answer("n1", client, call), Some(ActionResult::ok()));
}

#[test]
fn an_agent_that_cannot_describe_itself_is_told_and_used_all_the_same() {
    let mut world = World::new(2, configuration(&device("a", ALL), ""));
    world.capabilities = Err("/usr/sbin/fence_a: No such file or directory".into());
    let mut world = world.start();
    let reason = "/usr/sbin/fence_a: No such file or directory";
    assert!(world.has_logged(&format!("Could not retrieve metadata for fencing agent fence_a: {reason}")));
    let missing = ActionResult::not_done(ExecStatus::NotInstalled, reason);
    let result = missing.clone();
    world.agents = Box::new(move |_, _| (10, result.clone()));
    let client = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", client, "n2", "reboot");
    world.pass(30_000);
    assert_eq!(world.answer("n1", client, call), Some(missing));
    assert_eq!(world.deeds()[0], "n1 off n2 fence_a", "nothing says that it can reboot");
}

#[test]
fn devices_that_list_their_targets_are_asked_and_believed_for_a_minute() {
    let mut world = World::new(2, configuration(&device("a", &[]), ""));
    let mut can = all_but(&[]);
    can.flags.insert(SupportFlags::LIST);
    world.capabilities = Ok(can);
    let mut world = world.start();
    world.agents = Box::new(|_, run| match run.action.as_str() {
        "list" => (100, ActionResult { output: Some("n1,\nn2,on\n".into()), ..ActionResult::ok() }),
        _ => (100, ActionResult::ok()),
    });
    let client = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", client, "n2", "off");
    world.pass(1_000);
    assert_eq!(world.answer("n1", client, call), Some(ActionResult::ok()));
    world.fence("n1", client, "n2", "reboot");
    world.pass(1_000);
    assert_eq!(world.deeds(), ["n1 list - fence_a", "n1 off n2 fence_a", "n1 reboot n2 fence_a"]);
    let call = world.fence("n1", client, "n9", "off");
    world.pass(1_000);
    assert_eq!(world.answer("n1", client, call).unwrap().status, ExecStatus::NoFenceDevice);
}

#[test]
fn devices_that_know_a_status_are_asked_for_it() {
    let mut world = World::new(2, configuration(&device("a", &[]), "")).start();
    world.agents = Box::new(|_, run| match (run.action.as_str(), run.target.as_deref()) {
        ("status", Some("n2")) => (100, ActionResult { exit: ExitCode::new(2), ..ActionResult::ok() }),
        ("status", _) => (100, failed("unknown plug")),
        _ => (100, ActionResult::ok()),
    });
    let client = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", client, "n2", "off");
    world.pass(1_000);
    assert_eq!(world.answer("n1", client, call), Some(ActionResult::ok()));
    let call = world.fence("n1", client, "n9", "off");
    world.pass(10_000);
    assert_eq!(world.answer("n1", client, call).unwrap().status, ExecStatus::NoFenceDevice);
}

#[test]
fn history_is_shared_with_who_joins_and_can_be_erased() {
    let mut world = World::new(3, configuration(&device("a", &[("pcmk_host_check", "none")]), "")).start();
    world.kill("n3");
    let client = world.connect("n1", 1, true);
    world.fence("n1", client, "n3", "reboot");
    world.pass(2_000);
    world.join("n3");
    let newcomer = world.connect("n3", 3, true);
    let history = world.history("n3", newcomer);
    assert_eq!((history.len(), history[0].state, history[0].target.as_str()), (1, OpState::Done, "n3"));
    let erase = Command::new(
        Request::History { target: None, known: None },
        44,
        options::SYNC | options::CLEANUP,
        20,
    );
    assert!(world.call("n3", newcomer, erase).is_some());
    world.pass(0);
    assert!(world.history("n1", client).is_empty() && world.history("n3", newcomer).is_empty());
}

#[test]
fn nonsense_is_answered_and_harms_nobody() {
    let mut world = World::new(1, configuration("", "")).start();
    let client = world.connect("n1", 1, true);
    for text in
        ["<x/>", "<x t='stonith-ng' st_op='st_fence'/>", "<x t='stonith-ng' st_op='tea' st_callid='3'/>"]
    {
        let message = xml::parse(text).unwrap();
        world.feed(
            "n1",
            Input::ClientMessage { client, request: 7, wants_response: true, message: message.clone() },
        );
        let from = ClusterNode { id: 1, name: "n1".into() };
        world.feed("n1", Input::ClusterMessage { from, message });
    }
    let dance = messages::fencer::Fence { target: "n1".into(), action: "dance".into(), ..Default::default() };
    let refused = world.ask("n1", client, Request::Fence(dance)).result;
    assert_eq!(refused.reason.as_deref(), Some("'dance' is no fencing action (expected off, reboot or on)"));
}

#[test]
fn nothing_is_fenced_before_the_cluster_is_joined() {
    let mut world = World::new(1, configuration("", ""));
    let client = world.connect("n1", 1, true);
    let fence = messages::fencer::Fence { target: "n2".into(), action: "off".into(), ..Default::default() };
    let refused = world.ask("n1", client, Request::Fence(fence)).result;
    assert_eq!(refused.status, ExecStatus::NotConnected);
}
