// SPDX-License-Identifier: GPL-2.0-or-later
//! `attrd_updater`: values of node attributes, as the attribute managers know them.
//!
//! Decides: options, what is asked of the attribute manager, how its answer is printed.

use crate::attributes;
use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use clap::Parser;
use messages::attrd::{Body, INSTANCE_ATTRIBUTES, QueryReply, SyncPoint, UTILIZATION, Update, UpdateKind};
use model::ExitCode;
use std::ffi::OsString;
use xml::Element;

/// attrd_updater - query and update Pacemaker node attributes
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Command,

    /// The attribute's name
    #[arg(short = 'n', long, help_heading = "Required Arguments")]
    name: Option<String>,
    /// Operate on all attributes matching this pattern (with -B, -D, -U, or -Y)
    #[arg(short = 'P', long, help_heading = "Required Arguments")]
    pattern: Option<String>,

    /// Update attribute's value. Required: -n/--name or -P/--pattern. Optional: -d/--delay (if specified, the delay will be
    /// used if the attribute needs to be created, but ignored if the attribute already exists), -s/--set, -p/--private,
    /// -W/--wait, -z/--utilization.
    #[arg(short = 'U', long, value_name = "VALUE", short_alias = 'v', help_heading = "Command")]
    update: Option<String>,
    /// Update attribute's value and time to wait (dampening) in the attribute manager. If this changes the value or
    /// dampening, the attribute will also be written to the cluster configuration, so be aware that repeatedly changing the
    /// dampening reduces its effectiveness. Requires -d/--delay
    #[arg(short = 'B', long, value_name = "VALUE", help_heading = "Command")]
    update_both: Option<String>,
    /// Update attribute's dampening in the attribute manager. If this changes the dampening, the attribute will also be
    /// written to the cluster configuration, so be aware that repeatedly changing the dampening reduces its effectiveness.
    /// Requires -d/--delay
    #[arg(short = 'Y', long, help_heading = "Command")]
    update_delay: bool,
    /// Query the attribute's value from the attribute manager. By default this will query the value of the attribute on the
    /// local node. Use -N/--node for the value on a given node, or -A/--all for the value on all nodes.
    #[arg(short = 'Q', long, help_heading = "Command")]
    query: bool,
    /// Unset attribute from the attribute manager. At the moment, there is no way to remove an attribute. This option will
    /// instead set its value to the empty string.
    #[arg(short = 'D', long, help_heading = "Command")]
    delete: bool,
    /// (Advanced) Force the attribute manager to resend all current values to the CIB
    #[arg(short = 'R', long, help_heading = "Command")]
    refresh: bool,

    /// The time to wait (dampening) in seconds for further changes before sending to the CIB
    #[arg(short = 'd', long, value_name = "SECONDS", help_heading = "Additional Options")]
    delay: Option<String>,
    /// (Advanced) The attribute set in which to place the value
    #[arg(short = 's', long, help_heading = "Additional Options")]
    set: Option<String>,
    /// Use the named node for setting and querying the attribute (instead of the local one)
    #[arg(short = 'N', long, help_heading = "Additional Options")]
    node: Option<String>,
    /// Show values of the attribute for all nodes (query only)
    #[arg(short = 'A', long, help_heading = "Additional Options")]
    all: bool,
    /// (Not yet implemented) Lifetime of the node attribute (silently ignored by cluster)
    #[arg(short = 'l', long, short_alias = 'S', alias = "section", value_name = "SECTION", value_parser = lifetime,
        help_heading = "Additional Options")]
    lifetime: Option<String>,
    /// If this creates a new attribute, never write the attribute to CIB
    #[arg(short = 'p', long, help_heading = "Additional Options")]
    private: bool,
    /// Wait for some event to occur before returning. Values are 'no' (wait only for the attribute daemon to acknowledge the
    /// request), 'local' (wait until the change has propagated to where a local query will return the request value, or the
    /// value set by a later request), or 'cluster' (wait until the change has propagated to where a query anywhere on the
    /// cluster will return the requested value, or the value set by a later request). Default is 'no'.
    #[arg(short = 'W', long, value_name = "UNTIL", value_parser = wait, help_heading = "Additional Options")]
    wait: Option<Wait>,
    /// When creating a new attribute, create it as a node utilization attribute instead of an instance attribute. If the
    /// attribute already exists, its existing type (utilization vs. instance) will be used regardless. (with -B, -U, -Y)
    #[arg(short = 'z', long, help_heading = "Additional Options")]
    utilization: bool,

    /// Accepted for what it meant of old
    #[arg(short = 'q', long, hide = true)]
    quiet: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Command {
    #[default]
    Query,
    Update(UpdateKind),
    Delete,
    Refresh,
}

/// Until when it is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait(Option<SyncPoint>);

/// What an option cannot be.
#[derive(Clone, Debug, thiserror::Error)]
enum ValueError {
    #[error("Unknown value for --lifetime: {0}")]
    Lifetime(String),
    #[error("--wait= must be one of 'no', 'local', 'cluster'")]
    Wait,
}

fn lifetime(text: &str) -> Result<String, ValueError> {
    match text {
        "reboot" | "status" | "forever" | "nodes" => Ok(text.to_owned()),
        _ => Err(ValueError::Lifetime(text.to_owned())),
    }
}

fn wait(text: &str) -> Result<Wait, ValueError> {
    match text {
        "no" => Ok(Wait(None)),
        "local" => Ok(Wait(Some(SyncPoint::Local))),
        "cluster" => Ok(Wait(Some(SyncPoint::Cluster))),
        _ => Err(ValueError::Wait),
    }
}

impl Tool for Options {
    const NAME: &'static str = "attrd_updater";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-required", heading: "Required Arguments", about: "Show required arguments" },
        Group {
            option: "help-command",
            heading: "Command",
            about: "Show command options (mutually exclusive)",
        },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&["update", "update_both", "update_delay", "query", "delete", "refresh"]);
        self.command = match last {
            Some("update") => Command::Update(UpdateKind::Value),
            Some("update_both") => Command::Update(UpdateKind::Both),
            Some("update_delay") => Command::Update(UpdateKind::Delay),
            Some("delete") => Command::Delete,
            Some("refresh") => Command::Refresh,
            _ => Command::Query,
        };
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let node = local_node(|name| std::env::var(name).ok());
    command_line::main(&args, |options, out| {
        work(options, node, |body| attributes::ask(Options::NAME, body), out)
    })
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

/// The node whose attributes agents mean: the physical one for those in a container that say so, else the one that the
/// cluster runs them on. `None` outside of agents.
pub(crate) fn local_node(env: impl Fn(&str) -> Option<String>) -> Option<String> {
    let of_host =
        env("OCF_RESKEY_CRM_meta_container_attribute_target").is_some_and(|target| target == "host");
    env("OCF_RESKEY_CRM_meta_physical_host")
        .filter(|_| of_host)
        .or_else(|| env("OCF_RESKEY_CRM_meta_on_node"))
}

fn work(
    options: &Options,
    node: Option<String>,
    ask: impl FnOnce(Body) -> Result<Element, Failure>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    // "localhost" and "auto" are the agent's node too.
    let given =
        options.node.clone().filter(|node| !matches!(&*node.to_ascii_lowercase(), "localhost" | "auto"));
    let host = given.or(node);
    if options.pattern.is_some() && options.name.is_some() {
        return Err(Failure::usage("Error: --name and --pattern cannot be used at the same time"));
    }
    if options.pattern.is_some() && matches!(options.command, Command::Query | Command::Refresh) {
        return Err(Failure::usage("Error: pattern can only be used with delete or update"));
    }
    let name = match (options.name.as_ref().or(options.pattern.as_ref()), options.command) {
        (_, Command::Refresh) => return ask(Body::Refresh).map(|_| ExitCode::OK),
        (Some(name), _) => name,
        (None, _) => return Err(Failure::usage("Command requires --name or --pattern argument")),
    };
    let (kind, value) = match options.command {
        Command::Update(UpdateKind::Value) => (UpdateKind::Value, options.update.clone()),
        Command::Update(UpdateKind::Both) => (UpdateKind::Both, options.update_both.clone()),
        Command::Update(UpdateKind::Delay) => (UpdateKind::Delay, None),
        Command::Delete => (UpdateKind::Value, None),
        Command::Query | Command::Refresh => {
            let host = if options.all { None } else { Some(host.unwrap_or_else(|| "localhost".to_owned())) };
            let answer = ask(Body::Query { name: Some(name.clone()), host })?;
            return show_values(&answer, name, out);
        }
    };
    if kind != UpdateKind::Value && options.delay.is_none() {
        let command = if kind == UpdateKind::Both { 'B' } else { 'Y' };
        out.info(format_args!("Warning: '{command}' command given without required --delay"))?;
    }
    let update = Update { host, ..update_of(options, kind, value) };
    ask(Body::Update(vec![update])).map(|_| ExitCode::OK)
}

fn update_of(options: &Options, kind: UpdateKind, value: Option<String>) -> Update {
    Update {
        kind,
        name: options.name.clone(),
        pattern: options.pattern.clone(),
        value,
        dampening: options.delay.clone(),
        set: options.set.clone(),
        set_type: Some(if options.utilization { UTILIZATION } else { INSTANCE_ATTRIBUTES }.to_owned()),
        is_private: options.private,
        sync_point: options.wait.and_then(|wait| wait.0),
        ..Update::default()
    }
}

fn show_values(answer: &Element, name: &str, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let text = || format!("Could not query value of {name}: attribute does not exist");
    // The exit code is what it has always been.
    let reply = QueryReply::from_xml(answer).map_err(|_| Failure::new(ExitCode::CONFIG, text()))?;
    for (host, value) in &reply.values {
        out.say(&NodeValue { name, host, value: value.as_deref().unwrap_or_default() })?;
    }
    if reply.values.is_empty() {
        return Err(Failure::new(ExitCode::CONFIG, text()));
    }
    Ok(ExitCode::OK)
}

/// What an attribute is on a node.
struct NodeValue<'a> {
    name: &'a str,
    host: &'a str,
    value: &'a str,
}

impl Message for NodeValue<'_> {
    fn text(&self, _quiet: bool) -> String {
        // Written as in XML, so that what is in the value does not look like another field.
        let line = Element::new("v").with_attr("name", self.name).with_attr("host", self.host);
        let line = line.with_attr("value", self.value).to_string();
        let fields = line.strip_prefix("<v ").and_then(|rest| rest.strip_suffix("/>")).unwrap_or(&line);
        format!("{fields}\n")
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = Entry::new("attribute").attr("name", self.name).attr("value", self.value);
        vec![entry.attr("host", self.host)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs it with an answer; says what was asked, and what came out.
    fn run_with(args: &[&str], answer: Result<Element, Failure>) -> (Option<Body>, i32, String, String) {
        let args: Vec<OsString> = [Options::NAME].iter().chain(args).map(OsString::from).collect();
        let (mut asked, mut out, mut err) = (None, Vec::new(), Vec::new());
        let ask = |body| {
            asked = Some(body);
            answer
        };
        let code = command_line::run::<Options>(&args, &mut out, &mut err, |options, out| {
            work(options, None, ask, out)
        });
        let code = code.value();
        (asked, code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn asked(args: &[&str]) -> Update {
        let (body, code, out, err) = run_with(args, Ok(Element::new("ack")));
        assert_eq!((code, &*out, &*err), (0, "", ""), "{args:?}");
        let Some(Body::Update(updates)) = body else { panic!("{body:?}") };
        updates.into_iter().next().unwrap()
    }

    #[test]
    fn updates_say_what_is_to_be_done() {
        let update = asked(&["-n", "ping", "-U", "-5", "-N", "node2", "-W", "cluster", "-p"]);
        assert_eq!((update.name.as_deref(), update.value.as_deref()), (Some("ping"), Some("-5")));
        assert_eq!((update.host.as_deref(), update.sync_point), (Some("node2"), Some(SyncPoint::Cluster)));
        assert!(update.is_private && update.kind == UpdateKind::Value);
        let update = asked(&["-n", "ping", "-B", "1", "-d", "5s", "-z"]);
        assert_eq!((update.kind, update.dampening.as_deref()), (UpdateKind::Both, Some("5s")));
        assert_eq!(update.set_type.as_deref(), Some("utilization"));
        let update = asked(&["-P", "^p", "-D"]);
        assert_eq!((update.name, update.pattern.as_deref(), update.value), (None, Some("^p"), None));
    }

    #[test]
    fn values_are_printed_as_fields() {
        let values = vec![("node1".to_owned(), Some("a\"b".to_owned())), ("node2".to_owned(), None)];
        let answer = QueryReply { name: Some("ping".to_owned()), values }.to_xml();
        let (body, code, out, _) = run_with(&["-n", "ping", "-Q", "-A"], Ok(answer.clone()));
        assert_eq!(body, Some(Body::Query { name: Some("ping".into()), host: None }));
        let lines =
            "name=\"ping\" host=\"node1\" value=\"a&quot;b\"\nname=\"ping\" host=\"node2\" value=\"\"\n";
        assert_eq!((code, &*out), (0, lines));
        let (_, _, report, _) = run_with(&["-n", "ping", "-A", "--output-as=xml"], Ok(answer.clone()));
        let entry = "\n  <attribute name=\"ping\" value=\"a&quot;b\" host=\"node1\"/>\n";
        assert!(report.contains(entry), "{report}");
        let none = QueryReply { name: None, values: Vec::new() }.to_xml();
        let (_, code, _, err) = run_with(&["-n", "x"], Ok(none));
        assert_eq!(code, 78);
        assert_eq!(err, "attrd_updater: Could not query value of x: attribute does not exist\n");
    }

    #[test]
    fn wrong_usage_is_said() {
        for args in
            [&["-U", "1"][..], &["-n", "a", "-P", "b", "-U", "1"], &["-P", "b"], &["-n", "a", "-W", "x"]]
        {
            let (body, code, _, err) = run_with(args, Ok(Element::new("ack")));
            assert_eq!((body, code), (None, 64), "{args:?}");
            assert!(err.starts_with("attrd_updater: "), "{err}");
        }
        let (_, code, _, err) = run_with(&["-n", "a", "-U", "1"], Err(Failure::bare(ExitCode::DISCONNECT)));
        assert_eq!((code, &*err), (102, "attrd_updater: Not connected\n"));
    }

    #[test]
    fn agents_mean_the_node_they_run_on() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(local_node(env(&[])), None);
        assert_eq!(local_node(env(&[("OCF_RESKEY_CRM_meta_on_node", "n")])).as_deref(), Some("n"));
        let in_container = env(&[
            ("OCF_RESKEY_CRM_meta_on_node", "bundle-0"),
            ("OCF_RESKEY_CRM_meta_physical_host", "host"),
            ("OCF_RESKEY_CRM_meta_container_attribute_target", "host"),
        ]);
        assert_eq!(local_node(in_container).as_deref(), Some("host"));
    }
}
