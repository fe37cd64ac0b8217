// SPDX-License-Identifier: GPL-2.0-or-later
//! The fence devices and levels in the CIB: read at the start, and again after every change of the configuration.

use super::Fencer;
use super::configuration::Configuration;
use super::timers::Timer;
use messages::cib::{self, Command, DIFF_NOTIFY, Notification, Reply, option};
use messages::core::{Level, Output, Service};
use model::Now;
use std::time::Duration;
use xml::Element;

/// Changes often come in bursts; one look after them is enough.
const QUIET: Duration = Duration::from_millis(50);

/// After a query that failed, the next.
const RETRY: Duration = Duration::from_secs(2);

/// The connection to the CIB manager.
#[derive(Debug, Default)]
pub(super) struct Link {
    up: bool,
    last_call: i32,
    /// The query whose answer counts: the last.
    query: Option<i32>,
}

impl Fencer {
    fn call_cib(&mut self, message: impl FnOnce(i32) -> Element) -> i32 {
        self.cib.last_call = self.cib.last_call.checked_add(1).unwrap_or(1);
        let call = self.cib.last_call;
        let message = message(call);
        self.outputs.push_back(Output::Call { service: Service::Based, call, respond: true, message });
        call
    }

    pub(super) fn cib_up(&mut self) {
        self.cib.up = true;
        self.call_cib(|call| cib::register("pacemaker-fenced", call));
        self.call_cib(|_| cib::subscribe(DIFF_NOTIFY, true));
        self.read_cib();
    }

    pub(super) fn cib_down(&mut self) {
        // The devices stay: a node may have to be fenced just now.
        self.cib.up = false;
        self.cib.query = None;
    }

    /// Which devices are for this node can only be said when this node knows its name.
    pub(super) fn cib_may_be_read(&mut self) {
        if self.cib.up {
            self.read_cib();
        }
    }

    pub(super) fn read_cib(&mut self) {
        if !self.cib.up || self.local.is_none() {
            return;
        }
        let query = |call| {
            Command::new("cib_query", call, option::SYNC | option::SCOPE_LOCAL)
                .section("configuration")
                .to_xml()
        };
        let call = self.call_cib(query);
        self.cib.query = Some(call);
    }

    pub(super) fn cib_response(&mut self, call: i32, message: &Element, now: Now) {
        if self.cib.query != Some(call) {
            return;
        }
        self.cib.query = None;
        let reply = Reply::from_xml(message).map_err(|error| error.to_string());
        let configuration = reply.and_then(|reply| match reply.data {
            Some(data) if reply.rc.is_ok() => Ok(data),
            _ => Err(reply.rc.text()),
        });
        match configuration {
            Ok(configuration) => {
                let found = Configuration::read(&configuration, self.local_name());
                self.configure(found, now);
            }
            Err(reason) => {
                self.log(Level::Error, format!("Couldn't retrieve the CIB: {reason}"));
                self.timers.set(Timer::ReadCib, now.instant, RETRY);
            }
        }
    }

    pub(super) fn cib_event(&mut self, message: &Element, now: Now) {
        let Ok(notification) = Notification::from_xml(message) else { return };
        if notification.rc.is_ok()
            && touches_configuration(&notification.patch)
            && !self.timers.is_set(&Timer::ReadCib)
        {
            self.timers.set(Timer::ReadCib, now.instant, QUIET);
        }
    }
}

/// Whether a patch changes more than the status section and the versions. One that cannot be understood may.
fn touches_configuration(patch: &Element) -> bool {
    if patch.attr("format") != Some("2") {
        return true;
    }
    patch.elements_named("change").any(|change| {
        let path = change.attr("path").unwrap_or("/cib/configuration");
        let created = change.first_element().map(Element::name);
        match path {
            // The root's own attributes, or a whole section.
            "/cib" => change.attr("operation") == Some("create") && created != Some("status"),
            path => !path.starts_with("/cib/status"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::touches_configuration;

    #[test]
    fn only_changes_of_the_configuration_count() {
        for (patch, touches) in [
            ("<diff format='2'><change operation='modify' path='/cib'/></diff>", false),
            ("<diff format='2'><change operation='create' path='/cib/status'><a/></change></diff>", false),
            ("<diff format='2'><change operation='create' path='/cib'><status/></change></diff>", false),
            (
                "<diff format='2'><change operation='create' path='/cib'><configuration/></change></diff>",
                true,
            ),
            ("<diff format='2'><change operation='delete' path='/cib/configuration/nodes'/></diff>", true),
            ("<diff format='1'/>", true),
            ("<diff format='2'/>", false),
        ] {
            assert_eq!(touches_configuration(&xml::parse(patch).unwrap()), touches, "{patch}");
        }
    }
}
