// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether an operation was run with the definition that is configured now.
//!
//! Decides: digests of parameters, as the executor's side writes them into the history, and what a difference means.
//! Given: an operation of the history. Leaves to others: restarting, reloading, clearing.

use super::ActionId;
use crate::cluster::Parameters;
use crate::notation::number;
use crate::{Cluster, NodeId, ResourceId};
use model::FeatureSet;
use std::sync::Arc;
use xml::{Element, Escaping, Name, digest_v1_sorted};

/// What comparing digests says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestVerdict {
    /// The history has no digest.
    Unknown,
    /// Nothing changed.
    Match,
    /// Something changed that a reload can take in.
    Mismatch,
    /// Something changed that takes a restart.
    Restart,
}

/// A digest with what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The digest.
    pub hash: String,
    /// The parameters, as attributes.
    pub parameters: Element,
}

impl Digest {
    fn of(parameters: Element) -> Digest {
        Digest { hash: digest_v1_sorted(&parameters, Escaping::Modern), parameters }
    }
}

/// All digests of an operation's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of all parameters.
    pub all: Digest,
    /// Of those that are not secret.
    pub secure: Digest,
    /// Of those that cannot be reloaded, if the history has such a digest.
    pub restart: Option<Digest>,
}

/// Secret parameters that are left out of digests everyone may see, where the agent names none.
const SECRETS: &str = " passwd password user ";

fn crm_meta_name(name: &str) -> String {
    format!("CRM_meta_{}", name.replace('-', "_"))
}

/// True for what tells nothing about an operation's definition.
fn is_provenance(name: &str) -> bool {
    name.starts_with("CRM_meta_")
        || matches!(
            name,
            "id" | "crm_feature_set" | "op-digest" | "on_node" | "on_node_uuid" | "pcmk_external_ip"
        )
}

/// Parameters of fence devices that are the fencer's, not the agent's.
fn is_fencer_parameter(name: &str) -> bool {
    if matches!(name, "provides" | "stonith-timeout") {
        return true;
    }
    let Some(rest) = name.strip_prefix("pcmk_") else { return false };
    const WHOLE: [&str; 7] =
        ["action_limit", "delay_base", "delay_max", "host_argument", "host_check", "host_list", "host_map"];
    let suffix = rest.find('_').map(|at| &rest[at..]);
    WHOLE.contains(&rest) || matches!(suffix, Some("_action" | "_timeout" | "_retries"))
}

/// Whether a feature set is one that left more out of digests without secrets than today's do.
fn is_before_secure_timeouts(version: Option<&str>) -> bool {
    let version = version.and_then(|text| text.parse::<FeatureSet>().ok());
    version.is_some_and(|version| version < FeatureSet::new(3, 16, 0))
}

/// Adds what is not there yet, in the order in which Pacemaker would.
fn add_parameters(element: &mut Element, parameters: &Parameters) {
    let all: Vec<_> = parameters.iter().collect();
    for place in model::table_order(all.iter().map(|(name, _)| &***name)) {
        if let Some((name, value)) = all.get(place)
            && element.attr(name).is_none()
        {
            element.set_attr(Name::Shared((*name).clone()), value);
        }
    }
}

fn element_of(parameters: &Parameters) -> Element {
    let mut element = Element::new("parameters");
    for (name, value) in parameters {
        element.set_attr(Name::Shared(name.clone()), value);
    }
    element
}

fn digest(parameters: &Parameters) -> String {
    digest_v1_sorted(&element_of(parameters), Escaping::Modern)
}

impl Cluster {
    /// All parameters that make an operation's definition, and whether the operation has some of its own.
    fn definition(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        task: &str,
        interval: u64,
    ) -> (Parameters, bool) {
        let all = self.parameters(resource, Some(node));
        let mut all = Parameters::clone(&self.with_real_address(Some(resource), all));
        let config = self.operation_config(resource, task, interval, true);
        let own = self.operation_parameters(config.as_ref(), node);
        let has_own = !own.is_empty();
        for (name, value) in own {
            all.entry(name).or_insert(value);
        }
        all.retain(|name, _| !is_provenance(name));
        if interval != 0 {
            let meta = self.operation_terms(resource, Some(node), task, interval, false).meta;
            if let Some(timeout) = meta.get("timeout") {
                all.insert(Arc::from(crm_meta_name("timeout")), timeout.clone());
            }
        }
        (all, has_own)
    }

    /// The digests of an operation's definition on a node: as it is configured, but for what overrides it. `operation` is
    /// the entry of the history that they are to be compared with, if there is one.
    pub fn digests(
        &self,
        resource: ResourceId,
        node: NodeId,
        (task, interval_ms): (&str, u64),
        operation: Option<&Element>,
        overrides: &Parameters,
    ) -> Digests {
        let mut work = self.clone();
        let own = work.parameters(resource, Some(node));
        let mut all = Element::new("parameters");
        if let Some(address) = work.with_real_address(Some(resource), own.clone()).get("addr")
            && own.get("addr") != Some(address)
        {
            all.set_attr("addr", address);
        }
        add_parameters(&mut all, overrides);
        add_parameters(&mut all, &own);
        let config = work.operation_config(resource, task, interval_ms, true);
        add_parameters(&mut all, &work.operation_parameters(config.as_ref(), node));
        let meta = work.action_meta(resource, Some(node), task, interval_ms, config.as_ref());
        let timeout = all.attr("CRM_meta_timeout").or(meta.get("timeout").map(|timeout| &**timeout));
        let timeout = timeout.filter(|_| interval_ms != 0).map(str::to_owned);
        all.retain_attrs(|a| !is_provenance(a.name().as_str()));
        all.set_attr_opt("CRM_meta_timeout", timeout);

        let version = operation.and_then(|operation| operation.attr("crm_feature_set"));
        let version = version.or(self.cib.attr("crm_feature_set"));
        let secrets = operation.map_or(Some(SECRETS), |operation| operation.attr("op-secure-params"));
        let secrets: Vec<&str> = secrets.into_iter().flat_map(|names| names.split(' ')).collect();
        let mut secure = all.clone();
        if is_before_secure_timeouts(version) {
            secure = Element::new("parameters");
            add_parameters(&mut secure, overrides);
            add_parameters(&mut secure, &own);
            let fences = work.state(resource).fence_device;
            secure.retain_attrs(|a| {
                let name = a.name().as_str();
                !(is_provenance(name) || fences && is_fencer_parameter(name))
            });
        }
        // A time limit never counts here, not even that of a recurring operation.
        secure.retain_attrs(|a| {
            !secrets.contains(&a.name().as_str()) && a.name().as_str() != "CRM_meta_timeout"
        });

        let restart = operation.filter(|operation| operation.attr("op-restart-digest").is_some());
        let restart = restart.map(|operation| {
            let mut restart = all.clone();
            if let Some(list) = operation.attr("op-force-restart") {
                let names: Vec<&str> = list.split(' ').collect();
                restart.retain_attrs(|a| names.contains(&a.name().as_str()));
            }
            Digest::of(restart)
        });
        Digests { all: Digest::of(all), secure: Digest::of(secure), restart }
    }

    /// Compares an operation of the history with what is configured.
    pub(crate) fn compare_digests(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        operation: &Element,
    ) -> DigestVerdict {
        let task = operation.attr("operation").unwrap_or_default();
        let interval = number(operation, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0);
        if self.forgotten.contains(&(node, Arc::from(operation.id().unwrap_or_default()))) {
            return DigestVerdict::Restart;
        }
        let (all, has_own) = self.definition(resource, node, task, interval);
        let restart = operation.attr("op-restart-digest").map(|_| {
            let mut restart = all.clone();
            if let Some(list) = operation.attr("op-force-restart") {
                let names: Vec<&str> = list.split(' ').collect();
                restart.retain(|name, _| names.contains(&&**name));
            }
            digest(&restart)
        });
        if restart.as_deref().is_some_and(|ours| Some(ours) != operation.attr("op-restart-digest")) {
            return DigestVerdict::Restart;
        }
        match operation.attr("op-digest") {
            None => DigestVerdict::Unknown,
            Some(theirs) if theirs == digest(&all) => DigestVerdict::Match,
            Some(_) if interval == 0 && has_own => DigestVerdict::Restart,
            Some(_) => DigestVerdict::Mismatch,
        }
    }

    /// Notes with an unfencing what the devices' definitions are, so that the node can tell later that they changed.
    /// Says whether it is (still) optional: not if the node was unfenced with other definitions.
    pub(crate) fn note_unfencing_digests(&mut self, id: ActionId, node: NodeId, optional: bool) -> bool {
        let devices: Vec<ResourceId> = (0..self.resources.len()).map(ResourceId::new).collect();
        let (mut all_text, mut secure_text) = (String::new(), String::new());
        let mut optional = optional;
        for device in devices.into_iter().rev() {
            let resource = self.resource(device);
            let provides = resource.meta.get("provides").is_some_and(|v| v.eq_ignore_ascii_case("unfencing"));
            if !resource.state.fence_device || !(resource.state.needs_unfencing || provides) {
                continue;
            }
            let agent = resource.agent.as_ref().map(|agent| agent.name.clone()).unwrap_or_default();
            let name = resource.id.clone();
            let (all, secure) = self.unfencing_digests(device, node);
            let known = |attribute: &str, digest: &str| {
                let text = self.node(node).attributes.get(attribute)?;
                Some(text.contains(&format!("{name}:{agent}:{digest}")))
            };
            let matches = known("#digests-all", &all);
            if matches == Some(false) && known("#digests-secure", &secure) != Some(true) {
                optional = false;
            }
            all_text.push_str(&format!("{name}:{agent}:{all},"));
            secure_text.push_str(&format!("{name}:{agent}:{secure},"));
        }
        let action = self.action_mut(id);
        action.set_meta("digests-all", all_text);
        action.set_meta("digests-secure", secure_text);
        optional
    }

    fn unfencing_digests(&mut self, device: ResourceId, node: NodeId) -> (String, String) {
        let (all, _) = self.definition(device, node, "stonith-on", 0);
        let version = self.cib.attr("crm_feature_set").map(str::to_owned);
        let secure = self.secure_digest(device, node, &all, Some(SECRETS), version.as_deref());
        (digest(&all), secure)
    }

    /// The digest without what is secret. Feature sets before 3.16.0 left out some more.
    fn secure_digest(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        all: &Parameters,
        secrets: Option<&str>,
        version: Option<&str>,
    ) -> String {
        let old = is_before_secure_timeouts(version);
        let mut secure =
            if old { Parameters::clone(&self.parameters(resource, Some(node))) } else { all.clone() };
        let fences = self.state(resource).fence_device;
        let secrets: Vec<&str> = secrets.unwrap_or_default().split(' ').collect();
        secure.retain(|name, _| {
            let for_fencer = old && fences && is_fencer_parameter(name);
            !secrets.contains(&&**name) && !is_provenance(name) && !for_fencer
        });
        digest(&secure)
    }

    /// Whether an operation was run with the same parameters but for secret ones.
    pub(crate) fn differs_in_secrets_only(
        &mut self,
        resource: ResourceId,
        node: NodeId,
        operation: &Element,
    ) -> bool {
        let Some(theirs) = operation.attr("op-secure-digest") else { return false };
        let task = operation.attr("operation").unwrap_or_default();
        let interval = number(operation, "interval").and_then(|i| u64::try_from(i).ok()).unwrap_or(0);
        let (all, _) = self.definition(resource, node, task, interval);
        let version =
            operation.attr("crm_feature_set").or(self.cib.attr("crm_feature_set")).map(str::to_owned);
        let secrets = operation.attr("op-secure-params");
        self.secure_digest(resource, node, &all, secrets, version.as_deref()) == theirs
    }
}
