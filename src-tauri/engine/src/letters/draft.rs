//! Payloads as people write them in the form of a dead letter: text, JSON, hexadecimal or base64 (the domain's
//! [`encode`]), up to a size. Pure.

use crate::api::wire::{PayloadDraft, PayloadForm};
use bytes::Bytes;
use relayscope_domain::decode::encode;

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

/// A payload written in a form; `None` when it is too large, or the form has no words for it.
pub(crate) fn written(payload: &[u8], form: PayloadForm) -> Option<PayloadDraft> {
    if payload.len() > MOST {
        return None;
    }
    Some(PayloadDraft { form, text: encode::show(form, payload)? })
}

/// The bytes that were written, or what is wrong in one sentence.
pub(crate) fn decode(draft: &PayloadDraft) -> Result<Bytes, String> {
    encode::encode(draft.form, &draft.text).map(Bytes::from).map_err(|mistake| mistake.message)
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
            for form in [PayloadForm::Text, PayloadForm::Json, PayloadForm::Hex, PayloadForm::Base64] {
                let Some(written) = written(payload, form) else {
                    assert!(form == PayloadForm::Json || std::str::from_utf8(payload).is_err());
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
            (PayloadForm::Hex, "0a f", "Line 1, column 4: “f” stands alone"),
            (PayloadForm::Hex, "0a\nzz", "Line 2, column 1: “z” is no hex digit"),
            (PayloadForm::Base64, "ab!=", "Line 1, column 3: “!” is no character"),
            (PayloadForm::Base64, "YQ=a", "Line 1, column 3: “=” stands at the end only"),
            (PayloadForm::Base64, "YR==", "bits left over"),
            (PayloadForm::Json, "{\"a\":}", "Line 1, column 6: a value is expected"),
        ] {
            let problem = decode(&draft(form, text)).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
        assert_eq!(decode(&draft(PayloadForm::Base64, " YQ\n==\n")).unwrap(), &b"a"[..]);
        assert_eq!(decode(&draft(PayloadForm::Hex, " 0A\nff ")).unwrap(), &b"\x0a\xff"[..]);
    }
}
