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

/// The first element (document order) below `root` of which `matches` says so.
pub(crate) fn first_below(root: &Element, matches: &dyn Fn(&Element) -> bool) -> Option<Path> {
    let mut path = Path::new();
    descend(root, matches, &mut path).then_some(path)
}

/// The first element (document order), `root` itself first, of which `matches` says so.
pub(crate) fn first_from(root: &Element, matches: &dyn Fn(&Element) -> bool) -> Option<Path> {
    if matches(root) { Some(Path::new()) } else { first_below(root, matches) }
}

// Recursion is bounded by the depth that the parser accepts.
fn descend(element: &Element, matches: &dyn Fn(&Element) -> bool, path: &mut Path) -> bool {
    for (index, node) in element.children().iter().enumerate() {
        let Some(child) = node.element() else { continue };
        path.push(index);
        if matches(child) || descend(child, matches, path) {
            return true;
        }
        path.pop();
    }
    false
}
