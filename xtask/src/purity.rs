// SPDX-License-Identifier: GPL-2.0-or-later
//! Cores decide, shells do: pure code must not name a clock, a file, a process, a socket, the environment or chance.

use anyhow::Result;
use std::path::{Path, PathBuf};

/// Folders of pure code, with the files in them that are not (the store does files, that is its job).
const PURE: [(&str, &[&str]); 17] = [
    ("crates/model/src", &[]),
    ("crates/xml/src", &[]),
    ("crates/cib/src", &["store.rs", "store"]),
    ("crates/rules/src", &[]),
    ("crates/fuzz_targets/src", &[]),
    ("crates/graph/src", &[]),
    ("crates/scheduler/src", &[]),
    ("crates/advice/src", &[]),
    ("crates/messages/src", &[]),
    ("crates/election/src", &[]),
    ("crates/daemons/pacemakerd/src/core", &[]),
    ("crates/daemons/based/src/core", &[]),
    ("crates/daemons/attrd/src/core", &[]),
    ("crates/daemons/execd/src/core", &[]),
    ("crates/daemons/fenced/src/core", &[]),
    ("crates/daemons/schedulerd/src/core", &[]),
    ("crates/daemons/controld/src/core", &[]),
];

const FORBIDDEN: [&str; 14] = [
    "SystemTime",
    "time::Instant",
    "Instant::now",
    "std::fs",
    "std::process",
    "std::net",
    "unix::net",
    "std::env",
    "env::var",
    "std::thread",
    "tokio::",
    "nix::",
    "new_v4",
    "jiff::Timestamp::now",
];

/// Reads all pure code and names every line that is not.
pub fn verify() -> Result<()> {
    let (mut files, mut wrong) = (0, Vec::new());
    for (folder, impure) in PURE {
        let folder = super::root().join(folder);
        anyhow::ensure!(folder.is_dir(), "{} is listed as pure code but is not there", folder.display());
        let mut sources = Vec::new();
        collect(&folder, impure, &mut sources)?;
        files += sources.len();
        for path in sources {
            let text = std::fs::read_to_string(&path)?;
            let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            for (number, line) in code {
                if let Some(word) = FORBIDDEN.iter().find(|word| line.contains(**word)) {
                    wrong.push(format!("{}:{}: {word}", path.display(), number + 1));
                }
            }
        }
    }
    anyhow::ensure!(wrong.is_empty(), "pure code names the outside world:\n{}", wrong.join("\n"));
    println!("purity: {files} files name no clock, file, process, socket, environment or chance");
    Ok(())
}

fn collect(folder: &Path, impure: &[&str], into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| impure.contains(&name)) {
            continue;
        }
        if path.is_dir() {
            collect(&path, impure, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}
