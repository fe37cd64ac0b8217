// SPDX-License-Identifier: GPL-2.0-or-later
//! Fuzzing: builds libFuzzer's programs in `fuzz/` with stable Rust, runs a campaign, and keeps the few inputs that show
//! most.
//!
//! What must hold is in `crates/fuzz_targets`; what was kept, in `fuzz/corpus`, is replayed by its tests. All that a
//! campaign tried stays below `fuzz/target`, so that the next one begins where it ended.

mod corpus;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use fuzz_targets::{TARGETS, Target};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What libFuzzer needs to see where an input leads. These are options of stable Rust; sanitizers are not, but there is
/// no unsafe code of ours that one could catch.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// What no input may need: more memory, and more time.
const BOUNDS: [&str; 2] = ["-rss_limit_mb=1024", "-timeout=10"];

/// A whole configuration fits; longer inputs show nothing that shorter ones do not, only slower.
const fn longest_input(target: &Target) -> usize {
    if target.is_xml { 12_000 } else { 2_000 }
}

#[derive(Args)]
pub struct Options {
    /// What to fuzz: xml, xpath, patch, schema, rules or dates
    target: String,
    /// How long
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Only check these inputs, such as one that a campaign failed with
    inputs: Vec<PathBuf>,
}

/// A campaign, or the replay of some inputs.
pub fn run(options: &Options) -> Result<()> {
    let target = TARGETS.iter().find(|known| known.name == options.target).with_context(|| {
        let names: Vec<&str> = TARGETS.iter().map(|known| known.name).collect();
        format!("there is no target '{}', only {}", options.target, names.join(", "))
    })?;
    let program = build(target)?;
    if !options.inputs.is_empty() {
        return crate::check(Command::new(program).args(BOUNDS).args(&options.inputs));
    }
    let work = corpus::Work::prepare(target)?;
    campaign(&program, target, &work, options.minutes)?;
    corpus::keep(&program, target, &work)
}

fn build(target: &Target) -> Result<PathBuf> {
    // With a target named, build scripts and macros stay without instrumentation.
    let host = host()?;
    let folder = folder().join("target");
    let mut command = super::cargo();
    command
        .current_dir(folder.parent().unwrap_or(&folder))
        .args(["build", "--quiet", "--release", "--target", &host, "--bin", target.name])
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env("CARGO_TARGET_DIR", &folder);
    crate::check(&mut command)?;
    Ok(folder.join(host).join("release").join(target.name))
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

/// The folder of all that fuzzing needs and keeps.
fn folder() -> PathBuf {
    super::root().join("fuzz")
}

fn campaign(program: &Path, target: &Target, work: &corpus::Work, minutes: u64) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args(BOUNDS)
        .args(["-print_final_stats=1", "-verbosity=1"])
        .arg(format!("-max_len={}", longest_input(target)))
        .arg(format!("-max_total_time={}", minutes.saturating_mul(60)))
        .arg(format!("-dict={}", work.dictionary.display()))
        .arg(format!("-artifact_prefix={}/", work.failures.display()))
        .arg(&work.tried)
        .args(&work.seeds);
    let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
    if status.success() {
        return Ok(());
    }
    bail!(
        "the campaign ended with {status}: the input is the newest file in {}; `cargo xtask fuzz TARGET FILE` replays it",
        work.failures.display()
    );
}

/// Every program of `fuzz/` is a target and the other way round.
pub fn verify() -> Result<()> {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml"))?;
    for target in &TARGETS {
        ensure!(
            manifest.contains(&format!("name = \"{}\"\n", target.name)),
            "fuzz/Cargo.toml has no program for the target {}",
            target.name
        );
    }
    Ok(())
}
