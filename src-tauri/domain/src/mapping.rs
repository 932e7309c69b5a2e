//! From an MQTT message to the body that TagoIO's network API and existing payload parsers expect.

use crate::message::Qos;
use serde_json::json;

/// The payload as the official relay writes it: UTF-8 as text, anything else as upper-case hexadecimal.
pub fn payload_value(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let mut hex = String::with_capacity(payload.len() * 2);
            for byte in payload {
                hex.push(char::from(HEX[usize::from(byte >> 4)]));
                hex.push(char::from(HEX[usize::from(byte & 0xf)]));
            }
            hex
        }
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The request body for one message (tago-io/mqtt-relay, `services/tagoio.rs`):
/// `[{"variable":"payload","value":…,"metadata":{"topic":…,"qos":…}}]`.
pub fn tagoio_body(topic: &str, payload: &[u8], qos: Qos) -> String {
    json!([{ "variable": "payload", "value": payload_value(payload), "metadata": { "topic": topic, "qos": u8::from(qos) } }])
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_what_parsers_expect() {
        let parse = |body: String| serde_json::from_str::<serde_json::Value>(&body).expect("the body is JSON");
        let cases: [(&[u8], &str); 5] = [
            (b"22.5", "22.5"),
            (b"", ""),
            (b"\xff\x00\x0a", "FF000A"),
            ("é \"q\" \u{1f600}".as_bytes(), "é \"q\" \u{1f600}"),
            (b"{\"a\":1}", "{\"a\":1}"),
        ];
        for (payload, value) in cases {
            let expected = json!([{ "variable": "payload", "value": value, "metadata": { "topic": "a/b", "qos": 1 } }]);
            assert_eq!(parse(tagoio_body("a/b", payload, Qos::AtLeastOnce)), expected);
        }
    }
}
