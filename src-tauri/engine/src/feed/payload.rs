//! A payload as a page shows it: text, indented JSON, hexadecimal; cut for display and marked, never in the feed.

use crate::api::wire::PayloadView;
use serde::de::IgnoredAny;
use std::fmt::Write;

/// Bytes of a payload that are shown at most.
pub(super) const SHOWN: usize = 256 * 1024;

/// Decodes a payload for display.
pub fn view_of(payload: &[u8]) -> PayloadView {
    let shown = &payload[..payload.len().min(SHOWN)];
    let text = match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // A character that the cut went through does not make a text binary.
        Err(error) if shown.len() < payload.len() && error.error_len().is_none() => {
            std::str::from_utf8(&shown[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let json = text.filter(|_| shown.len() == payload.len()).and_then(indent);
    PayloadView {
        size: payload.len() as u64,
        shown: shown.len() as u64,
        text: text.map(str::to_owned),
        json,
        hex: hex(shown),
    }
}

/// One line of at most `max` characters: text with control characters shown, or the first bytes in hexadecimal.
pub(crate) fn preview(payload: &[u8], max: usize) -> String {
    if payload.is_empty() {
        return "(empty, 0 B)".into();
    }
    let head = &payload[..payload.len().min(max * 4)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if head.len() < payload.len() && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let Some(text) = text else {
        let mut out = String::new();
        for byte in payload.iter().take(16) {
            let _ = write!(out, "{byte:02x} ");
        }
        if payload.len() > 16 {
            out.push_str("… ");
        }
        out.push_str("binary");
        return out;
    };
    let mut out = String::with_capacity(max + 4);
    for (at, c) in text.chars().enumerate() {
        if at == max {
            out.push('…');
            break;
        }
        out.push(match c {
            '\n' => '↵',
            '\t' => '→',
            c if c.is_control() => '·',
            c => c,
        });
    }
    out
}

/// The same JSON with line breaks and two spaces a level: numbers, key order and escapes exactly as they came. `None`
/// when it is not JSON, or is only a bare word, number or text.
fn indent(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if !trimmed.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(trimmed).is_err() {
        return None;
    }
    let mut out = String::with_capacity(trimmed.len() * 2);
    let mut depth = 0usize;
    let mut in_text = false;
    let mut escaped = false;
    let mut characters = trimmed.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(64)));
    };
    while let Some(c) = characters.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while characters.peek().is_some_and(|next| next.is_ascii_whitespace()) {
                    characters.next();
                }
                if characters.peek().is_some_and(|next| matches!(next, '}' | ']')) {
                    out.extend(characters.next());
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    Some(out)
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5);
    for (at, line) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "{:08x}  ", at * 16);
        for column in 0..16 {
            match line.get(column) {
                Some(byte) => {
                    let _ = write!(out, "{byte:02x} ");
                }
                None => out.push_str("   "),
            }
            if column == 7 {
                out.push(' ');
            }
        }
        out.push(' ');
        out.extend(
            line.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }),
        );
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_numbers_order_and_escapes() {
        let cases = [
            (
                r#"{"b":1.10,"a":[1,2],"e":{},"s":"x\"{,:"}"#,
                "{\n  \"b\": 1.10,\n  \"a\": [\n    1,\n    2\n  ],\n  \"e\": {},\n  \"s\": \"x\\\"{,:\"\n}",
            ),
            ("[]", "[]"),
            (" [ { } , 12345678901234567890 ] ", "[\n  {},\n  12345678901234567890\n]"),
        ];
        for (text, expected) in cases {
            assert_eq!(indent(text).as_deref(), Some(expected));
        }
        for not in ["12", "\"a\"", "{", "nonsense", ""] {
            assert_eq!(indent(not), None, "{not}");
        }
    }

    #[test]
    fn previews_and_cuts() {
        assert_eq!(preview(b"", 10), "(empty, 0 B)");
        assert_eq!(preview("a\nb\u{7}é".as_bytes(), 10), "a↵b·é");
        assert_eq!(preview(b"abcdef", 3), "abc…");
        assert_eq!(preview(b"\xff\x00", 10), "ff 00 binary");
        let long = "é".repeat(SHOWN);
        let view = view_of(long.as_bytes());
        assert_eq!((view.size, view.shown), (2 * SHOWN as u64, SHOWN as u64));
        assert!(view.text.is_some() && view.json.is_none());
        let view = view_of(b"\xff\xfe");
        assert!(view.text.is_none() && view.hex.starts_with("00000000  ff fe "));
    }
}
