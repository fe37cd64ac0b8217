// SPDX-License-Identifier: GPL-2.0-or-later
//! Places in a tree as lists of child positions, and how Pacemaker writes them down.

use crate::{Element, Node};

impl Element {
    /// The element at the end of a path of positions among all children (comments and text count); the empty path is
    /// the element itself. `None` if the path leads nowhere, or to something else than an element.
    pub fn at(&self, path: &[usize]) -> Option<&Element> {
        path.iter().try_fold(self, |element, &index| element.children().get(index)?.element())
    }

    /// The element at the end of a path, to be changed. Copies what is on the way only, and only if it is there.
    pub fn at_mut(&mut self, path: &[usize]) -> Option<&mut Element> {
        self.at(path)?;
        path.iter().try_fold(self, |element, &index| element.element_at_mut(index))
    }

    /// Removes the child of whatever sort at the end of a path; gives it back. The root cannot be removed.
    pub fn remove_at(&mut self, path: &[usize]) -> Option<Node> {
        let (&last, parents) = path.split_last()?;
        self.at(parents)?.children().get(last)?;
        self.at_mut(parents)?.remove(last)
    }

    /// The address of the element at the end of a path as Pacemaker writes it, in patches and for
    /// `cibadmin --node-path`: the names from the root, each with the `id` where there is one.
    ///
    /// It is an XPath that selects the element, and nothing else if the ids are unique and elements without one are
    /// the only ones of their name.
    pub fn address(&self, path: &[usize]) -> Option<String> {
        let mut address = String::new();
        let mut element = self;
        write_step(&mut address, element);
        for &index in path {
            element = element.children().get(index)?.element()?;
            write_step(&mut address, element);
        }
        Some(address)
    }
}

fn write_step(address: &mut String, element: &Element) {
    address.push('/');
    address.push_str(element.name());
    if let Some(id) = element.id() {
        address.push_str("[@id='");
        address.push_str(id);
        address.push_str("']");
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn paths_lead_to_elements() {
        let old = parse("<a><!-- c --><b id='1'><c/></b><b><c id='2'/></b></a>").unwrap();
        assert_eq!(old.at(&[]).unwrap().name(), "a");
        assert_eq!(old.at(&[2, 0]).unwrap().id(), Some("2"));
        assert!(old.at(&[0]).is_none() && old.at(&[3]).is_none() && old.at(&[1, 0, 0]).is_none());
        assert_eq!(old.address(&[1, 0]).unwrap(), "/a/b[@id='1']/c");
        assert_eq!(old.address(&[2, 0]).unwrap(), "/a/b/c[@id='2']");
        assert_eq!(old.address(&[0]), None);

        let mut new = old.clone();
        new.at_mut(&[2, 0]).unwrap().set_attr("id", "3");
        assert!(new.at(&[1]).unwrap().ptr_eq(old.at(&[1]).unwrap()), "the sibling is still shared");
        assert!(new.at_mut(&[2, 9]).is_none());
        assert!(new.remove_at(&[]).is_none());
        assert!(new.remove_at(&[0]).is_some());
        assert_eq!(new.to_string(), r#"<a><b id="1"><c/></b><b><c id="3"/></b></a>"#);
    }
}
