// SPDX-License-Identifier: GPL-2.0-or-later
//! `fence_lab`: fences nodes of a lab on one machine by asking the lab's power switch.
//!
//! Decides: what the switch is asked, and when that is enough. Given: options on standard input (as all fence agents) or
//! as arguments. Leaves to others: to pull the plug. It is a program and no script because a POSIX shell cannot talk to a
//! Unix socket.
//!
//! The switch listens on a Unix socket. A request is one line, `ACTION NODE`, answered by one line that begins with `ok` or
//! `error`: `off NODE`, `on NODE` and `reboot NODE` are answered when it is done (`reboot` when the node was off); `status
//! NODE` with `ok on` or `ok off`; `list` with `ok` and the nodes; `monitor` with `ok`.

use model::ExitCode;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What `status` exits with for a node that is off.
const STATUS_OFF: ExitCode = ExitCode::new(2);

/// An answer that is longer is none.
const ANSWER_LIMIT: u64 = 1 << 16;

/// How long to wait between two looks whether a node is off.
const POLL: Duration = Duration::from_millis(50);

/// What went wrong.
#[derive(Debug, thiserror::Error)]
enum FenceLabError {
    #[error("no '{0}' was given")]
    Missing(&'static str),
    #[error("'{0}' is no action of this agent (expected off, on, reboot, status, list, monitor, metadata)")]
    UnknownAction(String),
    #[error("cannot ask the switch at {path}: {source}")]
    Switch { path: String, source: std::io::Error },
    #[error("the switch at {path} refused '{request}': {answer}")]
    Refused { path: String, request: String, answer: String },
    #[error("{node} is still on {seconds} s after it was turned off")]
    StillOn { node: String, seconds: u64 },
}

/// Runs the agent. `args[0]` is the program's name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let options = match Options::gather(args) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("fence_lab: cannot read options: {error}");
            return ExitCode::ERROR;
        }
    };
    let action = options.text("action").unwrap_or("reboot").to_owned();
    if matches!(action.as_str(), "metadata" | "meta-data") {
        print!("{METADATA}");
        return ExitCode::OK;
    }
    let code = match perform(&options, &action) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("fence_lab: {error}");
            ExitCode::ERROR
        }
    };
    if let Some(trace) = options.text("trace") {
        append_trace(trace, options.node().unwrap_or("-"), &action, code);
    }
    code
}

/// Options, by name.
struct Options(BTreeMap<String, String>);

impl Options {
    /// From the arguments if there are any, else from standard input.
    fn gather(args: Vec<OsString>) -> std::io::Result<Options> {
        let mut options = BTreeMap::new();
        let mut args = args.into_iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).peekable();
        if args.peek().is_none() {
            let mut text = String::new();
            std::io::stdin().take(ANSWER_LIMIT).read_to_string(&mut text)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            let pairs = lines.filter_map(|line| line.split_once('='));
            options.extend(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
            return Ok(Options(options));
        }
        while let Some(arg) = args.next() {
            let (name, value) =
                match (arg.as_str(), arg.strip_prefix("--").and_then(|long| long.split_once('='))) {
                    (_, Some((name, value))) => (name.to_owned(), value.to_owned()),
                    ("-o", None) => ("action".to_owned(), args.next().unwrap_or_default()),
                    ("-n", None) => ("plug".to_owned(), args.next().unwrap_or_default()),
                    (other, None) => {
                        let message = format!(
                            "'{other}' is not understood (expected --NAME=VALUE, -o ACTION, -n NODE)"
                        );
                        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message));
                    }
                };
            options.insert(name, value);
        }
        Ok(Options(options))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn node(&self) -> Option<&str> {
        self.text("plug").or_else(|| self.text("port")).or_else(|| self.text("nodename"))
    }

    fn power_timeout_s(&self) -> u64 {
        self.text("power_timeout").and_then(|text| text.parse().ok()).unwrap_or(20)
    }
}

fn perform(options: &Options, action: &str) -> Result<ExitCode, FenceLabError> {
    let from_environment = std::env::var("SYSTOLE_SWITCH").ok();
    let path =
        options.text("switch").or(from_environment.as_deref()).ok_or(FenceLabError::Missing("switch"))?;
    let switch = Switch { path, timeout: Duration::from_secs(options.power_timeout_s().max(1)) };
    let node = || options.node().ok_or(FenceLabError::Missing("plug"));
    match action {
        "off" => {
            switch.ask("off", node()?)?;
            switch.wait_until_off(node()?)?;
        }
        "on" | "reboot" => {
            switch.ask(action, node()?)?;
        }
        "status" => {
            return Ok(if switch.is_off(node()?)? { STATUS_OFF } else { ExitCode::OK });
        }
        "list" | "list-status" => {
            for name in switch.ask("list", "")?.split_whitespace() {
                println!("{name},");
            }
        }
        "monitor" => {
            switch.ask("monitor", "")?;
        }
        "validate-all" => {}
        other => return Err(FenceLabError::UnknownAction(other.to_owned())),
    }
    Ok(ExitCode::OK)
}

struct Switch<'a> {
    path: &'a str,
    timeout: Duration,
}

impl Switch<'_> {
    /// What follows the `ok`.
    fn ask(&self, action: &str, node: &str) -> Result<String, FenceLabError> {
        let request = format!("{action} {node}").trim_end().to_owned();
        let answer = self
            .exchange(&request)
            .map_err(|source| FenceLabError::Switch { path: self.path.to_owned(), source })?;
        match answer.split_once(' ').unwrap_or((&answer, "")) {
            ("ok", rest) => Ok(rest.trim().to_owned()),
            _ => Err(FenceLabError::Refused { path: self.path.to_owned(), request, answer }),
        }
    }

    fn exchange(&self, request: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(Path::new(self.path))?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        stream.write_all(format!("{request}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream.take(ANSWER_LIMIT)).read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }

    fn is_off(&self, node: &str) -> Result<bool, FenceLabError> {
        let answer = self.ask("status", node)?;
        match answer.split_whitespace().next() {
            Some("off") => Ok(true),
            Some("on") => Ok(false),
            _ => Err(FenceLabError::Refused {
                path: self.path.to_owned(),
                request: format!("status {node}"),
                answer: format!("neither on nor off: '{answer}'"),
            }),
        }
    }

    /// A switch that says "done" is believed only when it also says "off".
    fn wait_until_off(&self, node: &str) -> Result<(), FenceLabError> {
        let begin = Instant::now();
        while !self.is_off(node)? {
            if begin.elapsed() >= self.timeout {
                let seconds = self.timeout.as_secs();
                return Err(FenceLabError::StillOn { node: node.to_owned(), seconds });
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

/// One line, written at once, so that lines of several agents do not mix: time of the end, node, action, code.
fn append_trace(path: &str, node: &str, action: &str, code: ExitCode) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let line = format!("{}.{:06} {node} {action} {}\n", now.as_secs(), now.subsec_micros(), code.value());
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        eprintln!("fence_lab: cannot write the trace {path}: {error}");
    }
}

const METADATA: &str = r#"<?xml version="1.0" ?>
<resource-agent name="fence_lab" shortdesc="Fence agent for the nodes of a lab on one machine">
<longdesc>Asks the power switch of a lab, over a Unix socket, to turn nodes off and on. A node counts as off only when the switch says so.</longdesc>
<parameters>
	<parameter name="action" unique="0" required="1">
		<content type="string" default="reboot"/>
		<shortdesc lang="en">Fencing action</shortdesc>
	</parameter>
	<parameter name="plug" unique="0" required="1">
		<content type="string"/>
		<shortdesc lang="en">The node, as the switch knows it</shortdesc>
	</parameter>
	<parameter name="switch" unique="0" required="0">
		<content type="string"/>
		<shortdesc lang="en">The socket of the power switch (or the environment's SYSTOLE_SWITCH)</shortdesc>
	</parameter>
	<parameter name="power_timeout" unique="0" required="0">
		<content type="second" default="20"/>
		<shortdesc lang="en">How long to wait for an answer, and for a node to be off</shortdesc>
	</parameter>
	<parameter name="trace" unique="0" required="0">
		<content type="string"/>
		<shortdesc lang="en">A file that gets a line for every action: time, node, action, exit code</shortdesc>
	</parameter>
</parameters>
<actions>
	<action name="off"/>
	<action name="on" automatic="0"/>
	<action name="reboot"/>
	<action name="status"/>
	<action name="list"/>
	<action name="monitor"/>
	<action name="metadata"/>
	<action name="validate-all"/>
</actions>
</resource-agent>
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Description;
    use std::os::unix::net::UnixListener;
    use std::sync::mpsc;

    /// A switch that gives these answers, one a connection, and tells what it was asked.
    fn switch(answers: &'static [&'static str]) -> (tempfile::TempDir, String, mpsc::Receiver<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("switch").to_string_lossy().into_owned();
        let listener = UnixListener::bind(&path).unwrap();
        let (tell, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut line = String::new();
                BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
                tell.send(line).unwrap();
                stream.write_all(format!("{answer}\n").as_bytes()).unwrap();
            }
        });
        (folder, path, asked)
    }

    fn run(path: &str, action: &str) -> Result<ExitCode, FenceLabError> {
        let options = [("switch", path), ("plug", "n2"), ("power_timeout", "1")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        perform(&Options(BTreeMap::from(options)), action)
    }

    #[test]
    fn off_is_believed_only_when_the_node_is_off() {
        let (_folder, path, asked) = switch(&["ok", "ok on", "ok off"]);
        assert_eq!(run(&path, "off").unwrap(), ExitCode::OK);
        assert_eq!(asked.iter().collect::<Vec<_>>(), ["off n2\n", "status n2\n", "status n2\n"]);
    }

    #[test]
    fn every_failure_says_what_failed() {
        let (_folder, path, _asked) = switch(&["error no such node n2", "ok maybe"]);
        let refused = run(&path, "reboot").unwrap_err().to_string();
        assert!(refused.ends_with("refused 'reboot n2': error no such node n2"), "{refused}");
        let unclear = run(&path, "status").unwrap_err().to_string();
        assert!(unclear.ends_with("neither on nor off: 'maybe'"), "{unclear}");
        assert!(
            run("/nowhere", "off").unwrap_err().to_string().starts_with("cannot ask the switch at /nowhere")
        );
        assert!(run("/nowhere", "dance").unwrap_err().to_string().starts_with("'dance' is no action"));
    }

    #[test]
    fn status_tells_by_its_code() {
        let (_folder, path, _asked) = switch(&["ok on", "ok off"]);
        assert_eq!(run(&path, "status").unwrap(), ExitCode::OK);
        assert_eq!(run(&path, "status").unwrap(), STATUS_OFF);
    }

    #[test]
    fn it_describes_itself() {
        let description = Description::parse(METADATA).unwrap();
        assert_eq!(description.host_argument(), Some("plug"));
        assert!(
            ["off", "on", "reboot", "list", "status"].iter().all(|name| description.action(name).is_some())
        );
    }
}
