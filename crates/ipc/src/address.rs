// SPDX-License-Identifier: GPL-2.0-or-later
//! Names of sockets: abstract, and filled up with NULs to their full length, as libqb binds and connects them.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Bytes of an abstract name.
pub const NAME_BYTES: usize = 107;

/// A name in full length; `None` if it is too long.
pub fn padded(name: &str) -> Option<[u8; NAME_BYTES]> {
    let mut bytes = [0; NAME_BYTES];
    bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    Some(bytes)
}

/// The address of a name.
pub fn address(name: &str) -> io::Result<SocketAddr> {
    let bytes = padded(name).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    SocketAddr::from_abstract_name(bytes)
}

/// A datagram socket with a name, that does not block and can send datagrams of this size.
pub fn datagram_socket(name: &str, message_size: u32) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::bind_addr(&address(name)?)?;
    socket.set_nonblocking(true)?;
    // Best effort: the default holds one datagram of the size we agree on, more only spares waiting.
    let wish = (message_size as usize).saturating_mul(8);
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::SndBuf, &wish);
    Ok(socket)
}
