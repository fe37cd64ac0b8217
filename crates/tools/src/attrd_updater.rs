// SPDX-License-Identifier: GPL-2.0-or-later
//! `attrd_updater`: values of node attributes, as the attribute managers know them.
//!
//! Decides: options, what is asked of the attribute manager, how its answer is printed.

use crate::attributes;
use crate::command_line;
use crate::failure::Failure;
use clap::{ArgAction, Parser};
use messages::attrd::{Body, INSTANCE_ATTRIBUTES, QueryReply, SyncPoint, UTILIZATION, Update, UpdateKind};
use model::ExitCode;
use std::ffi::OsString;
use std::io::{self, Write};
use xml::Element;

const PROGRAM: &str = "attrd_updater";

/// attrd_updater - query and update Pacemaker node attributes
#[derive(Clone, Debug, Parser)]
#[command(name = "attrd_updater", disable_version_flag = true, args_override_self = true)]
struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    verbose: u8,
    /// Accepted for what it meant of old
    #[arg(short = 'q', long, hide = true)]
    quiet: bool,
    /// Specify output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text"])]
    output_as: String,

    /// The attribute's name
    #[arg(short = 'n', long)]
    name: Option<String>,
    /// Operate on all attributes matching this pattern (with -B, -D, -U, or -Y)
    #[arg(short = 'P', long)]
    pattern: Option<String>,

    /// Update attribute's value
    #[arg(
        short = 'U',
        long,
        value_name = "VALUE",
        short_alias = 'v',
        allow_hyphen_values = true,
        group = "command"
    )]
    update: Option<String>,
    /// Update attribute's value and time to wait (dampening). Requires -d
    #[arg(short = 'B', long, value_name = "VALUE", allow_hyphen_values = true, group = "command")]
    update_both: Option<String>,
    /// Update attribute's dampening. Requires -d
    #[arg(short = 'Y', long, group = "command")]
    update_delay: bool,
    /// Query the attribute's value, on the local node unless -N or -A is given (the default)
    #[arg(short = 'Q', long, group = "command")]
    query: bool,
    /// Unset attribute
    #[arg(short = 'D', long, group = "command")]
    delete: bool,
    /// (Advanced) Force the attribute manager to resend all current values to the CIB
    #[arg(short = 'R', long, group = "command")]
    refresh: bool,

    /// The time to wait (dampening) in seconds for further changes before sending to the CIB
    #[arg(short = 'd', long, value_name = "SECONDS")]
    delay: Option<String>,
    /// (Advanced) The attribute set in which to place the value
    #[arg(short = 's', long)]
    set: Option<String>,
    /// Use the named node for setting and querying the attribute (instead of the local one)
    #[arg(short = 'N', long)]
    node: Option<String>,
    /// Show values of the attribute for all nodes (query only)
    #[arg(short = 'A', long)]
    all: bool,
    /// Lifetime of the node attribute (ignored: attributes live until their node leaves)
    #[arg(short = 'l', long, short_alias = 'S', alias = "section", value_name = "SECTION",
        value_parser = ["reboot", "status", "forever", "nodes"])]
    lifetime: Option<String>,
    /// If this creates a new attribute, never write the attribute to CIB
    #[arg(short = 'p', long)]
    private: bool,
    /// Wait until this node ('local') or all nodes ('cluster') know the change
    #[arg(short = 'W', long, value_name = "UNTIL", default_value = "no", value_parser = ["no", "local", "cluster"])]
    wait: String,
    /// When creating a new attribute, create it as a node utilization attribute
    #[arg(short = 'z', long)]
    utilization: bool,
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let node = local_node(|name| std::env::var(name).ok());
    run(&args, node, |body| attributes::ask(PROGRAM, body), out, &mut io::stderr().lock())
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

fn run(
    args: &[OsString],
    node: Option<String>,
    ask: impl FnOnce(Body) -> Result<Element, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    command_line::run_plain(
        PROGRAM,
        args,
        |options: &Options| options.version,
        out,
        err,
        |options, out| work(options, node, ask, out),
    )
}

fn work(
    options: &Options,
    node: Option<String>,
    ask: impl FnOnce(Body) -> Result<Element, Failure>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // "localhost" and "auto" are the agent's node too.
    let given =
        options.node.clone().filter(|node| !matches!(&*node.to_ascii_lowercase(), "localhost" | "auto"));
    let host = given.or(node);
    let update = kind(options);
    if options.pattern.is_some() && options.name.is_some() {
        return Err(Failure::usage("Error: --name and --pattern cannot be used at the same time"));
    }
    if options.pattern.is_some() && update.is_none() {
        return Err(Failure::usage("Error: pattern can only be used with delete or update"));
    }
    if options.refresh {
        return ask(Body::Refresh).map(drop);
    }
    let name = options.name.as_ref().or(options.pattern.as_ref());
    let Some(name) = name else {
        return Err(Failure::usage("Command requires --name or --pattern argument"));
    };
    match update {
        None => {
            let host = if options.all { None } else { Some(host.unwrap_or_else(|| "localhost".to_owned())) };
            let answer = ask(Body::Query { name: Some(name.clone()), host })?;
            print_values(&answer, name, out)
        }
        Some((kind, value)) => {
            if kind != UpdateKind::Value && options.delay.is_none() {
                let command = if kind == UpdateKind::Both { 'B' } else { 'Y' };
                let text = format!("Warning: '{command}' command given without required --delay");
                writeln!(out, "{text}").map_err(Failure::unwritable)?;
            }
            let update = Update { host, ..update_of(options, kind, value) };
            ask(Body::Update(vec![update])).map(drop)
        }
    }
}

/// What to do with which value; `None` is a query.
fn kind(options: &Options) -> Option<(UpdateKind, Option<String>)> {
    match (&options.update, &options.update_both) {
        (Some(value), _) => Some((UpdateKind::Value, Some(value.clone()))),
        (None, Some(value)) => Some((UpdateKind::Both, Some(value.clone()))),
        (None, None) if options.update_delay => Some((UpdateKind::Delay, None)),
        (None, None) if options.delete => Some((UpdateKind::Value, None)),
        (None, None) => None,
    }
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
        sync_point: match options.wait.as_str() {
            "local" => Some(SyncPoint::Local),
            "cluster" => Some(SyncPoint::Cluster),
            _ => None,
        },
        ..Update::default()
    }
}

fn print_values(answer: &Element, name: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let text = || format!("Could not query value of {name}: attribute does not exist");
    // The exit code is what it has always been.
    let reply = QueryReply::from_xml(answer).map_err(|_| Failure::new(ExitCode::CONFIG, text()))?;
    for (host, value) in &reply.values {
        // Written as in XML, so that what is in the value does not look like another field.
        let mut line = Element::new("v").with_attr("name", name).with_attr("host", host);
        line.set_attr("value", value.as_deref().unwrap_or_default());
        let line = line.to_string();
        let line = line.strip_prefix("<v ").and_then(|rest| rest.strip_suffix("/>")).unwrap_or(&line);
        writeln!(out, "{line}").map_err(Failure::unwritable)?;
    }
    if reply.values.is_empty() {
        return Err(Failure::new(ExitCode::CONFIG, text()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs it with an answer; says what was asked, and what came out.
    fn run_with(args: &[&str], answer: Result<Element, Failure>) -> (Option<Body>, i32, String, String) {
        let args: Vec<OsString> = [PROGRAM].iter().chain(args).map(OsString::from).collect();
        let (mut asked, mut out, mut err) = (None, Vec::new(), Vec::new());
        let ask = |body| {
            asked = Some(body);
            answer
        };
        let code = run(&args, None, ask, &mut out, &mut err).value();
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
        let (body, code, out, _) = run_with(&["-n", "ping", "-Q", "-A"], Ok(answer));
        assert_eq!(body, Some(Body::Query { name: Some("ping".into()), host: None }));
        let lines =
            "name=\"ping\" host=\"node1\" value=\"a&quot;b\"\nname=\"ping\" host=\"node2\" value=\"\"\n";
        assert_eq!((code, &*out), (0, lines));
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
