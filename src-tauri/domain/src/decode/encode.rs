//! What is typed in the publish editor, as bytes; and bytes as something that can be typed. Nothing is mended on the
//! way: what is shown gives the same bytes again.

use super::{Fault, base64, json, words};
use crate::decode::Limits;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use ts_rs::TS;

/// How a payload is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "PayloadForm")]
pub enum Form {
    /// Its UTF-8.
    Text,
    /// Its UTF-8, which must be JSON; sent as typed.
    Json,
    /// Two digits a byte, sixteen bytes a line; blanks, line ends, `:`, `-`, `,` and `0x` may stand between bytes.
    Hex,
    /// RFC 4648, either alphabet, padded or not.
    Base64,
}

/// Why what was typed is no payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(rename = "PayloadMistake")]
pub struct Mistake {
    /// Line, from 1.
    pub line: u64,
    /// Character in the line, from 1.
    pub column: u64,
    /// One sentence.
    pub message: String,
}

/// The bytes that `typed` stands for.
pub fn encode(form: Form, typed: &str) -> Result<Vec<u8>, Mistake> {
    let bytes = match form {
        Form::Text => Ok(typed.as_bytes().to_vec()),
        Form::Json => {
            let limits = Limits { nodes: 1, text: 0, ..Limits::default() };
            json::read(typed.as_bytes(), &limits).map(|_| typed.as_bytes().to_vec())
        }
        Form::Hex => hex(typed),
        Form::Base64 => base64::bytes_of(typed.as_bytes()),
    };
    bytes.map_err(|fault| mistake(&fault, typed))
}

/// Bytes as they would be typed; `None` where this form has no words for them.
pub fn show(form: Form, bytes: &[u8]) -> Option<String> {
    match form {
        Form::Text => String::from_utf8(bytes.to_vec()).ok(),
        Form::Json => json::kind(bytes).and_then(|_| String::from_utf8(bytes.to_vec()).ok()),
        Form::Hex => Some(pairs(bytes)),
        Form::Base64 => Some(base64::written(bytes)),
    }
}

/// Sixteen bytes a line.
fn pairs(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (at, byte) in bytes.iter().enumerate() {
        let between = match at {
            0 => "",
            at if at.is_multiple_of(16) => "\n",
            _ => " ",
        };
        // Writing to a String does not fail.
        let _ = write!(out, "{between}{byte:02x}");
    }
    out
}

/// Where a fault stands among the lines that were typed.
fn mistake(fault: &Fault, typed: &str) -> Mistake {
    let mut at = fault.at.unwrap_or(typed.len()).min(typed.len());
    while !typed.is_char_boundary(at) {
        at -= 1;
    }
    let before = &typed[..at];
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    // A person counts lines, not bytes.
    let at = fault.at.map(|at| format!("At byte {}", words::count(at as u64)));
    let message = match at.and_then(|at| fault.message.strip_prefix(&at)) {
        Some(rest) => format!("Line {line}, column {column}{rest}"),
        None => fault.message.clone(),
    };
    Mistake { line, column, message }
}

fn hex(typed: &str) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::with_capacity(typed.len() / 2);
    let mut letters = typed.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter.is_whitespace() || matches!(letter, ':' | '-' | ',') {
            continue;
        }
        let Some(high) = letter.to_digit(16) else {
            return Err(Fault::at(at, format!("“{letter}” is no hex digit (0 to 9, a to f)")));
        };
        if high == 0 && letters.next_if(|(_, next)| matches!(next, 'x' | 'X')).is_some() {
            if !letters.peek().is_some_and(|(_, next)| next.is_ascii_hexdigit()) {
                return Err(Fault::at(at, "after 0x stand the two digits of a byte"));
            }
            continue;
        }
        match letters.next() {
            Some((_, next)) if next.is_ascii_hexdigit() => {
                let low = next.to_digit(16).unwrap_or_default();
                // Two digits are at most 255.
                out.push((high << 4 | low) as u8);
            }
            Some((_, next)) if !(next.is_whitespace() || matches!(next, ':' | '-' | ',')) => {
                return Err(Fault::at(at + 1, format!("“{next}” is no hex digit (0 to 9, a to f)")));
            }
            _ => return Err(Fault::at(at, format!("“{letter}” stands alone; a byte has two digits, as 0{letter}"))),
        }
    }
    Ok(out)
}
