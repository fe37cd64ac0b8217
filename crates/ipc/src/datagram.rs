// SPDX-License-Identifier: GPL-2.0-or-later
//! Receiving one datagram, whole or not at all, with the sender's credentials if the socket asks for them.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use std::cell::RefCell;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// More than any peer may send in one datagram, so that one that is cut off is noticed.
const BUFFER_BYTES: usize = 1 << 20;

/// The room that the kernel needs for a sender's credentials (a header of 16 and three ids of 4, in words of 8), so
/// that nothing else fits.
const CREDENTIALS_BYTES: usize = 32;

thread_local! {
    /// One buffer for all connections of a thread: what is received is copied out at its real size.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A datagram, and the user who sent it.
#[derive(Debug)]
pub struct Datagram {
    pub bytes: Vec<u8>,
    /// `None` if the socket did not ask, or the kernel does not say.
    pub uid: Option<u32>,
}

/// Waits for the next datagram. Nothing is lost if the future is dropped.
pub async fn receive(socket: &UnixDatagram) -> io::Result<Datagram> {
    socket.async_io(Interest::READABLE, || receive_now(socket.as_raw_fd())).await
}

/// The next datagram if there is one, else an error of the kind [`io::ErrorKind::WouldBlock`].
///
/// File descriptors that a peer passes along are never taken in: there is room for its credentials and no more, and a
/// datagram with more is an error.
pub fn receive_now(socket: RawFd) -> io::Result<Datagram> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(BUFFER_BYTES, 0);
        let mut control = [0; CREDENTIALS_BYTES];
        let mut slices = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let received = recvmsg::<()>(socket, &mut slices, Some(&mut control), flags)?;
        let uid = received.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::ScmCredentials(credentials) => Some(credentials.uid()),
            _ => None,
        });
        if received.flags.contains(MsgFlags::MSG_TRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "datagram is larger than was agreed"));
        }
        let bytes = received.bytes;
        Ok(Datagram { bytes: buffer.get(..bytes).unwrap_or_default().to_vec(), uid })
    })
}
