//! A message that was seen as one to publish: what the form would have to hold for the same bytes to go out again.

use crate::feed::Published;
use crate::mqtt::properties::{self, Property};
use relayscope_domain::decode::encode::{self, Form};
use relayscope_domain::publish::{CorrelationForm, MessageDraft, PayloadSource, PropertiesDraft, UserProperty};

/// The draft; `None` when only the payload's beginning was kept. What belongs to the connection it was seen on, such as
/// a topic alias, is left out.
pub(crate) fn draft(published: &Published) -> Option<MessageDraft> {
    if published.cut_from.is_some() {
        return None;
    }
    let payload = &published.payload;
    let typed = encode::show(Form::Text, payload).filter(|text| is_typed(text));
    let (source, payload) = match typed {
        Some(text) => (PayloadSource::Text, text),
        None => (PayloadSource::Base64, encode::show(Form::Base64, payload).unwrap_or_default()),
    };
    Some(MessageDraft {
        topic: published.topic.as_ref().into(),
        source,
        payload,
        file_name: String::new(),
        qos: published.qos,
        retain: published.retain,
        properties: of(&published.properties),
    })
}

/// Whether a text field keeps it as it is: it would make a line feed of a carriage return, and drop what can't be seen.
fn is_typed(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn of(words: &[(String, String)]) -> PropertiesDraft {
    let mut draft = PropertiesDraft::default();
    for property in properties::read(words) {
        match property {
            Property::PayloadFormat { utf8 } => draft.utf8 = utf8,
            Property::Expiry(seconds) => draft.expiry = seconds.to_string(),
            Property::ContentType(kind) => draft.content_type = kind.to_owned(),
            Property::ResponseTopic(topic) => draft.response_topic = topic.to_owned(),
            Property::Correlation(data) => (draft.correlation_form, draft.correlation) = correlation(&data),
            Property::User(name, value) => {
                draft.user.push(UserProperty { name: name.to_owned(), value: value.to_owned() });
            }
        }
    }
    draft
}

fn correlation(data: &[u8]) -> (CorrelationForm, String) {
    match encode::show(Form::Text, data).filter(|text| is_typed(text)) {
        Some(text) => (CorrelationForm::Text, text),
        None => (CorrelationForm::Hex, encode::show(Form::Hex, data).unwrap_or_default()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::feed::Place;
    use crate::mqtt::properties::{CONTENT_TYPE, CORRELATION, EXPIRY, PAYLOAD_FORMAT, RESPONSE_TOPIC};
    use crate::mqtt::properties::{TOPIC_ALIAS, correlation_words, user_name};
    use bytes::Bytes;
    use relayscope_domain::message::Qos;
    use relayscope_domain::publish;

    fn seen(payload: &'static [u8], properties: Vec<(String, String)>) -> Published {
        Published {
            place: Place::Feed,
            seq: 1,
            source: "Plant".into(),
            topic: "a/b".into(),
            payload: Bytes::from_static(payload),
            cut_from: None,
            qos: Qos::ExactlyOnce,
            retain: true,
            properties,
        }
    }

    #[test]
    fn any_payload_goes_out_again_byte_by_byte() {
        for (payload, source) in [
            (&b"21.5"[..], PayloadSource::Text),
            (b"", PayloadSource::Text),
            ("{\n\t\"é\": 1}".as_bytes(), PayloadSource::Text),
            (b"two\r\nlines", PayloadSource::Base64),
            (b"a\0b", PayloadSource::Base64),
            (b"\xff\xfe", PayloadSource::Base64),
        ] {
            let draft = draft(&seen(payload, vec![])).unwrap();
            assert_eq!((draft.source, draft.qos, draft.retain), (source, Qos::ExactlyOnce, true));
            assert_eq!(publish::check(&draft).unwrap().payload, payload);
        }
        assert_eq!(draft(&Published { cut_from: Some(9), ..seen(b"begi", vec![]) }), None);
    }

    #[test]
    fn properties_of_the_message_come_along() {
        for data in [&b"7"[..], b"0x01", b"\x00\xff", b"a\r"] {
            let words: Vec<(String, String)> = vec![
                (PAYLOAD_FORMAT.into(), "UTF-8 text".into()),
                (EXPIRY.into(), "60 s".into()),
                (CONTENT_TYPE.into(), "text/plain".into()),
                (RESPONSE_TOPIC.into(), "answers".into()),
                (CORRELATION.into(), correlation_words(data)),
                (user_name("site"), "no 1".into()),
                (user_name("site"), "no 2".into()),
                (TOPIC_ALIAS.into(), "1".into()),
            ];
            let outgoing = publish::check(&draft(&seen(b"x", words)).unwrap()).unwrap().properties;
            assert_eq!(outgoing.correlation.as_deref(), Some(data));
            assert!(outgoing.utf8);
            assert_eq!(outgoing.expiry, Some(60));
            assert_eq!(outgoing.content_type.as_deref(), Some("text/plain"));
            assert_eq!(outgoing.response_topic.as_deref(), Some("answers"));
            let user: Vec<_> = outgoing.user.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
            assert_eq!(user, [("site", "no 1"), ("site", "no 2")]);
        }
    }
}
