//! MQTT's codes and the client library's errors in words.
//!
//! A code is shown as `0x86 bad user name or password`. A [`Failure`] says what happened, what to do, and whether trying
//! again can help. Nothing here decides when to try again; that is the session's.

use crate::mqtt::tls;
use rumqttc::v5;
use std::error::Error as StdError;
use std::io;

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened: one sentence.
    pub words: String,
    /// What to do; empty when there is nothing but to wait.
    pub advice: String,
    /// Whether only a person can mend it, so that trying again is of no use.
    pub fatal: bool,
    /// The MQTT code that came, if one did.
    pub code: Option<u8>,
}

impl Failure {
    /// A failure without a code.
    pub fn new(words: impl Into<String>, advice: impl Into<String>, fatal: bool) -> Self {
        Self { words: words.into(), advice: advice.into(), fatal, code: None }
    }
}

/// A CONNACK code of MQTT 3.1.1 in words (section 3.2.2.3).
pub fn connack_v4(code: u8) -> String {
    let words = match code {
        0x00 => "accepted",
        0x01 => "protocol version not accepted",
        0x02 => "client id rejected",
        0x03 => "broker unavailable",
        0x04 => "bad user name or password",
        0x05 => "not authorized",
        _ => "unknown code",
    };
    format!("0x{code:02x} {words}")
}

/// A SUBACK code of MQTT 3.1.1 in words (section 3.9.3).
pub fn suback_v4(code: u8) -> String {
    match code {
        0..=2 => format!("granted QoS {code}"),
        0x80 => "0x80 refused".to_owned(),
        _ => format!("0x{code:02x} unknown code"),
    }
}

/// A SUBACK code of MQTT 5 in words (section 3.9.3).
pub fn suback_v5(code: u8) -> String {
    if code <= 2 { format!("granted QoS {code}") } else { reason(code) }
}

/// A reason code of MQTT 5 in words (section 2.4). `0x00` to `0x02` are the successes of acknowledgements; for SUBACK see
/// [`suback_v5`].
pub fn reason(code: u8) -> String {
    format!("0x{code:02x} {}", reason_words(code))
}

fn reason_words(code: u8) -> &'static str {
    match code {
        0x00 => "success",
        0x01 => "granted QoS 1",
        0x02 => "granted QoS 2",
        0x04 => "disconnected, will to be sent",
        0x10 => "no matching subscribers",
        0x11 => "no subscription existed",
        0x18 => "continue authentication",
        0x19 => "authenticate again",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "protocol version not supported",
        0x85 => "client id not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "broker unavailable",
        0x89 => "broker busy",
        0x8a => "banned",
        0x8b => "broker shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep-alive timed out",
        0x8e => "session taken over",
        0x8f => "topic filter not valid",
        0x90 => "topic name not valid",
        0x91 => "packet identifier in use",
        0x92 => "packet identifier not found",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias not valid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format not valid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9e => "shared subscriptions not supported",
        0x9f => "connection rate exceeded",
        0xa0 => "maximum connect time",
        0xa1 => "subscription identifiers not supported",
        0xa2 => "wildcard subscriptions not supported",
        _ => "unknown code",
    }
}

/// A refused CONNECT of MQTT 3.1.1.
pub fn refused_v4(code: u8) -> Failure {
    let (advice, fatal) = match code {
        0x01 => ("Choose the other MQTT version.", true),
        0x02 => ("Enter another client id; the broker allows only some.", true),
        0x03 => ("The broker asks to come back later.", false),
        0x04 => ("Correct the user name and the password.", true),
        0x05 => ("Check user name and password, and whether the broker allows this client id.", true),
        _ => ("Look at the broker's log.", false),
    };
    Failure {
        words: format!("The broker refused: {}.", connack_v4(code)),
        advice: advice.into(),
        fatal,
        code: Some(code),
    }
}

/// A refused CONNECT of MQTT 5.
pub fn refused_v5(code: u8) -> Failure {
    let (advice, fatal) = advice_v5(code);
    Failure { words: format!("The broker refused: {}.", reason(code)), advice: advice.into(), fatal, code: Some(code) }
}

/// A DISCONNECT that the broker sent (MQTT 5), with its reason string.
pub fn disconnected_v5(code: u8, text: Option<&str>) -> Failure {
    let said = text.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!(" (“{text}”)"));
    let (advice, fatal) = match code {
        0x00 => ("", false),
        0x8e => ("Another client connected with the same client id. Give each its own.", false),
        other => advice_v5(other),
    };
    Failure {
        words: format!("The broker disconnected: {}{said}.", reason(code)),
        advice: advice.into(),
        fatal,
        code: Some(code),
    }
}

fn advice_v5(code: u8) -> (&'static str, bool) {
    match code {
        0x84 => ("Choose MQTT 3.1.1.", true),
        0x85 => ("Enter another client id; the broker allows only some.", true),
        0x86 => ("Correct the user name and the password.", true),
        0x87 => ("Check user name and password, and what the broker allows this client.", true),
        0x8a => ("Ask who runs the broker to lift the ban.", true),
        0x8c => ("The broker wants an authentication method that Relayscope does not have.", true),
        0x8f => ("Correct the topic filter.", true),
        0x90 => ("Correct the topic of the last will.", true),
        0x95 => ("Shorten the last will, or raise the broker's packet limit.", true),
        0x99 => ("Correct the payload of the last will.", true),
        0x9a => ("Switch retain off for the last will.", true),
        0x9b => ("Choose a lower QoS.", true),
        0x9d => ("Enter the broker's new address.", true),
        0x9e => ("Use filters without $share.", true),
        0xa2 => ("Use filters without wildcards.", true),
        0x88 | 0x89 | 0x8b | 0x96 | 0x97 | 0x9c | 0x9f | 0xa0 => ("The broker asks to come back later.", false),
        0x93 => ("The broker received more unacknowledged messages than it allows.", false),
        0x98 => ("Somebody ended the connection at the broker.", false),
        _ => ("Look at the broker's log.", false),
    }
}

/// The number of a CONNACK code as the library names it; both versions share the library's type names, not the numbers.
pub fn connack_code_v4(code: rumqttc::ConnectReturnCode) -> u8 {
    use rumqttc::ConnectReturnCode as Code;
    match code {
        Code::Success => 0,
        Code::RefusedProtocolVersion => 1,
        Code::BadClientId => 2,
        Code::ServiceUnavailable => 3,
        Code::BadUserNamePassword => 4,
        Code::NotAuthorized => 5,
    }
}

/// The number of a CONNACK reason code of MQTT 5.
pub fn connack_code_v5(code: v5::mqttbytes::v5::ConnectReturnCode) -> u8 {
    use v5::mqttbytes::v5::ConnectReturnCode as Code;
    match code {
        Code::Success => 0x00,
        Code::RefusedProtocolVersion | Code::UnsupportedProtocolVersion => 0x84,
        Code::BadClientId | Code::ClientIdentifierNotValid => 0x85,
        Code::ServiceUnavailable | Code::ServerUnavailable => 0x88,
        Code::UnspecifiedError => 0x80,
        Code::MalformedPacket => 0x81,
        Code::ProtocolError => 0x82,
        Code::ImplementationSpecificError => 0x83,
        Code::BadUserNamePassword => 0x86,
        Code::NotAuthorized => 0x87,
        Code::ServerBusy => 0x89,
        Code::Banned => 0x8a,
        Code::BadAuthenticationMethod => 0x8c,
        Code::TopicNameInvalid => 0x90,
        Code::PacketTooLarge => 0x95,
        Code::QuotaExceeded => 0x97,
        Code::PayloadFormatInvalid => 0x99,
        Code::RetainNotSupported => 0x9a,
        Code::QoSNotSupported => 0x9b,
        Code::UseAnotherServer => 0x9c,
        Code::ServerMoved => 0x9d,
        Code::ConnectionRateExceeded => 0x9f,
    }
}

/// The number of a SUBACK reason code of MQTT 5.
pub fn suback_code_v5(code: v5::mqttbytes::v5::SubscribeReasonCode) -> u8 {
    use v5::mqttbytes::v5::SubscribeReasonCode as Code;
    match code {
        Code::Success(qos) => qos as u8,
        Code::Failure | Code::Unspecified => 0x80,
        Code::ImplementationSpecific => 0x83,
        Code::NotAuthorized => 0x87,
        Code::TopicFilterInvalid => 0x8f,
        Code::PkidInUse => 0x91,
        Code::QuotaExceeded => 0x97,
        Code::SharedSubscriptionsNotSupported => 0x9e,
        Code::SubscriptionIdNotSupported => 0xa1,
        Code::WildcardSubscriptionsNotSupported => 0xa2,
    }
}

/// The number of a SUBACK code of MQTT 3.1.1.
pub fn suback_code_v4(code: rumqttc::SubscribeReasonCode) -> u8 {
    match code {
        rumqttc::SubscribeReasonCode::Success(qos) => qos as u8,
        rumqttc::SubscribeReasonCode::Failure => 0x80,
    }
}

/// The number of a PUBACK reason code (MQTT 5).
pub fn puback_code(code: v5::mqttbytes::v5::PubAckReason) -> u8 {
    use v5::mqttbytes::v5::PubAckReason as Code;
    match code {
        Code::Success => 0x00,
        Code::NoMatchingSubscribers => 0x10,
        Code::UnspecifiedError => 0x80,
        Code::ImplementationSpecificError => 0x83,
        Code::NotAuthorized => 0x87,
        Code::TopicNameInvalid => 0x90,
        Code::PacketIdentifierInUse => 0x91,
        Code::QuotaExceeded => 0x97,
        Code::PayloadFormatInvalid => 0x99,
    }
}

/// An error of an MQTT 3.1.1 session.
pub fn from_v4(error: &rumqttc::ConnectionError) -> Failure {
    use rumqttc::{ConnectionError as E, StateError as S};
    match error {
        E::ConnectionRefused(code) => refused_v4(connack_code_v4(*code)),
        E::NetworkTimeout | E::FlushTimeout | E::MqttState(S::CollisionTimeout) => timed_out(),
        E::MqttState(S::AwaitPingResp) => no_ping(),
        E::MqttState(S::ConnectionAborted) => closed(),
        E::MqttState(S::Deserialization(rumqttc::mqttbytes::Error::PayloadSizeLimitExceeded(size))) => too_large(*size),
        E::MqttState(S::Deserialization(rumqttc::mqttbytes::Error::InvalidConnectReturnCode(code))) => {
            refused_v5(*code)
        }
        E::NotConnAck(_) => no_connack(),
        E::RequestsDone => done(),
        E::Websocket(inner) => websocket(inner),
        E::ResponseValidation(_) => no_subprotocol(),
        E::Tls(inner) => from_source(inner).unwrap_or_else(|| tls_failed(inner)),
        other => from_source(other).unwrap_or_else(|| malformed(other)),
    }
}

/// An error of an MQTT 5 session.
pub fn from_v5(error: &v5::ConnectionError) -> Failure {
    use v5::mqttbytes::Error as M;
    use v5::{ConnectionError as E, StateError as S};
    match error {
        E::ConnectionRefused(code) => refused_v5(connack_code_v5(*code)),
        E::MqttState(S::ConnFail { reason }) => refused_v5(connack_code_v5(*reason)),
        E::MqttState(S::ServerDisconnect { reason_code, reason_string }) => {
            disconnected_v5(*reason_code as u8, reason_string.as_deref())
        }
        E::Timeout(_) | E::MqttState(S::CollisionTimeout) => timed_out(),
        E::MqttState(S::AwaitPingResp) => no_ping(),
        E::MqttState(S::ConnectionAborted) => closed(),
        E::MqttState(S::IncomingPacketTooLarge { pkt_size, .. }) => too_large(*pkt_size),
        E::MqttState(S::Deserialization(M::PayloadSizeLimitExceeded { pkt_size, .. })) => too_large(*pkt_size),
        // A broker without MQTT 5 answers with a code of 3.1.1.
        E::MqttState(S::Deserialization(M::InvalidConnectReturnCode(code))) => refused_v4(*code),
        E::NotConnAck(_) => no_connack(),
        E::RequestsDone => done(),
        E::Websocket(inner) => websocket(inner),
        E::ResponseValidation(_) => no_subprotocol(),
        E::Tls(inner) => from_source(inner).unwrap_or_else(|| tls_failed(inner)),
        other => from_source(other).unwrap_or_else(|| malformed(other)),
    }
}

fn timed_out() -> Failure {
    Failure::new(
        "The broker did not answer in time.",
        "Check host and port, and whether a firewall stands between.",
        false,
    )
}

fn no_ping() -> Failure {
    Failure::new(
        "The broker did not answer the keep-alive ping.",
        "The network or the broker is down or overloaded.",
        false,
    )
}

fn closed() -> Failure {
    Failure::new(
        "The broker closed the connection.",
        "Its log says why. Check the port, and that no other client has the same client id.",
        false,
    )
}

fn too_large(size: usize) -> Failure {
    Failure::new(
        format!("A packet of {size} bytes came; more than Relayscope takes."),
        "Have the publisher send less at once.",
        false,
    )
}

fn no_connack() -> Failure {
    Failure::new(
        "The broker answered CONNECT with another packet.",
        "Something other than an MQTT broker may listen there.",
        false,
    )
}

fn done() -> Failure {
    Failure::new("The session was ended here.", "", false)
}

fn no_subprotocol() -> Failure {
    Failure::new(
        "The WebSocket was accepted, but not for MQTT.",
        "Check the path; brokers often use /mqtt or /ws.",
        true,
    )
}

fn malformed(error: &(dyn StdError + 'static)) -> Failure {
    Failure::new(
        format!("The broker's answer is not valid MQTT ({error})."),
        "Check the port and the MQTT version. Something other than an MQTT broker may listen there.",
        false,
    )
}

fn tls_failed(error: &(dyn StdError + 'static)) -> Failure {
    Failure::new(format!("TLS failed: {error}."), "Check the TLS settings.", true)
}

fn websocket(error: &(dyn StdError + 'static)) -> Failure {
    if let Some(found) = from_source(error) {
        return found;
    }
    // The library's error type is not ours to name; its text carries the status.
    let text = error.to_string();
    let Some(status) = text.strip_prefix("HTTP error: ") else {
        return Failure::new(
            format!("The answer is no WebSocket ({text})."),
            "Check port and path; the port may speak plain MQTT.",
            false,
        );
    };
    let (advice, fatal) = match status.get(..3) {
        Some("401" | "403") => ("The server in front of the broker refuses us; check what it asks for.", true),
        Some("404" | "400" | "405") => ("Check the path; brokers often use /mqtt or /ws.", false),
        Some(status) if status.starts_with('3') => ("It points elsewhere; enter the final address.", true),
        _ => ("The server in front of the broker has a problem; its log says more.", false),
    };
    Failure::new(format!("The WebSocket was refused: HTTP {status}."), advice, fatal)
}

/// Looks for a TLS or socket error in an error and its sources.
pub fn from_source(error: &(dyn StdError + 'static)) -> Option<Failure> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<rustls::Error>() {
            return Some(tls::explain(found));
        }
        if let Some(found) = current.downcast_ref::<io::Error>() {
            return Some(from_io(found));
        }
        next = current.source();
    }
    None
}

/// A socket's error in words; TLS errors inside it included.
pub fn from_io(error: &io::Error) -> Failure {
    if let Some(inner) = error.get_ref() {
        if let Some(found) = inner.downcast_ref::<rustls::Error>() {
            return tls::explain(found);
        }
        if let Some(found) = inner.downcast_ref::<io::Error>() {
            return from_io(found);
        }
    }
    let text = error.to_string();
    if text.contains("lookup address information")
        || text.contains("resolve to any address")
        || text.contains("No such host")
    {
        return Failure::new(
            "The host name can't be resolved.",
            "Check the spelling of the host and the network's name server.",
            false,
        );
    }
    let (words, advice) = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            ("Nothing listens there: the connection was refused.", "Check the port, and whether the broker runs.")
        }
        io::ErrorKind::TimedOut => {
            ("No answer: the connection timed out.", "Check host and port, and whether a firewall stands between.")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            ("The network does not reach that address.", "Check the network connection, and a VPN if one is needed.")
        }
        io::ErrorKind::AddrNotAvailable => ("That address can't be used from here.", "Check the host."),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            ("The connection was cut.", "The broker or something between ended it; its log says why.")
        }
        io::ErrorKind::UnexpectedEof if text.contains("tls handshake") => (
            "The connection was closed during the TLS handshake.",
            "Check the port: it may speak plain text (1883) instead of TLS (8883).",
        ),
        io::ErrorKind::UnexpectedEof => ("The broker closed the connection.", "Its log says why."),
        io::ErrorKind::PermissionDenied => ("This system does not allow the connection.", "Check the local firewall."),
        _ => return Failure::new(format!("The connection failed: {text}."), "Check host and port.", false),
    };
    Failure::new(words, advice, false)
}
