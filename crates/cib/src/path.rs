// SPDX-License-Identifier: GPL-2.0-or-later
//! Finding places in a tree, as positions among all children.

use xml::Element;

/// A place: the position of a child (comments count), of its child, and so on. Empty is the root.
pub(crate) type Path = Vec<usize>;

/// Puts an element in place of what is there.
pub(crate) fn put(root: &mut Element, path: &[usize], new: Element) -> bool {
    root.at_mut(path).map(|element| *element = new).is_some()
}

/// The first place (document order) that child names lead to.
pub(crate) fn by_names(root: &Element, names: &[&str]) -> Option<Path> {
    let Some((first, rest)) = names.split_first() else { return Some(Path::new()) };
    root.children().iter().enumerate().find_map(|(index, node)| {
        let element = node.element().filter(|element| element.name() == *first)?;
        let mut path = by_names(element, rest)?;
        path.insert(0, index);
        Some(path)
    })
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
