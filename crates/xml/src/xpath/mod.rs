//! XPath 1.0, as far as clusters use it: finding elements, comments and attributes in a tree.
//!
//! Decides: what a path finds, in document order. Given: a path and a tree. Leaves to others: what is done with what is
//! found. Known are the axes child, attribute, self, parent, descendant and descendant-or-self (in their short forms),
//! unions, predicates with the core functions on strings, numbers and node sets, and comparisons. What is not known
//! (other axes, variables, arithmetic beyond `+` and `-`) is refused by name, never ignored.
// SPDX-License-Identifier: GPL-2.0-or-later

mod eval;
mod parse;
mod token;

use crate::{Element, Name};

/// A path that was read and can be evaluated.
#[derive(Clone, Debug)]
pub struct XPath {
    text: String,
    expression: parse::Expression,
}

/// A path that cannot be read, or finds no nodes by its nature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("XPath '{path}': at character {at}: {what}")]
pub struct XPathError {
    /// The whole path.
    pub path: String,
    /// Which character, from 1.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The positions among all children that lead from the root to it (for an attribute: to its element). Empty is the
    /// root.
    pub path: Vec<usize>,
    /// The attribute's name, if it is an attribute that was found.
    pub attribute: Option<Name>,
}

impl XPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<XPath, XPathError> {
        let expression = parse::expression(text)?;
        if !expression.finds_nodes() {
            let what = "this gives a value, expected a path that finds nodes".to_owned();
            return Err(XPathError { path: text.to_owned(), at: 1, what });
        }
        Ok(XPath { text: text.to_owned(), expression })
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it finds in a document of which `root` is the root element, in document order.
    pub fn find(&self, root: &Element) -> Vec<Found> {
        eval::nodes(&self.expression, root)
    }

    /// The elements among what it finds.
    pub fn elements<'a>(&self, root: &'a Element) -> Vec<&'a Element> {
        let found = self.find(root).into_iter().filter(|found| found.attribute.is_none());
        found.filter_map(|found| eval::element_at(root, &found.path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Element {
        crate::parse(
            "<cib><configuration><nodes><node id='1' uname='a'/><node id='2' uname='b'/></nodes>\
             <resources><primitive id='p' class='ocf'><meta_attributes id='m'>\
             <nvpair id='m-x' name='x' value='5'/></meta_attributes></primitive></resources></configuration>\
             <status><node_state id='1' uname='a'/><!-- here --></status></cib>",
        )
        .unwrap()
    }

    fn found(path: &str) -> Vec<String> {
        let tree = tree();
        let path = XPath::parse(path).unwrap();
        path.find(&tree)
            .into_iter()
            .map(|found| match (eval::node_at(&tree, &found.path), found.attribute) {
                (Some(crate::Node::Element(element)), Some(name)) => {
                    format!("@{name}={}", element.attr(&name).unwrap())
                }
                (Some(crate::Node::Element(element)), None) => {
                    format!("{}:{}", element.name(), element.id().unwrap_or("-"))
                }
                (Some(crate::Node::Comment(text)), None) => format!("<!--{text}-->"),
                _ => panic!("found nothing there"),
            })
            .collect()
    }

    #[test]
    fn paths_that_clusters_use() {
        assert_eq!(found("/cib"), ["cib:-"]);
        assert_eq!(found("//cib/configuration/nodes/node"), ["node:1", "node:2"]);
        assert_eq!(found("//node_state[@uname='a']"), ["node_state:1"]);
        assert_eq!(found("//*[@id='1']"), ["node:1", "node_state:1"]);
        assert_eq!(found("//node[@uname=\"b\"]|//node_state"), ["node:2", "node_state:1"]);
        assert_eq!(found("/cib/configuration/nodes/node[2]"), ["node:2"]);
        assert_eq!(found("//nvpair[@name='x'][@value=5]"), ["nvpair:m-x"]);
        assert_eq!(found("//nvpair[@name='x' and not(@value='6')]/.."), ["meta_attributes:m"]);
        assert_eq!(found("//primitive[.//nvpair[@name='x']]"), ["primitive:p"]);
        assert_eq!(found("//primitive[meta_attributes/nvpair/@value > 4]"), ["primitive:p"]);
        assert_eq!(found("//node/@uname"), ["@uname=a", "@uname=b"]);
        assert_eq!(found("//status/comment()"), ["<!-- here -->"]);
        assert_eq!(found("//node[starts-with(@uname,'b') or contains(@id, '1')]"), ["node:1", "node:2"]);
        assert_eq!(found("//node[last()]"), ["node:2"]);
        assert_eq!(found("//nodes[count(node) = 2]"), ["nodes:-"]);
        assert_eq!(found("(//node)[1]"), ["node:1"]);
        assert_eq!(found("//nodes/node[position()=1]"), ["node:1"]);
        assert_eq!(found("//*[self::node and @id='2']"), ["node:2"]);
        assert_eq!(found("//nothing"), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let refusal = |path: &str| XPath::parse(path).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            refusal("//node["),
            "XPath '//node[': at character 8: the path ends, expected a value or a path"
        );
        assert_eq!(
            refusal("//node[@a='b]"),
            "XPath '//node[@a='b]': at character 11: the quote is never closed"
        );
        assert!(
            refusal("ancestor::x").contains("axis 'ancestor' is not supported"),
            "{}",
            refusal("ancestor::x")
        );
        assert!(
            refusal("//a[id('x')]").contains("function 'id' is not supported"),
            "{}",
            refusal("//a[id('x')]")
        );
        assert!(refusal("'text'").contains("expected a path that finds nodes"));
        assert!(refusal("").contains("the path ends"));
        assert!(refusal(&"(".repeat(5000)).contains("nested too deeply"));
    }
}
