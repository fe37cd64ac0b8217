// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_master`: a resource's promotion score on a node, by the name that the tool had before `crm_attribute --promotion`.
//!
//! Decides: which attribute that is, and that it stays unless a lifetime is given. Leaves to others: everything about
//! attributes (`crm_attribute`).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::crm_attribute::{Surroundings, perform};
use crate::failure::Failure;
use crate::node_attribute::{self, NodeAttributeOptions};
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
    #[command(flatten)]
    attribute: NodeAttributeOptions,
    /// The resource, unless OCF_RESOURCE_INSTANCE says it
    #[arg(short = 'r', long, help_heading = "Additional Options")]
    resource: Option<String>,
}

impl Tool for Options {
    const NAME: &'static str = "crm_master";
    const USAGE: &'static str = "<command> [OPTION...]";
    const GROUPS: &'static [Group] = node_attribute::GROUPS;
    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("query", "Query the promotion score (the default)"),
        ("update", "Update the promotion score"),
        ("delete", "Delete the promotion score"),
        ("lifetime", "Until when should the setting take effect: reboot or forever (the default)"),
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.attribute.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        self.attribute.see(order);
    }
}

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    node_attribute::main(&args, work)
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
    let lifetime = options.attribute.lifetime.as_deref().unwrap_or("forever");
    let request = options.attribute.request(&format!("master-{resource}"), lifetime);
    perform(&request, around, out).map(|()| ExitCode::OK)
}
