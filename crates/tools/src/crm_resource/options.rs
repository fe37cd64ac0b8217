// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:

List the available resources:
\tcrm_resource --list

Show where 'myResource' is running:
\tcrm_resource --resource myResource --locate

Move 'myResource' to a specific node:
\tcrm_resource --resource myResource --move --node altNode

Allow (but not force) 'myResource' to move back to its original location:
\tcrm_resource --resource myResource --clear

Stop 'myResource' (and anything that depends on it):
\tcrm_resource --resource myResource --set-parameter target-role --meta --parameter-value Stopped

Forget the failures of 'myResource' on 'aNode', so that it is tried there again:
\tcrm_resource --resource myResource --cleanup --node aNode
";

/// crm_resource - perform tasks related to Pacemaker cluster resources
#[derive(Clone, Debug, Parser)]
#[command(
    name = "crm_resource",
    disable_version_flag = true,
    args_override_self = true,
    after_help = EXAMPLES
)]
pub(super) struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    pub version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Be less descriptive in output
    #[arg(short = 'Q', long)]
    pub quiet: bool,
    /// Specify output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text"])]
    pub output_as: String,
    /// Resource ID
    #[arg(short = 'r', long, value_name = "ID")]
    pub resource: Option<String>,

    /// List all cluster resources with status (the default)
    #[arg(short = 'L', long, help_heading = "Queries")]
    pub list: bool,
    /// List IDs of all instantiated resources (individual members rather than groups etc.)
    #[arg(short = 'l', long, help_heading = "Queries")]
    pub list_raw: bool,
    /// Show XML configuration of resource (after any template expansion)
    #[arg(short = 'q', long, help_heading = "Queries")]
    pub query_xml: bool,
    /// Show XML configuration of resource (before any template expansion)
    #[arg(short = 'w', long, help_heading = "Queries")]
    pub query_xml_raw: bool,
    /// Display named parameter for resource (use instance attribute unless --element or --meta is specified)
    #[arg(short = 'g', long, value_name = "PARAM", help_heading = "Queries")]
    pub get_parameter: Option<String>,
    /// Show node(s) currently running resource
    #[arg(short = 'W', long, help_heading = "Queries")]
    pub locate: bool,

    /// If resource has any past failures, clear its history and fail count. Optionally filtered by --resource, --node,
    /// --operation and --interval (otherwise all)
    #[arg(short = 'C', long, help_heading = "Commands")]
    pub cleanup: bool,
    /// Delete resource's history (including failures) so its current state is rechecked. Optionally filtered by
    /// --resource and --node (otherwise all)
    #[arg(short = 'R', long, help_heading = "Commands")]
    pub refresh: bool,
    /// Set named parameter for resource (requires -v). Use instance attribute unless --element or --meta is specified
    #[arg(short = 'p', long, value_name = "PARAM", help_heading = "Commands")]
    pub set_parameter: Option<String>,
    /// Delete named parameter for resource. Use instance attribute unless --element or --meta is specified
    #[arg(short = 'd', long, value_name = "PARAM", help_heading = "Commands")]
    pub delete_parameter: Option<String>,

    /// Create a constraint to move resource: to --node, or else away from where it is
    #[arg(short = 'M', long = "move", help_heading = "Locations")]
    pub move_resource: bool,
    /// Create a constraint to keep resource off a node: --node, or else the one it is on
    #[arg(short = 'B', long, help_heading = "Locations")]
    pub ban: bool,
    /// Remove all constraints created by the --ban and/or --move commands, of all nodes or of --node
    #[arg(short = 'U', long, help_heading = "Locations")]
    pub clear: bool,

    /// (Advanced) Delete a resource from the CIB. Required: -t
    #[arg(short = 'D', long, help_heading = "Advanced")]
    pub delete: bool,
    /// (Advanced) Tell the cluster this resource has failed
    #[arg(short = 'F', long, help_heading = "Advanced")]
    pub fail: bool,

    /// Node name
    #[arg(short = 'N', long, value_name = "NAME", help_heading = "Additional Options")]
    pub node: Option<String>,
    /// The same (of old)
    #[arg(short = 'H', long, value_name = "HOST", hide = true)]
    pub host_uname: Option<String>,
    /// Resource XML element (primitive, group, etc.) (with -D)
    #[arg(short = 't', long, value_name = "ELEMENT", help_heading = "Additional Options")]
    pub resource_type: Option<String>,
    /// Value to use with -p
    #[arg(
        short = 'v',
        long,
        value_name = "VALUE",
        allow_hyphen_values = true,
        help_heading = "Additional Options"
    )]
    pub parameter_value: Option<String>,
    /// Use resource meta-attribute instead of instance attribute (with -p, -g, -d)
    #[arg(short = 'm', long, help_heading = "Additional Options")]
    pub meta: bool,
    /// Use resource element attribute instead of instance attribute (with -p, -g, -d)
    #[arg(long, help_heading = "Additional Options")]
    pub element: bool,
    /// Operation to clear instead of all (with -C -r)
    #[arg(short = 'n', long, value_name = "OPERATION", help_heading = "Additional Options")]
    pub operation: Option<String>,
    /// Interval of operation to clear (default 0s) (with -C -r -n)
    #[arg(short = 'I', long, value_name = "N", help_heading = "Additional Options")]
    pub interval: Option<String>,
    /// (Advanced) XML ID of attributes element to use (with -p, -d)
    #[arg(short = 's', long, value_name = "ID", help_heading = "Additional Options")]
    pub set_name: Option<String>,
    /// (Advanced) XML ID of nvpair element to use (with -p, -d)
    #[arg(short = 'i', long, value_name = "ID", help_heading = "Additional Options")]
    pub nvpair: Option<String>,
    /// Force the action to be performed. See help for individual commands for additional behavior
    #[arg(short = 'f', long, help_heading = "Additional Options")]
    pub force: bool,

    /// Takes no arguments; what is given is named in the refusal.
    #[arg(hide = true)]
    pub remainder: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    List,
    ListRaw,
    QueryXml,
    QueryXmlRaw,
    GetParameter,
    Locate,
    Cleanup,
    Refresh,
    SetParameter,
    DeleteParameter,
    Move,
    Ban,
    Clear,
    Delete,
    Fail,
}

impl Command {
    const ALL: [(Command, &'static str); 15] = [
        (Command::List, "list"),
        (Command::ListRaw, "list_raw"),
        (Command::QueryXml, "query_xml"),
        (Command::QueryXmlRaw, "query_xml_raw"),
        (Command::GetParameter, "get_parameter"),
        (Command::Locate, "locate"),
        (Command::Cleanup, "cleanup"),
        (Command::Refresh, "refresh"),
        (Command::SetParameter, "set_parameter"),
        (Command::DeleteParameter, "delete_parameter"),
        (Command::Move, "move_resource"),
        (Command::Ban, "ban"),
        (Command::Clear, "clear"),
        (Command::Delete, "delete"),
        (Command::Fail, "fail"),
    ];

    /// Of several the last one given counts; the list if there is none.
    fn of(matches: &ArgMatches) -> Command {
        let given = |id: &str| matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        let place = |id: &str| matches.indices_of(id).and_then(Iterator::max);
        let commands = Command::ALL.into_iter().filter(|(_, id)| given(id));
        commands.max_by_key(|(_, id)| place(id)).map_or(Command::List, |(command, _)| command)
    }

    pub const fn needs_resource(self) -> bool {
        !matches!(self, Command::List | Command::ListRaw | Command::Cleanup | Command::Refresh)
    }

    pub const fn needs_node(self) -> bool {
        matches!(self, Command::Fail)
    }

    /// An instance of a clone cannot be meant.
    pub const fn refuses_instances(self) -> bool {
        matches!(self, Command::Move | Command::Ban | Command::Clear | Command::Delete)
    }
}

/// Reads a command line (the program's name first).
pub(super) fn parse(args: &[OsString]) -> Result<(Options, Command), clap::Error> {
    let matches = Options::command().try_get_matches_from(args)?;
    let command = Command::of(&matches);
    let mut options = Options::from_arg_matches(&matches)?;
    options.node = options.node.or(options.host_uname.take());
    Ok((options, command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(args: &[&str]) -> Command {
        let args: Vec<OsString> = ["crm_resource"].iter().chain(args).map(OsString::from).collect();
        parse(&args).unwrap().1
    }

    #[test]
    fn the_last_command_counts() {
        assert_eq!(command(&[]), Command::List);
        assert_eq!(command(&["-W", "-r", "a"]), Command::Locate);
        assert_eq!(command(&["-W", "-L"]), Command::List);
        assert_eq!(command(&["-L", "-W"]), Command::Locate);
        assert_eq!(command(&["-r", "a", "-p", "x", "-v", "-5"]), Command::SetParameter);
    }
}
