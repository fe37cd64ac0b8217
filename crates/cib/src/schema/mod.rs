// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a CIB is one.
//!
//! Decides: which problems a CIB has, each with the element it is about and what was expected there. Given: a tree.
//! Leaves to others: what is done about it. Checked are the sections, required attributes, that ids are unique, and that
//! references lead somewhere, by the table in `table`; nothing that Pacemaker's schemas accept is refused.

mod table;
mod version;

use std::collections::BTreeMap;
use std::fmt;
use table::{ElementRule, IdKind, rule};
pub use version::{Claim, SchemaVersion, UnknownSchema};
use xml::Element;

/// Something wrong with a CIB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The element's name.
    pub element: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with an element.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The root is something else.
    #[error("the root element must be <cib>")]
    Root,
    /// An element that has no place there.
    #[error("<{child}> has no place here; expected {expected}")]
    Misplaced {
        /// The element that has none.
        child: String,
        /// Which elements have.
        expected: String,
    },
    /// A section that must be there is not.
    #[error("<{0}> is missing")]
    MissingSection(&'static str),
    /// The same section twice.
    #[error("<{0}> is there more than once")]
    RepeatedSection(String),
    /// A required attribute is not there.
    #[error("attribute '{0}' is missing")]
    MissingAttribute(&'static str),
    /// Two elements with one id.
    #[error("the id is already that of another element, <{0}>; choose another")]
    RepeatedId(String),
    /// A reference to nothing.
    #[error("{attribute}=\"{value}\" refers to nothing; expected the id of an element of the configuration")]
    DanglingReference {
        /// The attribute that refers.
        attribute: &'static str,
        /// To what.
        value: String,
    },
    /// A schema that nobody knows.
    #[error("validate-with=\"{0}\" is not a known schema; expected pacemaker-1.0 to pacemaker-4.0")]
    UnknownSchema(String),
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "<{} id=\"{id}\">: {}", self.element, self.problem),
            None => write!(f, "<{}>: {}", self.element, self.problem),
        }
    }
}

/// How many issues are listed; more help nobody.
const MAX_ISSUES: usize = 50;

/// What is wrong with a CIB under a given version, whatever version it claims; nothing if it is valid.
pub fn validate_against(cib: &Element, _version: SchemaVersion) -> Vec<Issue> {
    validate(cib)
}

/// Whether a CIB is valid under a given version, whatever version it claims. Cheaper than to list what is wrong.
pub fn is_valid(cib: &Element, version: SchemaVersion) -> bool {
    validate_against(cib, version).is_empty()
}

/// What is wrong with a CIB under the version it claims; nothing if it is valid.
pub fn validate(cib: &Element) -> Vec<Issue> {
    let mut checker = Checker::default();
    if cib.name() != "cib" {
        checker.report(cib, Problem::Root);
        return checker.issues;
    }
    match cib.attr("validate-with") {
        None => checker.report(cib, Problem::MissingAttribute("validate-with")),
        Some("none") => return Vec::new(),
        Some(schema) if !table::is_known_schema(schema) => {
            checker.report(cib, Problem::UnknownSchema(schema.to_owned()));
        }
        Some(_) => {}
    }
    checker.sections(cib);
    if let Some(configuration) = cib.child("configuration") {
        // All ids first: references may lead forwards.
        checker.ids(configuration);
        for element in configuration.elements().flat_map(Element::descendants) {
            checker.element(element);
        }
    }
    checker.issues.truncate(MAX_ISSUES);
    checker.issues
}

#[derive(Default)]
struct Checker<'a> {
    issues: Vec<Issue>,
    /// The element of every id that can be referred to.
    ids: BTreeMap<&'a str, &'a str>,
}

impl<'a> Checker<'a> {
    fn report(&mut self, element: &Element, problem: Problem) {
        let (name, id) = (element.name().to_owned(), element.id().map(str::to_owned));
        self.issues.push(Issue { element: name, id, problem });
    }

    fn sections(&mut self, cib: &Element) {
        for field in ["admin_epoch", "epoch", "num_updates"] {
            if cib.attr(field).is_none() {
                self.report(cib, Problem::MissingAttribute(field));
            }
        }
        self.only(cib, &["configuration", "status"], &["configuration", "status"]);
        if let Some(configuration) = cib.child("configuration") {
            self.only(configuration, &table::SECTIONS, &table::REQUIRED_SECTIONS);
        }
    }

    fn only(&mut self, parent: &Element, known: &[&'static str], required: &[&'static str]) {
        let mut seen: Vec<&str> = Vec::new();
        for child in parent.elements() {
            let name = child.name();
            if !known.contains(&name) {
                let expected = known.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(", ");
                self.report(parent, Problem::Misplaced { child: name.to_owned(), expected });
            } else if seen.contains(&name) {
                self.report(parent, Problem::RepeatedSection(name.to_owned()));
            }
            seen.push(name);
        }
        for name in required.iter().filter(|name| !seen.contains(name)) {
            self.report(parent, Problem::MissingSection(name));
        }
    }

    fn ids(&mut self, configuration: &'a Element) {
        for element in configuration.descendants() {
            let Some(id) = element.id() else { continue };
            if rule(element.name()).is_none_or(|rule| rule.id != IdKind::Own) {
                continue;
            }
            match self.ids.get(id).copied() {
                Some(other) => self.report(element, Problem::RepeatedId(other.to_owned())),
                None => {
                    self.ids.insert(id, element.name());
                }
            }
        }
    }

    fn element(&mut self, element: &Element) {
        if let Some(ElementRule { required, references, id, .. }) = rule(element.name()) {
            let by_reference = element.attr("id-ref").is_some();
            if !by_reference {
                for attribute in required.iter().filter(|attribute| element.attr(attribute).is_none()) {
                    self.report(element, Problem::MissingAttribute(attribute));
                }
            }
            let id_refers = (*id == IdKind::Reference).then_some("id");
            for attribute in references.iter().copied().chain(id_refers) {
                self.reference(element, attribute);
            }
        }
        self.reference(element, "id-ref");
    }

    fn reference(&mut self, element: &Element, attribute: &'static str) {
        if let Some(value) = element.attr(attribute)
            && !self.ids.contains_key(value)
        {
            self.report(element, Problem::DanglingReference { attribute, value: value.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(resources: &str, constraints: &str) -> Vec<String> {
        let text = format!(
            "<cib validate-with='pacemaker-3.9' admin_epoch='0' epoch='1' num_updates='0'><configuration><crm_config/><nodes/>\
             <resources>{resources}</resources><constraints>{constraints}</constraints></configuration><status/></cib>"
        );
        validate(&xml::parse(&text).unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_issue_names_its_element() {
        let dummy = "<primitive id='p' class='ocf' provider='pacemaker' type='Dummy'/>";
        assert_eq!(issues(dummy, "<rsc_location id='l' rsc='p' node='n' score='1'/>"), Vec::<String>::new());
        assert_eq!(
            issues("", "<rsc_location id='l' rsc='p' node='n' score='1'/>"),
            [
                r#"<rsc_location id="l">: rsc="p" refers to nothing; expected the id of an element of the configuration"#
            ]
        );
        assert_eq!(
            issues(&format!("{dummy}{dummy}"), ""),
            [r#"<primitive id="p">: the id is already that of another element, <primitive>; choose another"#]
        );
        assert_eq!(
            issues("<primitive class='ocf' type='x'/>", ""),
            ["<primitive>: attribute 'id' is missing"]
        );
    }

    #[test]
    fn sections_are_known_and_there_once() {
        let all = |text: &str| {
            validate(&xml::parse(text).unwrap()).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(all("<diff/>"), ["<diff>: the root element must be <cib>"]);
        let found = all(
            "<cib validate-with='pacemaker-9.9' admin_epoch='0' epoch='0' num_updates='0'><configuration><nodes/><nodes/><zoo/></configuration></cib>",
        );
        let wanted = [
            "pacemaker-9.9",
            "<status> is missing",
            "<nodes> is there more than once",
            "<zoo> has no place here",
            "<crm_config> is missing",
        ];
        for text in wanted {
            assert!(found.iter().any(|issue| issue.contains(text)), "{text}: {found:?}");
        }
        assert_eq!(all("<cib validate-with='none'><anything/></cib>"), Vec::<String>::new());
    }

    #[test]
    fn an_empty_cib_is_valid() {
        for profile in [model::Profile::V3_0, model::Profile::V2_1] {
            assert_eq!(validate(&crate::empty(profile)), []);
        }
    }
}
