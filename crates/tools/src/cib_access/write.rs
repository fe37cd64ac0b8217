// SPDX-License-Identifier: GPL-2.0-or-later
//! Writing CIBs to files, so that whatever happens the old or the new one is there.
//!
//! Decides: how a file is written. Leaves to others:
//! what is in it; how the folder of a CIB manager is written (`cib::store`).

use super::here_and_now;
use crate::failure::system_words;
use ::cib::last_written;
use ::cib::store::{Owner, Store, StoreError};
use model::Profile;
use nix::unistd::geteuid;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use xml::Element;

/// A CIB could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// A file of its own.
    #[error("Could not write CIB to {}: {}", path.display(), system_words(source))]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What a manager keeps.
    #[error("Could not write CIB: {0}")]
    Store(#[from] StoreError),
}

/// Writes a CIB. A `cib.xml` with a signature beside it is a manager's, and stays signed.
pub(super) fn write_cib(path: &Path, cib: &Element) -> Result<(), WriteError> {
    let failed = |source| WriteError::File { path: path.to_owned(), source };
    let is_live = path.file_name().is_some_and(|name| name == "cib.xml");
    let folder = folder_of(path);
    if is_live && folder.join("cib.xml.sig").exists() {
        let (now, offset) = here_and_now();
        let owner = fs::metadata(path).map_err(failed)?;
        let mut store = Store::new(folder, Profile::default());
        if geteuid().as_raw() != owner.uid() {
            // Whoever writes it, the manager must be able to read it.
            store = store.owned_by(Owner { uid: owner.uid(), gid: owner.gid() });
        }
        return Ok(store.write(cib, &last_written(now, offset))?);
    }
    replace_file(path, &bytes_for(path, cib).map_err(failed)?).map_err(failed)
}

/// The document as its file name wants it.
pub(crate) fn bytes_for(path: &Path, document: &Element) -> io::Result<Vec<u8>> {
    bytes_of(path, xml::write_indented(document))
}

/// The text of a document as its file name wants it.
pub(crate) fn bytes_of(path: &Path, text: String) -> io::Result<Vec<u8>> {
    let text = text.into_bytes();
    if path.extension().is_none_or(|extension| extension != "bz2") {
        return Ok(text);
    }
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(&text)?;
    encoder.finish()
}

/// Puts content in place of a file's, or makes the file.
///
/// A file that is there stays the same file, for all who know it by another name or have it open; so it is written in
/// place, when a whole copy beside it is on the disk. Whatever happens, one of the two is whole. What cannot be copied (a
/// full disk) is not begun. Only where the folder is not ours to write in, there is no copy.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let old = match OpenOptions::new().write(true).open(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let copy = beside(path)?;
    let Some(mut old) = old else {
        let made = write_new(&copy, 0o666, content).and_then(|()| fs::rename(&copy, path));
        made.inspect_err(|_| drop(fs::remove_file(&copy)))?;
        return File::open(folder_of(path))?.sync_all();
    };
    if !old.metadata()?.is_file() {
        return old.write_all(content);
    }
    let copied = match write_new(&copy, 0o600, content) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => false,
        written => {
            written.inspect_err(|_| drop(fs::remove_file(&copy)))?;
            true
        }
    };
    let written = old.set_len(0).and_then(|()| old.write_all(content)).and_then(|()| old.sync_all());
    written.map_err(|error| match copied {
        true => io::Error::other(format!("{}; {} is whole", system_words(&error), copy.display())),
        false => error,
    })?;
    if copied { fs::remove_file(&copy) } else { Ok(()) }
}

/// A name beside a file that nothing else uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?);
    name.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(name))
}

fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_stays_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real.xml"), folder.path().join("link.xml"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.xml", &link).unwrap();
        fs::hard_link(&file, folder.path().join("hard.xml")).unwrap();
        replace_file(&link, b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("hard.xml")).unwrap(), b"new");
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left behind");
    }

    #[test]
    fn what_cannot_be_written_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace_file(&folder.path().join("no/such/folder.xml"), b"x").is_err());
        assert!(replace_file(folder.path(), b"x").is_err(), "a folder is no file");
        assert!(replace_file(Path::new("/dev/full"), b"x").is_err());
    }
}
