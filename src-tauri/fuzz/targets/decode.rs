//! Any bytes as a payload: every decoder gives a value or an error, the value holds its bounds, and what the publish
//! editor shows of the bytes gives them again. The first byte chooses the decoder and the topic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relayscope_domain::decode::binding::choose;
use relayscope_domain::decode::encode::{Form, encode, show};
use relayscope_domain::decode::schema::{ProtoFile, Schemas, Source, compile};
use relayscope_domain::decode::sparkplug::Aliases;
use relayscope_domain::decode::{Context, Decoded, Decoder, Limits, decode, diff, path};
use relayscope_domain::id::SchemaId;
use std::sync::OnceLock;

const SCHEMA: SchemaId = SchemaId(uuid::Uuid::from_u128(1));

const PROTO: &str = "syntax = \"proto2\"; message M { optional int32 a = 1; repeated M b = 2; map<string, M> c = 3;
repeated float d = 4 [packed = true]; required string e = 5; optional group G = 6 { optional bool f = 1; }
repeated sint64 zig = 7; optional E h = 8; enum E { X = 0; Y = 1; } map<int32, bytes> i = 9; optional double j = 10; }";

const TOPICS: [&str; 7] = [
    "a",
    "spBv1.0/G/NBIRTH/E",
    "spBv1.0/G/NDATA/E",
    "spBv1.0/G/DBIRTH/E/D",
    "$tip/s/push",
    "$tip/s/pull",
    "$tip/s/ack",
];

/// Small, so that they are reached.
const SMALL: Limits = Limits { nodes: 5, depth: 3, value: 8, values: 100, text: 100, unpacked: 1000 };

fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let files = vec![ProtoFile { name: "m.proto".to_owned(), text: PROTO.to_owned() }];
        let mut schemas = Schemas::default();
        schemas.insert(SCHEMA, compile(&Source::Proto { files }).unwrap());
        schemas
    })
}

fn decoder(which: u8) -> Decoder {
    let inner = |which| Some(Box::new(decoder(which)));
    match which % 12 {
        0 => Decoder::Json,
        1 => Decoder::Text,
        2 => Decoder::Hex,
        3 => Decoder::Base64 { inner: None },
        4 => Decoder::Base64 { inner: inner(6) },
        5 => Decoder::Cbor,
        6 => Decoder::MessagePack,
        7 => Decoder::Gzip { inner: None },
        8 => Decoder::Gzip { inner: inner(9) },
        9 => Decoder::Protobuf { schema: SCHEMA, message: "M".to_owned() },
        10 => Decoder::Sparkplug,
        _ => Decoder::Tagotip,
    }
}

fn check(decoded: &Decoded, limits: &Limits, length: usize) {
    let (mut count, mut left) = (0, vec![&decoded.root]);
    while let Some(node) = left.pop() {
        count += 1;
        left.extend(&node.children);
        if let Some(range) = node.range {
            assert!(range.start < range.end && range.end <= length as u64);
        }
    }
    assert!(count == decoded.shown && decoded.shown <= decoded.total && decoded.shown <= limits.nodes);
    for number in path::numbers(&decoded.root, 10) {
        assert!(number.number.is_finite());
    }
    assert!(diff::decoded(decoded, decoded).same);
}

fuzz_target!(|data: &[u8]| {
    let Some((first, payload)) = data.split_first() else { return };
    let decoder = decoder(first % 12);
    let topic = TOPICS[usize::from(first / 12) % TOPICS.len()];
    let mut aliases = Aliases::default();
    aliases.learn(topic, payload);
    for limits in [Limits::default(), SMALL] {
        match decode(&decoder, payload, &Context { topic, schemas: schemas(), aliases: &aliases, limits }) {
            Ok(decoded) => {
                let length = if decoded.layers.is_empty() { payload.len() } else { limits.unpacked };
                check(&decoded, &limits, length);
            }
            Err(error) => assert!(!error.message.is_empty()),
        }
    }
    assert!(!choose(None, &[], topic, payload).words.is_empty());
    for form in [Form::Text, Form::Json, Form::Hex, Form::Base64] {
        if let Some(shown) = show(form, payload) {
            assert_eq!(encode(form, &shown).as_deref(), Ok(payload));
        }
        if let Ok(text) = std::str::from_utf8(payload) {
            // Whether it is taken or refused, it does not panic.
            let _ = encode(form, text);
        }
    }
    if let (Decoder::Protobuf { .. }, Ok(text)) = (&decoder, std::str::from_utf8(payload)) {
        let files = vec![ProtoFile { name: "m.proto".to_owned(), text: text.to_owned() }];
        if let Err(problems) = compile(&Source::Proto { files }) {
            assert!(!problems.is_empty());
        }
    }
});
