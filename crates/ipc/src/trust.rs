// SPDX-License-Identifier: GPL-2.0-or-later
//! Who may connect, who is believed, who may do anything: by what the kernel and the system's databases say.

use messages::core::Credentials;
use nix::unistd::{Gid, Group, Uid, User, geteuid, getgrouplist};
use std::ffi::CString;
use std::sync::Arc;

/// The user most daemons of a cluster run as.
const CLUSTER_USER: &str = "hacluster";
/// The group whose members may talk to them.
const CLUSTER_GROUP: &str = "haclient";
/// The name of users the system does not know.
const UNKNOWN_USER: &str = "#unprivileged";

/// A process at the other end, as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    pub gid: u32,
    pub pid: u32,
}

/// The ids that matter on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    own_uid: u32,
    cluster_uid: Option<u32>,
    cluster_gid: Option<u32>,
}

impl Trust {
    /// Looks them up. May block on the system's databases.
    pub fn look_up() -> Trust {
        Trust {
            own_uid: geteuid().as_raw(),
            cluster_uid: User::from_name(CLUSTER_USER).ok().flatten().map(|user| user.uid.as_raw()),
            cluster_gid: Group::from_name(CLUSTER_GROUP).ok().flatten().map(|group| group.gid.as_raw()),
        }
    }

    /// The user we run as.
    pub fn own_uid(&self) -> u32 {
        self.own_uid
    }

    /// The group whose members may talk to daemons, if the machine has it.
    pub fn cluster_gid(&self) -> Option<u32> {
        self.cluster_gid
    }

    /// Whether a server run by this peer may be believed.
    pub fn believes(&self, server: Peer) -> bool {
        self.is_privileged(server.uid) || Some(server.gid) == self.cluster_gid
    }

    fn is_privileged(&self, uid: u32) -> bool {
        uid == 0 || uid == self.own_uid || Some(uid) == self.cluster_uid
    }

    /// The client's credentials if it may connect. May block on the system's databases.
    pub fn admit(&self, client: Peer) -> Option<Credentials> {
        let user = User::from_uid(Uid::from_raw(client.uid)).ok().flatten();
        let groups = user.as_ref().map(groups_of).unwrap_or_default();
        let privileged = self.is_privileged(client.uid);
        if !privileged && !self.is_member(client, &groups) {
            return None;
        }
        Some(Credentials {
            uid: client.uid,
            gid: client.gid,
            pid: client.pid,
            user: user.map_or_else(|| Arc::from(UNKNOWN_USER), |user| Arc::from(user.name)),
            privileged,
        })
    }

    fn is_member(&self, client: Peer, groups: &[Gid]) -> bool {
        self.cluster_gid.is_some_and(|gid| client.gid == gid || groups.contains(&Gid::from_raw(gid)))
    }
}

fn groups_of(user: &User) -> Vec<Gid> {
    let Ok(name) = CString::new(user.name.as_str()) else { return Vec::new() };
    getgrouplist(&name, user.gid).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUST: Trust = Trust { own_uid: 1000, cluster_uid: Some(102), cluster_gid: Some(105) };

    fn peer(uid: u32, gid: u32) -> Peer {
        Peer { uid, gid, pid: 1 }
    }

    #[test]
    fn servers_are_believed_by_their_ids() {
        assert!(TRUST.believes(peer(0, 0)) && TRUST.believes(peer(102, 9)) && TRUST.believes(peer(1000, 9)));
        assert!(TRUST.believes(peer(4000, 105)));
        assert!(!TRUST.believes(peer(4000, 9)));
        let bare = Trust { own_uid: 1000, cluster_uid: None, cluster_gid: None };
        assert!(!bare.believes(peer(4000, 105)));
    }

    #[test]
    fn strangers_are_not_admitted() {
        // An id no system gives out.
        const NOBODY: u32 = 4_000_000_001;
        assert_eq!(TRUST.admit(peer(NOBODY, NOBODY)), None);
        let member = TRUST.admit(peer(NOBODY, 105)).unwrap();
        assert_eq!((member.user.as_ref(), member.privileged), (UNKNOWN_USER, false));
        let root = TRUST.admit(peer(0, 0)).unwrap();
        assert_eq!((root.user.as_ref(), root.privileged), ("root", true));
        assert!(
            TRUST.admit(peer(1000, 9)).unwrap().privileged && TRUST.admit(peer(102, 9)).unwrap().privileged
        );
    }

    #[test]
    fn members_are_only_those_of_the_group() {
        assert!(TRUST.is_member(peer(5, 9), &[Gid::from_raw(7), Gid::from_raw(105)]));
        assert!(!TRUST.is_member(peer(5, 9), &[Gid::from_raw(7)]));
    }
}
