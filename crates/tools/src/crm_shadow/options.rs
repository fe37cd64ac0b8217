// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::command_line::{CommonOptions, Group, Order, Tool};
use clap::Parser;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Which,
    Display,
    Diff,
    File,
    Create,
    CreateEmpty,
    Commit,
    Delete,
    Edit,
    Reset,
    Switch,
}

/// Perform Pacemaker configuration changes in a sandbox
///
/// On a shadow copy the configuration tools (cibadmin, crm_resource and the others) work as they would on the running
/// cluster, of which nothing changes until the copy is committed. What a change would do can so be seen before it is done.
#[derive(Clone, Debug, Parser)]
#[command(after_help = "Examples:

Make a copy without any configuration in it:

\t# crm_shadow --create-empty myShadow

Make a copy of the running cluster's configuration:

\t# crm_shadow --create myShadow

Show the copy that is in use:

\t# crm_shadow --display

Throw the copy (named myShadow) away:

\t# crm_shadow --delete myShadow --force

Put the copy (named myShadow) into use on the running cluster:

\t# crm_shadow --commit myShadow --force")]
pub(super) struct Options {
    #[command(flatten)]
    pub common: CommonOptions,

    /// Indicate the active shadow copy
    #[arg(short = 'w', long, help_heading = "Queries")]
    which: bool,
    /// Display the contents of the active shadow copy
    #[arg(short = 'p', long, help_heading = "Queries")]
    display: bool,
    /// Display the changes in the active shadow copy
    #[arg(short = 'd', long, help_heading = "Queries")]
    diff: bool,
    /// Display the location of the active shadow copy file
    #[arg(short = 'F', long, help_heading = "Queries")]
    file: bool,

    /// Create the named shadow copy of the active cluster configuration
    #[arg(short = 'c', long, value_name = "name", help_heading = "Commands")]
    create: Option<String>,
    /// Create the named shadow copy with an empty cluster configuration (see --validate-with)
    #[arg(short = 'e', long, value_name = "name", help_heading = "Commands")]
    create_empty: Option<String>,
    /// Upload the contents of the named shadow copy to the cluster (with --force)
    #[arg(short = 'C', long, value_name = "name", help_heading = "Commands")]
    commit: Option<String>,
    /// Delete the contents of the named shadow copy (with --force)
    #[arg(short = 'D', long, value_name = "name", help_heading = "Commands")]
    delete: Option<String>,
    /// Edit the contents of the active shadow copy with your favorite $EDITOR
    #[arg(short = 'E', long, help_heading = "Commands")]
    edit: bool,
    /// Recreate named shadow copy from the active cluster configuration (with --force)
    #[arg(short = 'r', long, value_name = "name", help_heading = "Commands")]
    reset: Option<String>,
    /// (Advanced) Switch to the named shadow copy
    #[arg(short = 's', long, value_name = "name", help_heading = "Commands")]
    switch: Option<String>,

    /// (Advanced) Force the action to be performed
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    pub force: bool,
    /// (Advanced) Don't spawn a new shell
    #[arg(short = 'b', long, help_heading = "Additional Options")]
    pub batch: bool,
    /// (Advanced) Upload entire CIB, including status, with --commit
    #[arg(short = 'a', long, help_heading = "Additional Options")]
    pub all: bool,
    /// (Advanced) Create an older configuration version
    #[arg(short = 'v', long, value_name = "SCHEMA", help_heading = "Additional Options")]
    pub validate_with: Option<String>,

    /// The command that was given last.
    #[arg(skip)]
    pub command: Option<Command>,
}

const COMMANDS: [(&str, Command); 11] = [
    ("which", Command::Which),
    ("display", Command::Display),
    ("diff", Command::Diff),
    ("file", Command::File),
    ("create", Command::Create),
    ("create_empty", Command::CreateEmpty),
    ("commit", Command::Commit),
    ("delete", Command::Delete),
    ("edit", Command::Edit),
    ("reset", Command::Reset),
    ("switch", Command::Switch),
];

impl Options {
    /// The name that the command was given with.
    pub fn name(&self) -> &str {
        let name = match self.command {
            Some(Command::Create) => &self.create,
            Some(Command::CreateEmpty) => &self.create_empty,
            Some(Command::Commit) => &self.commit,
            Some(Command::Delete) => &self.delete,
            Some(Command::Reset) => &self.reset,
            Some(Command::Switch) => &self.switch,
            _ => &None,
        };
        name.as_deref().unwrap_or_default()
    }
}

impl Tool for Options {
    const NAME: &'static str = "crm_shadow";
    const USAGE: &'static str = "[OPTION...] <query>|<command>";
    const REFUSES_STRAY_WORDS: bool = true;
    const GROUPS: &'static [Group] = &[
        Group { option: "help-queries", heading: "Queries", about: "Show query help" },
        Group { option: "help-commands", heading: "Commands", about: "Show command help" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&COMMANDS.map(|(name, _)| name));
        self.command = COMMANDS.into_iter().find(|(name, _)| Some(*name) == last).map(|(_, command)| command);
    }
}
