// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of secrets: `RESOURCE/PARAMETER` with the value, beside it `PARAMETER.sign` with its MD5 digest.
//!
//! Decides: how they are written (whole or not at all, on the disk before it is believed, for their owner only). Given: a
//! folder. Leaves to others: what a secret is for.

use md5::{Digest, Md5};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// More is no secret of a parameter, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The secrets of a node.
pub(super) struct Secrets(PathBuf);

/// The digest of a value, as its file of digest has it.
pub(super) fn md5(value: &str) -> String {
    Md5::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a word can be the name of a file here and in a command on other nodes.
pub(super) fn is_name(word: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    word.chars().all(allowed) && word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

impl Secrets {
    /// Where the executor looks for them.
    pub fn of_this_node() -> Secrets {
        let root = std::env::var_os("SYSTOLE_ROOT").filter(|root| !root.is_empty());
        let root = root.unwrap_or_else(|| OsString::from("/"));
        Secrets(Path::new(&root).join("var/lib/pacemaker/lrm/secrets"))
    }

    #[cfg(test)]
    pub fn in_folder(folder: &Path) -> Secrets {
        Secrets(folder.to_owned())
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, resource: &str, parameter: &str) -> PathBuf {
        self.0.join(resource).join(parameter)
    }

    /// The value, without blanks at its end; `None` if there is none.
    pub fn value(&self, resource: &str, parameter: &str) -> io::Result<Option<String>> {
        read(&self.file(resource, parameter))
    }

    /// The digest that was stored with it.
    pub fn sum(&self, resource: &str, parameter: &str) -> io::Result<Option<String>> {
        read(&sum_of(&self.file(resource, parameter)))
    }

    pub fn store(&self, resource: &str, parameter: &str, value: &str) -> io::Result<()> {
        let file = self.file(resource, parameter);
        let folder = self.0.join(resource);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        write(&file, &format!("{value}\n"))?;
        // Of what is read back, which has no blanks at its end.
        write(&sum_of(&file), &format!("{}\n", md5(value.trim_end())))?;
        File::open(folder)?.sync_all()
    }

    /// That it is not there is fine.
    pub fn remove(&self, resource: &str, parameter: &str) -> io::Result<()> {
        let file = self.file(resource, parameter);
        for path in [sum_of(&file), file] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The file with the digest of one.
pub(super) fn sum_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sign");
    PathBuf::from(name)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(text.trim_end().to_owned()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    // What cannot be removed was not made.
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| drop(fs::remove_file(&new)))
}
