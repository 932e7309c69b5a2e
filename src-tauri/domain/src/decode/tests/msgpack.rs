//! MessagePack: every format of its specification, and mistakes.

use super::*;

fn read(digits: &str) -> Result<Decoded, DecodeError> {
    plain(&Decoder::MessagePack, &bytes(digits))
}

/// Formats of the MessagePack specification, one value of each.
#[test]
fn every_format_is_read() {
    let cases = [
        ("00", "0"),
        ("7f", "127"),
        ("e0", "-32"),
        ("ff", "-1"),
        ("cc80", "128"),
        ("cdffff", "65535"),
        ("ceffffffff", "4294967295"),
        ("cfffffffffffffffff", "18446744073709551615"),
        ("d080", "-128"),
        ("d18000", "-32768"),
        ("d280000000", "-2147483648"),
        ("d38000000000000000", "-9223372036854775808"),
        ("ca3dcccccd", "0.1"),
        ("cb3ff199999999999a", "1.1"),
        ("c0", "nil"),
        ("c2", "false"),
        ("c3", "true"),
        ("a0", ""),
        ("a3616263", "abc"),
        ("d903616263", "abc"),
        ("da0003616263", "abc"),
        ("db00000003616263", "abc"),
        ("c403010203", "010203"),
        ("c50003010203", "010203"),
        ("c600000003010203", "010203"),
        ("90", "0 items"),
        ("dc000101", "1 item"),
        ("dd0000000101", "1 item"),
        ("80", "0 fields"),
        ("de0001a16101", "1 field"),
        ("df00000001a16101", "1 field"),
        ("d405ff", "ff"),
        ("d505ffff", "ffff"),
        ("c70205ffff", "ffff"),
        ("c8000205ffff", "ffff"),
        ("c90000000205ffff", "ffff"),
        ("d6ff00000000", "1970-01-01T00:00:00.000000000Z"),
        ("d7ff0000000400000001", "1970-01-01T00:00:01.000000001Z"),
        ("c70cff00000001ffffffffffffffff", "-1 s and 1 ns since 1970"),
        ("a2c328", "c328"),
    ];
    for (digits, wanted) in cases {
        assert_eq!(read(digits).unwrap().root.value, wanted, "{digits}");
    }
    // The example on the front page of msgpack.org.
    let front = read("82a7636f6d70616374c3a6736368656d6100").unwrap();
    assert_eq!((at(&front, "$.compact"), at(&front, "$.schema")), ("true", "0"));
    assert_eq!(read("ca3dcccccd").unwrap().root.number, Some(0.1));
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("", "The payload is empty."),
        ("c1", "At byte 0: the byte c1 begins no value of MessagePack."),
        ("cd00", "At byte 0: this value has 2 bytes, and 1 are left."),
        ("a361", "At byte 0: this value has 3 bytes, and 1 are left."),
        ("9301", "At byte 2: the payload ends inside the array that begins at byte 0, 2 entries more to come."),
        ("81a161", "At byte 3: the payload ends inside the map that begins at byte 0, 1 entry more to come."),
        ("dbffffffff61", "At byte 0: this value has 4,294,967,295 bytes, and 1 are left."),
        ("d6", "At byte 0: this value has 1 byte, and 0 are left."),
    ];
    for (digits, words) in cases {
        assert_eq!(read(digits).unwrap_err().message, words, "{digits}");
    }
}
