// SPDX-License-Identifier: GPL-2.0-or-later
//! Where agents are.
//!
//! Decides: which file a name means, which names there are. Given: the roots of the folders. Leaves to others: what is
//! in the files.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finder {
    /// Below it are `resource.d/PROVIDER/AGENT`.
    pub ocf_root: PathBuf,
    /// Where `fence_*` are; the first that has one counts.
    pub fence_path: Vec<PathBuf>,
    /// Where init scripts are.
    pub init: PathBuf,
}

impl Default for Finder {
    fn default() -> Finder {
        Finder {
            ocf_root: PathBuf::from("/usr/lib/ocf"),
            fence_path: vec![PathBuf::from("/usr/sbin")],
            init: PathBuf::from("/etc/init.d"),
        }
    }
}

/// A name that would lead out of its folder, or to none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' cannot be the name of an agent or provider (expected a file name)")]
pub struct BadName(pub String);

impl Finder {
    /// As the environment says: `OCF_ROOT`, and `SYSTOLE_FENCE_PATH` (a list with colons) before `/usr/sbin`.
    pub fn from_environment() -> Finder {
        let mut finder = Finder::default();
        if let Some(root) = std::env::var_os("OCF_ROOT").filter(|root| !root.is_empty()) {
            finder.ocf_root = PathBuf::from(root);
        }
        if let Some(path) = std::env::var_os("SYSTOLE_FENCE_PATH") {
            let first = std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty());
            finder.fence_path = first.chain(finder.fence_path).collect();
        }
        finder
    }

    /// The file of a resource agent, whether it exists or not.
    pub fn ocf_agent(&self, provider: &str, agent: &str) -> Result<PathBuf, BadName> {
        Ok(self.ocf_root.join("resource.d").join(checked(provider)?).join(checked(agent)?))
    }

    /// The file of a fence agent: the first that exists, or else where it should be.
    pub fn fence_agent(&self, agent: &str) -> Result<PathBuf, BadName> {
        let agent = checked(agent)?;
        let mut places = self.fence_path.iter().map(|folder| folder.join(agent));
        let found = places.find(|file| file.is_file());
        Ok(found.unwrap_or_else(|| Path::new("/usr/sbin").join(agent)))
    }

    /// The file of an init script, whether it exists or not.
    pub fn init_script(&self, name: &str) -> Result<PathBuf, BadName> {
        Ok(self.init.join(checked(name)?))
    }

    /// All init scripts, in the order of their names.
    pub fn init_scripts(&self) -> Vec<String> {
        names(&self.init, is_program)
    }

    /// All providers of resource agents, in the order of their names.
    pub fn ocf_providers(&self) -> Vec<String> {
        names(&self.ocf_root.join("resource.d"), |path| path.is_dir())
    }

    /// All resource agents of a provider, in the order of their names.
    pub fn ocf_agents(&self, provider: &str) -> Vec<String> {
        match checked(provider) {
            Ok(provider) => names(&self.ocf_root.join("resource.d").join(provider), is_program),
            Err(_) => Vec::new(),
        }
    }

    /// All fence agents, in the order of their names.
    pub fn fence_agents(&self) -> Vec<String> {
        let found = self.fence_path.iter().flat_map(|folder| names(folder, |path| path.is_file()));
        let sorted: BTreeSet<String> = found.filter(|name| name.starts_with("fence_")).collect();
        sorted.into_iter().collect()
    }
}

fn checked(name: &str) -> Result<&str, BadName> {
    let bad = name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']);
    if bad { Err(BadName(name.to_owned())) } else { Ok(name) }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The names in a folder that are not hidden; a folder that cannot be read has none.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            (!name.starts_with('.') && wanted(&entry.path())).then_some(name)
        })
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_out_of_their_folder() {
        let finder = Finder::default();
        assert_eq!(
            finder.ocf_agent("pacemaker", "Dummy").unwrap(),
            Path::new("/usr/lib/ocf/resource.d/pacemaker/Dummy")
        );
        for bad in ["", "..", "a/b", ".hidden", "a\0b"] {
            assert!(finder.ocf_agent("pacemaker", bad).is_err(), "{bad:?}");
            assert!(finder.fence_agent(bad).is_err(), "{bad:?}");
            assert!(finder.ocf_agents(bad).is_empty());
        }
    }
}
