// SPDX-License-Identifier: GPL-2.0-or-later
//! Which resource a name means.

use super::options::Naming;
use scheduler::{Cluster, Resource, ResourceId};

/// The first resource that a name fits, each one before what is in it.
pub(super) fn find(cluster: &Cluster, name: &str, naming: Naming) -> Option<ResourceId> {
    in_order(cluster).find(|&id| fits(cluster.resource(id), name, naming))
}

/// The resource of an id, or of the id of a history.
pub(super) fn find_by_history(cluster: &Cluster, name: &str) -> Option<ResourceId> {
    find(cluster, name, Naming::History)
}

/// All resources, each one before what is in it.
pub(super) fn in_order(cluster: &Cluster) -> impl Iterator<Item = ResourceId> {
    let mut waiting: Vec<ResourceId> = cluster.top.iter().rev().copied().collect();
    std::iter::from_fn(move || {
        let id = waiting.pop()?;
        waiting.extend(cluster.resource(id).children.iter().rev());
        Some(id)
    })
}

fn fits(resource: &Resource, name: &str, naming: Naming) -> bool {
    let by_base = match naming {
        Naming::History => false,
        Naming::Anonymous => !resource.state.unique,
        Naming::Base => true,
    };
    &*resource.id == name
        || resource.history_id.as_deref() == Some(name)
        || (by_base && base_name(&resource.id) == name)
}

/// An instance's id without its number.
pub(super) fn base_name(id: &str) -> &str {
    match id.rsplit_once(':') {
        Some((base, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => base,
        _ => id,
    }
}
