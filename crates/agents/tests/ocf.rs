// SPDX-License-Identifier: GPL-2.0-or-later
//! The agents we ship really run: started, watched, stopped, told to fail; and what is no agent is refused by name.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests count as tests

use agents::{Catalogue, Finder, Verdict, ocf, run};
use model::{ExecStatus, OcfCode};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder for one test: the agents we ship below `ocf/resource.d`, room for state beside.
struct Lab {
    folder: TempDir,
    finder: Finder,
}

impl Lab {
    fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let ocf_root = folder.path().join("ocf");
        std::fs::create_dir_all(&ocf_root).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agents/ocf");
        std::os::unix::fs::symlink(shipped, ocf_root.join("resource.d")).unwrap();
        Lab { folder, finder: Finder { ocf_root, fence_path: Vec::new(), ..Finder::default() } }
    }

    /// With an agent `test:AGENT` of this text and mode.
    fn with_agent(agent: &str, text: &str, mode: u32) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let ocf_root = folder.path().join("ocf");
        let file = ocf_root.join("resource.d/test").join(agent);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        Lab { folder, finder: Finder { ocf_root, fence_path: Vec::new(), ..Finder::default() } }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn act(&self, agent: (&str, &str), action: &str, parameters: &[(&str, &str)]) -> Verdict {
        self.act_within(20_000, agent, action, parameters).await
    }

    async fn act_within(
        &self,
        timeout_ms: u64,
        (provider, agent): (&str, &str),
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Verdict {
        let mut all: BTreeMap<String, String> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, file) in [("state", "state"), ("pidfile", "pid"), ("trace", "trace")] {
            all.entry(name.to_owned()).or_insert_with(|| self.path(file).to_string_lossy().into_owned());
        }
        all.insert("CRM_meta_on_node".into(), "n1".into());
        let call = ocf::Call { provider, agent, resource: "r:0", action, parameters: &all, timeout_ms };
        let invocation = ocf::invocation(&self.finder, &call).unwrap();
        let outcome = run::run(&invocation, std::future::pending()).await;
        ocf::verdict(&invocation, &outcome)
    }

    fn trace(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("trace")).unwrap_or_default();
        text.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }
}

const DUMMY: (&str, &str) = ("pacemaker", "Dummy");
const PROCESS: (&str, &str) = ("systole", "process");

fn done(rc: OcfCode) -> Verdict {
    Verdict { rc, status: ExecStatus::Done, reason: None }
}

fn failed(rc: OcfCode, reason: &str) -> Verdict {
    Verdict { rc, status: ExecStatus::Done, reason: Some(reason.to_owned()) }
}

/// How many processes have this command line.
fn running(command: &str) -> usize {
    let wanted: Vec<u8> = command.split(' ').flat_map(|word| word.bytes().chain([0])).collect();
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter(|folder| std::fs::read(folder.path().join("cmdline")).is_ok_and(|line| line == wanted))
        .count()
}

#[tokio::test]
async fn dummy_lives_a_life() {
    let lab = Lab::new();
    for (action, rc) in [
        ("monitor", OcfCode::NOT_RUNNING),
        ("start", OcfCode::OK),
        ("start", OcfCode::OK),
        ("monitor", OcfCode::OK),
        ("reload-agent", OcfCode::OK),
        ("stop", OcfCode::OK),
        ("stop", OcfCode::OK),
        ("monitor", OcfCode::NOT_RUNNING),
        ("validate-all", OcfCode::OK),
    ] {
        assert_eq!(lab.act(DUMMY, action, &[]).await, done(rc), "{action}");
    }
    assert_eq!(lab.act(DUMMY, "dance", &[]).await, done(OcfCode::UNIMPLEMENT_FEATURE));
    assert_eq!(lab.trace()[..3], ["n1 monitor 7", "n1 start 0", "n1 start 0"]);
    assert_eq!(lab.trace().len(), 9);
}

#[tokio::test]
async fn dummy_fails_when_told_to() {
    let lab = Lab::new();
    let verdict = lab.act(DUMMY, "start", &[("fail_start_on", "n1")]).await;
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "told to fail to start on n1"));
    assert_eq!(lab.act(DUMMY, "monitor", &[("fail_start_on", "n1")]).await, done(OcfCode::OK));
    let verdict = lab.act(DUMMY, "monitor", &[("OCF_CHECK_LEVEL", "30")]).await;
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "check level 30 always fails"));
    std::fs::write(lab.path("state"), "5").unwrap();
    let verdict = lab.act(DUMMY, "monitor", &[("OCF_CHECK_LEVEL", "40")]).await;
    assert_eq!(verdict, failed(OcfCode::NOT_INSTALLED, "the state file says 5"));
    let verdict = lab.act(DUMMY, "validate-all", &[("op_sleep", "long")]).await;
    assert_eq!(verdict.rc, OcfCode::NOT_CONFIGURED);
    let verdict = lab.act(DUMMY, "start", &[("state", "/proc/no/such")]).await;
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "cannot write the state file /proc/no/such"));
}

#[tokio::test]
async fn an_agent_that_hangs_is_killed_with_all_it_started() {
    let lab = Lab::new();
    let begin = Instant::now();
    let verdict = lab.act_within(300, DUMMY, "start", &[("op_sleep", "61")]).await;
    assert!(begin.elapsed() < Duration::from_secs(4));
    assert_eq!((verdict.rc, verdict.status), (OcfCode::UNKNOWN_ERROR, ExecStatus::Timeout));
    assert_eq!(verdict.reason.as_deref(), Some("Resource agent did not complete within 300ms"));
    assert_eq!(running("sleep 61"), 0, "the sleep it had started must be gone, too");
}

#[tokio::test]
async fn what_cannot_be_written_is_named_and_no_reason_to_stop_halfway() {
    let lab = Lab::new();
    // The folder of the state does not exist yet: a slow look must not stumble over that.
    let state = lab.path("not/yet/state").to_string_lossy().into_owned();
    let slow = [("op_sleep", "1"), ("state", state.as_str())];
    assert_eq!(lab.act(DUMMY, "monitor", &slow).await, done(OcfCode::NOT_RUNNING));
    // A folder stands where the file should be.
    let taken = lab.path("taken");
    std::fs::create_dir_all(taken.join("state/x")).unwrap();
    let verdict = lab.act(PROCESS, "start", &[("command", "sleep 1"), ("pidfile", "/proc/no/pid")]).await;
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "cannot write the pid file /proc/no/pid"));
    let verdict = lab.act(DUMMY, "stop", &[("state", &taken.join("state").to_string_lossy())]).await;
    assert!(verdict.reason.is_some_and(|reason| reason.starts_with("cannot remove the state file")));
}

#[tokio::test]
async fn what_is_no_agent_is_refused_with_its_name() {
    let lab = Lab::with_agent("NotExecutable", "#!/bin/sh\nexit 0\n", 0o644);
    let missing = lab.act(("test", "Missing"), "start", &[]).await;
    assert_eq!((missing.rc, missing.status), (OcfCode::NOT_INSTALLED, ExecStatus::NotInstalled));
    let reason = missing.reason.unwrap();
    assert!(reason.ends_with("ocf/resource.d/test/Missing: No such file or directory"), "{reason}");
    let verdict = lab.act(("test", "NotExecutable"), "start", &[]).await;
    assert_eq!((verdict.rc, verdict.status), (OcfCode::INSUFFICIENT_PRIV, ExecStatus::Error));
    assert!(verdict.reason.unwrap().ends_with("NotExecutable: Permission denied"));
    let lab = Lab::with_agent("Garbage", "\u{1}\u{2}not a program", 0o755);
    let verdict = lab.act(("test", "Garbage"), "start", &[]).await;
    assert_eq!((verdict.rc, verdict.status), (OcfCode::NOT_INSTALLED, ExecStatus::NotInstalled));
}

#[tokio::test]
async fn odd_ends_of_agents_are_told_apart() {
    let lab = Lab::with_agent("Odd", "#!/bin/sh\ncase $1 in signal) kill -9 $$;; esac\nexit 77\n", 0o755);
    assert_eq!(lab.act(("test", "Odd"), "start", &[]).await, done(OcfCode::UNKNOWN_ERROR));
    let verdict = lab.act(("test", "Odd"), "signal", &[]).await;
    assert_eq!((verdict.rc, verdict.status), (OcfCode::UNKNOWN_ERROR, ExecStatus::Error));
    assert_eq!(verdict.reason.as_deref(), Some("Resource agent interrupted by SIGKILL signal"));
}

#[tokio::test]
async fn output_is_limited_and_a_daemon_that_keeps_the_pipe_does_not_hold_us() {
    let text = "#!/bin/sh\nhead -c 5000000 /dev/zero\nsleep 20 &\necho ocf-exit-reason:told >&2\nexit 1\n";
    let lab = Lab::with_agent("Loud", text, 0o755);
    let parameters = BTreeMap::new();
    let call = ocf::Call {
        provider: "test",
        agent: "Loud",
        resource: "r",
        action: "start",
        parameters: &parameters,
        timeout_ms: 15_000,
    };
    let invocation = ocf::invocation(&lab.finder, &call).unwrap();
    let begin = Instant::now();
    let outcome = run::run(&invocation, std::future::pending()).await;
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(outcome.stdout.len(), 1 << 20);
    let verdict = ocf::verdict(&invocation, &outcome);
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "told"));
    // End what the agent has left behind.
    let group = i32::try_from(outcome.pid.unwrap()).unwrap();
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn a_run_can_be_cancelled() {
    let lab = Lab::with_agent("Slow", "#!/bin/sh\nsleep 30\n", 0o755);
    let parameters = BTreeMap::new();
    let call = ocf::Call {
        provider: "test",
        agent: "Slow",
        resource: "r",
        action: "monitor",
        parameters: &parameters,
        timeout_ms: 0,
    };
    let invocation = ocf::invocation(&lab.finder, &call).unwrap();
    let outcome = run::run(&invocation, tokio::time::sleep(Duration::from_millis(100))).await;
    let verdict = ocf::verdict(&invocation, &outcome);
    assert_eq!((verdict.rc, verdict.status), (OcfCode::OK, ExecStatus::Cancelled));
}

#[tokio::test]
async fn process_really_runs_and_really_ends() {
    let lab = Lab::new();
    let command = [("command", "sleep 300"), ("kill_after", "2")];
    let watched = [("command", "sleep 300"), ("CRM_meta_interval", "1000")];
    assert_eq!(lab.act(PROCESS, "monitor", &command).await, done(OcfCode::NOT_RUNNING));
    assert_eq!(lab.act(PROCESS, "start", &command).await, done(OcfCode::OK));
    let pid = || -> i32 {
        let text = std::fs::read_to_string(lab.path("pid")).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    };
    let first = pid();
    let command_line = std::fs::read(format!("/proc/{first}/cmdline")).unwrap();
    assert_eq!(command_line, b"sleep\x00300\x00");
    assert_eq!(lab.act(PROCESS, "start", &command).await, done(OcfCode::OK));
    assert_eq!(pid(), first, "a second start must not start a second process");
    assert_eq!(lab.act(PROCESS, "monitor", &watched).await, done(OcfCode::OK));

    let kill =
        |pid| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    kill(first).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let verdict = lab.act(PROCESS, "monitor", &watched).await;
    let reason = format!("process {first} of r:0 has ended by itself");
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, &reason));
    assert_eq!(lab.act(PROCESS, "monitor", &command).await, done(OcfCode::NOT_RUNNING));

    assert_eq!(lab.act(PROCESS, "start", &command).await, done(OcfCode::OK));
    let second = pid();
    assert_ne!(first, second);
    assert_eq!(lab.act(PROCESS, "stop", &command).await, done(OcfCode::OK));
    let left = std::fs::read_to_string(format!("/proc/{second}/stat")).unwrap_or_default();
    assert!(left.is_empty() || left.contains(") Z "), "the process must be gone after stop: {left}");
    assert_eq!(lab.act(PROCESS, "stop", &command).await, done(OcfCode::OK));
    assert_eq!(lab.act(PROCESS, "monitor", &watched).await, done(OcfCode::NOT_RUNNING));
}

#[tokio::test]
async fn process_kills_what_does_not_listen() {
    let lab = Lab::new();
    let command = [("command", "sh -c 'trap \"\" TERM; while :; do sleep 1; done'"), ("kill_after", "1")];
    assert_eq!(lab.act(PROCESS, "start", &command).await, done(OcfCode::OK));
    let begin = Instant::now();
    assert_eq!(lab.act(PROCESS, "stop", &command).await, done(OcfCode::OK));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(lab.act(PROCESS, "monitor", &command).await, done(OcfCode::NOT_RUNNING));
}

#[tokio::test]
async fn process_leaves_nothing_behind() {
    let lab = Lab::new();
    let command = [("command", "sh -c 'sleep 62 & sleep 300'")];
    assert_eq!(lab.act(PROCESS, "start", &command).await, done(OcfCode::OK));
    let text = std::fs::read_to_string(lab.path("pid")).unwrap();
    let first: i32 = text.split_whitespace().next().unwrap().parse().unwrap();
    // The process dies alone; what it has started goes on until it is stopped.
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(running("sleep 62"), 1);
    assert_eq!(lab.act(PROCESS, "stop", &command).await, done(OcfCode::OK));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running("sleep 62"), 0);
}

#[tokio::test]
async fn a_pid_file_from_before_the_machine_was_started_says_nothing() {
    let lab = Lab::new();
    let command = [("command", "sleep 300"), ("CRM_meta_interval", "1000")];
    // This very process, as if it had been the resource's before.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let born = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    std::fs::write(lab.path("pid"), format!("{} {born}", std::process::id())).unwrap();
    std::fs::write(lab.path("pid.boot"), "another").unwrap();
    assert_eq!(lab.act(PROCESS, "monitor", &command).await, done(OcfCode::NOT_RUNNING));
    assert_eq!(lab.act(PROCESS, "stop", &command).await, done(OcfCode::OK));
}

#[tokio::test]
async fn process_says_why_it_cannot() {
    let lab = Lab::new();
    let verdict = lab.act(PROCESS, "start", &[("command", "/no/such/program")]).await;
    assert_eq!(verdict, failed(OcfCode::UNKNOWN_ERROR, "command ended at once: /no/such/program"));
    let verdict = lab.act(PROCESS, "start", &[]).await;
    assert_eq!(verdict, failed(OcfCode::NOT_CONFIGURED, "parameter 'command' is not set"));
}

#[tokio::test]
async fn agents_describe_themselves() {
    let lab = Lab::new();
    let mut catalogue = Catalogue::new(lab.finder.clone());
    assert_eq!(lab.finder.ocf_providers(), ["pacemaker", "systole"]);
    for provider in lab.finder.ocf_providers() {
        for agent in lab.finder.ocf_agents(&provider) {
            let description = catalogue.ocf(&provider, &agent).await.unwrap();
            assert_eq!(description.name, agent);
            assert!(["start", "stop", "monitor"].iter().all(|name| description.action(name).is_some()));
        }
    }
}

#[tokio::test]
async fn an_agent_is_asked_once_until_it_changes() {
    let metadata = |version: u32| format!("<resource-agent name='Counted' version='{version}'/>");
    let script = |version: u32| format!("#!/bin/sh\necho asked >>{{}}\necho \"{}\"\n", metadata(version));
    let lab = Lab::with_agent("Counted", "", 0o755);
    let (file, asked) = (lab.finder.ocf_agent("test", "Counted").unwrap(), lab.path("asked"));
    let write = |version: u32, age_s: u64| {
        std::fs::write(&file, script(version).replace("{}", &asked.to_string_lossy())).unwrap();
        let time = std::time::SystemTime::now() - Duration::from_secs(age_s);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    };
    let mut catalogue = Catalogue::new(lab.finder.clone());
    write(1, 20);
    for _ in 0..3 {
        let description = catalogue.ocf("test", "Counted").await.unwrap();
        assert_eq!(description.version.as_deref(), Some("1"));
    }
    write(2, 10);
    assert_eq!(catalogue.ocf("test", "Counted").await.unwrap().version.as_deref(), Some("2"));
    assert_eq!(std::fs::read_to_string(&asked).unwrap().lines().count(), 2);
    let missing = catalogue.ocf("test", "Missing").await.unwrap_err().to_string();
    assert!(missing.ends_with("test/Missing: No such file or directory"), "{missing}");
    std::fs::write(&file, "#!/bin/sh\nexit 3\n").unwrap();
    let failed = catalogue.ocf("test", "Counted").await.unwrap_err().to_string();
    assert!(failed.ends_with("test/Counted: meta-data action returned error code 3"), "{failed}");
    std::fs::write(&file, "#!/bin/sh\necho hello\n").unwrap();
    let nonsense = catalogue.ocf("test", "Counted").await.unwrap_err().to_string();
    assert!(nonsense.contains("test/Counted: meta-data is not XML"), "{nonsense}");
}
