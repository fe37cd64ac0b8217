// SPDX-License-Identifier: GPL-2.0-or-later
//! A CIB in a form that today's programs can work with.
//!
//! Those that schedule or show know the newest series of schemas only; a CIB of an older one is upgraded for them, in
//! memory. Where that is not possible they must not go on: what they do not know they would misread.

use super::{Event, Trouble, upgrade};
use crate::schema::SchemaVersion;
use model::Profile;
use std::fmt;
use xml::Element;

/// A CIB that can be worked with.
#[derive(Clone, Debug)]
pub struct Acceptable {
    /// It.
    pub cib: Element,
    /// From which version it was upgraded to which, if it was.
    pub upgraded: Option<(SchemaVersion, SchemaVersion)>,
    /// It claims to follow no schema at all (`validate-with="none"`).
    pub unchecked: bool,
    /// What happened on the way.
    pub events: Vec<Event>,
}

/// A CIB cannot be brought to the newest series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unacceptable {
    /// Why not.
    pub why: Trouble,
    /// What it claims, if that is known.
    pub claimed: Option<SchemaVersion>,
    /// How far it could be brought.
    pub reached: Option<SchemaVersion>,
    /// The oldest version that would do.
    pub needed: SchemaVersion,
    /// What happened on the way.
    pub events: Vec<Event>,
}

impl std::error::Error for Unacceptable {}

impl fmt::Display for Unacceptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(claimed) = self.claimed else { return self.why.fmt(f) };
        write!(
            f,
            "Cannot upgrade configuration (claiming {claimed} schema) to at least {} because it ",
            self.needed
        )?;
        match self.reached {
            Some(reached) => write!(f, "would not upgrade past {reached}"),
            None => write!(f, "does not validate with any schema from {claimed} to the latest"),
        }
    }
}

/// The CIB in the newest series that a profile knows, upgraded if need be. One that is in it already is not looked at
/// any closer.
pub fn acceptable(cib: &Element, profile: Profile) -> Result<Acceptable, Unacceptable> {
    let newest = SchemaVersion::newest(profile);
    let needed = SchemaVersion::new(newest.major(), 0).unwrap_or(newest);
    let new = upgrade_if_older(cib, needed, profile);
    match (new.from, new.to) {
        (None, _) if new.trouble.is_none() => {
            Ok(Acceptable { cib: new.cib, upgraded: None, unchecked: true, events: new.events })
        }
        (Some(from), Some(to)) if to >= needed && new.trouble.is_none() => {
            let upgraded = (to > from).then_some((from, to));
            Ok(Acceptable { cib: new.cib, upgraded, unchecked: false, events: new.events })
        }
        (claimed, reached) => {
            let failed = new.trouble.is_some();
            let why = new.trouble.or(claimed.map(|from| Trouble::FollowsNone { from, to: newest }));
            Err(Unacceptable {
                why: why.unwrap_or(Trouble::NoClaim),
                claimed,
                reached: reached.filter(|_| !failed),
                needed,
                events: new.events,
            })
        }
    }
}

fn upgrade_if_older(cib: &Element, needed: SchemaVersion, profile: Profile) -> super::Upgraded {
    let claimed = cib.attr("validate-with").and_then(|name| name.parse::<SchemaVersion>().ok());
    match claimed {
        Some(claimed) if claimed >= needed => super::Upgraded {
            cib: cib.clone(),
            from: Some(claimed),
            to: Some(claimed),
            trouble: None,
            events: Vec::new(),
        },
        _ => upgrade(cib, None, profile),
    }
}
