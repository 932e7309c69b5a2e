//! JSON (RFC 8259): a tree with the byte range of every value, numbers as written, keys that stand twice told.
//! Strict as the RFC is, but for two things that its grammar allows and other readers refuse: escapes of lone surrogates
//! and numbers that no double can hold. Its own scanner, because no reader of JSON keeps all of these.

use super::tree::{Build, Key, Kind, Leaf};
use super::{Fault, Limits, Read, words};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Reads a whole JSON text.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Read, Fault> {
    let mut build = Build::new(limits);
    scan(bytes, &mut build)?;
    build.finish(Some(pretty(bytes, limits.text)))
}

/// Whether the bytes are JSON, and what kind of value.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    let mut build = Build::new(&Limits { nodes: 1, ..Limits::default() });
    scan(bytes, &mut build).ok()?;
    build.finish(Some(String::new())).ok().map(|read| read.root.kind)
}

/// An open object with the keys it has, or an open array with its next index.
enum Open<'a> {
    Object(BTreeSet<Cow<'a, str>>),
    Array(u64),
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

fn scan(bytes: &[u8], build: &mut Build) -> Result<(), Fault> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(Fault::at(error.valid_up_to(), "this is not UTF-8, and JSON is")),
    };
    let mut scan = Scan { text, bytes, at: 0 };
    let mut open: Vec<Open<'_>> = vec![];
    let mut key = Key::Root;
    loop {
        scan.blank();
        if !scan.value(&key, build, &mut open)? {
            // A value is complete: close what ends here, or go on after a comma.
            loop {
                scan.blank();
                let Some(inside) = open.last_mut() else {
                    return if scan.at == bytes.len() {
                        Ok(())
                    } else {
                        Err(Fault::at(scan.at, format!("{} stands after the end of the value", scan.found())))
                    };
                };
                let end = if matches!(inside, Open::Object(_)) { b'}' } else { b']' };
                match scan.peek() {
                    Some(b',') => {
                        scan.at += 1;
                        scan.blank();
                        break;
                    }
                    Some(byte) if byte == end => {
                        scan.at += 1;
                        build.close(scan.at);
                        open.pop();
                    }
                    _ => {
                        let end = char::from(end);
                        return Err(Fault::at(scan.at, format!("“,” or “{end}” is missing before {}", scan.found())));
                    }
                }
            }
        }
        key = match open.last_mut() {
            Some(Open::Object(keys)) => scan.key(keys, build)?,
            Some(Open::Array(next)) => {
                *next += 1;
                Key::Index(*next - 1)
            }
            None => Key::Root,
        };
    }
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// What stands here, in words.
    fn found(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(control) if control.is_control() => format!("the control character U+{:04X}", u32::from(control)),
            Some(other) => format!("“{other}”"),
            None => "the end of the payload".to_owned(),
        }
    }

    /// Reads one value, or opens an object or array that is not empty: then the answer is true.
    fn value(&mut self, key: &Key, build: &mut Build, open: &mut Vec<Open<'a>>) -> Result<bool, Fault> {
        let start = self.at;
        match self.peek() {
            Some(byte @ (b'{' | b'[')) => {
                let (kind, end) = if byte == b'{' { (Kind::Object, b'}') } else { (Kind::Array, b']') };
                build.open(key, kind, start, None)?;
                self.at += 1;
                self.blank();
                if self.peek() == Some(end) {
                    self.at += 1;
                    build.close(self.at);
                    return Ok(false);
                }
                open.push(if byte == b'{' { Open::Object(BTreeSet::new()) } else { Open::Array(0) });
                return Ok(true);
            }
            Some(b'"') => {
                let (text, lone) = self.string()?;
                let lone = lone.then(|| "an escape is half of a pair (a lone surrogate), shown as U+FFFD".to_owned());
                build.leaf(key, start, self.at, |room| {
                    let cut = (text.len() > room).then(|| words::counted(text.len() as u64, "byte", "bytes"));
                    Leaf::new(Kind::Text, words::clip(&text, room)).noted(cut).noted(lone)
                });
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                let written = &self.text[start..self.at];
                build.leaf(key, start, self.at, |_| Leaf::number(written, written.parse().unwrap_or(f64::NAN)));
            }
            _ => {
                const WORDS: [(&str, Kind); 3] = [("true", Kind::Bool), ("false", Kind::Bool), ("null", Kind::Null)];
                let Some((word, kind)) = WORDS.into_iter().find(|(word, _)| self.text[start..].starts_with(word))
                else {
                    return Err(Fault::at(start, format!("a value is expected, and here is {}", self.found())));
                };
                self.at += word.len();
                build.leaf(key, start, self.at, |_| Leaf::new(kind, word));
            }
        }
        Ok(false)
    }

    /// Reads `"key" :` and the blanks after it.
    fn key(&mut self, keys: &mut BTreeSet<Cow<'a, str>>, build: &mut Build) -> Result<Key, Fault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(Fault::at(start, format!("a key in quotes is expected, and here is {}", self.found())));
        }
        let (name, _) = self.string()?;
        self.blank();
        if self.peek() != Some(b':') {
            return Err(Fault::at(self.at, format!("“:” is missing after the key, and here is {}", self.found())));
        }
        self.at += 1;
        if keys.contains(&name) {
            let shown = words::clip(&name, 60);
            build.note_open(&format!("“{shown}” stands more than once"));
            build.note(format!(
                "At byte {}: the key “{shown}” stands more than once in its object; most readers keep the last.",
                words::count(start as u64)
            ));
        }
        let key = Key::Field(name.clone().into_owned());
        keys.insert(name);
        Ok(key)
    }

    /// Reads a string; also whether an escape was a lone surrogate.
    fn string(&mut self) -> Result<(Cow<'a, str>, bool), Fault> {
        let start = self.at;
        self.at += 1;
        let (mut from, mut out, mut lone) = (self.at, None::<String>, false);
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = &self.text[from..self.at];
                    self.at += 1;
                    let text = match out {
                        Some(mut out) => {
                            out.push_str(rest);
                            Cow::Owned(out)
                        }
                        None => Cow::Borrowed(rest),
                    };
                    return Ok((text, lone));
                }
                Some(b'\\') => {
                    let out = out.get_or_insert_default();
                    out.push_str(&self.text[from..self.at]);
                    let escaped = self.escape()?;
                    lone |= escaped.is_none();
                    out.push(escaped.unwrap_or(char::REPLACEMENT_CHARACTER));
                    from = self.at;
                }
                Some(0..0x20) => {
                    let found = self.found();
                    return Err(Fault::at(self.at, format!("{found} must be written as an escape in a string")));
                }
                Some(_) => self.at += 1,
                None => return Err(Fault::at(start, "this string has no end")),
            }
        }
    }

    /// Reads one escape, of a pair of surrogates both; `None` for a lone one.
    fn escape(&mut self) -> Result<Option<char>, Fault> {
        let start = self.at;
        self.at += 2;
        let plain = match self.bytes.get(start + 1) {
            Some(b'u') => {
                let first = self.four()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first));
                }
                let after = self.at;
                if self.bytes.get(after..after + 2) == Some(b"\\u") {
                    self.at += 2;
                    let second = self.four()?;
                    if (0xdc00..0xe000).contains(&second) {
                        return Ok(char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)));
                    }
                    self.at = after;
                }
                return Ok(None);
            }
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            _ => return Err(Fault::at(start, "JSON has no such escape; a backslash itself is written \\\\")),
        };
        Ok(Some(plain))
    }

    fn four(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(value) = digits.and_then(|four| u32::from_str_radix(four, 16).ok()) else {
            return Err(Fault::at(self.at, "\\u needs four hex digits"));
        };
        self.at += 4;
        Ok(value)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(Fault::at(self.at, format!("a digit is expected, and here is {}", self.found())))
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let start = self.at;
        self.digits()?;
        if self.bytes[start] == b'0' && self.at > start + 1 {
            return Err(Fault::at(start, "a number does not begin with 0 and another digit"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

/// Valid JSON with one value a line and two blanks a level, strings and numbers as written; cut when past `limit` bytes.
pub(super) fn pretty(bytes: &[u8], limit: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len().min(limit));
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    // An object or array that has nothing in it so far.
    let mut fresh = false;
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(100)));
    };
    for letter in text.chars() {
        if out.len() > limit {
            out.push('…');
            break;
        }
        if quoted {
            out.push(letter);
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        if letter.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(letter, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if fresh != closes {
            line(&mut out, depth);
        }
        fresh = matches!(letter, '{' | '[');
        out.push(letter);
        match letter {
            '{' | '[' => depth += 1,
            '"' => quoted = true,
            ':' => out.push(' '),
            ',' => line(&mut out, depth),
            _ => {}
        }
    }
    out
}
