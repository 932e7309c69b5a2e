//! The MQTT 5 properties that a `/publish` may carry (MQTT 5.0 section 3.3.2.3): their JSON, and what is valid.

use crate::mqtt::properties as wire;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use relayscope_domain::topic;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The longest text or binary value MQTT can carry.
const LONGEST: usize = 65_535;
/// Most user properties of one message.
const USER_PROPERTIES: usize = 100;

/// Properties as the request writes them.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Properties {
    /// MIME type of the payload, or whatever the two sides agreed on.
    pub(super) content_type: Option<String>,
    /// Where an answer is to be sent.
    pub(super) response_topic: Option<String>,
    /// Bytes that the answer carries again, as Base64.
    pub(super) correlation_data: Option<String>,
    /// Seconds.
    pub(super) message_expiry: Option<u32>,
    /// Pairs in their order; an object is taken as well.
    #[serde(deserialize_with = "pairs")]
    pub(super) user_properties: Vec<(String, String)>,
    /// 1: the payload is text in UTF-8; 0: bytes.
    pub(super) payload_format: Option<u8>,
}

impl Properties {
    /// What is wrong with them, in words.
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), String> {
        if let Some(kind) = &self.content_type {
            text("properties.contentType", kind)?;
        }
        if let Some(response) = &self.response_topic {
            topic::check_topic(response).map_err(|message| format!("properties.responseTopic: {message}"))?;
        }
        if let Some(data) = &self.correlation_data {
            let bytes = STANDARD
                .decode(data)
                .map_err(|error| format!("properties.correlationData is not valid Base64: {error}."))?;
            if bytes.len() > LONGEST {
                return Err(format!("properties.correlationData has {} bytes; MQTT allows {LONGEST}.", bytes.len()));
            }
        }
        if self.user_properties.len() > USER_PROPERTIES {
            return Err(format!("properties.userProperties has more than {USER_PROPERTIES} pairs."));
        }
        for (key, value) in &self.user_properties {
            text("A key of properties.userProperties", key)?;
            text("A value of properties.userProperties", value)?;
        }
        match self.payload_format {
            None | Some(0) => Ok(()),
            // MQTT-3.3.2-4 and 3.3.2.3.2: the receiver may check it.
            Some(1) if std::str::from_utf8(payload).is_ok() => Ok(()),
            Some(1) => Err("properties.payloadFormat is 1, but the message is not text in UTF-8.".into()),
            Some(_) => Err("properties.payloadFormat is 0 (bytes) or 1 (text).".into()),
        }
    }
}

/// Never called with what [`Properties::check`] refuses.
impl Properties {
    /// As they go over the wire.
    pub(super) fn encoded(&self) -> Bytes {
        let mut out = wire::Properties::default();
        if let Some(format) = self.payload_format {
            out.payload_format(format);
        }
        if let Some(seconds) = self.message_expiry {
            out.expiry(seconds);
        }
        if let Some(kind) = &self.content_type {
            out.content_type(kind);
        }
        if let Some(topic) = &self.response_topic {
            out.response_topic(topic);
        }
        if let Some(data) = self.correlation_data.as_ref().and_then(|data| STANDARD.decode(data).ok()) {
            out.correlation(&data);
        }
        for (name, value) in &self.user_properties {
            out.user(name, value);
        }
        out.finish()
    }
}

fn text(what: &str, value: &str) -> Result<(), String> {
    if value.len() > LONGEST {
        return Err(format!("{what} has {} bytes; MQTT allows {LONGEST}.", value.len()));
    }
    if value.contains('\0') {
        return Err(format!("{what} contains the character U+0000, which MQTT forbids."));
    }
    Ok(())
}

fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "userProperties is a list of pairs of texts, or an object of texts")]
    enum Written {
        Pairs(Vec<(String, String)>),
        Object(BTreeMap<String, String>),
        Nothing(()),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Pairs(pairs) => pairs,
        Written::Object(object) => object.into_iter().collect(),
        Written::Nothing(()) => vec![],
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_in_both_spellings() {
        let read = |text: &str| serde_json::from_str::<Properties>(text);
        let whole = read(
            r#"{"contentType":"text/plain","responseTopic":"a/b","correlationData":"AP8=","messageExpiry":60,
                "userProperties":[["b","1"],["a","2"],["b","3"]],"payloadFormat":1}"#,
        )
        .unwrap();
        assert_eq!(whole.check(b"x"), Ok(()));
        assert_eq!(whole.user_properties[2], ("b".into(), "3".into()));
        assert_eq!(read(r#"{"userProperties":{"b":"1","a":"2"}}"#).unwrap().user_properties.len(), 2);
        assert_eq!(read("{}").unwrap(), Properties::default());
        for bad in [
            r#"{"contenttype":"x"}"#,
            r#"{"messageExpiry":-1}"#,
            r#"{"userProperties":[["a"]]}"#,
            r#"{"userProperties":"a"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_mqtt_forbids_is_named() {
        let cases = [
            (Properties { content_type: Some("a\0".into()), ..Default::default() }, "contentType"),
            (Properties { response_topic: Some("a/#".into()), ..Default::default() }, "responseTopic"),
            (Properties { correlation_data: Some("?".into()), ..Default::default() }, "correlationData"),
            (
                Properties { user_properties: vec![("a".into(), "x".repeat(65_536))], ..Default::default() },
                "userProperties",
            ),
            (Properties { payload_format: Some(2), ..Default::default() }, "payloadFormat"),
            (Properties { payload_format: Some(1), ..Default::default() }, "payloadFormat"),
        ];
        for (properties, named) in cases {
            assert!(properties.check(&[0xff]).unwrap_err().contains(named), "{named}");
        }
    }
}
