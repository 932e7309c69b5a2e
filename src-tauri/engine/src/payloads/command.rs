//! A message as the `mosquitto_pub` command that publishes it again, for a POSIX shell. Passwords are never in it.

use crate::Engine;
use crate::feed::Published;
use crate::mqtt::properties::{self, Property};
use crate::store::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_domain::broker::{Broker, BrokerSpec};
use std::fmt::Write;

/// Bytes of a payload that are written into the command; a command line has room for about 128 KiB in one word.
const LONGEST: usize = 64 * 1024;

impl Engine {
    /// The command; `None` when the payload is too long for one.
    pub(crate) async fn command(&self, published: &Published) -> Result<Option<String>, StoreError> {
        if published.payload.len() > LONGEST {
            return Ok(None);
        }
        let brokers = self.store.brokers().await?;
        let relays = self.store.relays().await?;
        let relay = relays.iter().find(|relay| *relay.name == *published.source);
        let broker = match relay {
            Some(relay) => brokers.iter().find(|broker| broker.id == relay.broker_id),
            None => brokers.iter().find(|broker| *broker.name == *published.source),
        };
        Ok(Some(command(published, &address(broker))))
    }
}

/// The options that name the broker.
fn address(broker: Option<&Broker>) -> String {
    match broker.map(|broker| &broker.spec) {
        Some(BrokerSpec::Embedded(embedded)) => format!("-h 127.0.0.1 -p {}", embedded.port),
        Some(BrokerSpec::External(at)) => {
            let mut out = format!("-h {} -p {}", quoted(&at.host), at.port);
            if at.transport.is_tls() {
                out.push_str(" --tls-use-os-certs");
            }
            if let Some(username) = &at.username {
                let _ = write!(out, " -u {}", quoted(username));
            }
            out
        }
        None => "-h 127.0.0.1 -p 1883".to_owned(),
    }
}

fn command(published: &Published, address: &str) -> String {
    let Published { topic, payload, qos, retain, .. } = published;
    let mut out = format!("mosquitto_pub {address} -t {} -q {}", quoted(topic), u8::from(*qos));
    if *retain {
        out.push_str(" -r");
    }
    let (options, left_out) = options(&published.properties);
    if !options.is_empty() {
        out.push_str(" -V 5");
        out.push_str(&options);
    }
    match std::str::from_utf8(payload) {
        Ok("") => out.push_str(" -n"),
        Ok(text) if !text.contains('\0') => {
            let _ = write!(out, " -m {}", quoted(text));
        }
        _ => out = format!("echo {} | base64 -d | {out} -s", STANDARD.encode(payload)),
    }
    if left_out {
        out.push_str(" # without its correlation data, which is no text");
    }
    out
}

/// The options for MQTT 5 properties, and whether bytes had to be left out: a command line has text only.
fn options(words: &[(String, String)]) -> (String, bool) {
    let (mut out, mut left_out) = (String::new(), false);
    for property in properties::read(words) {
        let (name, value) = match property {
            Property::PayloadFormat { utf8 } => ("payload-format-indicator", u8::from(utf8).to_string()),
            Property::Expiry(seconds) => ("message-expiry-interval", seconds.to_string()),
            Property::ContentType(kind) => ("content-type", quoted(kind)),
            Property::ResponseTopic(topic) => ("response-topic", quoted(topic)),
            Property::Correlation(data) => match String::from_utf8(data) {
                Ok(text) if !text.chars().any(char::is_control) => ("correlation-data", quoted(&text)),
                _ => {
                    left_out = true;
                    continue;
                }
            },
            Property::User(name, value) => ("user-property", format!("{} {}", quoted(name), quoted(value))),
        };
        let _ = write!(out, " -D publish {name} {value}");
    }
    (out, left_out)
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Place;
    use bytes::Bytes;
    use relayscope_domain::message::Qos;

    #[test]
    fn commands_are_safe_for_a_shell() {
        let of = |topic: &str, payload: &'static [u8]| Published {
            place: Place::Feed,
            seq: 1,
            source: "".into(),
            topic: topic.into(),
            payload: Bytes::from_static(payload),
            cut_from: None,
            qos: Qos::AtLeastOnce,
            retain: true,
            properties: vec![],
        };
        for (message, expected) in [
            (of("a/b", b"{\"t\":1}"), "mosquitto_pub -h h -t a/b -q 1 -r -m '{\"t\":1}'"),
            (of("a b/$x", b"it's"), r"mosquitto_pub -h h -t 'a b/$x' -q 1 -r -m 'it'\''s'"),
            (of("a", b""), "mosquitto_pub -h h -t a -q 1 -r -n"),
            (of("a", b"\xff\x00"), "echo /wA= | base64 -d | mosquitto_pub -h h -t a -q 1 -r -s"),
        ] {
            assert_eq!(command(&message, "-h h"), expected);
        }
    }

    #[test]
    fn properties_come_along_as_far_as_a_command_line_has_room_for_them() {
        let words = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect::<Vec<_>>()
        };
        let all = words(&[
            ("Payload format", "UTF-8 text"),
            ("Message expiry", "60 s"),
            ("Content type", "text/plain"),
            ("Response topic", "a b"),
            ("Correlation data", "it's 7"),
            ("User property site", "no 1"),
            ("Subscription identifier", "3"),
        ]);
        let expected = r" -D publish payload-format-indicator 1 -D publish message-expiry-interval 60 \
            -D publish content-type text/plain -D publish response-topic 'a b' \
            -D publish correlation-data 'it'\''s 7' -D publish user-property site 'no 1'";
        let expected = expected.replace("\\\n            ", "");
        assert_eq!(options(&all), (expected, false));
        assert_eq!(options(&words(&[("Correlation data", "0x00ff")])), (String::new(), true));
    }
}
