// SPDX-License-Identifier: GPL-2.0-or-later
//! What fencers, their clients and C ones write to each other is understood on both sides.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests count as tests

use messages::execd::Parameters;
use messages::fencer::*;
use model::{ExecStatus, ExitCode, LegacyRc, WallTime};
use xml::Element;

fn over_the_wire(element: &Element) -> Element {
    xml::parse(&element.to_string()).unwrap()
}

fn fence() -> Fence {
    Fence { target: "n2".into(), action: "reboot".into(), device: None, tolerance_s: 3, delay_s: -1 }
}

#[test]
fn requests_survive_the_wire() {
    let device = Device {
        id: "f1".into(),
        agent: "fence_lab".into(),
        namespace: None,
        provides: Some("unfencing".into()),
        parameters: Parameters::from([("pcmk_host_list".into(), "n1 n2".into())]),
    };
    let level = |target| Level { index: 2, target, devices: vec!["f1".into(), "f2".into()] };
    for request in [
        Request::Subscribe { topic: Topic::Fence, activate: true },
        Request::Fence(fence()),
        Request::Relay(fence()),
        Request::Query { target: Some("n2".into()), action: Some("off".into()) },
        Request::Execute { device: "f1".into(), action: "monitor".into(), target: None },
        Request::RegisterDevice(device),
        Request::RemoveDevice { id: "f1".into() },
        Request::AddLevel(level(LevelTarget::Name("n1".into()))),
        Request::RemoveLevel(level(LevelTarget::Pattern("n.*".into()))),
        Request::AddLevel(level(LevelTarget::Attribute { name: "rack".into(), value: "1".into() })),
        Request::History { target: Some("n1".into()), known: None },
    ] {
        let (options, timeout_s, call_id) =
            if matches!(request, Request::Subscribe { .. }) { (0, 0, 0) } else { (options::SYNC, 60, 4) };
        let command = Command::new(request, call_id, options, timeout_s);
        let wire = over_the_wire(&command.to_xml());
        assert_eq!(Command::from_xml(&wire).unwrap(), command, "{wire}");
    }
}

#[test]
fn between_fencers_everything_is_in_the_message_itself() {
    let mut command =
        Command::new(Request::Fence(Fence { tolerance_s: 0, ..fence() }), 4, options::TOPOLOGY, 60);
    command.remote_op = Some("op-1".into());
    command.origin = Some("n1".into());
    command.client =
        ClientStamp { id: Some("c".into()), name: Some("pacemaker-controld.7".into()), node: None };
    let wire = over_the_wire(&command.to_peer_xml());
    assert!(wire.child("st_calldata").is_none() && wire.attr("st_target") == Some("n2"));
    assert_eq!(Command::from_xml(&wire).unwrap(), command);
}

#[test]
fn what_c_clients_write_is_understood() {
    let text = r#"<stonith_command t="stonith-ng" st_op="st_fence" st_callid="2" st_callopt="4096"
        st_timeout="120" st_delay="0"><st_calldata><stonith_api_fence_with_delay st_target="n2"
        st_device_action="off" st_timeout="120" st_tolerance="5" st_delay="0"/></st_calldata></stonith_command>"#;
    let command = Command::from_xml(&xml::parse(text).unwrap()).unwrap();
    assert!(command.is_sync());
    let Request::Fence(asked) = command.request else { panic!() };
    assert_eq!((asked.target.as_str(), asked.action.as_str(), asked.tolerance_s), ("n2", "off", 5));

    let refused = |text: &str| Command::from_xml(&xml::parse(text).unwrap()).unwrap_err().to_string();
    assert_eq!(refused("<x t='lrmd'/>"), r#"message type is Some("lrmd"), expected "stonith-ng""#);
    assert_eq!(refused("<x t='stonith-ng' st_op='st_fence'/>"), "'st_fence' has no 'st_target'");
    assert_eq!(
        refused("<x t='stonith-ng' st_op='st_level_add'><fencing-level index='10' target='a'/></x>"),
        r#"fencing level has index Some("10"), expected 1 to 9"#
    );
    assert_eq!(
        refused("<x t='stonith-ng' st_op='st_notify' st_notify_activate='tea'/>"),
        "'tea' is nothing that can be subscribed to"
    );
}

#[test]
fn outcomes_survive_the_wire() {
    let notice = FenceNotice {
        remote_op: "op-1".into(),
        state: OpState::Failed,
        target: "n2".into(),
        action: "reboot".into(),
        delegate: Some("n3".into()),
        origin: "n1".into(),
        client_id: Some("c".into()),
        client_name: Some("stonith_admin.1".into()),
        result: ActionResult::not_done(ExecStatus::Timeout, "Agent did not complete within 2s"),
    };
    let broadcast = over_the_wire(&notice.to_broadcast(1, false));
    assert_eq!(broadcast.attr("subt"), Some("broadcast"));
    assert_eq!(FenceNotice::from_xml(&broadcast).unwrap(), notice);
    let result = ActionResult::ok();
    for event in [
        Event::Fence(Box::new(notice)),
        Event::HistoryChanged,
        Event::HistorySynced,
        Event::Configuration { topic: Topic::DeviceRemoved, what: "f1".into(), result },
        Event::Timeout { call_id: 3, timeout_s: 72 },
    ] {
        assert_eq!(Event::from_xml(&over_the_wire(&event.to_xml().unwrap())).unwrap(), event);
    }
    let command = Command::new(Request::Fence(fence()), 4, 0, 60);
    let reply = Reply { delegate: Some("n3".into()), ..Reply::to(&command, ActionResult::ok()) };
    assert_eq!(Event::from_xml(&over_the_wire(&reply.to_xml(&command))), Some(Event::Reply(Box::new(reply))));
}

#[test]
fn query_answers_survive_the_wire() {
    let mut command =
        Command::new(Request::Query { target: Some("n2".into()), action: Some("reboot".into()) }, 4, 0, 60);
    command.remote_op = Some("op-1".into());
    let limits = ActionLimits { timeout_s: Some(30), delay_max_s: 5, delay_base_s: 1, ..Default::default() };
    let off = ActionLimits { disallowed: true, ..Default::default() };
    let on = ActionLimits { required: true, ..Default::default() };
    let reply = QueryReply {
        remote_op: Some("op-1".into()),
        target: Some("n2".into()),
        devices: vec![PeerDevice {
            id: "f1".into(),
            agent: "fence_lab".into(),
            namespace: None,
            flags: SupportFlags(SupportFlags::VERIFIED.0 | SupportFlags::REBOOT.0),
            limits,
            remap: Some(RemapLimits { off, on }),
            parameters: None,
        }],
    };
    assert_eq!(QueryReply::from_xml(&over_the_wire(&reply.to_xml(&command))).unwrap(), reply);
}

#[test]
fn history_survives_the_wire() {
    let entry = HistoryEntry {
        remote_op: Some("op-1".into()),
        target: "n2".into(),
        action: "reboot".into(),
        origin: "n1".into(),
        delegate: None,
        client_name: None,
        completed: WallTime { secs: 9, nanos: 5 },
        state: OpState::Done,
        result: ActionResult::ok(),
    };
    let wire = over_the_wire(&history_to_xml([&entry], true));
    assert_eq!(history_from_xml(&wire), (vec![entry], true));
}

#[test]
fn one_number_stands_for_a_result() {
    let number = |result: &ActionResult| result.legacy().value();
    assert_eq!(number(&ActionResult::ok()), 0);
    assert_eq!(number(&ActionResult::not_done(ExecStatus::Timeout, "")), LegacyRc::ETIME.value());
    assert_eq!(number(&ActionResult::not_done(ExecStatus::NoFenceDevice, "")), LegacyRc::ENODEV.value());
    assert_eq!(number(&ActionResult::not_permitted("")), LegacyRc::EACCES.value());
    assert_eq!(number(&ActionResult { exit: ExitCode::ERROR, ..ActionResult::ok() }), -61);
    let old = xml::parse("<r st_rc='-62'/>").unwrap();
    assert_eq!(ActionResult::read(&old).status, ExecStatus::Timeout);
}
