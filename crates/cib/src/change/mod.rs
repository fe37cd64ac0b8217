// SPDX-License-Identifier: GPL-2.0-or-later
//! The operations: what each makes of a CIB. Versions, checks of the outcome and patches are `perform`'s.

mod create;
mod delete;
mod merge;
mod modify;
mod query;
mod replace;
mod simple;
mod transaction;

pub(crate) use query::query;

use crate::acl::{Change, Note};
use crate::path::Path;
use crate::upgrade::Event;
use crate::{CallOptions, Context, Operation, Refusal, Request, patch};
use model::Profile;
use xml::{Element, Found, XPath};

/// What an operation made.
pub(crate) struct Changed {
    pub cib: Element,
    pub touched: Touched,
    /// What ACLs decided of the steps of a transaction.
    pub notes: Vec<Note>,
    /// What happened on the way to another schema.
    pub events: Vec<Event>,
}

impl Changed {
    fn new(cib: Element, touched: Touched) -> Changed {
        Changed { cib, touched, notes: Vec::new(), events: Vec::new() }
    }
}

/// What counts as changed, whether or not it is other than before: versions are raised by it, on all nodes alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Anything.
    pub any: bool,
    /// The configuration.
    pub configuration: bool,
}

impl Touched {
    /// By what was copied: a change copies its way, and nothing else does.
    pub(crate) fn by_copies(old: &Element, new: &Element) -> Touched {
        let same = |a: &Element, b: &Element| a.ptr_eq(b);
        Touched { any: !old.ptr_eq(new), configuration: !both(old, new, same) }
    }

    /// By what is really other than before.
    pub(crate) fn by_content(old: &Element, new: &Element) -> Touched {
        Touched { any: old != new, configuration: !both(old, new, |a, b| a == b) }
    }
}

fn both(old: &Element, new: &Element, same: impl Fn(&Element, &Element) -> bool) -> bool {
    match (old.child("configuration"), new.child("configuration")) {
        (Some(old), Some(new)) => same(old, new),
        (None, None) => true,
        _ => false,
    }
}

/// Does what is asked to a copy.
pub(crate) fn change(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let copied = |new: Element| {
        let touched = Touched::by_copies(cib, &new);
        Changed::new(new, touched)
    };
    match request.operation {
        Operation::Create => create::create(cib, request, context).map(copied),
        Operation::Modify => modify::modify(cib, request, context).map(copied),
        Operation::Delete => delete::delete(cib, request, context).map(copied),
        Operation::Erase => Ok(copied(simple::erase(cib, context.profile))),
        Operation::Bump => Ok(copied(simple::bump(cib))),
        Operation::Upgrade => simple::upgrade(cib, request, context),
        Operation::Replace => replace::replace(cib, request, context),
        Operation::ApplyPatch => simple::apply_patch(cib, request, context),
        Operation::CommitTransaction => transaction::commit(cib, request, context),
        other => Err(Refusal::Unsupported(other)),
    }
}

/// How an operation makes its changes, which ACLs judge by.
pub(crate) fn seen_by_acl(cib: &Element, request: &Request, profile: Profile) -> Result<Change, Refusal> {
    let removed = match request.operation {
        Operation::Replace => return replace::seen_by_acl(cib, request, profile),
        Operation::CommitTransaction | Operation::Upgrade => return Ok(Change::Replaced { at: Vec::new() }),
        Operation::Delete if request.options.has(CallOptions::XPATH) => {
            places(targets(cib, request, profile)?)
        }
        Operation::Erase => (0..cib.children().len()).map(|index| vec![index]).collect(),
        Operation::ApplyPatch => {
            let places = input(request, profile).map(|patch| patch::places(cib, &patch));
            let (removed, written) = places.unwrap_or_default();
            return Ok(Change::InPlace { removed, written, merged: false });
        }
        Operation::Modify | Operation::Create => {
            let merged = modify::merges(cib, request, profile);
            return Ok(Change::InPlace { removed: Vec::new(), written: Vec::new(), merged });
        }
        _ => Vec::new(),
    };
    Ok(Change::removing(removed))
}

/// The input of a request. Of a whole CIB, only the section that was asked for counts (and since 3.0, an XPath is the name
/// of no section).
pub(crate) fn input(request: &Request, profile: Profile) -> Option<Element> {
    let input = request.input.as_ref()?;
    let Some(section) = request.section.as_deref().filter(|_| input.name() == "cib") else {
        return Some(input.clone());
    };
    if profile == Profile::V2_1
        && (request.operation == Operation::ApplyPatch || request.options.has(CallOptions::XPATH))
    {
        return Some(input.clone());
    }
    crate::find_section(input, Some(section)).cloned()
}

fn required_input(request: &Request, profile: Profile) -> Result<Element, Refusal> {
    input(request, profile).ok_or(Refusal::NoInput(request.operation))
}

/// What the XPath of a request finds. Before 3.0, what is no element stands for the one it is in.
fn found(cib: &Element, request: &Request, profile: Profile) -> Result<Vec<Found>, Refusal> {
    let xpath = request.section.as_deref().unwrap_or_default();
    let xpath = XPath::parse(xpath).map_err(Refusal::XPath)?;
    let selected = xpath.select(cib).map_err(Refusal::XPath)?;
    let found = selected.iter().map(|one| match profile {
        Profile::V3_0 => one.found(),
        Profile::V2_1 => Found { path: one.nearest_element().0.to_vec(), attribute: None },
    });
    Ok(found.collect())
}

/// What is worked on of that: the first, or all, the last first (so that the places of those still to go stay right).
fn targets(cib: &Element, request: &Request, profile: Profile) -> Result<Vec<Found>, Refusal> {
    let mut found = found(cib, request, profile)?;
    if request.options.has(CallOptions::MULTIPLE) {
        found.reverse();
    } else {
        found.truncate(1);
    }
    Ok(found)
}

/// The places of the elements and comments among these.
fn places(found: Vec<Found>) -> Vec<Path> {
    found.into_iter().filter(|found| found.attribute.is_none()).map(|found| found.path).collect()
}

/// Takes away what was found.
fn remove(cib: &mut Element, found: &Found) -> bool {
    match &found.attribute {
        Some(attribute) => cib.at_mut(&found.path).is_some_and(|element| element.remove_attr(attribute)),
        None => cib.remove_at(&found.path).is_some(),
    }
}

fn not_found(request: &Request, what: &str) -> Refusal {
    Refusal::NotFound { operation: request.operation, what: what.to_owned() }
}

/// How people name an element.
fn described(element: &Element) -> String {
    match element.id() {
        Some(id) => format!("<{} id=\"{id}\">", element.name()),
        None => format!("<{}>", element.name()),
    }
}
