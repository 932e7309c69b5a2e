//! From MQTT messages to the body that TagoIO's network API and existing payload parsers expect: UTF-8 as text, anything
//! else as upper-case hexadecimal, as the official relay writes it.

use crate::delivery::Metadata;
use crate::message::Qos;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A message as a body needs it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
    /// Quality of service it came with.
    pub qos: Qos,
    /// Retain flag it came with.
    pub retain: bool,
    /// When it came, ISO 8601.
    pub received_at: &'a str,
    /// Its identity.
    pub message_id: &'a str,
    /// The relay's name.
    pub relay: &'a str,
}

/// The request body for messages of one topic (tago-io/mqtt-relay, `services/tagoio.rs`), appended to `out`:
/// `[{"variable":"payload","value":…,"metadata":{"topic":…,"qos":…}}]`; `extras` says what else the metadata has.
pub fn tagoio_body<'a>(samples: impl IntoIterator<Item = Sample<'a>>, extras: Metadata, out: &mut Vec<u8>) {
    for (at, sample) in samples.into_iter().enumerate() {
        out.extend_from_slice(if at == 0 { b"[" } else { b"," });
        out.extend_from_slice(br#"{"variable":"payload","value":"#);
        let text = std::str::from_utf8(sample.payload);
        match text {
            Ok(text) => string(text, out),
            Err(_) => hexadecimal(sample.payload, out),
        }
        out.extend_from_slice(br#","metadata":{"topic":"#);
        string(sample.topic, out);
        out.extend_from_slice(br#","qos":"#);
        out.push(b'0' + u8::from(sample.qos));
        if extras.received_at {
            out.extend_from_slice(br#","received_at":"#);
            string(sample.received_at, out);
        }
        if extras.message_id {
            out.extend_from_slice(br#","message_id":"#);
            string(sample.message_id, out);
        }
        if extras.encoding {
            out.extend_from_slice(br#","encoding":"#);
            string(if text.is_ok() { "text" } else { "hex" }, out);
        }
        if extras.retain {
            out.extend_from_slice(if sample.retain { br#","retain":true"# } else { br#","retain":false"# });
        }
        if extras.relay {
            out.extend_from_slice(br#","relay":"#);
            string(sample.relay, out);
        }
        out.extend_from_slice(b"}}");
    }
    out.push(b']');
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2 + 2);
    out.push(b'"');
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 0xf)]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sample<'a>(payload: &'a [u8]) -> Sample<'a> {
        let (received_at, message_id) = ("2026-01-02T03:04:05.006Z", "id");
        Sample { topic: "a/b", payload, qos: Qos::AtLeastOnce, retain: true, received_at, message_id, relay: "Plant" }
    }

    fn body(samples: &[Sample<'_>], extras: Metadata) -> Value {
        let mut out = vec![];
        tagoio_body(samples.iter().copied(), extras, &mut out);
        serde_json::from_slice(&out).expect("the body is JSON")
    }

    #[test]
    fn bodies_are_what_parsers_expect() {
        let cases: [(&[u8], &str); 5] = [
            (b"22.5", "22.5"),
            (b"", ""),
            (b"\xff\x00\x0a", "FF000A"),
            ("é \"q\" \u{1f600}\u{1}".as_bytes(), "é \"q\" \u{1f600}\u{1}"),
            (b"{\"a\":1}", "{\"a\":1}"),
        ];
        for (payload, value) in cases {
            let expected = json!([{ "variable": "payload", "value": value, "metadata": { "topic": "a/b", "qos": 1 } }]);
            assert_eq!(body(&[sample(payload)], Metadata::default()), expected);
        }
    }

    #[test]
    fn a_batch_has_an_item_each_and_extras_are_told_when_asked_for() {
        let all = Metadata { received_at: true, message_id: true, encoding: true, retain: true, relay: true };
        let found = body(&[sample(b"1"), sample(b"\xff")], all);
        assert_eq!((found[0]["value"].as_str(), found[1]["value"].as_str()), (Some("1"), Some("FF")));
        let metadata = json!({ "topic": "a/b", "qos": 1, "received_at": "2026-01-02T03:04:05.006Z", "message_id": "id",
                               "encoding": "hex", "retain": true, "relay": "Plant" });
        assert_eq!(found[1]["metadata"], metadata);
    }
}
