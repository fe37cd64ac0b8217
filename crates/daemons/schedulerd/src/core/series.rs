// SPDX-License-Identifier: GPL-2.0-or-later
//! The series of saved inputs: which one an input belongs to, its file, and the number that comes next.

/// A series: inputs are kept apart by what was wrong with them, so that the interesting ones live longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Something is wrong enough to be left out.
    Error,
    /// Something may not be as meant, or a node has to be fenced.
    Warn,
    /// All is well.
    Input,
}

impl Series {
    /// All of them.
    pub const ALL: [Series; 3] = [Series::Error, Series::Warn, Series::Input];

    /// What its files' names begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Series::Error => "pe-error",
            Series::Warn => "pe-warn",
            Series::Input => "pe-input",
        }
    }

    /// The cluster option that says how many are kept.
    pub const fn option(self) -> &'static str {
        match self {
            Series::Error => "pe-error-series-max",
            Series::Warn => "pe-warn-series-max",
            Series::Input => "pe-input-series-max",
        }
    }

    /// How many are kept if the configuration does not say.
    pub const fn default_keep(self) -> Keep {
        match self {
            Series::Error => Keep::All,
            Series::Warn => Keep::Last(5000),
            Series::Input => Keep::Last(4000),
        }
    }

    /// The file that holds the number of the next input.
    pub fn counter_file(self) -> String {
        format!("{}.last", self.name())
    }

    /// The file of an input.
    pub fn input_file(self, number: u32) -> String {
        format!("{}-{number}.bz2", self.name())
    }
}

/// How many inputs of a series are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Every one.
    All,
    /// None; nothing is saved.
    None,
    /// The last so many.
    Last(u32),
}

impl Keep {
    /// From the option's value; what is no number is as if it was not there.
    pub fn from_option(value: Option<&str>, series: Series) -> Keep {
        match value.and_then(|value| value.trim().parse::<i64>().ok()) {
            None => series.default_keep(),
            Some(0) => Keep::None,
            Some(number) => u32::try_from(number).map_or(Keep::All, Keep::Last),
        }
    }

    /// The number after this one.
    pub fn next(self, number: u32) -> u32 {
        let next = number.wrapping_add(1);
        match self {
            Keep::Last(last) if next >= last => 0,
            Keep::All | Keep::None | Keep::Last(_) => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_where_the_option_says() {
        let keep = |value: Option<&str>| Keep::from_option(value, Series::Input);
        assert_eq!(keep(None), Keep::Last(4000));
        assert_eq!(keep(Some("many")), Keep::Last(4000));
        assert_eq!(keep(Some("0")), Keep::None);
        assert_eq!(keep(Some("-1")), Keep::All);
        assert_eq!(Keep::Last(3).next(0), 1);
        assert_eq!(Keep::Last(3).next(2), 0);
        assert_eq!(Keep::Last(3).next(100), 0);
        assert_eq!(Keep::All.next(4_000_000), 4_000_001);
        assert_eq!(Series::Error.default_keep(), Keep::All);
    }
}
