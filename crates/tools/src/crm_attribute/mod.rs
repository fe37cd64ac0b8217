// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_attribute`: cluster options, defaults, and attributes of nodes for as long as they are configured or up.
//!
//! Decides: which of these is meant and where it is in the CIB, what is printed. Leaves to others: changes of the CIB
//! (its manager) and of what lives as long as a node is up (the attribute manager). `crm_standby`, `crm_master` and
//! `crm_failcount` ask here, too.

mod node;
mod options;
mod perform;
mod place;
mod request;

#[cfg(test)]
mod tests;

pub(crate) use perform::{Surroundings, perform, transient_attributes, with_surroundings};
pub(crate) use request::{Command, Request};

use crate::command_line::{self, Tool};
use crate::failure::Failure;
use crate::option_list::OptionList;
use crate::output::Output;
use model::ExitCode;
use options::Options;
use std::ffi::OsString;

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    command_line::main(&args, |options, out| {
        with_surroundings(Options::NAME, |around| work(options, around, out))
    })
}

/// Its definition, for the man page and completion.
pub fn command() -> clap::Command {
    command_line::documentation::<Options>()
}

fn work(options: &Options, around: &Surroundings<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    match options.list.as_deref() {
        Some("cluster") => {
            out.say(&OptionList::cluster(options.all))?;
            return Ok(ExitCode::OK);
        }
        Some(other) => {
            let text = format!("Invalid --list-options value '{other}'. Allowed values: cluster");
            return Err(Failure::usage(text));
        }
        None => {}
    }
    let name = attribute_name(options, around)?;
    perform(&options.request(name), around, out).map(|()| ExitCode::OK)
}

/// The attribute's name; that of a promotion score is made of the resource's.
fn attribute_name(options: &Options, around: &Surroundings<'_>) -> Result<Option<String>, Failure> {
    if !options.is_promotion {
        return Ok(options.name.clone());
    }
    let given = options.promotion.clone().filter(|resource| !resource.is_empty());
    match given.or_else(|| (around.env)("OCF_RESOURCE_INSTANCE")) {
        Some(resource) => Ok(Some(format!("master-{resource}"))),
        None => Err(Failure::usage(
            "-p/--promotion must be called from an OCF resource agent or with a resource ID specified",
        )),
    }
}
