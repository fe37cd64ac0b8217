// SPDX-License-Identifier: GPL-2.0-or-later
//! The options of `stonith_admin`, and which of its commands they ask for.

use crate::command_line::{CommonOptions, Group, Tool, integer};
use clap::Parser;
use messages::execd::Parameters;
use messages::fencer::{Level, LevelTarget};
use model::{Interval, lenient};

/// stonith_admin - Access the Pacemaker fencing API
#[derive(Clone, Debug, Parser)]
pub(super) struct Options {
    #[command(flatten)]
    pub common: CommonOptions,
    /// Be less descriptive in output.
    #[arg(short, long)]
    pub quiet: bool,

    /// Register the named fencing device. Requires: --agent. Optional: --option, --env-option.
    #[arg(short = 'R', long, value_name = "DEVICE", help_heading = "Device Definition Commands")]
    register: Option<String>,
    /// De-register the named fencing device
    #[arg(short = 'D', long, value_name = "DEVICE", help_heading = "Device Definition Commands")]
    deregister: Option<String>,
    /// Register a fencing level for the named target, specified as one of NAME, @PATTERN, or ATTR=VALUE. Requires: --index
    /// and one or more --device entries
    #[arg(short = 'r', long, value_name = "TARGET", help_heading = "Device Definition Commands")]
    register_level: Option<String>,
    /// Unregister a fencing level for the named target, specified as for --register-level. Requires: --index
    #[arg(short = 'd', long, value_name = "TARGET", help_heading = "Device Definition Commands")]
    deregister_level: Option<String>,

    /// List devices that can terminate the specified host. Optional: --timeout
    #[arg(short, long, value_name = "HOST", help_heading = "Queries")]
    list: Option<String>,
    /// List all registered devices. Optional: --timeout
    #[arg(short = 'L', long, help_heading = "Queries")]
    list_registered: bool,
    /// List all installed devices. Optional: --timeout
    #[arg(short = 'I', long, help_heading = "Queries")]
    list_installed: bool,
    /// List the targets that can be fenced by the named device. Optional: --timeout
    #[arg(short = 's', long, value_name = "DEVICE", help_heading = "Queries")]
    list_targets: Option<String>,
    /// Show agent metadata. Requires: --agent. Optional: --timeout
    #[arg(short = 'M', long, help_heading = "Queries")]
    metadata: bool,
    /// Check the named device's status. Optional: --timeout
    #[arg(short = 'Q', long, value_name = "DEVICE", help_heading = "Queries")]
    query: Option<String>,
    /// Validate a fence device configuration. Requires: --agent. Optional: --option, --env-option, --quiet (print no output,
    /// only return status).
    #[arg(short = 'K', long, help_heading = "Queries")]
    validate: bool,
    /// Show last successful fencing operation for named node (or '*' for all nodes). Optional: --timeout, --cleanup, --quiet
    /// (show only the operation's epoch timestamp), --verbose (show all recorded and pending operations), --broadcast
    /// (update history from all nodes available)
    #[arg(short = 'H', long, value_name = "NODE", help_heading = "Queries")]
    history: Option<String>,
    /// Indicate when the named node was last fenced. Optional: --as-node-id
    #[arg(short = 'h', long, value_name = "NODE", help_heading = "Queries")]
    last: Option<String>,

    /// Fence named host. Optional: --timeout, --tolerance, --delay
    #[arg(short = 'F', long, value_name = "HOST", help_heading = "Fencing Commands")]
    fence: Option<String>,
    /// Unfence named host. Optional: --timeout, --tolerance, --delay
    #[arg(short = 'U', long, value_name = "HOST", help_heading = "Fencing Commands")]
    unfence: Option<String>,
    /// Reboot named host. Optional: --timeout, --tolerance, --delay
    #[arg(short = 'B', long, value_name = "HOST", help_heading = "Fencing Commands")]
    reboot: Option<String>,
    /// Tell cluster that named host is now safely down
    #[arg(short = 'C', long, value_name = "HOST", help_heading = "Fencing Commands")]
    confirm: Option<String>,

    /// Cleanup wherever appropriate. Requires --history
    #[arg(short = 'c', long, help_heading = "Additional Options")]
    pub cleanup: bool,
    /// Broadcast wherever appropriate
    #[arg(short = 'b', long, help_heading = "Additional Options")]
    pub broadcast: bool,
    /// The agent to use (for example, fence_xvm; with --register, --metadata, --validate)
    #[arg(short = 'a', long, value_name = "AGENT", help_heading = "Additional Options")]
    agent: Option<String>,
    /// Specify a device configuration parameter as NAME=VALUE (may be specified multiple times; with --register,
    /// --validate)
    #[arg(short = 'o', long, value_name = "PARAM", value_parser = parameter, help_heading = "Additional Options")]
    option: Vec<(String, String)>,
    /// Specify a device configuration parameter with the specified name, using the value of the environment variable of the
    /// same name prefixed with OCF_RESKEY_ (may be specified multiple times; with --register, --validate).
    #[arg(short = 'e', long, value_name = "PARAM", value_parser = from_environment, help_heading = "Additional Options")]
    env_option: Vec<(String, String)>,
    /// Identify fencing operations in logs with the specified tag
    #[arg(short = 'T', long, value_name = "TAG", help_heading = "Additional Options")]
    tag: Option<String>,
    /// Device ID (with --register-level; may be specified multiple times)
    #[arg(short = 'v', long, value_name = "DEVICE", help_heading = "Additional Options")]
    device: Vec<String>,
    /// The fencing level (1-9) (with --register-level, --deregister-level)
    #[arg(short = 'i', long, value_name = "LEVEL", help_heading = "Additional Options")]
    index: Option<u32>,
    /// Operation timeout in seconds (default 120; used with most commands)
    #[arg(short = 't', long, value_name = "SECONDS", default_value = "120", value_parser = integer,
        help_heading = "Additional Options")]
    timeout: i32,
    /// Apply a fencing delay in seconds. Any static/random delays from pcmk_delay_base/max will be added, otherwise all
    /// disabled with the value -1 (default 0; with --fence, --reboot, --unfence)
    #[arg(short = 'y', long, value_name = "SECONDS", default_value = "0", value_parser = integer,
        help_heading = "Additional Options")]
    pub delay: i32,
    /// (Advanced) The supplied node is the corosync node ID (with --last)
    #[arg(short = 'n', long, help_heading = "Additional Options")]
    as_node_id: bool,
    /// (Advanced) Do nothing if an equivalent --fence request succeeded less than this many seconds earlier (with --fence,
    /// --unfence, --reboot)
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = span,
        help_heading = "Additional Options")]
    tolerance: Interval,
}

/// What an option cannot be.
#[derive(Clone, Debug, thiserror::Error)]
enum ValueError {
    #[error("Invalid option: -o {0}: Bad name/value pair given")]
    Parameter(String),
    #[error("Invalid option: -e {0}")]
    Environment(String),
    #[error("Invalid option: --tolerance {0}: expected a number of seconds, or a span such as 5min")]
    Span(String),
}

fn parameter(text: &str) -> Result<(String, String), ValueError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(ValueError::Parameter(text.to_owned())),
    }
}

fn from_environment(name: &str) -> Result<(String, String), ValueError> {
    let value = std::env::var(format!("OCF_RESKEY_{name}"));
    value.map(|value| (name.to_owned(), value)).map_err(|_| ValueError::Environment(name.to_owned()))
}

fn span(text: &str) -> Result<Interval, ValueError> {
    lenient::parse_interval(text).ok_or_else(|| ValueError::Span(text.to_owned()))
}

impl Tool for Options {
    const NAME: &'static str = "stonith_admin";
    const HELP_LETTER: char = '?';
    const GROUPS: &'static [Group] = &[
        Group {
            option: "help-definition",
            heading: "Device Definition Commands",
            about: "Show device definition help",
        },
        Group { option: "help-queries", heading: "Queries", about: "Show query help" },
        Group { option: "help-fence", heading: "Fencing Commands", about: "Show fence help" },
        Group { option: "help-additional", heading: "Additional Options", about: "Show additional options" },
    ];

    fn common(&self) -> &CommonOptions {
        &self.common
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    Installed,
    Registered { target: Option<String> },
    Targets { device: String },
    Query { device: String },
    Register { device: String, agent: String, parameters: Parameters },
    Deregister { device: String },
    AddLevel(Level),
    RemoveLevel(Level),
    Metadata { agent: String },
    Validate { agent: String, device: Option<String>, parameters: Parameters },
    Fence { target: String, action: &'static str },
    Confirm { target: String },
    Last { target: String, as_node_id: bool },
    History { target: Option<String> },
}

/// The command line does not say something that is needed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OptionsError {
    #[error("")]
    Command,
    #[error("Please specify an agent to query using -a,--agent [value]")]
    Agent,
    #[error("Please specify a fencing level from 1 to 9 using -i,--index [value]")]
    Index,
    #[error("Integer value \"{0}\" for -t out of range")]
    Timeout(i32),
}

impl Options {
    /// The command; of several, the one that is later in the list of Pacemaker's own.
    pub fn action(&self) -> Result<Action, OptionsError> {
        let agent = || self.agent.clone().ok_or(OptionsError::Agent);
        let fence = |target: &String, action| Action::Fence { target: target.clone(), action };
        if let Some(target) = &self.deregister_level {
            return Ok(Action::RemoveLevel(self.level(target)?));
        }
        if let Some(target) = &self.register_level {
            return Ok(Action::AddLevel(self.level(target)?));
        }
        if let Some(target) = &self.history {
            let target = (target != "*").then(|| target.clone());
            return Ok(Action::History { target });
        }
        if let Some(target) = &self.last {
            return Ok(Action::Last { target: target.clone(), as_node_id: self.as_node_id });
        }
        if let Some(target) = &self.confirm {
            return Ok(Action::Confirm { target: target.clone() });
        }
        if let Some(target) = &self.unfence {
            return Ok(fence(target, "on"));
        }
        if let Some(target) = &self.fence {
            return Ok(fence(target, "off"));
        }
        if let Some(target) = &self.reboot {
            return Ok(fence(target, "reboot"));
        }
        if self.metadata {
            return Ok(Action::Metadata { agent: agent()? });
        }
        if let Some(target) = &self.list {
            return Ok(Action::Registered { target: Some(target.clone()) });
        }
        if let Some(device) = &self.list_targets {
            return Ok(Action::Targets { device: device.clone() });
        }
        if let Some(device) = &self.deregister {
            return Ok(Action::Deregister { device: device.clone() });
        }
        if let Some(device) = &self.query {
            return Ok(Action::Query { device: device.clone() });
        }
        if let Some(device) = &self.register {
            let parameters = self.parameters();
            return Ok(Action::Register { device: device.clone(), agent: agent()?, parameters });
        }
        if self.list_registered {
            return Ok(Action::Registered { target: None });
        }
        if self.list_installed {
            return Ok(Action::Installed);
        }
        if self.validate {
            let device = self.device.first().cloned();
            return Ok(Action::Validate { agent: agent()?, device, parameters: self.parameters() });
        }
        Err(OptionsError::Command)
    }

    fn parameters(&self) -> Parameters {
        self.option.iter().chain(&self.env_option).cloned().collect()
    }

    /// How long it may take.
    pub fn timeout_s(&self) -> Result<u32, OptionsError> {
        let in_range = u32::try_from(self.timeout).ok().filter(|&s| s <= u32::MAX / 1000);
        in_range.ok_or(OptionsError::Timeout(self.timeout))
    }

    fn level(&self, target: &str) -> Result<Level, OptionsError> {
        let index = self.index.filter(|index| (1..=9).contains(index)).ok_or(OptionsError::Index)?;
        let target = if let Some((name, value)) = target.split_once('=') {
            LevelTarget::Attribute { name: name.to_owned(), value: value.to_owned() }
        } else if let Some(pattern) = target.strip_prefix('@') {
            LevelTarget::Pattern(pattern.to_owned())
        } else {
            LevelTarget::Name(target.to_owned())
        };
        Ok(Level { index, target, devices: self.device.clone() })
    }

    /// What the fencers call this client.
    pub fn client_name(&self) -> String {
        match &self.tag {
            Some(tag) => format!("stonith_admin.{tag}"),
            None => "stonith_admin".to_owned(),
        }
    }

    pub fn tolerance_s(&self) -> u32 {
        u32::try_from(self.tolerance.as_ms().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Action, OptionsError> {
        let args: Vec<_> =
            std::iter::once("stonith_admin").chain(line.split_whitespace()).map(Into::into).collect();
        crate::command_line::parsed::<Options>(&args).unwrap().action()
    }

    #[test]
    fn the_usual_commands_are_understood() {
        let fence = |action| Ok(Action::Fence { target: "n1".into(), action });
        assert_eq!(parsed("--reboot n1"), fence("reboot"));
        assert_eq!(parsed("-B n1 -t 60 --delay -1 --tolerance 5s"), fence("reboot"));
        assert_eq!(parsed("-F n1"), fence("off"));
        assert_eq!(parsed("-U n1"), fence("on"));
        assert_eq!(parsed("-H *"), Ok(Action::History { target: None }));
        assert_eq!(parsed("-h n1 -n"), Ok(Action::Last { target: "n1".into(), as_node_id: true }));
        assert_eq!(parsed("-L"), Ok(Action::Registered { target: None }));
        assert_eq!(parsed("-l n1"), Ok(Action::Registered { target: Some("n1".into()) }));
        assert_eq!(parsed("-M"), Err(OptionsError::Agent));
        assert_eq!(parsed("-V"), Err(OptionsError::Command));
        let validate = Action::Validate {
            agent: "fence_x".into(),
            device: None,
            parameters: [("a".to_owned(), "1".to_owned())].into(),
        };
        assert_eq!(parsed("-K -a fence_x -o a=1"), Ok(validate));
        let level = Level {
            index: 2,
            target: LevelTarget::Attribute { name: "rack".into(), value: "1".into() },
            devices: vec!["a".into(), "b".into()],
        };
        assert_eq!(parsed("-r rack=1 -i 2 -v a -v b"), Ok(Action::AddLevel(level)));
        assert_eq!(parsed("-r n1 -i 10 -v a"), Err(OptionsError::Index));
    }
}
