// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::command_line::{CommonOptions, Group, Order, Tool, integer};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Upgrade,
    Query,
    Erase,
    Bump,
    Create,
    Modify,
    Patch,
    Replace,
    Delete,
    DeleteAll,
    Empty,
    Md5Sum,
    Md5SumVersioned,
}

impl Action {
    /// Its name on the wire; `None` if it needs no CIB.
    pub const fn operation(self) -> Option<&'static str> {
        match self {
            Action::Upgrade => Some("cib_upgrade"),
            Action::Query => Some("cib_query"),
            Action::Erase => Some("cib_erase"),
            Action::Bump => Some("cib_bump"),
            Action::Create => Some("cib_create"),
            Action::Modify => Some("cib_modify"),
            Action::Patch => Some("cib_apply_diff"),
            Action::Replace => Some("cib_replace"),
            Action::Delete | Action::DeleteAll => Some("cib_delete"),
            Action::Empty | Action::Md5Sum | Action::Md5SumVersioned => None,
        }
    }

    pub const fn needs_input(self) -> bool {
        !matches!(self, Action::Query | Action::Erase | Action::Bump | Action::Upgrade | Action::Empty)
    }

    pub const fn takes_xpath_for_input(self) -> bool {
        matches!(self, Action::Delete | Action::DeleteAll)
    }

    /// Likely to destroy much by mistake.
    pub const fn is_dangerous(self) -> bool {
        matches!(self, Action::Erase | Action::DeleteAll | Action::Upgrade)
    }
}

/// How rights are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowAccess {
    /// By color on a terminal, as text otherwise.
    Auto,
    /// With a line before every change of rights.
    Text,
    /// By the color of each element.
    Color,
    /// As XML, with a namespace for every right.
    Namespace,
}

/// Query and edit the Pacemaker configuration.
#[derive(Clone, Debug, Parser)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) common: CommonOptions,
    /// Which command was given last.
    #[arg(skip = Action::Query)]
    pub action: Action,

    /// Upgrade the configuration to the latest syntax
    #[arg(short = 'u', long, help_heading = "Commands")]
    upgrade: bool,
    /// Query the contents of the CIB (the default)
    #[arg(short = 'Q', long, help_heading = "Commands")]
    query: bool,
    /// Erase the contents of the whole CIB
    #[arg(short = 'E', long, help_heading = "Commands")]
    erase: bool,
    /// Increase the CIB's epoch value by 1
    #[arg(short = 'B', long, help_heading = "Commands")]
    bump: bool,
    /// Create an object in the CIB (will fail if object already exists)
    #[arg(short = 'C', long, help_heading = "Commands")]
    create: bool,
    /// Find object somewhere in CIB's XML tree and update it (fails if object does not exist unless -c is also specified)
    #[arg(short = 'M', long, help_heading = "Commands")]
    modify: bool,
    /// Supply an update in the form of an XML diff (see crm_diff(8))
    #[arg(short = 'P', long, help_heading = "Commands")]
    patch: bool,
    /// Recursively replace an object in the CIB
    #[arg(short = 'R', long, help_heading = "Commands")]
    replace: bool,
    /// Delete first object matching supplied criteria; name and all attributes must match
    #[arg(short = 'D', long, help_heading = "Commands")]
    delete: bool,
    /// When used with --xpath, remove all matching objects instead of just the first one
    #[arg(short = 'd', long, help_heading = "Commands")]
    delete_all: bool,
    /// Output an empty CIB, of the latest schema unless another is given
    #[arg(
        short = 'a',
        long,
        value_name = "SCHEMA",
        num_args = 0..=1,
        default_missing_value = "",
        help_heading = "Commands"
    )]
    pub empty: Option<String>,
    /// Calculate the on-disk CIB digest
    #[arg(short = '5', long, help_heading = "Commands")]
    md5_sum: bool,
    /// Calculate an on-the-wire versioned CIB digest
    #[arg(short = '6', long, help_heading = "Commands")]
    md5_sum_versioned: bool,

    /// Retrieve XML from the named file
    #[arg(short = 'x', long, value_name = "FILE", help_heading = "Data")]
    pub xml_file: Option<PathBuf>,
    /// Retrieve XML from the supplied string (--xml-file overrides this)
    #[arg(short = 'X', long, value_name = "STRING", help_heading = "Data")]
    pub xml_text: Option<String>,
    /// Retrieve XML from stdin (--xml-file and --xml-text override this)
    #[arg(short = 'p', long, help_heading = "Data")]
    pub xml_pipe: bool,

    /// Force the action to be performed
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    pub force: bool,
    /// Time (in seconds) to wait before declaring the operation failed
    #[arg(
        short = 't',
        long,
        value_name = "value",
        value_parser = integer,
        default_value = "30",
        help_heading = "Additional Options"
    )]
    pub timeout: i32,
    /// Run the command with permissions of the named user (valid only for the root and hacluster accounts)
    #[arg(short = 'U', long, value_name = "value", help_heading = "Additional Options")]
    pub user: Option<String>,
    /// Whether to use syntax highlighting for ACLs (with -Q/--query and -U/--user); "auto" uses color for a terminal, text
    /// otherwise
    #[arg(
        short = 'S',
        long,
        value_name = "value",
        value_enum,
        num_args = 0..=1,
        default_missing_value = "auto",
        help_heading = "Additional Options"
    )]
    pub show_access: Option<ShowAccess>,
    /// Limit scope of operation to specific section of CIB: configuration, nodes, resources, constraints, crm_config,
    /// rsc_defaults, op_defaults, acls, fencing-topology, tags, alerts, status
    #[arg(
        short = 'o',
        long,
        visible_alias = "obj_type",
        value_name = "value",
        overrides_with = "xpath",
        help_heading = "Additional Options"
    )]
    pub scope: Option<String>,
    /// A valid XPath to use instead of --scope; of both, the last takes effect
    #[arg(
        short = 'A',
        long,
        value_name = "value",
        overrides_with = "scope",
        help_heading = "Additional Options"
    )]
    pub xpath: Option<String>,
    /// Treat new attribute values such as name++ and name+=X as atomic score updates (with --modify; the default)
    #[arg(long, help_heading = "Additional Options")]
    pub score: bool,
    /// (Advanced) Allow target of --modify/-M to be created if it does not exist
    #[arg(short = 'c', long, help_heading = "Additional Options")]
    pub allow_create: bool,
    /// (Advanced) When querying an object, do not include its children in the result
    #[arg(short = 'n', long, help_heading = "Additional Options")]
    pub no_children: bool,
    #[arg(short = 'l', long, hide = true)]
    pub local: bool,
    #[arg(short = 'N', long, hide = true)]
    pub node: Option<String>,
    #[arg(short = 'e', long, hide = true)]
    pub node_path: bool,
    #[arg(short = 's', long, hide = true)]
    pub sync_call: bool,
}

/// The commands by the names of their options.
const COMMANDS: [(&str, Action); 13] = [
    ("upgrade", Action::Upgrade),
    ("query", Action::Query),
    ("erase", Action::Erase),
    ("bump", Action::Bump),
    ("create", Action::Create),
    ("modify", Action::Modify),
    ("patch", Action::Patch),
    ("replace", Action::Replace),
    ("delete", Action::Delete),
    ("delete_all", Action::DeleteAll),
    ("empty", Action::Empty),
    ("md5_sum", Action::Md5Sum),
    ("md5_sum_versioned", Action::Md5SumVersioned),
];

impl Tool for Options {
    const NAME: &'static str = "cibadmin";
    const USAGE: &'static str = "[OPTION...] [<command>]";
    const REFUSES_STRAY_WORDS: bool = true;
    const GROUPS: &'static [Group] = &[
        Group { option: "help-commands", heading: "Commands", about: "Show command help" },
        Group { option: "help-data", heading: "Data", about: "Show data help" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&COMMANDS.map(|(name, _)| name));
        let command = COMMANDS.into_iter().find(|(name, _)| Some(*name) == last);
        self.action = command.map_or(Action::Query, |(_, action)| action);
    }
}
