// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_standby`: whether a node is in standby, which is an attribute of it.
//!
//! Decides: which of the two attributes is meant where no lifetime is given: the one that stays, before the one that
//! lasts only as long as the node is up. Leaves to others: everything about attributes (`crm_attribute`).

use crate::command_line::{self, CommonOptions, Group, Order, Tool};
use crate::crm_attribute::{Command, Request, Surroundings, perform};
use crate::failure::Failure;
use crate::node_attribute::{self, NodeAttributeOptions};
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
    #[command(flatten)]
    attribute: NodeAttributeOptions,
}

impl Tool for Options {
    const NAME: &'static str = "crm_standby";
    const USAGE: &'static str = "<command> [OPTION...]";
    const GROUPS: &'static [Group] = node_attribute::GROUPS;
    const WORDS: &'static [(&'static str, &'static str)] = &[
        ("quiet", "Print only the standby status (if querying)"),
        ("query", "Query the current value of standby mode (on/off; the default)"),
        ("update", "Update the value of standby mode (on/off)"),
        ("delete", "Let standby mode use default value"),
        ("id", "(Advanced) XML ID used to identify standby attribute"),
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
    let options = &options.attribute;
    let of = |lifetime: &str| options.request("standby", lifetime);
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
