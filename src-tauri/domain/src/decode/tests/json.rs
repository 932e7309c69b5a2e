//! JSON: RFC 8259's example, mistakes, limits, and agreement with another reader.

use super::super::path;
use super::super::tree::Kind;
use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn read(text: &str) -> Result<Decoded, DecodeError> {
    plain(&Decoder::Json, text.as_bytes())
}

/// RFC 8259 section 13.
const IMAGE: &str = r#"{
  "Image": {
    "Width":  800,
    "Title":  "View from 15th Floor",
    "Thumbnail": {"Url": "http://www.example.com/image/481989943", "Height": 125},
    "Animated" : false,
    "IDs": [116, 943, 234, 38793]
  }
}"#;

#[test]
fn values_have_their_place_and_path() {
    let image = read(IMAGE).unwrap();
    sound(&image, &Limits::default(), IMAGE.len());
    assert_eq!(at(&image, "$.Image.Thumbnail.Url"), "http://www.example.com/image/481989943");
    assert_eq!(at(&image, "$.Image.IDs"), "4 items");
    assert_eq!(path::number(&image.root, "$.Image.IDs[3]"), Some(38_793.0));
    let range = path::find(&image.root, "$.Image.IDs[1]").unwrap().range.unwrap();
    assert_eq!(&IMAGE[range.start as usize..range.end as usize], "943");
    let whole = path::find(&image.root, "$.Image.IDs").unwrap().range.unwrap();
    assert_eq!(&IMAGE[whole.start as usize..whole.end as usize], "[116, 943, 234, 38793]");
    let numbers = path::numbers(&image.root, 100);
    let paths: Vec<&str> = numbers.iter().map(|number| number.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "$.Image.Width",
            "$.Image.Thumbnail.Height",
            "$.Image.IDs[0]",
            "$.Image.IDs[1]",
            "$.Image.IDs[2]",
            "$.Image.IDs[3]"
        ]
    );
    assert_eq!(path::numbers(&image.root, 2).len(), 2);
}

#[test]
fn every_node_is_found_by_its_own_path() {
    let odd = read(r#"{"a b":{"":[1,{"x.y":2}]},"a":1,"ab":2,"a[0]":3,"ö":{"\"":null},"1":true,"_a1":[[]]}"#).unwrap();
    let mut left = vec![(vec![], &odd.root)];
    while let Some((way, node)) = left.pop() {
        let text = path::of(&odd.root, &way).unwrap();
        assert!(std::ptr::eq(path::find(&odd.root, &text).unwrap(), node), "{text}");
        for (at, child) in node.children.iter().enumerate() {
            left.push(([way.clone(), vec![at]].concat(), child));
        }
    }
    assert_eq!(at(&odd, r#"$["a b"][""][1]["x.y"]"#), "2");
    for nowhere in ["", "a", "$.b", "$.a.b", "$.a[0]", "$[0]", "$.a b", "$$"] {
        assert!(path::find(&odd.root, nowhere).is_none(), "{nowhere}");
    }
    assert_eq!(path::of(&odd.root, &[9]), None);
}

#[test]
fn numbers_stay_as_written() {
    for written in ["12345678901234567890123456789", "0.10", "-0", "1e400", "1E+2", "3.141592653589793238462643383"] {
        let one = read(&format!("[{written}]")).unwrap();
        assert_eq!(at(&one, "$[0]"), written);
        assert!(one.text.contains(written));
    }
    assert_eq!(read("1e400").unwrap().root.number, None);
    assert_eq!(read("21.5").unwrap().root.number, Some(21.5));
}

#[test]
fn a_key_that_stands_twice_is_told_and_the_last_is_found() {
    let twice = read(r#"{"a":1,"b":{"x":0},"\u0061":2}"#).unwrap();
    assert_eq!(twice.root.children.len(), 3);
    assert_eq!(at(&twice, "$.a"), "2");
    assert_eq!(
        twice.notes,
        ["At byte 19: the key “a” stands more than once in its object; most readers keep the last."]
    );
    assert_eq!(note(&twice, "$"), "“a” stands more than once");
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("", 0, "At byte 0: a value is expected, and here is the end of the payload."),
        ("{", 1, "At byte 1: a key in quotes is expected, and here is the end of the payload."),
        ("{\"a\" 1}", 5, "At byte 5: “:” is missing after the key, and here is “1”."),
        ("{\"a\":1,}", 7, "At byte 7: a key in quotes is expected, and here is “}”."),
        ("[1 2]", 3, "At byte 3: “,” or “]” is missing before “2”."),
        ("[1,]", 3, "At byte 3: a value is expected, and here is “]”."),
        ("[1]x", 3, "At byte 3: “x” stands after the end of the value."),
        ("01", 0, "At byte 0: a number does not begin with 0 and another digit."),
        ("-", 1, "At byte 1: a digit is expected, and here is the end of the payload."),
        ("1.e3", 2, "At byte 2: a digit is expected, and here is “e”."),
        ("\"a", 0, "At byte 0: this string has no end."),
        ("\"a\n\"", 2, "At byte 2: the control character U+000A must be written as an escape in a string."),
        ("\"\\x\"", 1, "At byte 1: JSON has no such escape; a backslash itself is written \\\\."),
        ("\"\\u12g4\"", 3, "At byte 3: \\u needs four hex digits."),
        ("nul", 0, "At byte 0: a value is expected, and here is “n”."),
        ("{'a':1}", 1, "At byte 1: a key in quotes is expected, and here is “'”."),
    ];
    for (text, place, words) in cases {
        let error = read(text).unwrap_err();
        assert_eq!((error.at, error.message.as_str()), (Some(place), words), "{text}");
    }
    let error = plain(&Decoder::Json, b"[\"\xff\"]").unwrap_err();
    assert_eq!(error.message, "At byte 2: this is not UTF-8, and JSON is.");
}

#[test]
fn escapes_are_read() {
    let text = read(r#""\u00e9\ud83d\ude00\n\/\"\\""#).unwrap();
    assert_eq!(text.root.value, "é😀\n/\"\\");
    let lone = read(r#"["\ud83d","\ude00x","\ud83d\u0041"]"#).unwrap();
    assert_eq!((at(&lone, "$[0]"), at(&lone, "$[1]"), at(&lone, "$[2]")), ("\u{fffd}", "\u{fffd}x", "\u{fffd}A"));
    assert!(note(&lone, "$[0]").contains("surrogate"));
}

#[test]
fn what_is_too_much_is_counted() {
    let many = format!("[{}]", vec!["{\"a\":1}"; 26_056].join(","));
    let decoded = read(&many).unwrap();
    assert_eq!((decoded.shown, decoded.total), (10_000, 52_113));
    assert_eq!(decoded.notes, ["Shown 10,000 of 52,113 nodes."]);
    assert_eq!(decoded.root.value, "26,056 items");
    sound(&decoded, &Limits::default(), many.len());

    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let decoded = read(&deep).unwrap();
    assert_eq!((decoded.shown, decoded.total), (60, 5001));
    assert_eq!(decoded.notes, ["Shown 60 of 5,001 nodes.", "Levels deeper than 60 are not shown."]);
    let deeper = "[".repeat(10_001);
    assert_eq!(read(&deeper).unwrap_err().message, "At byte 10,000: more than 10,000 levels stand in each other.");

    let long = format!("\"{}\"", "x".repeat(5 << 20));
    let decoded = read(&long).unwrap();
    assert!(decoded.root.value.len() < 4200 && decoded.text.len() < (2 << 20) + 8);
    assert_eq!(note(&decoded, "$"), "5,242,880 bytes");
    assert_eq!(decoded.notes, ["The text is cut after 2,097,152 bytes."]);
}

#[test]
fn pretty_text_has_a_line_for_each_value() {
    let text = read(r#"{"a":[1,2,{}],"b":"x{,}\"[","c":[],"d":{"e":null}}"#).unwrap().text;
    let wanted = "{\n  \"a\": [\n    1,\n    2,\n    {}\n  ],\n  \"b\": \"x{,}\\\"[\",\n  \"c\": [],\n  \"d\": {\n    \"e\": null\n  }\n}";
    assert_eq!(text, wanted);
}

/// A value as another reader has it, against the tree.
fn equal(node: &Node, value: &Value) -> bool {
    match (node.kind, value) {
        (Kind::Object, Value::Object(fields)) => fields.iter().all(|(name, value)| {
            let last = node.children.iter().rev().find(|child| child.name == *name);
            last.is_some_and(|child| equal(child, value))
        }),
        (Kind::Array, Value::Array(items)) => {
            node.children.len() == items.len() && node.children.iter().zip(items).all(|(node, item)| equal(node, item))
        }
        (Kind::Text, Value::String(text)) => node.value == *text,
        // The other reader rounds the last bit otherwise.
        (Kind::Number, Value::Number(number)) => {
            let (ours, theirs) = (node.number.unwrap_or_default(), number.as_f64().unwrap_or_default());
            (ours - theirs).abs() <= ours.abs() * 1e-15
        }
        (Kind::Bool, Value::Bool(value)) => node.value == value.to_string(),
        (Kind::Null, Value::Null) => true,
        _ => false,
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_reads_what_another_reader_writes(value in value(), indented: bool) {
        let text = if indented { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let decoded = read(&text).unwrap();
        prop_assert!(equal(&decoded.root, &value), "{text}");
        prop_assert_eq!(decoded.text, serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn it_takes_what_another_reader_takes(text in r#"[\[\]{}:,"0-9.eE+\-\\ua tnrflsue]{0,14}"#) {
        match (serde_json::from_str::<Value>(&text), read(&text)) {
            (Ok(value), Ok(decoded)) => prop_assert!(equal(&decoded.root, &value), "{text}"),
            (Err(_), Err(_)) => {}
            // A double cannot hold it.
            (Err(error), Ok(_)) => prop_assert!(error.to_string().contains("out of range") || text.contains("\\u"), "{text}: {error}"),
            (Ok(_), Err(error)) => prop_assert!(false, "{text}: {error}"),
        }
    }
}
