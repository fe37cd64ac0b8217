// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_node`: this node, its partition and its quorum, as the controller knows them.
//!
//! Decides: options, what is asked of the controller, how its answer is printed.

use crate::command_line;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use clap::{ArgAction, Parser};
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Write};
use xml::Element;

const PROGRAM: &str = "crm_node";

/// crm_node - tool for displaying low-level node information
#[derive(Clone, Debug, Parser)]
#[command(name = "crm_node", disable_version_flag = true, args_override_self = true)]
struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    verbose: u8,
    /// Display only essential output
    #[arg(short = 'Q', long)]
    quiet: bool,
    /// Display this node's cluster id
    #[arg(short = 'i', long, group = "command")]
    cluster_id: bool,
    /// Display all known members (past and present) of this cluster
    #[arg(short = 'l', long, group = "command")]
    list: bool,
    /// Display the name used by the cluster for this node
    #[arg(short = 'n', long, group = "command")]
    name: bool,
    /// Display the members of this partition
    #[arg(short = 'p', long, group = "command")]
    partition: bool,
    /// Display a 1 if our partition has quorum, 0 if not
    #[arg(short = 'q', long, group = "command")]
    quorum: bool,
    /// Display the name used by the cluster for the node with the specified ID
    #[arg(short = 'N', long, value_name = "ID", group = "command")]
    name_for_id: Option<u32>,
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    // An agent is told by the cluster which node it runs on.
    let node = std::env::var("OCF_RESKEY_CRM_meta_on_node").ok();
    run(&args, node, ask, out, &mut io::stderr().lock())
}

/// Asks the controller; its answer is what the reply holds.
fn ask(task: &str, payload: Option<Element>) -> Result<Element, Failure> {
    let mut controller = Controller::connect(PROGRAM)?;
    controller.send(task, "crmd", None, payload)?;
    let reply = controller.reply(REPLY_TIMEOUT)?;
    let reply =
        reply.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, "No reply received from the controller"))?;
    let empty = || Failure::new(ExitCode::PROTOCOL, "The controller's reply holds nothing");
    reply.payload.ok_or_else(empty)
}

fn run(
    args: &[OsString],
    node: Option<String>,
    ask: impl FnOnce(&str, Option<Element>) -> Result<Element, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    command_line::run_plain(
        PROGRAM,
        args,
        |options: &Options| options.version,
        out,
        err,
        |options, out| {
            let text = work(options, node, ask)?;
            out.write_all(text.as_bytes()).map_err(Failure::unwritable)
        },
    )
}

fn work(
    options: &Options,
    node: Option<String>,
    ask: impl FnOnce(&str, Option<Element>) -> Result<Element, Failure>,
) -> Result<String, Failure> {
    let info = |ask: &dyn Fn(&Element) -> Option<String>, answer: Element| {
        ask(&answer)
            .map(|text| text + "\n")
            .ok_or_else(|| Failure::new(ExitCode::NOSUCH, "The node is not known to the cluster"))
    };
    if options.list || options.partition {
        let nodes = ask("list-nodes", None)?;
        return Ok(if options.list { list(&nodes) } else { partition(&nodes) });
    }
    if options.name
        && let Some(node) = node
    {
        return Ok(node + "\n");
    }
    if options.cluster_id {
        return info(&|answer| answer.id().map(str::to_owned), ask("node-info", None)?);
    }
    if options.quorum {
        let quorate = |answer: &Element| answer.attr("have-quorum").and_then(model::parse_bool);
        return info(&|answer| quorate(answer).map(|q| u8::from(q).to_string()), ask("node-info", None)?);
    }
    if options.name || options.name_for_id.is_some() {
        let payload = options.name_for_id.map(|id| Element::new("node").with_attr("id", id));
        return info(&|answer| answer.attr("uname").map(str::to_owned), ask("node-info", payload)?);
    }
    Err(Failure::usage("Must supply one of -i, -l, -n, -p, -q, -N"))
}

/// Id, name and state of each.
fn list(nodes: &Element) -> String {
    let line = |node: &Element| {
        let text = |name| node.attr(name).unwrap_or_default();
        format!("{} {} {}\n", text("id"), text("uname"), text("in_ccm"))
    };
    nodes.elements_named("node").map(line).collect()
}

/// The names of the members.
fn partition(nodes: &Element) -> String {
    let members = nodes.elements_named("node").filter(|node| node.attr("in_ccm") == Some("member"));
    let names: Vec<&str> =
        members.filter_map(|node| node.attr("uname")).filter(|name| !name.is_empty()).collect();
    names.join(" ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &str, answer: &str) -> (i32, String) {
        let args: Vec<OsString> =
            [PROGRAM].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let answer = xml::parse(answer).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&args, None, |_, _| Ok(answer), &mut out, &mut err).value();
        (code, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }

    #[test]
    fn prints_what_the_controller_knows() {
        let nodes = "<nodes><node id='1' uname='node1' in_ccm='member'/><node id='2' uname='node2' in_ccm='lost'/>\
                     <node id='3' uname='node3' in_ccm='member'/></nodes>";
        assert_eq!(said("-l", nodes), (0, "1 node1 member\n2 node2 lost\n3 node3 member\n".into()));
        assert_eq!(said("-p", nodes), (0, "node1 node3\n".into()));
        let node = "<node id='1' uname='node1' have-quorum='true' crmd='member'/>";
        assert_eq!(said("-i", node), (0, "1\n".into()));
        assert_eq!(said("-n", node), (0, "node1\n".into()));
        assert_eq!(said("-q", node), (0, "1\n".into()));
        assert_eq!(said("-N 7", "<node/>"), (105, "crm_node: The node is not known to the cluster\n".into()));
        assert_eq!(said("", node).0, 64);
        assert_eq!(said("-l -p", node).0, 64);
    }
}
