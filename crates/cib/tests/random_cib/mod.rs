// SPDX-License-Identifier: GPL-2.0-or-later
//! Configurations made at random of what upgrades touch: old names, sets of attributes in all places, references,
//! rules, lifetimes, and resources that are gone.

use cib::schema::{SchemaVersion, is_valid_for};
use model::Profile;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use xml::{Element, Node};

/// Marks a reference; its value says which of those that fit.
const PICK: &str = "pick";

const PAIRS: [&str; 34] = [
    "keep",
    "timeout",
    "requires",
    "on-fail",
    "role",
    "start-delay",
    "enabled",
    "record-pending",
    "interval-origin",
    "target-role",
    "migration-threshold",
    "is-managed",
    "isolation",
    "isolation-host",
    "resource-failure-stickiness",
    "resource_failure_stickiness",
    "pcmk_arg_map",
    "pcmk_off_cmd",
    "pcmk_list_cmd",
    "default-action-timeout",
    "default_action_timeout",
    "default-resource-stickiness",
    "is_managed_default",
    "default-resource-failure-stickiness",
    "expected-quorum-votes",
    "cluster-infrastructure",
    "stonith_enabled",
    "stonith-action",
    "crmd-transition-delay",
    "crmd-integration-timeout",
    "remove-after-stop",
    "restart-type",
    "can_fail",
    "role_after_failure",
];

const VALUES: [&str; 9] =
    ["-INFINITY", "1", "#default", "port:plug", "port:a,b", "cman", "poweroff", "v", ""];

const SCORES: [&str; 8] = ["INFINITY", "+INFINITY", "-INFINITY", "5", "100", "0", "-7", "+9"];

const SETS: [&str; 2] = ["meta_attributes", "instance_attributes"];

fn element(name: &str, attributes: &[(&'static str, &str)]) -> Element {
    let named = Element::new(xml::Name::new(name));
    attributes.iter().fold(named, |element, (name, value)| element.with_attr(*name, value))
}

/// What is to be the child's place among others in the end does not matter here.
fn holding(parent: Element, children: Vec<Element>) -> Element {
    parent.with_children(children)
}

fn reference(name: &'static str) -> impl Strategy<Value = Element> {
    (0..9u8).prop_map(move |pick| element(name, &[(PICK, &pick.to_string())]))
}

fn pair() -> impl Strategy<Value = Element> {
    prop_oneof![
        8 => (select(&PAIRS[..]), option::weighted(0.95, select(&VALUES[..]))).prop_map(|(name, value)| {
            let mut pair = element("nvpair", &[("name", name)]);
            pair.set_attr_opt("value", value);
            pair
        }),
        1 => reference("nvpair"),
    ]
}

fn rule() -> impl Strategy<Value = Element> {
    let expression = prop_oneof![
        Just(element("expression", &[("attribute", "a"), ("operation", "defined")])),
        option::of(Just("1")).prop_map(|moon| {
            let mut spec = element("date_spec", &[("hours", "9-17")]);
            spec.set_attr_opt("moon", moon);
            element("date_expression", &[("operation", "date_spec")]).with_child(spec)
        }),
    ];
    prop_oneof![
        6 => vec(expression, 1..3).prop_map(|all| holding(element("rule", &[("score", "10")]), all)),
        1 => reference("rule"),
    ]
}

fn set_of(name: &'static str) -> BoxedStrategy<Element> {
    let own = (
        option::weighted(0.2, rule()),
        vec((any::<bool>(), pair()), 0..4),
        option::weighted(0.3, select(&SCORES[..])),
    );
    let own = own.prop_map(move |(rule, pairs, score)| {
        let mut set = element(name, &[]);
        set.set_attr_opt("score", score);
        set.extend(rule);
        for (comment, pair) in pairs {
            if comment {
                set.push(Node::Comment("about the next".into()));
            }
            set.push(pair);
        }
        set
    });
    prop_oneof![6 => own, 1 => reference(name)].boxed()
}

fn sets(at_most: usize) -> BoxedStrategy<Vec<Element>> {
    vec(select(&SETS[..]).prop_flat_map(set_of), 0..=at_most).boxed()
}

fn primitive() -> BoxedStrategy<Element> {
    let op = (select(&["start", "promote", "stop", "monitor"][..]), option::of(Just("fencing")), sets(2));
    let op = op.prop_map(|(name, requires, sets)| {
        let mut op = element("op", &[("name", name), ("interval", "0")]);
        op.set_attr_opt("requires", requires);
        holding(op, sets)
    });
    let class = select(&["lsb", "lsb", "lsb", "nagios", "upstart"][..]);
    (class, option::of(vec(op, 1..3)), sets(2))
        .prop_map(|(class, ops, sets)| {
            let mut primitive = element("primitive", &[("class", class), ("type", "x")]);
            primitive.extend(ops.map(|ops| holding(element("operations", &[]), ops)));
            holding(primitive, sets)
        })
        .boxed()
}

fn resource() -> impl Strategy<Value = Element> {
    let holder = (select(&["group", "clone", "master"][..]), primitive(), sets(1));
    prop_oneof![
        4 => primitive(),
        2 => holder.prop_map(|(name, one, sets)| {
            holding(holding(element(name, &[]), sets), vec![one])
        }),
    ]
}

fn constraint() -> impl Strategy<Value = Element> {
    let kinds = select(&["location", "rules", "colocation", "order"][..]);
    let lifetime = option::weighted(0.3, vec(rule(), 1..3));
    (kinds, 0..9u8, 0..9u8, lifetime, vec(rule(), 1..3)).prop_map(|(kind, one, other, lifetime, rules)| {
        let (one, other) = (format!("{PICK} {one}"), format!("{PICK} {other}"));
        let mut constraint = match kind {
            "location" => element("rsc_location", &[("rsc", &one), ("node", "n1"), ("score", "5")]),
            "rules" => holding(element("rsc_location", &[("rsc", &one)]), rules),
            "colocation" => element("rsc_colocation", &[("rsc", &one), ("with-rsc", &other), ("score", "5")]),
            _ => element("rsc_order", &[("first", &one), ("then", &other)]),
        };
        constraint.extend(lifetime.map(|rules| holding(element("lifetime", &[]), rules)));
        constraint
    })
}

/// A CIB; valid under some version most of the time, its claim being the oldest of all.
pub fn cib() -> impl Strategy<Value = Element> {
    let node = select(&["normal", "member", "ping"][..])
        .prop_map(|kind| element("node", &[("type", kind), ("uname", "?")]));
    let defaults = |name: &'static str| {
        option::weighted(
            0.4,
            vec(set_of("meta_attributes"), 0..3).prop_map(move |sets| holding(element(name, &[]), sets)),
        )
    };
    (
        vec(set_of("cluster_property_set"), 0..3),
        vec(node, 0..3),
        vec(resource(), 0..4),
        vec(constraint(), 0..3),
        defaults("op_defaults"),
        defaults("rsc_defaults"),
    )
        .prop_map(|(properties, nodes, resources, constraints, ops, resource_defaults)| {
            let section = |name, content| holding(element(name, &[]), content);
            let mut configuration = element("configuration", &[])
                .with_child(section("crm_config", properties))
                .with_child(section("nodes", nodes))
                .with_child(section("resources", resources))
                .with_child(section("constraints", constraints));
            configuration.extend(ops);
            configuration.extend(resource_defaults);
            let root = [
                ("crm_feature_set", "3.0.1"),
                ("validate-with", "pacemaker-1.0"),
                ("admin_epoch", "0"),
                ("epoch", "1"),
                ("num_updates", "0"),
            ];
            element("cib", &root).with_child(identified(&configuration)).with_child(Element::new("status"))
        })
}

/// With ids for all that have one, and references to what is there.
fn identified(configuration: &Element) -> Element {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let named = numbered(configuration, &mut 0, &mut ids);
    resolved(&named, &ids).unwrap_or(named)
}

fn is_resource(name: &str) -> bool {
    matches!(name, "primitive" | "group" | "clone" | "master")
}

fn numbered(element: &Element, next: &mut usize, ids: &mut BTreeMap<String, Vec<String>>) -> Element {
    let mut new = element.without_children();
    let has_id = !matches!(
        element.name(),
        "configuration"
            | "crm_config"
            | "nodes"
            | "resources"
            | "constraints"
            | "op_defaults"
            | "rsc_defaults"
            | "lifetime"
            | "operations"
    );
    if has_id && element.attr(PICK).is_none() {
        *next += 1;
        let id = format!("i{next}");
        if element.name() == "node" {
            new.set_attr("uname", format!("n{next}"));
        }
        if element.name() == "op" {
            new.set_attr("interval", format!("{next}s"));
        }
        let kind = if is_resource(element.name()) { "resource" } else { element.name() };
        ids.entry(kind.to_owned()).or_default().push(id.clone());
        new.set_attr("id", id);
    }
    for child in element.children().iter() {
        match child {
            Node::Element(child) => new.push(numbered(child, next, ids)),
            other => new.push(other.clone()),
        }
    }
    new
}

/// The element with its references; none if there is nothing that it could refer to.
fn resolved(element: &Element, ids: &BTreeMap<String, Vec<String>>) -> Option<Element> {
    let chosen = |kind: &str, pick: &str| {
        let ids = ids.get(kind)?;
        ids.get(pick.parse::<usize>().ok()? % ids.len())
    };
    let mut new = element.without_children();
    if let Some(pick) = element.attr(PICK) {
        let id = chosen(element.name(), pick)?;
        new.remove_attr(PICK);
        new.set_attr("id-ref", id);
    }
    for name in ["rsc", "with-rsc", "first", "then"] {
        if let Some(pick) = element.attr(name).and_then(|value| value.strip_prefix("pick ")) {
            new.set_attr(name, chosen("resource", pick)?);
        }
    }
    for child in element.children().iter() {
        match child {
            Node::Element(child) => new.extend(resolved(child, ids)),
            other => new.push(other.clone()),
        }
    }
    Some(new)
}

/// The CIB claiming a version it follows: the `pick`th of those, if there is any.
pub fn claiming(cib: &Element, pick: usize, profile: Profile) -> Option<Element> {
    let newest = SchemaVersion::newest(profile);
    let follows = |version: &SchemaVersion| *version <= newest && is_valid_for(cib, *version, profile);
    let versions: Vec<SchemaVersion> = SchemaVersion::ALL.into_iter().filter(follows).collect();
    let version = versions.get(pick % versions.len().max(1))?;
    Some(cib.clone().with_attr("validate-with", version))
}
