// SPDX-License-Identifier: GPL-2.0-or-later
//! `crmadmin`: the state of controllers and of pacemakerd, which controller coordinates, and which nodes there are.
//!
//! Decides: options, who is asked, how the answer is printed.

use crate::cib_access::CibSession;
use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::controller::Controller;
use crate::date;
use crate::failure::Failure;
use crate::live;
use crate::output::{Entry, Message, Output};
use crate::status::friendly_state;
use clap::Parser;
use messages::controller::Envelope;
use messages::pacemakerd::PingResponse;
use model::{ExitCode, Interval, LegacyRc, StandardRc, WallTime, lenient};
use std::ffi::OsString;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xml::{Element, XPath};

/// What came makes no sense (`EBADMSG`).
const BAD_MESSAGE: StandardRc = StandardRc::new(74);
/// How long an answer may take unless the command line says otherwise.
const TIMEOUT: Interval = Interval::from_ms(30_000);
/// Whoever wants to wait for ever waits so long.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// crmadmin - query and manage the Pacemaker controller
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Notes:

DURATION in any command line option can be specified as an integer number of seconds, an integer plus units (ms, msec, us,
usec, s, sec, m, min, h, or hr), or an ISO 8601 period specification.")]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Option<Command>,

    /// Display only the essential query information
    #[arg(short = 'q', long)]
    quiet: bool,

    /// Display the status of the specified node. Result is state of node's internal finite state machine, which can be useful
    /// for debugging
    #[arg(short = 'S', long, value_name = "NODE", help_heading = "Commands")]
    status: Option<String>,
    /// Display the status of local pacemakerd. Result is the state of the sub-daemons watched by pacemakerd.
    #[arg(short = 'P', long, help_heading = "Commands")]
    pacemakerd: bool,
    /// Display the uname of the node co-ordinating the cluster. This is an internal detail rarely useful to administrators
    /// except when deciding on which node to examine the logs.
    #[arg(short = 'D', long = "dc_lookup", help_heading = "Commands")]
    dc_lookup: bool,
    /// Display the uname of all member nodes [optionally filtered by type (comma-separated)]
    /// Types: all (default), cluster, guest, remote
    #[arg(short = 'N', long, value_name = "TYPE", num_args = 0..=1, default_missing_value = "", verbatim_doc_comment,
        help_heading = "Commands")]
    nodes: Option<String>,
    /// Of old
    #[arg(short = 'H', long, hide = true)]
    health: bool,

    /// Time to wait before declaring the operation failed (default 30s; use 0 to disable timeout)
    #[arg(short = 't', long, value_name = "DURATION", value_parser = duration, help_heading = "Additional Options")]
    timeout: Option<Interval>,
    /// Display nodes as shell commands of the form 'export uname=uuid' (valid with -N/--nodes)
    #[arg(short = 'B', long, help_heading = "Additional Options")]
    bash_export: bool,
    /// Name to use for ipc instead of 'crmadmin' (with -P/--pacemakerd)
    #[arg(short = 'i', long, value_name = "NAME", help_heading = "Additional Options")]
    ipc_name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Status,
    Pacemakerd,
    DcLookup,
    Nodes,
}

/// Nobody can be asked in negative time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("Error parsing option -t")]
struct DurationError;

fn duration(text: &str) -> Result<Interval, DurationError> {
    lenient::parse_interval(text).ok_or(DurationError)
}

impl Tool for Options {
    const NAME: &'static str = "crmadmin";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-command", heading: "Commands", about: "Show command options" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        self.command = order.last(&["status", "pacemakerd", "dc_lookup", "nodes"]).map(|last| match last {
            "status" => Command::Status,
            "pacemakerd" => Command::Pacemakerd,
            "dc_lookup" => Command::DcLookup,
            _ => Command::Nodes,
        });
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| work(options, &Daemons, out))
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

/// Those who know.
trait Cluster {
    /// Asks a controller, or the DC's, how it is. No answer in time is `None`.
    fn ping(&self, host: Option<&str>, timeout: Duration) -> Result<Option<Envelope>, Failure>;
    /// Asks pacemakerd how it is, by the name of `asker`.
    fn ping_pacemakerd(&self, asker: &str, timeout: Duration) -> Result<Option<Element>, Failure>;
    /// The CIB.
    fn cib(&self) -> Result<Element, Failure>;
}

/// The daemons of this node.
struct Daemons;

impl Cluster for Daemons {
    fn ping(&self, host: Option<&str>, timeout: Duration) -> Result<Option<Envelope>, Failure> {
        let mut controller = Controller::connect(Options::NAME)?;
        controller.send("ping", if host.is_some() { "crmd" } else { "dc" }, host, None)?;
        controller.reply(timeout)
    }

    fn ping_pacemakerd(&self, asker: &str, timeout: Duration) -> Result<Option<Element>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        live::ask_once("pacemakerd", "ping", asker, now, Some(timeout))
    }

    fn cib(&self) -> Result<Element, Failure> {
        CibSession::open(Options::NAME)?.query()
    }
}

fn work(options: &Options, cluster: &dyn Cluster, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    if options.health {
        out.error("Cluster-wide health option not supported");
    }
    let Some(command) = options.command.filter(|_| !options.health) else {
        if options.command.is_none() {
            out.error("error: Must specify a command option");
        }
        out.error(command_line::help_text::<Options>());
        return Ok(ExitCode::USAGE);
    };
    let wait = options.timeout.unwrap_or(TIMEOUT);
    let timeout = if wait.is_zero() { FOR_EVER } else { Duration::from(wait) };
    let late = |who: &str, on: &str| Late(format!("{}ms waiting for reply from {who} API{on}", wait.as_ms()));
    let asked = match command {
        Command::Nodes => cluster.cib().map_err(Refusal::Failed).and_then(|cib| nodes(options, &cib, out)),
        Command::Status => {
            let host = options.status.as_deref().unwrap_or_default();
            let reply = cluster.ping(Some(host), timeout).map_err(Refusal::Failed);
            reply
                .and_then(|reply| reply.ok_or_else(|| late("controller", &format!(" on {host}")).into()))
                .and_then(|reply| Ok(out.say(&Health::of(&reply))?))
        }
        Command::DcLookup => {
            let reply = cluster.ping(None, timeout).map_err(Refusal::Failed);
            reply.and_then(|reply| reply.ok_or_else(|| late("controller", " on DC").into())).and_then(
                |reply| {
                    let dc = Dc(reply.src);
                    out.say(&dc)?;
                    if dc.0.is_some() { Ok(()) } else { Err(Refusal::Rc(StandardRc::NO_DC)) }
                },
            )
        }
        Command::Pacemakerd => {
            let asker = options.ipc_name.as_deref().unwrap_or(Options::NAME);
            let reply = cluster.ping_pacemakerd(asker, timeout).map_err(Refusal::Failed);
            reply
                .and_then(|reply| reply.ok_or_else(|| late("pacemakerd", "").into()))
                .and_then(|reply| pacemakerd_health(&reply, out))
        }
    };
    Ok(match asked {
        Ok(()) => ExitCode::OK,
        Err(refusal) => refusal.tell(out),
    })
}

/// Why there is no answer.
enum Refusal {
    /// Somebody could not be asked.
    Failed(Failure),
    /// Nobody answered in time.
    Late(Late),
    /// The answer is such that it is a failure.
    Rc(StandardRc),
}

struct Late(String);

impl From<Late> for Refusal {
    fn from(late: Late) -> Refusal {
        Refusal::Late(late)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal::Failed(failure)
    }
}

impl Refusal {
    fn tell(self, out: &mut Output<'_>) -> ExitCode {
        let (rc, code) = match self {
            Refusal::Failed(failure) => {
                failure.details.iter().chain(&failure.text).for_each(|line| out.error(line));
                let not_there = failure.code == ExitCode::DISCONNECT;
                (not_there.then_some(LegacyRc::ENOTCONN.standard()), failure.code)
            }
            Refusal::Late(Late(what)) => {
                out.error(format_args!("error: Timed out after {what}"));
                (Some(LegacyRc::EAGAIN.standard()), LegacyRc::EAGAIN.exit_code())
            }
            Refusal::Rc(rc) => (Some(rc), rc.exit_code()),
        };
        let why = rc.map_or_else(|| code.to_string(), |rc| rc.text().into_owned());
        out.error(format_args!("error: Command failed: {why}"));
        code
    }
}

/// The nodes that the configuration knows.
fn nodes(options: &Options, cib: &Element, out: &mut Output<'_>) -> Result<(), Refusal> {
    const KINDS: [(&str, &str, &str); 3] = [
        ("cluster", "id", "//cib/configuration/nodes/node[not(@type) or @type='member']"),
        ("guest", "value", "//cib//configuration//primitive//meta_attributes//nvpair[@name='remote-node']"),
        ("remote", "id", "//cib//configuration//primitive[@type='remote'][@provider='pacemaker']"),
    ];
    let types = options.nodes.as_deref().unwrap_or_default();
    let wanted = |kind: &str| types.is_empty() || types.split(',').any(|word| word == "all" || word == kind);
    let mut list = Entry::new("nodes");
    let mut found = 0;
    for (kind, field, path) in KINDS.into_iter().filter(|(kind, ..)| wanted(kind)) {
        let elements = XPath::parse(path).and_then(|path| path.elements(cib));
        let elements = elements.map_err(|error| Failure::new(ExitCode::SOFTWARE, error))?;
        for element in elements {
            let id = element.attr(field);
            let node = Node { kind, name: element.attr("uname").or(id), id };
            if out.is_text() {
                out.print(&node.line(options.quiet, options.bash_export))?;
            }
            list = list.item(node.entry());
            found += 1;
        }
    }
    out.add_once(list);
    if found == 0 {
        out.info("No nodes configured")?;
    }
    Ok(())
}

struct Node<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    id: Option<&'a str>,
}

impl Node<'_> {
    fn line(&self, quiet: bool, bash_export: bool) -> String {
        let name = self.name.unwrap_or("<null>");
        match (quiet, bash_export) {
            (true, _) => format!("{name}\n"),
            (false, true) => format!("export {name}={}\n", self.id.unwrap_or_default()),
            (false, false) => format!("{} node: {name} ({})\n", self.kind, self.id.unwrap_or("<null>")),
        }
    }

    fn entry(&self) -> Entry {
        Entry::new("node")
            .attr("type", self.kind)
            .attr("name", self.name.unwrap_or_default())
            .attr("id", self.id.unwrap_or_default())
    }
}

/// How a controller is.
struct Health {
    subsystem: String,
    host: Option<String>,
    state: Option<String>,
    result: Option<String>,
}

impl Health {
    fn of(reply: &Envelope) -> Health {
        let attr = |name| Some(reply.payload.as_ref()?.attr(name)?.to_owned());
        Health {
            subsystem: attr("crm_subsystem").unwrap_or_else(|| "crmd".to_owned()),
            host: reply.src.clone(),
            state: attr("crmd_state"),
            result: attr("result"),
        }
    }
}

impl Message for Health {
    fn text(&self, quiet: bool) -> String {
        if quiet {
            return self.state.as_ref().map(|state| format!("{state}\n")).unwrap_or_default();
        }
        format!(
            "Controller on {} in state {}: {}\n",
            self.host.as_deref().unwrap_or("unknown node"),
            self.state.as_deref().unwrap_or("unknown"),
            self.result.as_deref().unwrap_or("unknown result")
        )
    }

    fn entry(&self) -> Option<Entry> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(
            Entry::new(&*self.subsystem)
                .attr("node_name", or_empty(&self.host))
                .attr("state", or_empty(&self.state))
                .attr("result", or_empty(&self.result)),
        )
    }
}

/// The DC, if there is one.
struct Dc(Option<String>);

impl Message for Dc {
    fn text(&self, quiet: bool) -> String {
        match (&self.0, quiet) {
            (Some(dc), true) => format!("{dc}\n"),
            (None, true) => String::new(),
            (dc, false) => {
                format!("Designated Controller is: {}\n", dc.as_deref().unwrap_or("not yet elected"))
            }
        }
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry::new("dc").attr("node_name", self.0.clone().unwrap_or_default()))
    }
}

/// How pacemakerd is.
struct PacemakerdHealth {
    subsystem: String,
    state: String,
    updated: Option<String>,
}

fn pacemakerd_health(answer: &Element, out: &mut Output<'_>) -> Result<(), Refusal> {
    let answer = PingResponse::from_xml(answer).map_err(|error| {
        out.error(format_args!("error: Bad reply from pacemakerd: {error}"));
        Refusal::Rc(BAD_MESSAGE)
    })?;
    let updated = Some(answer.last_good.secs).filter(|&secs| secs != 0).map(date::utc);
    let state = answer.state.to_string();
    Ok(out.say(&PacemakerdHealth { subsystem: answer.subsystem, state, updated })?)
}

impl Message for PacemakerdHealth {
    fn text(&self, quiet: bool) -> String {
        let PacemakerdHealth { subsystem, state, updated } = self;
        if quiet {
            return format!("{state}\n");
        }
        let updated = updated.as_deref().unwrap_or("at unknown time");
        format!("Status of {subsystem}: '{}' (last updated {updated})\n", friendly_state(state))
    }

    fn entry(&self) -> Option<Entry> {
        let entry = Entry::new("pacemakerd").attr("sys_from", &self.subsystem).attr("state", &self.state);
        Some(entry.attr_opt("last_updated", self.updated.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cluster that says what it was told to say.
    #[derive(Default)]
    struct Parrot(Option<Envelope>, Option<Element>);

    impl Cluster for Parrot {
        fn ping(&self, _: Option<&str>, _: Duration) -> Result<Option<Envelope>, Failure> {
            Ok(self.0.clone())
        }

        fn ping_pacemakerd(&self, _: &str, _: Duration) -> Result<Option<Element>, Failure> {
            Ok(self.1.clone())
        }

        fn cib(&self) -> Result<Element, Failure> {
            Err(Failure::new(ExitCode::DISCONNECT, "Could not connect to the CIB: no"))
        }
    }

    fn said(args: &str, parrot: &Parrot) -> (i32, String) {
        let args: Vec<OsString> =
            [Options::NAME].into_iter().chain(args.split_whitespace()).map(OsString::from).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = command_line::run::<Options>(&args, &mut out, &mut err, |options, out| {
            work(options, parrot, out)
        });
        (code.value(), String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
    }

    fn pong(src: Option<&str>) -> Parrot {
        let payload = Element::new("ping_response")
            .with_attr("crm_subsystem", "crmd")
            .with_attr("crmd_state", "S_IDLE")
            .with_attr("result", "ok");
        let mut reply = Envelope::request("ping", "r".into(), "crmd", "x").reply(Some(payload));
        reply.src = src.map(str::to_owned);
        Parrot(Some(reply), None)
    }

    #[test]
    fn prints_what_controllers_say() {
        let status = "Controller on node2 in state S_IDLE: ok\n";
        assert_eq!(said("-S node2", &pong(Some("node2"))), (0, status.into()));
        assert_eq!(said("-q -S node2", &pong(Some("node2"))), (0, "S_IDLE\n".into()));
        assert_eq!(said("-D", &pong(Some("node1"))), (0, "Designated Controller is: node1\n".into()));
        let none =
            "Designated Controller is: not yet elected\nerror: Command failed: DC is not yet elected\n";
        assert_eq!(said("-D", &pong(None)), (114, none.into()));
        let (_, report) = said("-S node2 --output-as=xml", &pong(Some("node2")));
        assert!(
            report.contains("\n  <crmd node_name=\"node2\" state=\"S_IDLE\" result=\"ok\"/>\n"),
            "{report}"
        );
        let (_, report) = said("-D --output-as=xml", &pong(Some("node2")));
        assert!(report.contains("\n  <dc node_name=\"node2\"/>\n"), "{report}");
        assert_eq!(said("-D --output-as=none", &pong(None)), (114, String::new()));
    }

    #[test]
    fn prints_what_pacemakerd_says() {
        let answer = "<ping_response crm_subsystem='pacemakerd' pacemakerd_state='running' crm-timestamp='86399' \
                      result='ok'/>";
        let parrot = Parrot(None, Some(xml::parse(answer).unwrap()));
        let text = "Status of pacemakerd: 'Pacemaker is running' (last updated 1970-01-01 23:59:59Z)\n";
        assert_eq!(said("-P", &parrot), (0, text.into()));
        assert_eq!(said("-P -q", &parrot), (0, "running\n".into()));
        let (_, report) = said("-P --output-as=xml", &parrot);
        let entry =
            "<pacemakerd sys_from=\"pacemakerd\" state=\"running\" last_updated=\"1970-01-01 23:59:59Z\"/>";
        assert!(report.contains(entry), "{report}");
    }

    #[test]
    fn says_why_not() {
        let late = said("-S node2 -t 2s", &Parrot::default());
        let text = "error: Timed out after 2000ms waiting for reply from controller API on node2\n\
                    error: Command failed: Resource temporarily unavailable\n";
        assert_eq!(late.1, text);
        assert_ne!(late.0, 0);
        let text =
            "Could not connect to the CIB: no\nerror: Command failed: Transport endpoint is not connected\n";
        assert_eq!(said("-N", &Parrot::default()), (102, text.into()));
        let (code, text) = said("", &Parrot::default());
        assert_eq!(code, 64);
        assert!(text.starts_with("error: Must specify a command option\nUsage:\n  crmadmin"), "{text}");
        assert_eq!(said("-t soon -D", &pong(None)), (64, "crmadmin: Error parsing option -t\n".into()));
    }
}
