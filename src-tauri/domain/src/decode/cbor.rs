//! CBOR (RFC 8949): every item, of known and unknown length, tags in words, big numbers in full.

use super::nest::{self, Item, Token, Value, take};
use super::tree::Kind;
use super::{Fault, Limits, Read, words};
use ciborium_ll::{Decoder, Error, Header};

/// Tags of one item that are named; further ones are counted.
const NAMED_TAGS: u64 = 8;

/// Reads one CBOR item.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Fault> {
    nest::read(bytes, limits, |at| token(bytes, at))
}

/// The head at a byte, and where it ends.
fn head(bytes: &[u8], at: usize) -> Result<(Header, usize), Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut decoder = Decoder::from(rest);
    match decoder.pull() {
        Ok(header) => Ok((header, at + decoder.offset())),
        Err(Error::Io(_)) => Err(Fault::at(at, "the payload ends inside the head of an item")),
        Err(Error::Syntax(_)) => {
            let byte = rest.first().copied().unwrap_or_default();
            Err(Fault::at(at, format!("the byte {byte:02x} begins no item of CBOR")))
        }
    }
}

fn token(bytes: &[u8], start: usize) -> Result<Token<'_>, Fault> {
    let (mut tags, mut last, mut notes) = (0_u64, None, String::new());
    let mut at = start;
    let (header, mut end) = loop {
        let (header, end) = head(bytes, at)?;
        let Header::Tag(tag) = header else { break (header, end) };
        tags += 1;
        if tags <= NAMED_TAGS {
            if !notes.is_empty() {
                notes.push_str(", ");
            }
            notes.push_str(&tag_words(tag));
        }
        last = Some(tag);
        at = end;
    };
    if tags > NAMED_TAGS {
        notes.push_str(&format!(" and {} more", words::counted(tags - NAMED_TAGS, "tag", "tags")));
    }
    let item = match header {
        Header::Positive(number) => Item::Value(Value::Integer(number.into())),
        // The head holds -1 - n, as its bits inverted.
        Header::Negative(number) => Item::Value(Value::Integer(-1 - i128::from(number))),
        Header::Float(number) => Item::Value(Value::Float(number)),
        Header::Simple(20) => Item::Value(Value::Plain(Kind::Bool, "false".to_owned())),
        Header::Simple(21) => Item::Value(Value::Plain(Kind::Bool, "true".to_owned())),
        Header::Simple(22) => Item::Value(Value::Plain(Kind::Null, "null".to_owned())),
        Header::Simple(23) => Item::Value(Value::Plain(Kind::Null, "undefined".to_owned())),
        Header::Simple(other) => Item::Value(Value::Plain(Kind::Other, format!("simple({other})"))),
        Header::Array(count) => Item::Array(count.map(|count| count as u64)),
        Header::Map(count) => Item::Map(count.map(|count| count as u64)),
        Header::Break if tags > 0 => return Err(Fault::at(start, "a tag stands before a break")),
        Header::Break => Item::Break,
        Header::Bytes(count) => {
            let (whole, after) = string(bytes, at, end, count.map(|count| count as u64), false)?;
            end = after;
            Item::Value(match big(last, &whole) {
                Some(number) => Value::Integer(number),
                None => Value::Bytes(whole),
            })
        }
        Header::Text(count) => {
            let (whole, after) = string(bytes, at, end, count.map(|count| count as u64), true)?;
            end = after;
            let text = match whole {
                std::borrow::Cow::Borrowed(whole) => std::str::from_utf8(whole).map(std::borrow::Cow::Borrowed).ok(),
                std::borrow::Cow::Owned(whole) => String::from_utf8(whole).map(std::borrow::Cow::Owned).ok(),
            };
            Item::Value(Value::Text(text.ok_or_else(|| Fault::at(at, "this text is not UTF-8"))?))
        }
        Header::Tag(_) => return Err(Fault::at(at, "a tag stands alone")),
    };
    Ok(Token { item, end, note: Some(notes).filter(|notes| !notes.is_empty()) })
}

type Whole<'a> = std::borrow::Cow<'a, [u8]>;

/// The bytes of a string whose head stands at `start..from`, of its chunks together when its length is unknown.
fn string(
    bytes: &[u8],
    start: usize,
    from: usize,
    count: Option<u64>,
    text: bool,
) -> Result<(Whole<'_>, usize), Fault> {
    if let Some(count) = count {
        let whole = take(bytes, start, from, count)?;
        return Ok((Whole::Borrowed(whole), from + whole.len()));
    }
    let (mut whole, mut at) = (vec![], from);
    loop {
        let (header, end) = head(bytes, at)?;
        let count = match header {
            Header::Break => return Ok((Whole::Owned(whole), end)),
            Header::Text(Some(count)) if text => count,
            Header::Bytes(Some(count)) if !text => count,
            _ => return Err(Fault::at(at, "a chunk of the string is expected, of its kind and with its length")),
        };
        let chunk = take(bytes, at, end, count as u64)?;
        // RFC 8949 section 3.2.3: no character is cut between chunks.
        if text && std::str::from_utf8(chunk).is_err() {
            return Err(Fault::at(at, "this chunk of text is not UTF-8"));
        }
        whole.extend_from_slice(chunk);
        at = end + chunk.len();
    }
}

/// A big number of up to 15 bytes (RFC 8949 section 3.4.3); longer ones stay bytes.
fn big(tag: Option<u64>, bytes: &[u8]) -> Option<i128> {
    let number =
        bytes.iter().try_fold(0_i128, |number, byte| (number < 1 << 112).then(|| number << 8 | i128::from(*byte)))?;
    match tag {
        Some(2) => Some(number),
        Some(3) => Some(-1 - number),
        _ => None,
    }
}

/// Tags that payloads have (RFC 8949 section 3.4, and the registry it began).
fn tag_words(tag: u64) -> String {
    let words = match tag {
        0 => "time as text",
        1 => "time in seconds since 1970",
        2 => "big number",
        3 => "negative big number",
        4 => "decimal fraction",
        5 => "big float",
        21 => "for Base64url",
        22 => "for Base64",
        23 => "for Base16",
        24 => "CBOR inside",
        32 => "URI",
        33 => "Base64url",
        34 => "Base64",
        36 => "MIME message",
        37 => "UUID",
        55_799 => "self-described CBOR",
        other => return format!("tag {other}"),
    };
    format!("tag {tag}: {words}")
}
