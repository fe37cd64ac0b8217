// SPDX-License-Identifier: GPL-2.0-or-later
//! Moving resources: constraints that make them prefer a node or keep off one, for good or for some time.

use super::clear::{Which, all_nodes, clear_for};
use super::refused;
use super::site::Site;
use crate::cib_access::Refused;
use crate::date;
use crate::failure::Failure;
use crate::output::Output;
use ::cib::Operation;
use messages::cib::option;
use model::{Duration, ExitCode, Role, StandardRc};
use rules::DateForm;
use scheduler::{NodeId, ResourceId, Variant};
use xml::Element;

/// Keeps a resource off a node: the given one, or the only one it is on.
pub(super) fn ban(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let node = match site.node {
        Some(node) => node,
        None => only_node(site)?,
    };
    keep_off_node(site, node, site.options.promoted_only(), out)
}

/// Moves a resource to a node, or away from the only one it is on.
pub(super) fn move_resource(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let Some(destination) = site.node else { return ban(site, out) };
    let (id, _) = site.resource()?;
    let (name, force) = (site.requested().to_owned(), site.options.force);
    let mut promoted = site.options.promoted_only();
    if promoted && !site.cluster.traits(id).promotable {
        out.info(format_args!("Ignoring --promoted option: {name} is not promotable"))?;
        promoted = false;
    }
    let active = if site.options.promoted_only() { "promoted" } else { "active" };
    let (current, count, of) = current(site, id, promoted);
    if count > 1 && site.cluster.resource(of).variant != Variant::Clone {
        return Err(refused(StandardRc::MULTIPLE));
    }
    let current = current.filter(|_| count <= 1);
    if current == Some(destination) && !force {
        return Err(refused(StandardRc::ALREADY));
    }
    let target = site.node_name(destination).to_owned();
    // An older wish, and an older ban from where it shall go, would be in the way.
    let nodes = all_nodes(site);
    clear_for(site, &name, &nodes, Which { bans: false, force })?;
    clear_for(site, &name, std::slice::from_ref(&target), Which { bans: true, force })?;
    let code = prefer(site, &name, &target, promoted, out)?;
    if !force || current == Some(destination) {
        return Ok(code);
    }
    if let Some(current) = current {
        keep_off_node(site, current, promoted, out)?;
    } else if count > 1 {
        out.info(format_args!(
            "Resource '{name}' is currently {active} in {count} locations. One may now move to {target}"
        ))?;
        out.info(format_args!(
            "To prevent '{name}' from being {active} at a specific location, specify a node"
        ))?;
    }
    Ok(code)
}

/// The node a resource is to be moved from, on how many it is, and which resource (or instance) was looked at.
fn current(site: &Site<'_>, id: ResourceId, promoted: bool) -> (Option<NodeId>, usize, ResourceId) {
    let (node, count) = site.cluster.node_and_risks(id);
    let instances = promoted_instances(site, id);
    match instances.last() {
        Some(&last) => (site.cluster.node_of(last), instances.len(), last),
        None if promoted => (None, 0, id),
        None => (node, count, id),
    }
}

fn promoted_instances(site: &Site<'_>, id: ResourceId) -> Vec<ResourceId> {
    if !site.cluster.traits(id).promotable {
        return Vec::new();
    }
    let instances = site.cluster.resource(id).children.iter().copied();
    instances.filter(|&instance| site.cluster.role_of(instance) == Role::Promoted).collect()
}

/// The one node a resource is on, or promoted on.
fn only_node(site: &Site<'_>) -> Result<NodeId, Failure> {
    let (id, _) = site.resource()?;
    let (name, (node, count)) = (site.requested(), site.cluster.node_and_risks(id));
    if let (1, Some(node)) = (count, node) {
        return Ok(node);
    }
    if !site.cluster.traits(id).promotable {
        return Err(Failure::usage(format_args!(
            "Resource '{name}' not moved: active in {count} locations.\n\
             To prevent '{name}' from running on a specific location, specify a node."
        )));
    }
    let promoted = promoted_instances(site, id);
    match promoted.as_slice() {
        &[instance] if let Some(node) = site.cluster.node_of(instance) => Ok(node),
        several => Err(Failure::usage(format_args!(
            "Resource '{name}' not moved: active in {count} locations (promoted in {}).\n\
             To prevent '{name}' from running on a specific location, specify a node.\
             To prevent '{name}' from being promoted at a specific location, specify a node and the --promoted option.",
            several.len()
        ))),
    }
}

fn keep_off_node(
    site: &mut Site<'_>,
    node: NodeId,
    promoted: bool,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let (name, node) = (site.requested().to_owned(), site.node_name(node).to_owned());
    keep_off(site, &name, &node, promoted, out)
}

/// The ids in a constraint with a rule.
struct Ids {
    constraint: String,
    rule: String,
    expression: String,
    end: String,
}

/// Keeps a resource off a node, and says what that means.
pub(super) fn keep_off(
    site: &mut Site<'_>,
    name: &str,
    node: &str,
    promoted: bool,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let id = format!("cli-ban-{name}-on-{node}");
    let ids = Ids {
        rule: format!("{id}-rule"),
        expression: format!("{id}-expr"),
        end: format!("{id}-lifetime"),
        constraint: id,
    };
    let doing = if promoted { "being promoted" } else { "running" };
    let warning = format!(
        "WARNING: Creating rsc_location constraint '{}' with a score of -INFINITY for resource {name} on {node}.\n\
         \tThis will prevent {name} from {doing} on {node} until the constraint is removed using the clear option or by \
         editing the CIB with an appropriate tool.\n\
         \tThis will be the case even if {node} is the last node in the cluster",
        ids.constraint
    );
    add(site, Wish { ids: &ids, name, node, score: "-INFINITY" }, promoted, Some(&warning), out)
}

fn prefer(
    site: &mut Site<'_>,
    name: &str,
    node: &str,
    promoted: bool,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let ids = Ids {
        constraint: format!("cli-prefer-{name}"),
        rule: format!("cli-prefer-rule-{name}"),
        expression: format!("cli-prefer-expr-{name}"),
        end: format!("cli-prefer-lifetime-end-{name}"),
    };
    add(site, Wish { ids: &ids, name, node, score: "INFINITY" }, promoted, None, out)
}

/// A resource, a node, and a score.
#[derive(Clone, Copy)]
struct Wish<'a> {
    ids: &'a Ids,
    name: &'a str,
    node: &'a str,
    score: &'static str,
}

impl Wish<'_> {
    fn constraint(self, role: &str, until: Option<&str>) -> Element {
        let Wish { ids, name, node, score } = self;
        let location = Element::new("rsc_location")
            .with_attr("id", &ids.constraint)
            .with_attr("rsc", name)
            .with_attr("role", role);
        let location = match until {
            None => location.with_attr("node", node).with_attr("score", score),
            Some(until) => {
                let here = Element::new("expression")
                    .with_attr("id", &ids.expression)
                    .with_attr("attribute", "#uname")
                    .with_attr("operation", "eq")
                    .with_attr("value", node)
                    .with_attr("type", "string");
                let end = Element::new("date_expression")
                    .with_attr("id", &ids.end)
                    .with_attr("operation", "lt")
                    .with_attr("end", until);
                let rule = Element::new("rule")
                    .with_attr("id", &ids.rule)
                    .with_attr("score", score)
                    .with_attr("boolean-op", "and");
                location.with_child(rule.with_child(here).with_child(end))
            }
        };
        Element::new("constraints").with_child(location)
    }
}

/// Adds a constraint; older schemas know the promoted role by another name.
fn add(
    site: &mut Site<'_>,
    wish: Wish<'_>,
    promoted: bool,
    warning: Option<&str>,
    out: &mut Output<'_>,
) -> Result<ExitCode, Failure> {
    let roles: &[&str] = if promoted { &["Promoted", "Master"] } else { &["Started"] };
    let mut first = None;
    for role in roles {
        let until = match &site.options.lifetime {
            None => None,
            Some(lifetime) => match end_of(lifetime, out)? {
                Some(until) => Some(until),
                None => return Ok(ExitCode::USAGE),
            },
        };
        if let Some(warning) = warning {
            out.info(warning)?;
        }
        let data = wish.constraint(role, until.as_deref());
        match site.session.attempt(Operation::Modify, option::NONE, "constraints", data)? {
            Ok(()) => return Ok(ExitCode::OK),
            Err(Refused { rc, .. }) => first = first.or(Some(rc)),
        }
    }
    Err(first.map_or_else(|| Failure::bare(ExitCode::ERROR), refused))
}

/// When a lifetime that begins now is over; none if it is no duration, which is told.
fn end_of(lifetime: &str, out: &mut Output<'_>) -> Result<Option<String>, Failure> {
    let Ok(duration) = Duration::parse(lifetime) else {
        out.error(format_args!(
            "Invalid duration specified: {lifetime}\n\
             Please refer to https://en.wikipedia.org/wiki/ISO_8601#Durations for examples of valid durations"
        ));
        return Ok(None);
    };
    let until = date::here_and_now().plus(&duration).text(DateForm::Calendar, true);
    out.info(format_args!("Migration will take effect until: {until}"))?;
    Ok(Some(until))
}
