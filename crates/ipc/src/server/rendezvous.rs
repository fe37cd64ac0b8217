//! The folder of one connection, with the control file libqb's clients map; and the names of its sockets.
//!
//! The names of the sockets need not be below the folder, only start with a slash: so a long path is no obstacle.
// SPDX-License-Identifier: GPL-2.0-or-later

use crate::address::NAME_BYTES;
use crate::trust::{Peer, Trust};
use nix::unistd::{Gid, chown, mkdtemp};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Three pairs of 32-bit numbers: messages on the way and flow control, for requests, responses and events.
const CONTROL_BYTES: [u8; 24] = [0; 24];

/// Makes the folder that the folders of connections are made in, if it is not there.
pub fn prepare(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(directory)
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
