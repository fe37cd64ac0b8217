// SPDX-License-Identifier: GPL-2.0-or-later
//! Resources as configured.
//!
//! Decides: which there are, with templates filled in, meta-attributes inherited and defaulted. Given: `resources`.
//! Leaves to others: where they run (`history`).

use super::clones;
use super::remote::is_connection;
use crate::cluster::{Allowed, MultiplyActive, NodeTable, Parameters, Work};
use crate::ledger::{Cause, CauseId};
use crate::notation::{RuleNews, interval_ms, is_true, parse_bool, parse_score, rule_input, unpack_blocks};
use crate::{
    Agent, Cluster, ConfigIssue, InstanceTerms, NodeId, QuorumPolicy, Resource, ResourceId, ResourceState,
    Variant,
};
use model::{Role, Score};
use rules::Input;
use std::collections::BTreeSet;
use std::sync::Arc;
use xml::{Element, Node};

/// What is doubtful among the meta-attributes that every resource has.
fn doubtful_meta(meta: &Parameters, name: &str) -> Vec<ConfigIssue> {
    let mut issues = Vec::new();
    let mut warn = |function, issue: String| issues.push(ConfigIssue::warning(issue).logged_by(function));
    let is_default = |value: &str| value.eq_ignore_ascii_case("default");
    let explicit_default = |option: &str| {
        format!(
            "Support for setting {option} to the explicit value 'default' is deprecated and will be removed in a future \
             release (just leave it unset)"
        )
    };
    let value_of = |option: &str| meta.get(option).map(|value| &**value);
    if let Some(value) = value_of("priority").filter(|value| parse_score(value).is_none()) {
        warn(
            "unpack_priority",
            format!(
                "Using default (0) for resource {name} priority because '{value}' is not a valid value: Bad input value \
                 provided"
            ),
        );
    }
    match value_of("is-managed") {
        Some(value) if is_default(value) => warn("pe__unpack_resource", explicit_default("is-managed")),
        _ => {}
    }
    if let Some(value) = value_of("multiple-active") {
        let known = ["stop_only", "block", "stop_unexpected", "stop_start"];
        if !known.iter().any(|known| value.eq_ignore_ascii_case(known)) {
            let issue =
                format!("{value} is not a valid value for multiple-active, using default of \"stop_start\"");
            warn("pe__unpack_resource", issue);
        }
    }
    match value_of("resource-stickiness") {
        Some(value) if is_default(value) => {
            warn("unpack_stickiness", explicit_default("resource-stickiness"))
        }
        Some(value) if parse_score(value).is_none() => warn(
            "unpack_stickiness",
            format!(
                "Using default (0) for resource {name} resource-stickiness because '{value}' is not a valid value: Bad \
                 input value provided"
            ),
        ),
        _ => {}
    }
    match value_of("migration-threshold") {
        Some(value) if is_default(value) => {
            warn("unpack_migration_threshold", explicit_default("migration-threshold"));
        }
        Some(value) if parse_score(value).is_none_or(|score| score.value() < 0) => {
            let why = if parse_score(value).is_none() { "Bad input value provided" } else { "OK" };
            warn(
                "unpack_migration_threshold",
                format!(
                    "Using default (INFINITY) for resource {name} meta-attribute migration-threshold because '{value}' is \
                     not a valid value: {why}"
                ),
            );
        }
        _ => {}
    }
    issues
}

impl Cluster {
    /// Reads all resources, and those that are not configured but follow from others.
    pub(super) fn unpack_resources(&mut self, implicit: Vec<Element>) {
        let Some(section) = self.section("resources") else { return };
        for element in section.elements().chain(&implicit) {
            let Some(id) = element.id().filter(|id| !id.is_empty()) else {
                let issue = format!("Ignoring <{}> resource without id", element.name());
                self.note_issue(ConfigIssue::error(issue));
                continue;
            };
            match element.name() {
                "template" => {
                    self.tags.entry(Arc::from(id)).or_default();
                }
                kind @ ("primitive" | "group" | "clone" | "bundle") => {
                    match self.unpack_resource(element, None) {
                        Some(resource) => self.top.push(resource),
                        None => self.note_issue(ConfigIssue::error(format!(
                            "Ignoring <{kind}> resource '{id}' because configuration is invalid"
                        ))),
                    }
                }
                other => {
                    let issue = format!("Ignoring <{other}> resource '{id}' because it is of no known kind");
                    self.note_issue(ConfigIssue::error(issue));
                }
            }
        }
        self.link_containers_and_nodes();
        let resources = &self.resources;
        let priority = |id: &ResourceId| std::cmp::Reverse(resources[id.index()].state.priority);
        self.top.sort_by_key(priority);
        if self.options.fencing_enabled && !self.have_fencing {
            let issue = ConfigIssue::error(
                "Resource start-up disabled since no fencing resources have been defined. Either configure some or \
                 disable fencing with the fencing-enabled option. NOTE: Clusters with shared data need fencing to \
                 ensure data integrity.",
            );
            self.note_issue(issue.logged_by("unpack_resources"));
        }
    }

    /// Reads a resource with all that is in it; `None` if it cannot be used.
    pub(super) fn unpack_resource(
        &mut self,
        original: &Element,
        parent: Option<ResourceId>,
    ) -> Option<ResourceId> {
        let base = original.id()?.to_owned();
        let xml = self.with_template(original, &base)?;
        let id = match xml.attr("clone") {
            Some(number) if parent.is_some() => format!("{base}:{number}"),
            _ => base,
        };
        if self.by_id.contains_key(id.as_str()) {
            self.note_issue(ConfigIssue::error(format!("Ignoring second resource '{id}' of the same id")));
            return None;
        }
        let index = self.new_resource(&xml, &id, parent);
        self.by_id.insert(Arc::from(id.as_str()), index);
        self.read_meta(index);
        self.read_state(index);
        let usable = match self.resource(index).variant {
            Variant::Primitive => self.is_usable_in_clone(index),
            Variant::Group => self.unpack_members(index, &xml),
            Variant::Clone => self.unpack_clone(index, &xml),
            Variant::Bundle => self.unpack_bundle(index, &xml),
        };
        if !usable {
            self.forget_resources_from(index);
            return None;
        }
        self.allow_default_nodes(index);
        if xml.attr("template").is_none()
            && let Some(template) = original.attr("template")
        {
            let derived = self.tags.entry(Arc::from(template)).or_default();
            let base = Arc::from(original.id().unwrap_or_default());
            if !derived.contains(&base) {
                derived.push(base);
            }
        }
        Some(index)
    }

    /// Adds a resource to the arena, as its element alone says.
    fn new_resource(&mut self, xml: &Element, id: &str, parent: Option<ResourceId>) -> ResourceId {
        let variant = match xml.name() {
            "group" => Variant::Group,
            "clone" => Variant::Clone,
            "bundle" => Variant::Bundle,
            _ => Variant::Primitive,
        };
        let operations = Cluster::configured_operations(&self.cib, xml);
        let agent = (variant == Variant::Primitive).then(|| Agent {
            class: Arc::from(xml.attr("class").unwrap_or_default()),
            provider: xml.attr("provider").map(Arc::from),
            name: Arc::from(xml.attr("type").unwrap_or_default()),
        });
        let index = ResourceId::new(self.resources.len());
        self.resources.push(Resource {
            id: Arc::from(id),
            history_id: None,
            variant,
            parent,
            children: Vec::new(),
            xml: xml.clone(),
            operations,
            agent,
            meta: Parameters::new(),
            utilization: Parameters::new(),
            instances: InstanceTerms::default(),
            replicas: Vec::new(),
            possible_on: Vec::new(),
            state: ResourceState { role: Role::Stopped, ..ResourceState::default() },
            work: Work { unassigned: true, ..Work::default() },
        });
        index
    }

    /// Takes back a resource that cannot be used, with all that was read in it.
    fn forget_resources_from(&mut self, index: ResourceId) {
        self.resources.truncate(index.index());
        self.by_id.retain(|_, id| *id < index);
    }

    fn unpack_members(&mut self, group: ResourceId, xml: &Element) -> bool {
        let truth = |meta: &Parameters, name: &str| {
            meta.get(name).and_then(|value| parse_bool(value)).unwrap_or(true)
        };
        let resource = self.resource_mut(group);
        resource.work.ordered = truth(&resource.meta, "ordered");
        resource.work.colocated = truth(&resource.meta, "collocated");
        for (option, is_set) in [("ordered", resource.work.ordered), ("collocated", resource.work.colocated)]
        {
            if !is_set {
                self.note_once(format!(
                    "Support for the '{option}' group meta-attribute is deprecated and will be removed in a future release \
                     (use a resource set instead)"
                ));
            }
        }
        for element in xml.elements_named("primitive") {
            let mut element = element.clone();
            element.set_attr_opt("clone", xml.attr("clone"));
            if let Some(member) = self.unpack_resource(&element, Some(group)) {
                self.resource_mut(group).children.push(member);
            }
        }
        if self.resource(group).children.is_empty() {
            let issue = format!("Group {} has no members", self.resource(group).id);
            self.note_issue(ConfigIssue::error(issue));
            return false;
        }
        true
    }

    // --- templates ------------------------------------------------------------------------------------------------

    /// The resource's element with what its template holds; `None` if the template cannot be used.
    fn with_template(&mut self, original: &Element, id: &str) -> Option<Element> {
        let Some(reference) = original.attr("template") else { return Some(original.clone()) };
        let section = self.section("resources");
        let template = section.as_ref().and_then(|s| s.child_with_id("template", reference));
        let Some(template) = template.filter(|_| reference != id) else {
            let issue = format!("Ignoring resource '{id}' because template '{reference}' cannot be used");
            self.note_issue(ConfigIssue::error(issue));
            return None;
        };
        let mut merged = Element::new(original.name_shared().clone());
        merged.replace_attrs(template);
        merged.set_attr("id", id);
        merged.set_attr_opt("clone", original.attr("clone"));
        let own_operations = original.child("operations");
        for child in template.elements() {
            // With operations of its own, the template's are only what they leave open.
            if child.name() != "operations" || own_operations.is_none() {
                merged.push(child.clone());
            }
        }
        for child in original.elements() {
            let is_operations = child.name() == "operations";
            match template.child("operations").filter(|_| is_operations) {
                Some(theirs) => merged.push(merge_operations(child, theirs)),
                None => merged.push(child.clone()),
            }
        }
        Some(merged)
    }

    // --- meta-attributes and what follows from them ---------------------------------------------------------------

    fn read_meta(&mut self, id: ResourceId) {
        let mut meta = Parameters::new();
        let mut utilization = Parameters::new();
        let mut news = RuleNews::since(self.recheck_by);
        let resource = self.resource(id);
        for attribute in resource.xml.attributes() {
            meta.insert(Arc::from(attribute.name().as_str()), Arc::from(attribute.value()));
        }
        let plain = rule_input(self.now, &self.cib);
        let input = Input {
            standard: resource.xml.attr("class"),
            provider: resource.xml.attr("provider"),
            agent: resource.xml.attr("type"),
            ..plain
        };
        unpack_blocks(&resource.xml, "meta_attributes", &input, &mut news, &mut meta);
        let mut ancestor = resource.parent;
        let mut inherited = Parameters::new();
        while let Some(parent) = ancestor {
            unpack_blocks(&self.resource(parent).xml, "meta_attributes", &input, &mut news, &mut inherited);
            ancestor = self.resource(parent).parent;
        }
        for (name, value) in inherited {
            meta.entry(name).or_insert(value);
        }
        if let Some(defaults) = &self.defaults.resources {
            unpack_blocks(defaults, "meta_attributes", &input, &mut news, &mut meta);
        }
        if let Some(parent) = resource.parent {
            for (name, value) in &self.resource(parent).meta {
                meta.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        unpack_blocks(&resource.xml, "utilization", &plain, &mut news, &mut utilization);
        self.heed(news);
        let resource = self.resource_mut(id);
        resource.meta = meta;
        resource.utilization = utilization;
    }

    fn read_state(&mut self, id: ResourceId) {
        let resource = self.resource(id);
        let meta = |name: &str| resource.meta.get(name).map(|value| &**value);
        let mut state = resource.state.clone();
        let mut work = resource.work.clone();
        let score = |name: &str| meta(name).and_then(parse_score);
        state.managed = !self.options.maintenance_mode;
        state.priority = score("priority").unwrap_or_default().value();
        state.critical = meta("critical").is_none_or(|value| is_true(Some(value)));
        work.remote_connection = is_connection(&resource.xml);
        let is_guest = meta("container").is_some();
        // A connection can go elsewhere while what is behind it runs on; unless told otherwise, it does.
        let floats = work.remote_connection && !is_guest && meta("allow-migrate").is_none();
        state.migratable = is_true(meta("allow-migrate")) || floats;
        if let Some(value) = meta("is-managed").filter(|value| !value.eq_ignore_ascii_case("default")) {
            state.managed = is_true(Some(value));
        }
        if is_true(meta("maintenance")) || self.options.maintenance_mode {
            state.managed = false;
            state.maintenance = true;
        }
        work.multiply_active = match meta("multiple-active").map(str::to_ascii_lowercase).as_deref() {
            Some("stop_only") => MultiplyActive::StopOnly,
            Some("block") => MultiplyActive::Block,
            Some("stop_unexpected") => MultiplyActive::StopUnexpected,
            _ => MultiplyActive::Restart,
        };
        state.stickiness = score("resource-stickiness").unwrap_or_default();
        let threshold = score("migration-threshold").filter(|threshold| threshold.value() >= 0);
        state.migration_threshold = threshold.unwrap_or(Score::INFINITY).value();
        state.failure_timeout_ms = interval_ms(meta("failure-timeout"));
        work.notify = is_true(meta("notify"));
        work.interleave = is_true(meta("interleave"));
        let in_clone = self.resource(self.top_of(id)).variant == Variant::Clone;
        state.unique = !in_clone || clones::is_unique(&resource.meta);
        work.promotable = in_clone && is_true(meta("promotable"));
        let class = resource.xml.attr("class").unwrap_or_default();
        state.fence_device = class.eq_ignore_ascii_case("stonith");
        let is_remote = work.remote_connection;
        let requires = meta("requires").map(str::to_owned);
        let name = resource.id.clone();
        let issues = doubtful_meta(&resource.meta, &name);
        self.have_fencing |= state.fence_device;
        issues.into_iter().for_each(|issue| self.note_issue(issue));
        self.read_requires(&mut state, requires.as_deref(), is_remote, &name);
        *self.state_mut(id) = state;
        *self.work_mut(id) = work;
        if let Some(role) = self.target_role(id, true) {
            self.state_mut(id).next_role = role;
        }
        if is_remote && !is_guest {
            self.read_reconnect_interval(id);
        }
    }

    /// With a reconnect interval, a connection is not tried again before its failure has expired.
    fn read_reconnect_interval(&mut self, id: ResourceId) {
        let parameters = self.parameters(id, None);
        if let Some(value) = parameters.get("reconnect_interval") {
            let interval = interval_ms(Some(value));
            self.work_mut(id).reconnect_ms = interval;
            self.state_mut(id).failure_timeout_ms = interval;
        }
    }

    fn read_requires(&mut self, state: &mut ResourceState, value: Option<&str>, is_remote: bool, name: &str) {
        let fencing = self.options.fencing_enabled;
        let default = if state.fence_device || is_remote {
            "quorum"
        } else if self.unfencing {
            "unfencing"
        } else if fencing {
            "fencing"
        } else if self.options.quorum_policy == QuorumPolicy::Ignore {
            "nothing"
        } else {
            "quorum"
        };
        let lower = value.map(str::to_ascii_lowercase);
        let chosen = match lower.as_deref() {
            Some(known @ ("nothing" | "quorum" | "fencing" | "unfencing")) => known,
            Some(other) => {
                let issue =
                    format!("Resetting 'requires' for {name} to '{default}' because '{other}' is not valid");
                self.note_issue(ConfigIssue::error(issue).logged_by("unpack_requires"));
                default
            }
            None => default,
        };
        let warn = |cluster: &mut Cluster, issue: String| {
            cluster.note_issue(ConfigIssue::warning(issue).logged_by("unpack_requires"));
        };
        match chosen {
            "quorum" => state.needs_quorum = true,
            "fencing" => {
                state.needs_fencing = true;
                if !fencing {
                    warn(self, format!("{name} requires fencing but fencing is disabled"));
                }
            }
            "unfencing" if state.fence_device || !fencing => {
                state.needs_quorum = true;
                let why = if state.fence_device {
                    "fencing devices cannot require unfencing"
                } else {
                    "fencing is disabled"
                };
                warn(self, format!("Resetting \"requires\" for {name} to \"quorum\" because {why}"));
            }
            "unfencing" => {
                state.needs_fencing = true;
                state.needs_unfencing = true;
            }
            _ => {}
        }
    }

    /// The role the administrator limits a resource to, if it is less than it could be.
    pub(crate) fn target_role(&mut self, id: ResourceId, report: bool) -> Option<Role> {
        let resource = self.resource(id);
        let value = resource.meta.get("target-role")?.clone();
        if value.eq_ignore_ascii_case("started") || value.eq_ignore_ascii_case("default") {
            return None;
        }
        let promotable = self.work(self.top_of(id)).promotable;
        let name = resource.id.clone();
        match value.parse::<Role>() {
            Ok(Role::Unknown) | Err(_) => {
                if report {
                    let issue = format!("Ignoring 'target-role' for {name} because '{value}' is not valid");
                    self.note_issue(ConfigIssue::error(issue));
                }
                None
            }
            Ok(role) if role <= Role::Started => Some(role),
            Ok(Role::Unpromoted) if promotable => Some(Role::Unpromoted),
            Ok(_) if promotable => None,
            Ok(role) => {
                if report {
                    let issue = format!(
                        "Ignoring 'target-role' for {name} because '{role}' only makes sense for promotable clones"
                    );
                    self.note_issue(ConfigIssue::error(issue));
                }
                None
            }
        }
    }

    // --- what it thinks of the nodes ------------------------------------------------------------------------------

    fn allow_default_nodes(&mut self, id: ResourceId) {
        let work = self.work(id);
        let guest = work.remote_connection && self.resource(id).meta.contains_key("container");
        let symmetric = self.options.symmetric;
        // A connection goes where its container is, wherever that may be.
        let allow = symmetric || guest;
        let fill = |node: &crate::Node, known: Option<Allowed>| {
            let never = node.state.unborn || symmetric && node.state.never_probed;
            known.or_else(|| (allow && !never).then(|| node.state.as_allowed()))
        };
        let mut known = std::mem::take(&mut self.work_mut(id).allowed);
        known.resize(self.nodes.len(), None);
        let table: NodeTable = self.nodes.iter().zip(known).map(|(node, known)| fill(node, known)).collect();
        self.work_mut(id).allowed = table;
        self.account_changes(id, || Cause::Node);
    }

    /// Adds to what a resource and all in it think of a node, or of all nodes.
    pub(crate) fn add_location(
        &mut self,
        id: ResourceId,
        node: Option<NodeId>,
        score: Score,
        cause: impl FnOnce() -> Cause,
    ) {
        let cause = self.ledger.cause(cause);
        let nodes: Vec<NodeId> = match node {
            Some(node) => vec![node],
            None => self.born_nodes(),
        };
        for &node in &nodes {
            self.add_node_score(id, node, score, cause);
        }
        if node.is_none() && score == Score::MINUS_INFINITY {
            self.work_mut(id).assigned = None;
        }
    }

    fn add_node_score(&mut self, id: ResourceId, node: NodeId, score: Score, cause: Option<CauseId>) {
        for index in 0..self.resource(id).children.len() {
            let child = self.resource(id).children[index];
            self.add_node_score(child, node, score, cause);
        }
        let fresh = self.node(node).state.as_allowed();
        if let Some(entry) = self.work_mut(id).allowed.get_mut(node.index()) {
            let allowed = entry.get_or_insert(fresh);
            allowed.score = add_scores(allowed.score, score.value());
        }
        self.account_term(id, node, score.value(), cause);
    }

    /// Nothing may run this resource.
    pub(super) fn ban_everywhere(&mut self, id: ResourceId, cause: impl FnOnce() -> Cause) {
        let score = Score::MINUS_INFINITY.value();
        let banned = |node: &crate::Node| Allowed { score, ..node.state.as_allowed() };
        let table = self.nodes.iter().map(|node| (!node.state.unborn).then(|| banned(node))).collect();
        self.work_mut(id).allowed = table;
        self.account_changes(id, cause);
    }

    // --- tags -----------------------------------------------------------------------------------------------------

    pub(super) fn unpack_tags(&mut self) {
        let Some(section) = self.section("tags") else { return };
        for tag in section.elements_named("tag") {
            let Some(id) = tag.id() else { continue };
            let references = tag.elements_named("obj_ref").filter_map(Element::id).map(Arc::from);
            let known = self.tags.entry(Arc::from(id)).or_default();
            for reference in references {
                if !known.contains(&reference) {
                    known.push(reference);
                }
            }
        }
    }
}

/// The sum of two scores that may be beyond the infinities.
pub(crate) fn add_scores(a: i32, b: i32) -> i32 {
    (Score::new(i64::from(a)) + Score::new(i64::from(b))).value()
}

/// A resource's operations with those of its template that it does not have.
fn merge_operations(own: &Element, template: &Element) -> Element {
    let key = |op: &Element| {
        let role = op.attr("role").and_then(|role| role.parse::<Role>().ok());
        let role =
            role.filter(|role| !matches!(role, Role::Started | Role::Unpromoted)).unwrap_or(Role::Unknown);
        (op.attr("name").unwrap_or_default().to_owned(), role)
    };
    let known: BTreeSet<(String, Role)> = own.elements().map(key).collect();
    let inherited = template.elements().filter(|op| !known.contains(&key(op)));
    own.clone().with_children(inherited.cloned().map(Node::from))
}
