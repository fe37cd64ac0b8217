// SPDX-License-Identifier: GPL-2.0-or-later
//! The folder of one connection, with the control file libqb's clients map; and the names of its sockets.
//!
//! The names of the sockets need not be below the folder, only start with a slash: so a long path is no obstacle.

use crate::address::NAME_BYTES;
use crate::trust::{Peer, Trust};
use nix::unistd::{Gid, chown, geteuid, mkdtemp};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Three pairs of 32-bit numbers: messages on the way and flow control, for requests, responses and events.
const CONTROL_BYTES: [u8; 24] = [0; 24];

/// Makes the folder that the folders of connections are made in, if it is not there; and clears away what servers of our
/// user left there that could not clean up after themselves.
pub fn prepare(directory: &Path) -> io::Result<()> {
    if !directory.is_dir() {
        DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    for entry in fs::read_dir(directory)?.flatten() {
        let is_ours = entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == geteuid().as_raw());
        if is_ours && entry.file_name().to_str().and_then(server_of).is_some_and(is_dead) {
            clear(&entry.path());
        }
    }
    Ok(())
}

/// The server's process, of a folder's name.
fn server_of(name: &str) -> Option<i32> {
    name.strip_prefix("qb-")?.split('-').next()?.parse().ok()
}

/// Whether nothing runs as this process. One that nobody has asked for its end yet (a zombie) runs no more.
fn is_dead(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The name, in parentheses, may have anything in it.
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X'])),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes a folder with nothing but a control file in it.
fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("qb-control-") {
            let _ = fs::remove_file(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// The folder of one connection. Removed when dropped.
#[derive(Debug)]
pub struct Rendezvous {
    directory: PathBuf,
    /// The path of the control file.
    pub control: PathBuf,
    /// What the names of the datagram sockets start with.
    pub base: String,
}

impl Rendezvous {
    /// Makes it, so that this client may open what is in it and strangers may not.
    pub fn make(below: &Path, name: &str, client: Peer, trust: Trust) -> io::Result<Rendezvous> {
        let template = below.join(format!("qb-{}-{}-XXXXXX", std::process::id(), client.pid));
        let directory = mkdtemp(&template)?;
        let base = base_name(&directory, name);
        let control = directory.join(format!("qb-control-{name}"));
        // From here on, dropping it cleans up.
        let rendezvous = Rendezvous { directory, control, base };
        if rendezvous.base.len() + "-event-tx".len() > NAME_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is too long for its sockets"));
        }
        fs::set_permissions(&rendezvous.directory, Permissions::from_mode(0o770))?;
        OpenOptions::new().write(true).create_new(true).mode(0o660).open(&rendezvous.control)?;
        fs::set_permissions(&rendezvous.control, Permissions::from_mode(0o660))?;
        fs::write(&rendezvous.control, CONTROL_BYTES)?;
        // Root and we ourselves may open it anyway. A server that cannot give it to the group cannot serve the group.
        if let Some(gid) = trust.cluster_gid().filter(|_| client.uid != 0 && client.uid != trust.own_uid()) {
            for path in [&rendezvous.directory, &rendezvous.control] {
                chown(path, None, Some(Gid::from_raw(gid)))?;
            }
        }
        Ok(rendezvous)
    }
}

/// `/qb-SERVER-CLIENT-RANDOM/qb-NAME`, whatever the folder is below.
fn base_name(directory: &Path, name: &str) -> String {
    let own = directory.file_name().unwrap_or_default().to_string_lossy();
    format!("/{own}/qb-{name}")
}

impl Drop for Rendezvous {
    fn drop(&mut self) {
        // Libqb's clients remove both, too: whoever is first.
        let _ = fs::remove_file(&self.control);
        let _ = fs::remove_dir(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dead_servers_left_is_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, file: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join(file), "").unwrap();
        };
        // No process has the largest number.
        make("qb-2147483647-5-abcdef", "qb-control-cib_rw");
        make("qb-2147483647-5-ghijkl", "qb-request-cib_rw-data");
        make(&format!("qb-{}-5-abcdef", std::process::id()), "qb-control-cib_rw");
        make("something", "qb-control-cib_rw");
        // A zombie, until it is waited for.
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        while !is_dead(ended.id() as i32) {
            std::thread::yield_now();
        }
        make(&format!("qb-{}-5-abcdef", ended.id()), "qb-control-cib_rw");
        prepare(folder.path()).unwrap();
        ended.wait().unwrap();
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let own = format!("qb-{}-5-abcdef", std::process::id());
        let mut wanted = ["qb-2147483647-5-ghijkl".to_owned(), own, "something".to_owned()];
        wanted.sort();
        assert_eq!(left, wanted);
        assert!(folder.path().join("something/qb-control-cib_rw").exists());
    }
}
