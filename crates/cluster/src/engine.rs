// SPDX-License-Identifier: GPL-2.0-or-later
//! The trait all engines have, and the choice of one by its address.

use crate::local;
use messages::core::{ClusterNode, Membership};
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use xml::Element;

/// Something that is there later.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the cluster layer tells.
#[derive(Debug)]
pub enum ClusterEvent {
    /// The group has been joined, as this node. The first event, once.
    Joined {
        /// This node.
        local: ClusterNode,
    },
    /// Who is there.
    Membership(Membership),
    /// Somebody (perhaps this node) said something to this node or to all.
    Message {
        /// Who, as the engine knows it.
        from: ClusterNode,
        /// What.
        message: Element,
    },
    /// The cluster layer is gone; nothing follows.
    Lost {
        /// Why, for people.
        reason: String,
    },
}

/// Membership of one daemon in its group. Dropping it leaves the group.
pub trait Cluster: Send {
    /// Waits for the next event. Nothing is lost if the future is dropped.
    fn next(&mut self) -> Pending<'_, ClusterEvent>;

    /// Says something to one node (by name), or to all, this one included. Does not wait.
    fn send(&mut self, to: Option<&str>, message: &Element) -> Result<(), SendError>;

    /// Waits until everything said is on its way.
    fn flush(&mut self) -> Pending<'_, ()>;
}

/// It cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The cluster layer is gone.
    #[error("the cluster layer is gone")]
    Lost,
    /// It is too much.
    #[error("message of {bytes} bytes is too large for the cluster (the limit is {max})")]
    TooLarge {
        /// Its text.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
}

/// The group cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Nobody is there.
    #[error("the cluster layer at {path} cannot be reached: {source}")]
    Unreachable {
        /// Its socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is run by a stranger.
    #[error("the cluster layer at {path} is run by user {uid}, who is neither root nor ourselves")]
    Untrusted {
        /// Its socket.
        path: PathBuf,
        /// Who runs it.
        uid: u32,
    },
    /// It does not want us.
    #[error("the cluster layer at {path} refused us: {reason}")]
    Refused {
        /// Its socket.
        path: PathBuf,
        /// As it says.
        reason: String,
    },
    /// It does not speak our language.
    #[error("the cluster layer at {path} said something unexpected")]
    Protocol {
        /// Its socket.
        path: PathBuf,
    },
    /// It took too long.
    #[error("the cluster layer at {path} did not answer in time")]
    Timeout {
        /// Its socket.
        path: PathBuf,
    },
}

impl JoinError {
    /// Whether it is worth trying again: the layer may only not be up yet.
    pub fn is_temporary(&self) -> bool {
        matches!(self, JoinError::Unreachable { .. } | JoinError::Timeout { .. })
    }
}

/// Where the cluster layer is, and of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `local:PATH`: several nodes of one machine, over the socket of a hub.
    Local(PathBuf),
}

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a cluster address (expected local:PATH, with the socket of a running 'systole local-hub'; set it in \
     SYSTOLE_CLUSTER)"
)]
pub struct AddressError(pub String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        match text.split_once(':') {
            Some(("local", path)) if !path.is_empty() => Ok(Address::Local(PathBuf::from(path))),
            _ => Err(AddressError(text.to_owned())),
        }
    }
}

/// Joins a group as a node of this name.
pub async fn join(address: &Address, node: &str, group: &str) -> Result<Box<dyn Cluster>, JoinError> {
    match address {
        Address::Local(path) => Ok(Box::new(local::Link::join(path, node, group).await?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        assert_eq!("local:/run/hub".parse(), Ok(Address::Local("/run/hub".into())));
        for bad in ["", "local", "local:", "corosync", "tcp:1"] {
            assert!(bad.parse::<Address>().unwrap_err().to_string().contains("local:PATH"), "{bad}");
        }
    }
}
