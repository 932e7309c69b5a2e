//! Protocol Buffers, read along the wire with a message type of a schema: in the order sent, with byte ranges, and with
//! what the schema does not know. Of a field that is left out because it has its default, the default is shown.

use super::path::quoted;
use super::tree::{Build, Key, Kind, Leaf};
use super::wire::{self, Field, Raw};
use super::{Fault, Limits, Read, words};
use prost_reflect::{FieldDescriptor, Kind as Type, MessageDescriptor, Value as Default};
use std::collections::BTreeMap;

/// Messages that may stand in each other, as the usual readers have it.
const MAX_DEPTH: usize = 100;

/// Reads one message.
pub(super) fn read(bytes: &[u8], kind: &MessageDescriptor, limits: &Limits) -> Result<Read, Fault> {
    let mut build = Build::new(limits);
    let note = Some(format!("message {}", kind.full_name()));
    build.open(&Key::Root, Kind::Object, 0, note)?;
    message(&mut build, bytes, Some(kind), 0, None, 0)?;
    build.close(bytes.len());
    build.finish(None)
}

/// Adds the fields of the message that stands at `at` and ends where `bytes` do, or with the end of `group`.
/// The answer is where it ends.
pub(super) fn message(
    build: &mut Build,
    bytes: &[u8],
    kind: Option<&MessageDescriptor>,
    mut at: usize,
    group: Option<u32>,
    depth: usize,
) -> Result<usize, Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::at(at, format!("more than {MAX_DEPTH} messages stand in each other")));
    }
    // How often each field came.
    let mut seen = BTreeMap::new();
    loop {
        if at >= bytes.len() {
            if let Some(group) = group {
                return Err(Fault::at(bytes.len(), format!("the group of field {group} has no end")));
            }
            break;
        }
        let field = wire::field(bytes, at)?;
        at = field.end;
        if let Raw::GroupEnd = field.raw {
            if group == Some(field.number) {
                break;
            }
            return Err(Fault::at(field.start, format!("a group of field {} ends that did not begin", field.number)));
        }
        let count = seen.entry(field.number).or_insert(0_u64);
        match kind.and_then(|kind| kind.get_field(field.number)) {
            Some(known) => at = one(build, bytes, &field, &known, count, depth)?,
            None => {
                let key = Key::Other(format!("{}", field.number));
                *count += 1;
                at = unknown(build, bytes, &field, &key, "not in the schema", depth)?;
            }
        }
    }
    if let Some(kind) = kind.filter(|_| build.shows()) {
        absent(build, kind, &seen);
    }
    Ok(at)
}

/// Adds one field of the schema; the answer is where it ends.
fn one(
    build: &mut Build,
    bytes: &[u8],
    field: &Field<'_>,
    known: &FieldDescriptor,
    count: &mut u64,
    depth: usize,
) -> Result<usize, Fault> {
    let kind = known.kind();
    if known.is_map()
        && let (Type::Message(entry), Raw::Bytes(_)) = (&kind, field.raw)
    {
        *count += 1;
        return pair(build, bytes, field, known, entry, depth);
    }
    let key = |count: u64| {
        if known.is_list() {
            Key::Of(known.name().to_owned(), count.to_string())
        } else {
            Key::Field(known.name().to_owned())
        }
    };
    // Numbers of a list may come packed, whatever the schema says.
    if let (true, Raw::Bytes(inside)) = (known.is_list() && numeric(&kind), field.raw) {
        let whole = &bytes[..field.end];
        let mut at = field.from;
        while at < field.from + inside.len() {
            let (raw, end) = packed(whole, at, &kind)?;
            let Some(leaf) = scalar(&kind, raw) else { break };
            build.leaf(&key(*count), at, end, |_| leaf);
            *count += 1;
            at = end;
        }
        return Ok(field.end);
    }
    let key = key(*count);
    *count += 1;
    value(build, bytes, field, &key, &kind, None, depth)
}

/// Adds a value of a type; the answer is where it ends.
fn value(
    build: &mut Build,
    bytes: &[u8],
    field: &Field<'_>,
    key: &Key,
    kind: &Type,
    note: Option<String>,
    depth: usize,
) -> Result<usize, Fault> {
    match (kind, field.raw) {
        (Type::Message(kind), Raw::Bytes(_)) => {
            build.open(key, Kind::Object, field.start, note)?;
            message(build, &bytes[..field.end], Some(kind), field.from, None, depth + 1)?;
            build.close(field.end);
            Ok(field.end)
        }
        (Type::Message(kind), Raw::GroupStart) => {
            build.open(key, Kind::Object, field.start, note)?;
            let end = message(build, bytes, Some(kind), field.from, Some(field.number), depth + 1)?;
            build.close(end);
            Ok(end)
        }
        (Type::String, Raw::Bytes(inside)) => {
            build.leaf(key, field.start, field.end, |room| match std::str::from_utf8(inside) {
                Ok(text) => Leaf::new(Kind::Text, words::clip(text, room)).noted(note),
                Err(_) => Leaf::bytes(inside, room).noted(Some("a string that is not UTF-8".to_owned())),
            });
            Ok(field.end)
        }
        (Type::Bytes, Raw::Bytes(inside)) => {
            build.leaf(key, field.start, field.end, |room| Leaf::bytes(inside, room).noted(note));
            Ok(field.end)
        }
        (kind, raw) => match scalar(kind, raw) {
            Some(leaf) => {
                build.leaf(key, field.start, field.end, |_| leaf.noted(note));
                Ok(field.end)
            }
            None => {
                let note = format!("the schema says {kind:?}, on the wire are {}", field.raw.words());
                unknown(build, bytes, field, key, &note, depth)
            }
        },
    }
}

/// Adds an entry of a map: a message of a key and a value, either of which may be left out.
fn pair(
    build: &mut Build,
    bytes: &[u8],
    field: &Field<'_>,
    known: &FieldDescriptor,
    entry: &MessageDescriptor,
    depth: usize,
) -> Result<usize, Fault> {
    let whole = &bytes[..field.end];
    let (key_type, value_type) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let (mut which, mut last, mut at) = (None, None, field.from);
    while at < field.end {
        let inner = wire::field(whole, at)?;
        at = inner.end;
        match (inner.number, inner.raw) {
            (1, Raw::Bytes(text)) => which = Some(quoted(&String::from_utf8_lossy(text))),
            (1, raw) => which = scalar(&key_type, raw).map(|leaf| leaf.value),
            (2, _) => last = Some(inner),
            _ => {}
        }
    }
    let which = which.unwrap_or_else(|| match key_type {
        Type::String => "\"\"".to_owned(),
        other => default(&other.default_value()).value,
    });
    let key = Key::Of(known.name().to_owned(), which);
    match last {
        Some(inner) => {
            value(build, whole, &inner, &key, &value_type, None, depth)?;
        }
        None => build.leaf(&key, field.start, field.end, |_| default(&value_type.default_value())),
    }
    Ok(field.end)
}

/// Adds a field of which the wire alone speaks; the answer is where it ends.
fn unknown(
    build: &mut Build,
    bytes: &[u8],
    field: &Field<'_>,
    key: &Key,
    note: &str,
    depth: usize,
) -> Result<usize, Fault> {
    if let Raw::GroupStart = field.raw {
        build.open(key, Kind::Object, field.start, Some(format!("a group, {note}")))?;
        let end = message(build, bytes, None, field.from, Some(field.number), depth + 1)?;
        build.close(end);
        return Ok(end);
    }
    build.leaf(key, field.start, field.end, |room| {
        let leaf = match field.raw {
            Raw::Varint(number) => Leaf::new(Kind::Other, number.to_string()),
            Raw::Fixed32(number) => Leaf::new(Kind::Other, format!("0x{number:08x}")),
            Raw::Fixed64(number) => Leaf::new(Kind::Other, format!("0x{number:016x}")),
            Raw::Bytes(inside) => Leaf::bytes(inside, room),
            Raw::GroupStart | Raw::GroupEnd => Leaf::new(Kind::Other, "group"),
        };
        leaf.noted(Some(note.to_owned()))
    });
    Ok(field.end)
}

/// Adds the defaults of fields that have one and did not come, and says what is required and missing.
fn absent(build: &mut Build, kind: &MessageDescriptor, seen: &BTreeMap<u32, u64>) {
    for field in kind.fields().filter(|field| !seen.contains_key(&field.number())) {
        if field.is_required() {
            build.note_open(&format!("the required field {} is missing", field.name()));
        }
        if !build.shows() {
            return;
        }
        if !field.supports_presence() && !field.is_list() && !field.is_map() {
            let leaf = match field.kind() {
                Type::Enum(kind) => named(&kind, kind.default_value().number()),
                other => default(&other.default_value()),
            };
            let leaf = leaf.noted(Some("default, not sent".to_owned()));
            build.leaf(&Key::Field(field.name().to_owned()), 0, 0, |_| leaf);
        }
    }
}

fn default(value: &Default) -> Leaf {
    match value {
        Default::Bool(value) => Leaf::new(Kind::Bool, value.to_string()),
        Default::I32(value) => integer((*value).into()),
        Default::I64(value) => integer((*value).into()),
        Default::U32(value) => integer((*value).into()),
        Default::U64(value) => integer((*value).into()),
        Default::F32(value) => float(f64::from(*value)),
        Default::F64(value) => float(*value),
        Default::String(text) => Leaf::new(Kind::Text, text.as_str()),
        Default::Bytes(_) => Leaf::new(Kind::Bytes, ""),
        Default::EnumNumber(number) => integer((*number).into()),
        Default::Message(_) | Default::List(_) | Default::Map(_) => Leaf::new(Kind::Object, "0 fields"),
    }
}

fn integer(number: i128) -> Leaf {
    Leaf::number(number.to_string(), number as f64)
}

fn float(number: f64) -> Leaf {
    Leaf::number(words::float(number), number)
}

/// A value of an enumeration: its name, and its number for charts.
fn named(kind: &prost_reflect::EnumDescriptor, number: i32) -> Leaf {
    match kind.get_value(number) {
        Some(value) => Leaf { number: Some(number.into()), ..Leaf::new(Kind::Other, value.name()) }
            .noted(Some(format!("{number} of {}", kind.name()))),
        None => integer(number.into()).noted(Some(format!("no value of {}", kind.name()))),
    }
}

fn numeric(kind: &Type) -> bool {
    !matches!(kind, Type::Message(_) | Type::String | Type::Bytes)
}

/// One number of a packed list.
fn packed<'a>(bytes: &'a [u8], at: usize, kind: &Type) -> Result<(Raw<'a>, usize), Fault> {
    let fixed = |count: u64| -> Result<u64, Fault> {
        let digits = wire_bytes(bytes, at, count)?;
        Ok(digits.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    Ok(match kind {
        // Four bytes fit.
        Type::Fixed32 | Type::Sfixed32 | Type::Float => (Raw::Fixed32(fixed(4)? as u32), at + 4),
        Type::Fixed64 | Type::Sfixed64 | Type::Double => (Raw::Fixed64(fixed(8)?), at + 8),
        _ => {
            let (number, end) = wire::varint(bytes, at)?;
            (Raw::Varint(number), end)
        }
    })
}

fn wire_bytes(bytes: &[u8], at: usize, count: u64) -> Result<&[u8], Fault> {
    super::nest::take(bytes, at, at, count)
}

/// A number of a type, or nothing where the wire has another type. Longer varints are cut, as the specification has it.
fn scalar(kind: &Type, raw: Raw<'_>) -> Option<Leaf> {
    let zigzag = |number: u64| (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
    Some(match (kind, raw) {
        (Type::Double, Raw::Fixed64(bits)) => float(f64::from_bits(bits)),
        (Type::Float, Raw::Fixed32(bits)) => {
            let (written, number) = words::single(f32::from_bits(bits));
            Leaf::number(written, number)
        }
        (Type::Int32, Raw::Varint(number)) => integer((number as i32).into()),
        (Type::Int64, Raw::Varint(number)) => integer(number.cast_signed().into()),
        (Type::Uint32, Raw::Varint(number)) => integer((number as u32).into()),
        (Type::Uint64, Raw::Varint(number)) => integer(number.into()),
        (Type::Sint32, Raw::Varint(number)) => integer(zigzag((number as u32).into()).into()),
        (Type::Sint64, Raw::Varint(number)) => integer(zigzag(number).into()),
        (Type::Fixed32, Raw::Fixed32(number)) => integer(number.into()),
        (Type::Sfixed32, Raw::Fixed32(number)) => integer(number.cast_signed().into()),
        (Type::Fixed64, Raw::Fixed64(number)) => integer(number.into()),
        (Type::Sfixed64, Raw::Fixed64(number)) => integer(number.cast_signed().into()),
        (Type::Bool, Raw::Varint(number)) => Leaf::new(Kind::Bool, (number != 0).to_string()),
        (Type::Enum(kind), Raw::Varint(number)) => named(kind, number as i32),
        _ => return None,
    })
}
