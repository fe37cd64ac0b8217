// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_failcount`: how often a resource has failed on a node, and making the cluster forget it.
//!
//! Decides: which attributes of the node count, and what they come to. Leaves to others: where attributes are
//! (`crm_attribute`), forgetting (`crm_resource --cleanup`, which needs the live cluster).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::crm_attribute::{Surroundings, transient_attributes, with_surroundings};
use crate::crm_resource;
use crate::failure::Failure;
use crate::node_attribute;
use crate::output::{Entry, Message, Output};
use clap::Parser;
use model::{ExitCode, Interval, Score, WallTime, lenient};
use std::ffi::OsString;
use std::time::SystemTime;

/// crm_failcount - Query or delete resource fail counts
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Option<Command>,

    /// Print only the value (if querying)
    #[arg(short = 'q', short_alias = 'Q', long)]
    quiet: bool,

    /// Query the current value of the resource's fail count
    #[arg(short = 'G', long, alias = "get-value", help_heading = "Commands")]
    query: bool,
    /// Delete resource's recorded failures
    #[arg(short = 'D', long, alias = "delete-attr", help_heading = "Commands")]
    delete: bool,

    /// Name of the resource to use (required)
    #[arg(
        short = 'r',
        long,
        alias = "resource-id",
        value_name = "value",
        help_heading = "Additional Options"
    )]
    resource: Option<String>,
    /// Name of operation to use (instead of all operations)
    #[arg(short = 'n', long, value_name = "value", help_heading = "Additional Options")]
    operation: Option<String>,
    /// If operation is specified, its interval
    #[arg(short = 'I', long, value_name = "value", help_heading = "Additional Options")]
    interval: Option<String>,
    /// Use failcount on named node (instead of local node)
    #[arg(
        short = 'N',
        short_alias = 'U',
        long,
        alias = "uname",
        value_name = "value",
        help_heading = "Additional Options"
    )]
    node: Option<String>,

    /// Of old: zero means --delete
    #[arg(short = 'v', long, hide = true)]
    attr_value: Option<String>,
    /// Of old
    #[arg(short = 'i', long, hide = true)]
    attr_id: Option<String>,
    /// Of old
    #[arg(short = 'l', long, hide = true)]
    lifetime: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Query,
    Delete,
}

impl Tool for Options {
    const NAME: &'static str = "crm_failcount";
    const USAGE: &'static str = "<command> [OPTION...]";
    const GROUPS: &'static [Group] = node_attribute::GROUPS;

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        let sets_zero = self.attr_value.as_deref() == Some("0");
        let commands = if sets_zero { &["query", "delete", "attr_value"][..] } else { &["query", "delete"] };
        self.command = order.last(commands).map(|last| match last {
            "query" => Command::Query,
            _ => Command::Delete,
        });
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| {
        with_surroundings(Options::NAME, |around| work(options, around, out))
    })
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, around: &Surroundings<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    if options.attr_value.as_deref().is_some_and(|value| value != "0") {
        out.warn("warning: ignoring deprecated option '--attr-value' with nonzero value");
    }
    for (given, name) in [(&options.attr_id, "--attr-id"), (&options.lifetime, "--lifetime")] {
        if given.is_some() {
            out.warn(format_args!("warning: ignoring deprecated option '{name}'"));
        }
    }
    let command = options.command.ok_or_else(|| Failure::usage("must specify a command"))?;
    let resource = options.resource.as_deref().filter(|resource| !resource.is_empty());
    let resource = resource.ok_or_else(|| Failure::usage("resource name required"))?;
    let interval = match lenient::parse_interval(options.interval.as_deref().unwrap_or("0")) {
        Some(interval) => interval,
        None => {
            out.warn("warning: Unrecognized interval, using 0");
            Interval::ZERO
        }
    };
    let operation = options.operation.as_deref().filter(|operation| !operation.is_empty());
    let operation = operation.map(|operation| (operation, interval));
    let (node, attributes) = transient_attributes(options.node.as_deref(), around)?;
    match command {
        Command::Query => {
            out.say(&fail_count(resource, operation, &attributes))?;
            Ok(ExitCode::OK)
        }
        Command::Delete => forget(&node, resource, operation, around, out),
    }
}

/// The fail count of an operation, or of all of a resource's together; where there is none, the one that older nodes kept
/// for all of them.
fn fail_count(
    resource: &str,
    operation: Option<(&str, Interval)>,
    attributes: &[(String, String)],
) -> FailCount {
    let of_resource = format!("fail-count-{resource}");
    let value_of = |wanted: &str| {
        let found = attributes.iter().find(|(name, _)| name == wanted);
        found.map_or("0", |(_, value)| value).to_owned()
    };
    let (name, value) = match operation {
        Some((operation, interval)) => {
            let name = format!("{of_resource}#{operation}_{}", interval.as_ms());
            let value = value_of(&name);
            (name, value)
        }
        None => {
            let each = format!("{of_resource}#");
            let counts = attributes.iter().filter(|(name, _)| name.starts_with(&each));
            // What is no count, counts for nothing.
            let counts = counts.filter_map(|(_, value)| value.parse::<Score>().ok());
            let sum = counts.filter(|count| *count > Score::ZERO).fold(Score::ZERO, |sum, count| sum + count);
            (of_resource.clone(), sum.to_string())
        }
    };
    match value_of(&of_resource) {
        of_old if value == "0" && of_old != "0" => FailCount { name: of_resource, value: of_old },
        _ => FailCount { name, value },
    }
}

/// Has the cluster forget it, by the tool that can.
fn forget(
    node: &str,
    resource: &str,
    operation: Option<(&str, Interval)>,
    around: &Surroundings<'_>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let mut args = vec!["crm_resource".to_owned(), "--cleanup".to_owned()];
    args.extend(["-N", node, "-r", resource].map(str::to_owned));
    if let Some((operation, interval)) = operation {
        args.extend(["-n".to_owned(), operation.to_owned()]);
        args.extend(["-I".to_owned(), format!("{}ms", interval.as_ms())]);
    }
    let args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let (mut printed, mut told) = (Vec::new(), Vec::new());
    let code = crm_resource::run(&args, now, || (around.open)(), &mut printed, &mut told);
    String::from_utf8_lossy(&printed).lines().try_for_each(|line| out.info(line))?;
    String::from_utf8_lossy(&told).lines().for_each(|line| out.error(line));
    Ok(code)
}

/// What it comes to.
struct FailCount {
    name: String,
    value: String,
}

impl Message for FailCount {
    fn text(&self, quiet: bool) -> String {
        let FailCount { name, value } = self;
        // Two blanks: the place where an id could be.
        if quiet { format!("{value}\n") } else { format!("scope=status  name={name} value={value}\n") }
    }

    fn entries(&self) -> Vec<Entry> {
        vec![
            Entry::new("attribute")
                .attr("name", &self.name)
                .attr("value", &self.value)
                .attr("scope", "status"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up() {
        let attributes = [
            ("fail-count-db#monitor_10000", "3"),
            ("fail-count-db#start_0", "4"),
            ("fail-count-db#stop_0", "words"),
            ("fail-count-db2#start_0", "INFINITY"),
            ("fail-count-old", "5"),
        ];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let count = |resource, operation: Option<(&str, &str)>| {
            let operation = operation.map(|(name, interval)| (name, interval.parse().unwrap()));
            fail_count(resource, operation, &attributes).text(false)
        };
        assert_eq!(count("db", None), "scope=status  name=fail-count-db value=7\n");
        assert_eq!(
            count("db", Some(("monitor", "10s"))),
            "scope=status  name=fail-count-db#monitor_10000 value=3\n"
        );
        assert_eq!(count("db2", None), "scope=status  name=fail-count-db2 value=INFINITY\n");
        assert_eq!(count("old", Some(("stop", "0"))), "scope=status  name=fail-count-old value=5\n");
        assert_eq!(count("new", None), "scope=status  name=fail-count-new value=0\n");
    }
}
