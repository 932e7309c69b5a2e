//! Diffs: marked lines, bounds, and that the sides can be put together again.

use super::super::diff::{self, Diff, Mark, Part};
use super::*;
use proptest::prelude::*;

fn json(text: &str) -> Decoded {
    plain(&Decoder::Json, text.as_bytes()).unwrap()
}

/// The lines as a person would write them.
fn marked(diff: &Diff) -> Vec<String> {
    let line = |line: &diff::Line| match (line.mark, &line.left, &line.right) {
        (Mark::Same, Some(left), _) => format!("  {}={left}", line.place),
        (Mark::Changed, Some(left), Some(right)) => format!("~ {}={left}→{right}", line.place),
        (Mark::Removed, Some(left), None) => format!("- {}={left}", line.place),
        (Mark::Added, None, Some(right)) => format!("+ {}={right}", line.place),
        other => panic!("{other:?}"),
    };
    diff.lines.iter().map(line).collect()
}

#[test]
fn trees_are_compared_field_by_field() {
    let left = json(r#"{"temp":21.5,"unit":"C","old":[1,2],"same":{"deep":{"er":1}}}"#);
    let right = json(r#"{"unit":"C","temp":21.6,"same":{"deep":{"er":1}},"old":[1,2,{"x":3}],"new":null}"#);
    let diff = diff::decoded(&left, &right);
    assert!(!diff.same && diff.notes.is_empty());
    assert_eq!(
        marked(&diff),
        [
            "  $=4 fields",
            "~ $.temp=21.5→21.6",
            "  $.unit=C",
            "  $.old=2 items",
            "  $.old[0]=1",
            "  $.old[1]=2",
            "+ $.old[2]=1 field",
            "+ $.old[2].x=3",
            "  $.same=1 field",
            "+ $.new=null",
        ]
    );
    assert_eq!(
        marked(&diff::decoded(&json("[1]"), &json(r#"{"a":1}"#))),
        ["~ $=1 item→1 field", "- $[0]=1", "+ $.a=1"]
    );
    let twice = diff::decoded(&json(r#"{"a":1,"a":2}"#), &json(r#"{"a":1,"a":3}"#));
    assert_eq!(marked(&twice)[1..], ["  $.a=1", "~ $.a=2→3"]);
}

#[test]
fn texts_and_bytes_are_compared_in_runs() {
    let diff = diff::texts("one\ntwo\nthree", "one\n2\nthree\nfour");
    assert_eq!(marked(&diff), ["  =one", "- =two", "+ =2", "  =three", "+ =four"]);
    let diff = diff::bytes(b"abcXdef", b"abcdef!");
    let marks: Vec<(Mark, &str)> = diff.lines.iter().map(|line| (line.mark, line.place.as_str())).collect();
    assert_eq!(
        marks,
        [(Mark::Same, "00000000"), (Mark::Removed, "00000003"), (Mark::Same, "00000004"), (Mark::Added, "00000006")]
    );
    assert!(diff::bytes(b"", b"").same && diff::texts("", "").same);
}

#[test]
fn what_was_cut_for_keeping_is_no_difference_and_is_said() {
    let part = |kept: &'static [u8], whole: usize| Part { kept, whole };
    // The end that only one side kept is not shown as taken away.
    let diff = diff::parts(part(b"a\nbcd", 2_000), part(b"a\nbcdef", 7), true);
    assert_eq!(marked(&diff), ["  =a", "  =bcd"]);
    let said = [
        "Of the message it is compared with, only the first 5 of 2,000 bytes were kept.",
        "Compared: the first 5 bytes, undecoded. What follows is not known.",
        "They differ in size: 2,000 bytes and 7 bytes.",
    ];
    assert_eq!((diff.same, &diff.notes[..]), (false, &said.map(str::to_owned)[..]));
    // Both cut, at different places, the shorter one within a character.
    let diff = diff::parts(part("x=ä".as_bytes(), 9), part(b"x=\xc3", 9), true);
    assert!(diff.same && diff.notes.len() == 3 && diff.notes[1].starts_with("Of this message, only the first 3 of"));
    assert_eq!(marked(&diff), ["  =x="]);
    // A whole side that ends before is shorter, and that is a difference.
    let diff = diff::parts(part(b"abc", 3), part(b"abcdef", 60), true);
    assert_eq!(marked(&diff), ["- =abc", "+ =abcdef"]);
    // Bytes where they are no text, and where a person wants them.
    for (left, as_text) in [(part(b"\xff\x01", 9), true), (part(b"ab", 9), false)] {
        let diff = diff::parts(left, part(b"ac", 9), as_text);
        assert!(!diff.same && diff.lines.iter().all(|line| line.place.starts_with("0000000")), "{diff:?}");
    }
}

#[test]
fn what_is_too_much_is_bounded_and_said() {
    let left: String = (0..10_000).map(|line| format!("left {line}\n")).collect();
    let right: String = (0..10_000).map(|line| format!("right {line}\n")).collect();
    let diff = diff::texts(&left, &right);
    assert_eq!(diff.lines.len(), diff::MAX_LINES);
    assert_eq!(
        diff.notes,
        ["Shown 20,000 of 20,001 lines.", "The sides are too long and too different to be matched piece by piece."]
    );
    let one = diff::bytes(&vec![0; 1 << 20], &[1; 100]);
    assert_eq!((one.same, one.notes.len()), (false, 2));
    assert!(diff::bytes(&vec![0; 5000], &[]).notes.is_empty());
    let long = |end: char| json(&format!("[\"{}{end}\"]", "x".repeat(5000)));
    let diff = diff::decoded(&long('a'), &long('b'));
    assert_eq!(diff.notes, ["Values that are cut (…) were compared by their beginning."]);
}

proptest! {
    #[test]
    fn the_sides_can_be_put_together_again(left in "[ab\n]{0,30}", right in "[ab\n]{0,30}") {
        let diff = diff::texts(&left, &right);
        let side = |side: fn(&diff::Line) -> &Option<String>| {
            diff.lines.iter().filter_map(|line| side(line).as_deref()).collect::<Vec<_>>().join("\n")
        };
        prop_assert_eq!(side(|line| &line.left), left.clone());
        prop_assert_eq!(side(|line| &line.right), right.clone());
        prop_assert_eq!(diff.same, left == right);
    }

    #[test]
    fn a_tree_equals_itself_only(left in "[\\[\\]{},:\"a0-9]{0,20}", right in "[\\[\\]{},:\"a0-9]{0,20}") {
        if let (Ok(left), Ok(right)) = (plain(&Decoder::Json, left.as_bytes()), plain(&Decoder::Json, right.as_bytes())) {
            prop_assert!(diff::decoded(&left, &left).same);
            prop_assert_eq!(diff::trees(&left.root, &right.root).same, diff::trees(&right.root, &left.root).same);
        }
    }
}
