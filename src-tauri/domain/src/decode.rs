//! Payload decoders: bytes in, a tree of nodes and a text out, or one sentence that says where it fails.
//!
//! Every decoder answers any bytes with a value or an error, in time and memory bounded by [`Limits`] and the payload's
//! length; what was left out is said in [`Decoded::notes`]. Which decoder runs for a topic is [`binding`]'s to choose.
//! This module knows nothing of events, of the page, or of where schemas and bindings are kept.

mod base64;
pub mod binding;
mod cbor;
pub mod diff;
pub mod encode;
mod hex;
mod json;
mod msgpack;
mod nest;
pub mod path;
mod protobuf;
pub mod schema;
pub mod sparkplug;
mod tagotip;
#[cfg(test)]
mod tests;
mod text;
pub mod tree;
mod unpack;
mod wire;
mod words;

use crate::id::SchemaId;
use schema::Schemas;
use serde::{Deserialize, Serialize};
use sparkplug::Aliases;
use tree::Node;
use ts_rs::TS;

/// How many wrappers (Base64, gzip) may stand around a decoder.
pub const MAX_WRAPPERS: usize = 4;

/// One way to read a payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Decoder {
    /// RFC 8259.
    Json,
    /// UTF-8.
    Text,
    /// Offsets, bytes and ASCII.
    Hex,
    /// RFC 4648, standard or URL-safe alphabet, padded or not.
    Base64 {
        /// Reads what it unpacks to; without one, text is shown as text and all else as hex.
        inner: Option<Box<Decoder>>,
    },
    /// RFC 8949.
    Cbor,
    /// The MessagePack specification.
    MessagePack,
    /// gzip (RFC 1952) or zlib (RFC 1950).
    Gzip {
        /// Reads what it unpacks to; without one, text is shown as text and all else as hex.
        inner: Option<Box<Decoder>>,
    },
    /// Protocol Buffers.
    Protobuf {
        /// The uploaded schema.
        schema: SchemaId,
        /// Full name of the message type, as `plant.Reading`.
        message: String,
    },
    /// Sparkplug B 3.0, with the aliases that births have told.
    Sparkplug,
    /// TagoTiP push, pull and ack bodies.
    Tagotip,
}

impl Decoder {
    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Text => "text",
            Self::Hex => "hex",
            Self::Base64 { .. } => "Base64",
            Self::Cbor => "CBOR",
            Self::MessagePack => "MessagePack",
            Self::Gzip { .. } => "gzip",
            Self::Protobuf { .. } => "Protobuf",
            Self::Sparkplug => "Sparkplug B",
            Self::Tagotip => "TagoTiP",
        }
    }

    /// What reads the inside of a wrapper.
    pub fn inner(&self) -> Option<&Self> {
        match self {
            Self::Base64 { inner } | Self::Gzip { inner } => inner.as_deref(),
            _ => None,
        }
    }
}

/// How much of a payload is shown. Everything is checked and counted to its end all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes in the tree.
    pub nodes: u64,
    /// Levels in the tree; more than [`tree::MAX_DEPTH`] are not shown.
    pub depth: usize,
    /// Bytes of one name or value.
    pub value: usize,
    /// Bytes of all names and values; past it each has [`tree::SHORT`].
    pub values: usize,
    /// Bytes of [`Decoded::text`].
    pub text: usize,
    /// Bytes that a wrapper may unpack to.
    pub unpacked: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 10_000, depth: tree::MAX_DEPTH, value: 4096, values: 2 << 20, text: 2 << 20, unpacked: 16 << 20 }
    }
}

/// What a decoder may look at beside the payload.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Topic of the message; Sparkplug and TagoTiP need it.
    pub topic: &'a str,
    /// Uploaded schemas.
    pub schemas: &'a Schemas,
    /// What births have told before this message.
    pub aliases: &'a Aliases,
    /// How much is shown.
    pub limits: Limits,
}

/// A payload that could be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Decoded {
    /// What gave the tree: the innermost decoder.
    pub decoder: String,
    /// The wrappers that were opened, outermost first, in words: `gzip: 812 bytes unpacked to 10,214`.
    pub layers: Vec<String>,
    /// The tree. Byte ranges count in what the last layer unpacked to, or in the payload.
    pub root: Node,
    /// The whole as readable text.
    pub text: String,
    /// Nodes in the tree.
    pub shown: u64,
    /// Nodes in the payload.
    pub total: u64,
    /// What was cut, and what is odd: `Shown 10,000 of 52,114 nodes.`
    pub notes: Vec<String>,
}

/// Why a payload could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecodeError {
    /// The decoder that gave up.
    pub decoder: String,
    /// The wrappers that were opened before.
    pub layers: Vec<String>,
    /// Position of the mistake, from 0, in what the last layer unpacked to, or in the payload.
    pub at: Option<u64>,
    /// One sentence, with the position in words.
    pub message: String,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for layer in &self.layers {
            write!(f, "{layer}; ")?;
        }
        write!(f, "{}: {}", self.decoder, self.message)
    }
}

impl std::error::Error for DecodeError {}

/// What is wrong, before it is known which decoder says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: Option<usize>,
    message: String,
}

impl Fault {
    fn at(at: usize, message: impl std::fmt::Display) -> Self {
        Self { at: Some(at), message: format!("At byte {}: {message}.", words::count(at as u64)) }
    }

    fn all(message: impl Into<String>) -> Self {
        Self { at: None, message: message.into() }
    }
}

/// What one decoder gives.
struct Read {
    root: Node,
    text: String,
    shown: u64,
    total: u64,
    notes: Vec<String>,
}

/// Reads `payload` with `decoder`.
pub fn decode(decoder: &Decoder, payload: &[u8], context: &Context<'_>) -> Result<Decoded, DecodeError> {
    let mut layers = vec![];
    let (mut decoder, mut bytes) = (decoder.clone(), std::borrow::Cow::Borrowed(payload));
    loop {
        let name = decoder.name();
        let failed = |fault: Fault, layers: Vec<String>| DecodeError {
            decoder: name.to_owned(),
            layers,
            at: fault.at.map(|at| at as u64),
            message: fault.message,
        };
        let unpacked = match &decoder {
            Decoder::Base64 { .. } => base64::unpack(&bytes, &context.limits),
            Decoder::Gzip { .. } => unpack::unpack(&bytes, &context.limits),
            plain => {
                return match read(plain, &bytes, context) {
                    Ok(Read { root, text, shown, total, notes }) => {
                        Ok(Decoded { decoder: name.to_owned(), layers, root, text, shown, total, notes })
                    }
                    Err(fault) => Err(failed(fault, layers)),
                };
            }
        };
        let (inside, layer) = unpacked.map_err(|fault| failed(fault, layers.clone()))?;
        layers.push(layer);
        if layers.len() > MAX_WRAPPERS {
            let fault = Fault::all(format!("More than {MAX_WRAPPERS} wrappers stand around each other."));
            return Err(failed(fault, layers));
        }
        decoder = decoder.inner().cloned().unwrap_or_else(|| plain(&inside));
        bytes = std::borrow::Cow::Owned(inside);
    }
}

/// What shows bytes of which nothing is known: text that is text, else hex.
fn plain(bytes: &[u8]) -> Decoder {
    if std::str::from_utf8(bytes).is_ok() { Decoder::Text } else { Decoder::Hex }
}

fn read(decoder: &Decoder, bytes: &[u8], context: &Context<'_>) -> Result<Read, Fault> {
    let limits = &context.limits;
    match decoder {
        Decoder::Json => json::read(bytes, limits),
        Decoder::Text | Decoder::Base64 { .. } | Decoder::Gzip { .. } => Ok(text::read(bytes, limits)),
        Decoder::Hex => Ok(hex::read(bytes, limits)),
        Decoder::Cbor => cbor::read(bytes, limits),
        Decoder::MessagePack => msgpack::read(bytes, limits),
        Decoder::Protobuf { schema, message } => {
            let kind = context.schemas.message(*schema, message)?;
            protobuf::read(bytes, &kind, limits)
        }
        Decoder::Sparkplug => sparkplug::read(bytes, context),
        Decoder::Tagotip => tagotip::read(bytes, context.topic, limits),
    }
}
