// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB on disk: `cib.xml` with its signature, and numbered backups.
//!
//! Decides: what on disk can be trusted, and how a new CIB gets there so that a crash at any moment leaves either the old
//! or the new one. Given: a folder. Leaves to others: when to write. A file that does not fit its signature, or is no CIB, was
//! edited by hand (or damaged): it is never overwritten, and never used; reading puts it aside and takes the newest good
//! backup.

mod disk;
mod files;

#[cfg(test)]
mod tests;

pub use disk::Owner;

use crate::empty;
use disk::{Disk, RealDisk};
use model::Profile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use xml::{Element, Escaping, Limits, TextPolicy, digest_v1, write_indented};

const LIVE: &str = "cib.xml";
const SEQUENCE: &str = "cib.last";
/// What is written under these names gets its real name when it is on the disk.
const NEW: &str = "cib.new";
const NEW_SIGNATURE: &str = "cib.new.sig";
/// Backups are numbered below this, then from 0 again.
const BACKUPS: u32 = 100;

/// Why the CIB on disk was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no CIB.
    #[error("{path} cannot be read as a CIB: {why}")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file that is not as it was written.
    #[error(
        "{path} does not fit its signature (digest {found}, signed {signed}); it was edited by hand or damaged"
    )]
    Modified {
        /// Which file.
        path: PathBuf,
        /// The digest of what is in it.
        found: String,
        /// The digest that was signed.
        signed: String,
    },
}

impl StoreError {
    fn is_io(&self) -> bool {
        matches!(self, StoreError::Io { .. })
    }

    fn is_absent(&self) -> bool {
        matches!(self, StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Where a CIB was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `cib.xml`.
    Live,
    /// The newest backup that could be trusted.
    Backup(PathBuf),
    /// Nowhere: it is the empty CIB.
    Nothing,
}

/// A CIB as it was read.
#[derive(Debug)]
pub struct Loaded {
    /// With an empty status, ready to be used.
    pub cib: Element,
    /// Where from.
    pub source: Source,
    /// What people should know: which files were not used, and why.
    pub warnings: Vec<String>,
}

/// A folder with a CIB.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    profile: Profile,
    keeps_status: bool,
    owner: Option<Owner>,
    disk: Arc<dyn Disk>,
}

impl Store {
    /// The store in a folder.
    pub fn new(folder: impl Into<PathBuf>, profile: Profile) -> Store {
        let disk = Arc::new(RealDisk);
        Store { folder: folder.into(), profile, keeps_status: false, owner: None, disk }
    }

    /// Gives what it writes to somebody (which only the superuser can).
    #[must_use]
    pub fn owned_by(mut self, owner: Owner) -> Store {
        self.owner = Some(owner);
        self
    }

    /// Uses the status that is on disk, if there is one (stand-alone managers do).
    #[must_use]
    pub fn keeping_status(mut self) -> Store {
        self.keeps_status = true;
        self
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn escaping(&self) -> Escaping {
        match self.profile {
            Profile::V3_0 => Escaping::Modern,
            Profile::V2_1 => Escaping::Legacy,
        }
    }

    /// The newest CIB that can be trusted; the empty one if there is none.
    pub fn read(&self) -> Loaded {
        let mut warnings = Vec::new();
        let live = self.folder.join(LIVE);
        self.finish_interrupted(&live);
        let (cib, source) = match self.read_verified(&live) {
            Ok(cib) => (cib, Source::Live),
            Err(error) => {
                warnings.push(format!("Continuing but NOT using CIB from {}: {error}", live.display()));
                if !error.is_io() {
                    warnings.push(self.put_aside());
                }
                self.newest_backup(&mut warnings)
            }
        };
        Loaded { cib: self.prepared(cib, &mut warnings), source, warnings }
    }

    fn newest_backup(&self, warnings: &mut Vec<String>) -> (Element, Source) {
        for path in files::backups_newest_first(&*self.disk, &self.folder) {
            match self.read_verified(&path) {
                Ok(cib) => {
                    warnings.push(format!("Loaded CIB from last valid backup {}", path.display()));
                    return (cib, Source::Backup(path));
                }
                Err(error) => warnings.push(format!("Not using next most recent CIB backup: {error}")),
            }
        }
        warnings.push("Continuing with an empty configuration".to_owned());
        (empty(self.profile), Source::Nothing)
    }

    /// What is on disk says nothing of the present.
    fn prepared(&self, mut cib: Element, warnings: &mut Vec<String>) -> Element {
        if !self.keeps_status {
            cib.remove_elements(|element| element.name() == "status");
        }
        if cib.child("status").is_none() {
            cib.push(Element::new("status"));
        }
        for field in crate::version::FIELDS {
            if cib.attr(field).is_none() {
                warnings.push(format!(
                    "Defaulting missing {field} to 0, but cluster may get confused about which node's configuration is \
                     most recent"
                ));
                cib.set_attr(field, 0);
            }
        }
        cib.remove_attr("dc-uuid");
        cib
    }

    /// A CIB from a file, if it fits its signature. A file without one is believed.
    fn read_verified(&self, path: &Path) -> Result<Element, StoreError> {
        let cib = self.read_cib(path)?;
        let signature = files::signature_of(path);
        match files::read_text(&*self.disk, &signature) {
            Err(error) if error.is_absent() => Ok(cib),
            Err(error) => Err(error),
            Ok(signed) => {
                let (found, signed) = (digest_v1(&cib, self.escaping()), signed.trim().to_owned());
                if found == signed {
                    return Ok(cib);
                }
                Err(StoreError::Modified { path: path.to_owned(), found, signed })
            }
        }
    }

    /// Moves files that cannot be trusted out of the way, so that what is in them is not lost.
    fn put_aside(&self) -> String {
        match files::archive(&*self.disk, &self.folder, &[LIVE, "cib.xml.sig"]) {
            Ok(folder) => {
                format!("Archived cib.xml and cib.xml.sig, which cannot be trusted, in {}", folder.display())
            }
            Err(error) => format!("Could not archive cib.xml, which cannot be trusted: {error}"),
        }
    }

    /// Writes a CIB so that it is there after any crash, with the one before as a backup.
    pub fn write(&self, cib: &Element, last_written: &str) -> Result<(), StoreError> {
        let live = self.folder.join(LIVE);
        self.finish_interrupted(&live);
        match self.read_verified(&live) {
            Ok(_) => self.back_up(&live)?,
            Err(error) if error.is_absent() => {}
            // Somebody's half-made edit, perhaps: nothing is lost by leaving it to whoever reads next.
            Err(error) => return Err(error),
        }
        let on_disk = on_disk(cib, last_written);
        let text = write_indented(&on_disk);
        let signature = digest_v1(&on_disk, self.escaping());
        let (new_cib, new_signature) = (self.folder.join(NEW), self.folder.join(NEW_SIGNATURE));
        files::write_new(&*self.disk, &new_cib, text.as_bytes(), self.owner)?;
        let in_place = self
            .check_written(&new_cib, &signature)
            .and_then(|()| files::write_new(&*self.disk, &new_signature, signature.as_bytes(), self.owner))
            .and_then(|()| files::rename(&*self.disk, &new_cib, &live));
        if let Err(error) = in_place {
            let _ = files::remove(&*self.disk, &new_cib);
            let _ = files::remove(&*self.disk, &new_signature);
            return Err(error);
        }
        files::rename(&*self.disk, &new_signature, &files::signature_of(&live))?;
        files::sync_folder(&*self.disk, &self.folder)
    }

    /// What was written reads as what was meant.
    fn check_written(&self, path: &Path, signature: &str) -> Result<(), StoreError> {
        let found = digest_v1(&self.read_cib(path)?, self.escaping());
        if found != signature {
            return Err(StoreError::Modified { path: path.to_owned(), found, signed: signature.to_owned() });
        }
        Ok(())
    }

    /// A write that ended between its two renames is complete but for the second: the new CIB is there, and so is its
    /// signature, under the name it was written by.
    fn finish_interrupted(&self, live: &Path) {
        let new_signature = self.folder.join(NEW_SIGNATURE);
        let Ok(signed) = files::read_text(&*self.disk, &new_signature) else { return };
        let fits = self.read_cib(live).is_ok_and(|cib| digest_v1(&cib, self.escaping()) == signed.trim());
        // If it cannot be renamed, the file counts as modified, and the backup is used: safe, only older.
        if fits && files::rename(&*self.disk, &new_signature, &files::signature_of(live)).is_ok() {
            let _ = files::sync_folder(&*self.disk, &self.folder);
        }
    }

    fn back_up(&self, live: &Path) -> Result<(), StoreError> {
        let disk = &*self.disk;
        let sequence = self.folder.join(SEQUENCE);
        let number = files::read_text(disk, &sequence).ok().and_then(|text| text.trim().parse::<u32>().ok());
        let number = number.filter(|number| *number < BACKUPS).unwrap_or(0);
        let backup = self.folder.join(format!("cib-{number}.raw"));
        // A signature of what had the number before would make this one look damaged.
        files::remove(disk, &files::signature_of(&backup))?;
        files::link_over(disk, live, &backup)?;
        match files::link_over(disk, &files::signature_of(live), &files::signature_of(&backup)) {
            Err(error) if !error.is_absent() => return Err(error),
            _ => {}
        }
        let next = (number + 1) % BACKUPS;
        let new = self.folder.join("cib.last.new");
        files::write_new(disk, &new, next.to_string().as_bytes(), self.owner)?;
        files::rename(disk, &new, &sequence)
    }

    fn read_cib(&self, path: &Path) -> Result<Element, StoreError> {
        let corrupt = |why: String| StoreError::Corrupt { path: path.to_owned(), why };
        let text = files::read_text(&*self.disk, path)?;
        if text.is_empty() {
            return Err(corrupt("it is empty".to_owned()));
        }
        let cib = xml::parse_with(&text, TextPolicy::Drop, Limits::default());
        let cib = cib.map_err(|error| corrupt(error.to_string()))?;
        if cib.name() != "cib" {
            return Err(corrupt(format!("its root element is <{}>, expected <cib>", cib.name())));
        }
        Ok(cib)
    }
}

/// A CIB as it is kept: without what changes all the time.
fn on_disk(cib: &Element, last_written: &str) -> Element {
    let mut on_disk = cib.clone();
    on_disk.remove_elements(|element| element.name() == "status");
    on_disk.set_attr("num_updates", 0);
    on_disk.set_attr("cib-last-written", last_written);
    on_disk
}
