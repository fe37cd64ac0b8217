// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line: what is asked for, of what, and what each command needs to be done.
#![allow(rustdoc::bare_urls)] // these are the words of --help, which knows no links

use crate::command_line::{CommonOptions, Group, NotUnderstood, Order, Tool};
use clap::{ArgAction, Parser};
use model::lenient::timeout_ms;

/// crm_resource - perform tasks related to Pacemaker cluster resources
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    pub common: CommonOptions,
    /// Which command was given last.
    #[arg(skip)]
    pub command: Command,
    /// Which of a resource's parameters were meant last.
    #[arg(skip)]
    pub kind: AttributeKind,
    /// The name of the parameter that was given last, by whatever command.
    #[arg(skip)]
    pub parameter: Option<String>,
    /// The agent, or standard of agents, that was given last, by whatever command.
    #[arg(skip)]
    pub agent_spec: Option<String>,
    /// The operation that was given last: to be forgotten, or to be executed.
    #[arg(skip)]
    pub operation: Option<String>,
    /// How thorough a check is to be.
    #[arg(skip)]
    pub check_level: Option<i32>,
    /// Some command was given that can be told `NAME=VALUE`.
    #[arg(skip)]
    pub takes_overrides: bool,

    /// Be less descriptive in output.
    #[arg(short = 'Q', long)]
    pub quiet: bool,
    /// Resource ID
    #[arg(short = 'r', long, value_name = "ID")]
    pub resource: Option<String>,

    /// List all cluster resources with status
    #[arg(short = 'L', long, help_heading = "Queries")]
    list: bool,
    /// List IDs of all instantiated resources (individual members rather than groups etc.)
    #[arg(short = 'l', long, help_heading = "Queries")]
    list_raw: bool,
    /// List what regression tests want to know
    #[arg(short = 'c', long, hide = true)]
    list_cts: bool,
    /// List active resource operations, optionally filtered by --resource and/or --node
    #[arg(short = 'O', long, help_heading = "Queries")]
    list_operations: bool,
    /// List all resource operations, optionally filtered by --resource and/or --node
    #[arg(short = 'o', long, help_heading = "Queries")]
    list_all_operations: bool,
    /// List all available options of the given type. Allowed values: primitive (primitive resource meta-attributes),
    /// fencing (parameters common to all fencing resources)
    #[arg(long, value_name = "TYPE", value_parser = option_list, help_heading = "Queries")]
    list_options: Option<OptionList>,
    /// List supported standards
    #[arg(long, help_heading = "Queries")]
    list_standards: bool,
    /// List all available OCF providers
    #[arg(long, help_heading = "Queries")]
    list_ocf_providers: bool,
    /// List all agents available for the named standard and/or provider
    #[arg(long, value_name = "STD:PROV", help_heading = "Queries")]
    list_agents: Option<String>,
    /// List all available providers for the named OCF agent
    #[arg(long, value_name = "AGENT", help_heading = "Queries")]
    list_ocf_alternatives: Option<String>,
    /// Show the metadata for the named class:provider:agent
    #[arg(long, value_name = "SPEC", help_heading = "Queries")]
    show_metadata: Option<String>,
    /// Show XML configuration of resource (after any template expansion)
    #[arg(short = 'q', long, help_heading = "Queries")]
    query_xml: bool,
    /// Show XML configuration of resource (before any template expansion)
    #[arg(short = 'w', long, help_heading = "Queries")]
    query_xml_raw: bool,
    /// Display named parameter for resource (use instance attribute unless --element, --meta, or --utilization is
    /// specified)
    #[arg(short = 'g', long, value_name = "PARAM", help_heading = "Queries")]
    get_parameter: Option<String>,
    /// Show node(s) currently running resource
    #[arg(short = 'W', long, help_heading = "Queries")]
    locate: bool,
    /// Display the location and colocation constraints that apply to a resource, and if --recursive is specified, to the
    /// resources directly or indirectly involved in those colocations. If the named resource is part of a group, or a
    /// clone or bundle instance, constraints for the collective resource will be shown unless --force is given.
    #[arg(short = 'a', long, help_heading = "Queries")]
    constraints: bool,
    /// Equivalent to --constraints --recursive
    #[arg(short = 'A', long, help_heading = "Queries")]
    stack: bool,
    /// Show why resources are not running, optionally filtered by --resource and/or --node
    #[arg(short = 'Y', long, help_heading = "Queries")]
    why: bool,

    /// Validate resource configuration by calling agent's validate-all action. The configuration may be specified either
    /// by giving an existing resource name with -r, or by specifying --class, --agent, and --provider arguments, along
    /// with any number of --option arguments. An optional LEVEL argument can be given to control the level of checking
    /// performed.
    #[arg(
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        default_missing_value = "",
        value_parser = check_level,
        help_heading = "Commands"
    )]
    validate: Option<CheckLevel>,
    /// If resource has any past failures, clear its history and fail count. Optionally filtered by --resource, --node,
    /// --operation and --interval (otherwise all). --operation and --interval apply to fail counts, but entire history is
    /// always clear, to allow current state to be rechecked. If the named resource is part of a group, or one numbered
    /// instance of a clone or bundled resource, the clean-up applies to the whole collective resource unless --force is
    /// given.
    #[arg(short = 'C', long, help_heading = "Commands")]
    cleanup: bool,
    /// Delete resource's history (including failures) so its current state is rechecked. Optionally filtered by --resource
    /// and --node (otherwise all). If the named resource is part of a group, or one numbered instance of a clone or
    /// bundled resource, the refresh applies to the whole collective resource unless --force is given.
    #[arg(short = 'R', long, help_heading = "Commands")]
    refresh: bool,
    /// Set named parameter for resource (requires -v). Use instance attribute unless --element, --meta, or --utilization
    /// is specified.
    #[arg(short = 'p', long, value_name = "PARAM", help_heading = "Commands")]
    set_parameter: Option<String>,
    /// Delete named parameter for resource. Use instance attribute unless --element, --meta or, --utilization is
    /// specified.
    #[arg(short = 'd', long, value_name = "PARAM", help_heading = "Commands")]
    delete_parameter: Option<String>,

    /// Create a constraint to move resource. If --node is specified, the constraint will be to move to that node,
    /// otherwise it will be to ban the current node. Unless --force is specified this will return an error if the resource
    /// is already running on the specified node. If --force is specified, this will always ban the current node.
    /// Optional: --lifetime, --promoted. NOTE: This may prevent the resource from running on its previous location until
    /// the implicit constraint expires or is removed with --clear.
    #[arg(short = 'M', long = "move", help_heading = "Locations")]
    move_resource: bool,
    /// Create a constraint to keep resource off a node. Optional: --node, --lifetime, --promoted. NOTE: This will prevent
    /// the resource from running on the affected node until the implicit constraint expires or is removed with --clear. If
    /// --node is not specified, it defaults to the node currently running the resource for primitives and groups, or the
    /// promoted instance of promotable clones with promoted-max=1 (all other situations result in an error as there is no
    /// sane default).
    #[arg(short = 'B', long, help_heading = "Locations")]
    ban: bool,
    /// Remove all constraints created by the --ban and/or --move commands. Requires: --resource. Optional: --node,
    /// --promoted, --expired. If --node is not specified, all constraints created by --ban and --move will be removed for
    /// the named resource. If --node and --force are specified, any constraint created by --move will be cleared, even if
    /// it is not for the specified node. If --expired is specified, only those constraints whose lifetimes have expired
    /// will be removed.
    #[arg(short = 'U', long, help_heading = "Locations")]
    clear: bool,
    /// Modifies the --clear argument to remove constraints with expired lifetimes.
    #[arg(short = 'e', long, help_heading = "Locations")]
    pub expired: bool,
    /// Lifespan (as ISO 8601 duration) of created constraints (with -B, -M) see
    /// https://en.wikipedia.org/wiki/ISO_8601#Durations)
    #[arg(short = 'u', long, value_name = "TIMESPEC", help_heading = "Locations")]
    pub lifetime: Option<String>,
    /// Limit scope of command to promoted role (with -B, -M, -U). For -B and -M, previously promoted instances may remain
    /// active in the unpromoted role.
    #[arg(long, help_heading = "Locations")]
    promoted: bool,
    /// Deprecated: Use --promoted instead
    #[arg(long, help_heading = "Locations")]
    master: bool,

    /// (Advanced) Delete a resource from the CIB. Required: -t
    #[arg(short = 'D', long, help_heading = "Advanced")]
    delete: bool,
    /// (Advanced) Tell the cluster this resource has failed
    #[arg(short = 'F', long, help_heading = "Advanced")]
    fail: bool,
    /// (Advanced) Tell the cluster to restart this resource and anything that depends on it. This temporarily modifies the
    /// CIB, and other CIB modifications should be avoided while this is in progress. If a node is fenced because the stop
    /// portion of the restart fails, CIB modifications such as target-role may remain.
    #[arg(long, help_heading = "Advanced")]
    restart: bool,
    /// (Advanced) Wait until the cluster settles into a stable state
    #[arg(long, help_heading = "Advanced")]
    wait: bool,
    /// (Advanced) Show parameter hashes that Pacemaker uses to detect configuration changes (only accurate if there is
    /// resource history on the specified node). Required: --resource, --node. Optional: any NAME=VALUE parameters will be
    /// used to override the configuration (to see what the hash would be with those changes).
    #[arg(long, help_heading = "Advanced")]
    digests: bool,
    /// (Advanced) Bypass the cluster and demote a resource on the local node. Unless --force is specified, this will
    /// refuse to do so if the cluster believes the resource is a clone instance already running on the local node.
    #[arg(long, help_heading = "Advanced")]
    force_demote: bool,
    /// (Advanced) Bypass the cluster and stop a resource on the local node
    #[arg(long, help_heading = "Advanced")]
    force_stop: bool,
    /// (Advanced) Bypass the cluster and start a resource on the local node. Unless --force is specified, this will refuse
    /// to do so if the cluster believes the resource is a clone instance already running on the local node.
    #[arg(long, help_heading = "Advanced")]
    force_start: bool,
    /// (Advanced) Bypass the cluster and promote a resource on the local node. Unless --force is specified, this will
    /// refuse to do so if the cluster believes the resource is a clone instance already running on the local node.
    #[arg(long, help_heading = "Advanced")]
    force_promote: bool,
    /// (Advanced) Bypass the cluster and check the state of a resource on the local node. An optional LEVEL argument can be
    /// given to control the level of checking performed.
    #[arg(
        long,
        value_name = "LEVEL",
        num_args = 0..=1,
        default_missing_value = "",
        value_parser = check_level,
        help_heading = "Advanced"
    )]
    force_check: Option<CheckLevel>,

    /// Node name
    #[arg(
        short = 'N',
        short_alias = 'H',
        long,
        alias = "host-uname",
        value_name = "NAME",
        help_heading = "Additional Options"
    )]
    pub node: Option<String>,
    /// Follow colocation chains when using --set-parameter or --constraints
    #[arg(long, help_heading = "Additional Options")]
    pub recursive: bool,
    /// Resource XML element (primitive, group, etc.) (with -D)
    #[arg(short = 't', long, value_name = "ELEMENT", help_heading = "Additional Options")]
    pub resource_type: Option<String>,
    /// Value to use with -p
    #[arg(short = 'v', long, value_name = "PARAM", help_heading = "Additional Options")]
    pub parameter_value: Option<String>,
    /// Use resource meta-attribute instead of instance attribute (with -p, -g, -d)
    #[arg(short = 'm', long, help_heading = "Additional Options")]
    meta: bool,
    /// Use resource utilization attribute instead of instance attribute (with -p, -g, -d)
    #[arg(short = 'z', long, help_heading = "Additional Options")]
    utilization: bool,
    /// Use resource element attribute instead of instance attribute (with -p, -g, -d)
    #[arg(long, help_heading = "Additional Options")]
    element: bool,
    /// Operation to clear instead of all (with -C -r)
    #[arg(short = 'n', long = "operation", value_name = "OPERATION", help_heading = "Additional Options")]
    cleared_operation: Option<String>,
    /// Interval of operation to clear (default 0s) (with -C -r -n)
    #[arg(short = 'I', long, value_name = "N", help_heading = "Additional Options")]
    pub interval: Option<String>,
    /// The standard the resource agent conforms to (for example, ocf). Use with --agent, --provider, --option, and
    /// --validate.
    #[arg(long, help_heading = "Additional Options")]
    pub class: Option<String>,
    /// The agent to use (for example, IPaddr). Use with --class, --provider, --option, and --validate.
    #[arg(long, help_heading = "Additional Options")]
    pub agent: Option<String>,
    /// The vendor that supplies the resource agent (for example, heartbeat). Use with --class, --agent, --option, and
    /// --validate.
    #[arg(long, help_heading = "Additional Options")]
    pub provider: Option<String>,
    /// Specify a device configuration parameter as NAME=VALUE (may be specified multiple times). Use with --validate and
    /// without the -r option.
    #[arg(
        long,
        value_name = "PARAM",
        action = ArgAction::Append,
        value_parser = pair,
        help_heading = "Additional Options"
    )]
    pub option: Vec<(String, String)>,
    /// (Advanced) XML ID of attributes element to use (with -p, -d)
    #[arg(short = 's', long, value_name = "ID", help_heading = "Additional Options")]
    pub set_name: Option<String>,
    /// (Advanced) XML ID of nvpair element to use (with -p, -d)
    #[arg(short = 'i', long, value_name = "ID", help_heading = "Additional Options")]
    pub nvpair: Option<String>,
    /// (Advanced) Abort if command does not finish in this time (with --restart, --wait, --force-*). The --restart command
    /// uses a two-second granularity and the --wait command uses a one-second granularity, with rounding.
    #[arg(short = 'T', long, value_name = "N", value_parser = timeout, help_heading = "Additional Options")]
    timeout: Option<u32>,
    /// List all options, including advanced and deprecated (with --list-options)
    #[arg(long, help_heading = "Additional Options")]
    pub all: bool,
    /// Force the action to be performed. See help for individual commands for additional behavior.
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    pub force: bool,

    /// `NAME=VALUE`, for commands that can be told such.
    #[arg(hide = true)]
    pub remainder: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:

List the available resources, and those that are configured with where they run:

	crm_resource --list-agents ocf:heartbeat
	crm_resource --list
	crm_resource --resource myResource --locate

Move 'myResource' to a specific node, and allow (but not force) it to move back to its original location:

	crm_resource --resource myResource --move --node altNode
	crm_resource --resource myResource --clear

Stop 'myResource' (and anything that depends on it):

	crm_resource --resource myResource --set-parameter target-role --meta --parameter-value Stopped

Tell the cluster not to start or stop 'myResource' whatever happens, for as long as somebody works on it:

	crm_resource --resource myResource --set-parameter is-managed --meta --parameter-value false

Make the cluster forget that 'myResource' has failed on 'aNode', so that it is tried there again:

	crm_resource --resource myResource --cleanup --node aNode
";

/// Which list of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OptionList {
    /// Of primitives' meta-attributes.
    Primitive,
    /// Of parameters that all fence devices have.
    Fencing,
}

fn option_list(text: &str) -> Result<OptionList, NotUnderstood> {
    match text {
        "primitive" => Ok(OptionList::Primitive),
        "fencing" => Ok(OptionList::Fencing),
        _ => Err(NotUnderstood),
    }
}

/// How thorough a check is to be, if that was said.
type CheckLevel = Option<i32>;

/// A whole number; one below zero counts as zero.
fn check_level(text: &str) -> Result<CheckLevel, String> {
    match text {
        "" => Ok(None),
        text => match text.parse::<i32>() {
            Ok(level) => Ok(Some(level.max(0))),
            Err(_) => Err(format!("Invalid check level setting: {text}")),
        },
    }
}

fn timeout(text: &str) -> Result<u32, NotUnderstood> {
    let ms = timeout_ms(text).filter(|&ms| ms >= 0).ok_or(NotUnderstood)?;
    Ok(u32::try_from(ms).unwrap_or(u32::MAX))
}

fn pair(text: &str) -> Result<(String, String), NotUnderstood> {
    name_and_value(text).ok_or(NotUnderstood)
}

/// `NAME=VALUE`; the name may not be nothing.
pub(super) fn name_and_value(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

/// Which of a resource's parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AttributeKind {
    /// What the agent is given.
    #[default]
    Instance,
    /// What the cluster is told.
    Meta,
    /// How much of a node it takes.
    Utilization,
    /// Attributes of the resource's element itself.
    Element,
}

impl AttributeKind {
    /// The element that holds such; none for attributes of the resource's own.
    pub const fn set_element(self) -> Option<&'static str> {
        match self {
            AttributeKind::Instance => Some("instance_attributes"),
            AttributeKind::Meta => Some("meta_attributes"),
            AttributeKind::Utilization => Some("utilization"),
            AttributeKind::Element => None,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Command {
    #[default]
    List,
    ListRaw,
    ListCts,
    ListOperations,
    ListAllOperations,
    ListOptions(OptionList),
    ListStandards,
    ListProviders,
    ListAgents,
    ListAlternatives,
    Metadata,
    QueryXml,
    QueryXmlRaw,
    GetParameter,
    Locate,
    Constraints,
    Why,
    Cleanup,
    Refresh,
    SetParameter,
    DeleteParameter,
    Move,
    Ban,
    Clear,
    Delete,
    Fail,
    Restart,
    Wait,
    Digests,
    Execute,
}

/// How a resource may be named besides by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// By the id of its history.
    History,
    /// By that, or by what instances have in common that are all the same.
    Anonymous,
    /// By that, or by what any instances have in common.
    Base,
}

/// What a command needs before it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    /// A CIB.
    pub cib: bool,
    /// The CIB understood.
    pub cluster: bool,
    /// The controller.
    pub controller: bool,
    /// A node must be named.
    pub node: bool,
    /// A resource must be named.
    pub resource: bool,
    /// How the resource is looked for, if it is.
    pub naming: Option<Naming>,
    /// An instance of a clone cannot be meant.
    pub whole: bool,
}

impl Command {
    pub const fn needs(self) -> Needs {
        let nothing = Needs {
            cib: false,
            cluster: false,
            controller: false,
            node: false,
            resource: false,
            naming: None,
            whole: false,
        };
        let cluster = Needs { cib: true, cluster: true, ..nothing };
        let may_name = Needs { naming: Some(Naming::Anonymous), ..cluster };
        let must_name = Needs { resource: true, ..may_name };
        match self {
            Command::ListOptions(_)
            | Command::ListStandards
            | Command::ListProviders
            | Command::ListAgents
            | Command::ListAlternatives
            | Command::Metadata => nothing,
            Command::List
            | Command::ListRaw
            | Command::ListCts
            | Command::ListOperations
            | Command::ListAllOperations => cluster,
            Command::Why => may_name,
            Command::Cleanup | Command::Refresh => Needs { controller: true, ..may_name },
            Command::Constraints | Command::Locate | Command::Execute => must_name,
            Command::Digests => Needs { node: true, ..must_name },
            Command::Move | Command::Ban | Command::Clear | Command::Restart => {
                Needs { whole: true, ..must_name }
            }
            Command::QueryXml
            | Command::QueryXmlRaw
            | Command::GetParameter
            | Command::SetParameter
            | Command::DeleteParameter => Needs { naming: Some(Naming::Base), ..must_name },
            Command::Fail => {
                Needs { naming: Some(Naming::History), controller: true, node: true, ..must_name }
            }
            // What is deleted by name need not be understood.
            Command::Delete => Needs { cib: true, resource: true, ..nothing },
            Command::Wait => Needs { cib: true, ..nothing },
        }
    }
}

/// The commands by the names of their options; `list_options` says itself which it is.
const COMMANDS: [(&str, Command); 36] = [
    ("list", Command::List),
    ("list_raw", Command::ListRaw),
    ("list_cts", Command::ListCts),
    ("list_operations", Command::ListOperations),
    ("list_all_operations", Command::ListAllOperations),
    ("list_options", Command::List),
    ("list_standards", Command::ListStandards),
    ("list_ocf_providers", Command::ListProviders),
    ("list_agents", Command::ListAgents),
    ("list_ocf_alternatives", Command::ListAlternatives),
    ("show_metadata", Command::Metadata),
    ("query_xml", Command::QueryXml),
    ("query_xml_raw", Command::QueryXmlRaw),
    ("get_parameter", Command::GetParameter),
    ("locate", Command::Locate),
    ("constraints", Command::Constraints),
    ("stack", Command::Constraints),
    ("why", Command::Why),
    ("cleanup", Command::Cleanup),
    ("refresh", Command::Refresh),
    ("set_parameter", Command::SetParameter),
    ("delete_parameter", Command::DeleteParameter),
    ("move_resource", Command::Move),
    ("ban", Command::Ban),
    ("clear", Command::Clear),
    ("delete", Command::Delete),
    ("fail", Command::Fail),
    ("restart", Command::Restart),
    ("wait", Command::Wait),
    ("digests", Command::Digests),
    ("validate", Command::Execute),
    ("force_start", Command::Execute),
    ("force_stop", Command::Execute),
    ("force_promote", Command::Execute),
    ("force_demote", Command::Execute),
    ("force_check", Command::Execute),
];

/// The options that have an agent do something; their names are how it is called.
const ACTIONS: [(&str, &str); 6] = [
    ("validate", "validate"),
    ("force_start", "force-start"),
    ("force_stop", "force-stop"),
    ("force_promote", "force-promote"),
    ("force_demote", "force-demote"),
    ("force_check", "force-check"),
];

impl Tool for Options {
    const NAME: &'static str = "crm_resource";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-queries", heading: "Queries", about: "Show query help" },
        Group { option: "help-commands", heading: "Commands", about: "Show command help" },
        Group { option: "help-locations", heading: "Locations", about: "Show location help" },
        Group { option: "help-advanced", heading: "Advanced", about: "Show advanced option help" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&COMMANDS.map(|(name, _)| name));
        self.command = match (last, self.list_options) {
            (Some("list_options"), Some(list)) => Command::ListOptions(list),
            _ => COMMANDS.into_iter().find(|(name, _)| Some(*name) == last).map_or(Command::List, |(_, c)| c),
        };
        self.recursive |= self.stack;
        self.kind = match order.last(&["meta", "utilization", "element"]) {
            Some("meta") => AttributeKind::Meta,
            Some("utilization") => AttributeKind::Utilization,
            Some(_) => AttributeKind::Element,
            None => AttributeKind::Instance,
        };
        self.parameter = match order.last(&["get_parameter", "set_parameter", "delete_parameter"]) {
            Some("get_parameter") => self.get_parameter.clone(),
            Some("set_parameter") => self.set_parameter.clone(),
            Some(_) => self.delete_parameter.clone(),
            None => None,
        };
        self.agent_spec = match order.last(&["list_agents", "list_ocf_alternatives", "show_metadata"]) {
            Some("list_agents") => self.list_agents.clone(),
            Some("list_ocf_alternatives") => self.list_ocf_alternatives.clone(),
            Some(_) => self.show_metadata.clone(),
            None => None,
        };
        let actions = ACTIONS.map(|(name, _)| name);
        let action = order.last(&actions);
        let operation = order.last(&[&actions[..], &["cleared_operation"]].concat());
        self.operation = match ACTIONS.into_iter().find(|(name, _)| Some(*name) == operation) {
            Some((_, action)) => Some(action.to_owned()),
            None => self.cleared_operation.clone(),
        };
        let levels = [self.validate, self.force_check];
        self.check_level = match order.last(&["validate", "force_check"]) {
            Some("validate") => levels[0].or(levels[1]).flatten(),
            _ => levels[1].or(levels[0]).flatten(),
        };
        self.takes_overrides = action.is_some() || self.digests;
    }
}

impl Options {
    /// Only what is promoted is meant.
    pub const fn promoted_only(&self) -> bool {
        self.promoted || self.master
    }

    /// How long it may take at most; zero if that was not said.
    pub fn timeout_ms(&self) -> u32 {
        self.timeout.unwrap_or(0)
    }

    /// An agent was named that need not be in the CIB.
    pub const fn names_agent(&self) -> bool {
        self.class.is_some() || self.provider.is_some() || self.agent.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::parsed;
    use std::ffi::OsString;

    fn options(args: &[&str]) -> Options {
        let args: Vec<OsString> = ["crm_resource"].iter().chain(args).map(OsString::from).collect();
        parsed(&args).unwrap()
    }

    #[test]
    fn the_last_command_counts() {
        assert_eq!(options(&[]).command, Command::List);
        assert_eq!(options(&["-W", "-r", "a"]).command, Command::Locate);
        assert_eq!(options(&["-W", "-L"]).command, Command::List);
        assert_eq!(options(&["-L", "-W"]).command, Command::Locate);
        assert_eq!(
            options(&["-L", "--list-options=fencing"]).command,
            Command::ListOptions(OptionList::Fencing)
        );
        let set = options(&["-r", "a", "-g", "y", "-p", "x", "-v", "-5"]);
        assert_eq!((set.command, set.parameter.as_deref()), (Command::SetParameter, Some("x")));
        assert_eq!(set.parameter_value.as_deref(), Some("-5"));
    }

    #[test]
    fn every_command_can_be_given() {
        let definition = crate::command_line::definition::<Options>();
        for (name, _) in COMMANDS {
            assert!(definition.get_arguments().any(|arg| arg.get_id() == name), "{name}");
        }
    }

    #[test]
    fn actions_have_levels_and_names() {
        let check = options(&["-r", "a", "--force-check=20", "x=y"]);
        assert_eq!((check.operation.as_deref(), check.check_level), (Some("force-check"), Some(20)));
        assert!(check.takes_overrides);
        assert_eq!(options(&["--force-stop", "-n", "monitor"]).operation.as_deref(), Some("monitor"));
        assert_eq!(options(&["--validate"]).check_level, None);
        assert_eq!(options(&["-T", "1m"]).timeout_ms(), 60_000);
    }
}
