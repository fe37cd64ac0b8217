// SPDX-License-Identifier: GPL-2.0-or-later
//! `xmllint --relaxng`, many files at a time.

use crate::Trial;
use cib::schema::SchemaVersion;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

pub struct Xmllint {
    folder: PathBuf,
}

impl Xmllint {
    /// With a folder of RNG files; an error says what is missing.
    pub fn with(folder: &Path) -> Result<Xmllint, String> {
        if Command::new("xmllint").arg("--version").output().is_err() {
            return Err("there is no xmllint (apt install libxml2-utils)".to_owned());
        }
        let xmllint = Xmllint { folder: folder.to_owned() };
        if SchemaVersion::ALL.into_iter().any(|version| xmllint.has(version)) {
            Ok(xmllint)
        } else {
            Err(format!("there are no RNG files in {} (apt install pacemaker)", folder.display()))
        }
    }

    fn rng(&self, version: SchemaVersion) -> PathBuf {
        self.folder.join(format!("{version}.rng"))
    }

    /// Whether the folder has this version.
    pub fn has(&self, version: SchemaVersion) -> bool {
        self.rng(version).is_file()
    }

    /// Its verdict on each.
    pub fn verdicts(&self, trials: &[Trial]) -> Vec<bool> {
        let folder = tempfile::tempdir().unwrap();
        let mut by_version: BTreeMap<SchemaVersion, Vec<usize>> = BTreeMap::new();
        for (number, trial) in trials.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            std::fs::write(path, xml::write_document(&trial.tree)).unwrap();
            by_version.entry(trial.version).or_default().push(number);
        }
        let mut verdicts = vec![None; trials.len()];
        for (version, numbers) in by_version {
            let output = Command::new("xmllint")
                .current_dir(folder.path())
                .args(["--noout", "--relaxng"])
                .arg(self.rng(version))
                .args(numbers.iter().map(ToString::to_string))
                .output()
                .unwrap();
            for line in String::from_utf8_lossy(&output.stderr).lines() {
                let valid = line.strip_suffix(" validates").map(|number| (number, true));
                let verdict =
                    valid.or_else(|| line.strip_suffix(" fails to validate").map(|number| (number, false)));
                if let Some((number, valid)) = verdict
                    && let Ok(number) = number.parse::<usize>()
                {
                    verdicts[number] = Some(valid);
                }
            }
        }
        let verdicts = verdicts.into_iter().enumerate();
        verdicts
            .map(|(number, verdict)| {
                verdict.unwrap_or_else(|| panic!("no verdict on {}", trials[number].what))
            })
            .collect()
    }
}
