//! The wire format of Protocol Buffers: tags, varints, lengths. It knows no schema.

use super::Fault;
use super::nest::take;

/// A field as it stands in the bytes.
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) start: usize,
    /// Where its value begins: past the tag and, of bytes, past the length.
    pub(super) from: usize,
    pub(super) end: usize,
    pub(super) raw: Raw<'a>,
}

/// A value whose type the wire tells only half.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    Bytes(&'a [u8]),
    GroupStart,
    GroupEnd,
}

impl Raw<'_> {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Varint(_) => "a varint",
            Self::Fixed32(_) => "4 bytes",
            Self::Fixed64(_) => "8 bytes",
            Self::Bytes(_) => "bytes with a length",
            Self::GroupStart | Self::GroupEnd => "a group",
        }
    }
}

/// A varint at `at`, and where it ends.
pub(super) fn varint(bytes: &[u8], at: usize) -> Result<(u64, usize), Fault> {
    let mut number = 0_u64;
    for (place, byte) in bytes.get(at..).unwrap_or_default().iter().take(10).enumerate() {
        // The tenth byte has one bit left.
        if place == 9 && *byte > 1 {
            break;
        }
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok((number, at + place + 1));
        }
    }
    if bytes.len().saturating_sub(at) >= 10 {
        Err(Fault::at(at, "this number has more than 64 bits"))
    } else {
        Err(Fault::at(at, "the payload or its part ends inside a number"))
    }
}

/// The field at `at`, of bytes that end where its message does.
pub(super) fn field(bytes: &[u8], at: usize) -> Result<Field<'_>, Fault> {
    let (tag, from) = varint(bytes, at)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
    let Some(number) = number else {
        return Err(Fault::at(at, format!("there is no field number {}", tag >> 3)));
    };
    let fixed = |count: u64| -> Result<u64, Fault> {
        Ok(take(bytes, at, from, count)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (raw, from, end) = match tag & 7 {
        0 => {
            let (number, end) = varint(bytes, from)?;
            (Raw::Varint(number), from, end)
        }
        1 => (Raw::Fixed64(fixed(8)?), from, from + 8),
        2 => {
            let (count, from) = varint(bytes, from)?;
            let inside = take(bytes, at, from, count)?;
            (Raw::Bytes(inside), from, from + inside.len())
        }
        3 => (Raw::GroupStart, from, from),
        4 => (Raw::GroupEnd, from, from),
        // Four bytes fit.
        5 => (Raw::Fixed32(fixed(4)? as u32), from, from + 4),
        other => return Err(Fault::at(at, format!("field {number} has the wire type {other}, which does not exist"))),
    };
    Ok(Field { number, start: at, from, end, raw })
}
