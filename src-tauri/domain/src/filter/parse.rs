//! Reads a filter's line. Every mistake is told at its place; none hides another.

use super::words::nearest;
use super::{Direction, Field, Filter, KindName, Moment, Outcome, SizeTest, SourceKind, Term, Test};
use crate::message::Qos;
use crate::topic::check_filter;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A mistake in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Mistake {
    /// Where it begins: characters before it, as a page counts them (UTF-16 code units).
    pub from: u32,
    /// Where it ends, counted in the same way.
    pub to: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Reads a line, or tells all its mistakes in their order.
pub fn parse(line: &str) -> Result<Filter, Vec<Mistake>> {
    let mut reader = Reader { line, at: 0, mistakes: vec![] };
    let mut terms = vec![];
    while reader.skip_blanks() {
        if let Some(term) = reader.term() {
            terms.push(term);
        }
    }
    if reader.mistakes.is_empty() { Ok(Filter { terms }) } else { Err(reader.mistakes) }
}

/// Reads the value of a field, as it stands after the colon.
pub(super) fn parse_value(field: Field, value: &str) -> Result<Test, String> {
    let mut reader = Reader { line: value, at: 0, mistakes: vec![] };
    let test = reader.value(field);
    if reader.mistakes.is_empty() && reader.at < value.len() {
        return Err(format!("“{value}” is more than one value; put it in quotes."));
    }
    match test {
        Some(test) if reader.mistakes.is_empty() => Ok(test),
        _ => Err(reader.mistakes.into_iter().next().map(|mistake| mistake.message).unwrap_or_default()),
    }
}

/// Whether a text looks as if a field stood before a colon: letters, then the colon.
pub(super) fn is_field_like(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A regular expression as it stands between its slashes.
pub(super) fn regex_written(pattern: &str) -> String {
    let mut out = String::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                out.push(c);
                out.extend(characters.next());
            }
            '/' => out.push_str("\\/"),
            c => out.push(c),
        }
    }
    out
}

struct Reader<'a> {
    line: &'a str,
    // In bytes, on a character.
    at: usize,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Whether something stands after the blanks.
    fn skip_blanks(&mut self) -> bool {
        self.at += self.rest().len() - self.rest().trim_start().len();
        !self.rest().is_empty()
    }

    fn mistake(&mut self, from: usize, to: usize, message: impl Into<String>) {
        let column = |at: usize| self.line[..at].encode_utf16().count() as u32;
        let (from, to) = (column(from), column(to));
        self.mistakes.push(Mistake { from, to, message: message.into() });
    }

    fn term(&mut self) -> Option<Term> {
        let start = self.at;
        let not = self.peek() == Some('-');
        if not {
            self.next();
        }
        let test = match self.peek().filter(|c| !c.is_whitespace()) {
            Some('"') => self.quoted_text().map(Test::Text),
            Some('/') => self.regex().map(Test::Regex),
            Some(_) if is_field_like(self.word_ahead()) => self.field(),
            Some(_) => Some(Test::Text(self.bare().to_owned())),
            None => {
                self.mistake(start, self.at, "After - stands what is not wanted, without a blank between them.");
                None
            }
        };
        test.map(|test| Term { not, test })
    }

    fn word_ahead(&self) -> &'a str {
        self.rest().split(char::is_whitespace).next().unwrap_or_default()
    }

    /// Everything up to the next blank.
    fn bare(&mut self) -> &'a str {
        let word = self.word_ahead();
        self.at += word.len();
        word
    }

    fn quoted_text(&mut self) -> Option<String> {
        let start = self.at;
        let text = self.quoted()?;
        if text.is_empty() {
            self.mistake(start, self.at, "Between the quotes stands nothing.");
            return None;
        }
        Some(text)
    }

    fn quoted(&mut self) -> Option<String> {
        let start = self.at;
        self.next();
        let mut out = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => return Some(out),
                '\\' => match self.next() {
                    Some('n') => out.push('\n'),
                    Some('r') => out.push('\r'),
                    Some('t') => out.push('\t'),
                    Some(c @ ('"' | '\\')) => out.push(c),
                    Some(c) => out.extend(['\\', c]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        self.mistake(start, self.line.len(), "The closing quote \" is missing.");
        None
    }

    fn regex(&mut self) -> Option<String> {
        let start = self.at;
        self.next();
        let mut pattern = String::new();
        loop {
            match self.next() {
                Some('/') => break,
                Some('\\') => match self.next() {
                    Some('/') => pattern.push('/'),
                    Some(c) => pattern.extend(['\\', c]),
                    None => pattern.push('\\'),
                },
                Some(c) => pattern.push(c),
                None => {
                    let message = "The closing / of the regular expression is missing. A text that begins with / is put in quotes.";
                    self.mistake(start, self.line.len(), message);
                    return None;
                }
            }
        }
        if self.peek().is_some_and(|c| !c.is_whitespace()) {
            let message = "After the closing / stands a blank. A / inside a regular expression is written \\/; a text that begins with / is put in quotes.";
            self.bare();
            self.mistake(start, self.at, message);
            return None;
        }
        if pattern.is_empty() {
            self.mistake(start, self.at, "Between the slashes stands nothing.");
            return None;
        }
        if let Err(error) = super::compile::pattern(&pattern) {
            let (column, why) = super::compile::explain(&error);
            let inside = start + 1 + written_offset(&pattern, column);
            self.mistake(inside.min(self.at - 1), self.at, format!("This regular expression is not valid: {why}."));
            return None;
        }
        Some(pattern)
    }

    fn field(&mut self) -> Option<Test> {
        let start = self.at;
        let name = self.rest().split(':').next().unwrap_or_default();
        let Some(field) = Field::of(&name.to_ascii_lowercase()) else {
            let whole = self.bare();
            let meant = nearest(name, Field::ALL.iter().map(|field| field.word()));
            let meant = meant.map_or_else(
                || "There are ".to_owned() + &list_of(Field::ALL.iter().map(|field| field.word())),
                |word| format!("Did you mean {word}:"),
            );
            let end = if meant.starts_with("Did") { "?" } else { "." };
            let message = format!("There is no field “{name}”. {meant}{end} As a text it is written \"{whole}\".");
            self.mistake(start, start + name.len(), message);
            return None;
        };
        self.at += name.len() + 1;
        self.value(field)
    }

    fn value(&mut self, field: Field) -> Option<Test> {
        match field {
            Field::Kind => self.names(KindName::of, KindName::word, KindName::ALL, "kind").map(Test::Kind),
            Field::Source => self.names(SourceKind::of, SourceKind::word, SourceKind::ALL, "source").map(Test::Source),
            Field::Dir => self.names(Direction::of, Direction::word, Direction::ALL, "direction").map(Test::Direction),
            Field::Out => self.names(Outcome::of, Outcome::word, Outcome::ALL, "outcome").map(Test::Outcome),
            Field::Qos => self.items(field, qos).map(Test::Qos),
            Field::Name => self.items(field, |text| Ok(text.to_owned())).map(Test::Name),
            Field::Client => self.items(field, |text| Ok(text.to_owned())).map(Test::Client),
            Field::Topic => self.items(field, |text| check_filter(text).map(|()| text.to_owned())).map(Test::Topic),
            Field::Message => self
                .items(field, |text| text.parse().map_err(|_| format!("“{text}” is no message id.")))
                .map(Test::Message),
            Field::Retained => self.scalar(field, yes_or_no).map(Test::Retained),
            Field::Size => self.scalar(field, SizeTest::parse).map(Test::Size),
            Field::Since => self.scalar(field, Moment::parse).map(Test::Since),
            Field::Until => self.scalar(field, Moment::parse).map(Test::Until),
            Field::Word => match self.peek() {
                Some('"') => self.quoted_text().map(Test::Word),
                _ => self.scalar(field, |text| Ok(text.to_owned())).map(Test::Word),
            },
        }
    }

    fn names<T: Copy>(
        &mut self,
        of: impl Fn(&str) -> Option<T>,
        word: impl Fn(T) -> &'static str,
        all: &[T],
        what: &str,
    ) -> Option<Vec<T>> {
        let field = Field::Kind;
        self.items(field, |text| {
            of(&text.to_ascii_lowercase()).ok_or_else(|| {
                let words = || all.iter().map(|one| word(*one));
                match nearest(text, words()) {
                    Some(near) => format!("There is no {what} “{text}”. Did you mean {near}?"),
                    None => format!("There is no {what} “{text}”. There are {}.", list_of(words())),
                }
            })
        })
    }

    /// Values with commas between them.
    fn items<T>(&mut self, field: Field, read: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let mut out = vec![];
        let mut whole = true;
        loop {
            let start = self.at;
            let text = if self.peek() == Some('"') {
                self.quoted()?
            } else {
                let word = self.rest().split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
                self.at += word.len();
                word.to_owned()
            };
            if text.is_empty() {
                let from = start.saturating_sub(1);
                self.mistake(from, self.at, format!("A value is missing; {}.", example(field)));
                whole = false;
            } else {
                match read(&text) {
                    Ok(value) => out.push(value),
                    Err(message) => {
                        self.mistake(start, self.at, message);
                        whole = false;
                    }
                }
            }
            match self.peek() {
                Some(',') => {
                    self.next();
                }
                Some(c) if !c.is_whitespace() => {
                    let from = self.at;
                    self.bare();
                    self.mistake(from, self.at, "After a closing quote stands a blank or a comma.");
                    return None;
                }
                _ => return whole.then_some(out),
            }
        }
    }

    /// One value up to the next blank.
    fn scalar<T>(&mut self, field: Field, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let start = self.at;
        let text = self.bare();
        if text.is_empty() {
            self.mistake(start.saturating_sub(1), start, format!("A value is missing; {}.", example(field)));
            return None;
        }
        match read(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.mistake(start, self.at, message);
                None
            }
        }
    }
}

/// Where a character of a pattern stands between its slashes.
fn written_offset(pattern: &str, column: usize) -> usize {
    regex_written(&pattern.chars().take(column).collect::<String>()).len()
}

fn list_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn example(field: Field) -> &'static str {
    match field {
        Field::Kind | Field::Source | Field::Dir | Field::Out => "as in kind:publish,retry",
        Field::Name => "as in name:\"Plant 3\"",
        Field::Qos => "as in qos:1,2",
        Field::Retained => "as in retained:yes",
        Field::Client => "as in client:press-03",
        Field::Topic => "as in topic:plant/+/temp",
        Field::Message => "a message's id stands in its drawer",
        Field::Size => "as in size:>10k",
        Field::Since | Field::Until => "as in since:10:00 or since:5m",
        Field::Word => "as in word:\"on\"",
    }
}

fn qos(text: &str) -> Result<Qos, String> {
    let level = text.parse::<u8>().map_err(|_| format!("QoS “{text}” does not exist; it is 0, 1 or 2."))?;
    Qos::try_from(level)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("“{text}” is neither yes nor no.")),
    }
}
