// SPDX-License-Identifier: GPL-2.0-or-later
//! What rules are judged by.

use crate::{DateTime, Submatches};
use model::Interval;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use xml::Element;

/// Names and their values.
pub trait Values {
    /// The value of a name.
    fn value(&self, name: &str) -> Option<&str>;
}

impl<K: Borrow<str> + Ord, V: AsRef<str>> Values for BTreeMap<K, V> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(AsRef::as_ref)
    }
}

/// What rules are judged by. What is not known is left out: conditions on it are then not satisfied.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The moment. Dates are compared with it, and its place is where a `date_spec`'s hours and days are.
    pub now: DateTime,
    /// Where `id-ref` finds what it refers to. Without it, references are wrong.
    pub cib: Option<&'a Element>,
    /// The attributes of the node in question.
    pub node_attributes: Option<&'a dyn Values>,
    /// The resource's instance attributes, for `value-source="param"`.
    pub parameters: Option<&'a dyn Values>,
    /// The resource's meta-attributes, for `value-source="meta"`.
    pub meta: Option<&'a dyn Values>,
    /// The standard of the resource's agent, such as `ocf`.
    pub standard: Option<&'a str>,
    /// Its provider, such as `heartbeat`.
    pub provider: Option<&'a str>,
    /// Its type, such as `IPaddr2`.
    pub agent: Option<&'a str>,
    /// The operation's name and interval.
    pub operation: Option<(&'a str, Interval)>,
    /// What an `rsc-pattern` found in the resource's id, for `%0` to `%9`.
    pub submatches: Option<&'a Submatches>,
}

impl<'a> Input<'a> {
    /// Nothing but the moment.
    pub fn at(now: DateTime) -> Input<'a> {
        Input {
            now,
            cib: None,
            node_attributes: None,
            parameters: None,
            meta: None,
            standard: None,
            provider: None,
            agent: None,
            operation: None,
            submatches: None,
        }
    }

    /// What an element is, or refers to; else the id that leads nowhere.
    pub(crate) fn resolve<'e>(&self, element: &'e Element) -> Result<&'e Element, String>
    where
        'a: 'e,
    {
        let found = match self.cib {
            Some(cib) => resolve(element, cib),
            None => Some(element).filter(|element| element.attr("id-ref").is_none()),
        };
        found.ok_or_else(|| element.attr("id-ref").unwrap_or_default().to_owned())
    }
}

/// What an element is, or refers to by `id-ref`: the element of its name with that id, if there is just one.
///
/// A reference costs a walk through the configuration. They are few, and an index would have to be made anew with every
/// change of the CIB; whoever follows many limits their number.
pub fn resolve<'e>(element: &'e Element, cib: &'e Element) -> Option<&'e Element> {
    let Some(reference) = element.attr("id-ref") else {
        return Some(element);
    };
    // All that can be referred to is configuration, which is small where the status is large.
    let within = cib.child("configuration").unwrap_or(cib);
    let wanted =
        |candidate: &&Element| candidate.name() == element.name() && candidate.id() == Some(reference);
    let mut found = within.descendants().filter(wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}
