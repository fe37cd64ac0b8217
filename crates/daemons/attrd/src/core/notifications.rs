//! What the CIB manager says: answers to calls, and changes of the CIB that did not come from here.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::Attrd;
use super::write::Scope;
use messages::core::Level;
use model::{LegacyRc, Now};
use xml::Element;

/// The names of those who change the status and leave it in step with the attributes: daemons, and the tools that go
/// through us.
const TRUSTED: &[&str] = &[
    "attrd",
    "pacemaker-attrd",
    "pacemaker-based",
    "cib",
    "cib_ro",
    "cib_rw",
    "cib_shm",
    "pacemaker-controld",
    "crmd",
    "dc",
    "tengine",
    "pacemaker-execd",
    "pacemaker-remoted",
    "lrmd",
    "pacemaker-fenced",
    "stonith-ng",
    "stonithd",
    "pacemakerd",
    "pacemaker-schedulerd",
    "pengine",
    "attrd_updater",
    "crm_attribute",
    "crm_node",
    "crm_resource",
    "crm_ticket",
    "controld",
    "fenced",
];

impl Attrd {
    pub(super) fn cib_message(&mut self, now: Now, message: &Element) {
        if message.attr("t") == Some("cib_notify") {
            return self.cib_notification(now, message);
        }
        let number = |name| message.attr(name).and_then(|text| text.parse::<i32>().ok());
        let (Some(call), Some(rc)) = (number("cib_callid"), number("cib_rc")) else { return };
        if let Some(purpose) = self.cib.take(call) {
            self.cib_result(now, call, purpose, LegacyRc::new(rc));
        }
    }

    /// When somebody else has changed nodes or status, the attributes in the CIB may not be what they should be.
    fn cib_notification(&mut self, now: Now, message: &Element) {
        let succeeded = message.attr("cib_rc").is_none_or(|rc| rc == "0");
        let client = message.attr("cib_clientname");
        if !succeeded || !self.is_writer() || client.is_some_and(|client| TRUSTED.contains(&client)) {
            return;
        }
        let Some(patchset) = message.child("cib_update_result").and_then(|result| result.child("diff"))
        else {
            return;
        };
        if changes(patchset, "/cib", "status") || changes(patchset, "/cib/configuration", "nodes") {
            let client = client.or(message.attr("cib_clientid")).unwrap_or("unidentified client");
            let text = format!("Updating all attributes after cib_diff_notify event triggered by {client}");
            self.log(Level::Notice, text);
            self.write_all(now, Scope::All, false);
        }
    }
}

/// Whether a patchset (format 2) changes an element, something in it, or creates it.
fn changes(patchset: &Element, parent: &str, element: &str) -> bool {
    let path = format!("{parent}/{element}");
    patchset.elements_named("change").any(|change| {
        let at = change.attr("path").unwrap_or_default();
        let inside = at.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let created = change.attr("operation") == Some("create")
            && at == parent
            && change.first_element().is_some_and(|child| child.name() == element);
        inside || created
    })
}
