//! A message that a person writes: the form's texts, and what they mean. [`check`] turns a [`MessageDraft`] into an
//! [`Outgoing`] or into every problem at its field (MQTT 5.0 section 3.3).

use crate::decode::encode::{self, Form};
use crate::message::Qos;
use crate::problem::{Problem, Problems};
use crate::topic;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use ts_rs::TS;

/// The longest text or binary value of a property, bytes (MQTT 5.0 section 1.5.4).
const LONGEST: usize = 65_535;
/// Most user properties of one message.
const USER_PROPERTIES: usize = 100;
/// The largest payload that is published from a form, bytes.
pub const LARGEST_PAYLOAD: usize = 16 * 1024 * 1024;
/// Most messages of one repetition.
pub const MOST_MESSAGES: u32 = 100_000;
/// The longest interval, milliseconds: an hour.
const LONGEST_INTERVAL: u64 = 3_600_000;

/// Where the payload comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum PayloadSource {
    /// Typed: its UTF-8.
    #[default]
    Text,
    /// Typed, and must be JSON; sent as typed.
    Json,
    /// Typed in hexadecimal digits.
    Hex,
    /// Typed in Base64.
    Base64,
    /// A file's bytes, which the form carries as Base64.
    File,
}

impl PayloadSource {
    /// How it is read.
    pub fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Json => Form::Json,
            Self::Hex => Form::Hex,
            Self::Base64 | Self::File => Form::Base64,
        }
    }
}

/// How correlation data is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CorrelationForm {
    /// Its UTF-8.
    #[default]
    Text,
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

impl CorrelationForm {
    fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Hex => Form::Hex,
            Self::Base64 => Form::Base64,
        }
    }
}

/// A user property as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UserProperty {
    /// Name; may come more than once.
    pub name: String,
    /// Value.
    pub value: String,
}

/// MQTT 5 properties as typed; an empty text sends none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PropertiesDraft {
    /// MIME type of the payload, or whatever the two sides agreed on.
    pub content_type: String,
    /// Where an answer is to be sent.
    pub response_topic: String,
    /// What the answer carries again.
    pub correlation: String,
    /// How that is typed.
    pub correlation_form: CorrelationForm,
    /// Seconds.
    pub expiry: String,
    /// Says that the payload is text in UTF-8 (Payload Format Indicator 1).
    pub utf8: bool,
    /// User properties, in their order.
    pub user: Vec<UserProperty>,
}

/// A message as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MessageDraft {
    /// Topic.
    pub topic: String,
    /// What `payload` is.
    pub source: PayloadSource,
    /// Payload as typed, or a file's bytes in Base64.
    pub payload: String,
    /// With [`PayloadSource::File`]: the file's name.
    pub file_name: String,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker retains it.
    pub retain: bool,
    /// MQTT 5 properties.
    pub properties: PropertiesDraft,
}

/// How often a message is sent, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RepeatDraft {
    /// How many.
    pub count: String,
    /// Milliseconds between two.
    pub every: String,
}

/// MQTT 5 properties of a checked message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutgoingProperties {
    /// Content Type.
    pub content_type: Option<String>,
    /// Response Topic.
    pub response_topic: Option<String>,
    /// Correlation Data.
    pub correlation: Option<Vec<u8>>,
    /// Message Expiry Interval, seconds.
    pub expiry: Option<u32>,
    /// Payload Format Indicator 1.
    pub utf8: bool,
    /// User properties.
    pub user: Vec<UserProperty>,
}

/// A message that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker retains it.
    pub retain: bool,
    /// MQTT 5 properties.
    pub properties: OutgoingProperties,
}

/// How often a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// How many, at least one.
    pub count: u32,
    /// Time between two.
    pub every: Duration,
}

/// The message, or every problem at its field.
pub fn check(draft: &MessageDraft) -> Result<Outgoing, Vec<Problem>> {
    let mut problems = Problems::default();
    problems.take("topic", topic::check_topic(&draft.topic));
    let payload = problems.take("payload", payload(draft)).unwrap_or_default();
    let properties = properties(draft, &payload, &mut problems);
    problems.finish(Outgoing { topic: draft.topic.clone(), payload, qos: draft.qos, retain: draft.retain, properties })
}

/// How often, or every problem at its field.
pub fn check_repeat(draft: &RepeatDraft) -> Result<Repeat, Vec<Problem>> {
    let mut problems = Problems::default();
    let count = number(&draft.count, 1, u64::from(MOST_MESSAGES), "messages");
    let count = problems.take("repeat.count", count).unwrap_or(1);
    let every = number(&draft.every, 1, LONGEST_INTERVAL, "milliseconds");
    let every = problems.take("repeat.every", every).unwrap_or(1);
    problems
        .finish(Repeat { count: u32::try_from(count).unwrap_or(MOST_MESSAGES), every: Duration::from_millis(every) })
}

fn payload(draft: &MessageDraft) -> Result<Vec<u8>, String> {
    let bytes = encode::encode(draft.source.form(), &draft.payload).map_err(|mistake| match draft.source {
        PayloadSource::File => "The file could not be read whole; choose it again.".to_owned(),
        PayloadSource::Text | PayloadSource::Json | PayloadSource::Hex | PayloadSource::Base64 => mistake.message,
    })?;
    if bytes.len() > LARGEST_PAYLOAD {
        return Err(format!("The payload has {} bytes; {LARGEST_PAYLOAD} can be published from here.", bytes.len()));
    }
    Ok(bytes)
}

fn properties(draft: &MessageDraft, payload: &[u8], problems: &mut Problems) -> OutgoingProperties {
    let typed = &draft.properties;
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    problems.take("properties.contentType", text(&typed.content_type));
    if !typed.response_topic.is_empty() {
        problems.take("properties.responseTopic", topic::check_topic(&typed.response_topic));
        if typed.response_topic == draft.topic {
            problems.add("properties.responseTopic", "This is the topic itself; an answer needs another one.");
        }
    }
    let correlation = match typed.correlation.as_str() {
        "" => None,
        typed_as => {
            let bytes = encode::encode(typed.correlation_form.form(), typed_as).map_err(|mistake| mistake.message);
            let bytes = bytes.and_then(|bytes| within(bytes.len()).map(|()| bytes));
            problems.take("properties.correlation", bytes)
        }
    };
    let expiry = match typed.expiry.trim() {
        "" => None,
        typed_as => problems.take("properties.expiry", number(typed_as, 0, u32::MAX.into(), "seconds")),
    };
    if typed.utf8 && std::str::from_utf8(payload).is_err() {
        // MQTT-3.3.2-4: the receiver may check it and refuse the message.
        problems.add("properties.utf8", "The payload is not text in UTF-8; a receiver may refuse it.");
    }
    if typed.user.len() > USER_PROPERTIES {
        problems.add("properties.user", format!("A message has at most {USER_PROPERTIES} user properties here."));
    }
    for (at, one) in typed.user.iter().enumerate() {
        problems.take(&format!("properties.user.{at}.name"), text(&one.name));
        problems.take(&format!("properties.user.{at}.value"), text(&one.value));
    }
    OutgoingProperties {
        content_type: given(&typed.content_type),
        response_topic: given(&typed.response_topic),
        correlation,
        expiry: expiry.and_then(|seconds| u32::try_from(seconds).ok()),
        utf8: typed.utf8,
        user: typed.user.clone(),
    }
}

fn within(bytes: usize) -> Result<(), String> {
    if bytes > LONGEST { Err(format!("It has {bytes} bytes; MQTT allows {LONGEST}.")) } else { Ok(()) }
}

fn text(typed: &str) -> Result<(), String> {
    within(typed.len())?;
    if typed.contains('\0') { Err("It contains the character U+0000, which MQTT forbids.".into()) } else { Ok(()) }
}

fn number(typed: &str, least: u64, most: u64, what: &str) -> Result<u64, String> {
    let wrong = || format!("Enter a whole number of {what} from {least} to {most}.");
    typed.trim().parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn draft() -> MessageDraft {
        MessageDraft { topic: "a/b".into(), ..MessageDraft::default() }
    }

    #[test]
    fn every_form_gives_its_bytes() {
        for (source, typed, expected) in [
            (PayloadSource::Text, "é\n", "é\n".as_bytes()),
            (PayloadSource::Json, "{ \"a\": 1 }", b"{ \"a\": 1 }"),
            (PayloadSource::Hex, "00 ff\n0x10", &[0, 0xff, 0x10]),
            (PayloadSource::Base64, "AP8Q", &[0, 0xff, 0x10]),
            (PayloadSource::File, "AP8Q", &[0, 0xff, 0x10]),
            (PayloadSource::Text, "", b""),
        ] {
            let checked = check(&MessageDraft { source, payload: typed.into(), ..draft() }).unwrap();
            assert_eq!(checked.payload, expected, "{source:?}");
        }
    }

    #[test]
    fn all_problems_come_at_once_at_their_fields() {
        let properties = PropertiesDraft {
            content_type: "a\0".into(),
            response_topic: "a/#".into(),
            correlation: "xyz".into(),
            correlation_form: CorrelationForm::Hex,
            expiry: "soon".into(),
            user: vec![UserProperty { name: "n".into(), value: "v".repeat(LONGEST + 1) }],
            ..PropertiesDraft::default()
        };
        let wrong = MessageDraft {
            topic: "a/+".into(),
            source: PayloadSource::Json,
            payload: "{".into(),
            properties,
            ..draft()
        };
        let fields: Vec<String> = check(&wrong).unwrap_err().into_iter().map(|problem| problem.field).collect();
        let expected = [
            "topic",
            "payload",
            "properties.contentType",
            "properties.responseTopic",
            "properties.correlation",
            "properties.expiry",
            "properties.user.0.value",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_message_does_not_ask_for_an_answer_on_its_own_topic() {
        let properties = PropertiesDraft { response_topic: "a/b".into(), utf8: true, ..PropertiesDraft::default() };
        let wrong = MessageDraft { source: PayloadSource::Hex, payload: "ff".into(), properties, ..draft() };
        let fields: Vec<String> = check(&wrong).unwrap_err().into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["properties.responseTopic", "properties.utf8"]);
    }

    #[test]
    fn repetitions_are_bounded() {
        let repeat = |count: &str, every: &str| check_repeat(&RepeatDraft { count: count.into(), every: every.into() });
        assert_eq!(repeat("3", "250").unwrap(), Repeat { count: 3, every: Duration::from_millis(250) });
        for (count, every, problems) in [("0", "1", 1), ("100001", "0", 2), ("x", "3600001", 2), ("", "", 2)] {
            assert_eq!(repeat(count, every).unwrap_err().len(), problems, "{count} {every}");
        }
    }
}
