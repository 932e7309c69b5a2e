//! The publish editor's forms: byte-exact both ways, mistakes at their place.

use super::super::encode::{Form, encode, show};
use proptest::prelude::*;

#[test]
fn hex_is_typed_in_many_ways() {
    for typed in
        ["00ff10", "00 FF 10", "0x00 0xff 0x10", "00:ff:10", "00-ff-10", "0x00, 0xFF,\n0x10", "0x00ff10", " 00ff 10 "]
    {
        assert_eq!(encode(Form::Hex, typed), Ok(vec![0x00, 0xff, 0x10]), "{typed}");
    }
    assert_eq!(encode(Form::Hex, ""), Ok(vec![]));
}

#[test]
fn mistakes_have_a_line_and_a_column() {
    let cases = [
        (Form::Hex, "00 f", (1, 4), "Line 1, column 4: “f” stands alone; a byte has two digits, as 0f."),
        (Form::Hex, "00\nf 1", (2, 1), "Line 2, column 1: “f” stands alone; a byte has two digits, as 0f."),
        (Form::Hex, "00 fg", (1, 5), "Line 1, column 5: “g” is no hex digit (0 to 9, a to f)."),
        (Form::Hex, "é", (1, 1), "Line 1, column 1: “é” is no hex digit (0 to 9, a to f)."),
        (Form::Hex, "aé", (1, 2), "Line 1, column 2: “é” is no hex digit (0 to 9, a to f)."),
        (Form::Hex, "0x", (1, 1), "Line 1, column 1: after 0x stand the two digits of a byte."),
        (Form::Hex, "0x1", (1, 3), "Line 1, column 3: “1” stands alone; a byte has two digits, as 01."),
        (Form::Json, "{\"ä\": 1,\n \"b\": x}", (2, 7), "Line 2, column 7: a value is expected, and here is “x”."),
        (Form::Base64, "Zm9v\n!A==", (2, 1), "Line 2, column 1: “!” is no character of Base64."),
    ];
    for (form, typed, place, words) in cases {
        let mistake = encode(form, typed).unwrap_err();
        assert_eq!(((mistake.line, mistake.column), mistake.message.as_str()), (place, words), "{typed}");
    }
}

#[test]
fn json_is_sent_as_typed() {
    let typed = " {\"a\" : 1.00,\r\n\"a\":2}\n";
    assert_eq!(encode(Form::Json, typed).as_deref(), Ok(typed.as_bytes()));
    assert_eq!(show(Form::Json, typed.as_bytes()).as_deref(), Some(typed));
    assert_eq!(show(Form::Json, b"{"), None);
    assert_eq!(show(Form::Text, b"\xff"), None);
}

proptest! {
    #[test]
    fn any_bytes_come_back(bytes: Vec<u8>) {
        for form in [Form::Hex, Form::Base64] {
            let shown = show(form, &bytes).unwrap();
            prop_assert_eq!(encode(form, &shown), Ok(bytes.clone()));
        }
        for form in [Form::Text, Form::Json] {
            if let Some(shown) = show(form, &bytes) {
                prop_assert_eq!(encode(form, &shown), Ok(bytes.clone()));
            }
        }
    }

    #[test]
    fn any_text_comes_back(text: String) {
        prop_assert_eq!(encode(Form::Text, &text), Ok(text.as_bytes().to_vec()));
        for form in [Form::Json, Form::Hex, Form::Base64] {
            match encode(form, &text) {
                Ok(bytes) => prop_assert_eq!(encode(form, &show(form, &bytes).unwrap()), Ok(bytes)),
                Err(mistake) => {
                    prop_assert!(mistake.line >= 1 && mistake.column >= 1 && !mistake.message.contains("At byte"));
                }
            }
        }
    }

    #[test]
    fn any_hex_comes_back(text in "[0-9a-fA-Fx :,\\-\n]{0,40}") {
        if let Ok(bytes) = encode(Form::Hex, &text) {
            prop_assert_eq!(encode(Form::Hex, &show(Form::Hex, &bytes).unwrap()), Ok(bytes));
        }
    }
}
