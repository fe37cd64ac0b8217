// SPDX-License-Identifier: GPL-2.0-or-later
//! Which CIB is meant, by what the environment says: `CIB_shadow` before `CIB_file` before `CIB_port` before this node's
//! own manager. A variable that is empty counts as not set.
//!
//! Decides: precedence, and where shadow copies are. Given: the environment as a function. Leaves to others: access.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where a CIB is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CibPlace {
    /// With the manager on this node.
    Live,
    /// With the manager of another node, over the network.
    Remote,
    /// In a shadow copy.
    Shadow {
        /// Its name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// In a file.
    File(PathBuf),
    /// On the standard input.
    Stdin,
}

/// A name that no shadow copy can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("No shadow copy can be called '{0}': expected a name that is no path and without control characters")]
pub(crate) struct ShadowNameError(pub String);

impl CibPlace {
    /// What this process's environment says.
    pub fn from_environment() -> Result<CibPlace, ShadowNameError> {
        CibPlace::of(&process_variable)
    }

    /// The same as if no shadow copy were active.
    pub fn beneath_shadow() -> CibPlace {
        CibPlace::unshadowed(&process_variable)
    }

    /// What an environment says.
    pub fn of(environment: Environment<'_>) -> Result<CibPlace, ShadowNameError> {
        match set(environment, "CIB_shadow") {
            Some(name) => {
                let name = name.to_string_lossy().into_owned();
                let path = shadow_file_of(environment, &name)?;
                Ok(CibPlace::Shadow { name, path })
            }
            None => Ok(CibPlace::unshadowed(environment)),
        }
    }

    fn unshadowed(environment: Environment<'_>) -> CibPlace {
        match set(environment, "CIB_file") {
            Some(file) if file == "-" => CibPlace::Stdin,
            Some(file) => CibPlace::File(PathBuf::from(file)),
            None if set(environment, "CIB_port").is_some() => CibPlace::Remote,
            None => CibPlace::Live,
        }
    }
}

/// The file of a shadow copy.
pub(crate) fn shadow_file(name: &str) -> Result<PathBuf, ShadowNameError> {
    shadow_file_of(&process_variable, name)
}

fn shadow_file_of(environment: Environment<'_>, name: &str) -> Result<PathBuf, ShadowNameError> {
    // A name with a slash in it would lead out of the folder.
    if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
        return Err(ShadowNameError(name.to_owned()));
    }
    Ok(shadow_folder(environment).path().join(format!("shadow.{name}")))
}

/// Makes the folder of shadow copies where it is one of the user's own. Other folders are somebody else's to make.
pub(crate) fn make_shadow_folder() -> io::Result<()> {
    match shadow_folder(&process_variable) {
        Folder::Home(folder) => fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        Folder::Other(_) => Ok(()),
    }
}

enum Folder {
    /// In the user's home.
    Home(PathBuf),
    Other(PathBuf),
}

impl Folder {
    fn path(self) -> PathBuf {
        match self {
            Folder::Home(path) | Folder::Other(path) => path,
        }
    }
}

/// The cluster's own folder for those who administer it, else one in the user's home.
fn shadow_folder(environment: Environment<'_>) -> Folder {
    if let Some(folder) = set(environment, "CIB_shadow_dir") {
        return Folder::Other(PathBuf::from(folder));
    }
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let name = match &user {
        Some(user) => user.name.clone(),
        None => set(environment, "USER").unwrap_or_default().to_string_lossy().into_owned(),
    };
    if name == "root" || name == "hacluster" {
        let root = set(environment, "SYSTOLE_ROOT").unwrap_or_else(|| OsString::from("/"));
        return Folder::Other(Path::new(&root).join("var/lib/pacemaker/cib"));
    }
    let home = set(environment, "HOME").map(PathBuf::from).or(user.map(|user| user.dir));
    match home.filter(|home| home.is_absolute()) {
        Some(home) => Folder::Home(home.join(".cib")),
        None => {
            Folder::Other(PathBuf::from(set(environment, "TMPDIR").unwrap_or_else(|| OsString::from("/tmp"))))
        }
    }
}

fn set(environment: Environment<'_>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| value != OsStr::new(""))
}

fn process_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)]) -> Result<CibPlace, ShadowNameError> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        CibPlace::of(&variable)
    }

    #[test]
    fn a_shadow_copy_comes_before_a_file_before_the_network_before_this_node() {
        let all = [("CIB_shadow", "x"), ("CIB_shadow_dir", "/d"), ("CIB_file", "/f"), ("CIB_port", "1")];
        let shadow = CibPlace::Shadow { name: "x".into(), path: "/d/shadow.x".into() };
        assert_eq!(place(&all), Ok(shadow));
        assert_eq!(place(&all[2..]), Ok(CibPlace::File("/f".into())));
        assert_eq!(place(&all[3..]), Ok(CibPlace::Remote));
        assert_eq!(place(&[("CIB_shadow", ""), ("CIB_file", "")]), Ok(CibPlace::Live));
        assert_eq!(place(&[("CIB_file", "-")]), Ok(CibPlace::Stdin));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../../etc/x", "/etc/x", "a/b", "a\nb"] {
            assert_eq!(place(&[("CIB_shadow", name)]), Err(ShadowNameError(name.into())));
        }
        let odd = place(&[("CIB_shadow", ".."), ("CIB_shadow_dir", "/d")]);
        assert_eq!(odd, Ok(CibPlace::Shadow { name: "..".into(), path: "/d/shadow...".into() }));
    }
}
