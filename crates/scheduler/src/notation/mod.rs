// SPDX-License-Identifier: GPL-2.0-or-later
//! Notation: how the CIB says things: booleans, numbers, intervals, name/value blocks with their rules.
//!
//! Decides: how texts are read, leniently, as Pacemaker does. Given: elements and texts. Leaves to others: their
//! meaning; and to crate `rules` what is read elsewhere too: numbers, dates, rules, which blocks apply.

mod rules;
mod sort;
mod value;

pub use self::rules::{
    RuleNews, evaluate_rule, parse_moment, rule_input, unpack_blocks, unpack_blocks_after,
};
pub use ::rules::resolve;
pub use model::lenient::{integer, parse_score, timeout_ms};
pub use model::parse_bool;
pub use sort::{insert_sorted, merge_sort};
pub use value::{
    base_name, compare_names, flag, history_key, interval_ms, is_true, number, op_key, parse_op_key,
    score_attr, whole_seconds,
};
