// SPDX-License-Identifier: GPL-2.0-or-later
//! The daemon's place in the cluster: joining its group, with patience, and then what happens there.

use crate::Environment;
use cluster::{Address, AddressError, Cluster, ClusterEvent};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use xml::Element;

/// How long the cluster layer may take to come up.
const JOIN_PATIENCE: Duration = Duration::from_secs(30);
/// The pause between tries.
const JOIN_PAUSE: Duration = Duration::from_millis(200);

/// A daemon's place in the cluster.
pub enum Group {
    /// It has none.
    Alone,
    /// It is joining.
    Joining(JoinHandle<Result<Box<dyn Cluster>, String>>),
    /// It is in.
    Joined(Box<dyn Cluster>),
    /// It was in, or could not get in; that has been told.
    Lost,
}

impl Group {
    /// Starts joining, in the background.
    pub fn join(environment: &Environment, group: &'static str) -> Group {
        let address = environment.cluster.clone().unwrap_or_default().parse::<Address>();
        let node = environment.local_node_name();
        Group::Joining(tokio::spawn(join(address, node, group)))
    }

    /// Waits for what happens next; for ever if there is no cluster. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> ClusterEvent {
        loop {
            let lost = match self {
                Group::Alone | Group::Lost => return std::future::pending().await,
                Group::Joining(task) => match task.await {
                    Ok(Ok(cluster)) => {
                        *self = Group::Joined(cluster);
                        continue;
                    }
                    Ok(Err(reason)) => reason,
                    Err(error) => error.to_string(),
                },
                Group::Joined(cluster) => match cluster.next().await {
                    ClusterEvent::Lost { reason } => reason,
                    event => return event,
                },
            };
            *self = Group::Lost;
            return ClusterEvent::Lost { reason: lost };
        }
    }

    /// Says something to one node or to all; the problem if it cannot be said.
    pub fn send(&mut self, to: Option<&Arc<str>>, message: &Element) -> Result<(), String> {
        match self {
            Group::Joined(cluster) => {
                cluster.send(to.map(AsRef::as_ref), message).map_err(|error| error.to_string())
            }
            Group::Alone | Group::Joining(_) | Group::Lost => {
                Err("the cluster has not been joined".to_owned())
            }
        }
    }

    /// Waits until everything said is on its way.
    pub async fn flush(&mut self) {
        if let Group::Joined(cluster) = self {
            cluster.flush().await;
        }
    }
}

async fn join(
    address: Result<Address, AddressError>,
    node: String,
    group: &'static str,
) -> Result<Box<dyn Cluster>, String> {
    let address = address.map_err(|error| error.to_string())?;
    let deadline = tokio::time::Instant::now() + JOIN_PATIENCE;
    loop {
        match cluster::join(&address, &node, group).await {
            Ok(cluster) => return Ok(cluster),
            Err(error) if error.is_temporary() && tokio::time::Instant::now() < deadline => {
                tracing::debug!("Waiting for the cluster layer: {error}");
                tokio::time::sleep(JOIN_PAUSE).await;
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
