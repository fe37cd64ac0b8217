// SPDX-License-Identifier: GPL-2.0-or-later
//! A CIB of an older schema, as tools that schedule or show need it: upgraded in memory, before they look at it.
//!
//! Decides: what people are told of an upgrade, in Pacemaker's words. Given: a CIB. Leaves to others: the upgrade (`cib`),
//! and what the tool does with the result.

use crate::log::{Log, Source};
use ::cib::schema;
use ::cib::upgrade::{self, Event, Severity, Unacceptable};
use model::Profile;
use xml::Element;

/// The CIB in the newest series of schemas. What was done to it goes to `tell`, line by line, and so does what is wrong
/// with a CIB that cannot be upgraded.
pub(crate) fn acceptable(cib: &Element, mut tell: impl FnMut(String)) -> Result<Element, Unacceptable> {
    match upgrade::acceptable(cib, Profile::default()) {
        Ok(accepted) => {
            tell_events(&accepted.events, Some(Severity::Debug), &mut tell);
            if accepted.unchecked {
                tell(
                    "Schema validation of configuration is disabled (support for validate-with set to \"none\" is \
                     deprecated and will be removed in a future release)"
                        .to_owned(),
                );
            }
            Ok(accepted.cib)
        }
        Err(refusal) => {
            tell_events(&refusal.events, Some(Severity::Debug), &mut tell);
            schema::validate(cib).into_iter().for_each(|issue| tell(issue.to_string()));
            Err(refusal)
        }
    }
}

/// What happened in an upgrade: notes down to a severity (none: no notes), the rest for those who trace.
pub(crate) fn tell_events(events: &[Event], down_to: Option<Severity>, mut tell: impl FnMut(String)) {
    let log = Log::of_environment();
    for event in events {
        match (event, event.function()) {
            (Event::Note(note), _) if Some(note.severity()) <= down_to => {
                note.lines().iter().for_each(|line| tell(format!("{}{line}", note.label())));
            }
            (event, Some(function)) if log.is_traced(function) => {
                log.line(event.level().into(), Source { file: "schemas", function }, event)
                    .into_iter()
                    .for_each(&mut tell);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cib(claim: &str, resources: &str) -> Element {
        let text = format!(
            "<cib validate-with='{claim}' admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config/><nodes/>\
             <resources>{resources}</resources><constraints/></configuration><status/></cib>"
        );
        xml::parse(&text).unwrap()
    }

    fn told(cib: &Element) -> (Result<Element, Unacceptable>, Vec<String>) {
        let mut lines = Vec::new();
        let result = acceptable(cib, |line| lines.push(line));
        (result, lines)
    }

    #[test]
    fn what_an_upgrade_changed_is_told_with_its_severity() {
        let old = "<primitive id='a' class='ocf' provider='p' type='x'><operations>\
                   <op id='s' name='stop' interval='0' requires='fencing'/></operations></primitive>";
        let (new, lines) = told(&cib("pacemaker-2.3", old));
        assert_eq!(new.unwrap().attr("validate-with"), Some("pacemaker-4.0"));
        assert_eq!(
            lines,
            [
                "INFO: Resources-operation: s (rsc=a): dropping requires",
                "INFO: Resources-operation: ... only start/promote operation taken into account"
            ]
        );
    }

    #[test]
    fn what_cannot_be_upgraded_is_told_with_its_places() {
        let (refused, lines) = told(&cib("pacemaker-2.3", "<zoo id='z'/>"));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .starts_with("Cannot upgrade configuration (claiming pacemaker-2.3")
        );
        assert!(lines.iter().any(|line| line.contains("zoo")), "{lines:?}");
        let (free, lines) = told(&cib("none", "<zoo id='z'/>"));
        assert!(free.is_ok());
        assert!(lines[0].starts_with("Schema validation of configuration is disabled"), "{lines:?}");
    }
}
