//! Properties of an MQTT 5 message that we publish, as bytes on the wire (MQTT 5.0 section 3.3.2.3). What is valid in them
//! is checked by whoever makes them.

use bytes::{BufMut, Bytes, BytesMut};

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
