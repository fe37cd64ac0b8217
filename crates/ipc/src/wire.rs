// SPDX-License-Identifier: GPL-2.0-or-later
//! Libqb's bytes: message headers and the handshake, as C lays them out (host order, every field on 8 bytes).

/// The id of the handshake's request and answer.
const AUTHENTICATE: i32 = -1;
/// Bytes of the handshake's request.
pub const SETUP_REQUEST_BYTES: usize = 24;
/// Bytes of the handshake's answer.
pub const SETUP_ANSWER_BYTES: usize = 12_328;
/// Bytes of each of the three names in the answer.
const NAME_BYTES: usize = 4096;
/// The transport of sockets.
pub const TRANSPORT_SOCKET: i32 = 0;

/// Reads a number at an offset; `None` past the end.
pub fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()?))
}

/// Reads a number at an offset; `None` past the end.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    i32_at(bytes, offset).map(i32::cast_unsigned)
}

/// Writes bytes at an offset that is known to fit.
pub fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    if let Some(slot) = bytes.get_mut(offset..offset + value.len()) {
        slot.copy_from_slice(value);
    }
}

/// The request that opens a connection, wishing for messages up to a size.
pub fn setup_request(message_size: u32) -> [u8; SETUP_REQUEST_BYTES] {
    let mut bytes = [0; SETUP_REQUEST_BYTES];
    put(&mut bytes, 0, &AUTHENTICATE.to_ne_bytes());
    put(&mut bytes, 8, &24i32.to_ne_bytes());
    put(&mut bytes, 16, &message_size.to_ne_bytes());
    bytes
}

/// Whether these bytes are such a request.
pub fn is_setup_request(bytes: &[u8; SETUP_REQUEST_BYTES]) -> bool {
    i32_at(bytes, 0) == Some(AUTHENTICATE) && i32_at(bytes, 8) == Some(24)
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupAnswer {
    /// Zero, or a negated `errno`.
    pub error: i32,
    /// Libqb's number for the transport.
    pub transport: i32,
    /// Bytes of the largest message, with its header.
    pub message_size: u32,
    /// For sockets, the path of the control file.
    pub request: String,
    /// For sockets, what the names of the datagram sockets start with.
    pub response: String,
}

impl SetupAnswer {
    /// A refusal.
    pub fn refusal(errno: i32) -> SetupAnswer {
        SetupAnswer {
            error: -errno,
            transport: TRANSPORT_SOCKET,
            message_size: 0,
            request: String::new(),
            response: String::new(),
        }
    }

    /// For the wire. Names are cut to what fits with their NUL.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; SETUP_ANSWER_BYTES];
        put(&mut bytes, 0, &AUTHENTICATE.to_ne_bytes());
        put(&mut bytes, 8, &12_328i32.to_ne_bytes());
        put(&mut bytes, 16, &self.error.to_ne_bytes());
        put(&mut bytes, 24, &self.transport.to_ne_bytes());
        put(&mut bytes, 28, &self.message_size.to_ne_bytes());
        for (offset, name) in [(40, &self.request), (40 + NAME_BYTES, &self.response)] {
            let name = name.as_bytes();
            put(&mut bytes, offset, name.get(..NAME_BYTES - 1).unwrap_or(name));
        }
        bytes
    }

    /// From the wire; the error says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<SetupAnswer, &'static str> {
        let number = |offset| i32_at(bytes, offset).ok_or("it is too short");
        if number(0)? != AUTHENTICATE {
            return Err("it is of another kind");
        }
        let error = number(16)?;
        if error != 0 {
            return Ok(SetupAnswer { error, ..SetupAnswer::refusal(0) });
        }
        if bytes.len() != SETUP_ANSWER_BYTES || number(8)? != 12_328 {
            return Err("it has an unexpected size");
        }
        Ok(SetupAnswer {
            error,
            transport: number(24)?,
            message_size: u32_at(bytes, 28).ok_or("it is too short")?,
            request: name_at(bytes, 40)?,
            response: name_at(bytes, 40 + NAME_BYTES)?,
        })
    }
}

fn name_at(bytes: &[u8], offset: usize) -> Result<String, &'static str> {
    let field = bytes.get(offset..offset + NAME_BYTES).ok_or("it is too short")?;
    let end = field.iter().position(|byte| *byte == 0).ok_or("a name in it has no end")?;
    let name = field.get(..end).unwrap_or_default();
    String::from_utf8(name.to_vec()).map_err(|_| "a name in it is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_laid_out_as_c_does() {
        let request = setup_request(131_072);
        assert!(is_setup_request(&request));
        assert_eq!(u32_at(&request, 16), Some(131_072));
        let answer = SetupAnswer {
            error: 0,
            transport: TRANSPORT_SOCKET,
            message_size: 131_072,
            request: "/dev/shm/x/qb-control-cib_rw".into(),
            response: "/x/qb-cib_rw".into(),
        };
        let bytes = answer.to_bytes();
        assert_eq!(bytes.len(), SETUP_ANSWER_BYTES);
        assert_eq!(SetupAnswer::from_bytes(&bytes), Ok(answer));
    }

    #[test]
    fn hostile_answers_are_refused() {
        assert_eq!(SetupAnswer::from_bytes(&[]), Err("it is too short"));
        assert_eq!(SetupAnswer::from_bytes(&[0; 64]), Err("it is of another kind"));
        let mut endless = SetupAnswer::refusal(0).to_bytes();
        endless[40..40 + NAME_BYTES].fill(b'a');
        assert_eq!(SetupAnswer::from_bytes(&endless), Err("a name in it has no end"));
        assert_eq!(SetupAnswer::from_bytes(&SetupAnswer::refusal(13).to_bytes()[..40]).unwrap().error, -13);
    }
}
