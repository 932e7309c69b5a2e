//! One metric: its name (its own, or the one behind its alias), its value read by its type.

use super::{Aliases, Place, nested, timestamp};
use crate::decode::tree::{Build, Key, Kind, Leaf};
use crate::decode::wire::{self, Field, Raw};
use crate::decode::{Fault, protobuf, words};

/// What a metric says beside its value.
#[derive(Default)]
struct Metric<'a> {
    name: Option<&'a str>,
    alias: Option<u64>,
    timestamp: Option<u64>,
    datatype: Option<u32>,
    flags: Vec<&'static str>,
    null: bool,
    value: Option<(u32, Raw<'a>)>,
    /// Metadata, properties, data set, template: name, message type, from, end.
    nested: Vec<(&'static str, &'static str, usize, usize)>,
}

/// Adds the metric that a field of the payload holds.
pub(super) fn add(
    build: &mut Build,
    bytes: &[u8],
    field: &Field<'_>,
    place: Option<&Place<'_>>,
    aliases: &Aliases,
) -> Result<(), Fault> {
    let metric = parse(&bytes[..field.end], field.from)?;
    let born = match (metric.name, metric.alias, place) {
        (Some(name), _, Some(place)) => aliases.by_name(place, name),
        (None, Some(alias), Some(place)) => aliases.by_alias(place, alias),
        _ => None,
    };
    let key = match (metric.name, born, metric.alias) {
        (Some(name), _, _) => Key::Field(name.to_owned()),
        (None, Some(born), _) => Key::Field(born.name.clone()),
        (None, None, Some(alias)) => Key::Other(format!("alias {alias}")),
        (None, None, None) => Key::Other("no name".to_owned()),
    };
    let datatype = metric.datatype.or(born.and_then(|born| born.datatype));
    let unknown = metric.name.is_none() && born.is_none();
    let said = note(&metric, datatype, unknown);
    build.open_value(&key, field.start, |room| value(&metric, datatype, room).noted(said))?;
    for (name, kind, from, end) in metric.nested {
        build.open(&Key::Field(name.to_owned()), Kind::Object, from, None)?;
        protobuf::message(build, &bytes[..end], nested(kind).as_ref(), from, None, 1)?;
        build.close(end);
    }
    build.close(field.end);
    Ok(())
}

fn parse(bytes: &[u8], mut at: usize) -> Result<Metric<'_>, Fault> {
    let mut metric = Metric::default();
    while at < bytes.len() {
        let field = wire::field(bytes, at)?;
        at = field.end;
        match (field.number, field.raw) {
            (1, Raw::Bytes(name)) => {
                let name = std::str::from_utf8(name);
                metric.name = Some(name.map_err(|_| Fault::at(field.start, "the name of this metric is not UTF-8"))?);
            }
            (2, Raw::Varint(alias)) => metric.alias = Some(alias),
            (3, Raw::Varint(time)) => metric.timestamp = Some(time),
            (4, Raw::Varint(datatype)) => metric.datatype = u32::try_from(datatype).ok(),
            (5, Raw::Varint(1..)) => metric.flags.push("historical"),
            (6, Raw::Varint(1..)) => metric.flags.push("transient"),
            (7, Raw::Varint(1..)) => metric.null = true,
            (8, Raw::Bytes(_)) => metric.nested.push(("metadata", "MetaData", field.from, field.end)),
            (9, Raw::Bytes(_)) => metric.nested.push(("properties", "PropertySet", field.from, field.end)),
            (17, Raw::Bytes(_)) => metric.nested.push(("dataset", "DataSet", field.from, field.end)),
            (18, Raw::Bytes(_)) => metric.nested.push(("template", "Template", field.from, field.end)),
            (10..=16, raw) => metric.value = Some((field.number, raw)),
            (_, Raw::GroupStart | Raw::GroupEnd) => {
                return Err(Fault::at(field.start, "a group stands here, and Sparkplug B has none"));
            }
            _ => {}
        }
    }
    Ok(metric)
}

fn note(metric: &Metric<'_>, datatype: Option<u32>, unknown: bool) -> Option<String> {
    let mut parts: Vec<String> = vec![];
    parts.extend(datatype.map(|datatype| type_name(datatype).map_or(format!("type {datatype}"), str::to_owned)));
    parts.extend(metric.alias.map(|alias| format!("alias {alias}")));
    parts.extend(metric.timestamp.and_then(|time| timestamp(time).note));
    parts.extend(metric.flags.iter().map(|flag| (*flag).to_owned()));
    if unknown {
        parts.push("no birth that was seen tells the name of this alias".to_owned());
    }
    Some(parts.join(", ")).filter(|note| !note.is_empty())
}

/// Names of data types (specification 3.0, section 6.4.16), from 1.
const TYPES: [&str; 34] = [
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float",
    "Double",
    "Boolean",
    "String",
    "DateTime",
    "Text",
    "UUID",
    "DataSet",
    "Bytes",
    "File",
    "Template",
    "PropertySet",
    "PropertySetList",
    "Int8Array",
    "Int16Array",
    "Int32Array",
    "Int64Array",
    "UInt8Array",
    "UInt16Array",
    "UInt32Array",
    "UInt64Array",
    "FloatArray",
    "DoubleArray",
    "BooleanArray",
    "StringArray",
    "DateTimeArray",
];

fn type_name(datatype: u32) -> Option<&'static str> {
    usize::try_from(datatype).ok()?.checked_sub(1).and_then(|at| TYPES.get(at)).copied()
}

fn value(metric: &Metric<'_>, datatype: Option<u32>, room: usize) -> Leaf {
    let integer = |number: i128| Leaf::number(number.to_string(), number as f64);
    if metric.null {
        return Leaf::new(Kind::Null, "null");
    }
    match metric.value {
        // Signed types come as two's complement in an unsigned field.
        Some((10, Raw::Varint(number))) => integer(match datatype {
            Some(1) => (number as i8).into(),
            Some(2) => (number as i16).into(),
            Some(3) => (number as i32).into(),
            _ => number.into(),
        }),
        Some((11, Raw::Varint(time))) if datatype == Some(13) => timestamp(time),
        Some((11, Raw::Varint(number))) if datatype == Some(4) => integer(number.cast_signed().into()),
        Some((11, Raw::Varint(number))) => integer(number.into()),
        Some((12, Raw::Fixed32(bits))) => {
            let (written, number) = words::single(f32::from_bits(bits));
            Leaf::number(written, number)
        }
        Some((13, Raw::Fixed64(bits))) => Leaf::number(words::float(f64::from_bits(bits)), f64::from_bits(bits)),
        Some((14, Raw::Varint(number))) => Leaf::new(Kind::Bool, (number != 0).to_string()),
        Some((15, Raw::Bytes(text))) => Leaf::new(Kind::Text, words::clip(&String::from_utf8_lossy(text), room)),
        Some((16, Raw::Bytes(bytes))) => array(bytes, datatype).map_or_else(
            || Leaf::bytes(bytes, room),
            |items| Leaf::new(Kind::Other, words::clip(&format!("[{}]", items.join(", ")), room)),
        ),
        Some((_, raw)) => Leaf::new(Kind::Other, raw.words()).noted(Some("of another type than told".to_owned())),
        None if metric.nested.iter().any(|(name, ..)| matches!(*name, "dataset" | "template")) => {
            Leaf::new(Kind::Object, "")
        }
        None => Leaf::new(Kind::Null, "no value"),
    }
}

/// Items of an array of numbers: little-endian, one after the other. Of other arrays the bytes are shown.
fn array(bytes: &[u8], datatype: Option<u32>) -> Option<Vec<String>> {
    let width = match datatype? {
        22 | 26 => 1,
        23 | 27 => 2,
        24 | 28 | 30 => 4,
        25 | 29 | 31 | 34 => 8,
        _ => return None,
    };
    if !bytes.len().is_multiple_of(width) {
        return None;
    }
    let item = |digits: &[u8]| {
        let number = digits.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        match datatype {
            Some(22) => (number as i8).to_string(),
            Some(23) => (number as i16).to_string(),
            Some(24) => (number as i32).to_string(),
            Some(25) => number.cast_signed().to_string(),
            Some(30) => words::single(f32::from_bits(number as u32)).0,
            Some(31) => words::float(f64::from_bits(number)),
            _ => number.to_string(),
        }
    };
    Some(bytes.chunks(width).map(item).collect())
}
