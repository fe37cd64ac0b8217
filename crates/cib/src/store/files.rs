// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done with files, each step with an error that says which and what.

use super::StoreError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// No CIB is larger.
const MAX_BYTES: u64 = 1 << 30;

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: path.to_owned(), source })
}

/// The signature file of a CIB file.
pub(super) fn signature_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

pub(super) fn read_text(path: &Path) -> Result<String, StoreError> {
    let file = at("open", path, File::open(path))?;
    let mut bytes = Vec::new();
    at("read", path, file.take(MAX_BYTES).read_to_end(&mut bytes))?;
    String::from_utf8(bytes)
        .map_err(|error| StoreError::Corrupt { path: path.to_owned(), why: format!("not UTF-8: {error}") })
}

/// A new file (in place of a leftover of an interrupted write) whose content is on the disk when this returns.
pub(super) fn write_new(folder: &Path, name: &str, content: &[u8]) -> Result<PathBuf, StoreError> {
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return at("remove", &path, Err(error)),
        _ => {}
    }
    let mut file =
        at("create", &path, OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path))?;
    at("write", &path, file.write_all(content))?;
    at("sync", &path, file.sync_all())?;
    Ok(path)
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    at("rename to", to, fs::rename(from, to))
}

/// A second name for a file, in place of what had it.
pub(super) fn link_over(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return at("remove", to, Err(error)),
        _ => {}
    }
    at("link", to, fs::hard_link(from, to))
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    at("sync", folder, File::open(folder).and_then(|folder| folder.sync_all()))
}

/// Moves files into a new folder.
pub(super) fn archive(folder: &Path, names: &[&str]) -> Result<PathBuf, StoreError> {
    for number in 0..1_000 {
        let aside = folder.join(format!("cib.auto.{number:03}"));
        match fs::create_dir(&aside) {
            Ok(()) => {
                for name in names.iter().filter(|name| folder.join(name).exists()) {
                    rename(&folder.join(name), &aside.join(name))?;
                }
                return Ok(aside);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return at("create", &aside, Err(error)),
        }
    }
    at("create", &folder.join("cib.auto.999"), Err(io::ErrorKind::AlreadyExists.into()))
}

/// All backups, the one that was made last first.
pub(super) fn backups_newest_first(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut backups: Vec<((i64, i64), PathBuf)> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("cib-") && !name.ends_with(".sig")
        })
        .filter_map(|entry| {
            let data = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some(((data.ctime(), data.ctime_nsec()), entry.path()))
        })
        .collect();
    backups.sort();
    backups.reverse();
    backups.into_iter().map(|(_, path)| path).collect()
}
