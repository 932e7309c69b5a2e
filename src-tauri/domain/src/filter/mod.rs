//! The filter of the Live Inspector: one closed value, and one line of text that means the same.
//!
//! A filter is a list of terms that must all hold; each can be negated. [`parse()`] reads the line and explains every mistake
//! at its place, [`Filter::to_string`](std::fmt::Display) writes it, and reading what was written gives the same filter.
//! [`compile`] makes of it what is asked of each event. What an event is stands elsewhere.

pub mod compile;
pub mod moment;
pub mod parse;
pub mod words;

mod edit;
mod print;
mod size;

#[cfg(test)]
mod tests;

pub use compile::{Compiled, Subject};
pub use edit::{FilterEdit, Muted};
pub use moment::Moment;
pub use parse::{Mistake, parse};
pub use size::SizeTest;
pub use words::{Direction, Field, KindName, KindSet, Outcome, SourceKind};

use crate::id::MessageId;
use crate::message::Qos;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is selected: whatever fulfils every term. Without terms, everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// In the order in which they are written.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "FilterTerm")]
pub struct Term {
    /// Whether the test must fail instead: `-client:sim-1`.
    pub not: bool,
    /// What is asked.
    pub test: Test,
}

/// What is asked of an event. A list holds alternatives. What an event does not have fulfils no test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "field", content = "value", rename_all = "camelCase")]
#[ts(rename = "FilterTest")]
pub enum Test {
    /// `kind:publish,retry`
    Kind(Vec<KindName>),
    /// `source:broker`: what kind of part saw it.
    Source(Vec<SourceKind>),
    /// `name:"Plant 3"`: the name of the broker, relay, tap or session; case does not matter.
    Name(Vec<String>),
    /// `dir:in`
    Direction(Vec<Direction>),
    /// `out:failed`
    Outcome(Vec<Outcome>),
    /// `qos:1`
    Qos(Vec<Qos>),
    /// `retained:yes`
    Retained(bool),
    /// `client:press-03`: the client id, exactly.
    Client(Vec<String>),
    /// `topic:plant/+/temp`: topic filters.
    Topic(Vec<String>),
    /// `message:…`: the id of a message, for its journey.
    Message(Vec<MessageId>),
    /// `size:>10k`: of the payload, in bytes.
    Size(SizeTest),
    /// `since:10:00`: then or later.
    Since(Moment),
    /// `until:10:05`: before then.
    Until(Moment),
    /// `temp` or `"some words"`: text in topic, payload, client, source or content; case does not matter.
    Text(String),
    /// `word:"x"`: the same, with no letter, digit or underscore right before or after.
    Word(String),
    /// `/reg.*ex/`: a regular expression over topic and payload, or content where there is no payload.
    Regex(String),
}

impl Test {
    /// The field it asks for; text, words and regular expressions have none.
    pub fn field(&self) -> Option<Field> {
        Some(match self {
            Self::Kind(_) => Field::Kind,
            Self::Source(_) => Field::Source,
            Self::Name(_) => Field::Name,
            Self::Direction(_) => Field::Dir,
            Self::Outcome(_) => Field::Out,
            Self::Qos(_) => Field::Qos,
            Self::Retained(_) => Field::Retained,
            Self::Client(_) => Field::Client,
            Self::Topic(_) => Field::Topic,
            Self::Message(_) => Field::Message,
            Self::Size(_) => Field::Size,
            Self::Since(_) => Field::Since,
            Self::Until(_) => Field::Until,
            Self::Word(_) => Field::Word,
            Self::Text(_) | Self::Regex(_) => return None,
        })
    }
}

impl Filter {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The kinds that are asked for, as chips show them.
    pub fn kinds(&self) -> Vec<KindName> {
        let asked = self.terms.iter().find_map(|term| match &term.test {
            Test::Kind(kinds) if !term.not => Some(kinds.clone()),
            _ => None,
        });
        asked.unwrap_or_default()
    }
}
