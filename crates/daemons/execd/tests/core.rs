// SPDX-License-Identifier: GPL-2.0-or-later
//! What clients of an executor experience: inputs are fed, outputs drained; the agents' part is played by the test.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests count as tests

use execd::core::{Config, Effect, Event, Executor, Run};
use messages::core::{ClientId, Core, Credentials, EffectId, Input, Output, Service};
use messages::execd::{
    Agent, Command, Exec, Notify, OPT_DROP_RECURRING, OPT_NOTIFY_CHANGES_ONLY, OPT_NOTIFY_ORIGIN_ONLY,
    OpResult, Parameters, Reply, ReplyBody, Request,
};
use messages::fencer::{self, ActionResult};
use model::{ExecStatus, Instant, Interval, LegacyRc, Now, OcfCode, WallTime};
use std::time::Duration;

const ME: ClientId = ClientId(1);

struct World {
    core: Executor,
    now: Now,
    request: i32,
    /// Agents that were started, and not yet ended by the test.
    runs: Vec<(EffectId, Run)>,
    kills: Vec<EffectId>,
    told: Vec<(ClientId, Notify)>,
    calls: Vec<(i32, fencer::Request)>,
}

impl World {
    fn new() -> World {
        let now = Now { wall: WallTime::from_secs(1_000), ..Now::default() };
        let core = Executor::new(Config { node_name: "n1".into() }, now);
        let (runs, kills, told, calls) = Default::default();
        let mut world = World { core, now, request: 0, runs, kills, told, calls };
        world.connect(ME, true);
        world
    }

    fn connect(&mut self, client: ClientId, privileged: bool) {
        let credentials = Credentials { uid: 0, gid: 0, pid: 1, user: "root".into(), privileged };
        self.feed(Input::ClientConnected { client, channel: "lrmd", credentials });
        let hello = Request::Register {
            client_name: format!("client{}", client.0),
            protocol_version: "1.2".into(),
            is_ipc_provider: false,
        };
        let reply = self.ask_as(client, Command::new(hello));
        assert!(matches!(reply.body, ReplyBody::Registered { .. }));
        self.told.clear();
    }

    fn feed(&mut self, input: Input<Event>) -> Vec<Reply> {
        self.core.handle(self.now, input);
        let mut replies = Vec::new();
        while let Some(output) = self.core.poll() {
            match output {
                Output::Respond { message, .. } => replies.push(Reply::from_xml(&message).unwrap()),
                Output::Event { client, message, .. } => {
                    self.told.push((client, Notify::from_xml(&message).unwrap()));
                }
                Output::Effect { id, effect: Effect::Run(run) } => self.runs.push((id, run)),
                Output::Effect { effect: Effect::Kill { run }, .. } => self.kills.push(run),
                Output::Call { service: Service::Fenced, call, message, .. } => {
                    self.calls.push((call, fencer::Command::from_xml(&message).unwrap().request));
                }
                Output::Log { .. } | Output::Exit { .. } => {}
                other => panic!("unexpected: {other:?}"),
            }
        }
        replies
    }

    fn ask_as(&mut self, client: ClientId, command: Command) -> Reply {
        self.request += 1;
        let (request, message) = (self.request, command.to_xml());
        let mut replies = self.feed(Input::ClientMessage { client, request, wants_response: true, message });
        assert_eq!(replies.len(), 1);
        replies.remove(0)
    }

    fn ask(&mut self, request: Request) -> i32 {
        self.ask_as(ME, Command::new(request)).rc
    }

    fn register(&mut self, resource: &str, class: &str) {
        let provider = (class == "ocf").then(|| "pacemaker".to_owned());
        let agent = Agent { class: class.into(), provider, kind: "Dummy".into() };
        assert_eq!(self.ask(Request::RegisterResource { resource: resource.into(), agent }), 0);
        self.told.clear();
    }

    fn exec(&mut self, resource: &str, action: &str, interval_ms: u64, options: u32) -> i32 {
        let request = Request::Exec(op(resource, action, interval_ms));
        let rc = self.ask_as(ME, Command { request, options, timeout_ms: 0 }).rc;
        assert!(rc > 0, "{rc}");
        rc
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now.instant + Duration::from_millis(ms);
        while let Some(at) = self.core.next_timeout().filter(|at| *at <= end) {
            self.advance_to(at);
            self.feed(Input::Tick);
        }
        self.advance_to(end);
    }

    fn advance_to(&mut self, at: Instant) {
        self.now.wall = self.now.wall + at.since(self.now.instant);
        self.now.instant = at;
    }

    /// The oldest running agent ends.
    fn end(&mut self, rc: OcfCode, status: ExecStatus) -> Run {
        let (effect, run) = self.runs.remove(0);
        let (stdout, stderr) = (String::new(), "stderr".to_owned());
        let reason = (rc != OcfCode::OK).then(|| "broken".to_owned());
        self.feed(Input::Done {
            effect,
            event: Event::Exited { pid: Some(7), rc, status, reason, stdout, stderr },
        });
        run
    }

    /// What was told since the last look, to the test's client.
    fn results(&mut self) -> Vec<OpResult> {
        let told = std::mem::take(&mut self.told).into_iter().filter(|(client, _)| *client == ME);
        told.filter_map(|(_, notify)| match notify {
            Notify::Executed(result) => Some(*result),
            Notify::Handled { .. } | Notify::NewClient => None,
        })
        .collect()
    }
}

fn op(resource: &str, action: &str, interval_ms: u64) -> Exec {
    Exec {
        resource: resource.into(),
        action: action.into(),
        interval: Interval::from_ms(interval_ms),
        timeout_ms: 20_000,
        start_delay_ms: 0,
        user_data: Some("1:2:0:uuid".into()),
        parameters: Parameters::from([("fake".into(), "x".into())]),
    }
}

fn cancel(resource: &str, action: &str, interval_ms: u64) -> Request {
    let interval = Interval::from_ms(interval_ms);
    Request::Cancel { resource: resource.into(), action: action.into(), interval }
}

const OK: (OcfCode, ExecStatus) = (OcfCode::OK, ExecStatus::Done);

#[test]
fn an_operation_is_run_and_its_end_told_with_times() {
    let mut world = World::new();
    world.register("web", "ocf");
    let call_id = world.exec("web", "start", 0, 0);
    assert_eq!(world.runs[0].1.agent, "Dummy");
    assert_eq!(world.runs[0].1.timeout_ms, 20_000);
    world.pass(2_500);
    world.end(OcfCode::UNKNOWN_ERROR, ExecStatus::Done);
    let results = world.results();
    let [result] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!(
        (result.call_id, result.rc, result.status),
        (call_id, OcfCode::UNKNOWN_ERROR, ExecStatus::Done)
    );
    assert_eq!((result.exec_time_ms, result.queue_time_ms), (2_500, 0));
    assert_eq!((result.run_time.secs, result.rc_change_time.secs), (1_000, 1_002));
    assert_eq!(result.exit_reason.as_deref(), Some("broken"));
    assert_eq!(result.output.as_deref(), Some("stderr"));
    assert_eq!(result.user_data.as_deref(), Some("1:2:0:uuid"));
    assert_eq!(result.parameters["fake"], "x");
}

#[test]
fn operations_of_one_resource_run_one_after_the_other_those_of_two_at_once() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.register("b", "ocf");
    world.exec("a", "start", 0, 0);
    world.exec("a", "monitor", 0, 0);
    world.exec("b", "start", 0, 0);
    let running = |world: &World| -> Vec<String> {
        world.runs.iter().map(|(_, run)| format!("{} {}", run.resource, run.action)).collect()
    };
    assert_eq!(running(&world), ["a start", "b start"]);
    world.pass(1_000);
    world.end(OK.0, OK.1);
    assert_eq!(running(&world), ["b start", "a monitor"]);
    world.pass(500);
    world.end(OK.0, OK.1);
    world.end(OK.0, OK.1);
    let waited: Vec<u64> = world.results().iter().map(|result| result.queue_time_ms).collect();
    assert_eq!(waited, [0, 0, 1_000]);
}

#[test]
fn recurring_ones_run_again_after_their_interval_and_tell_changes_only() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.exec("a", "monitor", 10_000, OPT_NOTIFY_CHANGES_ONLY);
    world.end(OK.0, OK.1);
    assert_eq!(world.results().len(), 1);
    world.pass(9_999);
    assert!(world.runs.is_empty());
    world.pass(1);
    world.end(OK.0, OK.1);
    assert!(world.results().is_empty(), "the same again is not told");
    world.pass(10_000);
    world.end(OcfCode::NOT_RUNNING, ExecStatus::Done);
    let results = world.results();
    assert_eq!(results[0].rc, OcfCode::NOT_RUNNING);
    assert_eq!(results[0].rc_change_time.secs, 1_020);
    world.pass(10_000);
    world.end(OcfCode::NOT_RUNNING, ExecStatus::Done);
    assert!(world.results().is_empty());
    let recurring = world.ask_as(ME, Command::new(Request::Recurring { resource: None }));
    let ReplyBody::Recurring(operations) = recurring.body else { panic!() };
    assert_eq!((operations[0].resource.as_str(), operations[0].interval.as_ms()), ("a", 10_000));
}

#[test]
fn an_equal_recurring_one_is_merged_and_run_at_once() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.exec("a", "monitor", 10_000, OPT_NOTIFY_CHANGES_ONLY);
    world.end(OK.0, OK.1);
    world.results();
    world.pass(3_000);
    let call_id = world.exec("a", "monitor", 10_000, OPT_NOTIFY_CHANGES_ONLY);
    assert_eq!(world.runs.len(), 1, "its interval is over at once");
    world.end(OK.0, OK.1);
    let results = world.results();
    assert_eq!(results.iter().map(|result| result.call_id).collect::<Vec<_>>(), [call_id]);
    world.pass(10_000);
    assert_eq!(world.runs.len(), 1, "and there is one of it only");
}

#[test]
fn cancelling_what_waits_what_recurs_and_what_runs() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.exec("a", "monitor", 10_000, 0);
    world.end(OK.0, OK.1);
    world.results();
    // It waits for its interval: told at once.
    assert_eq!(world.ask(cancel("a", "monitor", 10_000)), 0);
    assert_eq!(world.results()[0].status, ExecStatus::Cancelled);
    world.pass(60_000);
    assert!(world.runs.is_empty());
    // It runs: killed, told when it has ended.
    world.exec("a", "monitor", 10_000, 0);
    assert_eq!(world.ask(cancel("a", "monitor", 10_000)), 0);
    assert_eq!(world.kills, [world.runs[0].0]);
    assert!(world.results().is_empty());
    world.end(OcfCode::OK, ExecStatus::Cancelled);
    assert_eq!(world.results()[0].status, ExecStatus::Cancelled);
    world.pass(60_000);
    assert!(world.runs.is_empty());
    // There is no such thing.
    assert_eq!(world.ask(cancel("a", "monitor", 10_000)), LegacyRc::EOPNOTSUPP.value());
    assert_eq!(world.ask(cancel("b", "monitor", 10_000)), LegacyRc::ENODEV.value());
}

#[test]
fn a_stop_ends_all_watching_first() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.exec("a", "monitor", 10_000, 0);
    world.end(OK.0, OK.1);
    world.results();
    world.exec("a", "stop", 0, 0);
    assert_eq!(world.results()[0].status, ExecStatus::Cancelled);
    assert_eq!(world.runs[0].1.action, "stop");
    world.end(OK.0, OK.1);
    world.pass(60_000);
    assert!(world.runs.is_empty());
}

#[test]
fn a_start_delay_is_waited_for() {
    let mut world = World::new();
    world.register("a", "ocf");
    let delayed = Exec { start_delay_ms: 5_000, ..op("a", "monitor", 0) };
    assert!(world.ask(Request::Exec(delayed)) > 0);
    world.pass(4_999);
    assert!(world.runs.is_empty());
    world.pass(1);
    assert_eq!(world.runs.len(), 1);
}

#[test]
fn unregistering_cancels_what_waits_and_tells_of_what_runs() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.exec("a", "start", 0, 0);
    world.exec("a", "monitor", 10_000, 0);
    let rc = world.ask(Request::UnregisterResource { resource: "a".into() });
    assert_eq!(rc, -115, "something runs still");
    let results = world.results();
    assert_eq!(results[0].status, ExecStatus::Cancelled);
    assert!(results[0].resource_deleted);
    world.end(OK.0, OK.1);
    let results = world.results();
    assert_eq!((results[0].action.as_str(), results[0].resource_deleted), ("start", true));
    assert_eq!(world.ask(Request::ResourceInfo { resource: "a".into() }), LegacyRc::ENODEV.value());
    assert_eq!(world.ask(Request::Exec(op("a", "start", 0))), LegacyRc::ENODEV.value());
    // The same id may come back while the old one's operation still runs.
    world.register("a", "ocf");
    world.exec("a", "start", 0, 0);
    assert_eq!(world.runs.len(), 1);
}

#[test]
fn who_may_not_is_refused() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.connect(ClientId(2), false);
    let refused = world.ask_as(ClientId(2), Command::new(Request::Exec(op("a", "start", 0))));
    assert_eq!(refused.rc, LegacyRc::EACCES.value());
    assert!(world.runs.is_empty());
    assert_eq!(world.ask_as(ClientId(2), Command::new(Request::Poke)).rc, 0);
    let old = Request::Register {
        client_name: "old".into(),
        protocol_version: "0.9".into(),
        is_ipc_provider: false,
    };
    assert_eq!(world.ask(old), LegacyRc::EPROTO.value());
}

#[test]
fn all_clients_are_told_unless_the_asker_wants_it_private() {
    let mut world = World::new();
    world.register("a", "ocf");
    world.connect(ClientId(2), true);
    world.exec("a", "start", 0, 0);
    world.end(OK.0, OK.1);
    assert_eq!(world.told.iter().map(|(client, _)| client.0).collect::<Vec<_>>(), [1, 2]);
    world.told.clear();
    world.exec("a", "monitor", 0, OPT_NOTIFY_ORIGIN_ONLY);
    world.end(OK.0, OK.1);
    assert_eq!(world.told.iter().map(|(client, _)| client.0).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_client_can_take_its_recurring_ones_with_it() {
    let mut world = World::new();
    let agent = Agent { class: "ocf".into(), provider: Some("p".into()), kind: "Dummy".into() };
    let request = Request::RegisterResource { resource: "a".into(), agent };
    world.ask_as(ME, Command { request, options: OPT_DROP_RECURRING, timeout_ms: 0 });
    world.exec("a", "monitor", 10_000, 0);
    world.end(OK.0, OK.1);
    world.feed(Input::ClientGone { client: ME });
    world.pass(60_000);
    assert!(world.runs.is_empty());
}

#[test]
fn what_this_executor_cannot_run_is_told_so() {
    let mut world = World::new();
    world.register("old", "lsb");
    world.exec("old", "start", 0, 0);
    let results = world.results();
    assert_eq!((results[0].rc, results[0].status), (OcfCode::UNIMPLEMENT_FEATURE, ExecStatus::NotSupported));
    assert_eq!(
        results[0].exit_reason.as_deref(),
        Some("Resource standard 'lsb' is not supported by this executor")
    );
}

#[test]
fn nonsense_is_answered_and_harms_nobody() {
    let mut world = World::new();
    for text in
        ["<x/>", "<lrmd_command t='lrmd' lrmd_op='lrmd_rsc_exec'/>", "<lrmd_command t='lrmd' lrmd_op='tea'/>"]
    {
        let message = xml::parse(text).unwrap();
        world.core.handle(
            world.now,
            Input::ClientMessage { client: ME, request: 9, wants_response: true, message },
        );
        let mut answers = 0;
        while let Some(output) = world.core.poll() {
            answers += usize::from(matches!(output, Output::Respond { .. }));
        }
        assert_eq!(answers, 1, "{text}");
    }
}

impl World {
    fn fencer_answers(&mut self, result: &ActionResult) -> fencer::Request {
        let (call, request) = self.calls.remove(0);
        let command = fencer::Command::new(request.clone(), call, 0, 0);
        let message = fencer::Reply::to(&command, result.clone()).to_xml(&command);
        if matches!(request, fencer::Request::Execute { .. }) {
            self.feed(Input::ServiceEvent { service: Service::Fenced, message });
        } else {
            self.feed(Input::ServiceResponse { service: Service::Fenced, call, message });
        }
        request
    }
}

#[test]
fn fence_devices_are_the_fencers() {
    let mut world = World::new();
    world.register("power", "stonith");
    world.exec("power", "monitor", 0, 0);
    assert_eq!(world.results()[0].rc, OcfCode::NOT_RUNNING, "a probe needs no fencer");
    world.exec("power", "start", 0, 0);
    let results = world.results();
    assert_eq!(results[0].exit_reason.as_deref(), Some("No connection to fencer"));

    world.feed(Input::ServiceUp { service: Service::Fenced });
    world.fencer_answers(&ActionResult::ok());
    world.exec("power", "start", 0, 0);
    let request = world.fencer_answers(&ActionResult::ok());
    assert!(matches!(request, fencer::Request::RegisterDevice(device) if device.id == "power"));
    assert!(world.results().is_empty(), "it has not started before its monitor has succeeded");
    world.fencer_answers(&ActionResult::ok());
    assert_eq!((world.results()[0].rc, world.runs.len()), (OcfCode::OK, 0));
    world.exec("power", "monitor", 0, 0);
    assert_eq!(world.results()[0].rc, OcfCode::OK);

    world.exec("power", "monitor", 60_000, 0);
    world.fencer_answers(&ActionResult::not_done(
        ExecStatus::Timeout,
        "Fence agent did not complete within 20s",
    ));
    let results = world.results();
    assert_eq!((results[0].rc, results[0].status), (OcfCode::UNKNOWN_ERROR, ExecStatus::Timeout));
    world.pass(60_000);
    assert_eq!(world.calls.len(), 1, "it recurs");
    world.feed(Input::ServiceDown { service: Service::Fenced });
    assert_eq!(world.results()[0].exit_reason.as_deref(), Some("Lost connection to fencer"));
    world.exec("power", "monitor", 0, 0);
    assert_eq!(world.results()[0].exit_reason.as_deref(), Some("Lost connection to fencer"));

    world.calls.clear();
    world.feed(Input::ServiceUp { service: Service::Fenced });
    world.fencer_answers(&ActionResult::ok());
    world.exec("power", "stop", 0, 0);
    world.fencer_answers(&ActionResult::ok());
    world.results();
    world.exec("power", "monitor", 0, 0);
    assert_eq!(world.results()[0].rc, OcfCode::NOT_RUNNING);
}

#[test]
fn a_fencer_that_never_answers_is_given_up() {
    let mut world = World::new();
    world.feed(Input::ServiceUp { service: Service::Fenced });
    world.fencer_answers(&ActionResult::ok());
    world.register("power", "stonith");
    world.exec("power", "start", 0, 0);
    world.pass(80_000);
    assert_eq!(world.results()[0].status, ExecStatus::Timeout);
}
