// SPDX-License-Identifier: GPL-2.0-or-later
//! The command line.

use clap::{ArgAction, Parser};

/// crm_attribute - query and update Pacemaker cluster options and node attributes
#[derive(Clone, Debug, Parser)]
#[command(name = "crm_attribute", disable_version_flag = true, args_override_self = true)]
pub(super) struct Options {
    /// Display software version and exit
    #[arg(short = '$', long)]
    pub version: bool,
    /// Increase debug output (may be specified multiple times)
    #[arg(short = 'V', long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print only the value on stdout
    #[arg(short = 'q', short_alias = 'Q', long)]
    pub quiet: bool,
    /// Specify output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text"])]
    pub output_as: String,

    /// (Advanced) Operate on instance of specified attribute with this XML ID
    #[arg(short = 'i', long, alias = "attr-id")]
    pub id: Option<String>,
    /// Operate on attribute or option with this name
    #[arg(short = 'n', long, alias = "attr-name")]
    pub name: Option<String>,
    /// Operate on all attributes matching this pattern (with -v, -D, or -G)
    #[arg(short = 'P', long)]
    pub pattern: Option<String>,
    /// Operate on node attribute used as promotion score for specified resource, or resource given in
    /// OCF_RESOURCE_INSTANCE environment variable if none is specified
    #[arg(short = 'p', long, value_name = "RESOURCE", num_args = 0..=1, default_missing_value = "", require_equals = false)]
    pub promotion: Option<String>,
    /// (Advanced) Operate on instance of specified attribute that is within set with this XML ID
    #[arg(short = 's', long)]
    pub set_name: Option<String>,

    /// Delete the attribute/option
    #[arg(short = 'D', long, group = "command")]
    pub delete: bool,
    /// Query the current value of the attribute/option (the default)
    #[arg(short = 'G', long, alias = "get-value", group = "command")]
    pub query: bool,
    /// Update the value of the attribute/option
    #[arg(
        short = 'v',
        long,
        value_name = "VALUE",
        alias = "attr-value",
        allow_hyphen_values = true,
        group = "command"
    )]
    pub update: Option<String>,

    /// (Advanced) Default value to display if none is found in configuration
    #[arg(short = 'd', long)]
    pub default: Option<String>,
    /// Lifetime of the node attribute: reboot or forever
    #[arg(short = 'l', long, value_parser = ["reboot", "forever"], ignore_case = true)]
    pub lifetime: Option<String>,
    /// Set a node attribute for named node (instead of a cluster option)
    #[arg(short = 'N', short_alias = 'U', long, alias = "node-uname")]
    pub node: Option<String>,
    /// Which part of the configuration to update/delete/query the option in
    #[arg(short = 't', long = "type", value_name = "SECTION",
        value_parser = ["crm_config", "nodes", "status", "reboot", "forever"])]
    pub section: Option<String>,
    /// Treat the value as an increment where it looks like one (always done)
    #[arg(long)]
    pub score: bool,
    /// Set an utilization attribute for the node
    #[arg(short = 'z', long)]
    pub utilization: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Query,
    Update,
    Delete,
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The cluster's options.
    Cluster,
    /// What is configured of a node.
    Nodes,
    /// What holds as long as a node is up.
    Status,
}

impl Scope {
    /// The section of the CIB.
    pub const fn section(self) -> &'static str {
        match self {
            Scope::Cluster => "crm_config",
            Scope::Nodes => "nodes",
            Scope::Status => "status",
        }
    }
}

impl Options {
    pub fn command(&self) -> Command {
        match (self.delete, &self.update) {
            (true, _) => Command::Delete,
            (false, Some(_)) => Command::Update,
            (false, None) => Command::Query,
        }
    }

    pub fn scope(&self) -> Scope {
        let given = self.lifetime.as_ref().or(self.section.as_ref()).map(|text| text.to_ascii_lowercase());
        match given.as_deref() {
            Some("reboot" | "status") => Scope::Status,
            Some("forever" | "nodes") => Scope::Nodes,
            Some(_) => Scope::Cluster,
            None if self.promotion.is_some() => Scope::Status,
            None if self.node.is_some() || self.utilization => Scope::Nodes,
            None => Scope::Cluster,
        }
    }
}
