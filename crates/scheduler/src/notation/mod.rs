//! Notation: how the CIB says things: booleans, numbers, intervals, name/value blocks with their rules.
//!
//! Decides: how texts are read, leniently, as Pacemaker does. Given: elements and texts. Leaves to others: their meaning.
// SPDX-License-Identifier: GPL-2.0-or-later

mod date;
mod nvpairs;
mod rules;
mod sort;
mod value;

pub use date::parse_moment;
pub use nvpairs::{BlockContext, resolve, unpack_blocks};
pub use rules::{RuleInput, evaluate_rule};
pub use sort::{insert_sorted, merge_sort};
pub use value::{
    base_name, compare_names, flag, history_key, integer, interval_ms, is_true, number, op_key, parse_bool,
    parse_op_key, parse_score, score_attr, timeout_ms, whole_seconds,
};
