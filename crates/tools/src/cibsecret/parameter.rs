// SPDX-License-Identifier: GPL-2.0-or-later
//! What the CIB says of one parameter of one resource.
//!
//! Decides: where a parameter is, and where it is put. Given: a CIB that can be changed. Leaves to others: what it is for.

use crate::cib_access::CibSession;
use crate::failure::Failure;
use model::{ExitCode, Score};
use xml::Element;

const SET: &str = "instance_attributes";

/// A parameter, whether it is set or not.
pub(super) struct Parameter {
    session: CibSession,
    /// The resource's element as it is in the CIB.
    resource: Element,
    name: String,
    value: Option<String>,
}

impl Parameter {
    /// That there is no such resource is a failure.
    pub fn find(mut session: CibSession, resource: &str, name: &str) -> Result<Parameter, Failure> {
        let cib = session.query()?;
        let resources = cib.descend(&["configuration", "resources"]);
        let by_id = |id: &str| {
            resources.and_then(|all| all.descendants().find(|e| is_resource(e) && e.id() == Some(id)))
        };
        let found = by_id(resource).filter(|element| element.name() != "template");
        let missing = || Failure::new(ExitCode::NOSUCH, format_args!("Resource '{resource}' not found"));
        let found = found.ok_or_else(missing)?.clone();
        let template = found.attr("template").and_then(by_id);
        let value = value_in(&found, name).or_else(|| value_in(template?, name)).map(str::to_owned);
        Ok(Parameter { session, resource: found, name: name.to_owned(), value })
    }

    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Sets it where it is, or else in a set named after the resource.
    pub fn set(&mut self, value: &str) -> Result<(), Failure> {
        let id = self.resource.id().unwrap_or_default();
        let (set, pair) = self.place().unwrap_or_else(|| {
            let set = format!("{id}-{SET}");
            let pair = format!("{set}-{}", self.name);
            (set, pair)
        });
        let pair = Element::new("nvpair")
            .with_attr("id", pair)
            .with_attr("name", &self.name)
            .with_attr("value", value);
        let set = Element::new(SET).with_attr("id", set).with_child(pair);
        let change = Element::new(self.resource.name().to_owned()).with_attr("id", id).with_child(set);
        self.session.modify("resources", change)
    }

    /// Removes it; false if it was not there.
    pub fn remove(&mut self) -> Result<bool, Failure> {
        let Some((_, pair)) = self.place() else { return Ok(false) };
        let pair = Element::new("nvpair").with_attr("id", pair).with_attr("name", &self.name);
        self.session.delete("resources", pair).map(|()| true)
    }

    /// The ids of the set and the pair where it is set.
    fn place(&self) -> Option<(String, String)> {
        let pairs = sets(&self.resource).into_iter().flat_map(|set| pairs(set).map(move |pair| (set, pair)));
        let (set, pair) = { pairs }.find(|(_, pair)| pair.attr("name") == Some(&self.name))?;
        Some((set.id()?.to_owned(), pair.id()?.to_owned()))
    }
}

fn is_resource(element: &Element) -> bool {
    matches!(element.name(), "primitive" | "group" | "clone" | "master" | "bundle" | "template")
}

/// Sets that hold whatever a rule says, the one with the highest score first (of equal ones, the first).
fn sets(resource: &Element) -> Vec<&Element> {
    let score = |set: &Element| set.attr("score").and_then(|text| text.parse().ok()).unwrap_or(Score::ZERO);
    let mut sets: Vec<&Element> =
        resource.elements_named(SET).filter(|set| set.child("rule").is_none()).collect();
    sets.sort_by_key(|set| std::cmp::Reverse(score(set)));
    sets
}

fn pairs(set: &Element) -> impl Iterator<Item = &Element> {
    set.elements_named("nvpair")
}

fn value_in<'e>(resource: &'e Element, name: &str) -> Option<&'e str> {
    let mut all = sets(resource).into_iter().flat_map(pairs);
    all.find(|pair| pair.attr("name") == Some(name)).and_then(|pair| pair.attr("value"))
}
