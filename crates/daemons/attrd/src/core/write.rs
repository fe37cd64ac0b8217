// SPDX-License-Identifier: GPL-2.0-or-later
//! Writing attributes to the CIB, where the scheduler sees them.
//!
//! All values of an attribute are written together: each into the transient attributes of its node's state, unset ones
//! removed from there. While one writing is under way the next waits for its end; one that failed is done again.

use super::Attrd;
use super::cib::{Purpose, xpath_string};
use super::ids::{nvpair_id, set_id};
use super::table::Attribute;
use messages::cib::{Command, option, transaction};
use messages::core::Level;
use model::{LegacyRc, Now, Profile};
use xml::Element;

/// Which attributes to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All, so that the CIB has what is known here.
    All,
    /// Those that have not been written as they are.
    Changed,
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The command that brings one value into the CIB, or removes it.
fn change(attribute: &Attribute, value: Option<&str>, node_id: &str) -> Command {
    let (set, nvpair) = (set_id(attribute, node_id), nvpair_id(attribute, node_id));
    let mut command = match value {
        Some(value) => {
            let nvpair = Element::new("nvpair")
                .with_attr("id", nvpair)
                .with_attr("name", &attribute.name)
                .with_attr("value", value);
            let set = Element::new(attribute.set_type.clone()).with_attr("id", set).with_child(nvpair);
            let transient = Element::new("transient_attributes").with_attr("id", node_id).with_child(set);
            let state = Element::new("node_state").with_attr("id", node_id).with_child(transient);
            Command::new("cib_modify", 0, option::CAN_CREATE).section("status").data(state)
        }
        None => {
            let id = |id: &str| xpath_string(id).unwrap_or_else(|| "''".to_owned());
            let name = xpath_string(&attribute.name).map(|name| format!(" and @name={name}"));
            let xpath = format!(
                "/cib/status/node_state[@id={node}]/transient_attributes[@id={node}]/{}[@id={}]/nvpair[@id={}{}]",
                attribute.set_type,
                id(&set),
                id(&nvpair),
                name.unwrap_or_default(),
                node = id(node_id),
            );
            Command::new("cib_delete", 0, option::XPATH).section(&xpath)
        }
    };
    command.user.clone_from(&attribute.user);
    command
}

impl Attrd {
    /// Writes an attribute if that is this node's to do, else sees to it that there is a writer.
    pub(super) fn write_or_elect(&mut self, now: Now, name: &str) {
        if self.is_writer() {
            self.write(now, name, false);
        } else {
            self.elect_if_needed(now);
        }
    }

    /// Writes all that are in the scope. `no_delay`: without regard to write delays.
    pub(super) fn write_all(&mut self, now: Now, scope: Scope, no_delay: bool) {
        let names: Vec<String> = self.attributes.keys().cloned().collect();
        for name in names {
            let Some(attribute) = self.attributes.get_mut(&name) else { continue };
            attribute.is_changed |= attribute.force_write || attribute.is_node_unknown;
            let no_delay = no_delay || attribute.force_write;
            if scope == Scope::All || attribute.is_changed {
                self.write(now, &name, no_delay);
            }
        }
    }

    /// Writes one attribute, unless that has to wait: it stays marked as changed then.
    fn write(&mut self, now: Now, name: &str, no_delay: bool) {
        let Some(attribute) = self.attributes.get_mut(name) else { return };
        if attribute.is_private || self.config.stand_alone {
            attribute.is_changed = false;
            attribute.force_write = false;
            let (count, set) = (attribute.values.len(), attribute.set_name());
            let text = format!("Processed {count} private change{} for {name} (set {set})", plural(count));
            return self.log(Level::Info, text);
        }
        attribute.is_changed = true;
        if let Some(call) = attribute.write_call {
            let text = format!("Write out of '{name}' delayed: update {call} in progress");
            return self.log(Level::Info, text);
        }
        if attribute.write_at.is_some() && !no_delay {
            return self.log(Level::Info, format!("Delaying write of '{name}'"));
        }
        attribute.write_at = None;
        if !self.cib.is_up() {
            return;
        }
        attribute.is_changed = false;
        attribute.force_write = false;
        attribute.is_node_unknown = false;
        let (changes, unknown) = self.changes(name);
        for text in unknown {
            self.log(Level::Notice, text);
        }
        if !changes.is_empty() {
            self.send_changes(now, name, changes);
        }
    }

    /// What writing an attribute means, and what is to be said about values that cannot be written yet.
    fn changes(&mut self, name: &str) -> (Vec<Command>, Vec<String>) {
        let (mut changes, mut unknown) = (Vec::new(), Vec::new());
        let Some(attribute) = self.attributes.get_mut(name) else { return (changes, unknown) };
        let ids: Vec<Option<String>> =
            attribute
                .values
                .values()
                .map(|value| {
                    if value.is_remote { Some(value.node.clone()) } else { self.ids.of(&value.node).cloned() }
                })
                .collect();
        for (value, id) in attribute.values.values().zip(&ids) {
            match id {
                Some(id) => changes.push(change(attribute, value.current.as_deref(), id)),
                None => unknown.push(format!(
                    "Cannot write {name}[{}]='{}' to CIB because node's XML ID is unknown (will retry if learned)",
                    value.node,
                    value.current.as_deref().unwrap_or_default(),
                )),
            }
        }
        attribute.is_node_unknown = !unknown.is_empty();
        for (value, _) in attribute.values.values_mut().zip(&ids).filter(|(_, id)| id.is_some()) {
            value.requested.clone_from(&value.current);
        }
        (changes, unknown)
    }

    fn send_changes(&mut self, now: Now, name: &str, mut changes: Vec<Command>) {
        let Some(attribute) = self.attributes.get(name) else { return };
        let user = attribute.user.clone();
        let set = attribute.set_name().to_owned();
        let count = changes.len();
        for change in &mut changes {
            change.call_id = self.cib.next_call();
        }
        if self.config.profile == Profile::V3_0 {
            let mut commit = Command::new("cib_commit_transact", self.cib.next_call(), option::NONE);
            commit.user = user;
            commit.data = Some(transaction(changes));
            changes = vec![commit];
        }
        // Where there are no transactions, one goes after the other, and what the last one says counts as the end.
        let call = changes.last().map_or(0, |last| last.call_id);
        for change in changes {
            let purpose = match change.call_id == call {
                true => Purpose::Write(name.to_owned()),
                false => Purpose::PartOfWrite(name.to_owned()),
            };
            self.cib_call(now, change.call_id, purpose, change.to_xml());
        }
        if let Some(attribute) = self.attributes.get_mut(name) {
            attribute.write_call = Some(call);
        }
        let text =
            format!("Sent CIB request {call} with {count} change{} for {name} (set {set})", plural(count));
        self.log(Level::Info, text);
    }

    /// Erases all of a node's transient attributes from the CIB.
    pub(super) fn erase(&mut self, now: Now, node: &str) {
        if self.config.stand_alone {
            return;
        }
        if !self.cib.is_up() {
            self.cib.unsent_erasures.push(node.to_owned());
            return;
        }
        let Some(name) = xpath_string(node) else {
            let text = format!("Cannot erase the attributes of {node}: no XPath can hold the name");
            return self.log(Level::Error, text);
        };
        let xpath = format!("//node_state[@uname={name}]/transient_attributes");
        self.log(
            Level::Debug,
            format!("Clearing transient node attributes for {node} from CIB using {xpath}"),
        );
        let call = self.cib.next_call();
        let command = Command::new("cib_delete", call, option::XPATH).section(&xpath);
        self.cib_call(now, call, Purpose::Erase(node.to_owned()), command.to_xml());
    }

    /// The CIB manager has answered, or has not in time.
    pub(super) fn cib_result(&mut self, now: Now, call: i32, purpose: Purpose, rc: LegacyRc) {
        match purpose {
            Purpose::Erase(node) if rc.is_ok() => {
                self.log(Level::Info, format!("Cleared transient node attributes for {node} from CIB"));
            }
            Purpose::Erase(node) => {
                let text =
                    format!("Unable to clear transient node attributes for {node} from CIB: {}", rc.text());
                self.log(Level::Error, text);
            }
            Purpose::PartOfWrite(_) if rc.is_ok() => {}
            Purpose::PartOfWrite(name) => {
                self.log(Level::Error, format!("CIB update {call} result for {name}: {}", rc.text()));
                if let Some(attribute) = self.attributes.get_mut(&name) {
                    attribute.is_changed = true;
                }
            }
            Purpose::Write(name) => self.written(now, call, &name, rc),
        }
    }

    fn written(&mut self, now: Now, call: i32, name: &str, rc: LegacyRc) {
        let Some(attribute) = self.attributes.get_mut(name).filter(|a| a.write_call == Some(call)) else {
            return self.log(Level::Info, format!("Attribute {name} no longer waits for CIB update {call}"));
        };
        attribute.write_call = None;
        // These pass by themselves: the CIB is being synchronised, or a DC elected.
        let passes = [LegacyRc::DIFF_FAILED, LegacyRc::ETIME, LegacyRc::ENXIO].contains(&rc);
        let level = match (rc.is_ok(), passes) {
            (true, _) => Level::Info,
            (false, true) => Level::Warning,
            (false, false) => Level::Error,
        };
        let result = if rc.is_ok() { "Wrote" } else { "Could not write" };
        let mut lines =
            vec![format!("CIB update {call} result for {name}: {} | rc={}", rc.text(), rc.value())];
        for value in attribute.values.values_mut() {
            let requested = value.requested.as_deref().unwrap_or("(unset)");
            lines.push(format!("* {result} {name}[{}]={requested}", value.node));
            if rc.is_ok() {
                value.requested = None;
            }
        }
        if !rc.is_ok() {
            attribute.is_changed = true;
            // Not at once, or a CIB that refuses would be asked a thousand times a second.
            if attribute.write_at.is_none() {
                attribute.delay_write(now.instant);
            }
        }
        let write_now = rc.is_ok() && attribute.is_changed;
        for line in lines {
            self.log(level, line);
        }
        if write_now && self.is_writer() {
            self.log(Level::Debug, format!("Pending update for {name} can be written now"));
            self.write(now, name, false);
        }
    }
}
