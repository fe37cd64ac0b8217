// SPDX-License-Identifier: GPL-2.0-or-later
//! `verify` reads, `fix` writes.

use crate::{arrows, cargo, check, conformance, fuzz, purity, root, schema};
use anyhow::Result;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Args)]
pub struct Options {
    /// All but the tests
    #[arg(long)]
    quick: bool,
}

/// Checks everything, stops at the first that fails.
pub fn run(options: &Options) -> Result<()> {
    arrows::verify()?;
    purity::verify()?;
    fuzz::verify()?;
    licences()?;
    schema::verify()?;
    step("format");
    check(cargo().args(["fmt", "--all", "--check"]))?;
    step("lints");
    check(cargo().args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    step("docs");
    check(
        cargo()
            .args(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items", "--locked"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    if !options.quick {
        step("tests");
        check(cargo().args(["test", "--quiet", "--workspace", "--locked"]))?;
        step("conformance");
        conformance::run(&conformance::Options::default())?;
    }
    println!("verify: all is well");
    Ok(())
}

/// Formats, and takes the lints' own suggestions.
pub fn fix() -> Result<()> {
    schema::run()?;
    check(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--fix", "--allow-dirty"]))?;
    check(cargo().args(["fmt", "--all"]))
}

fn step(name: &str) {
    println!("== {name}");
}

/// Every source file says its licence, and every Rust file what it is.
fn licences() -> Result<()> {
    let mut wrong = Vec::new();
    let listing = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let files = match listing {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            names.split('\0').filter(|name| !name.is_empty()).map(|name| root().join(name)).collect()
        }
        // Not a git checkout (an unpacked release): all that is there.
        _ => everything(&root())?,
    };
    for path in files.iter().filter(|path| path.is_file()) {
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { continue };
        if !matches!(extension, "rs" | "sh" | "toml") {
            continue;
        }
        let text = std::fs::read_to_string(path)?;
        // Scripts have their interpreter in the first line.
        if !text.lines().take(2).any(|line| line.contains("SPDX-License-Identifier: GPL-2.0-or-later")) {
            wrong.push(format!("{}: no SPDX line at its head", path.display()));
        }
        if extension == "rs" && !text.lines().nth(1).is_some_and(|line| line.starts_with("//!")) {
            wrong.push(format!("{}: does not say what it is (//!) below its SPDX line", path.display()));
        }
    }
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("licences: {} files looked at", files.len());
    Ok(())
}

fn everything(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" {
            found.extend(everything(&path)?);
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(found)
}
