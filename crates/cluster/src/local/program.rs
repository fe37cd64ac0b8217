// SPDX-License-Identifier: GPL-2.0-or-later
//! The hub as a program: `local-hub --socket PATH --nodes a,b,c [--control PATH] [--expected-votes N] [--two-node]`.

use super::{Hub, HubOptions};
use model::ExitCode;
use std::ffi::OsString;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: local-hub --socket PATH --nodes NAME,NAME,... [options]

Lets the daemons of several nodes on this machine meet, in place of Corosync.
Daemons find it by SYSTOLE_CLUSTER=local:PATH, and say who they are by SYSTOLE_NODE=NAME.

  --socket PATH          where the daemons come to
  --nodes NAME,...       the nodes; their ids are their places, from 1
  --control PATH         where people and tests come to: list, kill NODE, down NODE, up NODE, cut A,B|C, heal
  --expected-votes N     votes there are in all (default: one for each node)
  --two-node             with two votes, one is quorum once both nodes have been seen together
";

/// Runs it until SIGTERM or SIGINT. `args` starts with the program's name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let options = match parse(args.into_iter().skip(1).map(|arg| arg.to_string_lossy().into_owned())) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::OK;
        }
        Err(problem) => {
            eprintln!("local-hub: {problem}\n\n{USAGE}");
            return ExitCode::USAGE;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("local-hub: cannot start: {error}");
            return ExitCode::OSERR;
        }
    };
    runtime.block_on(run(&options))
}

async fn run(options: &HubOptions) -> ExitCode {
    let hub = match Hub::start(options) {
        Ok(hub) => hub,
        Err(error) => {
            eprintln!("local-hub: {error}");
            return ExitCode::CANTCREAT;
        }
    };
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        eprintln!("local-hub: cannot listen for signals");
        return ExitCode::OSERR;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    drop(hub);
    ExitCode::OK
}

/// The options; `None` if help is asked for.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<HubOptions>, String> {
    let mut options = HubOptions::new("", &[]);
    while let Some(arg) = args.next() {
        let (name, mut inline) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let mut value = || inline.take().or_else(|| args.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--socket" => options.socket = value()?.into(),
            "--control" => options.control = Some(value()?.into()),
            "--nodes" => {
                options.nodes = value()?
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect();
            }
            "--expected-votes" => {
                let votes = value()?;
                options.expected_votes =
                    Some(votes.parse().map_err(|_| format!("'{votes}' is not a number"))?);
            }
            "--two-node" => options.two_node = true,
            _ => return Err(format!("unknown option '{name}'")),
        }
    }
    if options.socket.as_os_str().is_empty() || options.nodes.is_empty() {
        return Err("--socket and --nodes are needed".to_owned());
    }
    Ok(Some(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<HubOptions>, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options =
            parsed("--socket /s --nodes=a,b --expected-votes 3 --two-node --control /c").unwrap().unwrap();
        assert_eq!(options.nodes, ["a", "b"]);
        assert_eq!((options.expected_votes, options.two_node), (Some(3), true));
        assert!(parsed("--help").unwrap().is_none());
        for (bad, why) in [
            ("", "are needed"),
            ("--socket", "needs a value"),
            ("--socket /s --nodes ,", "are needed"),
            ("--expected-votes x", "not a number"),
            ("--sockets /s", "unknown option '--sockets'"),
        ] {
            assert!(parsed(bad).unwrap_err().contains(why), "{bad}");
        }
    }
}
