// SPDX-License-Identifier: GPL-2.0-or-later
//! A daemon's connection to the hub.

use super::frame::{Frame, FrameReader, TEXT_BYTES_MAX};
use crate::{Cluster, ClusterEvent, JoinError, Pending, SendError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use xml::Element;

/// How long the hub may take to let us in.
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Membership in a group by way of a hub.
#[derive(Debug)]
pub struct Link {
    reader: FrameReader,
    stream: OwnedReadHalf,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    welcome: Option<ClusterEvent>,
    lost: Option<String>,
}

#[derive(Debug)]
enum Outgoing {
    Bytes(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

impl Link {
    /// Joins a group as a node of this name, which the hub must know.
    pub async fn join(path: &Path, node: &str, group: &str) -> Result<Link, JoinError> {
        match tokio::time::timeout(JOIN_TIMEOUT, Link::join_patiently(path, node, group)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(JoinError::Timeout { path: path.to_owned() }),
        }
    }

    async fn join_patiently(path: &Path, node: &str, group: &str) -> Result<Link, JoinError> {
        let unreachable = |source| JoinError::Unreachable { path: path.to_owned(), source };
        let mut stream = UnixStream::connect(path).await.map_err(unreachable)?;
        let uid = stream.peer_cred().map_err(unreachable)?.uid();
        if uid != 0 && uid != nix::unistd::geteuid().as_raw() {
            return Err(JoinError::Untrusted { path: path.to_owned(), uid });
        }
        let hello = Frame::Hello { node: node.to_owned(), group: group.to_owned() };
        stream.write_all(&hello.to_bytes()).await.map_err(unreachable)?;
        let (mut stream, write) = stream.into_split();
        let mut reader = FrameReader::default();
        let local = match reader.next(&mut stream).await.map_err(unreachable)? {
            Some(Frame::Welcome { local }) => local,
            Some(Frame::Refused { reason }) => {
                return Err(JoinError::Refused { path: path.to_owned(), reason });
            }
            Some(_) => return Err(JoinError::Protocol { path: path.to_owned() }),
            None => return Err(unreachable(io::Error::from(io::ErrorKind::UnexpectedEof))),
        };
        let (outgoing, queue) = mpsc::unbounded_channel();
        tokio::spawn(write_all(write, queue));
        let welcome = Some(ClusterEvent::Joined { local });
        Ok(Link { reader, stream, outgoing, welcome, lost: None })
    }

    async fn receive(&mut self) -> ClusterEvent {
        if let Some(welcome) = self.welcome.take() {
            return welcome;
        }
        if let Some(reason) = &self.lost {
            return ClusterEvent::Lost { reason: reason.clone() };
        }
        loop {
            let reason = match self.reader.next(&mut self.stream).await {
                Ok(Some(Frame::Membership(membership))) => return ClusterEvent::Membership(membership),
                Ok(Some(Frame::Message { from, text })) => match xml::parse(&text) {
                    Ok(message) => return ClusterEvent::Message { from, message },
                    Err(error) => {
                        tracing::warn!("Ignored a cluster message of {} that is not XML: {error}", from.name);
                        continue;
                    }
                },
                Ok(Some(_)) => "the hub said something unexpected".to_owned(),
                Ok(None) => "the hub hung up".to_owned(),
                Err(error) => error.to_string(),
            };
            self.lost = Some(reason.clone());
            return ClusterEvent::Lost { reason };
        }
    }
}

impl Cluster for Link {
    fn next(&mut self) -> Pending<'_, ClusterEvent> {
        Box::pin(self.receive())
    }

    fn send(&mut self, to: Option<&str>, message: &Element) -> Result<(), SendError> {
        let text: Arc<str> = Arc::from(xml::write_compact(message));
        if text.len() > TEXT_BYTES_MAX {
            return Err(SendError::TooLarge { bytes: text.len(), max: TEXT_BYTES_MAX });
        }
        let frame = Frame::Say { to: to.map(str::to_owned), text };
        self.outgoing.send(Outgoing::Bytes(frame.to_bytes())).map_err(|_| SendError::Lost)
    }

    fn flush(&mut self) -> Pending<'_, ()> {
        let (done, is_done) = oneshot::channel();
        let asked = self.outgoing.send(Outgoing::Flush(done));
        Box::pin(async move {
            if asked.is_ok() {
                let _ = is_done.await;
            }
        })
    }
}

async fn write_all(mut stream: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Bytes(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Outgoing::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}
