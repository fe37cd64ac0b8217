// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of secrets.

use super::store::{Secrets, is_name, md5};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_secret_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = Secrets::in_folder(&folder.path().join("secrets"));
    assert_eq!(secrets.value("r", "p").unwrap(), None);
    secrets.store("r", "p", "top secret").unwrap();
    let file = secrets.file("r", "p");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_to_string(&file).unwrap(), "top secret\n");
    // What `printf 'top secret' | md5sum` says.
    assert_eq!(secrets.sum("r", "p").unwrap().unwrap(), "58b014cd0965df4c1a48ba68d454968d");
    secrets.store("r", "p", "other ").unwrap();
    assert_eq!(secrets.value("r", "p").unwrap().unwrap(), "other", "blanks at the end are no part of it");
    assert_eq!(secrets.sum("r", "p").unwrap().unwrap(), md5("other"));
    secrets.remove("r", "p").unwrap();
    secrets.remove("r", "p").unwrap();
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn names_stay_in_their_folder() {
    assert!(is_name("ipmi_node1") && is_name("a.b-c") && is_name("_x"));
    for word in ["", "..", "a/b", "-rf", "a b", "a;b", "$x", "`x`"] {
        assert!(!is_name(word), "{word}");
    }
}
