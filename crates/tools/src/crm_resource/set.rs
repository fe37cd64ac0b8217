// SPDX-License-Identifier: GPL-2.0-or-later
//! Setting and deleting parameters of resources, and deleting whole resources.
//!
//! Decides: of which resources (a clone's parameter may be its instances', a group's its members'), in which set, under
//! which id. Leaves to others: the change itself (the CIB's manager).

use super::find::base_name;
use super::options::{AttributeKind, Options};
use super::site::Site;
use super::{NOTHING, refused};
use crate::cib_access::{CibSession, Refused};
use crate::failure::Failure;
use crate::output::{Entry, Output};
use ::cib::Operation;
use messages::cib::option;
use model::{ExitCode, Score, StandardRc};
use scheduler::{ResourceId, Variant};
use std::collections::BTreeSet;
use xml::Element;

/// There are several where one is wanted (`ENOTUNIQ`).
const NOT_UNIQUE: StandardRc = StandardRc::new(76);

/// Which of a resource's parameters are meant.
#[derive(Clone, Copy, Debug, Default)]
struct Wanted<'w> {
    /// In elements of this name; in any, if none.
    set_element: Option<&'static str>,
    /// In the set of this id.
    set: Option<&'w str>,
    /// With this id.
    id: Option<&'w str>,
    /// With this name.
    name: &'w str,
}

/// What was looked for.
enum Found {
    Nothing,
    /// One, with its id.
    One(Option<String>),
    Several,
}

impl Wanted<'_> {
    /// All there are of a resource in the CIB as it is now.
    fn all<'c>(&self, cib: &'c Element, resource: &str) -> Vec<&'c Element> {
        let Some(resources) = cib.descend(&["configuration", "resources"]) else { return Vec::new() };
        let Some(holder) = resources.descendants().find(|element| element.id() == Some(resource)) else {
            return Vec::new();
        };
        let fits = |pair: &&Element| {
            pair.name() == "nvpair"
                && pair.attr("name") == Some(self.name)
                && self.id.is_none_or(|id| pair.id() == Some(id))
        };
        match self.set_element {
            None => holder.descendants().filter(fits).collect(),
            Some(element) => holder
                .elements_named(element)
                .filter(|set| self.set.is_none_or(|id| set.id() == Some(id)))
                .flat_map(|set| set.descendants().filter(fits))
                .collect(),
        }
    }

    /// Looks for one, and tells if there are several.
    fn find(&self, session: &mut CibSession, resource: &str, out: &mut Output<'_>) -> Result<Found, Failure> {
        let cib = session.query()?;
        let all = self.all(&cib, resource);
        match all.as_slice() {
            [] => Ok(Found::Nothing),
            [pair] => Ok(Found::One(pair.id().map(str::to_owned))),
            several => {
                out.info(format_args!("Multiple attributes match name={}", self.name))?;
                for pair in several {
                    let value = pair.attr("value").unwrap_or("(null)");
                    out.info(format_args!("  Value: {value} \t(id={})", pair.id().unwrap_or("(null)")))?;
                }
                if out.is_text() {
                    out.print("\n")?;
                }
                Ok(Found::Several)
            }
        }
    }
}

/// One parameter that is to be set, or deleted.
pub(super) struct Change<'w> {
    pub kind: AttributeKind,
    pub set: Option<&'w str>,
    pub id: Option<&'w str>,
    pub name: &'w str,
    /// Only of the resource that was named, whatever is there already.
    pub force: bool,
    /// Of those that must be with it, too.
    pub recursive: bool,
}

impl<'w> Change<'w> {
    fn of(options: &'w Options) -> Change<'w> {
        Change {
            kind: options.kind,
            set: options.set_name.as_deref(),
            id: options.nvpair.as_deref(),
            name: options.parameter.as_deref().unwrap_or_default(),
            force: options.force,
            recursive: options.recursive,
        }
    }

    /// A meta-attribute by its name alone.
    pub const fn of_meta(name: &'w str, force: bool) -> Change<'w> {
        Change { kind: AttributeKind::Meta, set: None, id: None, name, force, recursive: false }
    }

    const fn wanted(&self) -> Wanted<'w> {
        Wanted { set_element: self.kind.set_element(), set: self.set, id: self.id, name: self.name }
    }

    /// Tells if the outermost resource has several of that name anywhere.
    fn warn_of_several(
        &self,
        site: &mut Site<'_>,
        id: ResourceId,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        if self.id.is_some() || self.force {
            return Ok(());
        }
        let top = site.cluster.resource(site.cluster.outermost(id)).id.to_string();
        let anywhere = Wanted { name: self.name, ..Wanted::default() };
        anywhere.find(&mut site.session, &top, out).map(drop)
    }

    /// The resources whose parameter it is: what has it already in a clone or group, else the clone or group.
    fn holders(
        &self,
        site: &mut Site<'_>,
        id: ResourceId,
        requested: &str,
        verb: &str,
        out: &mut Output<'_>,
    ) -> Result<Vec<ResourceId>, Failure> {
        if self.force {
            return Ok(vec![id]);
        }
        let cluster = &site.cluster;
        let is_clone = |id: ResourceId| cluster.resource(id).variant == Variant::Clone;
        let resource = cluster.resource(id);
        if let Some(parent) = resource.parent.filter(|&parent| is_clone(parent)) {
            if let Found::One(_) = self.wanted().find(&mut site.session, requested, out)? {
                return Ok(vec![id]);
            }
            let (name, clone) = (self.name, &site.cluster.resource(parent).id);
            out.info(format_args!(
                "Performing {verb} of '{name}' on '{clone}', the parent of '{requested}'"
            ))?;
            return Ok(vec![parent]);
        }
        if resource.parent.is_none()
            && is_clone(id)
            && let Some(&child) = resource.children.first()
        {
            let instance = cluster.resource(child);
            let name = base_name(&instance.id).to_owned();
            if instance.variant == Variant::Primitive
                && let Found::One(_) = self.wanted().find(&mut site.session, &name, out)?
            {
                let attribute = self.name;
                out.info(format_args!(
                    "A value for '{attribute}' already exists in child '{name}', performing {verb} on that instead of \
                     '{requested}'"
                ))?;
                return Ok(vec![child]);
            }
            return Ok(vec![id]);
        }
        let mut holders = Vec::new();
        self.gather_holders(site, id, true, &mut holders, out)?;
        Ok(holders)
    }

    /// What is in it and has the parameter, then the resource itself. Resources are nested a few levels deep.
    fn gather_holders(
        &self,
        site: &mut Site<'_>,
        id: ResourceId,
        outermost: bool,
        holders: &mut Vec<ResourceId>,
        out: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let resource = site.cluster.resource(id);
        let instances = if resource.variant == Variant::Clone { 1 } else { usize::MAX };
        let name = base_name(&resource.id).to_owned();
        for child in resource.children.iter().copied().take(instances).collect::<Vec<_>>() {
            self.gather_holders(site, child, false, holders, out)?;
        }
        let found = self.wanted().find(&mut site.session, &name, out)?;
        if outermost || matches!(found, Found::One(_)) {
            holders.push(id);
        }
        Ok(())
    }
}

/// A parameter that was set.
struct Set {
    element: String,
    resource: String,
    holder: String,
    set: Option<String>,
    id: Option<String>,
}

/// Sets a parameter.
pub(super) fn set(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let options = site.options;
    let value = options.parameter_value.as_deref().unwrap_or_default();
    if value.is_empty() {
        return Err(Failure::usage("You need to supply a value with the -v option"));
    }
    let (id, _) = site.resource()?;
    set_value(site, id, options.resource.as_deref().unwrap_or_default(), &Change::of(options), value, out)?;
    Ok(ExitCode::OK)
}

/// Sets a parameter of a resource, and tells so.
pub(super) fn set_value(
    site: &mut Site<'_>,
    id: ResourceId,
    requested: &str,
    change: &Change<'_>,
    value: &str,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    let Some(set_element) = change.kind.set_element() else {
        let mut element = kept_element(site, id)?;
        element.set_attr(change.name.to_owned(), value);
        replace(site, element)?;
        return out.info(format_args!("Set attribute: name={} value={value}", change.name));
    };
    let mut done = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(id, requested.to_owned(), true)];
    let mut ended = Ok(());
    // Those that follow come right after the resource that they follow, and what follows them before what follows next.
    while let Some((id, requested, is_first)) = waiting.pop() {
        if !is_first && !seen.insert(id) {
            continue;
        }
        let only_name = Change { set: None, id: None, ..*change };
        let change = if is_first { change } else { &only_name };
        let result = set_in(site, id, &requested, change, value, &mut seen, &mut done, out);
        match result {
            Ok(followers) => {
                let names = followers
                    .into_iter()
                    .rev()
                    .map(|id| (id, site.cluster.resource(id).id.to_string(), false));
                waiting.extend(names.collect::<Vec<_>>());
            }
            Err(failure) if is_first => ended = Err(failure),
            // What follows is set as far as it can be.
            Err(_) => {}
        }
    }
    ended?;
    tell(&done, set_element, change.name, value, out)
}

/// Sets a parameter where it is, or else in a set named after the resource. Gives those that must be with the resource, if
/// they are to follow.
#[allow(clippy::too_many_arguments, reason = "one step of a walk, with all that the walk carries")]
fn set_in(
    site: &mut Site<'_>,
    id: ResourceId,
    requested: &str,
    change: &Change<'_>,
    value: &str,
    seen: &mut BTreeSet<ResourceId>,
    done: &mut Vec<Set>,
    out: &mut Output<'_>,
) -> Result<Vec<ResourceId>, Failure> {
    let set_element = change.kind.set_element().unwrap_or_default();
    change.warn_of_several(site, id, out)?;
    let mut holders = match change.kind {
        AttributeKind::Instance => {
            refuse_hidden(site, id, change, out)?;
            vec![id]
        }
        _ => change.holders(site, id, requested, "update", out)?,
    };
    // Who names a set or pair means one resource.
    if change.set.is_some() || change.id.is_some() {
        holders.drain(..holders.len().saturating_sub(1));
    }
    let mut followers = Vec::new();
    for holder in holders {
        let name = base_name(&site.cluster.resource(holder).id).to_owned();
        let (data, set, pair_id, shown_id) = match change.wanted().find(&mut site.session, &name, out)? {
            Found::Several => return Err(refused(NOT_UNIQUE)),
            Found::One(found) => {
                let pair_id = found.clone().unwrap_or_default();
                (pair(&pair_id, change.name, value), change.set.map(str::to_owned), pair_id, found)
            }
            Found::Nothing => {
                let set = change.set.map_or_else(|| format!("{name}-{set_element}"), str::to_owned);
                let made = change.id.is_none().then(|| format!("{set}-{}", change.name));
                let pair_id = made.clone().or(change.id.map(str::to_owned)).unwrap_or_default();
                let element = kept_element(site, holder)?;
                let block = Element::new(set_element).with_attr("id", &set);
                let block = block.with_child(pair(&pair_id, change.name, value));
                let data = Element::new(element.name().to_owned()).with_attr("id", &name).with_child(block);
                (data, Some(set), pair_id, made)
            }
        };
        drop(pair_id);
        attempt(site, Operation::Modify, data)?;
        done.push(Set {
            element: site.cluster.resource(holder).xml.name().to_owned(),
            resource: site.cluster.resource(holder).id.to_string(),
            holder: name,
            set,
            id: shown_id,
        });
        if change.recursive && change.kind == AttributeKind::Meta {
            seen.insert(holder);
            let positive = site.cluster.companions_following(holder).filter(|with| with.score > Score::ZERO);
            followers
                .extend(positive.map(|with| with.dependent).filter(|dependent| !seen.contains(dependent)));
        }
    }
    Ok(followers)
}

/// A meta-attribute of the same name would hide it.
fn refuse_hidden(
    site: &mut Site<'_>,
    id: ResourceId,
    change: &Change<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if change.force {
        return Ok(());
    }
    let top = site.cluster.resource(site.cluster.outermost(id)).id.to_string();
    let wanted = Wanted { set_element: AttributeKind::Meta.set_element(), ..change.wanted() };
    let found = match wanted.find(&mut site.session, &top, out)? {
        Found::Nothing => return Ok(()),
        Found::One(found) => found,
        Found::Several => None,
    };
    if !out.is_quiet() {
        let (name, found) = (change.name, found.as_deref().unwrap_or("(null)"));
        out.error(format_args!(
            "WARNING: There is already a meta attribute for '{top}' called '{name}' (id={found})"
        ));
        out.error(format_args!("         Delete '{found}' first or use the force option to override"));
    }
    Err(refused(NOT_UNIQUE))
}

fn tell(
    done: &[Set],
    set_element: &'static str,
    name: &str,
    value: &str,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    if done.is_empty() {
        return Ok(());
    }
    for Set { holder, set, id, .. } in done {
        let set = set.as_ref().map(|set| format!(" set={set}")).unwrap_or_default();
        let id = id.as_deref().unwrap_or("(null)");
        out.info(format_args!("Set '{holder}' option: id={id}{set} name={name} value={value}"))?;
    }
    if out.is_text() {
        return Ok(());
    }
    let entry = |done: &Set| {
        let pair =
            Entry::new("nvpair").attr_opt("id", done.id.as_ref()).attr("value", value).attr("name", name);
        let set = Entry::new(set_element).attr_opt("id", done.set.as_ref()).item(pair);
        Entry::new(&*done.element).attr("id", &done.resource).child(set)
    };
    out.add_once(Entry::new("resource-settings").items(done.iter().map(entry)));
    Ok(())
}

/// Deletes a parameter. That it is not there is told by the exit code alone.
pub(super) fn delete(site: &mut Site<'_>, out: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let options = site.options;
    let (id, _) = site.resource()?;
    delete_value(site, id, options.resource.as_deref().unwrap_or_default(), &Change::of(options), out)?;
    Ok(ExitCode::OK)
}

/// Deletes a parameter of a resource, and tells so.
pub(super) fn delete_value(
    site: &mut Site<'_>,
    id: ResourceId,
    requested: &str,
    change: &Change<'_>,
    out: &mut Output<'_>,
) -> Result<(), Failure> {
    change.warn_of_several(site, id, out)?;
    if change.kind == AttributeKind::Element {
        let mut element = kept_element(site, id)?;
        element.remove_attr(change.name);
        replace(site, element)?;
        return out.info(format_args!("Deleted attribute: {}", change.name));
    }
    let holders = match change.kind {
        AttributeKind::Meta => change.holders(site, id, requested, "delete", out)?,
        _ => vec![id],
    };
    let mut ended = Ok(());
    for holder in holders {
        let name = base_name(&site.cluster.resource(holder).id).to_owned();
        let found = match change.wanted().find(&mut site.session, &name, out)? {
            Found::Several => return Err(refused(NOT_UNIQUE)),
            Found::Nothing => {
                ended = Err(refused(NOTHING));
                continue;
            }
            Found::One(found) => found.unwrap_or_default(),
        };
        let pair_id = change.id.unwrap_or(&found);
        let gone = Element::new("nvpair").with_attr("id", pair_id).with_attr("name", change.name);
        ended = attempt(site, Operation::Delete, gone);
        if ended.is_ok() {
            let set = change.set.map(|set| format!(" set={set}")).unwrap_or_default();
            out.info(format_args!("Deleted '{name}' option: id={found}{set} name={}", change.name))?;
        }
    }
    ended
}

/// Deletes a whole resource.
pub(super) fn delete_resource(options: &Options, mut session: CibSession) -> Result<ExitCode, Failure> {
    let Some(kind) = &options.resource_type else {
        return Err(Failure::usage("You need to specify a resource type with -t"));
    };
    let name = options.resource.as_deref().unwrap_or_default();
    let element = Element::new(kind.clone()).with_attr("id", name);
    match session.attempt(Operation::Delete, option::NONE, "resources", element)? {
        Ok(()) => Ok(ExitCode::OK),
        Err(Refused { rc, .. }) => {
            Err(Failure::new(rc.exit_code(), format_args!("Could not delete resource {name}: {rc}")))
        }
    }
}

fn pair(id: &str, name: &str, value: &str) -> Element {
    Element::new("nvpair").with_attr("id", id).with_attr("name", name).with_attr("value", value)
}

/// A resource's element as it is kept.
fn kept_element(site: &Site<'_>, id: ResourceId) -> Result<Element, Failure> {
    let resources = site.kept.descend(&["configuration", "resources"]);
    let id = site.cluster.resource(id).xml.id();
    let found = resources.and_then(|all| all.descendants().find(|element| element.id() == id));
    found.cloned().ok_or_else(|| refused(NOTHING))
}

fn replace(site: &mut Site<'_>, element: Element) -> Result<(), Failure> {
    attempt(site, Operation::Replace, element)
}

fn attempt(site: &mut Site<'_>, operation: Operation, data: Element) -> Result<(), Failure> {
    let answer = site.session.attempt(operation, option::NONE, "resources", data)?;
    answer.map_err(|Refused { rc, .. }| refused(rc))
}
