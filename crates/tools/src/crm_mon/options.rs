// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.
//!
//! Decides: what is shown in which form, and how often, of what was asked for in which order. Given: the arguments, and
//! whether the CIB is a file. Leaves to others: showing it.

use super::settings::{FenceLevel, Form, Mode, Settings};
use crate::command_line::{CommonOptions, Group, Order, Tool};
use crate::failure::Failure;
use crate::status::{Sections, Show};
use clap::Parser;
use model::{ExitCode, Interval};
use std::path::{Path, PathBuf};

/// Provides a summary of cluster's current state.
///
/// Outputs varying levels of detail in a number of different formats.
#[derive(Clone, Debug, Parser)]
#[command(after_help = NOTES)]
#[command(mut_arg("output_as", |arg| arg.help("Specify output format as one of: console (default), html, text, xml, json, none")))]
pub(super) struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// What was asked for of the sections, in that order.
    #[arg(skip)]
    changes: Vec<Change>,
    /// Which option was given last that says how often it is shown.
    #[arg(skip)]
    mode: Option<Mode>,

    /// Add CGI headers (requires --output-as=html)
    #[arg(long, help_heading = "Output Options")]
    pub html_cgi: bool,
    /// Link to an external stylesheet (requires --output-as=html)
    #[arg(long, value_name = "URI", help_heading = "Output Options")]
    pub html_stylesheet: Option<String>,
    /// Specify a page title (requires --output-as=html)
    #[arg(long, value_name = "TITLE", help_heading = "Output Options")]
    pub html_title: Option<String>,

    /// A list of sections to include in the output. See `Output Control` help for more information.
    #[arg(short = 'I', long, value_name = "SECTION(s)", help_heading = "Display Options")]
    include: Vec<String>,
    /// A list of sections to exclude from the output. See `Output Control` help for more information.
    #[arg(short = 'U', long, value_name = "SECTION(s)", help_heading = "Display Options")]
    exclude: Vec<String>,
    /// When displaying information about nodes, show only what's related to the given node, or to all nodes tagged with
    /// the given tag
    #[arg(long, value_name = "NODE", help_heading = "Display Options")]
    pub node: Option<String>,
    /// When displaying information about resources, show only what's related to the given resource, or to all resources
    /// tagged with the given tag
    #[arg(long, value_name = "RSC", help_heading = "Display Options")]
    pub resource: Option<String>,
    /// Group resources by node
    #[arg(short = 'n', long, help_heading = "Display Options")]
    group_by_node: bool,
    /// Display inactive resources
    #[arg(short = 'r', long, help_heading = "Display Options")]
    inactive: bool,
    /// Display resource fail counts
    #[arg(short = 'f', long, help_heading = "Display Options")]
    failcounts: bool,
    /// Display resource operation history
    #[arg(short = 'o', long, help_heading = "Display Options")]
    operations: bool,
    /// Display resource operation history with timing details
    #[arg(short = 't', long, help_heading = "Display Options")]
    timing_details: bool,
    /// Display cluster tickets
    #[arg(short = 'c', long, help_heading = "Display Options")]
    tickets: bool,
    /// Show fence history: 0=off, 1=failures and pending (default without option), 2=add successes (default without
    /// value for option), 3=show full history without reduction to most recent of each flavor
    #[arg(
        short = 'm',
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        default_missing_value = "2",
        help_heading = "Display Options"
    )]
    fence_history: Option<String>,
    /// Display negative location constraints [optionally filtered by id prefix]
    #[arg(
        short = 'L',
        long,
        value_name = "PREFIX",
        num_args = 0..=1,
        default_missing_value = "",
        help_heading = "Display Options"
    )]
    neg_locations: Option<String>,
    /// Display node attributes
    #[arg(short = 'A', long, help_heading = "Display Options")]
    show_node_attributes: bool,
    /// Hide all headers
    #[arg(short = 'D', long, help_heading = "Display Options")]
    hide_headers: bool,
    /// Show more details (node IDs, individual clone instances)
    #[arg(short = 'R', long, help_heading = "Display Options")]
    show_detail: bool,
    /// Show resource descriptions
    #[arg(long, help_heading = "Display Options")]
    show_description: bool,
    /// Brief output
    #[arg(short = 'b', long, help_heading = "Display Options")]
    brief: bool,
    /// Display pending state, which is always done
    #[arg(short = 'j', long, hide = true)]
    pending: bool,
    /// As --output-as=xml, in the form of before 2.0
    #[arg(short = 'X', long, hide = true)]
    as_xml: bool,

    /// Update frequency (default is 5 seconds). Note: When run interactively on a live cluster, the display will be
    /// updated automatically whenever the cluster configuration or status changes.
    #[arg(short = 'i', long, value_name = "TIMESPEC", help_heading = "Additional Options")]
    interval: Option<String>,
    /// Display the cluster status once and exit
    #[arg(short = '1', long, help_heading = "Additional Options")]
    one_shot: bool,
    /// Run in the background as a daemon. Requires at least one of --output-to and --external-agent.
    #[arg(short = 'd', long, help_heading = "Additional Options")]
    daemonize: bool,
    /// A program to run when resource operations take place
    #[arg(short = 'E', long, value_name = "FILE", help_heading = "Additional Options")]
    pub external_agent: Option<PathBuf>,
    /// A recipient for your program (assuming you want the program to send something to someone).
    #[arg(short = 'e', long, value_name = "RCPT", help_heading = "Additional Options")]
    pub external_recipient: Option<String>,
    /// Listen for fencing events. For use with --external-agent.
    #[arg(short = 'W', long, help_heading = "Additional Options")]
    pub watch_fencing: bool,
    /// Read the CIB from a file
    #[arg(short = 'x', long, value_name = "FILE", hide = true)]
    pub xml_file: Option<PathBuf>,
    /// Without effect
    #[arg(short = 'p', long, hide = true)]
    pid_file: bool,

    /// Be less descriptive in output.
    #[arg(short = 'Q', long)]
    quiet: bool,
}

const NOTES: &str = "\
Notes:

Time Specification:

A TIMESPEC is a number of seconds, a number with a unit (us/usec/ms/msec/s/sec/m/min/h/hr), or an ISO 8601 period.

Output Control:

Each output format shows a set of sections by default: XML and JSON all of them, the others fewer. --include and
--exclude change that set. Both may be given several times, each with several sections separated by commas, and count
in the order in which they are given. --include=list and --exclude=list tell which sections there are.

Interactive Use:

On a terminal, keys show and hide sections; '?' tells which. Any other key draws the screen anew, 'q' ends.

Examples:

Display the cluster status on the console with updates as they occur:

	crm_mon

Display the cluster status once and exit:

	crm_mon -1

Display the cluster status, group resources by node, and include inactive resources in the list:

	crm_mon --group-by-node --inactive

Start crm_mon as a background daemon and have it write the cluster status to an HTML file:

	crm_mon --daemonize --output-as html --output-to /path/to/docroot/filename.html

Display the cluster status as XML:

	crm_mon --output-as xml
";

/// A change of the sections that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Include(String),
    Exclude(String),
}

impl Tool for Options {
    const NAME: &'static str = "crm_mon";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-display", heading: "Display Options", about: "Show display options" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        let mut changes: Vec<(usize, Change)> = Vec::new();
        changes.extend(order.places("include").zip(self.include.iter().cloned().map(Change::Include)));
        changes.extend(order.places("exclude").zip(self.exclude.iter().cloned().map(Change::Exclude)));
        let bans = self.neg_locations.as_deref().unwrap_or_default();
        let bans = if bans.is_empty() { "bans".to_owned() } else { format!("bans:{bans}") };
        let short = [
            ("failcounts", Change::Include("failcounts".into())),
            ("operations", Change::Include("failcounts,operations".into())),
            ("timing_details", Change::Include("operations".into())),
            ("tickets", Change::Include("tickets".into())),
            ("neg_locations", Change::Include(bans)),
            ("show_node_attributes", Change::Include("attributes".into())),
            ("hide_headers", Change::Exclude("summary".into())),
        ];
        for (option, change) in short {
            changes.extend(order.places(option).last().map(|place| (place, change)));
        }
        changes.sort_by_key(|(place, _)| *place);
        self.changes = changes.into_iter().map(|(_, change)| change).collect();
        self.mode = match order.last(&["one_shot", "daemonize", "interval", "xml_file"]) {
            Some("one_shot" | "xml_file") => Some(Mode::Once),
            Some("daemonize") => Some(Mode::Daemon),
            // How often a daemon looks is no reason not to be one.
            Some(_) if self.daemonize => Some(Mode::Daemon),
            Some(_) => Some(Mode::Update),
            None => None,
        };
    }
}

impl Options {
    /// The file the status goes to, if it goes to one.
    pub fn file(&self) -> Option<&Path> {
        self.common.file()
    }

    /// The form, and how often it is shown; or what is wrong. `in_file`: the CIB is not the running cluster's.
    fn form_and_mode(&self, in_file: bool) -> Result<(Form, Mode), Failure> {
        if self.as_xml {
            return Ok((Form::LegacyXml, Mode::Once));
        }
        let to_stdout = self.common.file().is_none();
        let form = match self.common.format() {
            None | Some("console") => {
                let other = matches!(self.mode, Some(Mode::Daemon | Mode::Once));
                match other || in_file || !to_stdout || self.common.asks_version() {
                    true => Form::Text,
                    false => return Ok((Form::Console, Mode::Update)),
                }
            }
            Some("text") => Form::Text,
            Some("html") => Form::Html,
            Some("xml") => Form::Xml,
            Some("json") => Form::Json,
            Some("none") => Form::None,
            Some(other) => {
                let text = format!("Error creating output format {other}: Unknown output format");
                return Err(Failure::new(ExitCode::ERROR, text));
            }
        };
        let mode = match self.mode {
            // What is updated needs a screen or a file.
            None => Mode::Once,
            Some(Mode::Update) if to_stdout => Mode::Once,
            Some(mode) => mode,
        };
        Ok((form, mode))
    }

    /// What all options come to; or what is wrong with them.
    pub fn settings(&self, in_file: bool) -> Result<Settings, Failure> {
        let interval = match &self.interval {
            Some(text) => text
                .parse::<Interval>()
                .map_err(|_| Failure::usage(format_args!("Invalid value for -i: {text}")))?,
            None => Interval::from_secs(5),
        };
        let level = match &self.fence_history {
            None => FenceLevel::Problems,
            Some(text) => text
                .parse()
                .ok()
                .and_then(FenceLevel::numbered)
                .ok_or_else(|| Failure::usage("Fence history must be 0-3"))?,
        };
        let (form, mode) = self.form_and_mode(in_file)?;
        let mut sections = form.default_sections();
        // Before anything else is asked for: what failed, and what goes on.
        sections.set("fencing-failed", true);
        sections.set("fencing-pending", true);
        let level = if self.watch_fencing { FenceLevel::Off } else { level };
        match level {
            FenceLevel::Off => sections.set("fencing", false),
            FenceLevel::Problems => true,
            FenceLevel::All | FenceLevel::Full => sections.set("fencing", true),
        };
        sections.times &= !self.quiet;
        let mut ban_prefix = String::new();
        for change in &self.changes {
            apply(change, form, &mut sections, &mut ban_prefix)?;
        }
        let everything = form.is_for_programs();
        let mut show = Show {
            inactive: self.inactive || everything,
            pending: true,
            brief: self.brief,
            by_node: self.group_by_node,
            timing: self.timing_details || everything,
            ..Show::default()
        };
        show.set_details(self.show_detail);
        show.descriptions |= self.show_description;
        let ask_fencer = level != FenceLevel::Off && !in_file;
        Ok(Settings {
            form,
            mode,
            interval,
            sections,
            show,
            ban_prefix,
            ask_fencer,
            only_node: self.node.clone(),
            only_resource: self.resource.clone(),
        })
    }
}

const INCLUDES: &str = "--include options: all, attributes, bans[:PREFIX], counts, dc, default, failcounts, failures, fencing, \
    fencing-failed, fencing-pending, fencing-succeeded, maint-mode, nodes, none, operations, options, resources, stack, \
    summary, tickets, times";
const EXCLUDES: &str = "--exclude options: all, attributes, bans, counts, dc, failcounts, failures, fencing, fencing-failed, \
    fencing-pending, fencing-succeeded, maint-mode, nodes, none, operations, options, resources, stack, summary, \
    tickets, times";

fn apply(
    change: &Change,
    form: Form,
    sections: &mut Sections,
    ban_prefix: &mut String,
) -> Result<(), Failure> {
    let (words, on) = match change {
        Change::Include(words) => (words, true),
        Change::Exclude(words) => (words, false),
    };
    for word in words.split(',') {
        match (word, on) {
            ("all", true) | ("none", false) => *sections = form.all_sections(),
            ("none", true) | ("all", false) => *sections = Sections::default(),
            ("default" | "defaults", true) => sections.show_also(form.default_sections()),
            (word, true) if word.starts_with("bans") => {
                sections.bans = true;
                word.get(5..).unwrap_or_default().clone_into(ban_prefix);
                if !word.starts_with("bans:") {
                    ban_prefix.clear();
                }
            }
            (word, on) => {
                if !sections.set(word, on) {
                    return Err(Failure::usage(if on { INCLUDES } else { EXCLUDES }));
                }
            }
        }
    }
    Ok(())
}
