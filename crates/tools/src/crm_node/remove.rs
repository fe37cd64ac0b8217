// SPDX-License-Identifier: GPL-2.0-or-later
//! Forgetting a node that is no part of the cluster any more.
//!
//! Decides: who has to forget it, in which order. Leaves to others: forgetting it (the daemons, the CIB).

use crate::attributes;
use crate::cib_access::CibSession;
use crate::controller::Controller;
use crate::failure::Failure;
use ::cib::Operation;
use ipc::ClientOptions;
use ipc::blocking::Client;
use messages::attrd::Body;
use messages::cib::{Command, option, transaction};
use messages::controller::Envelope;
use model::Profile;
use xml::Element;

/// What the node is known by: its name, or its number.
pub(super) struct Forgotten {
    name: Option<String>,
    id: Option<u32>,
}

impl Forgotten {
    /// A number is one.
    pub fn of(text: &str) -> Forgotten {
        match text.parse().ok().filter(|&id| id > 0) {
            Some(id) => Forgotten { name: None, id: Some(id) },
            None => Forgotten { name: Some(text.to_owned()), id: None },
        }
    }

    /// Has everybody forget it: the controllers, the attribute managers, the fencers, and last the CIB.
    pub fn purge(&self, program: &str) -> Result<(), Failure> {
        let of = |who: &'static str| {
            move |failure: Failure| {
                let why = failure.text.unwrap_or_else(|| failure.code.to_string());
                let node = self.name.as_deref().unwrap_or("by ID");
                Failure::new(failure.code, format_args!("Could not purge node {node} from {who}: {why}"))
            }
        };
        self.tell_controllers(program).map_err(of("controller"))?;
        self.tell_attribute_managers(program).map_err(of("attribute manager"))?;
        self.tell_fencers(program).map_err(of("fencer"))?;
        self.change_cib(program).map_err(of("CIB"))
    }

    fn tell_controllers(&self, program: &str) -> Result<(), Failure> {
        Controller::connect(program)?.forget_node(self.name.as_deref(), self.id)
    }

    fn tell_attribute_managers(&self, program: &str) -> Result<(), Failure> {
        let host_id = self.id.map(|id| id.to_string());
        let body = Body::PeerRemove { host: self.name.clone(), host_id, reap: Some(true) };
        attributes::ask(program, body).map(drop)
    }

    /// They do not answer to this.
    fn tell_fencers(&self, program: &str) -> Result<(), Failure> {
        const TASK: &str = "rm_node_cache";
        let mut client = Client::connect("stonith-ng", &ClientOptions::from_environment())
            .map_err(|error| Failure::connecting("the fencer", &error))?;
        let mut request = Envelope::request(TASK, format!("{TASK}-{program}"), "stonith-ng", program);
        request.extra.extend(self.id.map(|id| ("id", id.to_string())));
        request.extra.extend(self.name.clone().map(|name| ("uname", name)));
        let mut message = request.to_xml(program, Profile::default().feature_set());
        message.set_attr("t", "stonith-ng");
        // The fencers' own name for what is asked.
        message.set_attr("st_op", TASK);
        client.send(&message).map_err(|error| Failure::asking("the fencer", &error))
    }

    /// Both at once or neither.
    fn change_cib(&self, program: &str) -> Result<(), Failure> {
        let commit = Operation::CommitTransaction;
        CibSession::open(program)?.change_all(commit, transaction(self.deletions()))
    }

    fn deletions(&self) -> [Command; 2] {
        [("nodes", "node"), ("status", "node_state")].map(|(section, name)| {
            let mut element = Element::new(name);
            if let Some(uname) = &self.name {
                element.set_attr("uname", uname);
            }
            if let Some(id) = self.id {
                element.set_attr("id", id);
            }
            Command::new(Operation::Delete.as_str(), 0, option::NONE).section(section).data(element)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deleted_is_named_as_it_was_given() {
        let data = |text| Forgotten::of(text).deletions().map(|command| command.data.unwrap().to_string());
        assert_eq!(data("n1"), ["<node uname=\"n1\"/>", "<node_state uname=\"n1\"/>"]);
        assert_eq!(data("7"), ["<node id=\"7\"/>", "<node_state id=\"7\"/>"]);
        assert_eq!(data("0"), ["<node uname=\"0\"/>", "<node_state uname=\"0\"/>"]);
    }
}
