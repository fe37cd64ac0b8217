//! Places in a tree, as positions among all children; and changes there that copy only the way to them.
// SPDX-License-Identifier: GPL-2.0-or-later

use xml::{Element, Node};

/// A place: the position of a child (comments count), of its child, and so on. Empty is the root.
pub(crate) type Path = Vec<usize>;

/// The element at a place.
pub(crate) fn at<'a>(root: &'a Element, path: &[usize]) -> Option<&'a Element> {
    path.iter().try_fold(root, |element, &index| element.children().get(index)?.element())
}

/// The element at a place, to be changed.
pub(crate) fn at_mut<'a>(root: &'a mut Element, path: &[usize]) -> Option<&'a mut Element> {
    path.iter().try_fold(root, |element, &index| element.element_at_mut(index))
}

/// Puts an element in place of what is there.
pub(crate) fn put(root: &mut Element, path: &[usize], new: Element) -> bool {
    at_mut(root, path).map(|element| *element = new).is_some()
}

/// Removes what is at a place (not the root).
pub(crate) fn remove(root: &mut Element, path: &[usize]) -> Option<Node> {
    let (&last, parent) = path.split_last()?;
    let parent = at_mut(root, parent)?;
    (last < parent.children().len()).then(|| parent.children_mut().remove(last))
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
