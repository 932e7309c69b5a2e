//! Base64 (RFC 4648): the standard and the URL-safe alphabet, padded or not, broken into lines or not.

use super::{Fault, Limits, words};
use ::base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ::base64::{DecodeError, Engine};

fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

/// What a payload of Base64 stands for, and the layer in words.
pub(super) fn unpack(bytes: &[u8], limits: &Limits) -> Result<(Vec<u8>, String), Fault> {
    if bytes.len() / 4 * 3 > limits.unpacked {
        return Err(too_long(limits));
    }
    let inside = bytes_of(bytes)?;
    let layer = format!("Base64: {} characters of {} bytes", words::count(bytes.len() as u64), {
        words::count(inside.len() as u64)
    });
    Ok((inside, layer))
}

/// What a wrapper says that unpacks to more than is allowed.
pub(super) fn too_long(limits: &Limits) -> Fault {
    Fault::all(format!(
        "It unpacks to more than {} bytes, and is not unpacked further.",
        words::count(limits.unpacked as u64)
    ))
}

/// The bytes that Base64 stands for; blanks and line ends are skipped.
pub(super) fn bytes_of(written: &[u8]) -> Result<Vec<u8>, Fault> {
    let digits: Vec<u8> = written.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let url = digits.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = engine(if url { &URL_SAFE } else { &STANDARD });
    engine.decode(&digits).map_err(|error| {
        // Of a character among the digits, its place among all.
        let place = |digit: usize| {
            let mut places = written.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace());
            places.nth(digit).map_or(written.len(), |(at, _)| at)
        };
        match error {
            DecodeError::InvalidByte(at, b'=') => Fault::at(place(at), "“=” stands at the end only, once or twice"),
            DecodeError::InvalidByte(at, byte @ (b'+' | b'/')) if url => {
                Fault::at(place(at), format!("“{}” does not stand beside “-” and “_”", char::from(byte)))
            }
            DecodeError::InvalidByte(at, byte) if byte.is_ascii_graphic() => {
                Fault::at(place(at), format!("“{}” is no character of Base64", char::from(byte)))
            }
            DecodeError::InvalidByte(at, byte) => {
                Fault::at(place(at), format!("the byte {byte:02x} is no character of Base64"))
            }
            DecodeError::InvalidLength(_) => {
                Fault::at(written.len(), "the last group has one character only; Base64 writes a byte with two")
            }
            DecodeError::InvalidLastSymbol(at, byte) => {
                Fault::at(place(at), format!("“{}” ends the text with bits left over", char::from(byte)))
            }
            DecodeError::InvalidPadding => Fault::at(written.len(), "the text does not end in the right number of “=”"),
        }
    })
}

/// Bytes in the standard alphabet, padded.
pub(super) fn written(bytes: &[u8]) -> String {
    engine(&STANDARD).encode(bytes)
}
