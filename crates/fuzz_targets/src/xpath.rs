// SPDX-License-Identifier: GPL-2.0-or-later
//! XPath: every expression is refused or evaluated within bounds, and what it selects is where its address says.
//!
//! The input's first line is the expression; what follows is the document, or a small CIB if nothing does.

use xml::{Value, XPath};

const DOCUMENT: &str = r#"<cib epoch="1" num_updates="2"><!-- kept --><configuration><crm_config/><nodes>
<node id="1" uname="a"/><node id="2" uname="b"><instance_attributes id="i"><nvpair id="n" name="x" value="1.5"/>
</instance_attributes></node></nodes><resources><group id="g"><primitive id="r" class="ocf" type="Dummy"/></group>
</resources></configuration><status/></cib>"#;

/// Enough for any expression of this size; what would take longer has to say so.
const WORK: u64 = 200_000;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (expression, document) = text.split_once('\n').unwrap_or((text, DOCUMENT));
    let xpath = match XPath::parse(expression) {
        Ok(xpath) => xpath,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let Ok(tree) = xml::parse(document) else { return };
    let Ok(value) = xpath.evaluate_within(&tree, WORK) else { return };
    let Value::Nodes(nodes) = value else { return };
    for node in nodes.iter().take(20) {
        let (path, element) = node.nearest_element();
        assert_eq!(tree.at(path), Some(element), "{expression}");
        assert!(!node.address().is_empty(), "{expression}");
    }
}
