// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB on disk: what a crash, an editor or a bad disk can do to it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cib::store::{Source, Store, StoreError};
use model::Profile;
use std::fs;
use std::process::Command;
use tempfile::TempDir;
use xml::Element;

const WHEN: &str = "Sun Nov 22 04:39:53 2026";

fn numbered(epoch: i32) -> Element {
    cib::empty(Profile::V3_0).with_attr("epoch", epoch).with_attr("num_updates", 7).with_attr("dc-uuid", 1)
}

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), Profile::V3_0);
    (folder, store)
}

#[test]
fn nothing_on_disk_is_an_empty_cib() {
    let (_folder, store) = store();
    let loaded = store.read();
    assert_eq!((loaded.source, loaded.cib), (Source::Nothing, cib::empty(Profile::V3_0)));
}

#[test]
fn what_is_written_is_read() {
    let (folder, store) = store();
    let mut cib = numbered(4);
    cib.child_mut("status").unwrap().push(Element::new("node_state"));
    store.write(&cib, WHEN).unwrap();
    let loaded = store.read();
    assert_eq!(loaded.source, Source::Live);
    assert_eq!(loaded.warnings, Vec::<String>::new());
    // The status, the DC and the count of updates belong to the past.
    assert_eq!(loaded.cib.attr("num_updates"), Some("0"));
    assert_eq!(loaded.cib.attr("dc-uuid"), None);
    assert_eq!(loaded.cib.attr("cib-last-written"), Some(WHEN));
    assert_eq!(loaded.cib.child("status").unwrap().to_string(), "<status/>");
    let signature = fs::read_to_string(folder.path().join("cib.xml.sig")).unwrap();
    assert_eq!((signature.len(), signature.trim().len()), (32, 32));
}

#[test]
fn every_write_leaves_a_backup() {
    let (folder, store) = store();
    for epoch in 1..=4 {
        store.write(&numbered(epoch), WHEN).unwrap();
    }
    assert_eq!(fs::read_to_string(folder.path().join("cib.last")).unwrap(), "3");
    let oldest = fs::read_to_string(folder.path().join("cib-0.raw")).unwrap();
    assert!(oldest.contains(r#"epoch="1""#) && folder.path().join("cib-2.raw.sig").exists());
    fs::write(folder.path().join("cib.last"), "99").unwrap();
    store.write(&numbered(5), WHEN).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("cib.last")).unwrap(), "0");
    assert!(folder.path().join("cib-99.raw").exists());
}

#[test]
fn an_edited_file_is_neither_used_nor_overwritten() {
    let (folder, store) = store();
    store.write(&numbered(1), WHEN).unwrap();
    store.write(&numbered(2), WHEN).unwrap();
    let live = folder.path().join("cib.xml");
    let text = fs::read_to_string(&live).unwrap();
    fs::write(&live, text.replace(r#"epoch="2""#, r#"epoch="99""#)).unwrap();
    let refusal = store.write(&numbered(3), WHEN).unwrap_err();
    assert!(matches!(refusal, StoreError::Modified { .. }), "{refusal}");
    assert!(fs::read_to_string(&live).unwrap().contains(r#"epoch="99""#));
    let loaded = store.read();
    assert_eq!(loaded.cib.attr("epoch"), Some("1"));
    assert!(matches!(loaded.source, Source::Backup(ref path) if path.ends_with("cib-0.raw")));
    assert!(
        loaded.warnings.iter().any(|warning| warning.contains("edited by hand")),
        "{:?}",
        loaded.warnings
    );
    // What was edited is kept aside, and writing works again.
    assert!(folder.path().join("cib.auto.000/cib.xml").exists());
    store.write(&numbered(3), WHEN).unwrap();
    assert_eq!(store.read().cib.attr("epoch"), Some("3"));
}

#[test]
fn a_torn_file_falls_back_to_the_newest_good_backup() {
    let (folder, store) = store();
    for epoch in 1..=3 {
        store.write(&numbered(epoch), WHEN).unwrap();
    }
    fs::write(folder.path().join("cib.xml"), "<cib epoch=\"3\"").unwrap();
    fs::write(folder.path().join("cib-1.raw"), "").unwrap();
    let refusal = store.write(&numbered(4), WHEN).unwrap_err().to_string();
    assert!(refusal.contains("cib.xml cannot be read as a CIB: line 1"), "{refusal}");
    let loaded = store.read();
    assert_eq!(loaded.cib.attr("epoch"), Some("1"));
    assert_eq!(loaded.warnings.len(), 4, "{:?}", loaded.warnings);
    // Perhaps somebody was about to write it.
    let aside = folder.path().join("cib.auto.000/cib.xml");
    assert_eq!(fs::read_to_string(aside).unwrap(), "<cib epoch=\"3\"");
    store.write(&numbered(4), WHEN).unwrap();
    assert_eq!(store.read().source, Source::Live);
}

#[test]
fn leftovers_of_an_interrupted_write_do_no_harm() {
    let (folder, store) = store();
    store.write(&numbered(1), WHEN).unwrap();
    fs::write(folder.path().join("cib.new"), "half").unwrap();
    fs::write(folder.path().join("cib.new.sig"), "half").unwrap();
    assert_eq!(store.read().cib.attr("epoch"), Some("1"));
    store.write(&numbered(2), WHEN).unwrap();
    assert_eq!(store.read().cib.attr("epoch"), Some("2"));
}

#[test]
fn a_write_that_ended_between_its_renames_is_finished() {
    let (folder, store) = store();
    store.write(&numbered(1), WHEN).unwrap();
    let at = |name: &str| folder.path().join(name);
    let old_signature = fs::read_to_string(at("cib.xml.sig")).unwrap();
    store.write(&numbered(2), WHEN).unwrap();
    // As if the power had gone after the first rename.
    fs::rename(at("cib.xml.sig"), at("cib.new.sig")).unwrap();
    fs::write(at("cib.xml.sig"), old_signature).unwrap();
    let loaded = store.read();
    assert_eq!((loaded.source, loaded.cib.attr("epoch")), (Source::Live, Some("2")));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let store = Store::new("/nonexistent/cib", Profile::V3_0);
    let refusal = store.write(&numbered(1), WHEN).unwrap_err().to_string();
    assert!(refusal.starts_with("create /nonexistent/cib/cib.new: "), "{refusal}");
}

/// Where a run of this program under a limit finds its folder.
const LIMITED: &str = "SYSTOLE_LIMITED_STORE";

/// The system itself refuses to write more than half of a CIB. (A limit on the size of files is there for everybody; a full
/// disk would need the right to mount one.)
#[test]
fn a_file_that_stays_half_written_leaves_the_old_cib() {
    let large = || {
        let mut cib = numbered(2);
        let tags = (0..2_000).map(|number| Element::new("tag").with_attr("id", format!("tag-{number}")));
        tags.for_each(|tag| cib.child_or_insert("configuration").push(tag));
        cib
    };
    if let Some(folder) = std::env::var_os(LIMITED) {
        let store = Store::new(folder, Profile::V3_0);
        let refusal = store.write(&large(), WHEN).unwrap_err().to_string();
        assert!(refusal.starts_with("write ") && refusal.contains("too large"), "{refusal}");
        return;
    }
    let (folder, store) = store();
    store.write(&numbered(1), WHEN).unwrap();
    let run = Command::new("sh")
        // Without the signal that would end the program, the call fails.
        .args(["-c", r#"trap "" XFSZ; ulimit -f 16; exec "$0" --exact "$1" --nocapture"#])
        .arg(std::env::current_exe().unwrap())
        .arg("a_file_that_stays_half_written_leaves_the_old_cib")
        .env(LIMITED, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(!folder.path().join("cib.new").exists());
    let loaded = store.read();
    assert_eq!((loaded.source, loaded.cib.attr("epoch")), (Source::Live, Some("1")));
    // With room again, it goes on.
    store.write(&large(), WHEN).unwrap();
    assert_eq!(store.read().cib.attr("epoch"), Some("2"));
}
