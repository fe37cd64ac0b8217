// SPDX-License-Identifier: GPL-2.0-or-later
//! What is wrong with a configuration or a cluster, said so that whoever runs it can mend it.
//!
//! Decides: the words and their severity. Given: what a stage found. Leaves to others: showing them.

use std::fmt;

/// How bad it is. Errors make the schedule an error (and `pe-error` inputs), warnings `pe-warn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Works, but probably not as meant.
    Warning,
    /// Part of the configuration is ignored.
    Error,
}

/// What is to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The configuration.
    Configuration,
    /// The cluster: nodes are unclean, operations failed. The configuration may be as good as it gets.
    State,
    /// Nothing: it is only told because it decides where resources may be.
    Event,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigIssue {
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub about: About,
    /// What is wrong, where, and what happens instead.
    pub message: String,
    /// The function of Pacemaker's that logs it, by which scripts know it; `None` where that is not kept.
    pub function: Option<&'static str>,
    /// It is in what only planning looks at (constraints): who just wants to know the state need not be told.
    pub planning: bool,
}

impl ConfigIssue {
    const fn new(severity: Severity, about: About, message: String) -> ConfigIssue {
        ConfigIssue { severity, about, message, function: None, planning: false }
    }

    /// Part of the configuration is ignored.
    pub fn error(message: impl Into<String>) -> ConfigIssue {
        ConfigIssue::new(Severity::Error, About::Configuration, message.into())
    }

    /// Works, but probably not as meant.
    pub fn warning(message: impl Into<String>) -> ConfigIssue {
        ConfigIssue::new(Severity::Warning, About::Configuration, message.into())
    }

    /// Something in the cluster cannot be helped by the scheduler.
    pub(crate) fn state_error(message: impl Into<String>) -> ConfigIssue {
        ConfigIssue::new(Severity::Error, About::State, message.into())
    }

    /// Something happened in the cluster that decides where resources may be.
    pub(crate) fn event(message: impl Into<String>) -> ConfigIssue {
        ConfigIssue::new(Severity::Error, About::Event, message.into())
    }

    /// Something in the cluster is not as it should be.
    pub(crate) fn state_warning(message: impl Into<String>) -> ConfigIssue {
        ConfigIssue::new(Severity::Warning, About::State, message.into())
    }

    /// Itself with the function that logs it in Pacemaker.
    #[must_use]
    pub const fn logged_by(mut self, function: &'static str) -> ConfigIssue {
        self.function = Some(function);
        self
    }
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
