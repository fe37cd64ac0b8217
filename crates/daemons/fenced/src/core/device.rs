// SPDX-License-Identifier: GPL-2.0-or-later
//! One fence device, as this node knows it: what it can fence, how long that takes, when it may.

use messages::execd::Parameters;
use messages::fencer::{self, ActionLimits, PeerDevice, RemapLimits, SupportFlags, is_fencing_action};
use model::{Instant, Interval};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long the targets that a device has listed are believed.
const LIST_AGE: Duration = Duration::from_secs(60);

/// What an agent says it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// `list`, `status`, `reboot` and `on`, and whether `on` is to be done when a node joins.
    pub flags: SupportFlags,
    /// Actions that only the target itself can do.
    pub on_target: Vec<String>,
    /// The parameter that names the target.
    pub host_argument: Option<String>,
}

/// How a device knows which nodes it can fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostCheck {
    /// All.
    None,
    /// Those that are configured.
    Static,
    /// Those that it lists.
    Dynamic,
    /// Those whose status it knows.
    Status,
    /// The configuration says something else.
    Invalid(String),
}

#[derive(Debug)]
pub(super) struct Device {
    pub id: String,
    pub agent: String,
    pub namespace: Option<String>,
    pub parameters: Parameters,
    /// Its agent's, and where the device is from.
    pub flags: SupportFlags,
    pub on_target: Vec<String>,
    pub host_argument: Option<String>,
    /// Node to plug, from `pcmk_host_map`.
    pub aliases: BTreeMap<String, String>,
    /// Configured or listed.
    pub targets: Vec<String>,
    /// When they were listed.
    pub listed: Option<Instant>,
    /// Jobs that wait for their turn.
    pub queue: VecDeque<u64>,
    /// The CIB has changed and may not have it any more.
    pub stale: bool,
}

impl Device {
    pub fn new(device: fencer::Device) -> Device {
        let parameters = device.parameters;
        let text = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let aliases = host_map(text("pcmk_host_map"));
        let mut targets = agents::fence::targets(text("pcmk_host_list"));
        targets.extend(aliases.keys().cloned());
        let mut flags = SupportFlags::default();
        if device.provides.as_deref() == Some("unfencing") {
            flags.insert(SupportFlags::AUTO_UNFENCE);
        }
        Device {
            id: device.id,
            agent: device.agent,
            namespace: device.namespace,
            flags,
            on_target: Vec::new(),
            host_argument: None,
            aliases,
            targets,
            listed: None,
            queue: VecDeque::new(),
            stale: false,
            parameters,
        }
    }

    /// What its agent says; whether it must unfence may also be configured.
    pub fn learn(&mut self, capabilities: &Capabilities) {
        self.flags.insert(capabilities.flags);
        self.on_target.clone_from(&capabilities.on_target);
        self.host_argument.clone_from(&capabilities.host_argument);
        if !self.has_static_targets() {
            self.targets.clear();
        }
    }

    fn has_static_targets(&self) -> bool {
        self.host_check() == HostCheck::Static
    }

    /// The same agent, told the same.
    pub fn is_equal(&self, other: &fencer::Device) -> bool {
        let relevant = |parameters: &Parameters| -> Vec<(String, String)> {
            let own = |name: &str| !name.starts_with("CRM_meta_") && name != "crm_feature_set";
            let all = parameters.iter().filter(|(name, _)| own(name));
            all.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        self.agent == other.agent && relevant(&self.parameters) == relevant(&other.parameters)
    }

    pub fn host_check(&self) -> HostCheck {
        match self.parameters.get("pcmk_host_check").map(String::as_str) {
            Some("none") => HostCheck::None,
            Some("static-list") => HostCheck::Static,
            Some("dynamic-list") => HostCheck::Dynamic,
            Some("status") => HostCheck::Status,
            Some(other) => HostCheck::Invalid(other.to_owned()),
            None => {
                let is_configured = ["pcmk_host_list", "pcmk_host_map"]
                    .iter()
                    .any(|name| self.parameters.contains_key(*name));
                if is_configured {
                    HostCheck::Static
                } else if self.flags.has(SupportFlags::LIST) {
                    HostCheck::Dynamic
                } else if self.flags.has(SupportFlags::STATUS) {
                    HostCheck::Status
                } else {
                    HostCheck::None
                }
            }
        }
    }

    /// What it calls a node.
    pub fn alias(&self, target: &str) -> Option<&str> {
        let found = self.aliases.iter().find(|(node, _)| node.eq_ignore_ascii_case(target));
        found.map(|(_, alias)| alias.as_str())
    }

    /// The node (or what it is called) is among the targets.
    pub fn has_target(&self, target: &str) -> bool {
        let named = |name: &str| self.targets.iter().any(|known| known.eq_ignore_ascii_case(name));
        match self.host_check() {
            HostCheck::Dynamic => named(self.alias(target).unwrap_or(target)),
            _ => named(target),
        }
    }

    pub fn list_is_fresh(&self, now: Instant) -> bool {
        self.listed.is_some_and(|listed| now < listed + LIST_AGE)
    }

    /// This node may do that to the target itself, not counting remapping.
    pub fn is_allowed(&self, action: &str, target: &str, local: &str, allow_self: bool) -> bool {
        let is_self = target.eq_ignore_ascii_case(local);
        if self.on_target.iter().any(|known| known == action) { is_self } else { allow_self || !is_self }
    }

    /// This node may do that, or what it may become: a reboot becomes `off` and `on`, of which the target can never do the
    /// latter.
    pub fn is_allowed_somehow(&self, action: &str, target: &str, local: &str, allow_self: bool) -> bool {
        self.is_allowed(action, target, local, allow_self)
            || (action == "reboot"
                && (self.is_allowed("off", target, local, allow_self)
                    || self.is_allowed("on", target, local, false)))
    }

    /// What it really does: an agent that cannot reboot turns off.
    pub fn real_action<'a>(&self, action: &'a str) -> &'a str {
        if action == "reboot" && !self.flags.has(SupportFlags::REBOOT) { "off" } else { action }
    }

    pub fn is_required(&self, action: &str) -> bool {
        action == "on" && self.flags.has(SupportFlags::AUTO_UNFENCE)
    }

    pub fn timeout_s(&self, action: &str) -> Option<u32> {
        let name = format!("pcmk_{}_timeout", self.real_action(action));
        let timeout: Interval = self.parameters.get(&name)?.parse().ok()?;
        u32::try_from(timeout.as_ms().div_ceil(1000)).ok()
    }

    /// How often an action is tried.
    pub fn tries(&self, action: &str) -> u32 {
        let name = format!("pcmk_{action}_retries");
        self.parameters.get(&name).and_then(|text| text.trim().parse().ok()).unwrap_or(2).max(1)
    }

    /// How many actions may run at the same time; `None` for any number.
    pub fn limit(&self) -> Option<usize> {
        let text = self.parameters.get("pcmk_action_limit").map(String::as_str).unwrap_or("1");
        match text.trim().parse::<i64>() {
            Ok(limit) if limit < 0 => None,
            Ok(limit) if limit > 0 => usize::try_from(limit).ok(),
            _ => Some(1),
        }
    }

    pub fn delay_max_s(&self, action: &str) -> u32 {
        let text = self.parameters.get("pcmk_delay_max").filter(|_| is_fencing_action(action));
        text.map(|text| span_s(text)).unwrap_or_default()
    }

    /// Either one span, or one for each node: `n1:5s;n2:0`.
    pub fn delay_base_s(&self, action: &str, target: Option<&str>) -> u32 {
        let Some(text) = self.parameters.get("pcmk_delay_base").filter(|_| is_fencing_action(action)) else {
            return 0;
        };
        let of_target = |target: &str| {
            let pairs = text.split([';', ' ', '\t']).filter_map(|pair| pair.split_once(':'));
            pairs.into_iter().find(|(node, _)| node.eq_ignore_ascii_case(target)).map(|(_, span)| span)
        };
        span_s(target.filter(|_| text.contains(':')).and_then(of_target).unwrap_or(text))
    }

    fn limits(&self, action: &str, target: Option<&str>) -> ActionLimits {
        ActionLimits {
            timeout_s: self.timeout_s(action).filter(|timeout| *timeout > 0),
            delay_max_s: self.delay_max_s(action),
            delay_base_s: self.delay_base_s(action, target),
            required: self.is_required(action),
            disallowed: false,
        }
    }

    /// What is answered to a query. With no target, the parameters are told, too.
    pub fn describe(&self, action: &str, target: Option<&str>, local: &str, allow_self: bool) -> PeerDevice {
        let disallowed = |action: &str, allow_self: bool| {
            target.is_some_and(|target| !self.is_allowed(action, target, local, allow_self))
        };
        let real = self.real_action(action);
        let mut limits = self.limits(real, target);
        let mut remap = None;
        if action == "reboot" {
            limits.disallowed = disallowed(real, allow_self);
            remap = Some(RemapLimits {
                off: ActionLimits { disallowed: disallowed("off", allow_self), ..self.limits("off", target) },
                on: ActionLimits { disallowed: disallowed("on", false), ..self.limits("on", target) },
            });
        }
        PeerDevice {
            id: self.id.clone(),
            agent: self.agent.clone(),
            namespace: self.namespace.clone(),
            flags: self.flags,
            limits,
            remap,
            parameters: target.is_none().then(|| self.parameters.clone()),
        }
    }
}

fn span_s(text: &str) -> u32 {
    let span = text.trim().parse::<Interval>().unwrap_or_default();
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

/// `n1:1;n2:2`, also with blanks between and equals signs within.
fn host_map(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split([';', ' ', '\t', '\n']).filter_map(|pair| pair.split_once([':', '=']));
    let named = pairs.filter(|(node, alias)| !node.is_empty() && !alias.is_empty());
    named.map(|(node, alias)| (node.to_owned(), alias.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(parameters: &[(&str, &str)]) -> Device {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Device::new(fencer::Device {
            id: "f".into(),
            agent: "fence_x".into(),
            namespace: None,
            provides: None,
            parameters: parameters.collect(),
        })
    }

    #[test]
    fn hosts_are_static_if_configured_else_as_the_agent_can() {
        let mut plain = device(&[]);
        assert_eq!(plain.host_check(), HostCheck::None);
        plain.flags.insert(SupportFlags::STATUS);
        assert_eq!(plain.host_check(), HostCheck::Status);
        plain.flags.insert(SupportFlags::LIST);
        assert_eq!(plain.host_check(), HostCheck::Dynamic);
        let listed = device(&[("pcmk_host_list", "n1 n2,n3")]);
        assert!(
            listed.host_check() == HostCheck::Static && listed.has_target("N2") && !listed.has_target("n4")
        );
        let mapped = device(&[("pcmk_host_map", "n1:7;n2:8")]);
        assert!(mapped.has_target("n2") && !mapped.has_target("8"));
        assert_eq!(mapped.alias("n2"), Some("8"));
        let wrong = device(&[("pcmk_host_check", "guess")]);
        assert_eq!(wrong.host_check(), HostCheck::Invalid("guess".into()));
    }

    #[test]
    fn timeouts_delays_and_limits_are_read() {
        let device = device(&[
            ("pcmk_off_timeout", "1500ms"),
            ("pcmk_delay_base", "n1:5s;n2:0"),
            ("pcmk_delay_max", "9s"),
            ("pcmk_off_retries", "4"),
            ("pcmk_action_limit", "-1"),
        ]);
        assert_eq!(device.timeout_s("off"), Some(2));
        assert_eq!(device.timeout_s("reboot"), Some(2), "an agent that cannot reboot turns off");
        assert_eq!(device.timeout_s("monitor"), None);
        assert_eq!((device.delay_base_s("off", Some("n1")), device.delay_base_s("off", Some("n2"))), (5, 0));
        assert_eq!((device.delay_max_s("off"), device.delay_max_s("monitor")), (9, 0));
        assert_eq!((device.tries("off"), device.tries("on"), device.limit()), (4, 2, None));
    }

    #[test]
    fn nobody_turns_itself_on() {
        let device = device(&[]);
        assert!(device.is_allowed("off", "n1", "n1", true) && !device.is_allowed("off", "n1", "n1", false));
        assert!(!device.is_allowed_somehow("reboot", "n1", "n1", false));
        let told = device.describe("reboot", Some("n1"), "n1", true);
        assert!(told.remap.is_some_and(|remap| !remap.off.disallowed && remap.on.disallowed));
    }
}
