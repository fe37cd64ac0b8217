// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use super::request::{Command, Request};
use crate::command_line::{CommonOptions, Group, Order, Tool};
use clap::Parser;
use messages::attrd::SyncPoint;

/// crm_attribute - query and update Pacemaker cluster options and node attributes
#[derive(Clone, Debug, Parser)]
#[command(after_help = EXAMPLES)]
pub(super) struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// What kind of options is to be listed, if that was the last command given.
    #[arg(skip)]
    pub list: Option<String>,
    /// Which other command was given last.
    #[arg(skip)]
    command: Command,
    /// Whether -p was given after the last -n.
    #[arg(skip)]
    pub is_promotion: bool,
    /// The part of the CIB that was named last, by whatever option.
    #[arg(skip)]
    section: Option<String>,

    /// Print only the value on stdout
    #[arg(short = 'q', short_alias = 'Q', long)]
    quiet: bool,

    /// With -L/--list-options, include advanced and deprecated options in the output. This is always treated as true
    /// when --output-as=xml is specified.
    #[arg(short = 'a', long, help_heading = "Selecting attributes")]
    pub all: bool,
    /// (Advanced) Operate on instance of specified attribute with this XML ID
    #[arg(short = 'i', long, value_name = "XML_ID", help_heading = "Selecting attributes")]
    id: Option<String>,
    /// Operate on attribute or option with this name. For queries, this is optional, in which case all matching
    /// attributes will be returned.
    #[arg(short = 'n', long, alias = "attr-name", help_heading = "Selecting attributes")]
    pub name: Option<String>,
    /// Operate on all attributes matching this pattern (with -v, -D, or -G)
    #[arg(short = 'P', long, help_heading = "Selecting attributes")]
    pattern: Option<String>,
    /// Operate on node attribute used as promotion score for specified resource, or resource given in
    /// OCF_RESOURCE_INSTANCE environment variable if none is specified; this also defaults -l/--lifetime to reboot
    /// (normally invoked from an OCF resource agent)
    #[arg(
        short = 'p',
        long,
        value_name = "RESOURCE",
        num_args = 0..=1,
        default_missing_value = "",
        help_heading = "Selecting attributes"
    )]
    pub promotion: Option<String>,
    /// (Advanced) Operate on instance of specified attribute that is within set with this XML ID
    #[arg(short = 's', long, value_name = "NAME", help_heading = "Selecting attributes")]
    set_name: Option<String>,

    /// List all available options of the given type. Allowed values: cluster
    #[arg(short = 'L', long, value_name = "TYPE", help_heading = "Commands")]
    list_options: Option<String>,
    /// Delete the attribute/option (with -n or -P)
    #[arg(short = 'D', long, help_heading = "Commands")]
    delete: bool,
    /// Query the current value of the attribute/option (the default). See also: -n, -P
    #[arg(short = 'G', long, alias = "get-value", help_heading = "Commands")]
    query: bool,
    /// Update the value of the attribute/option (with -n or -P)
    #[arg(short = 'v', long, value_name = "VALUE", help_heading = "Commands")]
    update: Option<String>,

    /// (Advanced) Default value to display if none is found in configuration
    #[arg(short = 'd', long, value_name = "VALUE", help_heading = "Additional options")]
    default: Option<String>,
    /// Lifetime of the node attribute. Valid values: reboot, forever
    #[arg(short = 'l', long, help_heading = "Additional options")]
    lifetime: Option<String>,
    /// Set a node attribute for named node (instead of a cluster option). See also: -l
    #[arg(short = 'N', short_alias = 'U', long, alias = "node-uname", help_heading = "Additional options")]
    node: Option<String>,
    /// Which part of the configuration to update/delete/query the option in. Valid values: crm_config, rsc_defaults,
    /// op_defaults, tickets
    #[arg(short = 't', long = "type", value_name = "SECTION", help_heading = "Additional options")]
    type_: Option<String>,
    /// Treat new attribute values as atomic score updates where possible: "value++" adds 1 to a value that is there,
    /// "value+=X" adds X, both as scores (with --update/-v, when running against a CIB file or updating an attribute
    /// outside the status section). This is what happens without it, too.
    #[arg(long, help_heading = "Additional options")]
    score: bool,
    /// Wait for some event to occur before returning: "no" (wait only for the attribute manager to acknowledge the
    /// request), "local" (wait until a local query will return the requested value, or that of a later request), or
    /// "cluster" (wait until a query anywhere on the cluster will). Default is "no". (with -N, and one of -D or -v)
    #[arg(short = 'W', long, value_name = "UNTIL", value_parser = until, help_heading = "Additional options")]
    wait: Option<Until>,
    /// Set an utilization attribute for the node.
    #[arg(short = 'z', long, help_heading = "Additional options")]
    utilization: bool,
}

const EXAMPLES: &str = "\
Examples:

Give the node 'myhost' an attribute 'location', then another value, ask for it, and remove it:

	crm_attribute --node myhost --name location --update office
	crm_attribute --node myhost --name location --update backoffice
	crm_attribute --node myhost --name location --query
	crm_attribute --node myhost --name location --delete

Ask for the cluster option 'cluster-delay', and for nothing but its value:

	crm_attribute --type crm_config --name cluster-delay --query
	crm_attribute --type crm_config --name cluster-delay --query --quiet
";

/// How far a change must have got before the tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Acknowledged,
    Known(SyncPoint),
}

fn until(text: &str) -> Result<Until, String> {
    match text {
        "no" => Ok(Until::Acknowledged),
        "local" => Ok(Until::Known(SyncPoint::Local)),
        "cluster" => Ok(Until::Known(SyncPoint::Cluster)),
        _ => Err("--wait= must be one of 'no', 'local', 'cluster'".to_owned()),
    }
}

impl Options {
    /// What is asked for; `name` is that of the attribute, if one is meant.
    pub fn request(&self, name: Option<String>) -> Request {
        Request {
            command: self.command.clone(),
            section: self.section.clone(),
            is_promotion: self.is_promotion,
            utilization: self.utilization,
            node: self.node.clone(),
            name,
            pattern: self.pattern.clone(),
            set: self.set_name.clone(),
            id: self.id.clone(),
            default: self.default.clone(),
            sync_point: match self.wait {
                Some(Until::Known(point)) => Some(point),
                Some(Until::Acknowledged) | None => None,
            },
        }
    }
}

impl Tool for Options {
    const NAME: &'static str = "crm_attribute";
    const GROUPS: &'static [Group] = &[
        Group { option: "help-selections", heading: "Selecting attributes", about: "Show selecting options" },
        Group { option: "help-command", heading: "Commands", about: "Show command options" },
        Group { option: "help-additional", heading: "Additional options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn see(&mut self, order: &Order<'_>) {
        let last = order.last(&["list_options", "delete", "query", "update"]);
        self.list = self.list_options.clone().filter(|_| last == Some("list_options"));
        self.command = match last {
            Some("delete") => Command::Delete,
            Some("update") => Command::Update(self.update.clone().unwrap_or_default()),
            _ => Command::Query,
        };
        self.is_promotion = order.last(&["name", "promotion"]) == Some("promotion");
        self.section = match order.last(&["lifetime", "type_", "utilization"]) {
            Some("lifetime") => self.lifetime.clone(),
            Some("type_") => self.type_.clone(),
            Some(_) => Some("nodes".to_owned()),
            None => None,
        };
    }
}
