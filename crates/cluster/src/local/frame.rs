// SPDX-License-Identifier: GPL-2.0-or-later
//! The bytes between a hub and the daemons: a length, a kind, fields. Nobody else speaks it, so it is free to change.
//!
//! A frame is a 32-bit length (of what follows), a byte for its kind, and its fields: numbers of 32 or 64 bits, texts
//! with a 32-bit length before them, all little-endian.

use messages::core::{ClusterNode, Member, Membership};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What may be said at once, in bytes of text.
pub const TEXT_BYTES_MAX: usize = 256 << 20;
/// A frame with that and its fields.
const FRAME_BYTES_MAX: usize = TEXT_BYTES_MAX + 4096;
/// Of this language; a hub and its daemons must have the same.
const VERSION: u32 = 1;
/// Nodes a membership may have.
const NODES_MAX: u32 = 4096;

/// What is said to or by a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Daemon: I am of this node, and want to be in this group.
    Hello { node: String, group: String },
    /// Daemon: tell this to one node, or to all.
    Say { to: Option<String>, text: Arc<str> },
    /// Hub: you are this node.
    Welcome { local: ClusterNode },
    /// Hub: you cannot come in.
    Refused { reason: String },
    /// Hub: these are there.
    Membership(Membership),
    /// Hub: somebody said this.
    Message { from: ClusterNode, text: Arc<str> },
}

impl Frame {
    /// For the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(vec![0; 4]);
        match self {
            Frame::Hello { node, group } => out.byte(1).number(VERSION).text(node).text(group),
            Frame::Say { to, text } => out.byte(2).text(to.as_deref().unwrap_or("")).text(text),
            Frame::Welcome { local } => out.byte(3).node(local),
            Frame::Refused { reason } => out.byte(4).text(reason),
            Frame::Membership(membership) => out.byte(5).membership(membership),
            Frame::Message { from, text } => out.byte(6).node(from).text(text),
        };
        let length = u32::try_from(out.0.len() - 4).unwrap_or(u32::MAX);
        if let Some(slot) = out.0.get_mut(..4) {
            slot.copy_from_slice(&length.to_le_bytes());
        }
        out.0
    }

    /// From what followed the length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Frame> {
        let mut input = Reader(bytes);
        let frame = match input.byte()? {
            1 => {
                let version = input.number()?;
                let frame = Frame::Hello { node: input.text()?.to_owned(), group: input.text()?.to_owned() };
                (version == VERSION).then_some(frame)?
            }
            2 => {
                let to = input.text()?;
                Frame::Say { to: (!to.is_empty()).then(|| to.to_owned()), text: Arc::from(input.text()?) }
            }
            3 => Frame::Welcome { local: input.node()? },
            4 => Frame::Refused { reason: input.text()?.to_owned() },
            5 => Frame::Membership(input.membership()?),
            6 => Frame::Message { from: input.node()?, text: Arc::from(input.text()?) },
            _ => return None,
        };
        input.0.is_empty().then_some(frame)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, value: u8) -> &mut Writer {
        self.0.push(value);
        self
    }

    fn number(&mut self, value: u32) -> &mut Writer {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn text(&mut self, value: &str) -> &mut Writer {
        self.number(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    fn node(&mut self, value: &ClusterNode) -> &mut Writer {
        self.number(value.id).text(&value.name)
    }

    fn membership(&mut self, value: &Membership) -> &mut Writer {
        self.0.extend_from_slice(&value.generation.to_le_bytes());
        self.byte(u8::from(value.quorate)).number(u32::try_from(value.nodes.len()).unwrap_or(u32::MAX));
        for member in &value.nodes {
            self.node(&member.node).byte(u8::from(member.is_member) | u8::from(member.in_group) << 1);
        }
        self
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn node(&mut self) -> Option<ClusterNode> {
        Some(ClusterNode { id: self.number()?, name: Arc::from(self.text()?) })
    }

    fn membership(&mut self) -> Option<Membership> {
        let (generation, quorate, count) = (self.long()?, self.byte()? != 0, self.number()?);
        if count > NODES_MAX {
            return None;
        }
        let mut nodes = Vec::new();
        for _ in 0..count {
            let (node, flags) = (self.node()?, self.byte()?);
            nodes.push(Member { node, is_member: flags & 1 != 0, in_group: flags & 2 != 0 });
        }
        Some(Membership { generation, quorate, nodes })
    }
}

/// Reads frames from a stream, keeping what has come of the next one.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Waits for the next frame; `None` at the stream's end. Nothing is lost if the future is dropped.
    pub async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.complete()? {
                return Ok(Some(frame));
            }
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn complete(&mut self) -> io::Result<Option<Frame>> {
        let Some(length) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        if length > FRAME_BYTES_MAX {
            return Err(invalid("a frame is too large"));
        }
        let Some(bytes) = self.buffer.get(4..4 + length) else {
            self.buffer.reserve((4 + length).saturating_sub(self.buffer.len()).min(1 << 20));
            return Ok(None);
        };
        let frame = Frame::from_bytes(bytes).ok_or_else(|| invalid("a frame cannot be understood"))?;
        self.buffer.drain(..4 + length);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<Frame> {
        let node = ClusterNode { id: 2, name: Arc::from("n2") };
        let member = Member { node: node.clone(), is_member: true, in_group: false };
        vec![
            Frame::Hello { node: "n1".into(), group: "crmd".into() },
            Frame::Say { to: None, text: Arc::from("<a/>") },
            Frame::Say { to: Some("n2".into()), text: Arc::from("<b/>") },
            Frame::Welcome { local: node.clone() },
            Frame::Refused { reason: "no".into() },
            Frame::Membership(Membership { generation: 7, quorate: true, nodes: vec![member] }),
            Frame::Message { from: node, text: Arc::from("<c/>") },
        ]
    }

    #[tokio::test]
    async fn frames_survive_any_cutting() {
        let bytes: Vec<u8> = frames().iter().flat_map(Frame::to_bytes).collect();
        for size in [1, 3, 1000] {
            let (mut near, mut far) = tokio::io::duplex(size);
            let sent = bytes.clone();
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                near.write_all(&sent).await.unwrap();
            });
            let mut reader = FrameReader::default();
            for frame in frames() {
                assert_eq!(reader.next(&mut far).await.unwrap(), Some(frame));
            }
            assert_eq!(reader.next(&mut far).await.unwrap(), None);
        }
    }

    #[test]
    fn hostile_bytes_are_refused() {
        for frame in frames() {
            let bytes = frame.to_bytes();
            for end in 4..bytes.len() {
                assert_eq!(Frame::from_bytes(&bytes[4..end]), None);
            }
            assert_eq!(Frame::from_bytes(&[&bytes[4..], b"x"].concat()), None);
        }
        let mut reader = FrameReader { buffer: vec![255; 8] };
        assert!(reader.complete().is_err());
    }
}
