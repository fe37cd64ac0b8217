// SPDX-License-Identifier: GPL-2.0-or-later
//! What is done with files, each step with an error that says which and what.

use super::StoreError;
use super::disk::{Disk, Owner};
use std::io;
use std::path::{Path, PathBuf};

fn at<T>(action: &'static str, path: &Path, result: io::Result<T>) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io { action, path: path.to_owned(), source })
}

/// The signature file of a CIB file.
pub(super) fn signature_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

pub(super) fn read_text(disk: &dyn Disk, path: &Path) -> Result<String, StoreError> {
    let bytes = at("read", path, disk.read(path))?;
    String::from_utf8(bytes)
        .map_err(|error| StoreError::Corrupt { path: path.to_owned(), why: format!("not UTF-8: {error}") })
}

/// A new file (in place of a leftover of an interrupted write) whose content is on the disk when this returns. If that
/// fails, there is none.
pub(super) fn write_new(
    disk: &dyn Disk,
    path: &Path,
    content: &[u8],
    owner: Option<Owner>,
) -> Result<(), StoreError> {
    remove(disk, path)?;
    at("create", path, disk.create(path, owner))?;
    let written =
        at("write", path, disk.write(path, content)).and_then(|()| at("sync", path, disk.sync(path)));
    if written.is_err() {
        // A full disk should not be kept full by half a CIB.
        let _ = disk.remove(path);
    }
    written
}

pub(super) fn rename(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), StoreError> {
    at("rename to", to, disk.rename(from, to))
}

/// Takes a name away, if something has it.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => at("remove", path, Err(error)),
        _ => Ok(()),
    }
}

/// A second name for a file, in place of what had it.
pub(super) fn link_over(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), StoreError> {
    remove(disk, to)?;
    at("link", to, disk.link(from, to))
}

pub(super) fn sync_folder(disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
    at("sync", folder, disk.sync_folder(folder))
}

/// Moves files into a new folder, if they are there.
pub(super) fn archive(disk: &dyn Disk, folder: &Path, names: &[&str]) -> Result<PathBuf, StoreError> {
    for number in 0..1_000 {
        let aside = folder.join(format!("cib.auto.{number:03}"));
        match disk.make_folder(&aside) {
            Ok(()) => {
                for name in names {
                    match disk.rename(&folder.join(name), &aside.join(name)) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return at("move", &folder.join(name), Err(error));
                        }
                        _ => {}
                    }
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
pub(super) fn backups_newest_first(disk: &dyn Disk, folder: &Path) -> Vec<PathBuf> {
    let mut files = disk.files(folder);
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("cib-") && !name.ends_with(".sig")
    });
    files
}
