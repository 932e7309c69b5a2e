//! CBOR: the examples of RFC 8949 appendix A, and mistakes.

use super::super::path;
use super::*;

fn read(digits: &str) -> Result<Decoded, DecodeError> {
    plain(&Decoder::Cbor, &bytes(digits))
}

/// RFC 8949 appendix A: bytes and what they stand for.
#[test]
fn the_examples_of_the_specification_are_read() {
    let cases = [
        ("00", "0"),
        ("17", "23"),
        ("1818", "24"),
        ("1903e8", "1000"),
        ("1a000f4240", "1000000"),
        ("1b000000e8d4a51000", "1000000000000"),
        ("1bffffffffffffffff", "18446744073709551615"),
        ("c249010000000000000000", "18446744073709551616"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("c349010000000000000000", "-18446744073709551617"),
        ("20", "-1"),
        ("3903e7", "-1000"),
        ("f90000", "0"),
        ("f98000", "-0"),
        ("f93c00", "1"),
        ("fb3ff199999999999a", "1.1"),
        ("f93e00", "1.5"),
        ("f97bff", "65504"),
        ("fa47c35000", "100000"),
        ("f90001", "5.960464477539063e-8"),
        ("fbc010666666666666", "-4.1"),
        ("f97c00", "inf"),
        ("f97e00", "NaN"),
        ("f4", "false"),
        ("f5", "true"),
        ("f6", "null"),
        ("f7", "undefined"),
        ("fb7e37e43c8800759c", "1e300"),
        ("f0", "simple(16)"),
        ("f8ff", "simple(255)"),
        ("4401020304", "01020304"),
        ("6449455446", "IETF"),
        ("62225c", "\"\\"),
        ("64f0908591", "𐅑"),
        ("5f42010243030405ff", "0102030405"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("80", "0 items"),
        ("a0", "0 fields"),
        ("9fff", "0 items"),
    ];
    for (digits, wanted) in cases {
        assert_eq!(read(digits).unwrap().root.value, wanted, "{digits}");
    }
}

#[test]
fn containers_tags_and_odd_keys_have_paths() {
    let map = read("a26161016162820203").unwrap();
    assert_eq!((at(&map, "$.a"), at(&map, "$.b[1]")), ("1", "3"));
    assert_eq!(map.text, "2 fields\n  a: 1\n  b: 2 items\n    0: 2\n    1: 3");
    let open = read("bf61610161629f0203ffff").unwrap();
    assert_eq!((at(&open, "$.a"), at(&open, "$.b[1]")), ("1", "3"));
    assert_eq!(path::find(&open.root, "$.b").unwrap().range.unwrap().end, 10);
    let numbered = read("a201020304").unwrap();
    assert_eq!(at(&numbered, "$.x".replace(".x", "{3}").as_str()), "4");
    // {[1]: 2, "b": {{}: 3}}
    let complex = read("a2810102 6162 a1a003").unwrap();
    assert_eq!((at(&complex, "${key 0}[0]"), at(&complex, "${value 0}")), ("1", "2"));
    assert_eq!(at(&complex, "$.b{value 0}"), "3");
    let time = read("c11a514b67b0").unwrap();
    assert_eq!((time.root.value.as_str(), note(&time, "$")), ("1363896240", "tag 1: time in seconds since 1970"));
    assert_eq!(time.root.number, Some(1_363_896_240.0));
    assert!(note(&read("d9d9f7d818456449455446").unwrap(), "$").contains("self-described CBOR, tag 24"));
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("", "The payload is empty."),
        ("18", "At byte 0: the payload ends inside the head of an item."),
        ("1c", "At byte 0: the byte 1c begins no item of CBOR."),
        ("8301", "At byte 2: the payload ends inside the array that begins at byte 0, 2 entries more to come."),
        ("9f01", "At byte 2: the payload ends inside the array that begins at byte 0, its break missing."),
        ("4401", "At byte 0: this value has 4 bytes, and 1 are left."),
        ("ff", "At byte 0: a break stands where a value is expected."),
        ("bf6161ff", "At byte 3: a break stands where a value is expected."),
        ("8201ff", "At byte 2: a break stands where a value is expected."),
        ("61ff", "At byte 0: this text is not UTF-8."),
        ("5f6161ff", "At byte 1: a chunk of the string is expected, of its kind and with its length."),
        ("7b7fffffffffffffff61", "At byte 0: this value has 9,223,372,036,854,775,807 bytes, and 1 are left."),
        (
            "9bffffffffffffffff",
            "At byte 9: the payload ends inside the array that begins at byte 0, 18,446,744,073,709,551,615 entries more to come.",
        ),
    ];
    for (digits, words) in cases {
        assert_eq!(read(digits).unwrap_err().message, words, "{digits}");
    }
    let more = read("0001").unwrap();
    assert_eq!(more.notes, ["After the value, which ends at byte 1, 1 byte are left over."]);
}
