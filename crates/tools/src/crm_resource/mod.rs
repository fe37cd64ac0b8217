// SPDX-License-Identifier: GPL-2.0-or-later
//! `crm_resource`: resources as they are, and what administrators do with them.
//!
//! Decides: options, which resource and node are meant, what is printed. Given: the CIB (the cluster's or a file's).
//! Leaves to others: the state of resources (`scheduler`), changes of the CIB (its manager), failures and history (the
//! attribute manager and the controllers).

mod history;
mod location;
mod options;
mod parameter;
mod show;

#[cfg(test)]
mod tests;

use crate::acceptable::acceptable;
use crate::cib_access::CibSession;
use crate::command_line;
use crate::failure::Failure;
use crate::log::Log;
use crate::status::Lists;
use model::{ExitCode, WallTime};
use options::{Command, Options};
use scheduler::{Cluster, NodeId, Resource, ResourceId, Variant};
use std::ffi::OsString;
use std::io::{self, Write};
use std::time::SystemTime;

const PROGRAM: &str = "crm_resource";

/// The program.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = WallTime::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let out = &mut io::BufWriter::new(io::stdout().lock());
    let open = || CibSession::open(PROGRAM);
    run(&args, now, open, out, &mut io::stderr().lock())
}

/// The program with what it touches: arguments (its name first), the time, how to open the CIB, and the streams.
pub(crate) fn run(
    args: &[OsString],
    now: WallTime,
    open: impl FnOnce() -> Result<CibSession, Failure>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> ExitCode {
    let (options, command) = match options::parse(args) {
        Ok(parsed) => parsed,
        Err(error) => return command_line::refuse(PROGRAM, &error, out, err),
    };
    if options.version {
        return command_line::print_version(out);
    }
    let mut lists = Lists::new(out, err, command == Command::List, options.quiet);
    let result = check_usage(&options, command)
        .and_then(|()| Task::prepare(&options, command, now, open, &mut lists))
        .and_then(|task| task.run(command, &mut lists));
    let code = match result {
        Ok(code) => code,
        Err(failure) => {
            lists.error(failure.report(PROGRAM));
            failure.code
        }
    };
    match lists.finish() {
        Ok(()) => code,
        Err(_) => ExitCode::IOERR,
    }
}

fn check_usage(options: &Options, command: Command) -> Result<(), Failure> {
    if !options.remainder.is_empty() {
        let count = options.remainder.len();
        let each = options.remainder.iter().zip(1..).map(|(text, n)| format!("\n[{n} of {count}] {text}"));
        return Err(Failure::usage(format_args!("non-option ARGV-elements:{}", each.collect::<String>())));
    }
    if command.needs_resource() && options.resource.is_none() {
        return Err(Failure::usage("Must supply a resource ID with -r/--resource"));
    }
    if command.needs_node() && options.node.is_none() {
        return Err(Failure::usage("Must supply a node name with -N/--node"));
    }
    if command == Command::SetParameter && options.parameter_value.as_deref().is_none_or(str::is_empty) {
        return Err(Failure::usage("You need to supply a value with the -v option"));
    }
    if command == Command::Delete && options.resource_type.is_none() {
        return Err(Failure::usage("You need to specify a resource type with -t"));
    }
    Ok(())
}

/// What is asked for, with all that is known.
struct Task<'a> {
    options: &'a Options,
    session: CibSession,
    cluster: Cluster,
    node: Option<NodeId>,
    resource: Option<ResourceId>,
}

impl<'a> Task<'a> {
    fn prepare(
        options: &'a Options,
        command: Command,
        now: WallTime,
        open: impl FnOnce() -> Result<CibSession, Failure>,
        lists: &mut Lists<'_>,
    ) -> Result<Task<'a>, Failure> {
        let mut session = open()?;
        let cib = session.read()?.map_err(|refused| {
            let why = refused.reason.unwrap_or_else(|| refused.rc.text().into_owned());
            Failure::bare(refused.rc.exit_code())
                .with_detail(format_args!("Could not obtain the current CIB: {why}"))
        })?;
        let cib = acceptable(&cib, |line| lists.error(line));
        let cib = cib.map_err(|refusal| {
            Failure::new(ExitCode::CONFIG, format_args!("Could not upgrade the current CIB XML: {refusal}"))
        })?;
        let (cluster, issues) = scheduler::unpack(&cib, now);
        let log = Log::new(PROGRAM, options.verbose);
        let issues = issues.iter().filter(|issue| !issue.planning).filter_map(|issue| log.issue(issue));
        issues.for_each(|line| lists.error(line));
        let nosuch = |text: String| Failure::new(ExitCode::NOSUCH, text);
        let node = match &options.node {
            None => None,
            Some(name) => {
                let found = cluster.node_named(name);
                Some(found.ok_or_else(|| nosuch(format!("Node '{name}' not found")))?)
            }
        };
        let resource = match &options.resource {
            // What is deleted by name need not be understood.
            Some(id) if command != Command::Delete => {
                let found = find_resource(&cluster, id);
                Some(found.ok_or_else(|| nosuch(format!("Resource '{id}' not found")))?)
            }
            _ => None,
        };
        if let Some(id) = options.resource.as_ref().filter(|id| id.contains(':'))
            && command.refuses_instances()
        {
            let text = format!("Cannot operate on clone resource instance '{id}'");
            return Err(Failure::new(ExitCode::INVALID_PARAM, text));
        }
        Ok(Task { options, session, cluster, node, resource })
    }

    fn run(mut self, command: Command, lists: &mut Lists<'_>) -> Result<ExitCode, Failure> {
        match command {
            Command::List => Ok(show::list(&self, lists)),
            Command::ListRaw => Ok(show::list_raw(&self, lists)),
            Command::QueryXml | Command::QueryXmlRaw => {
                show::query_xml(&self, lists, command == Command::QueryXmlRaw)
            }
            Command::GetParameter => show::get_parameter(&self, lists),
            Command::Locate => show::locate(&self, lists),
            Command::Cleanup => history::cleanup(&self, lists),
            Command::Refresh => history::refresh(&self, lists),
            Command::Fail => history::fail(&self, lists),
            Command::SetParameter => parameter::set(&mut self, lists),
            Command::DeleteParameter => parameter::delete(&mut self, lists),
            Command::Delete => parameter::delete_resource(&mut self),
            Command::Move => location::move_resource(&mut self, lists),
            Command::Ban => location::ban(&mut self, lists),
            Command::Clear => location::clear(&mut self, lists),
        }
    }

    /// The resource's id as it was given.
    fn requested(&self) -> &str {
        self.options.resource.as_deref().unwrap_or_default()
    }

    /// The resource; that there must be one was checked with the command line.
    fn resource(&self) -> Result<(ResourceId, &Resource), Failure> {
        let id =
            self.resource.ok_or_else(|| Failure::usage("Must supply a resource ID with -r/--resource"))?;
        Ok((id, self.cluster.resource(id)))
    }

    fn node_name(&self, node: NodeId) -> &str {
        &self.cluster.node(node).name
    }

    /// Where a resource, or anything in it, is active.
    fn active_on(&self, id: ResourceId) -> Vec<NodeId> {
        let resource = self.cluster.resource(id);
        if !resource.state.active_on.is_empty() || resource.children.is_empty() {
            return resource.state.active_on.clone();
        }
        let mut nodes = Vec::new();
        for node in resource.children.iter().flat_map(|&child| self.active_on(child)) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        nodes
    }

    /// The outermost resource that one is in.
    fn top(&self, id: ResourceId) -> ResourceId {
        let mut id = id;
        while let Some(parent) = self.cluster.resource(id).parent {
            id = parent;
        }
        id
    }
}

/// A resource by its id, by the id of its history, or, of a clone's instances, by what they have in common.
fn find_resource(cluster: &Cluster, id: &str) -> Option<ResourceId> {
    let by =
        |matches: &dyn Fn(&Resource) -> bool| cluster.resources.iter().position(matches).map(ResourceId::new);
    cluster
        .resource_named(id)
        .or_else(|| by(&|resource| resource.history_id.as_deref() == Some(id)))
        .or_else(|| by(&|resource| resource.variant == Variant::Primitive && base_name(&resource.id) == id))
}

/// An instance's id without its number.
fn base_name(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => id,
    }
}
