//! gzip (RFC 1952) and zlib (RFC 1950): unpacked up to a bound, so that a small payload cannot fill the memory.

use super::{Fault, Limits, base64::too_long, words};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::Read;

/// What a packed payload holds, and the layer in words.
pub(super) fn unpack(bytes: &[u8], limits: &Limits) -> Result<(Vec<u8>, String), Fault> {
    let (name, inside) = match bytes {
        [0x1f, 0x8b, ..] => ("gzip", all(MultiGzDecoder::new(bytes), limits)?),
        // CMF and FLG: deflate, and a multiple of 31 (RFC 1950 section 2.2).
        [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31) => {
            ("zlib", all(ZlibDecoder::new(bytes), limits)?)
        }
        _ => return Err(Fault::at(0, "neither gzip (1f 8b) nor zlib (78 …) begins here")),
    };
    let (packed, unpacked) = (words::count(bytes.len() as u64), words::count(inside.len() as u64));
    Ok((inside, format!("{name}: {packed} bytes unpacked to {unpacked}")))
}

fn all(reader: impl Read, limits: &Limits) -> Result<Vec<u8>, Fault> {
    let mut inside = vec![];
    let bound = limits.unpacked as u64 + 1;
    if let Err(error) = reader.take(bound).read_to_end(&mut inside) {
        let after = words::counted(inside.len() as u64, "byte", "bytes");
        return Err(Fault::all(format!("It is damaged or cut short: {error}, after {after} unpacked.")));
    }
    if inside.len() > limits.unpacked { Err(too_long(limits)) } else { Ok(inside) }
}
