// SPDX-License-Identifier: GPL-2.0-or-later
//! What a cluster of controllers does: comes up, agrees on a leader, runs a resource, survives what happens to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests

mod plan;
mod world;

use messages::controller::Envelope;
use messages::core::{Input, Service};
use model::{ExecStatus, ExitCode};
use plan::{Plan, for_one_resource};
use std::time::Duration;
use world::World;
use xml::Element;

fn idle_cluster() -> World {
    let mut world = World::new(&["n1", "n2", "n3"], Box::new(for_one_resource));
    world.boot_all();
    world.run_for(Duration::from_secs(30));
    assert_eq!(world.states(), ["S_IDLE", "S_NOT_DC", "S_NOT_DC"], "{:#?}", world.tail());
    world
}

#[test]
fn three_nodes_agree_on_a_leader_and_start_the_resource_once() {
    let world = idle_cluster();
    assert_eq!(
        world.executed,
        [
            "n1 web_monitor_0",
            "n2 web_monitor_0",
            "n3 web_monitor_0",
            "n1 web_start_0",
            "n1 web_monitor_10000"
        ]
    );
    assert_eq!(world.cib.attr("dc-uuid"), Some("1"));
    assert_eq!(world.cib.attr("have-quorum"), Some("1"));
    assert_eq!(world.cib.attr("crm_feature_set"), Some("3.20.5"));
    let config = world.cib.descend(&["configuration", "crm_config", "cluster_property_set"]).unwrap();
    let value =
        |name: &str| config.elements().find(|pair| pair.attr("name") == Some(name)).unwrap().attr("value");
    assert_eq!(value("dc-version"), Some("3.0.2-test"));
    assert_eq!(value("cluster-infrastructure"), Some("corosync"));
    for index in 0..3 {
        let state = world.node_state(index).unwrap();
        assert_eq!((state.attr("join"), state.attr("expected")), (Some("member"), Some("member")));
        assert!(state.attr("in_ccm").unwrap().parse::<i64>().unwrap() > 1_000_000_000);
        assert!(state.attr("crmd").unwrap().parse::<i64>().unwrap() > 1_000_000_000);
        let nodes = world.cib.descend(&["configuration", "nodes"]).unwrap();
        assert_eq!(nodes.elements().nth(index).unwrap().attr("uname"), state.attr("uname"));
        assert!(world.attributes.iter().any(|(host, name, value)| {
            Some(host.as_str()) == state.attr("uname") && name == "#feature-set" && value == "3.20.5"
        }));
    }
    let start = world.history(0, "web", "web_last_0").unwrap();
    assert_eq!((start.attr("operation"), start.attr("rc-code")), (Some("start"), Some("0")));
    assert!(world.history(0, "web", "web_monitor_10000").is_some());
    assert!(!world.has_logged("CIB refuses"), "{:#?}", world.tail());
}

#[test]
fn a_killed_node_is_fenced_before_its_resource_starts_elsewhere() {
    let mut world = idle_cluster();
    world.modify("nodes", "<nodes><node id='1' uname='n1'/></nodes>");
    world.kill(0);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.fenced, ["n1"]);
    assert_eq!(world.states(), ["off", "S_IDLE", "S_NOT_DC"], "{:#?}", world.tail());
    assert_eq!(world.running.iter().cloned().collect::<Vec<_>>(), [("web".into(), "n2".into())]);
    let state = world.node_state(0).unwrap();
    assert_eq!((state.attr("join"), state.attr("expected")), (Some("down"), Some("down")));
    assert_eq!((state.attr("in_ccm"), state.attr("crmd")), (Some("0"), Some("0")));
    assert!(state.child("lrm").is_none() && state.child("transient_attributes").is_none(), "{state}");
    let starts = world.executed.iter().filter(|line| line.contains("web_start_0")).count();
    assert_eq!(starts, 2);
    assert_eq!(world.cib.attr("dc-uuid"), Some("2"));
}

#[test]
fn a_lost_node_that_is_not_dc_is_fenced_too_and_may_come_back() {
    let mut world = idle_cluster();
    world.kill(2);
    world.run_for(Duration::from_secs(5));
    assert_eq!(
        (world.fenced.as_slice(), world.states()),
        (&["n3".to_owned()][..], vec!["S_IDLE", "S_NOT_DC", "off"])
    );
    world.boot(2);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.states(), ["S_IDLE", "S_NOT_DC", "S_NOT_DC"], "{:#?}", world.tail());
    assert_eq!(world.node_state(2).unwrap().attr("join"), Some("member"));
    assert_eq!(world.executed.last().unwrap(), "n3 web_monitor_0");
    assert_eq!(world.fenced.len(), 1);
}

#[test]
fn fencing_that_fails_is_tried_again_up_to_its_limit() {
    let mut world = idle_cluster();
    world.stuck = 3;
    world.kill(0);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.fenced, ["n1"]);
    assert!(world.has_logged("Fence operation"));

    let mut world = idle_cluster();
    world.modify(
        "crm_config",
        "<crm_config><cluster_property_set id='cib-bootstrap-options'><nvpair id='m' name='stonith-max-attempts' value='2'/></cluster_property_set></crm_config>",
    );
    world.stuck = 50;
    world.kill(2);
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.stuck, 48, "{:#?}", world.tail());
    assert!(world.has_logged("Too many failures (2) to fence n3, giving up"));
    assert_eq!(world.states()[0], "S_IDLE");
}

#[test]
fn a_failed_start_is_counted_and_moves_the_resource() {
    let mut world = World::new(&["n1", "n2", "n3"], Box::new(for_one_resource));
    world.results.insert("web_start_0".into(), (ExecStatus::Done, 1));
    world.boot_all();
    world.run_for(Duration::from_secs(30));
    let failed = world.history(0, "web", "web_last_failure_0").expect("the failure is recorded");
    assert_eq!((failed.attr("rc-code"), failed.attr("operation")), (Some("1"), Some("start")));
    let counted = |name: &str| world.attributes.iter().find(|(_, known, _)| known == name).cloned();
    let count = counted("fail-count-web#start_0").expect("the failure is counted");
    assert_eq!((count.0.as_str(), count.2.as_str()), ("n1", "INFINITY"));
    assert!(counted("last-failure-web#start_0").is_some());
    assert!(world.executed.contains(&"n1 web_stop_0".to_owned()), "{:?}", world.executed);
    assert!(world.executed.contains(&"n2 web_start_0".to_owned()), "{:?}", world.executed);
}

#[test]
fn a_failed_monitor_is_counted_by_one_and_planned_for() {
    let mut world = idle_cluster();
    let plans = world.plans;
    let key =
        world.history(0, "web", "web_monitor_10000").unwrap().attr("transition-key").unwrap().to_owned();
    let mut failure = world.history(0, "web", "web_monitor_10000").unwrap().clone();
    failure.set_attr("id", "web_last_failure_0");
    failure.set_attr("rc-code", 7);
    failure.set_attr("transition-magic", format!("0:7;{key}"));
    let state = format!(
        "<status><node_state id='1' uname='n1'><lrm id='1'><lrm_resources><lrm_resource id='web'>{failure}</lrm_resource></lrm_resources></lrm></node_state></status>"
    );
    world.modify("status", &state);
    assert!(world.plans > plans);
    let (host, name, value) =
        world.attributes.iter().find(|(_, name, _)| name.starts_with("fail-count")).unwrap();
    assert_eq!(
        (host.as_str(), name.as_str(), value.as_str()),
        ("n1", "fail-count-web#monitor_10000", "value++")
    );
    assert!(world.has_logged("Change in recurring result"));
}

#[test]
fn an_executor_that_does_not_answer_is_recorded_as_timed_out() {
    let mut world = World::new(&["n1", "n2"], Box::new(for_one_resource));
    world.silent.insert("n2".into());
    world.boot_all();
    world.run_for(Duration::from_secs(50));
    assert_eq!(world.states()[0], "S_TRANSITION_ENGINE");
    // 20 s of its own, and cluster-delay.
    world.run_for(Duration::from_secs(60));
    let lost = world.history(1, "web", "web_last_failure_0").expect("the loss is recorded");
    assert_eq!((lost.attr("op-status"), lost.attr("call-id")), (Some("2"), Some("-1")));
    assert_eq!(lost.attr("exit-reason"), Some("Controller on n2 did not return result in time"));
}

#[test]
fn a_change_of_the_configuration_while_acting_leads_to_another_plan() {
    let mut world = World::new(&["n1"], Box::new(for_one_resource));
    world.silent.insert("n1".into());
    world.boot_all();
    world.run_for(Duration::from_secs(30));
    assert_eq!((world.states(), world.plans), (vec!["S_TRANSITION_ENGINE"], 1));
    let option = "<crm_config><cluster_property_set id='x'><nvpair id='y' name='a' value='b'/></cluster_property_set></crm_config>";
    world.modify("crm_config", option);
    // What is under way has to end first.
    assert_eq!((world.states(), world.plans), (vec!["S_TRANSITION_ENGINE"], 1));
    assert!(world.has_logged("Configuration change"));
}

#[test]
fn what_strangers_write_about_nodes_is_set_right() {
    let mut world = idle_cluster();
    let wipe = messages::cib::Command::new("cib_erase", 1, messages::cib::option::NONE).to_xml();
    assert!(world.change(&wipe, "cibadmin").is_ok());
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.states(), ["S_IDLE", "S_NOT_DC", "S_NOT_DC"], "{:#?}", world.tail());
    for index in 0..3 {
        assert_eq!(world.node_state(index).unwrap().attr("join"), Some("member"));
    }
    assert!(world.history(0, "web", "web_last_0").is_some());
    assert_eq!(world.executed.iter().filter(|line| line.contains("web_start_0")).count(), 1);
    assert!(world.fenced.is_empty());

    // The same by a tool that knows what it does is no reason for an election.
    let plans = world.plans;
    let votes = |world: &World| world.log.iter().filter(|(_, _, text)| text.contains("Election won")).count();
    let before = votes(&world);
    world.modify_as("crm_attribute", "nodes", "<nodes><node id='2' uname='n2' description='x'/></nodes>");
    assert_eq!((votes(&world), world.plans), (before, plans + 1));
    world.modify_as("cibadmin", "nodes", "<nodes><node id='2' uname='n2' description='y'/></nodes>");
    assert_eq!(votes(&world), before + 1);
}

#[test]
fn a_node_asks_for_leave_is_emptied_and_ends() {
    let mut world = idle_cluster();
    world.input(0, Input::Shutdown);
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.nodes[0].exit, Some(ExitCode::OK), "{:#?}", world.tail());
    assert!(world.executed.contains(&"n1 web_stop_0".to_owned()));
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.states(), ["off", "S_IDLE", "S_NOT_DC"], "{:#?}", world.tail());
    assert!(world.fenced.is_empty());
    assert_eq!(world.running.iter().next().unwrap().1, "n2");

    world.input(2, Input::Shutdown);
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.nodes[2].exit, Some(ExitCode::OK), "{:#?}", world.tail());
    assert_eq!(world.node_state(2).unwrap().attr("expected"), Some("down"));
    assert!(world.fenced.is_empty());
}

#[test]
fn a_controller_waits_for_its_last_operation_before_it_ends() {
    let mut world = World::new(&["n1", "n2"], Box::new(for_one_resource));
    world.silent.insert("n2".into());
    world.boot_all();
    world.run_for(Duration::from_secs(25));
    assert_eq!(world.executed.last().unwrap(), "n2 web_monitor_0");
    let order = Envelope::request("do_shutdown", "x".into(), "crmd", "tengine").to_host("n2");
    let message = order.to_xml("test", model::FeatureSet::new(3, 20, 5));
    let from = world.nodes[0].node.clone();
    world.input(1, Input::ClusterMessage { from, message });
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.states()[1], world.nodes[1].exit), ("S_STOPPING", None));

    let key = world.history(1, "web", "web_last_0").unwrap().attr("transition-key").unwrap().to_owned();
    let end = format!(
        "<lrmd_notify lrmd_op='lrmd_rsc_exec' lrmd_callid='1' lrmd_exec_rc='7' lrmd_exec_op_status='0' \
         lrmd_rsc_id='web' lrmd_rsc_action='monitor' lrmd_rsc_interval='0' lrmd_rsc_userdata_str='{key}'/>"
    );
    let message = xml::parse(&end).unwrap();
    world.input(1, Input::ServiceEvent { service: Service::Execd, message });
    assert_eq!(world.nodes[1].exit, Some(ExitCode::FATAL), "nobody here had asked for leave");
    assert!(world.has_logged("Result of probe operation for web on n2: Not running"));
}

#[test]
fn who_hears_of_its_own_fencing_stops_for_good() {
    let mut world = idle_cluster();
    let notice = "<notify t='st_notify' subt='st_notify_fence' st_op='st_notify_fence' rc-code='0' op-status='0'>\
        <st_calldata><st_notify_fence state='2' st_target='n2' st_device_action='off' st_delegate='n1' st_remote_op='x'\
        st_origin='n1'/></st_calldata></notify>";
    let message = xml::parse(&notice.replace("'st_origin", "' st_origin")).unwrap();
    world.input(1, Input::ServiceEvent { service: Service::Fenced, message });
    assert_eq!(world.nodes[1].exit, Some(ExitCode::FATAL));
    assert!(world.has_logged("We were allegedly just fenced by n1 for n1!"));
}

#[test]
fn without_the_cib_manager_or_the_executor_a_controller_cannot_go_on() {
    for service in [Service::Based, Service::Execd] {
        let mut world = idle_cluster();
        world.input(2, Input::ServiceDown { service });
        assert_eq!(world.nodes[2].exit, Some(ExitCode::ERROR), "{service:?}");
    }
    let mut world = idle_cluster();
    for service in [Service::Attrd, Service::Fenced, Service::Schedulerd] {
        world.input(0, Input::ServiceDown { service });
    }
    assert_eq!(world.nodes[0].exit, None);
    world.kill(2);
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.states()[0], world.fenced.len()), ("S_POLICY_ENGINE", 0));
    for service in [Service::Attrd, Service::Fenced, Service::Schedulerd] {
        world.input(0, Input::ServiceUp { service });
    }
    world.run_for(Duration::from_secs(1));
    assert_eq!((world.states()[0], world.fenced.len()), ("S_IDLE", 1), "{:#?}", world.tail());
}

#[test]
fn of_two_halves_each_has_a_leader_and_only_one_after_they_meet() {
    let mut world = World::new(&["n1", "n2"], Box::new(|_| Plan::new().graph()));
    world.boot(1);
    world.run_for(Duration::from_secs(30));
    assert_eq!(world.states(), ["off", "S_IDLE"]);
    // A node that leads elsewhere: it says so, and both vote.
    world.boot(0);
    world.run_for(Duration::from_secs(30));
    assert_eq!(world.dc(), Some(1));
    let noop = Envelope::request("noop", "x".into(), "crmd", "dc");
    let message = noop.to_xml("test", model::FeatureSet::new(3, 20, 5));
    let from = world.nodes[0].node.clone();
    world.input(1, Input::ClusterMessage { from, message });
    world.run_for(Duration::from_secs(30));
    assert!(world.has_logged("Another DC detected: n1 (op=noop)"));
    assert_eq!(world.states(), ["S_IDLE", "S_NOT_DC"], "{:#?}", world.tail());
}

#[test]
fn clients_are_answered_and_kept_in_their_place() {
    let mut world = idle_cluster();
    let admin = world.connect(1, 1, true);
    let request = |task: &str, system: &str| Envelope::request(task, format!("r-{task}"), system, "me");
    let answers = |world: &mut World| std::mem::take(&mut world.to_clients);

    world.ask(1, admin, request("ping", "dc"));
    let got = answers(&mut world);
    assert_eq!(got[0].1.attr("status"), Some("112"));
    let reply = Envelope::from_xml(&got[1].1).unwrap();
    assert_eq!((reply.src.as_deref(), reply.reference.as_str()), (Some("n1"), "r-ping"));
    assert_eq!(reply.payload.unwrap().attr("crmd_state"), Some("S_IDLE"));

    world.ask(1, admin, request("node-info", "crmd"));
    let reply = Envelope::from_xml(&answers(&mut world)[1].1).unwrap().payload.unwrap();
    assert_eq!((reply.attr("uname"), reply.attr("have-quorum")), (Some("n2"), Some("true")));
    world.ask(1, admin, request("list-nodes", "crmd"));
    let reply = Envelope::from_xml(&answers(&mut world)[1].1).unwrap().payload.unwrap();
    assert_eq!(reply.elements().count(), 3);
    world.ask(1, admin, request("ping", "crmd").to_host("n3"));
    let reply = Envelope::from_xml(&answers(&mut world)[1].1).unwrap().payload.unwrap();
    assert_eq!(reply.attr("crmd_state"), Some("S_NOT_DC"));

    // Nobody without privileges runs operations or fails resources.
    let user = world.connect(0, 2, false);
    let executed = world.executed.len();
    let mut stop = Plan::new();
    stop.operation("web", "stop", 0, ("1", "n1"), &[]);
    let action = stop.graph().descendants().find(|element| element.name() == "rsc_op").unwrap().clone();
    world.ask(0, user, request("lrm_invoke", "lrmd").to_host("n1").with_payload(action.clone()));
    assert_eq!((world.executed.len(), answers(&mut world).len()), (executed, 1));
    world.ask(0, user, request("lrm_fail", "crmd").to_host("n1").with_payload(action.clone()));
    let denied = answers(&mut world).pop().unwrap().1;
    assert_eq!(operation(&denied).attr("rc-code"), Some("4"), "{denied}");
    assert!(world.history(0, "web", "web_last_failure_0").is_none());

    let plans = world.plans;
    world.ask(1, admin, request("lrm_fail", "crmd").to_host("n1").with_payload(action.clone()));
    let done = answers(&mut world).pop().unwrap().1;
    assert_eq!(operation(&done).attr("rc-code"), Some("0"), "{done}");
    let failure = world.history(0, "web", "web_last_failure_0").unwrap();
    assert_eq!((failure.attr("operation"), failure.attr("rc-code")), (Some("asyncmon"), Some("1")));
    assert!(world.plans > plans);
    world.ask(1, admin, request("lrm_delete", "crmd").to_host("n1").with_payload(action));
    let done = answers(&mut world).pop().unwrap().1;
    assert_eq!(
        (operation(&done).attr("operation"), operation(&done).attr("rc-code")),
        (Some("delete"), Some("0"))
    );
    world.run_for(Duration::from_secs(1));
    assert!(
        world.executed.iter().skip(executed).any(|line| line == "n1 web_monitor_0"),
        "{:?}",
        world.executed
    );
}

fn operation(message: &Element) -> &Element {
    message.descendants().find(|element| element.name() == "lrm_rsc_op").expect("an operation")
}

#[test]
fn hostile_messages_do_no_harm() {
    let mut world = idle_cluster();
    let stranger = messages::core::ClusterNode { id: 9, name: "evil".into() };
    for text in [
        "<x/>",
        "<m t='crmd' subt='request' crm_task='join_request' reference='r' crm_sys_to='dc' crm_sys_from='crmd' join_id='1'/>",
        "<m t='crmd' subt='request' crm_task='join_confirm' reference='r' crm_sys_to='dc' crm_sys_from='crmd' join_id='1'/>",
        "<m t='crmd' subt='request' crm_task='lrm_invoke' reference='r' crm_sys_to='lrmd' crm_sys_from='tengine'/>",
        "<m t='crmd' subt='request' crm_task='lrm_invoke' reference='r' crm_sys_to='lrmd' crm_sys_from='tengine'><crm_xml><rsc_op operation='start'/></crm_xml></m>",
        "<m t='crmd' subt='request' crm_task='clear_failcount' reference='r' crm_sys_to='crmd' crm_sys_from='x'/>",
        "<m t='crmd' subt='response' crm_task='lrm_invoke' reference='r' crm_sys_to='tengine' crm_sys_from='lrmd'><crm_xml><a><lrm_rsc_op transition-key='x'/></a></crm_xml></m>",
        "<m t='crmd' subt='request' crm_task='vote' reference='r' crm_sys_to='crmd' crm_sys_from='crmd'/>",
    ] {
        let message = xml::parse(text).unwrap();
        world.input(0, Input::ClusterMessage { from: stranger.clone(), message });
    }
    for service in [Service::Based, Service::Execd, Service::Fenced, Service::Schedulerd, Service::Attrd] {
        for text in [
            "<x/>",
            "<notify subt='cib_diff_notify'><cib_update_result><diff format='2'><change operation='create' path=''/><change operation='modify' path='/cib/status'/></diff></cib_update_result></notify>",
            "<cib-reply cib_callid='999999' cib_rc='-5'/>",
        ] {
            let message = xml::parse(text).unwrap();
            world.input(0, Input::ServiceEvent { service, message });
        }
    }
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.states(), ["S_IDLE", "S_NOT_DC", "S_NOT_DC"], "{:#?}", world.tail());
}
