// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_master`: a resource's promotion score on a node, by the name that the tool had before `crm_attribute --promotion`.
//!
//! Decides: which attribute that is, and that it stays unless a lifetime is given. Leaves to others: everything about
//! attributes (`crm_attribute`).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::crm_attribute::{Command, Request, Surroundings, perform, with_surroundings};
use crate::failure::Failure;
use crate::output::Output;
use clap::Parser;
use model::ExitCode;
use std::ffi::OsString;

/// crm_master - Query, update, or delete a resource's promotion score
///
/// This command is deprecated. Use crm_attribute with the --promotion option instead.
#[derive(Clone, Debug, Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    command: Command,

    /// Print only the value
    #[arg(short = 'q', short_alias = 'Q', long)]
    quiet: bool,

    /// Query the promotion score (the default)
    #[arg(short = 'G', long, alias = "get-value", help_heading = "Commands")]
    query: bool,
    /// Update the promotion score
    #[arg(short = 'v', long, alias = "attr-value", value_name = "VALUE", help_heading = "Commands")]
    update: Option<String>,
    /// Delete the promotion score
    #[arg(short = 'D', long, alias = "delete-attr", help_heading = "Commands")]
    delete: bool,

    /// The resource, unless OCF_RESOURCE_INSTANCE says it
    #[arg(short = 'r', long, help_heading = "Additional Options")]
    resource: Option<String>,
    /// Operate on the named node instead of the current one
    #[arg(short = 'N', short_alias = 'U', long, alias = "uname", help_heading = "Additional Options")]
    node: Option<String>,
    /// Until when should the setting take effect: reboot or forever (the default)
    #[arg(short = 'l', long, value_name = "VALUE", help_heading = "Additional Options")]
    lifetime: Option<String>,
    /// (Advanced) XML ID used to identify the attribute
    #[arg(short = 'i', long, alias = "attr-id", value_name = "VALUE", help_heading = "Additional Options")]
    id: Option<String>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_master";
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
    let resource = options.resource.clone().or_else(|| (around.env)("OCF_RESOURCE_INSTANCE"));
    let resource = resource.filter(|resource| !resource.is_empty()).ok_or_else(|| {
        Failure::usage("No resource specified: use --resource, or set OCF_RESOURCE_INSTANCE as for agents")
    })?;
    let request = Request {
        command: options.command.clone(),
        section: Some(options.lifetime.clone().unwrap_or_else(|| "forever".to_owned())),
        node: options.node.clone(),
        name: Some(format!("master-{resource}")),
        id: options.id.clone(),
        ..Request::default()
    };
    perform(&request, around, out).map(|()| ExitCode::OK)
}
