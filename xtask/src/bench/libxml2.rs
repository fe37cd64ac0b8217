// SPDX-License-Identifier: GPL-2.0-or-later
//! C's side: what `xmllint` says of its own times, so that starting it does not count, and how long `cibadmin` takes.

use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many times a process is started for one result.
const TIMES: usize = 3;

/// Whether a program is here.
pub fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).chain(["/usr/sbin".into()]).any(|folder| folder.join(program).is_file())
}

/// Reading a file and freeing what was read; small ones many times over, as `xmllint` counts milliseconds.
pub fn parse(file: &Path, size: usize) -> Result<Duration> {
    if size > 2_000_000 {
        return least(&["--noout"], file, &["Parsing took", "Freeing took"]);
    }
    let all = least(&["--noout", "--repeat"], file, &["100 iterations took"])?;
    Ok(all / 100)
}

/// Reading a file and checking it against a schema, which has been read before. Of small ones, what a hundred more of
/// them add to the time of a process.
pub fn validate(file: &Path, size: usize, schema: &Path) -> Result<Duration> {
    let schema = schema.to_str().context("the schema's path is no text")?;
    if size > 2_000_000 {
        return least(&["--noout", "--relaxng", schema], file, &["Parsing took", "Validating took"]);
    }
    let time = |count: usize| -> Result<Duration> {
        let mut least = Duration::MAX;
        for _ in 0..TIMES {
            let mut command = Command::new("xmllint");
            command.args(["--noout", "--relaxng", schema]).args(std::iter::repeat_n(file, count));
            let started = Instant::now();
            let output = command.output()?;
            least = least.min(started.elapsed());
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            anyhow::ensure!(output.status.success(), "xmllint --relaxng {schema}: {said}");
        }
        Ok(least)
    };
    Ok(time(101)?.saturating_sub(time(1)?) / 100)
}

/// The least sum, over some runs, of the times that `xmllint` names so.
fn least(options: &[&str], file: &Path, names: &[&str]) -> Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..TIMES {
        let output = Command::new("xmllint").arg("--timing").args(options).arg(file).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(output.status.success(), "xmllint {options:?} {}: {said}", file.display());
        let mut sum = Duration::ZERO;
        for name in names {
            let time = said.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" ms"));
            let time: u64 =
                time.and_then(|ms| ms.parse().ok()).with_context(|| format!("no '{name}' in:\n{said}"))?;
            sum += Duration::from_millis(time);
        }
        least = least.min(sum);
    }
    Ok(least)
}

/// The digest of a file by `cibadmin`, and how long that took, with all that a process takes.
pub fn digest(option: &str, file: &Path) -> Result<(String, Duration)> {
    let mut least = Duration::MAX;
    let mut digest = String::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        let mut command = Command::new("cibadmin");
        let output = command.arg(option).arg("-x").arg(file).stdin(Stdio::null()).output()?;
        least = least.min(started.elapsed());
        anyhow::ensure!(
            output.status.success(),
            "cibadmin {option}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        digest = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    }
    Ok((digest, least))
}
