// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.
#![allow(rustdoc::bare_urls)] // these comments are also the help, where brackets around an address would show

use clap::{ArgAction, Parser};
use std::ffi::OsString;
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

/// crm_simulate - simulate a Pacemaker cluster's response to events
#[derive(Clone, Debug, Parser)]
#[command(
    name = "crm_simulate",
    disable_version_flag = true,
    args_override_self = true,
    after_help = OPSPEC_HELP
)]
pub(super) struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    pub version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Display only essential output
    #[arg(short = 'Q', long)]
    pub quiet: bool,
    /// Specify output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text"])]
    pub output_as: String,

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
    #[arg(short = 'N', long, value_name = "N", default_value_t = 1, help_heading = "Operations")]
    pub repeat: u32,
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
    /// Set to '1' (or 'true') to indicate cluster has quorum
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
    #[arg(short = 'L', long, help_heading = "Data Source", overrides_with_all = ["xml_file", "xml_pipe"])]
    pub live_check: bool,
    /// Retrieve XML from the named file
    #[arg(short = 'x', long, value_name = "FILE", help_heading = "Data Source", overrides_with_all = ["live_check", "xml_pipe"])]
    pub xml_file: Option<PathBuf>,
    /// Retrieve XML from stdin (the default)
    #[arg(short = 'p', long, help_heading = "Data Source", overrides_with_all = ["live_check", "xml_file"])]
    pub xml_pipe: bool,

    /// Accepted for compatibility, and without effect
    #[arg(hide = true)]
    pub rest: Vec<OsString>,
}

impl Options {
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
