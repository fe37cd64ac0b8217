// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_node`: this node, its partition and its quorum, as the controller knows them; and forgetting nodes.
//!
//! Decides: options, what is asked of the controller, how its answer is printed.

mod remove;

use crate::command_line::{self, CommonOptions, Group, IntegerError, Order, Tool};
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use clap::Parser;
use model::ExitCode;
use remove::Forgotten;
use std::cmp::Ordering;
use std::ffi::OsString;
use xml::Element;

/// crm_node - Tool for displaying low-level node information
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Option<Command>,

    /// Be less descriptive in output.
    #[arg(short = 'Q', long)]
    quiet: bool,

    /// Display this node's cluster id
    #[arg(short = 'i', long, help_heading = "Commands")]
    cluster_id: bool,
    /// Display all known members (past and present) of this cluster
    #[arg(short = 'l', long, help_heading = "Commands")]
    list: bool,
    /// Display the name used by the cluster for this node
    #[arg(short = 'n', long, help_heading = "Commands")]
    name: bool,
    /// Display the members of this partition
    #[arg(short = 'p', long, help_heading = "Commands")]
    partition: bool,
    /// Display a 1 if our partition has quorum, 0 if not
    #[arg(short = 'q', long, help_heading = "Commands")]
    quorum: bool,
    /// Display the name used by the cluster for the node with the specified ID
    #[arg(short = 'N', long, value_name = "ID", value_parser = node_id, help_heading = "Commands")]
    name_for_id: Option<u32>,
    /// (Advanced) Remove the (stopped) node with the specified name from Pacemaker's configuration and caches (the node must
    /// already have been removed from the underlying cluster stack configuration)
    #[arg(short = 'R', long, value_name = "NAME", help_heading = "Commands")]
    remove: Option<String>,

    /// Do what is dangerous
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    force: bool,
}

fn node_id(text: &str) -> Result<u32, IntegerError> {
    text.trim().parse().map_err(|_| IntegerError::NotANumber)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    ClusterId,
    List,
    Name,
    Partition,
    Quorum,
    Remove,
}

impl Tool for Options {
    const NAME: &'static str = "crm_node";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-commands", heading: "Commands", about: "Show command help" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        let commands = ["cluster_id", "list", "name", "partition", "quorum", "name_for_id", "remove"];
        let last = order.last(&commands);
        if last == Some("name") {
            // It is this node's that is asked for, whatever was before.
            self.name_for_id = None;
        }
        self.command = last.map(|last| match last {
            "cluster_id" => Command::ClusterId,
            "list" => Command::List,
            "partition" => Command::Partition,
            "quorum" => Command::Quorum,
            "remove" => Command::Remove,
            _ => Command::Name,
        });
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // An agent is told by the cluster which node it runs on.
    let node = std::env::var("OCF_RESKEY_CRM_meta_on_node").ok();
    let purge = |node: &str| Forgotten::of(node).purge(Options::NAME);
    command_line::main(&args, |options, out| work(options, node, &ask, &purge, out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

/// Asks the controller for something; its answer is what the reply holds.
type Ask<'a> = &'a dyn Fn(&str, Option<Element>) -> Result<Element, Failure>;

fn ask(task: &str, payload: Option<Element>) -> Result<Element, Failure> {
    let mut controller = Controller::connect(Options::NAME)?;
    controller.send(task, "crmd", None, payload)?;
    let reply = controller.reply(REPLY_TIMEOUT)?;
    let reply =
        reply.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, "No reply received from the controller"))?;
    let empty = || Failure::new(ExitCode::PROTOCOL, "The controller's reply holds nothing");
    reply.payload.ok_or_else(empty)
}

fn work(
    options: &Options,
    node: Option<String>,
    ask: Ask<'_>,
    purge: &dyn Fn(&str) -> Result<(), Failure>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let Some(command) = options.command else {
        out.error(command_line::help_text::<Options>());
        return Ok(ExitCode::USAGE);
    };
    if options.remove.is_some() && !options.force {
        return Err(Failure::usage(
            "The supplied command is considered dangerous.  To prevent accidental destruction of the cluster, the --force \
             flag is required in order to proceed.",
        ));
    }
    let info = |payload: Option<Element>| {
        let answer = ask("node-info", payload)?;
        Ok::<_, Failure>(answer.attr("uname").is_some().then_some(answer))
    };
    let id = options.name_for_id.filter(|&id| id != 0);
    let answer = match command {
        Command::List | Command::Partition => {
            let list = NodeList { members: members(&ask("list-nodes", None)?), command };
            return out.say(&list).map(|()| ExitCode::OK);
        }
        Command::Remove => {
            purge(options.remove.as_deref().unwrap_or_default())?;
            return Ok(ExitCode::OK);
        }
        Command::Name if id.is_none() && node.is_some() => Some(Answer::Name(node.unwrap_or_default())),
        Command::Name => {
            let answer = info(id.map(|id| Element::new("node").with_attr("id", id)))?;
            answer.and_then(|answer| Some(Answer::Name(answer.attr("uname")?.to_owned())))
        }
        Command::ClusterId => info(None)?.and_then(|answer| Some(Answer::Id(answer.id()?.to_owned()))),
        Command::Quorum => info(None)?.map(|answer| {
            Answer::Quorum(answer.attr("have-quorum").and_then(model::parse_bool).unwrap_or(false))
        }),
    };
    match answer {
        Some(answer) => out.say(&answer).map(|()| ExitCode::OK),
        None => {
            out.error("Node is not known to cluster");
            Ok(ExitCode::NOSUCH)
        }
    }
}

/// What is known of one node.
enum Answer {
    Id(String),
    Name(String),
    Quorum(bool),
}

impl Message for Answer {
    fn text(&self, _quiet: bool) -> String {
        match self {
            Answer::Id(text) | Answer::Name(text) => format!("{text}\n"),
            Answer::Quorum(quorate) => format!("{}\n", u8::from(*quorate)),
        }
    }

    fn entry(&self) -> Option<Entry> {
        Some(match self {
            Answer::Id(id) => Entry::new("node-info").attr("nodeid", id),
            // The number is not what was asked for.
            Answer::Name(name) => Entry::new("node-info").attr("nodeid", "0").attr("uname", name),
            Answer::Quorum(quorate) => Entry::new("cluster-info").attr("quorum", *quorate),
        })
    }
}

/// A node that the controller has heard of.
struct Member {
    id: String,
    name: Option<String>,
    state: Option<String>,
}

fn members(nodes: &Element) -> Vec<Member> {
    let text = |node: &Element, name: &str| node.attr(name).map(str::to_owned);
    let member = |node: &Element| Member {
        id: node.id().unwrap_or_default().to_owned(),
        name: text(node, "uname"),
        state: text(node, "in_ccm"),
    };
    let mut members: Vec<Member> = nodes.elements_named("node").map(member).collect();
    members.sort_by(|a, b| {
        by_name_and_number(a.name.as_deref().unwrap_or_default(), b.name.as_deref().unwrap_or_default())
    });
    members
}

/// As people sort names: numbers in them by their value, letters whatever their case.
fn by_name_and_number(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (digits_a, rest_a) = number(a);
        let (digits_b, rest_b) = number(b);
        if !digits_a.is_empty() && !digits_b.is_empty() {
            match digits_a.len().cmp(&digits_b.len()).then_with(|| digits_a.cmp(digits_b)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                other => return other,
            }
            continue;
        }
        match (a.split_first(), b.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((x, rest_x)), Some((y, rest_y))) => {
                match x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase()) {
                    Ordering::Equal => (a, b) = (rest_x, rest_y),
                    other => return other,
                }
            }
        }
    }
}

/// The number that a name begins with, without leading zeros (but for one, if there is nothing else), and what follows.
fn number(name: &[u8]) -> (&[u8], &[u8]) {
    let end = name.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len());
    let (digits, rest) = name.split_at(end);
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    (digits.split_at(zeros.min(end.saturating_sub(1))).1, rest)
}

/// All nodes, or the members.
struct NodeList {
    members: Vec<Member>,
    command: Command,
}

impl NodeList {
    fn shown(&self) -> impl Iterator<Item = &Member> {
        let all = self.command == Command::List;
        self.members.iter().filter(move |member| all || member.state.as_deref() == Some("member"))
    }
}

impl Message for NodeList {
    fn text(&self, _quiet: bool) -> String {
        if self.command == Command::List {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let line = |node: &Member| format!("{} {} {}\n", node.id, text(&node.name), text(&node.state));
            return self.shown().map(line).collect();
        }
        let names: Vec<&str> =
            self.shown().filter_map(|node| node.name.as_deref()).filter(|name| !name.is_empty()).collect();
        if names.is_empty() { String::new() } else { names.join(" ") + "\n" }
    }

    fn entry(&self) -> Option<Entry> {
        let entry = |node: &Member| {
            let entry = Entry::new("node").attr("id", &node.id);
            entry.attr_opt("name", node.name.as_ref()).attr_opt("state", node.state.as_ref())
        };
        Some(Entry::new("nodes").items(self.shown().map(entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(args: &str, answer: &str) -> (i32, String) {
        let args: Vec<OsString> =
            [Options::NAME].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let answer = xml::parse(answer).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ask = |_: &str, _| Ok(answer.clone());
        let purge = |_: &str| Err(Failure::new(ExitCode::DISCONNECT, "Could not purge"));
        let code = command_line::run::<Options>(&args, &mut out, &mut err, |options, out| {
            work(options, None, &ask, &purge, out)
        });
        (code.value(), String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }

    const NODES: &str = "<nodes><node id='3' uname='node10' in_ccm='member'/><node id='2' uname='node2' in_ccm='lost'/>\
                         <node id='1' uname='Node1' in_ccm='member'/></nodes>";
    const NODE: &str = "<node id='1' uname='node1' have-quorum='true' crmd='member'/>";

    #[test]
    fn prints_what_the_controller_knows() {
        assert_eq!(said("-l", NODES), (0, "1 Node1 member\n2 node2 lost\n3 node10 member\n".into()));
        assert_eq!(said("-p", NODES), (0, "Node1 node10\n".into()));
        assert_eq!(said("-i", NODE), (0, "1\n".into()));
        assert_eq!(said("-n", NODE), (0, "node1\n".into()));
        assert_eq!(said("-q", NODE), (0, "1\n".into()));
        assert_eq!(said("-l -q", NODE), (0, "1\n".into()));
        assert_eq!(said("-N 7", "<node/>"), (105, "Node is not known to cluster\n".into()));
    }

    #[test]
    fn reports_hold_the_same() {
        let has = |args: &str, answer, part: &str| {
            let (code, text) = said(args, answer);
            assert!(code == 0 && text.contains(part), "{args}: {text}");
        };
        has("-l --output-as=xml", NODES, "<node id=\"2\" name=\"node2\" state=\"lost\"/>");
        has("-p --output-as=xml", NODES, "<node id=\"3\" name=\"node10\" state=\"member\"/>\n  </nodes>");
        has("-i --output-as=xml", NODE, "<node-info nodeid=\"1\"/>");
        has("-n --output-as=xml", NODE, "<node-info nodeid=\"0\" uname=\"node1\"/>");
        has("-q --output-as=xml", NODE, "<cluster-info quorum=\"true\"/>");
    }

    #[test]
    fn dangerous_commands_want_force() {
        let (code, text) = said("-R n1", NODE);
        assert_eq!(code, 64);
        assert!(text.starts_with("crm_node: The supplied command is considered dangerous."), "{text}");
        assert_eq!(said("-R n1 -f", NODE), (102, "crm_node: Could not purge\n".into()));
        let (code, text) = said("", NODE);
        assert_eq!(code, 64);
        assert!(text.starts_with("Usage:\n  crm_node"), "{text}");
    }
}
