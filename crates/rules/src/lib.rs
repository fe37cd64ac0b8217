// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules: when, where and for what a part of the configuration holds; and the dates and times they are written with.
//!
//! Decides: what an ISO 8601 text means, whether a rule is satisfied and when that will change, which of several sets
//! of name/value pairs hold and which of their values wins. Given: elements of a CIB, and what they are judged by
//! (an [`Input`]): the time, node attributes, the resource, the operation. Leaves to others: where the rules stand and
//! what follows from them. No I/O, no clock: `now` is always said.
//!
//! What is wrong in a rule makes it not pass, and is reported; it never stops anything. Documented in Pacemaker
//! Explained, "Rules".

mod blocks;
mod check;
mod condition;
mod error;
mod input;
mod number;
mod pattern;
mod time;
mod values;

pub use blocks::{Unpacked, unpack_blocks};
pub use check::{CheckRefusal, Checked, Checker};
pub use condition::{Evaluation, RuleScore, Verdict, evaluate, role_of, score_of};
pub use error::{RuleError, RuleProblem};
pub use input::{Input, Values, resolve};
pub use pattern::{Pattern, PatternError, Submatches};
pub use time::{
    DateForm, DateTime, MAX_YEAR, Period, Recurrence, TimeError, TimeErrorKind, WeekDate, days_in_month,
    days_in_year, is_leap_year, weeks_in_year,
};
pub use values::{ValueType, compare_versions};
