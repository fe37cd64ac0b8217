// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::command_line::{CommonOptions, Group, Order, Tool, integer};
use clap::Parser;
use std::path::PathBuf;

const OPSPEC_HELP: &str = "Operation Specification:

The OPSPEC in any command line option is of the form
${resource}_${task}_${interval_in_ms}@${node}=${rc}
(memcached_monitor_20000@bart.example.com=7, for example).
${rc} is what the agent returns.

Examples:

Pretend a recurring monitor action found memcached stopped on node
fred.example.com and, during recovery, that the memcached stop
action failed:

\tcrm_simulate -LS --op-inject memcached:0_monitor_20000@bart.example.com=7 \\
\t  --op-fail memcached:0_stop_0@fred.example.com=1 --save-output memcached-test.xml

Now see what the reaction to the stop failed would be:

\tcrm_simulate -S --xml-file memcached-test.xml
";

/// Simulate a Pacemaker cluster's response to events
#[derive(Clone, Debug, Parser)]
#[command(after_help = OPSPEC_HELP)]
pub(super) struct Options {
    #[command(flatten)]
    pub common: CommonOptions,
    /// Display only essential output
    #[arg(short = 'Q', long)]
    pub quiet: bool,

    /// Process the supplied input and show what actions the cluster will take in response
    #[arg(short = 'R', long, help_heading = "Operations")]
    pub run: bool,
    /// Like --run, but also simulate taking those actions and show the resulting new status
    #[arg(short = 'S', long, help_heading = "Operations")]
    pub simulate: bool,
    /// Like --simulate, but also store the results back to the input file
    #[arg(short = 'X', long, help_heading = "Operations")]
    pub in_place: bool,
    /// Show node attributes
    #[arg(short = 'A', long, help_heading = "Operations")]
    pub show_attrs: bool,
    /// Show resource fail counts
    #[arg(short = 'c', long, help_heading = "Operations")]
    pub show_failcounts: bool,
    /// Show allocation scores
    #[arg(short = 's', long, help_heading = "Operations")]
    pub show_scores: bool,
    /// Show utilization information
    #[arg(short = 'U', long, help_heading = "Operations")]
    pub show_utilization: bool,
    /// Process all the XML files in the named directory and show how long each takes
    #[arg(short = 'P', long, value_name = "DIR", help_heading = "Operations")]
    pub profile: Option<PathBuf>,
    /// With --profile, repeat each test N times and print timings
    #[arg(short = 'N', long, value_name = "N", default_value = "1", value_parser = integer, help_heading = "Operations")]
    pub repeat: i32,
    /// Display pending state (always done)
    #[arg(short = 'j', long, hide = true)]
    pub pending: bool,

    /// Simulate bringing a node online
    #[arg(short = 'u', long, value_name = "NODE", help_heading = "Synthetic Cluster Events")]
    pub node_up: Vec<String>,
    /// Simulate taking a node offline
    #[arg(short = 'd', long, value_name = "NODE", help_heading = "Synthetic Cluster Events")]
    pub node_down: Vec<String>,
    /// Simulate a node failing
    #[arg(short = 'f', long, value_name = "NODE", help_heading = "Synthetic Cluster Events")]
    pub node_fail: Vec<String>,
    /// Generate a failure for the cluster to react to in the simulation
    #[arg(short = 'i', long, value_name = "OPSPEC", help_heading = "Synthetic Cluster Events")]
    pub op_inject: Vec<String>,
    /// If the specified task occurs during the simulation, have it fail with return code ${rc}. The transition will
    /// normally stop at the failed action. Save the result with --save-output and re-run with --xml-file
    #[arg(short = 'F', long, value_name = "OPSPEC", help_heading = "Synthetic Cluster Events")]
    pub op_fail: Vec<String>,
    /// Set date/time (ISO 8601 format, such as 2026-01-31 12:30:00Z)
    #[arg(short = 't', long, value_name = "DATETIME", help_heading = "Synthetic Cluster Events")]
    pub set_datetime: Option<String>,
    /// Set to '1' (or 'true') to indicate cluster has quorum (only together with another event)
    #[arg(short = 'q', long, value_name = "QUORUM", help_heading = "Synthetic Cluster Events")]
    pub quorum: Option<String>,
    /// Set to '1' (or 'true') to indicate cluster has an active watchdog device
    #[arg(short = 'w', long, value_name = "DEVICE", help_heading = "Synthetic Cluster Events")]
    pub watchdog: Option<String>,
    /// Simulate granting a ticket
    #[arg(short = 'g', long, value_name = "TICKET", help_heading = "Synthetic Cluster Events")]
    pub ticket_grant: Vec<String>,
    /// Simulate revoking a ticket
    #[arg(short = 'r', long, value_name = "TICKET", help_heading = "Synthetic Cluster Events")]
    pub ticket_revoke: Vec<String>,
    /// Simulate making a ticket standby
    #[arg(short = 'b', long, value_name = "TICKET", help_heading = "Synthetic Cluster Events")]
    pub ticket_standby: Vec<String>,
    /// Simulate activating a ticket
    #[arg(short = 'e', long, value_name = "TICKET", help_heading = "Synthetic Cluster Events")]
    pub ticket_activate: Vec<String>,

    /// Save the input configuration to the named file
    #[arg(short = 'I', long, value_name = "FILE", help_heading = "Artifact Options")]
    pub save_input: Option<PathBuf>,
    /// Save the output configuration to the named file
    #[arg(short = 'O', long, value_name = "FILE", help_heading = "Artifact Options")]
    pub save_output: Option<PathBuf>,
    /// Save the transition graph (XML format) to the named file
    #[arg(short = 'G', long, value_name = "FILE", help_heading = "Artifact Options")]
    pub save_graph: Option<PathBuf>,
    /// Save the transition graph (DOT format) to the named file
    #[arg(short = 'D', long, value_name = "FILE", help_heading = "Artifact Options")]
    pub save_dotfile: Option<PathBuf>,
    /// Display all possible actions in DOT graph (even if not part of transition)
    #[arg(short = 'a', long, help_heading = "Artifact Options")]
    pub all_actions: bool,

    /// Connect to CIB manager and use the current CIB contents as input
    #[arg(short = 'L', long, help_heading = "Data Source")]
    pub live_check: bool,
    /// Retrieve XML from the named file
    #[arg(short = 'x', long, value_name = "FILE", help_heading = "Data Source")]
    pub xml_file: Option<PathBuf>,
    /// Retrieve XML from stdin (the default)
    #[arg(short = 'p', long, help_heading = "Data Source")]
    pub xml_pipe: bool,

    #[arg(skip)]
    source: Source,
}

/// Where the CIB comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Source {
    /// The standard input.
    #[default]
    Pipe,
    /// A file.
    File(PathBuf),
    /// The CIB manager, or what the environment has in its place.
    Live,
}

impl Tool for Options {
    const NAME: &'static str = "crm_simulate";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-operations", heading: "Operations", about: "Show operations options" },
        Group {
            option: "help-synthetic",
            heading: "Synthetic Cluster Events",
            about: "Show synthetic cluster event options",
        },
        Group { option: "help-artifact", heading: "Artifact Options", about: "Show artifact options" },
        Group { option: "help-source", heading: "Data Source", about: "Show data source options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        // Of several sources the one given last counts.
        self.source = match order.last(&["live_check", "xml_file", "xml_pipe"]) {
            Some("live_check") => Source::Live,
            Some("xml_file") => match self.xml_file.clone() {
                Some(path) if path.as_os_str() != "-" => Source::File(path),
                _ => Source::Pipe,
            },
            _ => Source::Pipe,
        };
    }
}

impl Options {
    /// Where the CIB comes from.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// How to schedule.
    pub(super) fn scheduling(&self) -> scheduler::Options {
        scheduler::Options {
            // Secrets may have been taken out of what is no cluster's own CIB.
            sanitized: self.source != Source::Live,
            record_utilization: self.show_utilization,
            ..scheduler::Options::default()
        }
    }

    /// Whether to schedule at all.
    pub(super) fn processes(&self) -> bool {
        let artifacts = self.save_graph.is_some() || self.save_dotfile.is_some();
        self.run || self.simulates() || artifacts || self.show_scores || self.show_utilization
    }

    /// Whether to simulate what was scheduled.
    pub(super) fn simulates(&self) -> bool {
        self.simulate || self.in_place || !self.op_fail.is_empty()
    }

    /// Whether the CIB is changed before scheduling.
    pub(super) fn injects(&self) -> bool {
        let lists = [
            &self.node_up,
            &self.node_down,
            &self.node_fail,
            &self.op_inject,
            &self.ticket_grant,
            &self.ticket_revoke,
            &self.ticket_standby,
            &self.ticket_activate,
        ];
        self.watchdog.is_some() || lists.iter().any(|list| !list.is_empty())
    }
}
