//! Hex and ASCII: an offset, sixteen bytes and their characters a line.

use super::text::single;
use super::tree::Leaf;
use super::{Limits, Read, words};
use std::fmt::Write;

/// Bytes of a line.
const WIDTH: usize = 16;

/// Reads any bytes.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Read {
    let mut notes = vec![];
    let mut text = String::new();
    for (row, line) in bytes.chunks(WIDTH).enumerate() {
        if text.len() > limits.text {
            let shown = words::count((row * WIDTH) as u64);
            notes.push(format!("Shown {shown} of {} bytes.", words::count(bytes.len() as u64)));
            break;
        }
        if row > 0 {
            text.push('\n');
        }
        // Writing to a String does not fail.
        let _ = write!(text, "{:08x}  ", row * WIDTH);
        push_row(&mut text, line);
    }
    if bytes.is_empty() {
        notes.push("The payload is empty.".to_owned());
    }
    let root = single(Leaf::bytes(bytes, limits.value), bytes.len(), limits);
    Read { root, text, shown: 1, total: 1, notes }
}

/// Up to sixteen bytes in hex and as characters.
pub(super) fn push_row(out: &mut String, line: &[u8]) {
    for at in 0..WIDTH {
        if at == WIDTH / 2 {
            out.push(' ');
        }
        let _ = match line.get(at) {
            Some(byte) => write!(out, "{byte:02x} "),
            None => write!(out, "   "),
        };
    }
    out.push_str(" |");
    out.extend(line.iter().map(|byte| if matches!(byte, 0x20..0x7f) { char::from(*byte) } else { '.' }));
    out.push('|');
}
