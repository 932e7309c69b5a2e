//! Text, hex, Base64 and gzip, and wrappers around other decoders.

use super::*;
use flate2::Compression;
use flate2::read::{GzEncoder, ZlibEncoder};
use std::io::Read;

fn gzip(inside: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    GzEncoder::new(inside, Compression::default()).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn text_shows_and_counts_what_is_no_utf8() {
    let text = plain(&Decoder::Text, "21.5 °C".as_bytes()).unwrap();
    assert_eq!((text.text.as_str(), text.notes.len()), ("21.5 °C", 0));
    let broken = plain(&Decoder::Text, b"ab\xff\xfec\xc3").unwrap();
    assert_eq!(broken.text, "ab\u{fffd}\u{fffd}c\u{fffd}");
    assert_eq!(broken.notes, ["3 bytes are not UTF-8, the first at byte 2; shown as U+FFFD."]);
    assert_eq!(plain(&Decoder::Text, b"").unwrap().notes, ["The payload is empty."]);
    let long = plain(&Decoder::Text, &vec![b'x'; 5 << 20]).unwrap();
    assert_eq!(long.notes, ["The text is cut after 2,097,152 bytes."]);
}

#[test]
fn hex_has_offset_bytes_and_characters() {
    let hex = plain(&Decoder::Hex, b"0123456789abcdef\x00\x7f~").unwrap();
    let wanted = "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n\
                  00000010  00 7f 7e                                          |..~|";
    assert_eq!(hex.text, wanted);
    let long = plain(&Decoder::Hex, &vec![0; 5 << 20]).unwrap();
    assert_eq!(long.notes, ["Shown 424,752 of 5,242,880 bytes."]);
}

#[test]
fn base64_is_read_in_both_alphabets_padded_or_not() {
    // RFC 4648 section 10.
    let cases = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    for (count, written) in cases.iter().enumerate() {
        for written in [(*written).to_owned(), written.trim_end_matches('=').to_owned(), format!("{written}\r\n")] {
            let read = plain(&Decoder::Base64 { inner: None }, written.as_bytes()).unwrap();
            assert_eq!(read.text, "foobar"[..count], "{written}");
            assert_eq!(read.decoder, "text");
        }
    }
    for written in ["+/+/", "-_-_"] {
        let read = plain(&Decoder::Base64 { inner: None }, written.as_bytes()).unwrap();
        assert_eq!((read.decoder.as_str(), read.root.value.as_str()), ("hex", "fbffbf"));
    }
    let mistakes = [
        ("Zm9v!", "At byte 4: “!” is no character of Base64."),
        ("Zm 9\nv€", "At byte 6: the byte e2 is no character of Base64."),
        ("Zm9vY", "At byte 5: the last group has one character only; Base64 writes a byte with two."),
        ("Zh==", "At byte 1: “h” ends the text with bits left over."),
        ("-a+a", "At byte 2: “+” does not stand beside “-” and “_”."),
        ("Z=9v", "At byte 1: “=” stands at the end only, once or twice."),
    ];
    for (written, words) in mistakes {
        let error = plain(&Decoder::Base64 { inner: None }, written.as_bytes()).unwrap_err();
        assert_eq!(error.message, words, "{written}");
    }
}

#[test]
fn wrappers_are_opened_one_by_one() {
    let packed = gzip(br#"{"temp":21.5}"#);
    let written = super::super::encode::show(super::super::encode::Form::Base64, &packed).unwrap();
    let decoder = Decoder::Base64 { inner: Some(Box::new(Decoder::Gzip { inner: Some(Box::new(Decoder::Json)) })) };
    let read = plain(&decoder, written.as_bytes()).unwrap();
    assert_eq!((read.decoder.as_str(), at(&read, "$.temp")), ("JSON", "21.5"));
    let (one, two) = (written.len(), packed.len());
    assert_eq!(
        read.layers,
        [format!("Base64: {one} characters of {two} bytes"), format!("gzip: {two} bytes unpacked to 13")]
    );

    let error = plain(&decoder, b"eyJhIjoxfQ==").unwrap_err();
    assert_eq!((error.decoder.as_str(), error.layers.len()), ("gzip", 1));
    assert_eq!(
        error.to_string(),
        "Base64: 12 characters of 7 bytes; gzip: At byte 0: neither gzip (1f 8b) nor zlib (78 …) begins here."
    );

    let mut zlib = vec![];
    ZlibEncoder::new(b"plain".as_slice(), Compression::best()).read_to_end(&mut zlib).unwrap();
    assert_eq!(plain(&Decoder::Gzip { inner: None }, &zlib).unwrap().text, "plain");

    let mut deep = Decoder::Text;
    for _ in 0..6 {
        deep = Decoder::Base64 { inner: Some(Box::new(deep)) };
    }
    assert_eq!(plain(&deep, b"").unwrap_err().message, "More than 4 wrappers stand around each other.");
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = gzip(&vec![0; 17 << 20]);
    assert!(bomb.len() < 20_000);
    let error = plain(&Decoder::Gzip { inner: None }, &bomb).unwrap_err();
    assert_eq!(error.message, "It unpacks to more than 16,777,216 bytes, and is not unpacked further.");
    let cut = plain(&Decoder::Gzip { inner: None }, &gzip(b"hello, hello, hello")[..20]).unwrap_err();
    assert!(cut.message.starts_with("It is damaged or cut short: "), "{}", cut.message);
}
