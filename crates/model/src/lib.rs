// SPDX-License-Identifier: GPL-2.0-or-later
//! The words of the field: what every other crate means by a score, a role, a result, a key, a moment.
//!
//! Decides: how these values are read from text, compared, combined and written. Given: text and numbers.
//! Leaves to others: everything that has a place (nodes, resources, the CIB). No I/O, no clock.

mod codes;
mod duration;
mod feature;
mod interval;
pub mod lenient;
mod level;
mod op;
pub mod options;
mod role;
mod score;
mod table_order;
mod time;

pub use codes::{ExecStatus, ExitCode, LegacyRc, OcfCode, StandardRc};
pub use duration::{Duration, DurationProblem};
pub use feature::{FeatureSet, ParseFeatureSetError, Profile};
pub use interval::{Interval, ParseIntervalError};
pub use level::Level;
pub use op::{OpKey, ParseKeyError, TransitionKey, TransitionMagic};
pub use role::{ParseRoleError, Role};
pub use score::{ParseScoreError, Score};
pub use table_order::table_order;
pub use time::{Instant, Now, WallTime};

/// Reads one of the words Pacemaker accepts for a boolean (`true on yes y 1` / `false off no n 0`), in any case.
///
/// Anything else is `None`: what that means (usually the option's default) is the caller's to say.
pub fn parse_bool(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["true", "on", "yes", "y", "1"];
    const FALSE: [&str; 5] = ["false", "off", "no", "n", "0"];
    if TRUE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(true)
    } else if FALSE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(false)
    } else {
        None
    }
}
