// SPDX-License-Identifier: GPL-2.0-or-later
//! `crmadmin`: the state of controllers, and which of them coordinates.
//!
//! Decides: options, who is asked, how the answer is printed.

use crate::cib_access::CibSession;
use crate::command_line;
use crate::controller::Controller;
use crate::failure::Failure;
use clap::{ArgAction, Parser};
use messages::controller::Envelope;
use model::{ExitCode, Interval};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;
use xml::Element;

const PROGRAM: &str = "crmadmin";

/// How long an answer may take unless the command line says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// crmadmin - query and manage the Pacemaker controller
#[derive(Clone, Debug, Parser)]
#[command(name = "crmadmin", disable_version_flag = true, args_override_self = true)]
struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    verbose: u8,
    /// Display only essential output
    #[arg(short = 'q', long)]
    quiet: bool,
    /// Display the status of the specified node. Result is state of node's internal finite state machine
    #[arg(short = 'S', long, value_name = "NODE", group = "command")]
    status: Option<String>,
    /// Display the uname of the node co-ordinating the cluster
    #[arg(short = 'D', long = "dc_lookup", group = "command")]
    dc_lookup: bool,
    /// Display the uname of all member nodes
    #[arg(short = 'N', long, group = "command")]
    nodes: bool,
    /// Time to wait before declaring the operation failed (if 0, use 30s)
    #[arg(short = 't', long, value_name = "TIMESPEC")]
    timeout: Option<Interval>,
    /// Display nodes as shell commands of the form 'export uname=uuid'
    #[arg(short = 'B', long)]
    bash_export: bool,
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let cib = || CibSession::open(PROGRAM)?.query();
    run(&args, ping, cib, out, &mut io::stderr().lock())
}

/// Asks a controller, or the DC, how it is. No answer in time is `None`.
fn ping(host: Option<&str>, timeout: Duration) -> Result<Option<Envelope>, Failure> {
    let mut controller = Controller::connect(PROGRAM)?;
    controller.send("ping", if host.is_some() { "crmd" } else { "dc" }, host, None)?;
    controller.reply(timeout)
}

fn run(
    args: &[OsString],
    ping: impl FnOnce(Option<&str>, Duration) -> Result<Option<Envelope>, Failure>,
    cib: impl FnOnce() -> Result<Element, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => return command_line::refuse(PROGRAM, &error, out, err),
    };
    if options.version {
        return command_line::print_version(out);
    }
    let (text, code) = match work(&options, ping, cib) {
        Ok(said) => said,
        Err(failure) => {
            // If nobody can be told, the exit code has to do.
            let _ = writeln!(err, "{}", failure.plain(PROGRAM));
            return failure.code;
        }
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => ExitCode::IOERR,
    }
}

fn work(
    options: &Options,
    ping: impl FnOnce(Option<&str>, Duration) -> Result<Option<Envelope>, Failure>,
    cib: impl FnOnce() -> Result<Element, Failure>,
) -> Result<(String, ExitCode), Failure> {
    let timeout = options.timeout.filter(|timeout| !timeout.is_zero()).map_or(TIMEOUT, Duration::from);
    if options.nodes {
        return Ok((nodes(&cib()?, options), ExitCode::OK));
    }
    if options.dc_lookup {
        let dc = answer(ping(None, timeout)?, "DC", timeout)?.src;
        let text = match (&dc, options.quiet) {
            (Some(dc), true) => format!("{dc}\n"),
            (None, true) => String::new(),
            (dc, false) => {
                format!("Designated Controller is: {}\n", dc.as_deref().unwrap_or("not yet elected"))
            }
        };
        return Ok((text, if dc.is_some() { ExitCode::OK } else { ExitCode::NO_DC }));
    }
    let Some(node) = &options.status else {
        return Err(Failure::usage("Must supply one of -S, -D, -N"));
    };
    let reply = answer(ping(Some(node), timeout)?, node, timeout)?;
    let attr = |name| reply.payload.as_ref().and_then(|payload| payload.attr(name));
    let state = attr("crmd_state").unwrap_or("unknown");
    let text = if options.quiet {
        format!("{state}\n")
    } else {
        let host = reply.src.as_deref().unwrap_or("unknown node");
        format!("Controller on {host} in state {state}: {}\n", attr("result").unwrap_or("unknown result"))
    };
    Ok((text, ExitCode::OK))
}

fn answer(reply: Option<Envelope>, who: &str, timeout: Duration) -> Result<Envelope, Failure> {
    let text =
        || format!("No reply received from controller before timeout ({}ms) by {who}", timeout.as_millis());
    reply.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, text()))
}

/// The nodes that the configuration knows.
fn nodes(cib: &Element, options: &Options) -> String {
    let nodes = cib.descend(&["configuration", "nodes"]);
    let line = |node: &Element| {
        let (name, id) = (node.attr("uname").unwrap_or("<null>"), node.id());
        match (options.quiet, options.bash_export) {
            (true, _) => format!("{name}\n"),
            (false, true) => format!("export {name}={}\n", id.unwrap_or_default()),
            (false, false) => {
                let kind = node.attr("type").filter(|kind| *kind != "member").unwrap_or("cluster");
                format!("{kind} node: {name} ({})\n", id.unwrap_or("<null>"))
            }
        }
    };
    nodes.into_iter().flat_map(|nodes| nodes.elements_named("node")).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &str, reply: Option<Envelope>) -> (i32, String) {
        let args: Vec<OsString> =
            [PROGRAM].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let cib = || {
            Ok(xml::parse(
                "<cib><configuration><nodes><node id='1' uname='node1'/></nodes></configuration></cib>",
            )
            .unwrap())
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&args, |_, _| Ok(reply), cib, &mut out, &mut err).value();
        (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }

    fn pong(src: Option<&str>) -> Option<Envelope> {
        let payload = Element::new("ping_response")
            .with_attr("crm_subsystem", "crmd")
            .with_attr("crmd_state", "S_IDLE")
            .with_attr("result", "ok");
        let mut reply = Envelope::request("ping", "r".into(), "crmd", "x").reply(Some(payload));
        reply.src = src.map(str::to_owned);
        Some(reply)
    }

    #[test]
    fn prints_what_controllers_say() {
        let status = "Controller on node2 in state S_IDLE: ok\n";
        assert_eq!(said("-S node2", pong(Some("node2"))), (0, status.into()));
        assert_eq!(said("-q -S node2", pong(Some("node2"))), (0, "S_IDLE\n".into()));
        assert_eq!(said("-D", pong(Some("node1"))), (0, "Designated Controller is: node1\n".into()));
        assert_eq!(said("-D", pong(None)), (114, "Designated Controller is: not yet elected\n".into()));
        assert_eq!(said("-N", None), (0, "cluster node: node1 (1)\n".into()));
        assert_eq!(said("-N -B", None), (0, "export node1=1\n".into()));
        let late = said("-S node2 -t 2s", None);
        assert_eq!(late.0, 124);
        assert!(late.1.contains("before timeout (2000ms)"), "{}", late.1);
        assert_eq!(said("", None).0, 64);
        assert_eq!(said("-t soon -D", None).0, 64);
    }
}
