//! Protocol Buffers: the examples of its encoding page, another writer's messages, mistakes in schemas.

use super::super::encode::{Form, show};
use super::super::path;
use super::super::schema::{ProtoFile, SchemaDraft, Source, check, compile};
use super::*;
use crate::id::SchemaId;
use proptest::prelude::*;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MapKey, Value};
use std::collections::HashMap;
use uuid::Uuid;

const ID: SchemaId = SchemaId(Uuid::from_u128(7));

const PROTO: &str = r#"
syntax = "proto3";
package plant;
import "unit.proto";

message Reading {
  int32 a = 1;
  string name = 2;
  Reading child = 3;
  repeated int32 packed = 4;
  repeated string tags = 5;
  map<string, double> by_name = 6;
  map<int32, Reading> by_number = 7;
  Unit unit = 8;
  sint64 zigzag = 9;
  fixed32 four = 10;
  sfixed64 eight = 11;
  float single = 12;
  double double = 13;
  bool on = 14;
  bytes raw = 15;
  optional uint64 big = 16;
}
"#;

const UNIT: &str = "syntax = \"proto3\";\npackage plant;\nenum Unit { CELSIUS = 0; KELVIN = 1; }\n";

fn files() -> Source {
    let file = |name: &str, text: &str| ProtoFile { name: name.to_owned(), text: text.to_owned() };
    Source::Proto { files: vec![file("reading.proto", PROTO), file("unit.proto", UNIT)] }
}

fn read_as(source: &Source, message: &str, payload: &[u8]) -> Result<Decoded, DecodeError> {
    let mut schemas = Schemas::default();
    schemas.insert(ID, compile(source).unwrap());
    let decoder = Decoder::Protobuf { schema: ID, message: message.to_owned() };
    let aliases = Aliases::default();
    decode(&decoder, payload, &Context { topic: "a", schemas: &schemas, aliases: &aliases, limits: Limits::default() })
}

fn read(digits: &str) -> Result<Decoded, DecodeError> {
    read_as(&files(), "plant.Reading", &bytes(digits))
}

/// The same schema by another way: a descriptor set, which another reader takes too.
fn pool() -> DescriptorPool {
    let Source::Proto { files } = files() else { unreachable!() };
    let mut pool = DescriptorPool::new();
    for file in files.iter().rev() {
        let file = protox::file::File::from_source(&file.name, &file.text).unwrap();
        pool.add_file_descriptor_proto(file.file_descriptor_proto().clone()).unwrap();
    }
    pool
}

#[test]
fn the_examples_of_the_encoding_page_are_read() {
    // protobuf.dev/programming-guides/encoding: 150, "testing", a message inside, a packed list.
    assert_eq!(at(&read("089601").unwrap(), "$.a"), "150");
    assert_eq!(at(&read("120774657374696e67").unwrap(), "$.name"), "testing");
    let inside = read("1a03089601").unwrap();
    assert_eq!(at(&inside, "$.child.a"), "150");
    let range = path::find(&inside.root, "$.child.a").unwrap().range.unwrap();
    assert_eq!((range.start, range.end), (2, 5));
    let packed = read("2206038e029ea705").unwrap();
    assert_eq!(
        (at(&packed, "$.packed[0]"), at(&packed, "$.packed[1]"), at(&packed, "$.packed[2]")),
        ("3", "270", "86942")
    );
    assert_eq!(path::find(&packed.root, "$.packed[1]").unwrap().range.unwrap().start, 3);
    let apart = read("20032203018e02").unwrap();
    assert_eq!((at(&apart, "$.packed[0]"), at(&apart, "$.packed[2]")), ("3", "270"));
}

#[test]
fn defaults_unknown_fields_and_other_types_are_told() {
    let empty = read("").unwrap();
    assert_eq!((at(&empty, "$.a"), note(&empty, "$.a")), ("0", "default, not sent"));
    assert_eq!(path::number(&empty.root, "$.double"), Some(0.0));
    assert_eq!(at(&empty, "$.unit"), "CELSIUS");
    assert!(path::find(&empty.root, "$.big").is_none() && path::find(&empty.root, "$.child").is_none());
    let odd = read("a00601 0d01000000 1201ff 4002").unwrap();
    assert_eq!((at(&odd, "${100}"), note(&odd, "${100}")), ("1", "not in the schema"));
    assert!(note(&odd, "$.a").contains("on the wire are 4 bytes"), "{}", odd.text);
    assert_eq!(note(&odd, "$.name"), "a string that is not UTF-8");
    assert_eq!(note(&odd, "$.unit"), "no value of Unit");
    let group = read("a306 0801 a406").unwrap();
    assert_eq!(at(&group, "${100}{1}"), "1");
    assert_eq!(at(&read("3a00").unwrap(), "$.by_number[0]"), "0 fields");
    assert_eq!(at(&read("3200").unwrap(), "$.by_name[\"\"]"), "0");
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("08", "At byte 1: the payload or its part ends inside a number."),
        ("0880808080808080808080 01", "At byte 1: this number has more than 64 bits."),
        ("1205 61", "At byte 0: this value has 5 bytes, and 1 are left."),
        ("1a03 0a0561", "At byte 2: this value has 5 bytes, and 1 are left."),
        ("00", "At byte 0: there is no field number 0."),
        ("0f", "At byte 0: field 1 has the wire type 7, which does not exist."),
        ("a306", "At byte 2: the group of field 100 has no end."),
        ("0c", "At byte 0: a group of field 1 ends that did not begin."),
    ];
    for (digits, words) in cases {
        assert_eq!(read(digits).unwrap_err().message, words, "{digits}");
    }
    let mut deep = vec![];
    for _ in 0..200 {
        let mut outer = vec![0x1a];
        let mut length = deep.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.append(&mut deep);
        deep = outer;
    }
    let error = read_as(&files(), "plant.Reading", &deep).unwrap_err();
    assert!(error.message.contains("more than 100 messages stand in each other"), "{}", error.message);
    let groups = vec![0x0b; 5000];
    assert!(read_as(&files(), "plant.Reading", &groups).unwrap_err().message.contains("more than 100"));
    let error = read_as(&files(), "plant.Other", b"").unwrap_err();
    assert_eq!(error.message, "The schema has no message type “plant.Other”.");
    let decoder = Decoder::Protobuf { schema: ID, message: "plant.Reading".to_owned() };
    assert!(plain(&decoder, b"").unwrap_err().message.contains("was deleted"));
}

#[test]
fn mistakes_in_a_text_have_line_and_column() {
    let problems = |files: &[(&str, &str)]| -> Vec<String> {
        let file = |(name, text): &(&str, &str)| ProtoFile { name: (*name).to_owned(), text: (*text).to_owned() };
        let source = Source::Proto { files: files.iter().map(file).collect() };
        let draft = SchemaDraft { id: None, name: "x".to_owned(), source };
        let problems = check(&draft, ID).map(|_| ()).unwrap_err();
        problems.into_iter().map(|problem| format!("{}: {}", problem.field, problem.message)).collect()
    };
    type Texts<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Texts<'_>, &[&str]); 6] = [
        (
            &[("a.proto", "syntax = \"proto3\";\nmessage A {\n  int32 a 1;\n}\n")],
            &["source.files.0.text: Line 3, column 11: "],
        ),
        (
            &[("a.proto", "syntax = \"proto3\";\nmessage A { Missing a = 1; }\n")],
            &["source.files.0.text: Line 2, column 13: "],
        ),
        (&[("a.proto", "syntax = \"proto3\";\nimport \"b.proto\";\n")], &["source.files.0.text: Line 2, column 1: "]),
        (
            &[("a.proto", "import \"b.proto\";"), ("b.proto", "syntax = \"proto3\";\nmessage 1 {}")],
            &["source.files.1.text: Line 2, column 9: "],
        ),
        (&[("../a.proto", ""), ("../a.proto", "")], &["source.files.0.name: ", "source.files.1.name: "]),
        (&[], &["source.files: "]),
    ];
    for (files, wanted) in cases {
        let problems = problems(files);
        assert_eq!(problems.len(), wanted.len(), "{problems:?}");
        for (problem, wanted) in problems.iter().zip(wanted) {
            assert!(problem.starts_with(wanted), "{problem} is not {wanted}");
        }
    }
    let deep = format!("message A {}", "{ message A ".repeat(50_000));
    assert_eq!(
        problems(&[("a.proto", &deep)]),
        ["source.files.0.text: Line 1, column 1211: more than 100 blocks stand in each other."]
    );
}

#[test]
fn a_descriptor_set_is_a_schema_too() {
    let data = show(Form::Base64, &pool().encode_to_vec()).unwrap();
    let source = Source::Descriptors { data };
    assert_eq!(compile(&source).unwrap().messages()[0], "plant.Reading");
    assert_eq!(at(&read_as(&source, "plant.Reading", &bytes("089601")).unwrap(), "$.a"), "150");
    for (data, words) in [("", "between 1 and"), ("!", "no character of Base64"), ("CgQKAmFi", "no complete")] {
        let problems = compile(&Source::Descriptors { data: data.to_owned() }).map(|_| ());
        if let Err(problems) = problems {
            assert!(problems[0].field == "source.data" && problems[0].message.contains(words), "{problems:?}");
        } else {
            assert_eq!(words, "no complete");
        }
    }
    let empty = SchemaDraft { id: None, name: String::new(), source: Source::Descriptors { data: String::new() } };
    let fields: Vec<String> = check(&empty, ID).map(|_| ()).unwrap_err().into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["name", "source.data"]);
}

#[test]
fn well_known_types_can_be_imported() {
    let text = "syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\";\nmessage T { google.protobuf.Timestamp t = 1; }";
    let source = Source::Proto { files: vec![ProtoFile { name: "t.proto".to_owned(), text: text.to_owned() }] };
    assert_eq!(compile(&source).unwrap().messages(), ["T", "google.protobuf.Timestamp"]);
    assert_eq!(at(&read_as(&source, "T", &bytes("0a02 0805")).unwrap(), "$.t.seconds"), "5");
}

proptest! {
    #[test]
    fn it_reads_what_another_writer_writes(
        a: i32, name: String, packed in prop::collection::vec(any::<i32>(), 0..5),
        tags in prop::collection::vec(any::<String>(), 0..4), zigzag: i64, four: u32, eight: i64, single: f32,
        double: f64, on: bool, raw: Vec<u8>, big: u64, key in "[a-z ]{0,5}", number: i32,
    ) {
        let kind = pool().get_message_by_name("plant.Reading").unwrap();
        let mut child = DynamicMessage::new(kind.clone());
        child.set_field_by_name("a", Value::I32(number));
        let mut message = DynamicMessage::new(kind);
        let set = [
            ("a", Value::I32(a)), ("name", Value::String(name.clone())),
            ("packed", Value::List(packed.iter().copied().map(Value::I32).collect())),
            ("tags", Value::List(tags.iter().cloned().map(Value::String).collect())),
            ("zigzag", Value::I64(zigzag)), ("four", Value::U32(four)), ("eight", Value::I64(eight)),
            ("single", Value::F32(single)), ("double", Value::F64(double)), ("on", Value::Bool(on)),
            ("raw", Value::Bytes(raw.clone().into())), ("big", Value::U64(big)), ("unit", Value::EnumNumber(1)),
            ("by_name", Value::Map(HashMap::from([(MapKey::String(key.clone()), Value::F64(double))]))),
            ("by_number", Value::Map(HashMap::from([(MapKey::I32(number), Value::Message(child.clone()))]))),
            ("child", Value::Message(child)),
        ];
        for (field, value) in set {
            message.set_field_by_name(field, value);
        }
        let payload = message.encode_to_vec();
        let decoded = read_as(&files(), "plant.Reading", &payload).unwrap();
        sound(&decoded, &Limits::default(), payload.len());
        prop_assert_eq!(at(&decoded, "$.a"), a.to_string());
        prop_assert_eq!(at(&decoded, "$.name"), name);
        for (place, item) in packed.iter().enumerate() {
            prop_assert_eq!(at(&decoded, &format!("$.packed[{place}]")), item.to_string());
        }
        for (place, item) in tags.iter().enumerate() {
            prop_assert_eq!(at(&decoded, &format!("$.tags[{place}]")), item);
        }
        prop_assert_eq!(at(&decoded, "$.zigzag"), zigzag.to_string());
        prop_assert_eq!(at(&decoded, "$.four"), four.to_string());
        prop_assert_eq!(at(&decoded, "$.eight"), eight.to_string());
        prop_assert_eq!(at(&decoded, "$.single").parse::<f32>().unwrap(), single);
        prop_assert_eq!(at(&decoded, "$.double").parse::<f64>().unwrap(), double);
        prop_assert_eq!(at(&decoded, "$.on"), on.to_string());
        prop_assert_eq!(at(&decoded, "$.big"), big.to_string());
        prop_assert_eq!(at(&decoded, "$.unit"), "KELVIN");
        prop_assert_eq!(at(&decoded, &format!("$.by_number[{number}].a")), number.to_string());
        prop_assert_eq!(at(&decoded, &format!("$.by_name[\"{key}\"]")), at(&decoded, "$.double"));
        prop_assert_eq!(at(&decoded, "$.child.a"), number.to_string());
    }
}
