// SPDX-License-Identifier: GPL-2.0-or-later
//! Runs an agent: one process, its own group, a time limit, its output kept within limits.
//!
//! Decides: how it is started, ended and watched. Given: an [`Invocation`]. Leaves to others: what the [`Outcome`] means.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Of each output this much is kept; the rest is read and dropped, so that the agent is not held up.
const OUTPUT_LIMIT: usize = 1 << 20;

/// How long a killed process may take to be gone, before it is given up (it is stuck in the system).
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Output may still be in the pipe when the agent has gone. If what it started holds the pipe open there is no end to
/// wait for, so this is how long the pipe has to be silent.
const SILENCE: Duration = Duration::from_millis(20);

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The file.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables besides the inherited ones.
    pub environment: Vec<(String, String)>,
    /// What it reads.
    pub stdin: String,
    /// How long it may take; zero for no limit.
    pub timeout_ms: u64,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, which we did not send.
    Signalled(String),
    /// It was killed at its time limit.
    TimedOut,
    /// It was killed because nobody wants it any more.
    Cancelled,
    /// It could not be started.
    NotStarted {
        /// What kind of error.
        kind: ErrorKind,
        /// The error.
        message: String,
    },
}

/// The end of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its process.
    pub pid: Option<u32>,
    /// How it ended.
    pub end: End,
    /// What it wrote.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

/// Runs it to its end; kills it (and all in its group) when its time is over or `cancel` is ready.
pub async fn run(invocation: &Invocation, cancel: impl Future<Output = ()>) -> Outcome {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .envs(invocation.environment.iter().map(|(name, value)| (name, value)))
        .stdin(if invocation.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir("/")
        .process_group(0);
    let mut child = match spawn(&mut command).await {
        Ok(child) => child,
        Err(error) => {
            let message = error.to_string();
            let message = message.split(" (os error").next().unwrap_or_default().to_owned();
            let end = End::NotStarted { kind: error.kind(), message };
            return Outcome { pid: None, end, stdout: String::new(), stderr: String::new() };
        }
    };
    let pid = child.id();
    let group = Group(pid.and_then(|pid| i32::try_from(pid).ok()));
    let (mut stdout, mut stderr) = (Gathered::default(), Gathered::default());
    let (mut out, mut err, stdin) = (child.stdout.take(), child.stderr.take(), child.stdin.take());
    let feed = async {
        if let Some(mut pipe) = stdin {
            // An agent that does not read its options has itself to blame: what it does then is its result.
            let _ = pipe.write_all(invocation.stdin.as_bytes()).await;
        }
    };
    let limit = async {
        match invocation.timeout_ms {
            0 => std::future::pending().await,
            ms => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
    };
    let end = {
        let gather = async {
            tokio::join!(stdout.fill(&mut out), stderr.fill(&mut err), feed);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            status = child.wait() => status.map_or_else(|error| lost(&error), ended),
            () = limit => End::TimedOut,
            () = cancel => End::Cancelled,
            () = gather => End::Cancelled,
        }
    };
    if matches!(end, End::TimedOut | End::Cancelled) {
        group.kill();
        if tokio::time::timeout(KILL_WAIT, child.wait()).await.is_err() {
            tracing::error!("{} (process {pid:?}) does not end after SIGKILL", invocation.program.display());
        }
    }
    // What is left of its group after a normal end (a daemon it started) is meant to stay.
    group.forget();
    tokio::join!(stdout.drain(&mut out), stderr.drain(&mut err));
    Outcome { pid, end, stdout: stdout.into_text(), stderr: stderr.into_text() }
}

/// A file that was just written may still be open for writing in a process that is being forked: then try again.
async fn spawn(command: &mut Command) -> std::io::Result<Child> {
    for _ in 0..20 {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other => return other,
        }
    }
    command.spawn()
}

fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => {
            End::Signalled(Signal::try_from(signal).map_or_else(|_| signal.to_string(), |s| s.to_string()))
        }
        (None, None) => End::Signalled("an unknown".to_owned()),
    }
}

fn lost(error: &std::io::Error) -> End {
    End::NotStarted { kind: error.kind(), message: format!("its end cannot be learnt: {error}") }
}

/// The agent's process group. If the run is dropped before its end, so is the agent.
struct Group(Option<i32>);

impl Group {
    fn kill(&self) {
        if let Some(pid) = self.0 {
            // It may have gone by itself meanwhile.
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    ended: bool,
}

impl Gathered {
    async fn fill(&mut self, pipe: &mut Option<impl AsyncRead + Unpin>) {
        while self.read_once(pipe).await {}
    }

    async fn drain(&mut self, pipe: &mut Option<impl AsyncRead + Unpin>) {
        while matches!(tokio::time::timeout(SILENCE, self.read_once(pipe)).await, Ok(true)) {}
    }

    /// Whether there may be more. Cancel-safe: what was read is kept at once.
    async fn read_once(&mut self, pipe: &mut Option<impl AsyncRead + Unpin>) -> bool {
        let Some(pipe) = pipe.as_mut().filter(|_| !self.ended) else { return false };
        let mut chunk = [0; 8192];
        match pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => self.ended = true,
            Ok(count) => {
                let room = OUTPUT_LIMIT.saturating_sub(self.bytes.len()).min(count);
                self.bytes.extend_from_slice(chunk.get(..room).unwrap_or_default());
            }
        }
        !self.ended
    }

    fn into_text(self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}
