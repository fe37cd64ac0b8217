// SPDX-License-Identifier: GPL-2.0-or-later
//! What a campaign begins with, and what of it is kept.

use super::{BOUNDS, folder};
use anyhow::{Context, Result};
use fuzz_targets::Target;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Inputs kept of a target, and the longest of them.
const MOST_KEPT: usize = 200;
const LONGEST_KEPT_BYTES: u64 = 3_000;

/// Configurations with everything in them.
const EXAMPLES: &str = "crates/cib/tests/verdicts/cibs";

/// The folders and files of a campaign.
pub struct Work {
    /// Where libFuzzer puts every input that showed something new.
    pub tried: PathBuf,
    /// What it begins with besides.
    pub seeds: Vec<PathBuf>,
    /// Words to put into inputs.
    pub dictionary: PathBuf,
    /// Where the inputs are put that failed.
    pub failures: PathBuf,
}

impl Work {
    pub fn prepare(target: &Target) -> Result<Work> {
        let base = folder().join("target").join("campaigns").join(target.name);
        let (tried, failures) = (base.join("tried"), base.join("failures"));
        for folder in [&tried, &failures, &kept(target)] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let dictionary = base.join("dictionary");
        fs::write(&dictionary, dictionary_of(&(target.words)()))?;
        let mut seeds = vec![kept(target)];
        if target.is_xml {
            seeds.push(crate::root().join(EXAMPLES));
        }
        Ok(Work { tried, seeds, dictionary, failures })
    }
}

/// The inputs of a target that are in the project.
fn kept(target: &Target) -> PathBuf {
    folder().join("corpus").join(target.name)
}

/// libFuzzer's format: a quoted word a line, everything but plain characters by its number.
fn dictionary_of(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        text.push('"');
        for byte in word.bytes() {
            match byte {
                b'"' | b'\\' => text.push_str(&format!("\\{}", char::from(byte))),
                b' '..=b'~' => text.push(char::from(byte)),
                _ => text.push_str(&format!("\\x{byte:02X}")),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// Adds to the kept inputs the fewest of those tried that lead wherever those led.
pub fn keep(program: &Path, target: &Target, work: &Work) -> Result<()> {
    let fewest = work.tried.with_file_name("fewest");
    if fewest.exists() {
        fs::remove_dir_all(&fewest)?;
    }
    fs::create_dir_all(&fewest)?;
    // What is kept already comes first, so it stays; then as few as cover the places (not how often each was passed).
    for from in [kept(target), work.tried.clone()] {
        let mut merge = Command::new(program);
        merge.args(BOUNDS).args(["-merge=1", "-use_counters=0"]).args([&fewest, &from]).stderr(Stdio::null());
        crate::check(&mut merge)?;
    }
    let known = kept(target);
    let mut new: Vec<(u64, PathBuf)> = Vec::new();
    for path in files(&fewest)? {
        let bytes = fs::metadata(&path)?.len();
        let is_new = path.file_name().is_some_and(|name| !known.join(name).exists());
        if bytes <= LONGEST_KEPT_BYTES && is_new && !has_same(&known, &path)? {
            new.push((bytes, path));
        }
    }
    new.sort();
    let room = MOST_KEPT.saturating_sub(files(&known)?.len());
    for (_, path) in new.iter().take(room) {
        fs::copy(path, known.join(path.file_name().unwrap_or(OsStr::new("input"))))?;
    }
    println!(
        "fuzz: {} new inputs, of which {} are kept in {}",
        new.len(),
        new.len().min(room),
        known.display()
    );
    Ok(())
}

fn has_same(folder: &Path, path: &Path) -> Result<bool> {
    let wanted = fs::read(path)?;
    for known in files(folder)? {
        if fs::read(known)? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}
