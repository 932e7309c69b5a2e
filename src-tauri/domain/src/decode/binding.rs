//! Which decoder runs for a message, and why. Bindings say it; without one, only what is certain is taken: a topic that
//! a specification has given a format, text that is JSON as a whole. Nothing is tried until something fits.

use super::schema::Schemas;
use super::{Decoder, MAX_WRAPPERS, json, sparkplug, tagotip, tree};
use crate::id::{BindingId, SchemaId};
use crate::problem::{Problem, Problems};
use crate::topic;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use ts_rs::TS;

/// A saved rule: messages of these topics are read so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "DecoderBinding")]
pub struct Binding {
    /// Identity.
    pub id: BindingId,
    /// Topic filter; unique among bindings.
    pub filter: String,
    /// How payloads are read.
    pub decoder: Decoder,
}

/// What the binding form holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "DecoderBindingDraft")]
pub struct BindingDraft {
    /// `None` makes a new binding.
    pub id: Option<BindingId>,
    /// Topic filter.
    pub filter: String,
    /// Decoder.
    pub decoder: DecoderDraft,
}

/// A decoder as it is put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DecoderDraft {
    /// Which.
    pub kind: DecoderKind,
    /// Of Protobuf: the schema.
    #[serde(default)]
    pub schema: Option<SchemaId>,
    /// Of Protobuf: the message type.
    #[serde(default)]
    pub message: String,
    /// Of Base64 and gzip: what reads the inside.
    #[serde(default)]
    pub inner: Option<Box<DecoderDraft>>,
}

/// The decoders there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum DecoderKind {
    /// See [`Decoder::Json`].
    Json,
    /// See [`Decoder::Text`].
    Text,
    /// See [`Decoder::Hex`].
    Hex,
    /// See [`Decoder::Base64`].
    Base64,
    /// See [`Decoder::Cbor`].
    Cbor,
    /// See [`Decoder::MessagePack`].
    MessagePack,
    /// See [`Decoder::Gzip`].
    Gzip,
    /// See [`Decoder::Protobuf`].
    Protobuf,
    /// See [`Decoder::Sparkplug`].
    Sparkplug,
    /// See [`Decoder::Tagotip`].
    Tagotip,
}

/// Checks a binding against itself, the schemas and the other bindings.
pub fn check(
    draft: &BindingDraft,
    id: BindingId,
    others: &[Binding],
    schemas: &Schemas,
) -> Result<Binding, Vec<Problem>> {
    let mut problems = Problems::default();
    if let Err(message) = topic::check_filter(&draft.filter) {
        problems.add("filter", message);
    } else if draft.filter.starts_with("$share/") {
        problems.add("filter", "Write the filter without $share/group/: messages arrive under their topic.");
    } else if others.iter().any(|other| other.id != id && other.filter == draft.filter) {
        problems.add("filter", "Another binding has this filter already.");
    }
    let decoder = decoder(&draft.decoder, "decoder", schemas, &mut problems);
    match decoder {
        Some(decoder) => problems.finish(Binding { id, filter: draft.filter.clone(), decoder }),
        None => Err(problems.into_vec()),
    }
}

/// Checks a decoder that was chosen for one look.
pub fn check_decoder(draft: &DecoderDraft, schemas: &Schemas) -> Result<Decoder, Vec<Problem>> {
    let mut problems = Problems::default();
    match decoder(draft, "decoder", schemas, &mut problems) {
        Some(decoder) => problems.finish(decoder),
        None => Err(problems.into_vec()),
    }
}

fn decoder(draft: &DecoderDraft, field: &str, schemas: &Schemas, problems: &mut Problems) -> Option<Decoder> {
    if field.matches(".inner").count() > MAX_WRAPPERS {
        problems.add(field, format!("At most {MAX_WRAPPERS} wrappers stand around each other."));
        return None;
    }
    let inner = |problems: &mut Problems| match &draft.inner {
        Some(inner) => decoder(inner, &format!("{field}.inner"), schemas, problems).map(|inner| Some(Box::new(inner))),
        None => Some(None),
    };
    Some(match draft.kind {
        DecoderKind::Json => Decoder::Json,
        DecoderKind::Text => Decoder::Text,
        DecoderKind::Hex => Decoder::Hex,
        DecoderKind::Base64 => Decoder::Base64 { inner: inner(problems)? },
        DecoderKind::Cbor => Decoder::Cbor,
        DecoderKind::MessagePack => Decoder::MessagePack,
        DecoderKind::Gzip => Decoder::Gzip { inner: inner(problems)? },
        DecoderKind::Sparkplug => Decoder::Sparkplug,
        DecoderKind::Tagotip => Decoder::Tagotip,
        DecoderKind::Protobuf => {
            let Some(schema) = draft.schema else {
                problems.add(format!("{field}.schema"), "Choose the schema.");
                return None;
            };
            let message = draft.message.trim().to_owned();
            match schemas.get(schema) {
                None => problems.add(format!("{field}.schema"), "This schema is no longer there; choose another."),
                Some(_) if message.is_empty() => problems.add(format!("{field}.message"), "Choose the message type."),
                Some(compiled) if compiled.message(&message).is_none() => {
                    problems.add(format!("{field}.message"), format!("The schema has no message type “{message}”."));
                }
                Some(_) => {}
            }
            Decoder::Protobuf { schema, message }
        }
    })
}

/// Which decoder runs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "DecoderChoice")]
pub struct Choice {
    /// The decoder.
    pub decoder: Decoder,
    /// Why.
    pub why: Why,
    /// Why, in words: `bound to plant/+/temp`.
    pub words: String,
}

/// What made the choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[ts(rename = "DecoderReason")]
pub enum Why {
    /// A person, for this look.
    Chosen,
    /// A binding: the most specific of those that match.
    Bound {
        /// Which.
        id: BindingId,
    },
    /// No binding; a specification gives topics of this form their format.
    Topic,
    /// No binding; the payload speaks for itself.
    Payload,
    /// Only the beginning of the payload was kept, which no decoder reads as if it were whole.
    Cut,
}

/// The decoder for a message: the one that was chosen, else that of the most specific binding, else what is certain.
pub fn choose(chosen: Option<&Decoder>, bindings: &[Binding], topic: &str, payload: &[u8]) -> Choice {
    if let Some(decoder) = chosen {
        return Choice { decoder: decoder.clone(), why: Why::Chosen, words: "chosen by you".to_owned() };
    }
    if let Some(binding) = most_specific(bindings, topic) {
        let words = format!("bound to {}", binding.filter);
        return Choice { decoder: binding.decoder.clone(), why: Why::Bound { id: binding.id }, words };
    }
    let by = |why: Why, decoder: Decoder, words: &str| Choice { decoder, why, words: format!("no rule: {words}") };
    if sparkplug::is_payload(topic) {
        return by(Why::Topic, Decoder::Sparkplug, "the topic is one of Sparkplug B");
    }
    if tagotip::is_topic(topic) {
        return by(Why::Topic, Decoder::Tagotip, "the topic is one of TagoTiP");
    }
    match json::kind(payload) {
        Some(tree::Kind::Object) => by(Why::Payload, Decoder::Json, "text is a valid JSON object"),
        Some(tree::Kind::Array) => by(Why::Payload, Decoder::Json, "text is a valid JSON array"),
        Some(tree::Kind::Number) => by(Why::Payload, Decoder::Json, "text is a number"),
        _ if std::str::from_utf8(payload).is_ok() => by(Why::Payload, Decoder::Text, "shown as text"),
        _ => by(Why::Payload, Decoder::Hex, "not UTF-8, shown as hex"),
    }
}

/// The decoder for the beginning of a payload of `whole` bytes, the rest of which was not kept: unless a person chose
/// otherwise, it is shown and not decoded.
pub fn choose_for_part(chosen: Option<&Decoder>, part: &[u8], whole: usize) -> Choice {
    if let Some(decoder) = chosen {
        return Choice { decoder: decoder.clone(), why: Why::Chosen, words: "chosen by you".to_owned() };
    }
    let decoder = if std::str::from_utf8(part).is_ok() { Decoder::Text } else { Decoder::Hex };
    let words = format!("only the first {} of {whole} bytes were kept: shown, not decoded", part.len());
    Choice { decoder, why: Why::Cut, words }
}

/// The most specific of the bindings whose filter matches.
pub fn most_specific<'a>(bindings: &'a [Binding], topic: &str) -> Option<&'a Binding> {
    let matching = bindings.iter().filter(|binding| topic::matches(&binding.filter, topic));
    matching.max_by(|one, other| specificity(&one.filter, &other.filter))
}

/// Compares two filters that match a topic both; the greater is the more specific.
///
/// Level by level from the left: a name before `+`, `+` before `#`, and a filter that ends before `#`. The first
/// difference decides, so that `plant/#` is more specific than `+/+/temp`. A filter that matches everything that another
/// matches, and more, is never the more specific of the two.
pub fn specificity(one: &str, other: &str) -> Ordering {
    let rank = |level: Option<&str>| match level {
        Some("#") => 0,
        None => 1,
        Some("+") => 2,
        Some(_) => 3,
    };
    let (mut left, mut right) = (one.split('/'), other.split('/'));
    loop {
        let (one, other) = (left.next(), right.next());
        match rank(one).cmp(&rank(other)) {
            Ordering::Equal if one.is_none() => return Ordering::Equal,
            Ordering::Equal => {}
            decided => return decided,
        }
    }
}
