// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask`: what is done to the project rather than by it. One subcommand, one file.

mod arrows;
mod bench;
mod conformance;
mod fuzz;
mod install;
mod purity;
mod schema;
mod verify;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What is done to the project rather than by it")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check everything and change nothing: format, lints, docs, tests, dependency arrows, purity of the cores
    Verify(verify::Options),
    /// Write what `verify` would complain of, where a machine can
    Fix,
    /// Run the scheduler's conformance cases and count those whose outputs are as expected
    Conformance(conformance::Options),
    /// Measure how fast we are, beside C where there is a counterpart
    Bench(bench::Options),
    /// Fuzz a reader of untrusted text for some minutes, and keep the inputs that show most
    Fuzz(fuzz::Options),
    /// Write the RNG files that we ship from the table of the schema
    Schema,
    /// Build for release and lay the programs and agents out below a folder
    Install(install::Options),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Verify(options) => verify::run(&options),
        Task::Fix => verify::fix(),
        Task::Conformance(options) => conformance::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Schema => schema::run(),
        Task::Install(options) => install::run(&options),
    }
}

/// The workspace's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The cargo that runs us.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to its end; says which one failed.
fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
