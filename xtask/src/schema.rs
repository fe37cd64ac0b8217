// SPDX-License-Identifier: GPL-2.0-or-later
//! `schema`: the RNG files that we ship, written from the table of the schema.

use crate::root;
use anyhow::{Context, Result, anyhow};
use cib::schema::{SchemaVersion, rng_file};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where they are kept.
pub fn folder() -> PathBuf {
    root().join("schemas")
}

/// Writes all of them; what else is there goes.
pub fn run() -> Result<()> {
    std::fs::create_dir_all(folder())?;
    for name in strangers()? {
        std::fs::remove_file(folder().join(name))?;
    }
    for (name, text) in files()? {
        let path = folder().join(&name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("schema: {} versions written into {}", SchemaVersion::ALL.len(), folder().display());
    Ok(())
}

/// Refuses files that are not what the table says.
pub fn verify() -> Result<()> {
    let mut wrong: Vec<String> =
        strangers()?.into_iter().map(|name| format!("{name} is of no version")).collect();
    for (name, text) in files()? {
        if std::fs::read_to_string(folder().join(&name)).is_ok_and(|found| found == text) {
            continue;
        }
        wrong.push(format!("{name} is not as the table says"));
    }
    anyhow::ensure!(wrong.is_empty(), "schemas: {}; run `cargo xtask schema`", wrong.join(", "));
    println!("schema: {} RNG files are as the table says", SchemaVersion::ALL.len());
    Ok(())
}

/// Name and content of each file.
fn files() -> Result<Vec<(String, String)>> {
    let file = |version: SchemaVersion| {
        let text = rng_file(version).map_err(|problem| anyhow!("{version}: {problem}"))?;
        Ok((format!("{version}.rng"), text))
    };
    SchemaVersion::ALL.into_iter().map(file).collect()
}

/// What is in the folder and should not be.
fn strangers() -> Result<Vec<String>> {
    let known: BTreeSet<String> = SchemaVersion::ALL.iter().map(|version| format!("{version}.rng")).collect();
    let Ok(entries) = std::fs::read_dir(folder()) else { return Ok(Vec::new()) };
    let mut strangers = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !known.contains(&name) {
            strangers.push(name);
        }
    }
    Ok(strangers)
}
