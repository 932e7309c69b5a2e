//! What is asked of each event: a filter made ready once, cheap questions first.

use super::{Direction, Filter, KindSet, Moment, Outcome, SizeTest, SourceKind, Test};
use crate::id::MessageId;
use crate::message::Qos;
use crate::topic::matches;
use regex::bytes::{Regex, RegexBuilder};
use std::borrow::Cow;

/// What a filter can ask for: of an event in memory, and of one that was stored.
pub trait Subject {
    /// Its kind, and those that hold it.
    fn kinds(&self) -> KindSet;
    /// The word for its kind.
    fn word(&self) -> &str;
    /// What kind of part saw it.
    fn source(&self) -> SourceKind;
    /// The name of that part.
    fn name(&self) -> &str;
    /// Client id, or the relay's way.
    fn client(&self) -> &str;
    /// Topic, or nothing.
    fn topic(&self) -> &str;
    /// Payload, of a message.
    fn payload(&self) -> Option<&[u8]>;
    /// Its content in words, of what is no message.
    fn content(&self) -> Cow<'_, str>;
    /// Quality of service, of a message.
    fn qos(&self) -> Option<Qos>;
    /// Retain flag, of a message.
    fn retained(&self) -> Option<bool>;
    /// Direction, of a message.
    fn direction(&self) -> Option<Direction>;
    /// How it ended.
    fn outcome(&self) -> Option<Outcome>;
    /// Unix milliseconds.
    fn at(&self) -> i64;
    /// The message it belongs to.
    fn message(&self) -> Option<MessageId>;
}

/// A filter made ready.
#[derive(Clone, Debug, Default)]
pub struct Compiled(Vec<(bool, Check)>);

#[derive(Clone, Debug)]
enum Check {
    Kinds(KindSet),
    Sources(Vec<SourceKind>),
    Directions(Vec<Direction>),
    Outcomes(Vec<Outcome>),
    Qos(Vec<Qos>),
    Retained(bool),
    Size(SizeTest),
    Since(i64),
    Until(i64),
    Messages(Vec<MessageId>),
    Clients(Vec<String>),
    Names(Vec<String>),
    Topics(Vec<String>),
    Text(Regex),
    Pattern(Regex),
}

/// The most that a compiled expression may take, in bytes.
const PATTERN_SIZE: usize = 2 << 20;

/// Compiles a regular expression over bytes.
pub(super) fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE).build()
}

/// Where an expression is wrong, in characters, and why, in words.
pub(super) fn explain(error: &regex::Error) -> (usize, String) {
    match error {
        regex::Error::CompiledTooBig(_) => (0, "it becomes too large; use fewer or smaller repetitions".into()),
        regex::Error::Syntax(text) => {
            // The expression and a line of carets under the place, each after four blanks; then `error: why`.
            let carets = text.lines().find(|line| line.contains('^') && line.trim_matches([' ', '^']).is_empty());
            let column = carets.and_then(|line| line.find('^')).map_or(0, |at| at.saturating_sub(4));
            let why = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it has a mistake");
            (column, why.trim_end_matches('.').to_owned())
        }
        other => (0, other.to_string()),
    }
}

impl Filter {
    /// Makes it ready. `instant` gives the Unix milliseconds of a moment. An expression that does not compile, which
    /// [`super::parse()`] never gives, fulfils nothing.
    pub fn compile(&self, instant: impl Fn(Moment) -> i64) -> Compiled {
        let mut checks: Vec<_> = self.terms.iter().map(|term| (term.not, check(&term.test, &instant))).collect();
        checks.sort_by_key(|(_, check)| check.price());
        Compiled(checks)
    }
}

fn check(test: &Test, instant: &impl Fn(Moment) -> i64) -> Check {
    let expression = |text: &str| pattern(text).unwrap_or_else(|_| nothing());
    match test {
        Test::Kind(kinds) => Check::Kinds(KindSet::of(kinds)),
        Test::Source(sources) => Check::Sources(sources.clone()),
        Test::Direction(directions) => Check::Directions(directions.clone()),
        Test::Outcome(outcomes) => Check::Outcomes(outcomes.clone()),
        Test::Qos(levels) => Check::Qos(levels.clone()),
        Test::Retained(yes) => Check::Retained(*yes),
        Test::Size(size) => Check::Size(*size),
        Test::Since(moment) => Check::Since(instant(*moment)),
        Test::Until(moment) => Check::Until(instant(*moment)),
        Test::Message(ids) => Check::Messages(ids.clone()),
        Test::Client(clients) => Check::Clients(clients.clone()),
        Test::Name(names) => Check::Names(names.iter().map(|name| name.to_lowercase()).collect()),
        Test::Topic(filters) => Check::Topics(filters.clone()),
        Test::Text(text) => Check::Text(expression(&format!("(?i){}", regex::escape(text)))),
        Test::Word(word) => {
            let word = regex::escape(word);
            Check::Text(expression(&format!(r"(?i)\b{{start-half}}{word}\b{{end-half}}")))
        }
        Test::Regex(text) => Check::Pattern(expression(text)),
    }
}

/// An expression that nothing fulfils.
fn nothing() -> Regex {
    // `[^\s\S]` always compiles.
    Regex::new(r"[^\s\S]").unwrap_or_else(|_| nothing())
}

impl Check {
    /// What asking costs, roughly, in nanoseconds.
    fn price(&self) -> u32 {
        match self {
            Self::Kinds(_) => 1,
            Self::Since(_) | Self::Until(_) | Self::Sources(_) | Self::Retained(_) | Self::Size(_) => 2,
            Self::Directions(_) | Self::Outcomes(_) | Self::Qos(_) | Self::Messages(_) => 3,
            Self::Clients(_) => 10,
            Self::Names(_) => 40,
            Self::Topics(_) => 60,
            Self::Text(_) => 200,
            Self::Pattern(_) => 400,
        }
    }

    fn is_time(&self) -> bool {
        matches!(self, Self::Since(_) | Self::Until(_))
    }

    fn holds(&self, subject: &impl Subject) -> bool {
        match self {
            Self::Kinds(kinds) => kinds.meets(subject.kinds()),
            Self::Sources(sources) => sources.contains(&subject.source()),
            Self::Directions(wanted) => subject.direction().is_some_and(|direction| wanted.contains(&direction)),
            Self::Outcomes(wanted) => subject.outcome().is_some_and(|outcome| wanted.contains(&outcome)),
            Self::Qos(levels) => subject.qos().is_some_and(|qos| levels.contains(&qos)),
            Self::Retained(yes) => subject.retained() == Some(*yes),
            Self::Size(size) => subject.payload().is_some_and(|payload| size.holds(payload.len() as u64)),
            Self::Since(at) => subject.at() >= *at,
            Self::Until(at) => subject.at() < *at,
            Self::Messages(ids) => subject.message().is_some_and(|id| ids.contains(&id)),
            Self::Clients(clients) => clients.iter().any(|client| client == subject.client()),
            Self::Names(names) => names.contains(&subject.name().to_lowercase()),
            Self::Topics(filters) => {
                let topic = subject.topic();
                !topic.is_empty() && filters.iter().any(|filter| matches(filter, topic))
            }
            Self::Text(text) => {
                let has = |part: &str| text.is_match(part.as_bytes());
                in_content(subject, text) || has(subject.client()) || has(subject.name()) || has(subject.word())
            }
            Self::Pattern(pattern) => in_content(subject, pattern),
        }
    }
}

/// Whether topic and payload, or the content of what has no payload, have a match.
fn in_content(subject: &impl Subject, text: &Regex) -> bool {
    text.is_match(subject.topic().as_bytes())
        || match subject.payload() {
            Some(payload) => text.is_match(payload),
            None => text.is_match(subject.content().as_bytes()),
        }
}

impl Compiled {
    /// Whether the filter selects it.
    pub fn selects(&self, subject: &impl Subject) -> bool {
        self.0.iter().all(|(not, check)| check.holds(subject) != *not)
    }

    /// Whether it would select it at another time.
    pub fn selects_some_time(&self, subject: &impl Subject) -> bool {
        self.0.iter().all(|(not, check)| check.is_time() || check.holds(subject) != *not)
    }

    /// From when to before when it selects, in Unix milliseconds, where it says so.
    pub fn span(&self) -> (Option<i64>, Option<i64>) {
        let mut span = (None, None);
        for check in self.0.iter().filter(|(not, _)| !not).map(|(_, check)| check) {
            match check {
                Check::Since(at) => span.0 = Some(span.0.map_or(*at, |since: i64| since.max(*at))),
                Check::Until(at) => span.1 = Some(span.1.map_or(*at, |until: i64| until.min(*at))),
                _ => {}
            }
        }
        span
    }

    /// Whether it asks for a time.
    pub fn asks_for_time(&self) -> bool {
        self.0.iter().any(|(_, check)| check.is_time())
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
