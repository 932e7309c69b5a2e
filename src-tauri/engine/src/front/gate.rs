//! What a front does for a broker that leaves it undone (see `Policy::completes`): packets that the specifications forbid
//! and rmqtt's codec takes are turned away, and an UNSUBACK gets the code of filters that were not subscribed to. Nothing is
//! collected for it: a packet that does not come in one piece, which none as small as these does in practice, is the
//! broker's.

use super::framing::Header;
use super::goodbye::Goodbye;
use bytes::{Bytes, BytesMut};

/// Why a client is disconnected: the reason code of MQTT 5, and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    code: u8,
    words: &'static str,
}

impl From<Fault> for Goodbye {
    fn from(fault: Fault) -> Self {
        Self::new(fault.code, fault.words)
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It is forwarded.
    Passes,
    /// It ends the connection.
    Faulty(Fault),
    /// A DISCONNECT that asks for the last will (MQTT 5.0 section 3.14.2.1): the broker is not told goodbye.
    WithWill,
}

const MALFORMED: u8 = 0x81;

/// Looks at a CONNECT before any broker hears of it.
pub(super) fn connect(packet: &[u8]) -> Option<Fault> {
    let header = Header::read(packet).ok().flatten().filter(|header| header.kind() == 1)?;
    let body = packet.get(header.size..)?;
    let at = 2 + usize::from(u16::from_be_bytes(*body.first_chunk::<2>()?));
    let (name, level, flags) = (body.get(2..at)?, *body.get(at)?, *body.get(at + 1)?);
    let will = flags & 0x04 != 0;
    match (name, level) {
        // MQTT-3.1.2-2.
        (b"MQTT", level) if !matches!(level, 4 | 5) => {
            Some(Fault { code: 0x84, words: "the protocol level is none the broker knows" })
        }
        // MQTT-3.1.2-11 and -13 of 5.0; rmqtt checks it for 3.1.1.
        (b"MQTT", 5) if !will && flags & 0x38 != 0 => {
            Some(Fault { code: MALFORMED, words: "QoS or retain of a last will, and no last will" })
        }
        _ => None,
    }
}

/// Looks at any other packet of a client; `body` is what follows the fixed header, when all of it is there.
pub(super) fn packet(level: u8, header: Header, body: Option<&[u8]>) -> Gate {
    match (header.kind(), body) {
        // MQTT-3.14.1-1.
        (14, _) if header.first & 0x0f != 0 => {
            Gate::Faulty(Fault { code: MALFORMED, words: "a DISCONNECT with reserved flags" })
        }
        (14, Some([0x04, ..])) if level == 5 => Gate::WithWill,
        // MQTT-3.8.3-4 of 3.1.1.
        (8, Some(body)) if level < 5 && !qualities(body).is_none_or(|mut all| all.all(|quality| quality <= 2)) => {
            Gate::Faulty(Fault { code: MALFORMED, words: "a SUBSCRIBE with reserved bits" })
        }
        _ => Gate::Passes,
    }
}

/// The code of a filter that was not subscribed to (MQTT 5.0 section 3.11.3).
const NO_SUBSCRIPTION: u8 = 0x11;

/// Looks at an MQTT 5 UNSUBACK; `found` says of each filter whether there was a subscription. Returns where codes say
/// success and must say that there was none, in the body.
pub(super) fn unsuback(body: &[u8], mut found: impl FnMut() -> Option<bool>) -> Vec<usize> {
    // The packet identifier, and properties of at most 127 bytes: rmqtt sends none.
    let Some(codes) = body.get(2).map(|properties| 3 + usize::from(*properties)) else { return vec![] };
    let wrong = |at: &usize| found() == Some(false) && body.get(*at) == Some(&0);
    (codes..body.len()).filter(wrong).collect()
}

/// The same packet with those codes.
pub(super) fn corrected(packet: &[u8], codes: &[usize]) -> Bytes {
    let mut packet = BytesMut::from(packet);
    for at in codes {
        if let Some(code) = packet.get_mut(*at) {
            *code = NO_SUBSCRIPTION;
        }
    }
    packet.freeze()
}

/// The requested QoS of each filter of an MQTT 3 SUBSCRIBE.
fn qualities(body: &[u8]) -> Option<impl Iterator<Item = u8>> {
    let mut rest = body.get(2..)?;
    Some(std::iter::from_fn(move || {
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?));
        let quality = *rest.get(2 + length)?;
        rest = &rest[3 + length..];
        Some(quality)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(first: u8, remaining: usize) -> Header {
        Header { first, size: 2, remaining }
    }

    fn code(gate: Gate) -> Option<u8> {
        match gate {
            Gate::Faulty(fault) => Some(fault.code),
            Gate::Passes | Gate::WithWill => None,
        }
    }

    #[test]
    fn a_connect_of_an_unknown_level_or_with_half_a_will_is_turned_away() {
        let hello = |level, flags| [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 60, 0, 1, b'x'];
        let look = |level, flags| connect(&hello(level, flags)).map(|fault| fault.code);
        assert_eq!((look(4, 2), look(5, 2), look(6, 2)), (None, None, Some(0x84)));
        assert_eq!((look(5, 0x0a), look(5, 0x22), look(5, 0x0e)), (Some(0x81), Some(0x81), None));
        assert_eq!(connect(&[0x10, 9, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3]), None);
        assert_eq!(connect(&[]), None);
        assert_eq!(connect(&[0x10, 2, 0xff, 0xff]), None);
    }

    #[test]
    fn an_unsuback_tells_what_was_not_subscribed_to() {
        let mut found = [true, false, false, true].into_iter();
        let packet = [0xb0, 7, 0, 1, 0, 0, 0, 0x87, 0];
        let codes = unsuback(&packet[2..], || found.next());
        assert_eq!(codes, [4], "a refusal stays what it is");
        assert_eq!(corrected(&packet, &[6])[..], [0xb0, 7, 0, 1, 0, 0, 0x11, 0x87, 0]);
        assert!(unsuback(&[0, 1, 0, 0], || None).is_empty() && unsuback(&[0], || Some(false)).is_empty());
    }

    #[test]
    fn reserved_bits_are_found() {
        assert_eq!(code(packet(5, header(0xe1, 0), Some(&[]))), Some(0x81));
        assert_eq!(packet(5, header(0xe0, 1), Some(&[4])), Gate::WithWill);
        assert_eq!(packet(4, header(0xe0, 0), Some(&[])), Gate::Passes);
        let one = [0, 1, 0, 1, b'a', 1];
        let two = [0, 1, 0, 1, b'a', 1, 0, 1, b'b', 4];
        assert_eq!(packet(4, header(0x82, 6), Some(&one)), Gate::Passes);
        assert_eq!(code(packet(4, header(0x82, 10), Some(&two))), Some(0x81));
        assert_eq!(packet(5, header(0x82, 10), Some(&two)), Gate::Passes);
        assert_eq!(packet(4, header(0x82, 10), None), Gate::Passes);
    }
}
