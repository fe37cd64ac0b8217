// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_attribute`: cluster options, and attributes of nodes for as long as they are configured or up.
//!
//! Decides: which of these is meant and where it is in the CIB, what is printed. Leaves to others: changes of the CIB
//! (its manager) and of what lives as long as a node is up (the attribute manager).

mod options;
mod place;

#[cfg(test)]
mod tests;

use crate::attrd_updater::local_node;
use crate::attributes;
use crate::cib_access::CibSession;
use crate::command_line;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use messages::attrd::{Body, INSTANCE_ATTRIBUTES, UTILIZATION, Update};
use model::ExitCode;
use options::{Command, Options, Scope};
use place::{Found, Place};
use std::ffi::OsString;
use std::io::{self, Write};
use xml::Element;

const PROGRAM: &str = "crm_attribute";

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let open = || CibSession::open(PROGRAM);
    run(&args, env, open, out, &mut io::stderr().lock())
}

/// The program with what it touches: arguments (its name first), environment, how to open the CIB, and the streams.
fn run(
    args: &[OsString],
    env: impl Fn(&str) -> Option<String>,
    open: impl FnOnce() -> Result<CibSession, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    command_line::run_plain(
        PROGRAM,
        args,
        |options: &Options| options.version,
        out,
        err,
        |options, out| work(options, env, open, out),
    )
}

/// What there is none of.
fn nothing() -> Failure {
    Failure::new(ExitCode::NOSUCH, "Error performing operation: No such device or address")
}

fn work(
    options: &Options,
    env: impl Fn(&str) -> Option<String>,
    open: impl FnOnce() -> Result<CibSession, Failure>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let command = options.command();
    let name = attribute_name(options, &env)?;
    if name.is_none() && options.pattern.is_none() && options.id.is_none() && command != Command::Query {
        let verb = if command == Command::Delete { "delete" } else { "update" };
        return Err(Failure::usage(format_args!("Error: must specify attribute name or pattern to {verb}")));
    }
    if options.name.is_some() && options.pattern.is_some() {
        return Err(Failure::usage("Error: --name and --pattern cannot be used at the same time"));
    }
    let mut session = open()?;
    let scope = options.scope();
    let cib = session.query()?;
    let node = match scope {
        Scope::Cluster => None,
        Scope::Nodes | Scope::Status => {
            let name = node_name(options, &env, session.is_file())?;
            Some(find_node(&cib, &name)?)
        }
    };
    let place = Place::new(scope, options, node);
    let found = place.find(&cib, name.as_deref())?;
    match command {
        Command::Query => query(options, &place, &found, name.as_deref(), out),
        _ if scope == Scope::Status && !session.is_file() => tell_manager(options, &place, name),
        Command::Update => update(options, &mut session, &place, &found, name),
        Command::Delete => delete(&mut session, &place, &found, name, out),
    }
}

/// The attribute's name; that of a promotion score is made of the resource's.
fn attribute_name(
    options: &Options,
    env: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, Failure> {
    let Some(resource) = &options.promotion else { return Ok(options.name.clone()) };
    let given = Some(resource.clone()).filter(|resource| !resource.is_empty());
    match given.or_else(|| env("OCF_RESOURCE_INSTANCE")) {
        Some(resource) => Ok(Some(format!("master-{resource}"))),
        None => Err(Failure::usage(
            "-p/--promotion must be called from an OCF resource agent or with a resource ID specified",
        )),
    }
}

/// The node that is meant: the given one, the one an agent runs on, or this one.
fn node_name(
    options: &Options,
    env: impl Fn(&str) -> Option<String>,
    is_file: bool,
) -> Result<String, Failure> {
    let given =
        options.node.clone().filter(|node| !matches!(&*node.to_ascii_lowercase(), "localhost" | "auto"));
    if let Some(node) = given.or_else(|| local_node(&env)) {
        return Ok(node);
    }
    if is_file {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        return Ok(name.trim().to_owned());
    }
    let mut controller = Controller::connect(PROGRAM)?;
    controller.send("node-info", "crmd", None, None)?;
    let reply = controller.reply(REPLY_TIMEOUT)?.and_then(|reply| reply.payload);
    let name = reply.and_then(|node| node.attr("uname").map(str::to_owned));
    name.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, "The controller does not say which node this is"))
}

fn find_node(cib: &Element, name: &str) -> Result<place::Node, Failure> {
    let nodes = cib.descend(&["configuration", "nodes"]);
    let mut nodes = nodes.into_iter().flat_map(|nodes| nodes.elements_named("node"));
    let node = nodes.find(|node| node.attr("uname").is_some_and(|uname| uname.eq_ignore_ascii_case(name)));
    let id = node
        .and_then(Element::id)
        .ok_or_else(|| Failure::new(ExitCode::NOSUCH, format_args!("Could not map name={name} to a UUID")))?;
    Ok(place::Node {
        name: name.to_owned(),
        id: id.to_owned(),
        is_remote: node.is_some_and(|node| node.attr("type") == Some("remote")),
    })
}

fn query(
    options: &Options,
    place: &Place<'_>,
    found: &[Found],
    name: Option<&str>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut line = |name: &str, value: &str| {
        let id = options.id.as_ref().map_or_else(String::new, |id| format!("id={id} "));
        let text = match options.quiet {
            true => value.to_owned(),
            false => format!("scope={} {id}name={name} value={value}", place.scope.section()),
        };
        writeln!(out, "{text}").map_err(Failure::unwritable)
    };
    match (found, &options.default) {
        ([], Some(default)) => line(name.unwrap_or_default(), default),
        ([], None) => Err(nothing()),
        (found, _) => found.iter().try_for_each(|found| line(&found.name, &found.value)),
    }
}

/// What lives as long as a node is up goes through the attribute manager, which keeps it in the CIB.
fn tell_manager(options: &Options, place: &Place<'_>, name: Option<String>) -> Result<(), Failure> {
    let set_type = if options.utilization { UTILIZATION } else { INSTANCE_ATTRIBUTES };
    let update = Update {
        name,
        pattern: options.pattern.clone(),
        value: options.update.clone(),
        host: place.node.as_ref().map(|node| node.name.clone()),
        is_remote: place.node.as_ref().is_some_and(|node| node.is_remote),
        set: options.set_name.clone(),
        set_type: Some(set_type.to_owned()),
        ..Update::default()
    };
    attributes::ask(PROGRAM, Body::Update(vec![update])).map(drop)
}

fn update(
    options: &Options,
    session: &mut CibSession,
    place: &Place<'_>,
    found: &[Found],
    name: Option<String>,
) -> Result<(), Failure> {
    let value = options.update.clone().unwrap_or_default();
    let known = found.iter().map(|found| (found.name.clone(), Some(found)));
    let targets: Vec<(String, Option<&Found>)> = match name {
        Some(name) => vec![(name, found.first())],
        None => known.collect(),
    };
    for (name, found) in targets {
        let change = place.change(found, &name, &value);
        session.modify_counting(place.scope.section(), change)?;
    }
    Ok(())
}

fn delete(
    session: &mut CibSession,
    place: &Place<'_>,
    found: &[Found],
    name: Option<String>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // What is not there is as it should be.
    for found in found {
        let pair = Element::new("nvpair").with_attr("id", &found.id);
        session.delete(place.scope.section(), pair)?;
        let what = if place.scope == Scope::Cluster { "option" } else { "attribute" };
        let name = name.as_ref().unwrap_or(&found.name);
        let section = place.scope.section();
        writeln!(out, "Deleted {section} {what}: id={} name={name}", found.id)
            .map_err(Failure::unwritable)?;
    }
    Ok(())
}
