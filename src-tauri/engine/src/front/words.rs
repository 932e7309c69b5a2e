//! What a front says of a connection, in words.

use super::Way;
use super::packet::{Connect, Fact};
use crate::feed::event::{Ack, Facts};
use crate::mqtt::words as codes;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

pub(super) const NO_GOODBYE: &str = "the connection was closed without DISCONNECT";

pub(super) fn sender(way: Way) -> &'static str {
    match way {
        Way::FromClient => "the client",
        Way::ToClient => "the broker",
    }
}

/// As whom a client comes.
pub(super) fn who(connect: &Connect) -> String {
    let mut parts = vec![];
    if let Some(name) = &connect.username {
        parts.push(format!("user “{name}”"));
    }
    if !connect.last5.is_empty() {
        parts.push(format!("password …{}", connect.last5));
    }
    if parts.is_empty() { "no user name".to_owned() } else { parts.join(" · ") }
}

/// What else is worth knowing of it.
pub(super) fn rest(connect: &Connect, address: IpAddr) -> String {
    let mut parts = vec![match connect.keep_alive {
        0 => "no keep-alive".to_owned(),
        seconds => format!("keep-alive {seconds} s"),
    }];
    parts.push(if connect.clean_start { "clean start" } else { "session kept" }.to_owned());
    if let Some(will) = &connect.will {
        parts.push(format!("will on {}", will.topic));
    }
    parts.push(format!("from {address}"));
    parts.join(" · ")
}

/// Everything a CONNECT says.
pub(super) fn connect_facts(connect: &Connect) -> Facts {
    let mut facts: Vec<Fact> = vec![];
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    add("client id", connect.client_id.clone());
    if let Some(name) = &connect.username {
        add("user name", name.clone());
    }
    if !connect.last5.is_empty() {
        add("password ending", connect.last5.clone());
    }
    add("clean start", if connect.clean_start { "yes" } else { "no" }.to_owned());
    add("keep-alive", format!("{} s", connect.keep_alive));
    if let Some(will) = &connect.will {
        add("will topic", will.topic.clone());
        add("will QoS", u8::from(will.qos).to_string());
        add("will retained", if will.retain { "yes" } else { "no" }.to_owned());
        add("will size", format!("{} B", will.payload.len()));
    }
    facts.extend(connect.properties.iter().cloned());
    Facts::from(facts)
}

/// An acknowledgement's code; a success is named by its step.
pub(super) fn acknowledged(ack: Ack, code: u8) -> String {
    match (ack, code) {
        (Ack::PubAck, 0) => "acknowledged".to_owned(),
        (Ack::PubRec, 0) => "received".to_owned(),
        (Ack::PubRel, 0) => "released".to_owned(),
        (Ack::PubComp, 0) => "completed".to_owned(),
        _ => codes::reason(code),
    }
}

/// The broker ended a connection from which nothing had come for so long.
pub(super) fn keep_alive_passed(silent: Duration, keep_alive: u16) -> Option<String> {
    // Brokers allow one and a half times (MQTT-3.1.2-24); their clock began some milliseconds earlier.
    let late = keep_alive > 0 && silent + Duration::from_millis(100) >= Duration::from_secs(keep_alive.into()) * 3 / 2;
    late.then(|| format!("nothing came within one and a half times the keep-alive of {keep_alive} s"))
}

/// How a socket ended.
pub(super) fn broken(side: &str, error: io::ErrorKind) -> String {
    match error {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            format!("reset by {side}")
        }
        io::ErrorKind::UnexpectedEof => format!("{side} closed TLS or WebSocket without saying so"),
        io::ErrorKind::TimedOut => format!("{side} does not answer any more"),
        other => format!("the connection to {side} broke: {other}"),
    }
}
