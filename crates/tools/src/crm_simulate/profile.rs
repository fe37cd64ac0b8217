// SPDX-License-Identifier: GPL-2.0-or-later
//! `--profile`: how long reading and scheduling take, file by file.

use super::SimulationError;
use super::source::{SourceError, usable};
use crate::cib_access::{DocumentError, read_file, with_status};
use crate::status::Lists;
use model::WallTime;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Schedules each CIB of a folder `repeat` times, and says how long that took. What is no CIB is passed over with a
/// word about it.
pub(super) fn profile(
    lists: &mut Lists<'_>,
    folder: &Path,
    repeat: u32,
    now: WallTime,
) -> Result<(), SimulationError> {
    let read = |source| SourceError::from(DocumentError::Read { path: folder.to_owned(), source });
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "xml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    lists.begin("Timings");
    for path in files {
        let read = read_file(&path).and_then(with_status).map_err(SourceError::from);
        let cib = match read.and_then(|cib| usable(&cib, |line| lists.error(line))) {
            Ok(cib) => cib,
            Err(error) => {
                lists.error(error);
                continue;
            }
        };
        let recorded = cib.attr("execution-date").and_then(|text| text.parse().ok());
        let moment = recorded.map_or(now, WallTime::from_secs);
        let started = Instant::now();
        for _ in 0..repeat {
            let (cluster, _) = scheduler::unpack(&cib, moment);
            scheduler::schedule(&cluster, &scheduler::Options::default());
        }
        let secs = started.elapsed().as_secs_f64();
        lists.item(format_args!("Testing {} ... {secs:.2} secs", path.display()));
    }
    lists.end();
    Ok(())
}
