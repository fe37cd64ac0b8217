// SPDX-License-Identifier: GPL-2.0-or-later
//! Which nodes a resource should (not) be on, and with which other resources; and, if that is wanted, where those should
//! be, and with whom, and so on.

use super::site::Site;
use crate::failure::Failure;
use crate::output::{Entry, Output};
use model::{ExitCode, Role, Score};
use scheduler::{Cluster, Companionship, Location, NodeId, ResourceId};
use std::collections::{BTreeMap, BTreeSet};

/// Which way colocations are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    /// To those that follow the resource.
    Dependents,
    /// To those that the resource follows.
    Primaries,
}

impl Towards {
    fn of(self, cluster: &Cluster, id: ResourceId) -> Vec<Companionship<'_>> {
        match self {
            Towards::Dependents => cluster.companions_following(id).collect(),
            Towards::Primaries => cluster.companions_followed(id).collect(),
        }
    }

    fn other(self, companionship: &Companionship<'_>) -> ResourceId {
        match self {
            Towards::Dependents => companionship.dependent,
            Towards::Primaries => companionship.primary,
        }
    }

    fn title(self, resource: &str) -> String {
        match self {
            Towards::Dependents => format!("Resources colocated with {resource}"),
            Towards::Primaries => format!("Resources {resource} is colocated with"),
        }
    }

    const fn role_word(self) -> &'static str {
        match self {
            Towards::Dependents => "needs",
            Towards::Primaries => "with",
        }
    }
}

pub(super) fn show(site: &Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let (id, _) = site.resource()?;
    // Constraints are of the whole group or clone.
    let id = if site.options.force { id } else { site.cluster.outermost(id) };
    let mut report = Report::new(&site.cluster, site.options.recursive);
    report.locations(id, 0);
    report.colocations(id, Towards::Dependents);
    report.colocations(id, Towards::Primaries);
    if out.is_text() {
        out.print(&report.text)?;
    } else {
        out.add_once(Entry::new("constraints").items(report.entries));
    }
    Ok(ExitCode::OK)
}

struct Report<'c> {
    cluster: &'c Cluster,
    recursive: bool,
    by_resource: BTreeMap<ResourceId, Vec<&'c Location>>,
    text: String,
    entries: Vec<Entry>,
}

/// One list of colocations that is being shown.
struct List<'c> {
    resource: ResourceId,
    /// How deep its title stands.
    depth: usize,
    left: std::vec::IntoIter<Companionship<'c>>,
    titled: bool,
}

impl<'c> Report<'c> {
    fn new(cluster: &'c Cluster, recursive: bool) -> Report<'c> {
        let mut by_resource: BTreeMap<ResourceId, Vec<&Location>> = BTreeMap::new();
        // What follows from node health is no constraint; and the one configured last comes first.
        for location in cluster.locations.iter().rev().filter(|location| location.constraint.is_some()) {
            by_resource.entry(location.resource).or_default().push(location);
        }
        Report { cluster, recursive, by_resource, text: String::new(), entries: Vec::new() }
    }

    fn line(&mut self, depth: usize, text: &str) {
        let bullet = if depth > 0 { "* " } else { "" };
        self.text.push_str(&format!("{:indent$}{bullet}{text}\n", "", indent = depth * 2));
    }

    fn locations(&mut self, id: ResourceId, depth: usize) {
        let cluster = self.cluster;
        let name = &*cluster.resource(id).id;
        let all: Vec<(&str, NodeId, Score)> = self
            .by_resource
            .get(&id)
            .into_iter()
            .flatten()
            .flat_map(|location| location.nodes.iter().map(|&(node, score)| (&*location.id, node, score)))
            .collect();
        if !all.is_empty() {
            self.line(depth, "Locations:");
        }
        for (constraint, node, score) in all {
            let node = &*cluster.node(node).name;
            self.line(depth + 1, &format!("Node {node} (score={score}, id={constraint}, rsc={name})"));
            self.entries.push(
                Entry::new("rsc_location")
                    .attr("node", node)
                    .attr("rsc", name)
                    .attr("id", constraint)
                    .attr("score", score.to_string()),
            );
        }
    }

    /// Lists within lists, as deep as the chain of colocations is long: so they are kept on a stack of their own.
    fn colocations(&mut self, id: ResourceId, towards: Towards) {
        let cluster = self.cluster;
        let list = |resource, depth| {
            let left = towards.of(cluster, resource).into_iter();
            List { resource, depth, left, titled: false }
        };
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![list(id, 0)];
        while let Some(current) = open.last_mut() {
            let Some(companionship) = current.left.next() else {
                open.pop();
                continue;
            };
            let (depth, resource) = (current.depth, current.resource);
            if !std::mem::replace(&mut current.titled, true) {
                let title = towards.title(&cluster.resource(resource).id);
                self.line(depth, &format!("{title}:"));
            }
            let other = towards.other(&companionship);
            self.colocation(&companionship, other, towards, depth + 1, seen.contains(&other));
            if seen.contains(&other) {
                continue;
            }
            self.locations(other, depth + 2);
            if self.recursive {
                seen.insert(other);
                open.push(list(other, depth + 2));
            }
        }
    }

    fn colocation(
        &mut self,
        companionship: &Companionship<'_>,
        other: ResourceId,
        towards: Towards,
        depth: usize,
        is_loop: bool,
    ) {
        let cluster = self.cluster;
        let name = |id: ResourceId| &*cluster.resource(id).id;
        let Companionship { id, dependent, primary, score, dependent_role, primary_role, attribute } =
            *companionship;
        let other = name(other);
        let text = if is_loop {
            format!("{other} (id={id} - loop)")
        } else if primary_role > Role::Started {
            format!("{other} (score={score}, {} role={primary_role}, id={id})", towards.role_word())
        } else {
            format!("{other} (score={score}, id={id})")
        };
        self.line(depth, &text);
        let role = |role: Role| (role != Role::Unknown).then(|| role.to_string());
        self.entries.push(
            Entry::new("rsc_colocation")
                .attr("id", id)
                .attr("rsc", name(dependent))
                .attr("with-rsc", name(primary))
                .attr("score", score.to_string())
                .attr("node-attribute", attribute)
                .attr_opt("rsc-role", role(dependent_role))
                .attr_opt("with-rsc-role", role(primary_role)),
        );
    }
}
