//! Sparkplug B (specification 3.0, chapter 6): payloads with metrics by name, value and type in words.
//! Data messages give a metric's alias only; its name and type stand in the birth before (see [`Aliases`]).

mod aliases;
mod metric;
mod topic;

pub use aliases::Aliases;
pub use topic::{Place, Role};

use super::schema::{self, ProtoFile, Source};
use super::tree::{Build, Key, Kind, Leaf};
use super::wire::{self, Raw};
use super::{Context, Fault, Read, words};
use prost_reflect::MessageDescriptor;
use std::sync::OnceLock;

/// What is nested in a metric, for the Protobuf decoder; fields of a metric itself are read here.
const NESTED: &str = include_str!("sparkplug/nested.proto");

/// A message type of [`NESTED`].
fn nested(name: &str) -> Option<MessageDescriptor> {
    static COMPILED: OnceLock<Option<schema::Compiled>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        let file = ProtoFile { name: "nested.proto".to_owned(), text: NESTED.to_owned() };
        schema::compile(&Source::Proto { files: vec![file] }).ok()
    });
    compiled.as_ref()?.message(name)
}

/// Reads one payload. A STATE message is JSON and no Sparkplug payload.
pub(super) fn read(bytes: &[u8], context: &Context<'_>) -> Result<Read, Fault> {
    let place = topic::parse(context.topic);
    if place.as_ref().is_some_and(|place| place.role == Role::State) {
        return super::json::read(bytes, &context.limits);
    }
    let mut build = Build::new(&context.limits);
    if place.is_none() {
        build.note("The topic is none of Sparkplug B (spBv1.0/group/TYPE/node/device), so aliases have no names.");
    }
    let said = place.as_ref().map(|place| place.role.words().to_owned());
    build.open(&Key::Root, Kind::Object, 0, said)?;
    let (mut at, mut metrics) = (0, false);
    // Everything but the metrics first: a tree has its metrics in one place.
    while at < bytes.len() {
        let field = wire::field(bytes, at)?;
        let named = match (field.number, field.raw) {
            (1, Raw::Varint(time)) => Some(("timestamp", timestamp(time))),
            (3, Raw::Varint(number)) => Some(("seq", Leaf::number(number.to_string(), number as f64))),
            (4, Raw::Bytes(text)) => Some(("uuid", Leaf::new(Kind::Text, String::from_utf8_lossy(text)))),
            (5, Raw::Bytes(body)) => Some(("body", Leaf::bytes(body, build.room()))),
            (2, Raw::Bytes(_)) => {
                metrics = true;
                None
            }
            (_, Raw::GroupStart | Raw::GroupEnd) => {
                return Err(Fault::at(field.start, "a group stands here, and Sparkplug B has none"));
            }
            (number, raw) => {
                let leaf = Leaf::new(Kind::Other, raw.words()).noted(Some("not of Sparkplug B".to_owned()));
                build.leaf(&Key::Other(number.to_string()), field.start, field.end, |_| leaf);
                None
            }
        };
        if let Some((name, leaf)) = named {
            build.leaf(&Key::Field(name.to_owned()), field.start, field.end, |_| leaf);
        }
        at = field.end;
    }
    if metrics {
        build.open(&Key::Field("metrics".to_owned()), Kind::Object, 0, None)?;
        at = 0;
        while at < bytes.len() {
            let field = wire::field(bytes, at)?;
            if let (2, Raw::Bytes(_)) = (field.number, field.raw) {
                metric::add(&mut build, bytes, &field, place.as_ref(), context.aliases)?;
            }
            at = field.end;
        }
        build.close(bytes.len());
    }
    build.close(bytes.len());
    build.finish(None)
}

/// Milliseconds since 1970, as number and date.
fn timestamp(time: u64) -> Leaf {
    Leaf::number(time.to_string(), time as f64).noted(words::utc(time))
}

/// Whether a topic is one of Sparkplug B whose payloads are of its format.
pub(super) fn is_payload(topic: &str) -> bool {
    topic::parse(topic).is_some_and(|place| place.role != Role::State)
}

/// Whether a message on `birth` tells aliases for a message on `topic`: a birth of the same edge node or a device of it.
pub fn tells(birth: &str, topic: &str) -> bool {
    // Most topics are told apart by their beginning.
    birth.starts_with("spBv1.0/")
        && match (topic::parse(birth), topic::parse(topic)) {
            (Some(birth), Some(place)) => {
                matches!(birth.role, Role::NodeBirth | Role::DeviceBirth)
                    && (birth.group, birth.node) == (place.group, place.node)
            }
            _ => false,
        }
}
