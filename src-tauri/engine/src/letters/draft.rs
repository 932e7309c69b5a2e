//! Payloads as people write them: text, hexadecimal or base64, decoded strictly. Pure.

use crate::api::wire::{PayloadDraft, PayloadForm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::fmt::Write;

/// Bytes of a payload that a form holds at most.
const MOST: usize = 1 << 20;

/// A payload for a form: text when it is UTF-8 without control characters that a form would change, else hexadecimal.
/// `None` when it is too large.
pub(crate) fn of(payload: &[u8]) -> Option<PayloadDraft> {
    let kept = |text: &&str| !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t'));
    match std::str::from_utf8(payload).ok().filter(kept) {
        Some(_) => written(payload, PayloadForm::Text),
        None => written(payload, PayloadForm::Hex),
    }
}

/// A payload written in a form; `None` when it is too large, or is no text.
pub(crate) fn written(payload: &[u8], form: PayloadForm) -> Option<PayloadDraft> {
    if payload.len() > MOST {
        return None;
    }
    let text = match form {
        PayloadForm::Text => std::str::from_utf8(payload).ok()?.to_owned(),
        PayloadForm::Hex => hex(payload),
        PayloadForm::Base64 => STANDARD.encode(payload),
    };
    Some(PayloadDraft { form, text })
}

/// The bytes that were written, or what is wrong in one sentence.
pub(crate) fn decode(draft: &PayloadDraft) -> Result<Bytes, String> {
    match draft.form {
        PayloadForm::Text => Ok(Bytes::copy_from_slice(draft.text.as_bytes())),
        PayloadForm::Hex => bytes_of_hex(&draft.text),
        PayloadForm::Base64 => {
            let text: String = draft.text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            STANDARD.decode(text.trim()).map(Bytes::from).map_err(|error| base64_words(&error))
        }
    }
}

fn hex(payload: &[u8]) -> String {
    let mut out = String::with_capacity(payload.len() * 3);
    for (at, byte) in payload.iter().enumerate() {
        let between = match at {
            0 => "",
            at if at % 16 == 0 => "\n",
            _ => " ",
        };
        let _ = write!(out, "{between}{byte:02x}");
    }
    out
}

fn bytes_of_hex(text: &str) -> Result<Bytes, String> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut first: Option<u8> = None;
    for (at, c) in text.chars().enumerate() {
        let place = at + 1;
        if c.is_ascii_whitespace() {
            if first.is_some() {
                return Err(format!(
                    "The byte before character {place} has one digit; each byte has two, as in 0a ff."
                ));
            }
            continue;
        }
        let Some(digit) = c.to_digit(16) else {
            return Err(format!("“{c}” (character {place}) is no hexadecimal digit; 0 to 9 and a to f are."));
        };
        match first.take() {
            Some(high) => out.push(high << 4 | digit as u8),
            None => first = Some(digit as u8),
        }
    }
    match first {
        Some(_) => Err("The last byte has one digit; each byte has two, as in 0a ff.".into()),
        None => Ok(out.into()),
    }
}

fn base64_words(error: &base64::DecodeError) -> String {
    use base64::DecodeError::{InvalidByte, InvalidLastSymbol, InvalidLength, InvalidPadding};
    match error {
        InvalidByte(at, byte) if byte.is_ascii_graphic() => {
            format!("“{}” (character {}) does not belong there in base64.", char::from(*byte), at + 1)
        }
        InvalidByte(at, _) => format!("Character {} does not belong into base64.", at + 1),
        InvalidLength(_) | InvalidPadding => {
            "The text is no whole base64: its length is a multiple of four, filled up with “=”.".into()
        }
        InvalidLastSymbol(..) => "The last character of the base64 has bits too many; something is missing.".into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn draft(form: PayloadForm, text: &str) -> PayloadDraft {
        PayloadDraft { form, text: text.into() }
    }

    #[test]
    fn every_form_gives_the_same_bytes_back() {
        let long: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for payload in [&b""[..], b"a", b"\x00\xff", "22.5 °C\n".as_bytes(), &long] {
            for form in [PayloadForm::Text, PayloadForm::Hex, PayloadForm::Base64] {
                let Some(written) = written(payload, form) else {
                    assert!(form == PayloadForm::Text && std::str::from_utf8(payload).is_err());
                    continue;
                };
                assert_eq!(decode(&written).unwrap(), payload, "{form:?}");
            }
            assert_eq!(decode(&of(payload).unwrap()).unwrap(), payload);
        }
        assert_eq!(of(b"plain").unwrap().form, PayloadForm::Text);
        // A form changes carriage returns, and shows no control characters.
        assert_eq!(of(b"a\r\nb").unwrap().form, PayloadForm::Hex);
        assert_eq!(of(b"\xff").unwrap().text, "ff");
        assert!(of(&vec![b'x'; MOST + 1]).is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (form, text, expected) in [
            (PayloadForm::Hex, "0a f", "The last byte has one digit"),
            (PayloadForm::Hex, "0 a", "The byte before character 2"),
            (PayloadForm::Hex, "zz", "“z” (character 1)"),
            (PayloadForm::Base64, "ab!=", "“!” (character 3)"),
            (PayloadForm::Base64, "YQ", "no whole base64"),
            (PayloadForm::Base64, "YR==", "bits too many"),
        ] {
            let problem = decode(&draft(form, text)).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
        assert_eq!(decode(&draft(PayloadForm::Base64, " YQ\n==\n")).unwrap(), &b"a"[..]);
        assert_eq!(decode(&draft(PayloadForm::Hex, " 0A\nff ")).unwrap(), &b"\x0a\xff"[..]);
    }
}
