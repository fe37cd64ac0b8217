// SPDX-License-Identifier: GPL-2.0-or-later
//! From an accepted stream to a connection: who is it, may it, what is it answered.

use super::connection::{Channels, Connection};
use super::rendezvous::Rendezvous;
use super::{Handle, Seat, ServerEvent, Shared};
use crate::address::datagram_socket;
use crate::options::MESSAGE_SIZE;
use crate::trust::Peer;
use crate::wire::{SETUP_REQUEST_BYTES, SetupAnswer, TRANSPORT_SOCKET, is_setup_request};
use messages::core::{ClientId, Credentials};
use nix::libc::{EACCES, EAGAIN, EIO};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// Takes a stream through the handshake, and lets it be a connection if all is well.
pub async fn admit(shared: Arc<Shared>, mut stream: UnixStream, name: &'static str) {
    let Some((peer, credentials)) = identify(&shared, &stream).await else {
        return refuse(&shared, stream, EACCES).await;
    };
    let Some(seat) = Seat::to_be_served(&shared) else {
        tracing::warn!("Refused a connection to {name}: there are {} already", shared.options.clients_max);
        return refuse(&shared, stream, EAGAIN).await;
    };
    let patience = shared.options.handshake_timeout;
    let Ok(Ok(true)) = tokio::time::timeout(patience, is_greeted(&mut stream)).await else {
        return;
    };
    let (rendezvous, channels) = match open(&shared, name, peer) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!("Could not set up a connection to {name} for process {}: {error}", peer.pid);
            return refuse_greeted(&shared, stream, error.raw_os_error().unwrap_or(EIO)).await;
        }
    };
    let answer = SetupAnswer {
        error: 0,
        transport: TRANSPORT_SOCKET,
        message_size: MESSAGE_SIZE,
        request: rendezvous.control.to_string_lossy().into_owned(),
        response: rendezvous.base.clone(),
    };
    let Ok(Ok(())) = tokio::time::timeout(patience, stream.write_all(&answer.to_bytes())).await else {
        return;
    };
    start(shared, seat, stream, rendezvous, channels, name, credentials).await;
}

async fn identify(shared: &Arc<Shared>, stream: &UnixStream) -> Option<(Peer, Credentials)> {
    let kernel = stream.peer_cred().ok()?;
    let pid = kernel.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    let peer = Peer { uid: kernel.uid(), gid: kernel.gid(), pid };
    let trust = shared.trust;
    let _turn = shared.look_ups.acquire().await.ok()?;
    let credentials = tokio::task::spawn_blocking(move || trust.admit(peer)).await.ok().flatten();
    if credentials.is_none() {
        tracing::warn!(
            "Refused process {pid} of user {} and group {}: neither privileged nor of group haclient",
            peer.uid,
            peer.gid
        );
    }
    Some((peer, credentials?))
}

async fn is_greeted(stream: &mut UnixStream) -> io::Result<bool> {
    let mut request = [0; SETUP_REQUEST_BYTES];
    stream.read_exact(&mut request).await?;
    Ok(is_setup_request(&request))
}

async fn refuse(shared: &Arc<Shared>, mut stream: UnixStream, errno: i32) {
    let Some(_seat) = Seat::to_be_refused(shared) else { return };
    let patience = shared.options.handshake_timeout;
    if let Ok(Ok(true)) = tokio::time::timeout(patience, is_greeted(&mut stream)).await {
        refuse_greeted(shared, stream, errno).await;
    }
}

async fn refuse_greeted(shared: &Arc<Shared>, mut stream: UnixStream, errno: i32) {
    let answer = SetupAnswer::refusal(errno).to_bytes();
    let _ = tokio::time::timeout(shared.options.handshake_timeout, stream.write_all(&answer)).await;
}

fn open(shared: &Arc<Shared>, name: &str, peer: Peer) -> io::Result<(Rendezvous, Channels)> {
    let rendezvous = Rendezvous::make(&shared.options.directory, name, peer, shared.trust)?;
    let base = &rendezvous.base;
    let requests = datagram_socket(&format!("{base}-request"), MESSAGE_SIZE)?;
    // Its name can be seen by everybody, so whose datagrams come has to be looked at.
    nix::sys::socket::setsockopt(&requests, nix::sys::socket::sockopt::PassCred, &true)?;
    let events = datagram_socket(&format!("{base}-event-tx"), MESSAGE_SIZE)?;
    let channels = Channels {
        requests: UnixDatagram::from_std(requests)?,
        events: UnixDatagram::from_std(events)?,
        client_responses: format!("{base}-response"),
        client_events: format!("{base}-event"),
        client_uid: peer.uid,
    };
    Ok((rendezvous, channels))
}

async fn start(
    shared: Arc<Shared>,
    seat: Seat,
    stream: UnixStream,
    rendezvous: Rendezvous,
    channels: Channels,
    name: &'static str,
    credentials: Credentials,
) {
    let client = ClientId(shared.next_client.fetch_add(1, Ordering::Relaxed));
    let (commands, received) = mpsc::unbounded_channel();
    let (go, told) = oneshot::channel::<()>();
    let connection = Connection::new(Arc::clone(&shared), client, stream, channels, received);
    let task = tokio::spawn(async move {
        // Held as long as the connection lives.
        let (_seat, _rendezvous) = (seat, rendezvous);
        if told.await.is_ok() {
            connection.run().await;
        }
    });
    shared.lock().insert(client, Handle { commands, task: task.abort_handle() });
    // The daemon knows the client before anything of it can come.
    if shared.happenings.send(ServerEvent::Connected { client, channel: name, credentials }).await.is_ok() {
        let _ = go.send(());
    }
}
