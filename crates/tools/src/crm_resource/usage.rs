// SPDX-License-Identifier: GPL-2.0-or-later
//! What makes no sense on a command line, found before anything is asked of anybody.

use super::agent;
use super::options::{Command, Options, name_and_value};
use crate::failure::Failure;
use model::ExitCode;

/// The `NAME=VALUE` that were given; or what is wrong.
pub(super) fn checked(options: &Options) -> Result<Vec<(String, String)>, Failure> {
    if options.expired && options.command != Command::Clear {
        return Err(Failure::usage("--expired requires --clear or -U"));
    }
    let overrides = overrides(options)?;
    if options.names_agent() {
        check_agent(options)?;
    } else if !options.option.is_empty() {
        return Err(Failure::usage("--option must be used with --validate and without -r"));
    }
    let needs = options.command.needs();
    if needs.resource && !options.names_agent() && !options.expired && options.resource.is_none() {
        return Err(Failure::usage("Must supply a resource ID with -r/--resource"));
    }
    if needs.node && options.node.is_none() {
        return Err(Failure::usage("Must supply a node name with -N/--node"));
    }
    Ok(overrides)
}

/// Where no cluster is looked at, no node is known.
pub(super) fn no_node(options: &Options) -> Result<(), Failure> {
    match &options.node {
        Some(name) => Err(unknown_node(name)),
        None => Ok(()),
    }
}

pub(super) fn unknown_node(name: &str) -> Failure {
    Failure::new(ExitCode::NOSUCH, format_args!("Node '{name}' not found"))
}

fn overrides(options: &Options) -> Result<Vec<(String, String)>, Failure> {
    let words = &options.remainder;
    if !options.takes_overrides && !words.is_empty() {
        let count = words.len();
        let each = words.iter().zip(1..).map(|(text, n)| format!("\n[{n} of {count}] {text}"));
        return Err(Failure::usage(format_args!("non-option ARGV-elements:{}", each.collect::<String>())));
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in words {
        let wrong = || Failure::usage(format_args!("Error parsing '{word}' as a name=value pair"));
        let (name, value) = name_and_value(word).ok_or_else(wrong)?;
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => pairs.push((name, value)),
        }
    }
    Ok(pairs)
}

/// An agent on the command line: only where it can be run, named fully, and installed.
fn check_agent(options: &Options) -> Result<(), Failure> {
    if options.resource.is_some() {
        return Err(Failure::usage("--class, --agent, and --provider cannot be used with -r/--resource"));
    }
    if options.command != Command::Execute {
        return Err(Failure::usage(
            "--class, --agent, and --provider can only be used with --validate and --force-*",
        ));
    }
    let (class, provider, name) = (&options.class, &options.provider, &options.agent);
    let (class, name) = match (class.as_deref(), provider, name.as_deref()) {
        (Some(class @ "ocf"), Some(_), Some(name)) => (class, name),
        (Some("ocf"), _, _) => {
            return Err(Failure::usage("--provider and --agent are required with --class=ocf"));
        }
        (_, Some(_), _) => return Err(Failure::usage("--provider is supported only with --class=ocf")),
        (_, None, None) => return Err(Failure::usage("--agent is required with --class")),
        (None, None, Some(_)) => return Err(Failure::usage("--class is required with --agent")),
        (Some(class), None, Some(name)) => (class, name),
    };
    match agent::exists(class, provider.as_deref(), name) {
        true => Ok(()),
        false if class == "stonith" => {
            Err(Failure::usage(format_args!("{name} is not a known fencing agent")))
        }
        false => {
            let provider = provider.as_ref().map(|provider| format!("{provider}:")).unwrap_or_default();
            Err(Failure::usage(format_args!("{class}:{provider}{name} is not a known resource agent")))
        }
    }
}
