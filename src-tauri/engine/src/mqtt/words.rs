//! MQTT's codes and the errors of a connection in words.
//!
//! A code is shown as `0x86 bad user name or password`. A [`Failure`] says what happened, what to do, and whether trying
//! again can help. Nothing here decides when to try again; that is the session's.

pub use super::failure::Failure;

use crate::mqtt::trust;
use std::error::Error as StdError;
use std::io;

mod codes;
pub use codes::*;

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

/// A TLS handshake that the other side cut short.
pub(crate) fn handshake_cut() -> Failure {
    Failure::new(
        "The connection was closed during the TLS handshake.",
        "Check the port: it may speak plain text (1883) instead of TLS (8883).",
        false,
    )
}

pub(crate) fn timed_out() -> Failure {
    Failure::new(
        "The broker did not answer in time.",
        "Check host and port, and whether a firewall stands between.",
        false,
    )
}

pub(crate) fn no_ping() -> Failure {
    Failure::new(
        "The broker did not answer the keep-alive ping.",
        "The network or the broker is down or overloaded.",
        false,
    )
}

pub(crate) fn closed() -> Failure {
    Failure::new(
        "The broker closed the connection.",
        "Its log says why. Check the port, and that no other client has the same client id.",
        false,
    )
}

pub(crate) fn too_large(size: usize) -> Failure {
    Failure::new(
        format!("A packet of {size} bytes came; more than Relayscope takes."),
        "Have the publisher send less at once.",
        false,
    )
}

pub(crate) fn no_connack() -> Failure {
    Failure::new(
        "The broker answered CONNECT with another packet.",
        "Something other than an MQTT broker may listen there.",
        false,
    )
}

pub(crate) fn no_subprotocol() -> Failure {
    Failure::new(
        "The WebSocket was accepted, but not for MQTT.",
        "Check the path; brokers often use /mqtt or /ws.",
        true,
    )
}

pub(crate) fn malformed(error: &(dyn StdError + 'static)) -> Failure {
    Failure::new(
        format!("The broker's answer is not valid MQTT ({error})."),
        "Check the port and the MQTT version. Something other than an MQTT broker may listen there.",
        false,
    )
}

pub(crate) fn websocket(error: &(dyn StdError + 'static)) -> Failure {
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
            return Some(trust::explain(found));
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
            return trust::explain(found);
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
        io::ErrorKind::UnexpectedEof if text.contains("tls handshake") => return handshake_cut(),
        io::ErrorKind::UnexpectedEof => ("The broker closed the connection.", "Its log says why."),
        io::ErrorKind::PermissionDenied => ("This system does not allow the connection.", "Check the local firewall."),
        _ => return Failure::new(format!("The connection failed: {text}."), "Check host and port.", false),
    };
    Failure::new(words, advice, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_whether_a_person_is_needed() {
        for (code, fatal) in [(1, true), (2, true), (3, false), (4, true), (5, true), (77, false)] {
            let failure = refused_v4(code);
            assert_eq!((failure.fatal, failure.code), (fatal, Some(code)), "{failure:?}");
        }
        for (code, fatal) in
            [(0x84, true), (0x86, true), (0x87, true), (0x88, false), (0x89, false), (0x97, false), (0x9d, true)]
        {
            assert_eq!(refused_v5(code).fatal, fatal, "{code:#x}");
        }
        assert!(!disconnected_v5(0x8e, None).fatal, "a take-over must not stop a relay for good");
    }

    #[test]
    fn errors_of_sockets_become_words() {
        let refused = from_io(&io::ErrorKind::ConnectionRefused.into());
        assert!(refused.words.contains("refused") && !refused.fatal, "{refused:?}");
        assert_eq!(from_io(&io::ErrorKind::ConnectionReset.into()).words, "The connection was cut.");
        let gone = disconnected_v5(0x8b, Some("restart"));
        assert_eq!(
            (gone.words.as_str(), gone.fatal),
            ("The broker disconnected: 0x8b broker shutting down (“restart”).", false)
        );
    }

    #[test]
    fn tls_errors_are_found_inside_socket_errors() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        let failure = from_io(&io::Error::new(io::ErrorKind::InvalidData, alert));
        assert_eq!((failure.words.as_str(), failure.fatal), ("The broker asks for a client certificate.", true));
    }
}
