// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tests of the transforms share: a configuration of snippets, taken through the steps of one series.

use super::note::Note;
use super::steps::{StepError, steps};
use crate::schema::SchemaVersion;
use xml::{Element, write_compact};

/// A CIB with this in its configuration.
pub(super) fn cib(configuration: &str) -> Element {
    xml::parse(&format!("<cib><configuration>{configuration}</configuration><status/></cib>")).unwrap()
}

/// What the steps from a version make of a configuration, and what they say.
pub(super) fn try_steps(major: u8, minor: u8, configuration: &str) -> Result<(String, Vec<Note>), StepError> {
    let mut notes = Vec::new();
    let mut new = cib(configuration);
    for step in steps(SchemaVersion::new(major, minor).unwrap()) {
        new = step.run(&new, &mut notes)?;
    }
    let inside = write_compact(new.child("configuration").unwrap());
    let inside =
        inside.strip_prefix("<configuration>").and_then(|rest| rest.strip_suffix("</configuration>"));
    Ok((inside.unwrap_or_default().to_owned(), notes))
}

/// Asserts what the steps from a version make of a configuration; says what they say.
#[track_caller]
pub(super) fn becomes(from: (u8, u8), before: &str, after: &str) -> Vec<String> {
    let (found, notes) = try_steps(from.0, from.1, before).unwrap();
    let wanted = write_compact(&cib(after)).replace("<cib><configuration>", "");
    assert_eq!(found, wanted.replace("</configuration><status/></cib>", ""), "of {before}");
    notes
        .iter()
        .flat_map(|note| note.lines().into_iter().map(|line| format!("{}{line}", note.label())))
        .collect()
}
