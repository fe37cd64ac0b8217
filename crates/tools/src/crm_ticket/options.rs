// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use crate::command_line::{CommonOptions, Group, Order, Tool};
use clap::Parser;
use std::path::PathBuf;

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Command {
    /// Show the tickets.
    List(Detail),
    /// Show what the CIB holds of them.
    State,
    /// Show the constraints with them.
    Constraints,
    /// Show an attribute.
    GetAttribute,
    /// Forget a ticket.
    Cleanup,
    /// Nothing of these: change attributes, if any are given.
    #[default]
    Change,
}

/// How much is shown of tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Their ids.
    Ids,
    /// Who has them.
    Info,
    /// All attributes.
    All,
}

/// Attributes that are to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// What is to be set, in the order in which it was said.
    pub set: Vec<(String, String)>,
    /// A name that no value came to.
    pub name_without_value: Option<String>,
    /// A value that no name came to.
    pub value_without_name: Option<String>,
}

/// Perform tasks related to cluster tickets
///
/// Allows ticket attributes to be queried, modified and deleted.
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    pub command: Command,
    /// What all the options that set attributes come to.
    #[arg(skip)]
    pub changes: Changes,

    /// Display the information of ticket(s)
    #[arg(short = 'l', long, help_heading = "Queries")]
    info: bool,
    /// Display the details of ticket(s)
    #[arg(short = 'L', long, help_heading = "Queries")]
    details: bool,
    /// Display the IDs of ticket(s)
    #[arg(short = 'w', long, help_heading = "Queries")]
    raw: bool,
    /// Query the XML of ticket(s)
    #[arg(short = 'q', long, help_heading = "Queries")]
    query_xml: bool,
    /// Display the rsc_ticket constraints that apply to ticket(s)
    #[arg(short = 'c', long, help_heading = "Queries")]
    constraints: bool,

    /// Grant a ticket to this cluster site
    #[arg(short = 'g', long, help_heading = "Commands")]
    grant: bool,
    /// Revoke a ticket from this cluster site
    #[arg(short = 'r', long, help_heading = "Commands")]
    revoke: bool,
    /// Tell this cluster site this ticket is standby
    #[arg(short = 's', long, help_heading = "Commands")]
    standby: bool,
    /// Tell this cluster site this ticket is active
    #[arg(short = 'a', long, help_heading = "Commands")]
    activate: bool,

    /// Display the named attribute for a ticket
    #[arg(short = 'G', long, value_name = "ATTRIBUTE", help_heading = "Advanced Options")]
    pub get_attr: Option<String>,
    /// Set the named attribute for a ticket
    #[arg(short = 'S', long, value_name = "ATTRIBUTE", help_heading = "Advanced Options")]
    set_attr: Vec<String>,
    /// Delete the named attribute for a ticket
    #[arg(short = 'D', long, value_name = "ATTRIBUTE", help_heading = "Advanced Options")]
    pub delete_attr: Vec<String>,
    /// Delete all state of a ticket at this cluster site
    #[arg(short = 'C', long, help_heading = "Advanced Options")]
    cleanup: bool,

    /// Attribute value to use with -S
    #[arg(short = 'v', long, value_name = "VALUE", help_heading = "Additional Options")]
    attr_value: Vec<String>,
    /// (Advanced) Default attribute value to display if none is found (for use with -G)
    #[arg(short = 'd', long, value_name = "VALUE", help_heading = "Additional Options")]
    pub default: Option<String>,
    /// (Advanced) Force the action to be performed
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    pub force: bool,
    /// Ticket ID
    #[arg(short = 't', long, value_name = "ID", help_heading = "Additional Options")]
    pub ticket: Option<String>,
    /// Look at the CIB in this file to know which tickets there are
    #[arg(short = 'x', long, value_name = "FILE", hide = true)]
    pub xml_file: Option<PathBuf>,

    /// Without effect (was the ID of the instance_attributes object to change)
    #[arg(short = 'n', long, value_name = "ID", help_heading = "Deprecated Options")]
    set_name: Option<String>,
    /// Without effect (was the ID of the nvpair object to change/delete)
    #[arg(short = 'i', long, value_name = "ID", help_heading = "Deprecated Options")]
    nvpair: Option<String>,
    /// Without effect (was to print only the value on stdout)
    #[arg(short = 'Q', long, help_heading = "Deprecated Options")]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:

Show the tickets, in short and in full, and what the CIB holds of 'ticketA' and demands of those who depend on it:

	crm_ticket --info
	crm_ticket --details
	crm_ticket --ticket ticketA --query-xml
	crm_ticket --ticket ticketA --constraints

Grant 'ticketA' to this cluster site, and revoke it:

	crm_ticket --ticket ticketA --grant
	crm_ticket --ticket ticketA --revoke

Make 'ticketA' standby (the cluster site will treat a granted 'ticketA' as 'standby', and the dependent resources
will be stopped or demoted gracefully without triggering loss-policies), and activate it again:

	crm_ticket --ticket ticketA --standby
	crm_ticket --ticket ticketA --activate

Read, set, and delete an attribute of 'ticketA':

	crm_ticket --ticket ticketA --get-attr granted
	crm_ticket --ticket ticketA --set-attr standby --attr-value true
	crm_ticket --ticket ticketA --delete-attr granted

Make the cluster site forget 'ticketA':

	crm_ticket --ticket ticketA --cleanup
";

/// The commands by the names of their options.
const COMMANDS: [(&str, Command); 7] = [
    ("info", Command::List(Detail::Info)),
    ("details", Command::List(Detail::All)),
    ("raw", Command::List(Detail::Ids)),
    ("query_xml", Command::State),
    ("constraints", Command::Constraints),
    ("get_attr", Command::GetAttribute),
    ("cleanup", Command::Cleanup),
];

/// The options that set an attribute without naming it.
const SWITCHES: [(&str, &str, &str); 4] = [
    ("grant", "granted", "true"),
    ("revoke", "granted", "false"),
    ("standby", "standby", "true"),
    ("activate", "standby", "false"),
];

impl Tool for Options {
    const NAME: &'static str = "crm_ticket";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-queries", heading: "Queries", about: "Show queries" },
        Group { option: "help-commands", heading: "Commands", about: "Show command options" },
        Group { option: "help-advanced", heading: "Advanced Options", about: "Show advanced options" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
        Group { option: "help-deprecated", heading: "Deprecated Options", about: "Show deprecated options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&COMMANDS.map(|(name, _)| name));
        let command = COMMANDS.into_iter().find(|(name, _)| Some(*name) == last);
        self.command = command.map_or(Command::Change, |(_, command)| command);
        self.changes = self.changes_in(order);
    }
}

/// A word of the command line that has to do with setting attributes.
enum Word<'a> {
    Switch(&'a str, &'a str),
    Name(&'a str),
    Value(&'a str),
}

impl Options {
    /// Names and values come in any order: each is kept until its counterpart comes.
    fn changes_in(&self, order: &Order<'_>) -> Changes {
        let switches = SWITCHES
            .into_iter()
            .filter_map(|(option, name, value)| Some((order.place(option)?, Word::Switch(name, value))));
        let names = order.places("set_attr").zip(self.set_attr.iter().map(|name| Word::Name(name)));
        let values = order.places("attr_value").zip(self.attr_value.iter().map(|value| Word::Value(value)));
        let mut words: Vec<(usize, Word<'_>)> = switches.chain(names).chain(values).collect();
        words.sort_by_key(|(place, _)| *place);
        let (mut set, mut name, mut value): (Vec<(String, String)>, _, _) = (Vec::new(), None, None);
        for (_, word) in words {
            let complete = match word {
                Word::Switch(name, value) => Some((name, value)),
                Word::Name(new) => {
                    name = Some(new);
                    name.zip(value)
                }
                Word::Value(new) => {
                    value = Some(new);
                    name.zip(value)
                }
            };
            let Some((new_name, new_value)) = complete else { continue };
            if !matches!(word, Word::Switch(..)) {
                (name, value) = (None, None);
            }
            match set.iter_mut().find(|(there, _)| there == new_name) {
                Some((_, there)) => new_value.clone_into(there),
                None => set.push((new_name.to_owned(), new_value.to_owned())),
            }
        }
        let [name_without_value, value_without_name] = [name, value].map(|word| word.map(str::to_owned));
        Changes { set, name_without_value, value_without_name }
    }
}
