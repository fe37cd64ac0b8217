// SPDX-License-Identifier: GPL-2.0-or-later
//! The table of all names: what each runs, and where it is installed.

use model::ExitCode;
use std::ffi::OsString;

/// One name the binary answers to.
pub struct Program {
    /// The name.
    pub name: &'static str,
    /// The folder it is installed in (`sbin` or `libexec`); `None` for what is only called as `systole NAME`.
    pub place: Option<&'static str>,
    /// One line for the overview.
    pub about: &'static str,
    /// Its entry; the first argument is the name it was called by.
    pub main: fn(Vec<OsString>) -> ExitCode,
    /// Its command line, for man page and completion.
    pub command: Option<fn() -> clap::Command>,
    /// What its man page is called.
    pub page: &'static str,
}

/// All of them, daemons first.
pub const ALL: &[Program] = &[
    tool("pacemakerd", "starts, watches and stops the cluster's daemons", pacemakerd::main),
    daemon("pacemaker-based", "the CIB manager: keeps the CIB the same on every node", based::main),
    daemon("pacemaker-fenced", "the fencer: takes nodes' power", fenced::main),
    daemon("pacemaker-execd", "the executor: runs resource agents", execd::main),
    daemon("pacemaker-attrd", "the attribute manager: keeps node attributes", attrd::main),
    daemon("pacemaker-schedulerd", "the scheduler: transitions on request", schedulerd::main),
    daemon("pacemaker-controld", "the controller: coordinates the cluster", controld::main),
    tool("attrd_updater", "values of node attributes", tools::attrd_updater::main)
        .documented(tools::attrd_updater::command),
    tool("cibadmin", "reads and changes the CIB", tools::cibadmin::main).documented(tools::cibadmin::command),
    tool("crm_attribute", "cluster options and attributes of nodes", tools::crm_attribute::main)
        .documented(tools::crm_attribute::command),
    tool("crm_error", "names and meanings of result codes", tools::crm_error::main)
        .documented(tools::crm_error::command),
    tool("crm_failcount", "how often a resource has failed on a node", tools::crm_failcount::main)
        .documented(tools::crm_failcount::command),
    tool("crm_master", "promotion scores, by the name of old", tools::crm_master::main)
        .documented(tools::crm_master::command),
    tool("crm_mon", "how the cluster is", tools::crm_mon::main).documented(tools::crm_mon::command),
    tool("crm_node", "this node, its partition and its quorum", tools::crm_node::main)
        .documented(tools::crm_node::command),
    tool("crm_resource", "resources: where they run, and what to do with them", tools::crm_resource::main)
        .documented(tools::crm_resource::command),
    tool("crm_rule", "whether rules are in effect", tools::crm_rule::main)
        .documented(tools::crm_rule::command),
    tool("crm_simulate", "what the cluster would do, and how it would then be", tools::crm_simulate::main)
        .documented(tools::crm_simulate::command),
    tool("crm_standby", "whether a node is in standby", tools::crm_standby::main)
        .documented(tools::crm_standby::command),
    tool(
        "crm_ticket",
        "the cluster's tickets: who has them, and what depends on them",
        tools::crm_ticket::main,
    )
    .documented(tools::crm_ticket::command),
    tool("iso8601", "how dates and durations are understood", tools::iso8601::main)
        .documented(tools::iso8601::command),
    tool("cibsecret", "parameters that are not in the CIB for all to read", tools::cibsecret::main)
        .documented(tools::cibsecret::command),
    tool("crm_diff", "what is different between two CIBs", tools::crm_diff::main)
        .documented(tools::crm_diff::command),
    tool("crm_shadow", "changes tried on a copy of the CIB", tools::crm_shadow::main)
        .documented(tools::crm_shadow::command),
    tool("crm_verify", "whether a configuration can be used", tools::crm_verify::main)
        .documented(tools::crm_verify::command),
    tool("stonith_admin", "fences a node; tells what can, and what was", tools::stonith_admin::main)
        .documented(tools::stonith_admin::command),
    tool("crmadmin", "the state of controllers", tools::crmadmin::main).documented(tools::crmadmin::command),
    tool("fence_lab", "fence agent: asks the power switch of a lab", agents::fence_lab::main),
    inner("validate", "whether files are CIBs as the schema has them", tools::validate::main)
        .documented(tools::validate::command)
        .with_page("systole-validate"),
    inner("explain", "why a resource is where it is, and what would move it", tools::advice::explain::main)
        .documented(tools::advice::explain::command)
        .with_page("systole-explain"),
    inner("plan", "what applying a change of the configuration would do", tools::advice::plan::main)
        .documented(tools::advice::plan::command)
        .with_page("systole-plan"),
    inner("lint", "what is dangerous or doubtful in a configuration", tools::advice::lint::main)
        .documented(tools::advice::lint::command)
        .with_page("systole-lint"),
    inner("demo", "three nodes, one service, one dead machine", lab::demo::main),
    inner("local-hub", "the hub by which several nodes of one machine meet", cluster::local::main),
    inner("lab-guard", "ends a lab when its owner has ended", lab::cluster::guard),
    inner("lab-service", "the service that a lab keeps alive", lab::service::main),
];

impl Program {
    const fn with_page(mut self, page: &'static str) -> Program {
        self.page = page;
        self
    }

    const fn documented(mut self, command: fn() -> clap::Command) -> Program {
        self.command = Some(command);
        self
    }
}

const fn daemon(name: &'static str, about: &'static str, main: fn(Vec<OsString>) -> ExitCode) -> Program {
    Program { name, place: Some("libexec"), about, main, command: None, page: name }
}

const fn tool(name: &'static str, about: &'static str, main: fn(Vec<OsString>) -> ExitCode) -> Program {
    Program { name, place: Some("sbin"), about, main, command: None, page: name }
}

/// What is only called as `systole NAME`.
const fn inner(name: &'static str, about: &'static str, main: fn(Vec<OsString>) -> ExitCode) -> Program {
    Program { name, place: None, about, main, command: None, page: name }
}

/// The program of a name.
pub fn find(name: &str) -> Option<&'static Program> {
    ALL.iter().find(|program| program.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<&str> = ALL.iter().map(|program| program.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        for service in messages::core::Service::ALL {
            assert!(find(service.program()).is_some(), "{} is missing", service.program());
        }
    }
}
