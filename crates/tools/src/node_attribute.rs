// SPDX-License-Identifier: GPL-2.0-or-later
//! What tools have in common that each are about one attribute of a node: their commands, and which node is meant.
//!
//! Decides: the shared options, which command counts, the exit code of wrong usage. Leaves to others: which attribute it is
//! (each tool), their own words for the options ([`Tool::WORDS`]), and everything about attributes (`crm_attribute`).

use crate::command_line::{self, Group, Order, Tool};
use crate::crm_attribute::{Command, Request, Surroundings, with_surroundings};
use crate::failure::Failure;
use crate::output::Output;
use model::ExitCode;
use std::ffi::OsString;

/// The groups of their options.
pub(crate) const GROUPS: &[Group] = &[
    Group { option: "help-commands", heading: "Commands", about: "Show commands" },
    Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
];

/// Their options.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct NodeAttributeOptions {
    /// Which command was given last.
    #[arg(skip)]
    pub command: Command,

    /// Print only the value
    #[arg(short = 'q', short_alias = 'Q', long)]
    pub quiet: bool,

    /// Query the value (the default)
    #[arg(short = 'G', long, alias = "get-value", help_heading = "Commands")]
    query: bool,
    /// Update the value
    #[arg(short = 'v', long, alias = "attr-value", value_name = "VALUE", help_heading = "Commands")]
    update: Option<String>,
    /// Delete the value
    #[arg(short = 'D', long, alias = "delete-attr", help_heading = "Commands")]
    delete: bool,

    /// Operate on the named node instead of the current one
    #[arg(short = 'N', short_alias = 'U', long, alias = "uname", help_heading = "Additional Options")]
    node: Option<String>,
    /// Until when should the setting take effect (valid values: reboot, forever)
    #[arg(short = 'l', long, value_name = "VALUE", help_heading = "Additional Options")]
    pub lifetime: Option<String>,
    /// (Advanced) XML ID used to identify the attribute
    #[arg(short = 'i', long, alias = "attr-id", value_name = "VALUE", help_heading = "Additional Options")]
    id: Option<String>,
}

impl NodeAttributeOptions {
    /// Told the order of the options: the last command counts.
    pub fn see(&mut self, order: &Order<'_>) {
        self.command = match order.last(&["query", "update", "delete"]) {
            Some("update") => Command::Update(self.update.clone().unwrap_or_default()),
            Some("delete") => Command::Delete,
            _ => Command::Query,
        };
    }

    /// The same as `crm_attribute` is asked for an attribute that lives until then.
    pub fn request(&self, name: &str, lifetime: &str) -> Request {
        Request {
            command: self.command.clone(),
            section: Some(lifetime.to_owned()),
            node: self.node.clone(),
            name: Some(name.to_owned()),
            id: self.id.clone(),
            ..Request::default()
        }
    }
}

/// The program of such a tool. Wrong usage has always been exit code 1 here.
pub(crate) fn main<T: Tool>(
    args: &[OsString],
    work: impl FnOnce(&T, &Surroundings<'_>, &mut Output<'_>) -> Result<ExitCode, Failure>,
) -> ExitCode {
    let code = command_line::main(args, |options: &T, out| {
        with_surroundings(T::NAME, |around| work(options, around, out))
    });
    if code == ExitCode::USAGE { ExitCode::ERROR } else { code }
}
