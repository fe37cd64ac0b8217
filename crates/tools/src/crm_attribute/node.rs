// SPDX-License-Identifier: GPL-2.0-or-later
//! Which node is meant, and what the CIB calls it.

use super::Surroundings;
use super::request::Request;
use crate::attrd_updater::local_node;
use crate::controller::{Controller, REPLY_TIMEOUT};
use crate::failure::Failure;
use model::ExitCode;
use xml::Element;

/// A node, as the CIB knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its name.
    pub name: String,
    /// What its elements are called by.
    pub id: String,
    /// It runs no cluster layer: a remote node, or a guest.
    pub is_remote: bool,
}

impl Node {
    /// The node that a request is about: the named one, the one that an agent runs on, or this one.
    pub fn of(
        request: &Request,
        cib: &Element,
        is_file: bool,
        around: &Surroundings<'_>,
    ) -> Result<Node, Failure> {
        let given = request.node.as_ref();
        let given = given.filter(|node| !matches!(&*node.to_ascii_lowercase(), "localhost" | "auto"));
        let name = match given.cloned().or_else(|| local_node(around.env)) {
            Some(name) => name,
            None if is_file && (around.env)("CIB_shadow").is_none() => host_name(),
            None => asked(around.program)?,
        };
        let text = format!("Could not map name={name} to a UUID");
        find(cib, &name).ok_or_else(|| Failure::new(ExitCode::NOSUCH, text))
    }
}

/// The best guess where no cluster can be asked: nodes are usually called as their hosts are.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// This node's name, as its controller knows it.
fn asked(program: &str) -> Result<String, Failure> {
    let mut controller = Controller::connect(program)?;
    controller.send("node-info", "crmd", None, None)?;
    let reply = controller.reply(REPLY_TIMEOUT)?.and_then(|reply| reply.payload);
    let name = reply.and_then(|node| node.attr("uname").map(str::to_owned));
    name.ok_or_else(|| Failure::new(ExitCode::TIMEOUT, "The controller does not say which node this is"))
}

/// The node of a name, in whatever case: one of the configured nodes, the connection to a remote node, a guest of a resource, or
/// a node that is only left in the status.
fn find(cib: &Element, name: &str) -> Option<Node> {
    let is = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(name));
    let node = |id: &str, is_remote| Node { name: name.to_owned(), id: id.to_owned(), is_remote };
    let children = |path: &'static [&str]| cib.descend(path).into_iter().flat_map(Element::elements);
    let configured = children(&["configuration", "nodes"])
        .find(|element| element.name() == "node" && is(element.attr("uname")));
    if let Some(configured) = configured {
        return match configured.attr("type") {
            Some(kind) if kind.eq_ignore_ascii_case("remote") => Some(node(configured.attr("uname")?, true)),
            _ => Some(node(configured.id()?, false)),
        };
    }
    for primitive in children(&["configuration", "resources"]).filter(|e| e.name() == "primitive") {
        let agent = ["class", "provider", "type"].map(|part| primitive.attr(part));
        if agent == [Some("ocf"), Some("pacemaker"), Some("remote")] && is(primitive.id()) {
            return Some(node(primitive.id()?, true));
        }
        let metas = primitive.elements_named("meta_attributes").flat_map(|set| set.elements_named("nvpair"));
        let mut guests = metas.filter(|pair| pair.attr("name") == Some("remote-node"));
        if let Some(guest) = guests.find_map(|pair| pair.attr("value").filter(|value| is(Some(value)))) {
            return Some(node(guest, true));
        }
    }
    let left = children(&["status"]).find(|state| {
        state.name() == "node_state" && state.attr("remote_node") == Some("true") && is(state.id())
    })?;
    Some(node(left.attr("uname")?, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIB: &str = r#"<cib><configuration>
<nodes><node id="1" uname="Alpha"/><node id="r1" uname="r1" type="remote"/></nodes>
<resources><primitive id="R2" class="ocf" provider="pacemaker" type="remote"/>
<primitive id="vm" class="ocf" provider="x" type="y"><meta_attributes id="m">
<nvpair id="g" name="remote-node" value="guest"/></meta_attributes></primitive></resources></configuration>
<status><node_state id="gone" uname="gone" remote_node="true"/><node_state id="9" uname="nine"/></status></cib>"#;

    #[test]
    fn nodes_are_where_they_are_configured_or_left() {
        let cib = xml::parse(CIB).unwrap();
        let found = |name| find(&cib, name).map(|node| (node.id, node.is_remote));
        assert_eq!(found("alpha"), Some(("1".to_owned(), false)));
        assert_eq!(found("r1"), Some(("r1".to_owned(), true)));
        assert_eq!(found("r2"), Some(("R2".to_owned(), true)));
        assert_eq!(found("GUEST"), Some(("guest".to_owned(), true)));
        assert_eq!(found("gone"), Some(("gone".to_owned(), true)));
        assert_eq!((found("nine"), found("vm"), found("")), (None, None, None));
    }
}
