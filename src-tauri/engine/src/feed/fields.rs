//! The details of an event, each with its label and, where the specification of MQTT says what it is, the section.

use super::event::{Direction, Event, Kind};
use super::row::{self, took_words, unix_millis};
use super::sections;
use crate::api::wire::Field;

/// A label and a value.
type Pair<'a> = (&'a str, String);

/// All details of an event, in the order they are shown.
pub(super) fn fields(event: &Event) -> Vec<Field> {
    let mut pairs = vec![("Source", event.source.to_string()), ("Client", event.client.to_string())];
    pairs.extend(event.connection.map(|connection| ("Connection", connection.to_string())));
    pairs.extend(event.message_id.map(|id| ("Message id", id.to_string())));
    pairs.extend(of(&event.kind));
    pairs.push(("Time", row::date_and_clock(event.at)));
    pairs.push(("Time (Unix ms)", unix_millis(event.at).to_string()));
    let section = |label| sections::of(&event.kind, label).map(str::to_owned);
    pairs.into_iter().map(|(label, value)| Field { label: label.to_owned(), value, section: section(label) }).collect()
}

/// What is said of this kind only.
fn of(kind: &Kind) -> Vec<Pair<'_>> {
    match kind {
        Kind::Accepted { listener } => vec![("Listener", listener.to_string())],
        Kind::Secured { result: Ok(facts) } => named(facts).collect(),
        Kind::Secured { result: Err(reason) } => vec![("Reason", reason.clone())],
        Kind::Connect { version, facts, .. } => {
            let version = ("Version", row::version_words(*version).to_owned());
            std::iter::once(version).chain(named(facts)).collect()
        }
        Kind::Connected { .. } => connected(kind),
        Kind::Refused { code, reason } => code.map(coded).into_iter().chain([("Reason", reason.clone())]).collect(),
        Kind::Acknowledged { .. } => acknowledged(kind),
        Kind::Ping { took, .. } => took.map(|took| ("Duration", took_words(took))).into_iter().collect(),
        Kind::Malformed { direction, size, reason, .. } => {
            vec![("From", side(*direction)), ("Size", format!("{size} B")), ("Reason", reason.clone())]
        }
        Kind::OverLimit { what, limit, reached } => {
            vec![("Limit", what.to_string()), ("Allowed", limit.to_string()), ("Reached", reached.to_string())]
        }
        Kind::Subscribed { filter, requested, granted } => {
            let granted = match granted {
                Ok(granted) => ("QoS granted", u8::from(*granted).to_string()),
                Err(reason) => ("Refused", reason.clone()),
            };
            vec![("Filter", filter.to_string()), ("QoS asked for", u8::from(*requested).to_string()), granted]
        }
        Kind::Unsubscribed { filter } => vec![("Filter", filter.to_string())],
        Kind::Publish { .. } => published(kind),
        Kind::Queued { topic, entry } => vec![("Topic", topic.to_string()), ("Entry", entry.to_string())],
        Kind::Delivered { .. } | Kind::Retry { .. } | Kind::DeadLetter { .. } => attempted(kind),
        Kind::DryRun { topic, request } => vec![("Topic", topic.to_string()), ("Request", request.clone())],
        Kind::Dropped { topic, count, reason } => {
            let rest = [("Count", count.to_string()), ("Reason", reason.clone())];
            topic_if_any(topic).into_iter().chain(rest).collect()
        }
        Kind::Disconnected { code, reason, clean } => {
            let rest = [("Reason", reason.clone()), ("As intended", yes(*clean))];
            code.map(coded).into_iter().chain(rest).collect()
        }
        Kind::Closed { cause, lasted, received, sent, pings } => {
            let counts = |(messages, bytes): &(u64, u64)| format!("{messages} messages, {bytes} B");
            vec![
                ("Cause", cause.clone()),
                ("Lasted", took_words(*lasted)),
                ("From the client", counts(received)),
                ("To the client", counts(sent)),
                ("Pings", pings.to_string()),
            ]
        }
        Kind::Note { text, .. } => vec![("Content", text.clone())],
    }
}

fn connected(kind: &Kind) -> Vec<Pair<'_>> {
    let Kind::Connected { session_present, will, token_last5, facts, .. } = kind else { return vec![] };
    let mut pairs = vec![
        ("Content", row::preview(kind).into_owned()),
        ("Session present", yes(*session_present)),
        ("Will message", yes(*will)),
    ];
    if !token_last5.is_empty() {
        pairs.push(("Token ending", token_last5.clone()));
    }
    pairs.extend(named(facts));
    pairs
}

fn acknowledged(kind: &Kind) -> Vec<Pair<'_>> {
    let Kind::Acknowledged { direction, packet_id, topic, code, reason, took, .. } = kind else { return vec![] };
    let mut pairs = vec![
        ("Packet", row::word(kind).to_uppercase()),
        ("From", side(*direction)),
        ("Packet id", packet_id.to_string()),
    ];
    pairs.extend(topic_if_any(topic));
    pairs.extend([coded(*code), ("Reason", reason.clone())]);
    pairs.extend(took.map(|took| ("Since its PUBLISH", took_words(took))));
    pairs
}

fn published(kind: &Kind) -> Vec<Pair<'_>> {
    let Kind::Publish { topic, payload, qos, retain, dup, packet_id, properties, cut_from, .. } = kind else {
        return vec![];
    };
    let mut pairs = vec![
        ("Topic", topic.to_string()),
        ("QoS", u8::from(*qos).to_string()),
        ("Retained", yes(*retain)),
        ("Duplicate", yes(*dup)),
    ];
    pairs.extend(packet_id.map(|id| ("Packet id", id.to_string())));
    let size = match cut_from {
        None => format!("{} B", payload.len()),
        Some(size) => format!("{size} B, of which the first {} are kept", payload.len()),
    };
    pairs.push(("Size", size));
    pairs.extend(named(properties));
    pairs
}

/// A delivery that was tried: taken, to be tried again, or given up.
fn attempted(kind: &Kind) -> Vec<Pair<'_>> {
    let status = |status: &Option<u16>| status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    match kind {
        Kind::Delivered { topic, status, took, attempt, answer } => vec![
            ("Topic", topic.to_string()),
            ("HTTP status", status.to_string()),
            ("Duration", took_words(*took)),
            ("Attempt", attempt.to_string()),
            ("Answer", answer.to_string()),
        ],
        Kind::Retry { topic, status: answered, took, attempt, reason, next } => vec![
            ("Topic", topic.to_string()),
            ("HTTP status", status(answered)),
            ("Duration", took_words(*took)),
            ("Attempt", attempt.to_string()),
            ("Reason", reason.clone()),
            ("Next try", row::clock(*next)),
        ],
        Kind::DeadLetter { topic, status: answered, attempts, reason } => vec![
            ("Topic", topic.to_string()),
            ("HTTP status", status(answered)),
            ("Attempts", attempts.to_string()),
            ("Reason", reason.clone()),
        ],
        _ => vec![],
    }
}

fn named(facts: &[(String, String)]) -> impl Iterator<Item = Pair<'_>> {
    facts.iter().map(|(name, value)| (name.as_str(), value.clone()))
}

fn topic_if_any(topic: &str) -> Option<Pair<'static>> {
    (!topic.is_empty()).then(|| ("Topic", topic.to_owned()))
}

fn coded(code: u8) -> Pair<'static> {
    ("Code", format!("{code} (0x{code:02x})"))
}

fn side(direction: Direction) -> String {
    if direction == Direction::In { "client" } else { "broker" }.to_owned()
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
