//! The closed sets of the filter's language, each with its word.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        $(#[$doc])*
        pub enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them, in the order in which they are explained.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What the word means.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// Kinds of events: those of the chips, which hold several, and each by itself. The history keeps their places: new
    /// ones stand last.
    KindName {
        /// Accepted, secured, CONNECT, connected, refused, ping.
        Connect = "connect",
        /// Disconnected, closed.
        Disconnect = "disconnect",
        /// Subscribe and its answer.
        Subscribe = "subscribe",
        /// Unsubscribe.
        Unsubscribe = "unsubscribe",
        /// Every message: received, sent, will; and its acknowledgements.
        Publish = "publish",
        /// The way to the destination: queued, delivered, dry run, retry, dead letter.
        Delivery = "delivery",
        /// Failures, losses, refusals, dead letters, and what parts of Relayscope say of themselves.
        Error = "error",
        /// A session was established.
        Connected = "connected",
        /// A connection was refused.
        Refused = "refused",
        /// The will of a client that fell away.
        Will = "will",
        /// A message we sent.
        Downlink = "downlink",
        /// Stands on disk.
        Queued = "queued",
        /// The destination took it.
        Delivered = "delivered",
        /// A request that was not made.
        DryRun = "dry-run",
        /// Is tried again.
        Retry = "retry",
        /// Was given up and kept.
        DeadLetter = "dead-letter",
        /// Was lost, or left out by a rule.
        Dropped = "dropped",
        /// A part of Relayscope fails.
        Failure = "failure",
        /// A part of Relayscope says something.
        Note = "note",
        /// A socket of a front: accepted, secured by TLS, closed.
        Socket = "socket",
        /// A message that a broker sent to one of its clients.
        Receive = "receive",
        /// PUBACK, PUBREC, PUBREL, PUBCOMP.
        Ack = "ack",
        /// PINGREQ, PINGRESP.
        Ping = "ping",
        /// A packet that is none.
        Malformed = "malformed",
        /// A limit was passed.
        Limit = "limit",
    }
}

words! {
    /// What kind of part saw an event.
    SourceKind {
        /// Relayscope itself.
        App = "app",
        /// The embedded broker.
        Broker = "broker",
        /// A tap before somebody else's broker.
        Tap = "tap",
        /// A relay.
        Relay = "relay",
        /// An inspector's own session.
        Session = "session",
    }
}

words! {
    /// Whether a message came to us or was sent by us.
    #[ts(rename = "FilterDirection")]
    Direction {
        /// Came from a client or a broker.
        In = "in",
        /// Sent by us.
        Out = "out",
    }
}

words! {
    /// How something ended.
    #[ts(rename = "FilterOutcome")]
    Outcome {
        /// As wanted: connected, granted, delivered.
        Ok = "ok",
        /// Is tried again.
        Retry = "retry",
        /// Refused, given up, failed.
        Failed = "failed",
        /// Dropped.
        Lost = "lost",
    }
}

words! {
    /// What stands before a colon.
    #[ts(rename = "FilterField")]
    Field {
        /// Kinds.
        Kind = "kind",
        /// Kind of source.
        Source = "source",
        /// Name of the source.
        Name = "name",
        /// Direction.
        Dir = "dir",
        /// Outcome.
        Out = "out",
        /// Quality of service.
        Qos = "qos",
        /// Retain flag.
        Retained = "retained",
        /// Client id.
        Client = "client",
        /// Topic filters.
        Topic = "topic",
        /// Message id.
        Message = "message",
        /// Size of the payload.
        Size = "size",
        /// Begin of a time span.
        Since = "since",
        /// End of a time span.
        Until = "until",
        /// A whole word.
        Word = "word",
    }
}

/// A set of kinds: an event is of its own kind and of each that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u64);

impl KindSet {
    /// The set of these kinds.
    pub const fn of(kinds: &[KindName]) -> Self {
        let mut set = 0;
        let mut at = 0;
        while at < kinds.len() {
            set |= 1 << kinds[at] as u64;
            at += 1;
        }
        Self(set)
    }

    /// Whether a kind is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The set as a number, for storing; [`KindSet::from_bits`] reads it.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The set that [`KindSet::bits`] gave.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// The word of `known` that was probably meant.
pub(super) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|word| (distance(typed, word), word)).min()?;
    (near.0 <= 2 && near.0 < typed.chars().count()).then_some(near.1)
}

/// How many characters are to be put in, left out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut line: Vec<usize> = (0..=other.len()).collect();
    for (row, c) in one.chars().enumerate() {
        let mut diagonal = row;
        line[0] = row + 1;
        for (column, d) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *d);
            diagonal = line[column + 1];
            line[column + 1] = replaced.min(diagonal + 1).min(line[column] + 1);
        }
    }
    line[other.len()]
}
