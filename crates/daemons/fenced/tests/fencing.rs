// SPDX-License-Identifier: GPL-2.0-or-later
//! What becomes of the wish that a node be fenced: three nodes' fencers together, agents and time played.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests count as tests

mod world;

use fenced::core::Run;
use messages::fencer::{ActionResult, Command, Fence, OpState, Request, SupportFlags, options};
use model::ExecStatus;
use world::{World, all_but, configuration, device, failed};

const ALL: &[(&str, &str)] = &[("pcmk_host_list", "n1 n2 n3")];

fn three_nodes() -> World {
    World::new(3, configuration(&device("power", ALL), "")).start()
}

/// After a death that the others have noticed.
fn n3_is_dead() -> World {
    let mut world = three_nodes();
    world.kill("n3");
    world
}

#[test]
fn a_dead_node_is_fenced_once_and_everybody_is_told() {
    let mut world = n3_is_dead();
    let (asker, other) = (world.connect("n1", 1, true), world.connect("n2", 2, true));
    let call = world.fence("n1", asker, "n3", "reboot");
    world.pass(999);
    assert_eq!(world.answer("n1", asker, call), None, "not before the agent has confirmed it");
    world.pass(1);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
    assert_eq!(world.deeds(), ["n1 reboot n3 fence_power"]);
    for (name, client) in [("n1", asker), ("n2", other)] {
        let notices = world.notices(name, client);
        let [notice] = notices.as_slice() else { panic!("{name}: {notices:?}") };
        assert_eq!((notice.target.as_str(), notice.action.as_str()), ("n3", "reboot"));
        assert_eq!((notice.delegate.as_deref(), notice.origin.as_str()), (Some("n1"), "n1"));
        assert_eq!((notice.state, notice.client_name.as_deref()), (OpState::Done, Some("client1@n1.1")));
        let history = world.history(name, client);
        assert_eq!((history.len(), history[0].state, history[0].completed.secs), (1, OpState::Done, 100_001));
    }
}

#[test]
fn a_client_that_waits_gets_a_response() {
    let mut world = n3_is_dead();
    let asker = world.connect("n1", 1, true);
    let fence = Fence { target: "n3".into(), action: "off".into(), ..Fence::default() };
    assert_eq!(world.call("n1", asker, Command::new(Request::Fence(fence), 77, options::SYNC, 20)), None);
    world.pass(1_000);
    assert!(
        world.nodes["n1"].told.iter().all(|(_, news)| !matches!(news, messages::fencer::Event::Reply(_)))
    );
    assert_eq!(world.deeds(), ["n1 off n3 fence_power"]);
}

#[test]
fn an_agent_that_fails_is_tried_again_then_another_node() {
    let mut world = n3_is_dead();
    world.agents = Box::new(|node, _| match node {
        "n1" => (100, failed("relay of n3 is stuck")),
        _ => (100, ActionResult::ok()),
    });
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(10_000);
    assert_eq!(world.deeds(), ["n1 off n3 fence_power", "n1 off n3 fence_power", "n2 off n3 fence_power"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
    assert_eq!(world.notices("n1", asker)[0].delegate.as_deref(), Some("n2"));
    assert!(world.has_logged(
        "n1: Operation 'off' [9] targeting n3 using power returned 1 (relay of n3 is stuck) | call"
    ));
}

#[test]
fn when_all_fail_the_agents_own_words_are_told() {
    let mut world = n3_is_dead();
    world.agents = Box::new(|_, _| (100, failed("relay of n3 is stuck")));
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(60_000);
    assert_eq!(world.deeds().len(), 4);
    assert_eq!(world.answer("n1", asker, call), Some(failed("relay of n3 is stuck")));
    let other = world.connect("n2", 2, true);
    assert_eq!(world.history("n2", other)[0].state, OpState::Failed);
}

#[test]
fn the_next_device_of_a_node_is_tried_before_the_next_node() {
    let devices = device("a", ALL) + &device("b", ALL);
    let mut world = World::new(2, configuration(&devices, "")).start();
    world.agents = Box::new(|_, run: &Run| match run.agent.as_str() {
        "fence_a" => (100, failed("no")),
        _ => (100, ActionResult::ok()),
    });
    let asker = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", asker, "n2", "reboot");
    world.pass(10_000);
    assert_eq!(world.deeds(), ["n1 reboot n2 fence_a", "n1 reboot n2 fence_a", "n1 reboot n2 fence_b"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
}

#[test]
fn an_agent_that_hangs_ends_the_operation_with_a_timeout() {
    let mut world = n3_is_dead();
    let hung = ActionResult::not_done(ExecStatus::Timeout, "Fence agent did not complete within 20s");
    let result = hung.clone();
    world.agents = Box::new(move |_, run| (u64::from(run.timeout_s) * 1_000, result.clone()));
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(19_000);
    assert_eq!(world.answer("n1", asker, call), None);
    world.pass(1_000);
    assert_eq!(world.answer("n1", asker, call), Some(hung));
    assert_eq!(world.deeds().len(), 1, "who has used up the time leaves none for another");
}

#[test]
fn a_node_that_no_device_covers_cannot_be_fenced_and_that_is_said_at_once() {
    let cib = configuration(&device("power", &[("pcmk_host_list", "n1")]), "");
    let mut world = World::new(2, cib).start();
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n2", "off");
    world.pass(0);
    let result = world.answer("n1", asker, call).unwrap();
    assert_eq!(result.status, ExecStatus::NoFenceDevice);
    assert_eq!(result.reason.as_deref(), Some("No fence device can off n2"));
}

#[test]
fn the_target_is_asked_only_if_nobody_else_can() {
    let ban = "<constraints><rsc_location id='l' rsc='power' node='n1' score='-INFINITY'/></constraints>";
    let mut world = World::new(2, configuration(&device("power", ALL), ban)).start();
    let asker = world.connect("n1", 1, true);
    let fence = Fence { target: "n2".into(), action: "off".into(), ..Fence::default() };
    world.call("n1", asker, Command::new(Request::Fence(fence.clone()), 5, 0, 20));
    world.pass(30_000);
    assert_eq!(world.deeds(), Vec::<String>::new(), "n1 may not use the device, n2 may not fence itself");
    let allow = options::ALLOW_SELF_FENCING;
    world.call("n1", asker, Command::new(Request::Fence(fence), 6, allow, 20));
    world.pass(30_000);
    assert_eq!(world.deeds(), ["n2 off n2 fence_power"]);
}

#[test]
fn equal_wishes_of_two_nodes_become_one() {
    let mut world = n3_is_dead();
    let (one, two) = (world.connect("n1", 1, true), world.connect("n2", 2, true));
    let first = world.fence("n1", one, "n3", "reboot");
    world.pass(500);
    let second = world.fence("n2", two, "n3", "reboot");
    world.pass(500);
    assert_eq!(world.deeds().len(), 1);
    assert_eq!(world.answer("n1", one, first), Some(ActionResult::ok()));
    assert_eq!(world.answer("n2", two, second), Some(ActionResult::ok()));
    assert!(
        world.has_logged(
            "n2: Merging fencing action 'reboot' targeting n3 originating from client client2@n2"
        )
    );
}

#[test]
fn a_recent_success_is_enough_for_those_who_tolerate_it() {
    let mut world = n3_is_dead();
    let asker = world.connect("n1", 1, true);
    world.fence("n1", asker, "n3", "off");
    world.pass(5_000);
    let again = Fence { target: "n3".into(), action: "off".into(), tolerance_s: 10, ..Fence::default() };
    assert!(world.ask("n1", asker, Request::Fence(again)).result.is_ok());
    world.pass(5_000);
    assert_eq!(world.deeds().len(), 1);
}

#[test]
fn a_node_that_wants_itself_fenced_leaves_it_to_another() {
    let mut world = three_nodes();
    let asker = world.connect("n3", 3, true);
    let watcher = world.connect("n2", 2, true);
    let call = world.fence("n3", asker, "n3", "reboot");
    world.pass(1_000);
    assert_eq!(world.deeds(), ["n1 reboot n3 fence_power"]);
    assert_eq!(world.answer("n3", asker, call), Some(ActionResult::ok()));
    assert_eq!(
        world.history("n3", asker).len(),
        1,
        "what was passed on is not kept beside what became of it"
    );
    assert_eq!(world.notices("n2", watcher)[0].client_name.as_deref(), Some("pacemaker-fenced.1"));
}

#[test]
fn if_who_was_asked_dies_another_is_asked_at_once() {
    let mut world = three_nodes();
    world.agents = Box::new(|node, _| (if node == "n2" { 1_000_000 } else { 1_000 }, ActionResult::ok()));
    let ban = "<constraints><rsc_location id='l' rsc='power' node='n1' score='-INFINITY'/></constraints>";
    world.change_cib(configuration(&device("power", ALL), ban));
    world.join("n4");
    let asker = world.connect("n1", 1, true);
    let cib = configuration(&device("power", ALL), ban);
    world.change_cib(cib);
    world.kill("n3");
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(5_000);
    assert_eq!(world.deeds(), ["n2 off n3 fence_power"]);
    world.kill("n2");
    world.pass(2_000);
    assert_eq!(world.deeds(), ["n2 off n3 fence_power", "n4 off n3 fence_power"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
}

#[test]
fn if_the_owner_dies_what_was_merged_with_its_operation_goes_on() {
    let mut world = three_nodes();
    world.join("n4");
    world.kill("n4");
    world.agents = Box::new(|node, _| (if node == "n1" { 10_000 } else { 1_000 }, ActionResult::ok()));
    let cib = configuration(&device("power", &[("pcmk_host_check", "none")]), "");
    world.change_cib(cib);
    let (one, two) = (world.connect("n1", 1, true), world.connect("n2", 2, true));
    world.fence("n1", one, "n4", "off");
    world.pass(1_000);
    let call = world.fence("n2", two, "n4", "off");
    world.pass(1_000);
    world.kill("n1");
    world.pass(5_000);
    assert_eq!(world.answer("n2", two, call), Some(ActionResult::ok()));
    assert_eq!(world.deeds(), ["n1 off n4 fence_power", "n2 off n4 fence_power"]);
    let third = world.connect("n3", 3, true);
    let states: Vec<OpState> = world.history("n3", third).iter().map(|entry| entry.state).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&OpState::Done) && states.contains(&OpState::Failed));
}

#[test]
fn if_a_node_dies_before_it_answers_who_can_fence_it_is_not_waited_for() {
    let mut world = three_nodes();
    let asker = world.connect("n1", 1, true);
    // n3 is there still when it is asked, but never answers.
    world.nodes.get_mut("n3").unwrap().up = false;
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(1_000);
    assert!(world.deeds().is_empty(), "without a device seen to work, all answers are awaited");
    world.kill("n3");
    world.pass(1_000);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
}

#[test]
fn a_human_can_say_that_a_node_is_off() {
    let mut world = n3_is_dead();
    let (asker, other) = (world.connect("n1", 1, true), world.connect("n2", 2, true));
    let fence = Fence { target: "n3".into(), action: "off".into(), ..Fence::default() };
    world.call("n1", asker, Command::new(Request::Fence(fence), 9, options::MANUAL_ACK, 20));
    world.pass(0);
    assert_eq!(world.notices("n2", other)[0].delegate.as_deref(), Some("a human"));
    assert_eq!(world.answer("n1", asker, 9), Some(ActionResult::ok()));
    assert!(world.deeds().is_empty());
}

#[test]
fn delays_hold_up_the_first_shot_only() {
    let parameters = [("pcmk_host_list", "n1 n2 n3"), ("pcmk_delay_base", "n3:5s;n1:9s")];
    let mut world = World::new(3, configuration(&device("power", &parameters), "")).start();
    world.kill("n3");
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(4_999);
    assert!(world.deeds().is_empty());
    world.pass(1_001);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
    let fence = Fence { target: "n3".into(), action: "off".into(), delay_s: -1, ..Fence::default() };
    world.call("n1", asker, Command::new(Request::Fence(fence), 90, 0, 20));
    world.pass(1_000);
    assert_eq!(world.answer("n1", asker, 90), Some(ActionResult::ok()), "no delay is wanted");
    assert!(world.has_logged(
        "Delaying 'off' action targeting n3 using power for 5s | timeout=20s requested_delay=0s"
    ));
}

#[test]
fn an_agent_that_cannot_reboot_turns_off() {
    let mut world = World::new(2, configuration(&device("power", ALL), ""));
    world.capabilities = Ok(all_but(&[SupportFlags::REBOOT]));
    let mut world = world.start();
    let asker = world.connect("n1", 1, true);
    world.kill("n2");
    let call = world.fence("n1", asker, "n2", "reboot");
    world.pass(1_000);
    assert_eq!(world.deeds(), ["n1 off n2 fence_power"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
    assert_eq!(world.notices("n1", asker)[0].action, "reboot");
}

const LEVELS: &str = "<fencing-topology><fencing-level id='l1' target='n3' index='1' devices='a,b'/>\
    <fencing-level id='l2' target='n3' index='2' devices='c'/></fencing-topology>";

fn with_levels() -> World {
    let devices = device("a", ALL) + &device("b", ALL) + &device("c", ALL);
    let mut world = World::new(3, configuration(&devices, LEVELS)).start();
    world.kill("n3");
    world
}

#[test]
fn a_reboot_by_two_power_supplies_turns_both_off_before_one_is_turned_on() {
    let mut world = with_levels();
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "reboot");
    world.pass(10_000);
    let done: Vec<String> =
        world.runs.iter().map(|(_, _, run)| format!("{} {}", run.action, run.agent)).collect();
    assert_eq!(done, ["off fence_a", "off fence_b", "on fence_a", "on fence_b"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
    assert_eq!(world.notices("n1", asker)[0].action, "reboot");
}

#[test]
fn if_a_level_fails_the_next_is_tried() {
    let mut world = with_levels();
    world.agents = Box::new(|_, run: &Run| match run.agent.as_str() {
        "fence_b" => (100, failed("no")),
        _ => (100, ActionResult::ok()),
    });
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "off");
    world.pass(30_000);
    let done: Vec<String> =
        world.runs.iter().map(|(_, _, run)| format!("{} {}", run.action, run.agent)).collect();
    assert_eq!(done, ["off fence_a", "off fence_b", "off fence_b", "off fence_c"]);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
}

#[test]
fn that_a_node_stays_off_is_no_failure() {
    let mut world = with_levels();
    world.agents = Box::new(|_, run: &Run| match run.action.as_str() {
        "on" => (100, failed("no")),
        _ => (100, ActionResult::ok()),
    });
    let asker = world.connect("n1", 1, true);
    let call = world.fence("n1", asker, "n3", "reboot");
    world.pass(60_000);
    assert_eq!(world.answer("n1", asker, call), Some(ActionResult::ok()));
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let story = || {
        let mut world = with_levels();
        let asker = world.connect("n1", 1, true);
        world.fence("n1", asker, "n3", "reboot");
        world.pass(60_000);
        world.log
    };
    assert_eq!(story(), story());
}
