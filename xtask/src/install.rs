// SPDX-License-Identifier: GPL-2.0-or-later
//! `install`: one binary under all its names, hard-linked so that a process's `exe` shows the right one.

use crate::{cargo, check, root, schema};
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Args)]
pub struct Options {
    /// The folder below which `sbin/`, `libexec/pacemaker/`, `lib/ocf/` and `share/` are laid
    #[arg(long)]
    prefix: PathBuf,
}

/// Builds, then lays out.
pub fn run(options: &Options) -> Result<()> {
    check(cargo().args(["build", "--release", "--locked", "--package", "systole"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built = target.join("release/systole");
    let (sbin, libexec) = (options.prefix.join("sbin"), options.prefix.join("libexec/pacemaker"));
    std::fs::create_dir_all(&sbin)?;
    std::fs::create_dir_all(&libexec)?;
    let binary = sbin.join("systole");
    replace(&binary, |to| std::fs::copy(&built, to).map(|_| ()))?;
    let names = Command::new(&binary).arg("names").output().context("cannot run the installed binary")?;
    anyhow::ensure!(
        names.status.success(),
        "systole names failed: {}",
        String::from_utf8_lossy(&names.stderr)
    );
    let mut laid = 0;
    for line in String::from_utf8(names.stdout)?.lines() {
        let (place, name) = line.split_once(' ').context("systole names: expected PLACE NAME")?;
        let folder = if place == "libexec" { &libexec } else { &sbin };
        replace(&folder.join(name), |to| std::fs::hard_link(&binary, to))?;
        laid += 1;
    }
    copy_tree(&root().join("agents/ocf"), &options.prefix.join("lib/ocf/resource.d"))?;
    copy_tree(&schema::folder(), &options.prefix.join("share/pacemaker"))?;
    lay_documents(&binary, &options.prefix.join("share"))?;
    println!(
        "installed {laid} names of one binary, their man pages and completion, the agents and schemas, below {}",
        options.prefix.display()
    );
    Ok(())
}

/// Man pages and completion of all tools that have them, as the binary itself prints them.
fn lay_documents(binary: &Path, share: &Path) -> Result<()> {
    let printed = |arguments: &[&str]| -> Result<Vec<u8>> {
        let output =
            Command::new(binary).args(arguments).output().context("cannot run the installed binary")?;
        anyhow::ensure!(output.status.success(), "systole {} failed", arguments.join(" "));
        Ok(output.stdout)
    };
    let lay = |folder: &str, name: &str, content: &[u8]| -> Result<()> {
        let folder = share.join(folder);
        std::fs::create_dir_all(&folder)?;
        replace(&folder.join(name), |to| std::fs::write(to, content))
    };
    for name in String::from_utf8(printed(&["man"])?)?.lines() {
        lay("man/man8", &format!("{name}.8"), &printed(&["man", name])?)?;
        // What is no command of its own, a shell does not complete.
        if name.starts_with("systole-") {
            continue;
        }
        lay("bash-completion/completions", name, &printed(&["completion", "bash", name])?)?;
        lay("zsh/site-functions", &format!("_{name}"), &printed(&["completion", "zsh", name])?)?;
        lay("fish/vendor_completions.d", &format!("{name}.fish"), &printed(&["completion", "fish", name])?)?;
    }
    Ok(())
}

/// Makes a file beside its place and moves it there, so that a running program keeps its own.
fn replace(path: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let fresh = path.with_extension("new");
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    make(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    // Renaming one hard link of a file onto another does nothing and leaves both, so the old one goes first.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    std::fs::rename(&fresh, path).with_context(|| format!("cannot make {}", path.display()))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            // Copies the mode as well: agents must be executable.
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
