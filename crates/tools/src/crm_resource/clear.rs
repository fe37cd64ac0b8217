// SPDX-License-Identifier: GPL-2.0-or-later
//! Taking back what moving and banning made.

use super::refused;
use super::site::Site;
use crate::cib_access::Refused;
use crate::date;
use crate::failure::Failure;
use crate::output::Output;
use ::cib::Operation;
use messages::cib::option;
use model::ExitCode;
use rules::DateTime;
use std::collections::BTreeSet;
use xml::Element;

/// Which of a resource's constraints are taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    /// Bans, besides preferences.
    pub bans: bool,
    /// Preferences for whatever node.
    pub force: bool,
}

/// All of them, those for one node, or those whose time is over; and tells which.
pub(super) fn clear(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let before = ids(&site.cluster.cib);
    if site.options.expired {
        clear_expired(site)?;
    } else {
        let name = site.requested().to_owned();
        let nodes = match site.node {
            Some(node) => vec![site.node_name(node).to_owned()],
            None => all_nodes(site),
        };
        clear_for(site, &name, &nodes, Which { bans: true, force: site.options.force })?;
    }
    if out.is_quiet() {
        return Ok(ExitCode::OK);
    }
    let after = ids(&site.session.query()?);
    before.difference(&after).try_for_each(|id| out.info(format_args!("Removing constraint: {id}")))?;
    Ok(ExitCode::OK)
}

pub(super) fn all_nodes(site: &Site<'_>) -> Vec<String> {
    site.cluster.nodes.iter().map(|node| node.name.to_string()).collect()
}

fn constraints(cib: &Element) -> impl Iterator<Item = &Element> {
    let section = cib.descend(&["configuration", "constraints"]);
    section.into_iter().flat_map(|section| section.elements_named("rsc_location"))
}

fn ids(cib: &Element) -> BTreeSet<String> {
    constraints(cib).filter_map(Element::id).map(str::to_owned).collect()
}

/// Takes back what is for some nodes.
pub(super) fn clear_for(
    site: &mut Site<'_>,
    resource: &str,
    nodes: &[String],
    which: Which,
) -> Result<(), Failure> {
    let cib = site.session.query()?;
    let prefer = format!("cli-prefer-{resource}");
    let preferred = constraints(&cib).find(|constraint| constraint.id() == Some(&prefer));
    let known = ids(&cib);
    let mut preferred = preferred.map(|constraint| (constraint, preferred_node(constraint, resource)));
    for node in nodes {
        let mut gone = Vec::new();
        let ban = format!("cli-ban-{resource}-on-{node}");
        if which.bans && known.contains(&ban) {
            gone.push(ban);
        }
        let fits = |(_, target): &(&Element, Option<&str>)| which.force || *target == Some(node);
        if preferred.take_if(|preferred| fits(preferred)).is_some() {
            gone.push(prefer.clone());
        }
        remove(site, gone)?;
    }
    Ok(())
}

/// The node that a preference is for, whether it says so itself or by a rule.
fn preferred_node<'c>(constraint: &'c Element, resource: &str) -> Option<&'c str> {
    let rule_id = format!("cli-prefer-rule-{resource}");
    let rules = constraint.elements_named("rule").filter(|rule| rule.id() == Some(&rule_id));
    let by_rule = rules.flat_map(expressions).find_map(uname);
    constraint.attr("node").or(by_rule)
}

fn expressions(rule: &Element) -> impl Iterator<Item = &Element> {
    rule.elements_named("expression")
}

fn uname(expression: &Element) -> Option<&str> {
    expression.attr("value").filter(|_| expression.attr("attribute") == Some("#uname"))
}

fn remove(site: &mut Site<'_>, gone: Vec<String>) -> Result<(), Failure> {
    if gone.is_empty() {
        return Ok(());
    }
    let gone = gone.into_iter().map(|id| Element::new("rsc_location").with_attr("id", id));
    let data = Element::new("constraints").with_children(gone);
    let answer = site.session.attempt(Operation::Delete, option::NONE, "constraints", data)?;
    answer.map_err(|Refused { rc, .. }| refused(rc))
}

/// Takes back what had a lifetime that is over: of the named resource, for the named node, or all.
fn clear_expired(site: &mut Site<'_>) -> Result<(), Failure> {
    let cib = site.cluster.cib.clone();
    let now = date::here_and_now();
    for constraint in constraints(&cib) {
        let Some(id) = constraint.id() else { continue };
        let end_id = if id.starts_with("cli-ban-") {
            format!("{id}-lifetime")
        } else if id.starts_with("cli-prefer-") {
            format!("cli-prefer-lifetime-end-{}", constraint.attr("rsc").unwrap_or_default())
        } else {
            continue;
        };
        let expired = constraint.elements_named("rule").any(|rule| {
            let for_node = site.node.is_none_or(|node| {
                expressions(rule).any(|expression| uname(expression) == Some(site.node_name(node)))
            });
            for_node && is_over(rule, &end_id, &now)
        });
        if expired && is_meant(site, constraint) {
            remove(site, vec![id.to_owned()])?;
        }
    }
    Ok(())
}

fn is_meant(site: &Site<'_>, constraint: &Element) -> bool {
    let resource = site.options.resource.as_deref();
    let promoted = matches!(constraint.attr("role"), Some("Promoted" | "Master"));
    resource.is_none_or(|name| constraint.attr("rsc") == Some(name))
        && (promoted || !site.options.promoted_only())
}

fn is_over(rule: &Element, end_id: &str, now: &DateTime) -> bool {
    let mut dates = rule.descendants().filter(|element| element.name() == "date_expression");
    let end = dates.find(|date| date.id() == Some(end_id)).and_then(|date| date.attr("end"));
    // What cannot be read is never over.
    let end = end.and_then(|end| DateTime::parse(end, now).ok());
    end.is_some_and(|end| now.epoch_s() > end.epoch_s())
}
