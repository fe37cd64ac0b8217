// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading, setting and unsetting attributes.

use super::node::Node;
use super::place::{Found, Place};
use super::request::{Command, Request};
use crate::attributes;
use crate::cib_access::{CibSession, Refused};
use crate::failure::Failure;
use crate::output::{Entry, Message, Output};
use ::cib::Operation;
use messages::attrd::{Body, INSTANCE_ATTRIBUTES, UTILIZATION, Update};
use messages::cib::option;
use model::{ExitCode, StandardRc};
use std::collections::BTreeMap;
use xml::Element;

/// What a request touches besides the streams.
pub(crate) struct Surroundings<'a> {
    /// Who asks.
    pub program: &'a str,
    /// A variable of the environment; an empty one is none.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// How the CIB is opened.
    pub open: &'a dyn Fn() -> Result<CibSession, Failure>,
}

/// Calls with what a program really has around it.
pub(crate) fn with_surroundings<T>(program: &str, call: impl FnOnce(&Surroundings<'_>) -> T) -> T {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    call(&Surroundings { program, env: &env, open: &|| CibSession::open(program) })
}

/// Does what is asked for.
pub(crate) fn perform(
    request: &Request,
    around: &Surroundings<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut session = (around.open)()?;
    let cib = session.read()?.map_err(|Refused { rc, .. }| failed(rc))?;
    let place = Place::of(request, || Node::of(request, &cib, session.is_file(), around))?;
    check(request)?;
    let pattern = request.pattern.as_deref().map(compiled).transpose()?;
    if place.is_transient() && request.command != Command::Query && !session.is_file() {
        return tell_manager(request, &place, around.program);
    }
    place.check()?;
    let wanted = Wanted { request, place: &place, pattern };
    match &request.command {
        Command::Query => wanted.query(&cib, out),
        Command::Update(value) => wanted.update(&cib, value, &mut session, out),
        Command::Delete => wanted.delete(&cib, &mut session, out),
    }
}

/// What a node has of attributes that last as long as it is up, by name; and how the node is called.
pub(crate) fn transient_attributes(
    node: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<(String, Vec<(String, String)>), Failure> {
    let mut session = (around.open)()?;
    let cib = session.read()?.map_err(|Refused { rc, .. }| failed(rc))?;
    let request =
        Request { section: Some("status".to_owned()), node: node.map(str::to_owned), ..Request::default() };
    let node = Node::of(&request, &cib, session.is_file(), around)?;
    let name = node.name.clone();
    let all = Place::of(&request, || Ok(node))?.all(&cib, None);
    Ok((name, all.into_iter().map(|found| (found.name, found.value)).collect()))
}

fn check(request: &Request) -> Result<(), Failure> {
    let verb = match request.command {
        Command::Query => None,
        Command::Update(_) => Some("update"),
        Command::Delete => Some("delete"),
    };
    if let (Some(verb), None, None) = (verb, &request.name, &request.pattern) {
        return Err(Failure::usage(format!("Error: must specify attribute name or pattern to {verb}")));
    }
    if request.name.is_some() && request.pattern.is_some() {
        return Err(Failure::usage("Error: --name and --pattern cannot be used at the same time"));
    }
    Ok(())
}

fn compiled(pattern: &str) -> Result<regex_lite::Regex, Failure> {
    regex_lite::Regex::new(pattern)
        .map_err(|error| Failure::usage(format_args!("bad pattern '{pattern}': {error}")))
}

/// What lives as long as a node is up goes through the attribute manager, which keeps it in the CIB.
fn tell_manager(request: &Request, place: &Place, program: &str) -> Result<(), Failure> {
    let set_type = if request.utilization { UTILIZATION } else { INSTANCE_ATTRIBUTES };
    let update = Update {
        name: request.name.clone(),
        pattern: request.pattern.clone(),
        value: match &request.command {
            Command::Update(value) => Some(value.clone()),
            Command::Query | Command::Delete => None,
        },
        host: place.node.as_ref().map(|node| node.name.clone()),
        is_remote: place.node.as_ref().is_some_and(|node| node.is_remote),
        set: request.set.clone(),
        set_type: Some(set_type.to_owned()),
        sync_point: request.sync_point,
        ..Update::default()
    };
    attributes::ask(program, Body::Update(vec![update])).map(drop)
}

fn failed(rc: StandardRc) -> Failure {
    Failure::new(rc.exit_code(), format_args!("Error performing operation: {rc}"))
}

/// What there is none of.
const NOTHING: StandardRc = StandardRc::new(6);

struct Wanted<'r> {
    request: &'r Request,
    place: &'r Place,
    pattern: Option<regex_lite::Regex>,
}

impl Wanted<'_> {
    /// Everything in the sets that may be meant.
    fn all(&self, cib: &Element) -> Vec<Found> {
        self.place.all(cib, self.request.set.as_deref())
    }

    fn has_id(&self, found: &Found) -> bool {
        self.request.id.as_ref().is_none_or(|id| *id == found.id)
    }

    fn query(&self, cib: &Element, out: &mut Output<'_>) -> Result<(), Failure> {
        let all = self.all(cib);
        let nothing_at_all = all.is_empty();
        let name = self.request.name.as_deref();
        let wanted: Vec<Found> = match &self.pattern {
            Some(pattern) => all.into_iter().filter(|found| pattern.is_match(&found.name)).collect(),
            None => {
                let has_name = |found: &Found| name.is_none_or(|name| name == found.name);
                all.into_iter().filter(|found| has_name(found) && self.has_id(found)).collect()
            }
        };
        let shown = |name: &str, value: &str| Shown {
            scope: self.place.section.clone(),
            id: self.request.id.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
        };
        match &self.request.default {
            // A pattern that nothing matches says nothing of what the default would be for.
            Some(default) if wanted.is_empty() && (nothing_at_all || self.pattern.is_none()) => {
                out.say(&shown(name.or(self.request.pattern.as_deref()).unwrap_or_default(), default))
            }
            _ if wanted.is_empty() => Err(failed(NOTHING)),
            _ => wanted.iter().try_for_each(|found| out.say(&shown(&found.name, &found.value))),
        }
    }

    fn update(
        &self,
        cib: &Element,
        value: &str,
        session: &mut CibSession,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let all = ByName::new(self.all(cib));
        let Some(pattern) = &self.pattern else {
            let name = self.request.name.as_deref().unwrap_or_default();
            return self.set(&all, name, value, session, out);
        };
        if all.order.is_empty() {
            return Err(failed(NOTHING));
        }
        let mut names = all.order.iter().filter(|name| pattern.is_match(name));
        names.try_for_each(|name| self.set(&all, name, value, session, out))
    }

    /// Sets one attribute: where it is, or else in the usual set.
    fn set(
        &self,
        all: &ByName,
        name: &str,
        value: &str,
        session: &mut CibSession,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let there: Vec<&Found> = all.of(name).iter().filter(|found| self.has_id(found)).collect();
        let (data, set) = match there.as_slice() {
            [] => {
                let (data, set) = self.place.addition(self.request, name, value);
                (data, Some(set))
            }
            [found] => (self.place.change(&found.id, name, value), self.request.set.clone()),
            several => {
                tell_several(name, several, out)?;
                return Err(Failure::new(
                    ExitCode::MULTIPLE,
                    "Please choose from one of the matches below and supply the 'id' with --attr-id",
                ));
            }
        };
        let section = self.place.searched_section();
        match session.attempt(Operation::Modify, option::SCORE_UPDATE, section, data)? {
            Ok(()) => Ok(()),
            Err(Refused { rc, reason }) => {
                let set = set.as_deref().unwrap_or("<null>");
                out.error(format_args!("Error setting {name}={value} (section={section}, set={set}): {rc}"));
                if rc == StandardRc::SCHEMA_VALIDATION {
                    reason.iter().for_each(|reason| out.error(reason));
                }
                Err(failed(rc))
            }
        }
    }

    fn delete(&self, cib: &Element, session: &mut CibSession, out: &mut Output<'_>) -> Result<(), Failure> {
        let all = ByName::new(self.all(cib));
        let Some(pattern) = &self.pattern else {
            let name = self.request.name.as_deref().unwrap_or_default();
            return self.unset(&all, name, session, out);
        };
        let mut names = all.order.iter().filter(|name| pattern.is_match(name));
        names.try_for_each(|name| self.unset(&all, name, session, out))
    }

    /// Unsets one attribute. What is not there is as it should be.
    fn unset(
        &self,
        all: &ByName,
        name: &str,
        session: &mut CibSession,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        // An id is taken at its word: whatever it is that has it, and the name.
        let (id, shown_id) = match (&self.request.id, all.of(name)) {
            (Some(id), _) => (id, "(null)"),
            (None, []) => return Ok(()),
            (None, [found]) => (&found.id, found.id.as_str()),
            (None, several) => return tell_several(name, &several.iter().collect::<Vec<_>>(), out),
        };
        let pair = Element::new("nvpair").with_attr("id", id).with_attr("name", name);
        match session.attempt(Operation::Delete, option::NONE, self.place.searched_section(), pair)? {
            Ok(()) => {}
            Err(Refused { rc: NOTHING, .. }) => return Ok(()),
            Err(Refused { rc, .. }) => return Err(failed(rc)),
        }
        let set = self.request.set.as_ref().map(|set| format!(" set={set}")).unwrap_or_default();
        let (section, noun) = (&self.place.section, self.place.noun());
        out.info(format_args!("Deleted {section} {noun}: id={shown_id}{set} name={name}"))
    }
}

/// Attributes by their names, and the names in the order in which they are there (each as often as it is).
struct ByName {
    order: Vec<String>,
    found: BTreeMap<String, Vec<Found>>,
}

impl ByName {
    fn new(all: Vec<Found>) -> ByName {
        let order = all.iter().map(|found| found.name.clone()).collect();
        let mut by_name: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for found in all {
            by_name.entry(found.name.clone()).or_default().push(found);
        }
        ByName { order, found: by_name }
    }

    fn of(&self, name: &str) -> &[Found] {
        self.found.get(name).map_or(&[], Vec::as_slice)
    }
}

fn tell_several(name: &str, several: &[&Found], out: &mut Output<'_>) -> Result<(), Failure> {
    out.info(format_args!("Multiple attributes match name={name}"))?;
    several
        .iter()
        .try_for_each(|found| out.info(format_args!("  Value: {} \t(id={})", found.value, found.id)))
}

/// One attribute, as it is printed.
struct Shown {
    scope: String,
    id: Option<String>,
    name: String,
    value: String,
}

impl Message for Shown {
    fn text(&self, quiet: bool) -> String {
        let Shown { scope, id, name, value } = self;
        if quiet {
            return format!("{value}\n");
        }
        let id = id.as_ref().filter(|id| !id.is_empty()).map(|id| format!("id={id} ")).unwrap_or_default();
        format!("scope={scope} {id}name={name} value={}\n", on_one_line(value))
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = Entry::new("attribute").attr("name", &self.name).attr("value", &self.value);
        vec![entry.attr("scope", &self.scope).attr_opt("id", self.id.as_ref())]
    }
}

/// So that no value looks like another line or field.
fn on_one_line(value: &str) -> String {
    value.replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}
