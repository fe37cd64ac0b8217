// SPDX-License-Identifier: GPL-2.0-or-later
//! Finding places in a tree, as positions among all children.

use xml::{Element, Ids, Node};

/// A place: the position of a child (comments count), of its child, and so on. Empty is the root.
pub(crate) type Path = Vec<usize>;

/// Puts an element in place of what is there.
pub(crate) fn put(root: &mut Element, path: &[usize], new: Element) -> bool {
    root.at_mut(path).map(|element| *element = new).is_some()
}

/// The place that child names lead to, if it is one alone.
pub(crate) fn by_names(root: &Element, names: &[&str]) -> Option<Path> {
    let mut found = Vec::new();
    collect(root, names, &mut Path::new(), &mut found);
    found.pop().filter(|_| found.is_empty())
}

/// The first place that child names lead to.
pub(crate) fn first_by_names(root: &Element, names: &[&str]) -> Option<Path> {
    let mut found = Vec::new();
    collect(root, names, &mut Path::new(), &mut found);
    found.into_iter().next()
}

/// All places that child names lead to; of more than two, two.
fn collect(element: &Element, names: &[&str], path: &mut Path, found: &mut Vec<Path>) {
    let Some((first, rest)) = names.split_first() else { return found.push(path.clone()) };
    let all = element.children().len();
    let mut from = 0;
    while let Some(at) = element.children().position(from..all, first, Ids::Any) {
        if let Some(child) = element.children().get(at).and_then(|node| node.element()) {
            path.push(at);
            collect(child, rest, path, found);
            path.pop();
        }
        if found.len() > 1 {
            return;
        }
        from = at + 1;
    }
}

/// The first element (document order) of a name below `root` of which `matches` says so.
pub(crate) fn first_below(root: &Element, name: &str, matches: &dyn Fn(&Element) -> bool) -> Option<Path> {
    let mut path = Path::new();
    descend(root, name, matches, &mut path).then_some(path)
}

/// The first element (document order), `root` itself first, of a name of which `matches` says so.
pub(crate) fn first_from(root: &Element, name: &str, matches: &dyn Fn(&Element) -> bool) -> Option<Path> {
    if root.name() == name && matches(root) { Some(Path::new()) } else { first_below(root, name, matches) }
}

// Recursion is bounded by the depth that the parser accepts.
fn descend(element: &Element, name: &str, matches: &dyn Fn(&Element) -> bool, path: &mut Path) -> bool {
    if !element.may_hold(name) {
        return false;
    }
    for (index, node) in element.children().iter().enumerate() {
        let Some(child) = node.element() else { continue };
        path.push(index);
        if child.name() == name && matches(child) || descend(child, name, matches, path) {
            return true;
        }
        path.pop();
    }
    false
}

/// The first comment (document order) below `root`.
pub(crate) fn first_comment(root: &Element) -> Option<Path> {
    root.children().iter().enumerate().find_map(|(index, node)| match node {
        Node::Comment(_) => Some(vec![index]),
        Node::Element(child) => first_comment(child).map(|below| [&[index], below.as_slice()].concat()),
        Node::Text(_) => None,
    })
}
