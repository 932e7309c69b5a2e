//! Text: UTF-8, with what is none of it shown as U+FFFD and counted.

use super::tree::{Build, Key, Kind, Leaf};
use super::{Limits, Read, words};

/// Reads any bytes.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Read {
    let (mut text, mut invalid, mut first, mut at) = (String::new(), 0, None, 0);
    for chunk in bytes.utf8_chunks() {
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            first.get_or_insert(at);
            invalid += chunk.invalid().len();
            at += chunk.invalid().len();
        }
        if text.len() <= limits.text {
            text.push_str(chunk.valid());
            text.extend((!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER));
        }
    }
    let mut notes = vec![];
    if let Some(first) = first {
        let (invalid, first) = (words::counted(invalid as u64, "byte is", "bytes are"), words::count(first as u64));
        notes.push(format!("{invalid} not UTF-8, the first at byte {first}; shown as U+FFFD."));
    }
    if bytes.is_empty() {
        notes.push("The payload is empty.".to_owned());
    }
    if text.len() > limits.text {
        text = words::clip(&text, limits.text);
        notes.push(format!("The text is cut after {} bytes.", words::count(limits.text as u64)));
    }
    let cut = (text.len() > limits.value).then(|| words::counted(bytes.len() as u64, "byte", "bytes"));
    let root = single(Leaf::new(Kind::Text, text.as_str()).noted(cut), bytes.len(), limits);
    Read { root, text, shown: 1, total: 1, notes }
}

/// A tree of one node.
pub(super) fn single(leaf: Leaf, end: usize, limits: &Limits) -> super::Node {
    Build::new(limits).single(&Key::Root, leaf, end)
}
