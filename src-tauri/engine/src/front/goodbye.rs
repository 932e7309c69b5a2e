//! How the front ends a connection: the packet the client gets, by its version and by how far it came.

use super::limits::Excess;
use std::borrow::Cow;

/// Why a connection is ended, for the client and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goodbye {
    /// Reason code of MQTT 5 (section 2.4).
    pub code: u8,
    /// For people.
    pub words: Cow<'static, str>,
    /// Whether the client hears nothing: the socket is just closed.
    pub silent: bool,
    /// Whether a limit was passed.
    pub limited: bool,
}

impl Goodbye {
    /// A goodbye with a reason code of MQTT 5.
    pub fn new(code: u8, words: impl Into<Cow<'static, str>>) -> Self {
        Self { code, words: words.into(), silent: false, limited: false }
    }

    /// The server ends.
    pub fn stopped(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(0x8b, words)
    }

    /// A person wants it.
    pub fn by_hand(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(0x98, words)
    }

    /// The connection just ends, as a bad network ends it.
    pub fn severed(words: impl Into<Cow<'static, str>>) -> Self {
        Self { silent: true, ..Self::new(0, words) }
    }

    /// A limit was passed.
    pub fn over(excess: &Excess) -> Self {
        let Excess { what, limit, reached, code } = excess;
        let words = format!("cut by a limit: {reached} {what}, allowed are {limit}");
        Self { limited: true, ..Self::new(*code, words) }
    }

    /// What the client gets: after CONNACK a DISCONNECT, which only MQTT 5 has (section 3.14); before it a CONNACK.
    pub(super) fn packet(&self, level: u8, answered: bool) -> Vec<u8> {
        match (level, answered) {
            (5, true) => vec![0xe0, 2, self.code, 0],
            (5, false) => vec![0x20, 3, 0, connack_v5(self.code), 0],
            (_, true) => vec![],
            (_, false) => vec![0x20, 2, 0, connack_v3(self.code)],
        }
    }
}

/// Codes a CONNACK may have (MQTT 5.0 table 3-1); a server that ends is one that is not available.
fn connack_v5(code: u8) -> u8 {
    match code {
        0x8b => 0x88,
        0x98 => 0x87,
        0x96 => 0x97,
        other => other,
    }
}

/// MQTT 3.1.1 knows five (table 3.1).
fn connack_v3(code: u8) -> u8 {
    match code {
        0x84 => 1,
        0x85 => 2,
        0x86 => 4,
        0x87 | 0x8a | 0x8c | 0x98 => 5,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_gets_the_best_it_has() {
        let goodbye = Goodbye::by_hand("disconnected");
        assert_eq!(goodbye.packet(5, true), [0xe0, 2, 0x98, 0]);
        assert_eq!(goodbye.packet(5, false), [0x20, 3, 0, 0x87, 0]);
        assert_eq!(goodbye.packet(4, false), [0x20, 2, 0, 5]);
        assert!(goodbye.packet(4, true).is_empty());
        assert_eq!(Goodbye::new(0x9f, "").packet(3, false), [0x20, 2, 0, 3]);
    }
}
