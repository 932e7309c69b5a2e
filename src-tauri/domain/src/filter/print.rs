//! Writes a filter as the line that means it.

use super::{Filter, Term, Test};
use crate::filter::parse::{is_field_like, regex_written};
use std::fmt::{self, Display, Write};

impl Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.not {
            f.write_char('-')?;
        }
        if let Some(field) = self.test.field() {
            write!(f, "{}:", field.word())?;
        }
        match &self.test {
            Test::Kind(kinds) => list(f, kinds, |kind| kind.word().to_owned()),
            Test::Source(sources) => list(f, sources, |source| source.word().to_owned()),
            Test::Direction(directions) => list(f, directions, |direction| direction.word().to_owned()),
            Test::Outcome(outcomes) => list(f, outcomes, |outcome| outcome.word().to_owned()),
            Test::Qos(levels) => list(f, levels, |qos| u8::from(*qos).to_string()),
            Test::Message(ids) => list(f, ids, ToString::to_string),
            Test::Name(texts) | Test::Client(texts) | Test::Topic(texts) => list(f, texts, |text| item(text)),
            Test::Retained(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Test::Size(size) => size.fmt(f),
            Test::Since(moment) | Test::Until(moment) => moment.fmt(f),
            Test::Word(word) => f.write_str(&quoted(word)),
            Test::Text(text) => f.write_str(&if is_bare(text) { text.clone() } else { quoted(text) }),
            Test::Regex(pattern) => write!(f, "/{}/", regex_written(pattern)),
        }
    }
}

fn list<T>(f: &mut fmt::Formatter<'_>, items: &[T], word: impl Fn(&T) -> String) -> fmt::Result {
    let words: Vec<String> = items.iter().map(word).collect();
    f.write_str(&words.join(","))
}

/// Whether a text means itself without quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(['-', '/', '"'])
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"')
        && !is_field_like(text)
}

/// One of several values.
fn item(text: &str) -> String {
    let special = |c: char| c.is_whitespace() || c.is_control() || c == '"' || c == ',';
    if text.is_empty() || text.contains(special) { quoted(text) } else { text.to_owned() }
}

/// In quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
