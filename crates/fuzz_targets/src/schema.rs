// SPDX-License-Identifier: GPL-2.0-or-later
//! The schema: every document gets a verdict, and always the same one.

pub fn run(data: &[u8]) {
    let Ok(tree) = xml::parse_bytes(data) else { return };
    let issues = cib::schema::validate(&tree);
    for issue in &issues {
        assert!(!issue.to_string().is_empty());
    }
    let again: Vec<_> = cib::schema::validate(&tree).iter().map(ToString::to_string).collect();
    assert_eq!(issues.iter().map(ToString::to_string).collect::<Vec<_>>(), again);
}
