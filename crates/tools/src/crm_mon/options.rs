// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::status::{Sections, Show};
use clap::{ArgAction, Parser, ValueEnum};
use model::Interval;
use std::ffi::OsString;
use std::path::PathBuf;

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Xml,
    /// For other programs: the XML, with attributes as members and elements of a name as a list.
    Json,
}

/// Provides a summary of cluster's current state.
///
/// Outputs varying levels of detail in a number of different formats.
#[derive(Clone, Debug, Parser)]
#[command(name = "crm_mon", disable_version_flag = true, args_override_self = true)]
pub(super) struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    pub version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Specify output format
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub output_as: Format,

    /// Update frequency
    #[arg(short = 'i', long, value_name = "TIMESPEC", default_value = "5s")]
    pub interval: Interval,
    /// Display the cluster status once and exit
    #[arg(short = '1', long)]
    pub one_shot: bool,
    /// Read the CIB from a file
    #[arg(short = 'x', long, value_name = "FILE", hide = true)]
    pub xml_file: Option<PathBuf>,
    /// As --one-shot --output-as=xml
    #[arg(short = 'X', long, hide = true)]
    pub as_xml: bool,

    /// A list of sections to include in the output: all, default, none, or of attributes, bans, failcounts, failures,
    /// nodes, operations, options, resources, summary, separated by commas
    #[arg(
        short = 'I',
        long,
        value_name = "SECTION(s)",
        value_delimiter = ',',
        help_heading = "Display Options"
    )]
    pub include: Vec<Section>,
    /// A list of sections to exclude from the output
    #[arg(
        short = 'U',
        long,
        value_name = "SECTION(s)",
        value_delimiter = ',',
        help_heading = "Display Options"
    )]
    pub exclude: Vec<Section>,
    /// Group resources by node
    #[arg(short = 'n', long, help_heading = "Display Options")]
    pub group_by_node: bool,
    /// Display inactive resources
    #[arg(short = 'r', long, help_heading = "Display Options")]
    pub inactive: bool,
    /// Display resource fail counts
    #[arg(short = 'f', long, help_heading = "Display Options")]
    pub failcounts: bool,
    /// Display resource operation history
    #[arg(short = 'o', long, help_heading = "Display Options")]
    pub operations: bool,
    /// Display resource operation history with timing details
    #[arg(short = 't', long, help_heading = "Display Options")]
    pub timing_details: bool,
    /// Display negative location constraints
    #[arg(short = 'L', long, help_heading = "Display Options")]
    pub neg_locations: bool,
    /// Display node attributes
    #[arg(short = 'A', long, help_heading = "Display Options")]
    pub show_node_attributes: bool,
    /// Hide all headers
    #[arg(short = 'D', long, help_heading = "Display Options")]
    pub hide_headers: bool,
    /// Show more details (node IDs, feature sets, individual clone instances, failed actions)
    #[arg(short = 'R', long, help_heading = "Display Options")]
    pub show_detail: bool,
    /// Show resource descriptions
    #[arg(long, help_heading = "Display Options")]
    pub show_description: bool,
    /// Brief output
    #[arg(short = 'b', long, help_heading = "Display Options")]
    pub brief: bool,
    /// Display pending state (always done)
    #[arg(short = 'j', long, hide = true)]
    pub pending: bool,

    /// Accepted for compatibility, and without effect
    #[arg(hide = true)]
    pub rest: Vec<OsString>,
}

/// A section by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(super) enum Section {
    All,
    #[value(alias = "defaults")]
    Default,
    None,
    Attributes,
    Bans,
    FailCounts,
    Failures,
    Nodes,
    Operations,
    Options,
    Resources,
    Summary,
}

const ALL: Sections = Sections {
    summary: true,
    options: true,
    nodes: true,
    resources: true,
    attributes: true,
    fail_counts: true,
    operations: true,
    failures: true,
    bans: true,
};

const FOR_PEOPLE: Sections =
    Sections { options: false, attributes: false, fail_counts: false, operations: false, bans: false, ..ALL };

impl Options {
    pub(super) fn format(&self) -> Format {
        if self.as_xml { Format::Xml } else { self.output_as }
    }

    /// Whether to print once: files do not change by themselves, and what is for programs has to have an end.
    pub(super) fn is_one_shot(&self) -> bool {
        self.one_shot || self.xml_file.is_some() || self.format() != Format::Text
    }

    /// The sections to show: the format's, and what was asked for, in the order of asking.
    pub(super) fn sections(&self) -> Sections {
        let default = match self.format() {
            Format::Text => FOR_PEOPLE,
            Format::Xml | Format::Json => ALL,
        };
        let mut sections = default;
        for &section in &self.include {
            change(&mut sections, section, true, default);
        }
        for &section in &self.exclude {
            change(&mut sections, section, false, default);
        }
        sections.attributes |= self.show_node_attributes;
        sections.bans |= self.neg_locations;
        sections.operations |= self.operations || self.timing_details;
        sections.fail_counts |= self.failcounts || self.operations;
        sections.summary &= !self.hide_headers;
        sections
    }

    pub(super) fn show(&self) -> Show {
        // Programs get everything, and choose themselves.
        let everything = self.format() != Format::Text;
        Show {
            inactive: self.inactive || everything,
            pending: true,
            node_ids: self.show_detail,
            feature_sets: self.show_detail,
            descriptions: self.show_detail || self.show_description,
            clone_detail: self.show_detail,
            // Only people have to be brief.
            brief: self.brief && !everything,
            by_node: self.group_by_node,
            resource_only: false,
            timing: self.timing_details,
            failure_details: self.show_detail,
        }
    }
}

fn change(sections: &mut Sections, section: Section, on: bool, default: Sections) {
    let slot = match section {
        Section::All => {
            *sections = if on { ALL } else { Sections::default() };
            return;
        }
        Section::Default => {
            *sections = default;
            return;
        }
        Section::None => {
            *sections = if on { Sections::default() } else { ALL };
            return;
        }
        Section::Attributes => &mut sections.attributes,
        Section::Bans => &mut sections.bans,
        Section::FailCounts => &mut sections.fail_counts,
        Section::Failures => &mut sections.failures,
        Section::Nodes => &mut sections.nodes,
        Section::Operations => &mut sections.operations,
        Section::Options => &mut sections.options,
        Section::Resources => &mut sections.resources,
        Section::Summary => &mut sections.summary,
    };
    *slot = on;
}
