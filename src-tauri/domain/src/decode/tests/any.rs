//! Any bytes: every decoder gives a value or an error, and what it gives holds its bounds.

use super::super::binding::choose;
use super::super::schema::{ProtoFile, Source, compile};
use super::super::{diff, path};
use super::*;
use crate::id::SchemaId;
use proptest::prelude::*;
use uuid::Uuid;

const SCHEMA: SchemaId = SchemaId(Uuid::from_u128(1));

fn schemas() -> Schemas {
    let text = "syntax = \"proto2\"; message M { optional int32 a = 1; repeated M b = 2; map<string, M> c = 3;\n\
                repeated float d = 4 [packed = true]; required string e = 5; optional group G = 6 { optional bool f = 1; } }";
    let files = vec![ProtoFile { name: "m.proto".to_owned(), text: text.to_owned() }];
    let mut schemas = Schemas::default();
    schemas.insert(SCHEMA, compile(&Source::Proto { files }).unwrap());
    schemas
}

fn decoders() -> Vec<Decoder> {
    let protobuf = Decoder::Protobuf { schema: SCHEMA, message: "M".to_owned() };
    vec![
        Decoder::Json,
        Decoder::Text,
        Decoder::Hex,
        Decoder::Base64 { inner: Some(Box::new(Decoder::MessagePack)) },
        Decoder::Cbor,
        Decoder::MessagePack,
        Decoder::Gzip { inner: Some(Box::new(protobuf.clone())) },
        protobuf,
        Decoder::Sparkplug,
        Decoder::Tagotip,
    ]
}

const TOPICS: [&str; 6] =
    ["a", "spBv1.0/G/NDATA/E", "spBv1.0/G/DBIRTH/E/D", "$tip/s/push", "$tip/s/pull", "$tip/s/ack"];

/// Small, so that they are reached.
const SMALL: Limits = Limits { nodes: 5, depth: 3, value: 8, values: 100, text: 100, unpacked: 1000 };

fn try_all(payload: &[u8], topic: &str, aliases: &mut Aliases, schemas: &Schemas) {
    aliases.learn(topic, payload);
    for limits in [Limits::default(), SMALL] {
        let mut before: Option<Decoded> = None;
        for decoder in decoders() {
            match decode(&decoder, payload, &Context { topic, schemas, aliases, limits }) {
                Ok(decoded) => {
                    let length = if decoded.layers.is_empty() { payload.len() } else { limits.unpacked };
                    sound(&decoded, &limits, length);
                    assert!(all(&decoded.root).len() as u64 == decoded.shown);
                    for number in path::numbers(&decoded.root, 100) {
                        assert!(number.number.is_finite());
                    }
                    assert!(diff::decoded(&decoded, &decoded).same);
                    if let Some(before) = before.replace(decoded.clone()) {
                        diff::decoded(&before, &decoded);
                    }
                }
                Err(error) => {
                    assert!(!error.message.is_empty() && error.message.ends_with('.'), "{error:?}");
                    let length = if error.layers.is_empty() { payload.len() } else { limits.unpacked };
                    assert!(error.at.is_none_or(|at| at <= length as u64), "{error:?}");
                }
            }
        }
    }
    let choice = choose(None, &[], topic, payload);
    assert!(choice.words.starts_with("no rule: "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(payload in prop::collection::vec(any::<u8>(), 0..60), topic in prop::sample::select(&TOPICS[..])) {
        thread_local!(static SCHEMAS: Schemas = schemas());
        let mut aliases = Aliases::default();
        SCHEMAS.with(|schemas| try_all(&payload, topic, &mut aliases, schemas));
    }

    /// Bytes that begin items, fields and lengths more often than not.
    #[test]
    fn likely_bytes(
        payload in prop::collection::vec(prop::sample::select(
            &b"\x00\x01\x02\x03\x05\x08\x0a\x0b\x0c\x12\x1a\x22\x2a\x33\x34\x5f\x61\x7f\x81\x82\x91\x92\x9f\xa1\xa2\xbf\xc1\xc2\xc4\xc7\xd6\xd9\xde\xdf\xf6\xf9\xff"[..]
        ), 0..60),
        topic in prop::sample::select(&TOPICS[..]),
    ) {
        thread_local!(static SCHEMAS: Schemas = schemas());
        let mut aliases = Aliases::default();
        SCHEMAS.with(|schemas| try_all(&payload, topic, &mut aliases, schemas));
    }

    /// Texts of the characters that formats give a meaning.
    #[test]
    fn likely_texts(text in r#"[\[\]{}:;,"\\u0-9a-c=|!^#@>xbE. é?+-]{0,40}"#, topic in prop::sample::select(&TOPICS[..])) {
        thread_local!(static SCHEMAS: Schemas = schemas());
        let mut aliases = Aliases::default();
        SCHEMAS.with(|schemas| try_all(text.as_bytes(), topic, &mut aliases, schemas));
    }
}

/// Sixty-four kilobytes of what is most work for one or the other: it ends, and soon enough for a test.
#[test]
fn large_payloads_end() {
    let schemas = schemas();
    let patterns: [&[u8]; 14] = [
        b"{\"a\":1,\"a\":1,",
        b"[[",
        b"{\"a\":",
        b"\\u0061",
        b"[1,2],",
        b"\x81",
        b"\xa1\x81",
        b"\xc1\xc1",
        b"\x9f\x01",
        b"\x12\x00",
        b"\x1a\x02\x0a\x00",
        b"\x12\x02\x10\x05",
        b"\x0b\x0c",
        b"QUFB",
    ];
    for pattern in patterns {
        for (before, after) in
            [(&b""[..], &b""[..]), (b"[", b"0]"), (b"\"", b"\""), (b"{", b"\"z\":0}"), (b"\x9b\0\0\0\0\0\x10\0\0", b"")]
        {
            let mut payload = before.to_vec();
            payload.extend(pattern.iter().cycle().take(1 << 16));
            payload.extend(after);
            for decoder in decoders() {
                let topic = TOPICS[2];
                let mut aliases = Aliases::default();
                aliases.learn(topic, &payload);
                let context = Context { topic, schemas: &schemas, aliases: &aliases, limits: Limits::default() };
                if let Ok(decoded) = decode(&decoder, &payload, &context) {
                    sound(&decoded, &Limits::default(), payload.len());
                }
            }
        }
    }
}
