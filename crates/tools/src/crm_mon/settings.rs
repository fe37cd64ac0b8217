// SPDX-License-Identifier: GPL-2.0-or-later
//! What is shown in which form, how often; as options ask for it, and as keys change it.

use crate::status::{Sections, Show};
use model::Interval;

/// The form of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A terminal that is drawn anew as things change.
    Console,
    /// Text.
    Text,
    /// A page.
    Html,
    /// XML.
    Xml,
    /// XML as it was before 2.0, which old agents read.
    LegacyXml,
    /// JSON.
    Json,
    /// Not shown at all.
    None,
}

impl Form {
    /// Programs get everything, and choose themselves.
    pub fn is_for_programs(self) -> bool {
        matches!(self, Form::Xml | Form::LegacyXml | Form::Json)
    }

    /// All sections it can show. The configuration's options have no place on a screen.
    pub fn all_sections(self) -> Sections {
        let options = !matches!(self, Form::Text | Form::Console);
        Sections { options, ..Sections::ALL }
    }

    /// The sections it shows if nothing is said.
    pub fn default_sections(self) -> Sections {
        match self {
            Form::Console | Form::Text | Form::Html => Sections::FOR_PEOPLE,
            Form::Xml | Form::LegacyXml | Form::Json => Sections::ALL,
            Form::None => Sections::default(),
        }
    }
}

/// How often it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Once.
    Once,
    /// As things change.
    Update,
    /// The same, in the background.
    Daemon,
}

/// How much of what was fenced is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FenceLevel {
    /// Nothing.
    Off,
    /// What failed, and what goes on.
    Problems,
    /// What worked, too.
    All,
    /// All of it, outdated or not.
    Full,
}

impl FenceLevel {
    /// By its number.
    pub fn numbered(number: u8) -> Option<FenceLevel> {
        [FenceLevel::Off, FenceLevel::Problems, FenceLevel::All, FenceLevel::Full]
            .get(usize::from(number))
            .copied()
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// Everything that says how the status is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// The form.
    pub form: Form,
    /// How often.
    pub mode: Mode,
    /// How often at least, where it is updated.
    pub interval: Interval,
    /// Which sections.
    pub sections: Sections,
    /// In which way.
    pub show: Show,
    /// How ids of bans that are shown begin.
    pub ban_prefix: String,
    /// The fencer is asked what was fenced.
    pub ask_fencer: bool,
    /// Only what has to do with this node, or nodes with this tag.
    pub only_node: Option<String>,
    /// Only what has to do with this resource, or resources with this tag.
    pub only_resource: Option<String>,
}

impl Settings {
    /// How much of what was fenced is shown.
    pub fn fence_level(&self) -> FenceLevel {
        let sections = &self.sections;
        if !self.ask_fencer {
            FenceLevel::Off
        } else if sections.has_all_fencing() {
            FenceLevel::Full
        } else if sections.fencing_succeeded {
            FenceLevel::All
        } else if sections.has_fencing() {
            FenceLevel::Problems
        } else {
            FenceLevel::Off
        }
    }

    /// Shows so much of what was fenced.
    pub fn set_fence_level(&mut self, level: FenceLevel) {
        self.ask_fencer = level != FenceLevel::Off;
        self.sections.fencing_failed = level >= FenceLevel::Problems;
        self.sections.fencing_pending = level >= FenceLevel::Problems;
        self.sections.fencing_succeeded = level >= FenceLevel::All;
    }
}
