//! The decoders against examples of their specifications, and against any bytes.

mod any;
mod binding;
mod cbor;
mod diff;
mod encode;
mod json;
mod msgpack;
mod plain;
mod protobuf;
mod sparkplug;
mod tagotip;

use super::schema::Schemas;
use super::sparkplug::Aliases;
use super::tree::Node;
use super::{Context, DecodeError, Decoded, Decoder, Limits, decode};

/// Decodes with nothing else known.
fn plain(decoder: &Decoder, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    with(decoder, bytes, Limits::default())
}

fn with(decoder: &Decoder, bytes: &[u8], limits: Limits) -> Result<Decoded, DecodeError> {
    let (schemas, aliases) = (Schemas::default(), Aliases::default());
    decode(decoder, bytes, &Context { topic: "a", schemas: &schemas, aliases: &aliases, limits })
}

/// Bytes of hex digits.
fn bytes(digits: &str) -> Vec<u8> {
    super::encode::encode(super::encode::Form::Hex, digits).unwrap()
}

/// What a path leads to: its value.
fn at<'a>(decoded: &'a Decoded, path: &str) -> &'a str {
    match super::path::find(&decoded.root, path) {
        Some(node) => &node.value,
        None => panic!("no {path} in\n{}", decoded.text),
    }
}

/// What a path leads to: its note.
fn note<'a>(decoded: &'a Decoded, path: &str) -> &'a str {
    super::path::find(&decoded.root, path).and_then(|node| node.note.as_deref()).unwrap_or_default()
}

/// The tree holds what it says: no more nodes than shown, no deeper than allowed, ranges inside their parents'.
fn sound(decoded: &Decoded, limits: &Limits, length: usize) {
    let (mut count, mut left) = (0, vec![(1, &decoded.root)]);
    while let Some((depth, node)) = left.pop() {
        count += 1;
        assert!(depth <= limits.depth.max(1) + 1, "depth {depth}");
        if let Some(range) = node.range {
            assert!(range.start < range.end && range.end <= length as u64, "{range:?} of {length} in {}", node.name);
        }
        left.extend(node.children.iter().map(|child| (depth + 1, child)));
    }
    assert_eq!(count, decoded.shown);
    assert!(decoded.shown <= decoded.total && decoded.shown <= limits.nodes.max(1));
    assert!(decoded.text.len() <= limits.text + 3 * limits.value + 1000);
    assert_eq!(decoded.shown < decoded.total, decoded.notes.iter().any(|note| note.ends_with("nodes.")));
}

/// All nodes of a tree.
fn all(root: &Node) -> Vec<&Node> {
    let (mut out, mut left) = (vec![], vec![root]);
    while let Some(node) = left.pop() {
        out.push(node);
        left.extend(&node.children);
    }
    out
}
