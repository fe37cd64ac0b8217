// SPDX-License-Identifier: GPL-2.0-or-later
//! Fence agents of the Red Hat style: what one is told, and what its end means.
//!
//! Decides: the lines of its standard input, which parameters are for the fencer alone, the targets in its list. Given:
//! the device's parameters, the action, the target. Leaves to others: running it, trying again, and what follows.
//! The rules are those of <https://github.com/ClusterLabs/fence-agents/blob/main/doc/FenceAgentAPI.md>.

use crate::{Description, End, Finder, Invocation, Outcome, Verdict, find::BadName, verdict_without_code};
use model::{ExecStatus, OcfCode};
use std::collections::BTreeMap;

/// What is to be done, by which agent, to which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// `fence_…`.
    pub agent: &'a str,
    /// `off`, `reboot`, `monitor`, `list`, …
    pub action: &'a str,
    /// Which node.
    pub target: Option<&'a str>,
    /// How the device knows the node, if not by its name.
    pub alias: Option<&'a str>,
    /// The device's parameters, those that are for the fencer alone included.
    pub parameters: &'a BTreeMap<String, String>,
    /// How the agent wants to be told its target, unless the parameters say ([`Description::host_argument`]).
    pub host_argument: Option<&'a str>,
    /// How long it may take.
    pub timeout_ms: u64,
}

/// Parameters that the fencer reads and no agent sees.
fn is_for_the_fencer(name: &str) -> bool {
    name.starts_with("pcmk_")
        || name.starts_with("CRM_meta_")
        || matches!(name, "provides" | "stonith-timeout" | "crm_feature_set")
        || name.eq_ignore_ascii_case("action")
}

/// What the agent is told, in the order it is told.
pub fn options(call: &Call<'_>) -> Vec<(String, String)> {
    let alias_of_action = call.parameters.get(&format!("pcmk_{}_action", call.action));
    let action = alias_of_action.map_or(call.action, String::as_str);
    let mut options = vec![("action".to_owned(), action.to_owned())];
    let mut host_argument = None;
    if let Some(target) = call.target {
        options.push(("nodename".to_owned(), target.to_owned()));
        let name = call.parameters.get("pcmk_host_argument").map(String::as_str).or(call.host_argument);
        host_argument = name.filter(|name| {
            let configured = call.parameters.get(*name);
            !name.eq_ignore_ascii_case("none")
                && configured.is_none_or(|value| value.eq_ignore_ascii_case("dynamic"))
        });
        if let Some(name) = host_argument {
            options.push((name.to_owned(), call.alias.unwrap_or(target).to_owned()));
        }
    }
    for (name, value) in call.parameters {
        if !is_for_the_fencer(name) && Some(name.as_str()) != host_argument && name != "nodename" {
            options.push((name.clone(), value.clone()));
        }
    }
    // One line each: a value with a line feed would be another option.
    options.retain(|(name, value)| !name.contains(['\n', '=']) && !value.contains('\n'));
    options
}

/// How to run it.
pub fn invocation(finder: &Finder, call: &Call<'_>) -> Result<Invocation, BadName> {
    let stdin = options(call).into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    Ok(Invocation {
        program: finder.fence_agent(call.agent)?,
        arguments: Vec::new(),
        environment: Vec::new(),
        stdin,
        timeout_ms: call.timeout_ms,
    })
}

/// How to ask an agent what it is.
pub fn describe(finder: &Finder, agent: &str, timeout_ms: u64) -> Result<Invocation, BadName> {
    let parameters = BTreeMap::new();
    let call = Call {
        agent,
        action: "metadata",
        target: None,
        alias: None,
        parameters: &parameters,
        host_argument: None,
        timeout_ms,
    };
    invocation(finder, &call)
}

/// What its end means. The code is the agent's own: for `status`, 2 says that the target is off.
pub fn verdict(invocation: &Invocation, outcome: &Outcome) -> Verdict {
    if let Some(verdict) = verdict_without_code("Fence agent", invocation, outcome) {
        return verdict;
    }
    let code = if let End::Exited(code) = outcome.end { code } else { OcfCode::UNKNOWN_ERROR.value() };
    // These agents have no prefix for reasons: the last thing they complained of is the best there is.
    let complaint = outcome.stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let reason = complaint.filter(|_| code != 0).map(|line| line.chars().take(512).collect());
    Verdict { rc: OcfCode::new(code), status: ExecStatus::Done, reason }
}

/// The nodes in a host list or in the output of `list`: separated by blanks, commas, semicolons or line ends; what
/// follows a name after a comma in a line of `list` output is its description.
pub fn targets(list: &str) -> Vec<String> {
    let text = list.replace("\\n", "\n");
    let mut targets: Vec<String> = Vec::new();
    for name in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')) {
        let is_name = !name.is_empty() && !matches!(name.to_ascii_lowercase().as_str(), "on" | "off");
        if is_name && !targets.iter().any(|known| known == name) {
            targets.push(name.to_owned());
        }
    }
    targets
}

/// What `stonith_admin --metadata` shows: start and stop are the cluster's own, and what it fills in is not required.
pub fn adjusted_metadata(description: &Description) -> xml::Element {
    let mut root = description.xml.clone();
    if let Some(parameters) = root.child_mut("parameters") {
        for parameter in parameters.elements_mut() {
            if matches!(parameter.attr("name"), Some("action" | "plug" | "port")) {
                parameter.set_attr("required", "0");
            }
        }
    }
    if description.action("stop").is_none() {
        let actions = root.child_or_insert("actions");
        for name in ["stop", "start"] {
            actions.push(xml::Element::new("action").with_attr("name", name).with_attr("timeout", "20s"));
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn told(parameters: &BTreeMap<String, String>, target: Option<&str>, alias: Option<&str>) -> String {
        let call = Call {
            agent: "fence_x",
            action: "reboot",
            target,
            alias,
            parameters,
            host_argument: Some("plug"),
            timeout_ms: 1,
        };
        invocation(&Finder::default(), &call).unwrap().stdin
    }

    #[test]
    fn the_agent_is_told_what_it_needs_and_no_more() {
        let device = parameters(&[
            ("ip", "10.0.0.1"),
            ("action", "off"),
            ("pcmk_host_map", "n2:7"),
            ("CRM_meta_timeout", "20000"),
            ("password", "a\nb"),
        ]);
        assert_eq!(told(&device, Some("n2"), Some("7")), "action=reboot\nnodename=n2\nplug=7\nip=10.0.0.1\n");
        assert_eq!(told(&device, None, None), "action=reboot\nip=10.0.0.1\n");
    }

    #[test]
    fn the_host_argument_can_be_chosen() {
        let named = parameters(&[("pcmk_host_argument", "vm"), ("pcmk_reboot_action", "off")]);
        assert_eq!(told(&named, Some("n2"), None), "action=off\nnodename=n2\nvm=n2\n");
        let fixed = parameters(&[("plug", "4")]);
        assert_eq!(told(&fixed, Some("n2"), None), "action=reboot\nnodename=n2\nplug=4\n");
        let dynamic = parameters(&[("plug", "dynamic")]);
        assert_eq!(told(&dynamic, Some("n2"), None), "action=reboot\nnodename=n2\nplug=n2\n");
        let none = parameters(&[("pcmk_host_argument", "none")]);
        assert_eq!(told(&none, Some("n2"), None), "action=reboot\nnodename=n2\n");
    }

    #[test]
    fn lists_are_read_in_every_form() {
        for list in ["n1 n2;n3", "n1,n2,n3", "n1\nn2\nn3\n", "n1\\nn2\\nn3", "n1,off\nn2,on\nn3,on"] {
            assert_eq!(targets(list), ["n1", "n2", "n3"], "{list:?}");
        }
    }
}
