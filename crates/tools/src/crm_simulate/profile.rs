// SPDX-License-Identifier: GPL-2.0-or-later
//! `--profile`: how long reading and scheduling take, file by file.

use super::source::usable;
use super::telling::Telling;
use super::{Moment, Options};
use crate::cib_access::{read_file, with_status};
use crate::failure::{Failure, system_words};
use crate::output::Entry;
use model::{ExitCode, LegacyRc};
use nix::time::{ClockId, clock_gettime};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Schedules each CIB of a folder as often as asked for, and says how much processor time that took. What is no CIB is
/// passed over with a word about it.
pub(super) fn profile(
    telling: &mut Telling<'_, '_>,
    folder: &Path,
    options: &Options,
    moment: Moment,
) -> Result<(), Failure> {
    let files = files_of(folder)?;
    if files.is_empty() {
        return Ok(());
    }
    let scheduling = options.scheduling();
    telling.begin("Timings", Entry::new("timings"));
    for path in files {
        let read = read_file(&path).and_then(with_status);
        let read = read.map_err(|error| Failure::new(error.exit_code(), error.place_and_problem()));
        let cib = match read.and_then(|cib| usable(&cib, telling)) {
            Ok(cib) => cib,
            Err(failure) => {
                telling.error(failure.text.unwrap_or_default());
                continue;
            }
        };
        let moment = moment.of(&cib);
        let started = processor_time();
        for _ in 0..options.repeat {
            let (cluster, _) = scheduler::unpack(&cib, moment);
            scheduler::schedule(&cluster, &scheduling);
        }
        let secs = processor_time().saturating_sub(started).as_secs_f64();
        let file = path.display().to_string();
        telling.item(format_args!("Testing {file} ... {secs:.2} secs"), || {
            Entry::new("timing").attr("file", &file).attr("duration", format!("{secs:.6}"))
        });
    }
    telling.end();
    Ok(())
}

/// The files of a folder that may be CIBs, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unread = |error: std::io::Error| {
        let code = error.raw_os_error().map_or(ExitCode::ERROR, |errno| LegacyRc::new(-errno).exit_code());
        Failure::new(code, format_args!("{}: {}", folder.display(), system_words(&error)))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "xml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// How long this process has had a processor.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
