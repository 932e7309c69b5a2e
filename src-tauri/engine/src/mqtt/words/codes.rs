//! MQTT's numbers in words.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_with_their_number() {
        assert_eq!(connack_v4(4), "0x04 bad user name or password");
        assert_eq!(connack_v4(0x86), "0x86 unknown code");
        assert_eq!(reason(0x86), "0x86 bad user name or password");
        assert_eq!(reason(0x8e), "0x8e session taken over");
        assert_eq!(reason(0x03), "0x03 unknown code");
        assert_eq!((suback_v4(1).as_str(), suback_v4(0x80).as_str()), ("granted QoS 1", "0x80 refused"));
        assert_eq!(
            (suback_v5(0).as_str(), suback_v5(0xa2).as_str()),
            ("granted QoS 0", "0xa2 wildcard subscriptions not supported")
        );
    }

    #[test]
    fn every_code_of_the_specification_has_words() {
        // MQTT 5.0 section 2.4, table 2-6.
        let table = [0x00, 0x01, 0x02, 0x04, 0x10, 0x11, 0x18, 0x19].into_iter().chain(0x80..=0xa2);
        for code in table {
            assert!(!reason(code).ends_with("unknown code"), "{}", reason(code));
        }
        for code in 0..=5 {
            assert!(!connack_v4(code).ends_with("unknown code"));
        }
    }
}
