// SPDX-License-Identifier: GPL-2.0-or-later
//! Scores: how much a resource wants, or must not have, a node.
//!
//! Decides: saturation at plus and minus infinity, and which of the two wins (minus, always).

use std::fmt;
use std::str::FromStr;

/// A preference between -1000000 (never) and 1000000 (always).
///
/// Documented in Pacemaker Explained, "Scores": anything added to minus infinity stays minus infinity; anything else
/// added to infinity stays infinity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(i32);

impl Score {
    /// "Must run here", and the point beyond which every number means the same.
    pub const INFINITY: Score = Score(1_000_000);
    /// "Must not run here"; beats everything.
    pub const MINUS_INFINITY: Score = Score(-1_000_000);
    /// No preference.
    pub const ZERO: Score = Score(0);

    /// A score from a number of any size, cut off at both infinities.
    pub fn new(value: i64) -> Score {
        let limit = i64::from(Self::INFINITY.0);
        // The clamp keeps the value inside i32.
        Score(value.clamp(-limit, limit) as i32)
    }

    /// The number behind it, -1000000 to 1000000.
    pub const fn value(self) -> i32 {
        self.0
    }

    /// True for infinity and minus infinity.
    pub const fn is_infinite(self) -> bool {
        self.0 >= Self::INFINITY.0 || self.0 <= Self::MINUS_INFINITY.0
    }
}

impl std::ops::Add for Score {
    type Output = Score;
    fn add(self, other: Score) -> Score {
        if self == Self::MINUS_INFINITY || other == Self::MINUS_INFINITY {
            Self::MINUS_INFINITY
        } else if self == Self::INFINITY || other == Self::INFINITY {
            Self::INFINITY
        } else {
            Score::new(i64::from(self.0) + i64::from(other.0))
        }
    }
}

impl std::ops::AddAssign for Score {
    fn add_assign(&mut self, other: Score) {
        *self = *self + other;
    }
}

impl std::ops::Neg for Score {
    type Output = Score;
    fn neg(self) -> Score {
        Score(-self.0)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::INFINITY => f.pad("INFINITY"),
            Self::MINUS_INFINITY => f.pad("-INFINITY"),
            Score(value) => f.pad(&value.to_string()),
        }
    }
}

/// The text was not a score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a score (expected an integer, INFINITY, +INFINITY or -INFINITY)")]
pub struct ParseScoreError(pub String);

impl FromStr for Score {
    type Err = ParseScoreError;

    /// Reads `INFINITY`, `+INFINITY`, `-INFINITY` or an integer of any length; larger numbers saturate.
    ///
    /// The colour words of node health (`red`, `yellow`, `green`) are no scores of their own: their values are
    /// cluster options, so whoever knows these options reads them.
    fn from_str(text: &str) -> Result<Score, ParseScoreError> {
        let text = text.trim();
        match text {
            "INFINITY" | "+INFINITY" => return Ok(Self::INFINITY),
            "-INFINITY" => return Ok(Self::MINUS_INFINITY),
            _ => {}
        }
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseScoreError(text.to_owned()));
        }
        // Only digits are left, so a failure to parse is an overflow, which is infinity.
        let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX);
        Ok(Score::new(if negative { -magnitude } else { magnitude }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minus_infinity_beats_infinity() {
        assert_eq!(Score::INFINITY + Score::MINUS_INFINITY, Score::MINUS_INFINITY);
        assert_eq!(Score::MINUS_INFINITY + Score::INFINITY, Score::MINUS_INFINITY);
        assert_eq!(Score::INFINITY + Score::new(-5), Score::INFINITY);
        assert_eq!(Score::new(999_999) + Score::new(999_999), Score::INFINITY);
    }

    #[test]
    fn reads_what_administrators_write() {
        assert_eq!("100".parse(), Ok(Score::new(100)));
        assert_eq!("+7".parse(), Ok(Score::new(7)));
        assert_eq!("-INFINITY".parse(), Ok(Score::MINUS_INFINITY));
        assert_eq!("99999999999999999999999".parse(), Ok(Score::INFINITY));
        assert_eq!("-1000000".parse(), Ok(Score::MINUS_INFINITY));
        for bad in ["", "-", "ten", "1.5", "0x10", "infinity "] {
            assert!(bad.parse::<Score>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for score in [Score::INFINITY, Score::MINUS_INFINITY, Score::ZERO, Score::new(-42)] {
            assert_eq!(score.to_string().parse(), Ok(score));
        }
    }
}
