// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask bench`: how fast we are, beside C where there is a counterpart. What is measured is a file each.

mod cib;
mod generate;
mod libxml2;
mod measure;
mod scheduler;
mod table;

use anyhow::Result;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The CIB: reading, checking, changing, comparing it, at several sizes
    Cib(cib::Options),
    /// The scheduler: whole clusters of several sizes and states planned, beside C's `crm_simulate`
    Scheduler(scheduler::Options),
    /// How much memory copies of a CIB need: what `cib` runs as a process of its own
    #[command(hide = true)]
    Memory { file: PathBuf, copies: usize },
    /// What a program costs: what `scheduler` runs as a process between itself and the program
    #[command(hide = true)]
    Cost {
        limit_s: u64,
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// How long each stage of planning a file takes: what `scheduler` runs as a process of its own
    #[command(hide = true)]
    Stages { file: PathBuf },
}

/// Runs the task; a build for development hands over to one for release, which alone says something about speed.
pub fn run(options: &Options) -> Result<()> {
    if cfg!(debug_assertions) {
        let arguments = std::env::args_os().skip(1);
        let release = ["run", "--quiet", "--release", "--package", "xtask", "--"];
        return crate::check(crate::cargo().args(release).args(arguments));
    }
    match &options.what {
        What::Cib(options) => cib::run(options),
        What::Scheduler(options) => scheduler::run(options),
        What::Cost { limit_s, command } => scheduler::cost(*limit_s, command),
        What::Stages { file } => scheduler::stages(file),
        What::Memory { file, copies } => cib::memory(file, *copies),
    }
}
