// SPDX-License-Identifier: GPL-2.0-or-later
//! Pacemaker's framing: 40 bytes of header, then the text of a tree and a NUL; in two dialects.
//!
//! Up to 3.0.0 a message that is too large is compressed; since 3.0.1 it is sent in parts. Both headers are of the same
//! length and call themselves version 1. A receiver tells them apart by where the version is; a sender has to know.

use crate::wire::{i32_at, put, u32_at};
use bzip2::read::{BzDecoder, BzEncoder};
use model::Profile;
use std::io::Read;
use xml::Element;

/// The largest message we send or believe, in bytes of text. No CIB comes near; a peer that announces more is refused.
pub const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// Bytes before the text.
pub(crate) const HEADER_BYTES: usize = 40;

/// The message is compressed.
const COMPRESSED: u32 = 0x1;
/// The client waits for a response.
pub(crate) const WANTS_RESPONSE: u32 = 0x200;
/// The message is an event.
pub(crate) const EVENT: u32 = 0x1_0000;
/// The message is one of several parts.
const MULTIPART: u32 = 0x8_0000;
/// It is the last of them.
const LAST_PART: u32 = 0x10_0000;

/// Which framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Up to Pacemaker 3.0.0: large messages are compressed.
    Compressed,
    /// Since Pacemaker 3.0.1: large messages come in parts.
    Multipart,
}

impl Dialect {
    /// The one that a profile's clients speak.
    pub const fn of(profile: Profile) -> Dialect {
        match profile {
            Profile::V3_0 => Dialect::Multipart,
            Profile::V2_1 => Dialect::Compressed,
        }
    }
}

/// Something is no message, or cannot be made one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Larger than anybody may send.
    #[error("message of {bytes} bytes is too large (the limit is {max})")]
    TooLarge {
        /// Its text.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// Its header is not what it must be.
    #[error("message has an invalid header: {0}")]
    Header(&'static str),
    /// It cannot be decompressed.
    #[error("message cannot be decompressed to the {0} bytes it announces")]
    Compression(usize),
    /// The text inside is no tree.
    #[error("message is not XML: {0}")]
    Xml(#[from] xml::ParseError),
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    dialect: Dialect,
    id: i32,
    flags: u32,
    text_bytes: usize,
    compressed_bytes: usize,
    part: u16,
}

impl Header {
    fn read(datagram: &[u8]) -> Result<(Header, &[u8]), FrameError> {
        let short = FrameError::Header("it is too short");
        let number = |offset| u32_at(datagram, offset).ok_or(short.clone());
        let body = datagram.get(HEADER_BYTES..).ok_or(short.clone())?;
        let byte = |offset: usize| datagram.get(offset).copied();
        let id = i32_at(datagram, 0).ok_or(short.clone())?;
        if id < 0 {
            return Err(FrameError::Header("its number is reserved"));
        }
        if usize::try_from(number(8)?).ok() != Some(datagram.len()) {
            return Err(FrameError::Header("it announces another size than was sent"));
        }
        let size = |offset| Ok::<usize, FrameError>(number(offset)? as usize);
        // The older layout first: there, the byte where the newer has its version belongs to the flags.
        let header = if byte(36) == Some(1) {
            Header {
                dialect: Dialect::Compressed,
                id,
                flags: number(32)?,
                text_bytes: size(24)?,
                compressed_bytes: size(28)?,
                part: 0,
            }
        } else if byte(32) == Some(1) {
            let part = [byte(34).unwrap_or(0), byte(35).unwrap_or(0)];
            Header {
                dialect: Dialect::Multipart,
                id,
                flags: number(28)?,
                text_bytes: size(24)?,
                compressed_bytes: 0,
                part: u16::from_ne_bytes(part),
            }
        } else {
            return Err(FrameError::Header("it is of an unknown version (known is 1)"));
        };
        let announced = if header.compressed_bytes > 0 { header.compressed_bytes } else { header.text_bytes };
        if announced != body.len() || header.text_bytes == 0 {
            return Err(FrameError::Header("it announces another length of text than was sent"));
        }
        Ok((header, body))
    }

    fn write(&self, body: &[u8]) -> Result<Vec<u8>, FrameError> {
        let total = HEADER_BYTES + body.len();
        let number = |value: usize| {
            let too_large = FrameError::TooLarge { bytes: value, max: MESSAGE_BYTES_MAX };
            u32::try_from(value).map(u32::to_ne_bytes).map_err(|_| too_large)
        };
        let mut datagram = Vec::with_capacity(total);
        datagram.resize(HEADER_BYTES, 0);
        put(&mut datagram, 0, &self.id.to_ne_bytes());
        put(&mut datagram, 8, &number(total)?);
        put(&mut datagram, 24, &number(self.text_bytes)?);
        match self.dialect {
            Dialect::Compressed => {
                put(&mut datagram, 28, &number(self.compressed_bytes)?);
                put(&mut datagram, 32, &self.flags.to_ne_bytes());
                put(&mut datagram, 36, &[1]);
            }
            Dialect::Multipart => {
                put(&mut datagram, 28, &self.flags.to_ne_bytes());
                put(&mut datagram, 32, &[1]);
                put(&mut datagram, 34, &self.part.to_ne_bytes());
            }
        }
        datagram.extend_from_slice(body);
        Ok(datagram)
    }
}

/// A message as datagrams of at most `size` bytes each (what was agreed in the handshake), in the order to be sent.
pub(crate) fn encode(
    dialect: Dialect,
    id: i32,
    flags: u32,
    message: &Element,
    size: usize,
) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut text = xml::write_compact(message).into_bytes();
    if text.len() >= MESSAGE_BYTES_MAX {
        return Err(FrameError::TooLarge { bytes: text.len(), max: MESSAGE_BYTES_MAX });
    }
    text.push(0);
    let header = Header { dialect, id, flags, text_bytes: text.len(), compressed_bytes: 0, part: 0 };
    match dialect {
        Dialect::Compressed if HEADER_BYTES + text.len() >= size => {
            Ok(vec![compressed(header, &text, size)?])
        }
        Dialect::Multipart if HEADER_BYTES + text.len() > size => parts(header, &text, size),
        _ => Ok(vec![header.write(&text)?]),
    }
}

fn compressed(header: Header, text: &[u8], size: usize) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    let too_large = |bytes| FrameError::TooLarge { bytes, max: size };
    // One byte more than fits, to notice that it does not.
    let room = size.saturating_sub(HEADER_BYTES);
    let encoder = BzEncoder::new(text, bzip2::Compression::new(4));
    encoder.take(room as u64 + 1).read_to_end(&mut body).map_err(|_| too_large(text.len()))?;
    if body.len() > room {
        return Err(too_large(text.len()));
    }
    Header { flags: header.flags | COMPRESSED, compressed_bytes: body.len(), ..header }.write(&body)
}

fn parts(header: Header, text: &[u8], size: usize) -> Result<Vec<Vec<u8>>, FrameError> {
    // Every part has a NUL of its own.
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    let pieces: Vec<&[u8]> = text.chunks(size.saturating_sub(HEADER_BYTES + 1).max(1)).collect();
    let mut datagrams = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.iter().enumerate() {
        let part =
            u16::try_from(index).map_err(|_| FrameError::TooLarge { bytes: text.len(), max: size << 16 })?;
        let last = if index + 1 == pieces.len() { LAST_PART } else { 0 };
        let mut body = piece.to_vec();
        body.push(0);
        let flags = header.flags | MULTIPART | last;
        datagrams.push(Header { flags, part, text_bytes: body.len(), ..header }.write(&body)?);
    }
    Ok(datagrams)
}

/// A whole message that came.
#[derive(Debug)]
pub(crate) struct Received {
    /// How its sender frames.
    pub dialect: Dialect,
    /// Its number.
    pub id: i32,
    /// Its flags.
    pub flags: u32,
    /// What it says, or why that is unreadable.
    pub message: Result<Element, FrameError>,
}

/// Makes messages of the datagrams of one channel.
#[derive(Debug)]
pub(crate) struct Assembler {
    max: usize,
    partial: Option<Partial>,
}

#[derive(Debug)]
struct Partial {
    id: i32,
    next: u16,
    text: Vec<u8>,
}

impl Assembler {
    /// One that believes messages of at most `max` bytes of text.
    pub fn new(max: usize) -> Assembler {
        Assembler { max, partial: None }
    }

    /// Bytes held of a message that is not complete yet.
    pub fn held_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.text.len())
    }

    /// Takes a datagram; a message if it is complete. After an error, the channel is out of step: hang up.
    pub fn take(&mut self, datagram: &[u8]) -> Result<Option<Received>, FrameError> {
        let (header, body) = Header::read(datagram)?;
        let received = |text: &[u8]| Received {
            dialect: header.dialect,
            id: header.id,
            flags: header.flags,
            message: xml::parse_bytes(text).map_err(FrameError::from),
        };
        if header.dialect == Dialect::Multipart && header.flags & MULTIPART != 0 {
            return Ok(self.take_part(header, body)?.map(|text| received(&text)));
        }
        if self.partial.take().is_some() {
            return Err(FrameError::Header("the parts of the message before never ended"));
        }
        if header.text_bytes > self.max {
            return Err(FrameError::TooLarge { bytes: header.text_bytes, max: self.max });
        }
        if header.compressed_bytes > 0 {
            let text = decompress(body, header.text_bytes)?;
            return Ok(Some(received(without_end(&text)?)));
        }
        Ok(Some(received(without_end(body)?)))
    }

    fn take_part(&mut self, header: Header, body: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        let mut partial = match self.partial.take() {
            None if header.part == 0 => Partial { id: header.id, next: 0, text: Vec::new() },
            Some(partial) if partial.id == header.id && partial.next == header.part => partial,
            _ => return Err(FrameError::Header("its part is out of order")),
        };
        let text = without_end(body)?;
        let bytes = partial.text.len() + text.len();
        if bytes > self.max {
            return Err(FrameError::TooLarge { bytes, max: self.max });
        }
        partial.text.extend_from_slice(text);
        if header.flags & LAST_PART != 0 {
            return Ok(Some(partial.text));
        }
        partial.next = partial.next.checked_add(1).ok_or(FrameError::Header("it has too many parts"))?;
        self.partial = Some(partial);
        Ok(None)
    }
}

fn without_end(text: &[u8]) -> Result<&[u8], FrameError> {
    text.strip_suffix(&[0]).ok_or(FrameError::Header("its text has no NUL at the end"))
}

fn decompress(body: &[u8], text_bytes: usize) -> Result<Vec<u8>, FrameError> {
    let mut text = Vec::new();
    let read = BzDecoder::new(body).take(text_bytes as u64 + 1).read_to_end(&mut text);
    match read {
        Ok(bytes) if bytes == text_bytes => Ok(text),
        _ => Err(FrameError::Compression(text_bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 131_072;

    fn large(count: usize) -> Element {
        let child =
            |n: usize| Element::new("nvpair").with_attr("id", format!("pair-{n}")).with_attr("value", n * n);
        Element::new("cib").with_children((0..count).map(child))
    }

    fn there_and_back(dialect: Dialect, message: &Element) -> (usize, Received) {
        let datagrams = encode(dialect, 7, WANTS_RESPONSE, message, SIZE).unwrap();
        let mut assembler = Assembler::new(MESSAGE_BYTES_MAX);
        let mut whole = None;
        for datagram in &datagrams {
            assert!(whole.is_none() && datagram.len() <= SIZE);
            whole = assembler.take(datagram).unwrap();
        }
        (datagrams.len(), whole.unwrap())
    }

    #[test]
    fn both_dialects_carry_small_and_large() {
        for dialect in [Dialect::Compressed, Dialect::Multipart] {
            for count in [0, 10, 3000, 10_000] {
                let message = large(count);
                let (_, received) = there_and_back(dialect, &message);
                assert_eq!((received.dialect, received.id), (dialect, 7));
                assert_ne!(received.flags & WANTS_RESPONSE, 0);
                assert_eq!(received.message.unwrap(), message);
            }
        }
        assert_eq!(there_and_back(Dialect::Compressed, &large(10_000)).0, 1);
        assert!(there_and_back(Dialect::Multipart, &large(10_000)).0 > 2);
    }

    #[test]
    fn every_size_around_the_limit_survives() {
        // The header, and what surrounds the value, are 40 and 9 bytes.
        for dialect in [Dialect::Compressed, Dialect::Multipart] {
            for extra in SIZE - 54..SIZE - 44 {
                let message = Element::new("m").with_attr("v", "x".repeat(extra));
                assert_eq!(there_and_back(dialect, &message).1.message.unwrap(), message);
            }
        }
    }

    #[test]
    fn what_cannot_be_compressed_enough_is_refused() {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + (state >> 33) as u8 % 26)
        };
        let message = Element::new("m").with_attr("v", (0..SIZE * 4).map(|_| noise()).collect::<String>());
        let refused = encode(Dialect::Compressed, 1, 0, &message, SIZE);
        assert!(matches!(refused, Err(FrameError::TooLarge { .. })));
        assert_eq!(there_and_back(Dialect::Multipart, &message).1.message.unwrap(), message);
    }

    #[test]
    fn hostile_datagrams_are_refused() {
        let good = encode(Dialect::Multipart, 1, 0, &large(1), SIZE).unwrap().remove(0);
        let mut assembler = Assembler::new(1000);
        let mut bad = |offset: usize, value: &[u8]| {
            let mut datagram = good.clone();
            put(&mut datagram, offset, value);
            assembler.take(&datagram).unwrap_err().to_string()
        };
        assert!(bad(0, &(-1i32).to_ne_bytes()).contains("reserved"));
        assert!(bad(8, &1u32.to_ne_bytes()).contains("another size"));
        assert!(bad(24, &9u32.to_ne_bytes()).contains("another length"));
        assert!(bad(32, &[2]).contains("unknown version"));
        assert!(bad(good.len() - 1, b"x").contains("NUL"));
        assert!(assembler.take(&good[..39]).is_err());
        assert!(assembler.take(&[]).is_err());
    }

    #[test]
    fn parts_out_of_order_or_without_end_are_refused() {
        let parts = encode(Dialect::Multipart, 1, 0, &large(10_000), SIZE).unwrap();
        let mut assembler = Assembler::new(MESSAGE_BYTES_MAX);
        assert!(assembler.take(&parts[1]).is_err());
        assert!(assembler.take(&parts[0]).unwrap().is_none());
        assert!(assembler.take(&parts[2]).is_err());
        let mut small = Assembler::new(SIZE + 10);
        assert!(small.take(&parts[0]).unwrap().is_none());
        assert!(matches!(small.take(&parts[1]), Err(FrameError::TooLarge { .. })));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let message = Element::new("m").with_attr("v", "x".repeat(2 << 20));
        let mut bomb = encode(Dialect::Compressed, 1, 0, &message, SIZE).unwrap().remove(0);
        put(&mut bomb, 24, &1000u32.to_ne_bytes());
        let mut assembler = Assembler::new(1 << 20);
        assert_eq!(assembler.take(&bomb).unwrap_err(), FrameError::Compression(1000));
    }
}
