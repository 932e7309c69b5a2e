//! Frames of a WebSocket (RFC 6455 section 5.2): their heads, their masks, and what none may be.

use bytes::{BufMut, BytesMut};

/// Close: nothing more is to be said (section 7.4.1).
pub(super) const NORMAL: u16 = 1_000;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Continuation,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Kind {
    /// Whether it carries bytes; otherwise it controls the connection.
    pub(super) fn is_data(self) -> bool {
        matches!(self, Self::Continuation | Self::Binary)
    }

    fn code(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }
}

/// Why frames can't be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("a WebSocket frame of text, and MQTT is in binary ones")]
    Text,
    #[error("a WebSocket frame of an extension that was not agreed")]
    Extension,
    #[error("a WebSocket frame of the unknown kind {0}")]
    Unknown(u8),
    #[error("a WebSocket frame with a mask")]
    Masked,
    #[error("a WebSocket frame without a mask")]
    Unmasked,
    #[error("a WebSocket control frame that is too long or not whole")]
    Control,
    #[error("a WebSocket frame whose length is no number")]
    Length,
    #[error("a WebSocket message inside another one")]
    Interrupted,
    #[error("a WebSocket frame that continues nothing")]
    NothingToContinue,
}

impl Violation {
    /// What Close says of it (section 7.4.1).
    pub(super) fn code(self) -> u16 {
        if self == Self::Text { 1_003 } else { 1_002 }
    }
}

/// The head of a frame, and how much of it is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Whether it ends its message.
    pub(super) last: bool,
    /// Bytes of payload that were not taken out yet.
    pub(super) left: u64,
    mask: Option<[u8; 4]>,
}

impl Header {
    /// The head at the beginning of `bytes` and its size; nothing while it is not whole. `masked`: whether it must be.
    pub(super) fn read(bytes: &[u8], masked: bool) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&[first, second]) = bytes.first_chunk::<2>() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(Violation::Extension);
        }
        let kind = match first & 0x0f {
            0 => Kind::Continuation,
            1 => return Err(Violation::Text),
            2 => Kind::Binary,
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            other => return Err(Violation::Unknown(other)),
        };
        match (second & 0x80 != 0, masked) {
            (true, false) => return Err(Violation::Masked),
            (false, true) => return Err(Violation::Unmasked),
            _ => {}
        }
        let (last, length) = (first & 0x80 != 0, second & 0x7f);
        if !kind.is_data() && (!last || length > 125) {
            return Err(Violation::Control);
        }
        let rest = &bytes[2..];
        let (left, taken) = match length {
            126 => match rest.first_chunk::<2>() {
                Some(two) => (u16::from_be_bytes(*two).into(), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk::<8>() {
                Some(eight) => (u64::from_be_bytes(*eight), 8),
                None => return Ok(None),
            },
            short => (short.into(), 0),
        };
        if left >> 63 != 0 {
            return Err(Violation::Length);
        }
        if !masked {
            return Ok(Some((Self { kind, last, left, mask: None }, 2 + taken)));
        }
        let Some(mask) = rest[taken..].first_chunk::<4>() else { return Ok(None) };
        Ok(Some((Self { kind, last, left, mask: Some(*mask) }, 2 + taken + 4)))
    }

    /// Takes the next bytes of the payload out of their mask; they count as taken.
    pub(super) fn unmask(&mut self, bytes: &mut [u8]) {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        if let Some(mask) = &mut self.mask {
            apply(*mask, bytes);
            mask.rotate_left(bytes.len() % 4);
        }
    }
}

/// Writes a whole frame, with a mask of its own when a client sends it (section 5.3).
pub(super) fn put(out: &mut BytesMut, kind: Kind, body: &[u8], masked: bool) {
    let bit = if masked { 0x80 } else { 0 };
    out.put_u8(0x80 | kind.code());
    match body.len() {
        short @ 0..=125 => out.put_u8(bit | short as u8),
        middle @ 126..=0xffff => {
            out.put_u8(bit | 126);
            out.put_u16(middle as u16);
        }
        long => {
            out.put_u8(bit | 127);
            out.put_u64(long as u64);
        }
    }
    if masked {
        let mask = rand::random::<[u8; 4]>();
        out.put_slice(&mask);
        let from = out.len();
        out.put_slice(body);
        apply(mask, &mut out[from..]);
    } else {
        out.put_slice(body);
    }
}

fn apply(mask: [u8; 4], bytes: &mut [u8]) {
    for four in bytes.chunks_mut(4) {
        for (byte, mask) in four.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}
