// SPDX-License-Identifier: GPL-2.0-or-later
//! The rules, a file for each kind. Ids are grouped by tens and never used twice.

mod cluster;
mod constraints;
mod fencing;
mod instances;
mod leftovers;
mod operations;
mod references;

use super::Rule;

/// All of them, in the order of their ids.
pub(super) const ALL: &[&[Rule]] = &[
    fencing::RULES,
    cluster::RULES,
    operations::RULES,
    leftovers::RULES,
    instances::RULES,
    constraints::RULES,
    references::RULES,
];
