// SPDX-License-Identifier: GPL-2.0-or-later
//! The CIB on disk: `cib.xml` with its signature, and numbered backups.
//!
//! Decides: what on disk can be trusted, and how a new CIB gets there so that a crash at any moment leaves either the old
//! or the new one. Given: a folder. Leaves to others: when to write. A file that does not fit its signature was edited by
//! hand (or damaged): it is never overwritten, and never used; reading puts it aside and takes the newest good backup.

mod files;

use crate::empty;
use model::Profile;
use std::path::{Path, PathBuf};
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
}

impl Store {
    /// The store in a folder.
    pub fn new(folder: impl Into<PathBuf>, profile: Profile) -> Store {
        Store { folder: folder.into(), profile, keeps_status: false }
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
                if matches!(error, StoreError::Modified { .. }) {
                    warnings.push(self.put_aside());
                }
                self.newest_backup(&mut warnings)
            }
        };
        Loaded { cib: self.prepared(cib, &mut warnings), source, warnings }
    }

    fn newest_backup(&self, warnings: &mut Vec<String>) -> (Element, Source) {
        for path in files::backups_newest_first(&self.folder) {
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
        let cib = read_cib(path)?;
        let signature = files::signature_of(path);
        match files::read_text(&signature) {
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

    /// Moves files that do not fit together out of the way, so that what is in them is not lost.
    fn put_aside(&self) -> String {
        match files::archive(&self.folder, &[LIVE, "cib.xml.sig"]) {
            Ok(folder) => {
                format!("Archived cib.xml and cib.xml.sig in {} after digest mismatch", folder.display())
            }
            Err(error) => format!("Could not archive cib.xml after digest mismatch: {error}"),
        }
    }

    /// Writes a CIB so that it is there after any crash, with the one before as a backup.
    pub fn write(&self, cib: &Element, last_written: &str) -> Result<(), StoreError> {
        let live = self.folder.join(LIVE);
        self.finish_interrupted(&live);
        match self.read_verified(&live) {
            Ok(_) => self.back_up(&live)?,
            Err(error @ StoreError::Modified { .. }) => return Err(error),
            Err(_) => {}
        }
        let on_disk = on_disk(cib, last_written);
        let text = write_indented(&on_disk);
        let signature = digest_v1(&on_disk, self.escaping());
        let new_cib = files::write_new(&self.folder, NEW, text.as_bytes())?;
        let new_signature = files::write_new(&self.folder, NEW_SIGNATURE, signature.as_bytes())?;
        let written = read_cib(&new_cib)?;
        let found = digest_v1(&written, self.escaping());
        if found != signature {
            return Err(StoreError::Modified { path: new_cib, found, signed: signature });
        }
        files::rename(&new_cib, &live)?;
        files::rename(&new_signature, &files::signature_of(&live))?;
        files::sync_folder(&self.folder)
    }

    /// A write that ended between its two renames is complete but for the second: the new CIB is there, and so is its
    /// signature, under the name it was written by.
    fn finish_interrupted(&self, live: &Path) {
        let new_signature = self.folder.join(NEW_SIGNATURE);
        let Ok(signed) = files::read_text(&new_signature) else { return };
        let fits = read_cib(live).is_ok_and(|cib| digest_v1(&cib, self.escaping()) == signed.trim());
        // If it cannot be renamed, the file counts as modified, and the backup is used: safe, only older.
        if fits && files::rename(&new_signature, &files::signature_of(live)).is_ok() {
            let _ = files::sync_folder(&self.folder);
        }
    }

    fn back_up(&self, live: &Path) -> Result<(), StoreError> {
        let sequence = self.folder.join(SEQUENCE);
        let number = files::read_text(&sequence).ok().and_then(|text| text.trim().parse::<u32>().ok());
        let number = number.filter(|number| *number < BACKUPS).unwrap_or(0);
        let backup = self.folder.join(format!("cib-{number}.raw"));
        files::link_over(live, &backup)?;
        let signature = files::signature_of(live);
        if signature.exists() {
            files::link_over(&signature, &files::signature_of(&backup))?;
        }
        let next = (number + 1) % BACKUPS;
        let new = files::write_new(&self.folder, "cib.last.new", next.to_string().as_bytes())?;
        files::rename(&new, &sequence)
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

fn read_cib(path: &Path) -> Result<Element, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { path: path.to_owned(), why };
    let text = files::read_text(path)?;
    let cib = xml::parse_with(&text, TextPolicy::Drop, Limits::default());
    let cib = cib.map_err(|error| corrupt(error.to_string()))?;
    if cib.name() != "cib" {
        return Err(corrupt(format!("its root element is <{}>, expected <cib>", cib.name())));
    }
    Ok(cib)
}
