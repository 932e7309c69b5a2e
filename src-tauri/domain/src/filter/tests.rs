//! The line, its mistakes and its clicks; what is selected; and that topics match as MQTT says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::topic::{check_filter, matches};
use proptest::collection::vec;
use proptest::prelude::*;
use std::borrow::Cow;

fn wrong(line: &str) -> Vec<(u32, u32, String)> {
    let mistakes = parse(line).expect_err(line);
    mistakes.into_iter().map(|mistake| (mistake.from, mistake.to, mistake.message)).collect()
}

#[test]
fn a_line_is_read_and_written() {
    let line = r#"kind:publish,retry topic:plant/+/temp -client:sim-1 size:>10k since:10:00 "some words" /reg.*ex/ word:"x" qos:1 retained:yes out:failed"#;
    let filter = parse(line).unwrap();
    assert_eq!(filter.terms.len(), 11);
    assert_eq!(filter.to_string(), line);
    assert_eq!(filter.kinds(), [KindName::Publish, KindName::Retry]);
    for (typed, written) in [
        ("  temp   HUM ", "temp HUM"),
        ("KIND:Publish", "kind:publish"),
        ("size:1.5M size:=64Ki size:10..20k", "size:1500k size:65536 size:10..20k"),
        ("since:90m until:2026-11-21T08:05:00.5", "since:90m until:2026-11-21T08:05:00.500"),
        (r#"client:"a b",c"#, r#"client:"a b",c"#),
        ("word:on 12:30 a\"b", "word:\"on\" 12:30 \"a\\\"b\""),
        (r"/a\/b\d/", r"/a\/b\d/"),
    ] {
        assert_eq!(parse(typed).unwrap().to_string(), written, "{typed}");
    }
}

#[test]
fn mistakes_are_explained_at_their_place() {
    for (line, from, to, says) in [
        ("knd:publish", 0, 3, "Did you mean kind:?"),
        ("é kind:publish,retyr", 15, 20, "Did you mean retry?"),
        ("a topic:plant/#/x", 8, 17, "last level"),
        ("topic:", 5, 6, "plant/+/temp"),
        ("qos:3", 4, 5, "0, 1 or 2"),
        ("size:>many", 5, 10, "no size"),
        ("size:20..10", 5, 11, "empty"),
        ("since:25:00", 6, 11, "no time"),
        ("until:2026-02-30", 6, 16, "no time"),
        ("retained:maybe", 9, 14, "neither yes nor no"),
        ("\"open", 0, 5, "closing quote"),
        ("x /a(b/", 4, 7, "unclosed group"),
        ("/a/b", 0, 4, "written \\/"),
        ("/open", 0, 5, "closing /"),
        ("a - b", 2, 3, "not wanted"),
        ("\"\"", 0, 2, "nothing"),
        ("client:\"a\"b", 10, 11, "blank or a comma"),
        ("message:1", 8, 9, "no message id"),
    ] {
        let mistakes = wrong(line);
        let [(at, end, message)] = mistakes.as_slice() else { panic!("{line}: {mistakes:?}") };
        assert!((*at, *end) == (from, to) && message.contains(says), "{line}: {mistakes:?}");
    }
    assert_eq!(wrong("knd:a qos:9 kind:publsh").len(), 3, "no mistake hides another");
}

#[test]
fn clicks_edit_the_same_filter() {
    let edit = |line: &str, edit: FilterEdit| parse(line).unwrap().edited(&edit).map(|filter| filter.to_string());
    let toggle = |field, value: &str| FilterEdit::Toggle { field, value: value.into() };
    let put = |field, value: &str| FilterEdit::Put { field, value: value.into() };
    let mute = |field, value: &str| FilterEdit::Mute { field, value: value.into() };
    let unmute = |field, value: &str| FilterEdit::Unmute { field, value: value.into() };
    let only = |field, value: &str| FilterEdit::Only { field, value: value.into() };
    for (line, change, after) in [
        ("-topic:a,b x", unmute(Field::Topic, "b"), "-topic:a x"),
        ("-topic:a -client:c", unmute(Field::Topic, "a"), "-client:c"),
        ("-topic:a x", only(Field::Topic, "a"), "x topic:a"),
        ("topic:a,b -client:c", only(Field::Topic, "c, d"), "topic:\"c, d\" -client:c"),
        ("temp", toggle(Field::Kind, "publish"), "temp kind:publish"),
        ("kind:publish", toggle(Field::Kind, "retry"), "kind:publish,retry"),
        ("kind:publish x", toggle(Field::Kind, "publish"), "x"),
        ("retained:yes", toggle(Field::Retained, "yes"), ""),
        ("retained:yes", toggle(Field::Retained, "no"), "retained:no"),
        ("", mute(Field::Topic, "a/b, c"), "-topic:\"a/b, c\""),
        ("-client:a", mute(Field::Client, "b"), "-client:a,b"),
        ("-client:a", mute(Field::Client, "a"), "-client:a"),
        ("client:a x", put(Field::Client, "b"), "client:b x"),
        ("size:>1k", put(Field::Size, " "), ""),
        ("a b", FilterEdit::Remove { term: 0 }, "b"),
    ] {
        assert_eq!(edit(line, change.clone()), Ok(after.to_owned()), "{line} {change:?}");
    }
    assert!(edit("", put(Field::Topic, "a#")).is_err());
}

#[test]
fn what_is_muted_is_told_with_the_click_that_takes_it_back() {
    let mut filter = parse(r#"temp -topic:a/b,c/# kind:publish -client:x -"two words" -size:>1k"#).unwrap();
    let words: Vec<String> = filter.muted().into_iter().map(|muted| muted.words).collect();
    assert_eq!(words, ["topic a/b", "topic c/#", "client x", "\"two words\"", "size:>1k"]);
    while let Some(muted) = filter.muted().first() {
        filter = filter.edited(&muted.edit).unwrap();
    }
    assert_eq!(filter.to_string(), "temp kind:publish");
}

/// An event for tests.
struct Sample<'a>(&'a str, &'a str, &'a [u8]);

impl Subject for Sample<'_> {
    fn kinds(&self) -> KindSet {
        KindSet::of(&[KindName::Publish])
    }
    fn word(&self) -> &str {
        "publish"
    }
    fn source(&self) -> SourceKind {
        SourceKind::Relay
    }
    fn name(&self) -> &str {
        "Plant 3"
    }
    fn client(&self) -> &str {
        self.1
    }
    fn topic(&self) -> &str {
        self.0
    }
    fn payload(&self) -> Option<&[u8]> {
        Some(self.2)
    }
    fn content(&self) -> Cow<'_, str> {
        "".into()
    }
    fn qos(&self) -> Option<Qos> {
        Some(Qos::AtLeastOnce)
    }
    fn retained(&self) -> Option<bool> {
        Some(false)
    }
    fn direction(&self) -> Option<Direction> {
        Some(Direction::In)
    }
    fn outcome(&self) -> Option<Outcome> {
        None
    }
    fn at(&self) -> i64 {
        1_000
    }
    fn message(&self) -> Option<MessageId> {
        None
    }
}

#[test]
fn what_is_selected() {
    let sample = Sample("plant/3/Temp", "press-03", b"{\"on\":21.5,\"note\":\"\xc3\x9cber\"}\xff");
    let selects = |line: &str| {
        parse(line)
            .expect(line)
            .compile(|moment| if let Moment::Unix { millis } = moment { millis } else { 0 })
            .selects(&sample)
    };
    for yes in [
        "",
        "temp",
        "TEMP",
        "über",
        r#""\"on\":2""#,
        "publish",
        "press",
        "\"plant 3\"",
        "word:on",
        "word:21",
        "/21\\.\\d/",
        "topic:plant/+/Temp",
        "topic:x,plant/#",
        "client:press-03",
        "name:\"plant 3\"",
        "kind:publish",
        "source:relay",
        "dir:in",
        "qos:1,2",
        "retained:no",
        "size:27",
        "size:>=27",
        "size:1..100",
        "since:@1000",
        "until:@1001",
        "-temperature",
        "-out:failed",
        "-topic:$SYS/#",
        "/(?i)temp$/",
        "word:\"{\"",
    ] {
        assert!(selects(yes), "{yes}");
    }
    for no in [
        "temperature",
        "word:note1",
        "word:o",
        "/temp$/",
        "topic:plant/+",
        "client:press",
        "name:plant",
        "kind:retry",
        "source:broker",
        "dir:out",
        "qos:2",
        "retained:yes",
        "size:>27",
        "since:@1001",
        "until:@1000",
        "-temp",
        "out:ok",
        "temp missing",
        "message:0191d7a8-0000-7000-8000-000000000000",
    ] {
        assert!(!selects(no), "{no}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{1,12}", "[a-z]{1,5}:[a-z\"]{0,4}", "[-/\"\\\\,éü𝄞 ]{1,5}"]
        .prop_filter("not empty", |text| !text.is_empty())
}

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (0u32..86_400_000).prop_map(|millis| Moment::Clock { millis }),
        (1000u16..9999, 1u8..=12, 1u8..=28, prop_oneof![Just(0u32), 0u32..86_400_000])
            .prop_map(|(year, month, day, millis)| Moment::Date { year, month, day, millis }),
        any::<i64>().prop_map(|millis| Moment::Unix { millis }),
        (0u64..1 << 50).prop_map(|millis| Moment::Ago { millis }),
        (0u64..400).prop_map(|days| Moment::Ago { millis: days * 86_400_000 }),
    ]
}

fn size() -> impl Strategy<Value = SizeTest> {
    let bytes = prop_oneof![any::<u64>(), (0u64..1_000).prop_map(|k| k * 1_000)];
    prop_oneof![
        bytes.clone().prop_map(|bytes| SizeTest::Above { bytes }),
        bytes.clone().prop_map(|bytes| SizeTest::AtLeast { bytes }),
        bytes.clone().prop_map(|bytes| SizeTest::Below { bytes }),
        bytes.clone().prop_map(|bytes| SizeTest::AtMost { bytes }),
        bytes.clone().prop_map(|bytes| SizeTest::Exactly { bytes }),
        (bytes.clone(), bytes).prop_map(|(a, b)| SizeTest::Between { least: a.min(b), most: a.max(b) }),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let some = |all: &'static [KindName]| vec(proptest::sample::select(all), 1..4);
    prop_oneof![
        some(KindName::ALL).prop_map(Test::Kind),
        vec(proptest::sample::select(SourceKind::ALL), 1..3).prop_map(Test::Source),
        vec(proptest::sample::select(Direction::ALL), 1..3).prop_map(Test::Direction),
        vec(proptest::sample::select(Outcome::ALL), 1..3).prop_map(Test::Outcome),
        vec((0u8..3).prop_map(|qos| Qos::try_from(qos).unwrap()), 1..3).prop_map(Test::Qos),
        any::<bool>().prop_map(Test::Retained),
        vec(text(), 1..3).prop_map(Test::Name),
        vec(text(), 1..3).prop_map(Test::Client),
        vec("[ab+#/$,\" ]{1,6}".prop_filter("valid", |filter| check_filter(filter).is_ok()), 1..3)
            .prop_map(Test::Topic),
        vec(any::<u128>().prop_map(|id| MessageId(uuid::Uuid::from_u128(id))), 1..3).prop_map(Test::Message),
        size().prop_map(Test::Size),
        moment().prop_map(Test::Since),
        moment().prop_map(Test::Until),
        text().prop_map(Test::Text),
        text().prop_map(Test::Word),
        "[a-c/ .*+é\"]{0,3}[a-c/][/\\\\]{0,2}".prop_filter_map("valid and as it is read", |pattern| {
            let as_read = pattern.replace("\\/", "/");
            compile::pattern(&as_read).is_ok().then_some(Test::Regex(as_read)).filter(|_| !pattern.contains('\\'))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_what_was_written_gives_the_same(terms in vec((any::<bool>(), test()), 0..6)) {
        let filter = Filter { terms: terms.into_iter().map(|(not, test)| Term { not, test }).collect() };
        let line = filter.to_string();
        prop_assert_eq!(parse(&line), Ok(filter), "{}", line);
    }

    #[test]
    fn any_line_is_read_or_explained_within_itself(line in any::<String>()) {
        if let Err(mistakes) = parse(&line) {
            let length = line.encode_utf16().count() as u32;
            prop_assert!(!mistakes.is_empty());
            for mistake in mistakes {
                prop_assert!(mistake.from <= mistake.to && mistake.to <= length && !mistake.message.is_empty());
            }
        }
    }

    #[test]
    fn matching_is_what_the_specification_says(
        filter in vec(proptest::sample::select(&["", "a", "b", "+", "$x"][..]), 1..5),
        hash in any::<bool>(),
        topic in vec(proptest::sample::select(&["", "a", "b", "c", "$x"][..]), 1..6),
    ) {
        let mut filter = filter.join("/");
        if hash {
            filter = if filter.is_empty() { "#".into() } else { filter + "/#" };
        }
        let topic = topic.join("/");
        prop_assume!(!filter.is_empty() && !topic.is_empty());
        prop_assert_eq!(matches(&filter, &topic), specified(&filter, &topic), "{} against {}", filter, topic);
    }
}

/// MQTT 5.0 section 4.7, word by word: levels are compared from the first on.
fn specified(filter: &str, topic: &str) -> bool {
    // 4.7.2: "The Server MUST NOT match Topic Filters starting with a wildcard character (# or +) with Topic Names
    // beginning with a $ character."
    if (filter.starts_with('#') || filter.starts_with('+')) && topic.starts_with('$') {
        return false;
    }
    fn levels(filter: &[&str], topic: &[&str]) -> bool {
        match (filter.split_first(), topic.split_first()) {
            // 4.7.1.2: "The multi-level wildcard represents the parent and any number of child levels."
            (Some((&"#", _)), _) => true,
            // 4.7.1.3: "The single-level wildcard … matches only one topic level", which may be empty.
            (Some((&"+", filter)), Some((_, topic))) => levels(filter, topic),
            // 4.7.3: "Each non-wildcarded level in the Topic Filter has to match the corresponding level in the Topic
            // Name character for character for the match to succeed."
            (Some((one, filter)), Some((other, topic))) => one == other && levels(filter, topic),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
    levels(&filter.split('/').collect::<Vec<_>>(), &topic.split('/').collect::<Vec<_>>())
}
