// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_standby`: whether a node is in standby, which is an attribute of it.
//!
//! Decides: which of the two attributes is meant where no lifetime is given: the one that stays, before the one that
//! lasts only as long as the node is up. Leaves to others: everything about attributes (`crm_attribute`).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::crm_attribute::{Command, Request, Surroundings, perform, with_surroundings};
use crate::failure::Failure;
use crate::output::Output;
use clap::Parser;
use model::ExitCode;
use std::ffi::OsString;

/// crm_standby - Query, enable, or disable standby mode for a node
///
/// Nodes in standby mode may not host cluster resources.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Command,

    /// Print only the standby status (if querying)
    #[arg(short = 'q', short_alias = 'Q', long)]
    quiet: bool,

    /// Query the current value of standby mode (on/off; the default)
    #[arg(short = 'G', long, alias = "get-value", help_heading = "Commands")]
    query: bool,
    /// Update the value of standby mode (on/off)
    #[arg(short = 'v', long, alias = "attr-value", value_name = "VALUE", help_heading = "Commands")]
    update: Option<String>,
    /// Let standby mode use default value
    #[arg(short = 'D', long, alias = "delete-attr", help_heading = "Commands")]
    delete: bool,

    /// Operate on the named node instead of the current one
    #[arg(short = 'N', short_alias = 'U', long, alias = "uname", help_heading = "Additional Options")]
    node: Option<String>,
    /// Until when should the setting take effect (valid values: reboot, forever)
    #[arg(short = 'l', long, value_name = "VALUE", help_heading = "Additional Options")]
    lifetime: Option<String>,
    /// (Advanced) XML ID used to identify standby attribute
    #[arg(short = 'i', long, alias = "attr-id", value_name = "VALUE", help_heading = "Additional Options")]
    id: Option<String>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_standby";
    const USAGE: &'static str = "<command> [OPTION...]";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-commands", heading: "Commands", about: "Show commands" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        self.command = match order.last(&["query", "update", "delete"]) {
            Some("update") => Command::Update(self.update.clone().unwrap_or_default()),
            Some("delete") => Command::Delete,
            _ => Command::Query,
        };
    }
}

/// The program. Wrong usage has always been exit code 1 here.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let code = command_line::main(&args, |options, out| {
        with_surroundings(Options::NAME, |around| work(options, around, out))
    });
    if code == ExitCode::USAGE { ExitCode::ERROR } else { code }
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, around: &Surroundings<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let of = |lifetime: &str| Request {
        command: options.command.clone(),
        section: Some(lifetime.to_owned()),
        node: options.node.clone(),
        name: Some("standby".to_owned()),
        id: options.id.clone(),
        ..Request::default()
    };
    match (&options.lifetime, &options.command) {
        (Some(lifetime), _) => perform(&of(lifetime), around, out)?,
        (None, Command::Query) => {
            if perform(&of("forever"), around, out).is_err() {
                let or_off = Request { default: Some("off".to_owned()), ..of("reboot") };
                perform(&or_off, around, out)?;
            }
        }
        (None, Command::Update(_)) => perform(&of("forever"), around, out)?,
        (None, Command::Delete) => {
            perform(&of("forever"), around, out)?;
            perform(&of("reboot"), around, out)?;
        }
    }
    Ok(ExitCode::OK)
}
