//! Properties of an MQTT 5 message: as bytes on the wire (MQTT 5.0 section 3.3.2.3), and as events name them. The names are
//! the same wherever a message was seen, so that [`encode`] finds the properties in them again. What is valid is checked
//! by whoever makes them.

use bytes::{BufMut, Bytes, BytesMut};

/// Payload Format Indicator; `UTF-8 text` or `bytes`.
pub const PAYLOAD_FORMAT: &str = "Payload format";
/// Message Expiry Interval; `60 s`.
pub const EXPIRY: &str = "Message expiry";
/// Content Type.
pub const CONTENT_TYPE: &str = "Content type";
/// Response Topic.
pub const RESPONSE_TOPIC: &str = "Response topic";
/// Correlation Data; see [`correlation_words`].
pub const CORRELATION: &str = "Correlation data";
/// Subscription Identifier, which belongs to a connection and not to the message.
pub const SUBSCRIPTION: &str = "Subscription identifier";
/// Topic Alias, which belongs to a connection and not to the message.
pub const TOPIC_ALIAS: &str = "Topic alias";
const USER: &str = "User property ";
const UTF8: &str = "UTF-8 text";

/// What a User Property is called.
pub fn user_name(name: &str) -> String {
    format!("{USER}{name}")
}

/// Correlation Data: text as it is, everything else as `0x` and hexadecimal digits.
pub fn correlation_words(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) if !text.starts_with("0x") && !text.chars().any(char::is_control) => text.to_owned(),
        _ => data.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}")),
    }
}

fn correlation_bytes(words: &str) -> Vec<u8> {
    let digits = words.strip_prefix("0x").filter(|digits| digits.is_ascii() && digits.len().is_multiple_of(2));
    let byte = |at: usize| digits.and_then(|digits| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    let bytes = digits.and_then(|digits| (0..digits.len()).step_by(2).map(byte).collect());
    bytes.unwrap_or_else(|| words.as_bytes().to_vec())
}

/// A property that belongs to the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property<'a> {
    /// Payload Format Indicator: whether it is text in UTF-8.
    PayloadFormat {
        /// 1; otherwise 0.
        utf8: bool,
    },
    /// Message Expiry Interval, seconds.
    Expiry(u32),
    /// Content Type.
    ContentType(&'a str),
    /// Response Topic.
    ResponseTopic(&'a str),
    /// Correlation Data.
    Correlation(Vec<u8>),
    /// User Property: its name and its value.
    User(&'a str, &'a str),
}

/// What properties in words say; what belongs to a connection only is left out.
pub fn read(words: &[(String, String)]) -> impl Iterator<Item = Property<'_>> {
    words.iter().filter_map(|(name, value)| match name.as_str() {
        PAYLOAD_FORMAT => Some(Property::PayloadFormat { utf8: value == UTF8 }),
        EXPIRY => value.strip_suffix(" s").and_then(|seconds| seconds.parse().ok()).map(Property::Expiry),
        CONTENT_TYPE => Some(Property::ContentType(value)),
        RESPONSE_TOPIC => Some(Property::ResponseTopic(value)),
        CORRELATION => Some(Property::Correlation(correlation_bytes(value))),
        other => other.strip_prefix(USER).map(|name| Property::User(name, value)),
    })
}

/// Properties in words as bytes on the wire, as [`read`] reads them.
pub fn encode(words: &[(String, String)]) -> Bytes {
    let mut out = Properties::default();
    for property in read(words) {
        match property {
            Property::PayloadFormat { utf8 } => out.payload_format(u8::from(utf8)),
            Property::Expiry(seconds) => out.expiry(seconds),
            Property::ContentType(kind) => out.content_type(kind),
            Property::ResponseTopic(topic) => out.response_topic(topic),
            Property::Correlation(data) => out.correlation(&data),
            Property::User(name, value) => out.user(name, value),
        }
    }
    out.finish()
}

/// Encoded properties, without their length; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(BytesMut);

impl Properties {
    /// Payload Format Indicator: 1 is text in UTF-8.
    pub fn payload_format(&mut self, format: u8) {
        self.0.put_u8(0x01);
        self.0.put_u8(format);
    }

    /// Message Expiry Interval, seconds.
    pub fn expiry(&mut self, seconds: u32) {
        self.0.put_u8(0x02);
        self.0.put_u32(seconds);
    }

    /// Content Type.
    pub fn content_type(&mut self, kind: &str) {
        self.0.put_u8(0x03);
        self.field(kind.as_bytes());
    }

    /// Response Topic.
    pub fn response_topic(&mut self, topic: &str) {
        self.0.put_u8(0x08);
        self.field(topic.as_bytes());
    }

    /// Correlation Data.
    pub fn correlation(&mut self, data: &[u8]) {
        self.0.put_u8(0x09);
        self.field(data);
    }

    /// User Property.
    pub fn user(&mut self, name: &str, value: &str) {
        self.0.put_u8(0x26);
        self.field(name.as_bytes());
        self.field(value.as_bytes());
    }

    /// The bytes.
    pub fn finish(self) -> Bytes {
        self.0.freeze()
    }

    fn field(&mut self, bytes: &[u8]) {
        // Longer than MQTT can carry never comes here.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.0.put_u16(length);
        self.0.put_slice(&bytes[..length.into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_the_bytes_again() {
        let mut made = Properties::default();
        made.payload_format(1);
        made.expiry(60);
        made.content_type("a/b");
        made.response_topic("answers");
        made.user("Content type", "0x01");
        let mut words: Vec<(String, String)> = [
            (PAYLOAD_FORMAT, UTF8),
            (EXPIRY, "60 s"),
            (CONTENT_TYPE, "a/b"),
            (RESPONSE_TOPIC, "answers"),
            ("User property Content type", "0x01"),
            (SUBSCRIPTION, "3"),
            (TOPIC_ALIAS, "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        assert_eq!(encode(&words), made.clone().finish());
        for data in [&b"7"[..], b"", b"0x", b"0x01", b"\x00\xff", "é".as_bytes()] {
            let mut with = made.clone();
            with.correlation(data);
            words.push((CORRELATION.into(), correlation_words(data)));
            assert_eq!(encode(&words), with.finish(), "{data:?}");
            words.pop();
        }
    }
}
