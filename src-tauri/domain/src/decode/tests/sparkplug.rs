//! Sparkplug B: births, data by alias, every kind of value.

use super::super::path;
use super::*;

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = vec![];
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field) << 3), varint(value)].concat()
}

fn part(field: u32, inside: &[u8]) -> Vec<u8> {
    [varint(u64::from(field) << 3 | 2), varint(inside.len() as u64), inside.to_vec()].concat()
}

fn single(field: u32, value: f32) -> Vec<u8> {
    [varint(u64::from(field) << 3 | 5), value.to_le_bytes().to_vec()].concat()
}

/// A metric of a birth.
fn born(name: &str, alias: u64, datatype: u64, value: Vec<u8>) -> Vec<u8> {
    part(2, &[part(1, name.as_bytes()), number(2, alias), number(4, datatype), value].concat())
}

/// A metric of data: alias and value.
fn data(alias: u64, value: Vec<u8>) -> Vec<u8> {
    part(2, &[number(2, alias), number(3, 1_486_144_502_122), value].concat())
}

fn read(aliases: &Aliases, topic: &str, payload: &[u8]) -> Result<Decoded, DecodeError> {
    let schemas = Schemas::default();
    decode(&Decoder::Sparkplug, payload, &Context { topic, schemas: &schemas, aliases, limits: Limits::default() })
}

#[test]
fn data_has_the_names_and_types_of_the_births_before() {
    let mut aliases = Aliases::default();
    let birth = [
        number(1, 1_486_144_502_122),
        born("Node Control/Rebirth", 1, 11, number(14, 0)),
        born("Temp", 2, 9, single(12, 20.5)),
        number(3, 0),
    ]
    .concat();
    aliases.learn("spBv1.0/G/NBIRTH/E", &birth);
    aliases.learn("spBv1.0/G/DBIRTH/E/D", &born("Level", 3, 3, number(10, u64::from(u32::MAX))));
    assert_eq!(aliases.edge_nodes(), 1);
    let data = "spBv1.0/G/DDATA/E/D";
    for (birth, wanted) in [
        ("spBv1.0/G/NBIRTH/E", true),
        ("spBv1.0/G/DBIRTH/E/Other", true),
        ("spBv1.0/G/NBIRTH/Other", false),
        ("spBv1.0/Other/NBIRTH/E", false),
        (data, false),
        ("plant/E", false),
    ] {
        assert_eq!(super::super::sparkplug::tells(birth, data), wanted, "{birth}");
    }
    let decoded = read(&aliases, "spBv1.0/G/NBIRTH/E", &birth).unwrap();
    sound(&decoded, &Limits::default(), birth.len());
    assert_eq!(at(&decoded, "$.timestamp"), "1486144502122");
    assert_eq!(note(&decoded, "$.timestamp"), "2017-02-03T17:55:02.122Z");
    assert_eq!(note(&decoded, "$"), "NBIRTH: birth of an edge node");
    assert_eq!(at(&decoded, "$.metrics[\"Node Control/Rebirth\"]"), "false");
    assert_eq!(path::number(&decoded.root, "$.metrics.Temp"), Some(20.5));
    assert_eq!((at(&decoded, "$.seq"), note(&decoded, "$.metrics.Temp")), ("0", "Float, alias 2"));

    let temp = self::data(2, single(12, 21.1));
    let decoded = read(&aliases, "spBv1.0/G/NDATA/E", &temp).unwrap();
    assert_eq!(path::number(&decoded.root, "$.metrics.Temp"), Some(21.1));
    assert_eq!(note(&decoded, "$.metrics.Temp"), "Float, alias 2, 2017-02-03T17:55:02.122Z");
    let level = read(&aliases, data, &self::data(3, number(10, 0xffff_fffb))).unwrap();
    assert_eq!(at(&level, "$.metrics.Level"), "-5");
    // A name without a type: the birth has told it.
    let named = part(2, &[part(1, b"Level"), number(10, 0xffff_fffb)].concat());
    assert_eq!(at(&read(&aliases, "spBv1.0/G/DDATA/E/D", &named).unwrap(), "$.metrics.Level"), "-5");
    assert_eq!(at(&read(&aliases, "spBv1.0/G/DDATA/E/Other", &named).unwrap(), "$.metrics.Level"), "4294967291");
}

#[test]
fn an_alias_that_no_birth_told_is_shown_as_such() {
    let mut aliases = Aliases::default();
    let payload = data(7, number(10, 5));
    for topic in ["spBv1.0/G/NDATA/E", "plant/x"] {
        let decoded = read(&aliases, topic, &payload).unwrap();
        assert_eq!(at(&decoded, "$.metrics{alias 7}"), "5");
        assert!(note(&decoded, "$.metrics{alias 7}").ends_with("no birth that was seen tells the name of this alias"));
    }
    assert_eq!(read(&aliases, "plant/x", &payload).unwrap().notes.len(), 1);
    // Of another edge node, of one that was born anew without it, of one whose birth cannot be read.
    aliases.learn("spBv1.0/G/NBIRTH/Other", &born("X", 7, 3, vec![]));
    assert!(read(&aliases, "spBv1.0/G/NDATA/E", &payload).unwrap().text.contains("alias 7:"));
    aliases.learn("spBv1.0/G/NBIRTH/E", &born("X", 7, 3, vec![]));
    aliases.learn("spBv1.0/G/DBIRTH/E/D", &born("Y", 8, 3, vec![]));
    aliases.learn("spBv1.0/G/NBIRTH/E", b"\xff");
    assert_eq!(at(&read(&aliases, "spBv1.0/G/NDATA/E", &payload).unwrap(), "$.metrics.X"), "5");
    assert_eq!(at(&read(&aliases, "spBv1.0/G/DDATA/E/D", &data(8, number(10, 1))).unwrap(), "$.metrics.Y"), "1");
    aliases.learn("spBv1.0/G/DBIRTH/E/D", &born("Z", 9, 3, vec![]));
    assert!(read(&aliases, "spBv1.0/G/DDATA/E/D", &data(8, number(10, 1))).unwrap().text.contains("alias 8:"));
    aliases.learn("spBv1.0/G/NBIRTH/E", &born("X", 6, 3, vec![]));
    assert!(read(&aliases, "spBv1.0/G/NDATA/E", &payload).unwrap().text.contains("alias 7:"));
    assert!(read(&aliases, "spBv1.0/G/DDATA/E/D", &data(9, number(10, 1))).unwrap().text.contains("alias 9:"));
}

#[test]
fn every_kind_of_value_is_read() {
    let aliases = Aliases::default();
    let dataset = part(17, &[number(1, 1), part(2, b"col"), number(3, 3), part(4, &part(1, &number(1, 5)))].concat());
    let properties = part(9, &[part(1, b"unit"), part(2, &[number(1, 12), part(8, b"C")].concat())].concat());
    let double = [varint(13 << 3 | 1), (-1.5_f64).to_le_bytes().to_vec()].concat();
    let payload = [
        born("i8", 1, 1, number(10, 0xff)),
        born("i64", 2, 4, number(11, u64::MAX)),
        born("u64", 3, 8, number(11, u64::MAX)),
        born("time", 4, 13, number(11, 0)),
        born("double", 5, 10, [double, properties].concat()),
        born("text", 6, 12, part(15, "ä".as_bytes())),
        born("null", 7, 3, number(7, 1)),
        born("bytes", 8, 17, part(16, &[1, 2])),
        born("array", 9, 23, part(16, &[0xff, 0xff, 1, 0])),
        born("set", 10, 16, dataset),
        born("odd", 11, 3, part(10, b"x")),
        born("file", 12, 18, [part(16, b"f"), part(8, &part(5, b"a.txt"))].concat()),
        number(9, 1),
    ]
    .concat();
    let decoded = read(&aliases, "spBv1.0/G/NBIRTH/E", &payload).unwrap();
    sound(&decoded, &Limits::default(), payload.len());
    let wanted = [
        ("i8", "-1"),
        ("i64", "-1"),
        ("u64", "18446744073709551615"),
        ("time", "0"),
        ("double", "-1.5"),
        ("double.properties.values[0].string_value", "C"),
        ("double.properties.keys[0]", "unit"),
        ("text", "ä"),
        ("null", "null"),
        ("bytes", "0102"),
        ("array", "[-1, 1]"),
        ("set", "1 field"),
        ("set.dataset.rows[0].elements[0].int_value", "5"),
        ("odd", "bytes with a length"),
        ("file.metadata.file_name", "a.txt"),
    ];
    for (path, value) in wanted {
        assert_eq!(at(&decoded, &format!("$.metrics.{path}")), value, "{path}");
    }
    assert_eq!(note(&decoded, "${9}"), "not of Sparkplug B");
    assert_eq!(read(&aliases, "spBv1.0/STATE/h", b"{\"online\":true}").unwrap().text, "{\n  \"online\": true\n}");
    let error = read(&aliases, "spBv1.0/G/NDATA/E", &part(2, b"\x0a\x05a")).unwrap_err();
    assert_eq!(error.message, "At byte 2: this value has 5 bytes, and 1 are left.");
}

#[test]
fn what_is_kept_is_bounded() {
    let mut aliases = Aliases::default();
    let metrics: Vec<u8> = (0..60_000).flat_map(|at| born(&format!("m{at}"), at, 3, vec![])).collect();
    for node in ["A", "B", "C", "D"] {
        aliases.learn(&format!("spBv1.0/G/NBIRTH/{node}"), &metrics);
    }
    assert_eq!(aliases.edge_nodes(), 3);
    assert!(read(&aliases, "spBv1.0/G/NDATA/A", &data(1, number(10, 1))).unwrap().text.contains("alias 1:"));
    assert_eq!(at(&read(&aliases, "spBv1.0/G/NDATA/D", &data(1, number(10, 1))).unwrap(), "$.metrics.m1"), "1");
}
