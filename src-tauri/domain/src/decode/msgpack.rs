//! MessagePack (specification of 2017, with the timestamp extension).

use super::nest::{self, Item, Token, Value, take};
use super::tree::Kind;
use super::{Fault, Limits, Read, words};
use rmp::Marker;
use std::borrow::Cow;

/// Reads one MessagePack value.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Fault> {
    nest::read(bytes, limits, |at| token(bytes, at))
}

/// A big-endian number of `count` bytes after the marker at `start`.
fn unsigned(bytes: &[u8], start: usize, count: usize) -> Result<u64, Fault> {
    let digits = take(bytes, start, start + 1, count as u64)?;
    Ok(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A number of two's complement.
fn signed(bytes: &[u8], start: usize, count: usize) -> Result<i64, Fault> {
    let shift = 64 - 8 * count as u32;
    Ok((unsigned(bytes, start, count)? << shift).cast_signed() >> shift)
}

fn token(bytes: &[u8], at: usize) -> Result<Token<'_>, Fault> {
    let first = bytes.get(at).copied().unwrap_or_default();
    let token = |item: Item<'static>, size: usize| Ok(Token { item, end: at + 1 + size, note: None });
    let integer = |number: i128, size: usize| token(Item::Value(Value::Integer(number)), size);
    let plain = |kind, word: &str| token(Item::Value(Value::Plain(kind, word.to_owned())), 0);
    let length = |size: usize| unsigned(bytes, at, size);
    match Marker::from_u8(first) {
        Marker::FixPos(number) => integer(number.into(), 0),
        Marker::FixNeg(number) => integer(number.into(), 0),
        Marker::U8 => integer(length(1)?.into(), 1),
        Marker::U16 => integer(length(2)?.into(), 2),
        Marker::U32 => integer(length(4)?.into(), 4),
        Marker::U64 => integer(length(8)?.into(), 8),
        Marker::I8 => integer(signed(bytes, at, 1)?.into(), 1),
        Marker::I16 => integer(signed(bytes, at, 2)?.into(), 2),
        Marker::I32 => integer(signed(bytes, at, 4)?.into(), 4),
        Marker::I64 => integer(signed(bytes, at, 8)?.into(), 8),
        Marker::F32 => {
            let single = f32::from_bits(u32::try_from(length(4)?).unwrap_or_default());
            token(Item::Value(Value::Single(single)), 4)
        }
        Marker::F64 => token(Item::Value(Value::Float(f64::from_bits(length(8)?))), 8),
        Marker::Null => plain(Kind::Null, "nil"),
        Marker::True => plain(Kind::Bool, "true"),
        Marker::False => plain(Kind::Bool, "false"),
        Marker::Reserved => Err(Fault::at(at, "the byte c1 begins no value of MessagePack")),
        Marker::FixArray(count) => token(Item::Array(Some(count.into())), 0),
        Marker::Array16 => token(Item::Array(Some(length(2)?)), 2),
        Marker::Array32 => token(Item::Array(Some(length(4)?)), 4),
        Marker::FixMap(count) => token(Item::Map(Some(count.into())), 0),
        Marker::Map16 => token(Item::Map(Some(length(2)?)), 2),
        Marker::Map32 => token(Item::Map(Some(length(4)?)), 4),
        Marker::FixStr(count) => text(bytes, at, 0, count.into()),
        Marker::Str8 => text(bytes, at, 1, length(1)?),
        Marker::Str16 => text(bytes, at, 2, length(2)?),
        Marker::Str32 => text(bytes, at, 4, length(4)?),
        Marker::Bin8 => binary(bytes, at, 1, length(1)?),
        Marker::Bin16 => binary(bytes, at, 2, length(2)?),
        Marker::Bin32 => binary(bytes, at, 4, length(4)?),
        Marker::FixExt1 => extension(bytes, at, 0, 1),
        Marker::FixExt2 => extension(bytes, at, 0, 2),
        Marker::FixExt4 => extension(bytes, at, 0, 4),
        Marker::FixExt8 => extension(bytes, at, 0, 8),
        Marker::FixExt16 => extension(bytes, at, 0, 16),
        Marker::Ext8 => extension(bytes, at, 1, length(1)?),
        Marker::Ext16 => extension(bytes, at, 2, length(2)?),
        Marker::Ext32 => extension(bytes, at, 4, length(4)?),
    }
}

/// A string. Those of the old `raw` type may hold any bytes, which are shown as such.
fn text(bytes: &[u8], at: usize, size: usize, count: u64) -> Result<Token<'_>, Fault> {
    let from = at + 1 + size;
    let whole = take(bytes, at, from, count)?;
    let (value, note) = match std::str::from_utf8(whole) {
        Ok(text) => (Value::Text(Cow::Borrowed(text)), None),
        Err(_) => (Value::Bytes(Cow::Borrowed(whole)), Some("a string that is not UTF-8".to_owned())),
    };
    Ok(Token { item: Item::Value(value), end: from + whole.len(), note })
}

fn binary(bytes: &[u8], at: usize, size: usize, count: u64) -> Result<Token<'_>, Fault> {
    let from = at + 1 + size;
    let whole = take(bytes, at, from, count)?;
    Ok(Token { item: Item::Value(Value::Bytes(Cow::Borrowed(whole))), end: from + whole.len(), note: None })
}

/// An extension: its type after its length, then its bytes. Type -1 is a time.
fn extension(bytes: &[u8], at: usize, size: usize, count: u64) -> Result<Token<'_>, Fault> {
    let from = at + 1 + size;
    let kind = take(bytes, at, from, 1)?[0].cast_signed();
    let whole = take(bytes, at, from + 1, count)?;
    let end = from + 1 + whole.len();
    let (value, note) = match if kind == -1 { time(whole) } else { None } {
        Some(time) => (Value::Plain(Kind::Other, time), "extension -1: time".to_owned()),
        None => (Value::Bytes(Cow::Borrowed(whole)), format!("extension {kind}")),
    };
    Ok(Token { item: Item::Value(value), end, note: Some(note) })
}

/// A timestamp of 32, 64 or 96 bits: seconds since 1970, and nanoseconds.
fn time(whole: &[u8]) -> Option<String> {
    let number = |digits: &[u8]| digits.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let (seconds, nanoseconds) = match whole.len() {
        4 => (number(whole).cast_signed(), 0),
        8 => ((number(whole) & 0x3_ffff_ffff).cast_signed(), number(whole) >> 34),
        12 => (number(&whole[4..]).cast_signed(), number(&whole[..4])),
        _ => return None,
    };
    if nanoseconds > 999_999_999 {
        return None;
    }
    let milliseconds = u64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000)).and_then(words::utc);
    Some(match milliseconds {
        Some(utc) => format!("{}.{nanoseconds:09}Z", utc.trim_end_matches(".000Z")),
        None => format!("{seconds} s and {nanoseconds} ns since 1970"),
    })
}
