// SPDX-License-Identifier: GPL-2.0-or-later
//! CIBs to begin with: the corpus, where there is one, and a few of our own that have in them what the corpus has not.

use cib::schema::SchemaVersion;
use std::path::{Path, PathBuf};
use xml::Element;

pub struct Example {
    pub name: String,
    pub tree: Element,
    /// The version it claims, if that is one.
    pub claimed: Option<SchemaVersion>,
    /// In bytes.
    pub size: usize,
}

/// Folders of the corpus that hold CIBs.
const FOLDERS: [&str; 5] =
    ["scheduler/xml", "schemas/test-2/xml", "schemas/test-2/ref", "schemas/test-3/xml", "schemas/test-3/ref"];

/// All of them, always in the same order.
pub fn all() -> Vec<Example> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("SYSTOLE_CORPUS")
        .map_or_else(|| manifest.join("../../../shared/corpus"), PathBuf::from);
    let mut examples = in_folder(&manifest.join("tests/verdicts/cibs"));
    assert!(!examples.is_empty(), "our own examples are gone");
    for folder in FOLDERS {
        examples.extend(in_folder(&corpus.join(folder)));
    }
    examples
}

fn in_folder(folder: &Path) -> Vec<Example> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

/// A file, if it is well-formed XML and a CIB (the corpus has some that are neither on purpose).
fn read(path: &Path) -> Option<Example> {
    let text = std::fs::read_to_string(path).ok()?;
    let tree = xml::parse(&text).ok()?;
    let claimed = tree.attr("validate-with").and_then(|name| name.parse().ok());
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some(Example { name, tree, claimed, size: text.len() })
}
