// SPDX-License-Identifier: GPL-2.0-or-later
//! What the store does with a disk, one system call each, so that tests can put another disk in its place: one that is
//! full, or that stops anywhere.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// No CIB is larger.
const MAX_BYTES: u64 = 1 << 30;

/// Whose files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// A disk.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// The content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Makes an empty file that only its owner may read and write; an error if something has its name.
    fn create(&self, path: &Path, owner: Option<Owner>) -> io::Result<()>;
    /// Writes the whole of a file that is there and empty.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// What was written to a file is on the disk when this returns.
    fn sync(&self, path: &Path) -> io::Result<()>;
    /// What was done to the names in a folder is on the disk when this returns.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Gives a file another name, taking it from what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name; an error if something has it.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a name away.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder; an error if something has its name.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// The files in a folder, the one whose names (or rights, or content) changed last first.
    fn files(&self, folder: &Path) -> Vec<PathBuf>;
}

/// The machine's.
#[derive(Clone, Copy, Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, path: &Path, owner: Option<Owner>) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        match owner {
            Some(Owner { uid, gid }) => std::os::unix::fs::fchown(file, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.write_all(content)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut files: Vec<((i64, i64), PathBuf)> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let data = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some(((data.ctime(), data.ctime_nsec()), entry.path()))
            })
            .collect();
        files.sort();
        files.reverse();
        files.into_iter().map(|(_, path)| path).collect()
    }
}
