// SPDX-License-Identifier: GPL-2.0-or-later
//! What the CIB manager says: answers to calls, and changes of the CIB that did not come from here.

use super::Attrd;
use super::write::Scope;
use messages::cib::{Notification, Reply, SAFE_CLIENTS};
use messages::core::Level;
use model::{Now, Profile};
use xml::Element;

impl Attrd {
    pub(super) fn cib_message(&mut self, now: Now, message: &Element) {
        if message.attr("t") == Some("cib_notify") {
            return self.cib_notification(now, message);
        }
        // Answers to introductions are no replies to commands.
        let Ok(reply) = Reply::from_xml(message) else { return };
        if let Some(purpose) = self.cib.take(reply.call_id) {
            self.cib_result(now, reply.call_id, purpose, reply.rc);
        }
    }

    /// When somebody else has changed nodes or status, the attributes in the CIB may not be what they should be.
    fn cib_notification(&mut self, now: Now, message: &Element) {
        let notification = match Notification::from_xml(message) {
            Ok(notification) => notification,
            Err(error) => return self.log(Level::Warning, format!("Ignoring CIB notification: {error}")),
        };
        if !notification.rc.is_ok() || !self.is_writer() || self.is_trusted(&notification) {
            return;
        }
        let patchset = &notification.patch;
        if changes(patchset, "/cib", "status") || changes(patchset, "/cib/configuration", "nodes") {
            let client = notification.client_name.or(notification.client_id);
            let client = client.as_deref().unwrap_or("unidentified client");
            let text = format!("Updating all attributes after cib_diff_notify event triggered by {client}");
            self.log(Level::Notice, text);
            self.write_all(now, Scope::All, false);
        }
    }

    fn is_trusted(&self, notification: &Notification) -> bool {
        match (&notification.client_name, self.config.profile) {
            (Some(client), _) => SAFE_CLIENTS.contains(&client.as_str()),
            (None, Profile::V3_0) => false,
            // Older CIB managers do not say who it was: what replaces whole parts is suspicious then.
            (None, Profile::V2_1) => !matches!(&*notification.op, "cib_replace" | "cib_erase"),
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
