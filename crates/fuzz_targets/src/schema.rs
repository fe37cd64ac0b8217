// SPDX-License-Identifier: GPL-2.0-or-later
//! The schema: every document gets a verdict, and always the same one; what an upgrade leads to follows the version that it
//! then claims, and every step of the way refuses or ends.

use cib::schema::{SchemaVersion, is_valid, validate};
use cib::upgrade::{steps, upgrade};
use model::Profile;
use xml::Element;

pub fn run(data: &[u8]) {
    let Ok(tree) = xml::parse_bytes(data) else { return };
    let verdict = said(&tree);
    assert_eq!(verdict, said(&tree));
    let upgraded = upgrade(&tree, None, Profile::V3_0);
    for event in &upgraded.events {
        assert!(!event.to_string().is_empty());
    }
    match upgraded.to {
        Some(version) if upgraded.advanced() => {
            assert!(
                is_valid(&upgraded.cib, version),
                "not {version}: {}",
                xml::write_indented(&upgraded.cib)
            );
            assert_eq!(said(&upgraded.cib), Vec::<String>::new());
        }
        _ => assert_eq!(upgraded.cib, tree, "changed, but no newer"),
    }
    // The steps themselves take anything.
    for version in SchemaVersion::ALL {
        for step in steps(version) {
            if let Err(error) = step.run(&tree, &mut Vec::new()) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// What is wrong, in words.
fn said(tree: &Element) -> Vec<String> {
    validate(tree).iter().map(ToString::to_string).inspect(|text| assert!(!text.is_empty())).collect()
}
