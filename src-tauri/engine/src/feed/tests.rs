//! The ring and its views.
#![allow(clippy::unwrap_used)]

mod scratch;

use super::event::{Event, Kind, samples};
use super::export::{Text, Writer};
use super::*;
use crate::api::wire::{
    Anchor, ConnectionRowsRequest, ConnectionsRequest, Look, RateRequest, StepRequest, TopicOrder, TopicsRequest,
};
use relayscope_domain::filter::parse;
use relayscope_domain::id::MessageId;

fn note(text: &str) -> Event {
    Event::now(&"s".into(), &"c".into(), None, Kind::Note { failure: false, text: text.into() })
}

fn publish(client: &str, topic: &str, payload: &[u8], id: Option<u128>) -> Event {
    let mut kind = samples::publish(topic, payload);
    if let Kind::Publish { retain, .. } = &mut kind {
        *retain = payload.len().is_multiple_of(2);
    }
    Event::now(&"s".into(), &client.into(), id.map(|id| MessageId(uuid::Uuid::from_u128(id))), kind)
}

fn connected(client: &str) -> Event {
    Event::now(&"s".into(), &client.into(), None, samples::connected())
}

fn disconnected(client: &str) -> Event {
    Event::now(&"s".into(), &client.into(), None, Kind::Disconnected { code: None, reason: "left".into(), clean: true })
}

fn open(feed: &Feed, view: Option<u32>, line: &str, look: Look) -> u32 {
    let view = feed.open(view, &parse(line).unwrap(), look).view;
    assert!(feed.look_behind(view, None));
    view
}

fn previews(feed: &Feed, view: u32) -> Vec<String> {
    feed.rows(view, None, 0, 100).unwrap().rows.into_iter().map(|row| row.preview).collect()
}

#[test]
fn a_view_selects_pauses_resumes_and_clears() {
    let feed = Feed::new(1 << 20);
    feed.record(note("alpha"));
    let view = open(&feed, None, "A", Look::Feed);
    feed.record(note("beta"));
    feed.record(note("xyz"));
    assert_eq!(previews(&feed, view), ["beta", "alpha"]);
    assert!(feed.pause(view, true).unwrap().paused);
    feed.record(note("gamma"));
    feed.tick();
    let frame = feed.pause(view, true).unwrap();
    assert_eq!((frame.total, frame.waiting), (2, 1));
    assert_eq!(previews(&feed, view), ["beta", "alpha"]);
    open(&feed, Some(view), "a", Look::Feed);
    let frame = feed.frame(view).unwrap();
    assert_eq!((frame.total, frame.waiting, frame.looked), (2, 1, frame.to_look), "a filter does not end a pause");
    let frame = feed.pause(view, false).unwrap();
    assert_eq!((frame.total, frame.waiting), (3, 0));
    assert_eq!(feed.clear(view).unwrap().total, 0);
    feed.record(note("delta"));
    assert_eq!(previews(&feed, view), ["delta"]);
    open(&feed, Some(view), "", Look::Feed);
    assert_eq!(previews(&feed, view), ["delta"], "what was cleared away stays away");
    let other = open(&feed, None, "", Look::Feed);
    assert_eq!(feed.rows(other, None, 0, 100).unwrap().total, 5, "clearing a view loses nothing");
    let none = open(&feed, None, "kind:publish", Look::Feed);
    assert_eq!(feed.rows(none, None, 0, 100).unwrap().total, 0);
}

#[test]
fn the_budget_holds_and_what_was_evicted_is_counted() {
    let feed = Feed::new(1_000_000);
    let view = open(&feed, None, "", Look::Feed);
    for at in 0..10_000 {
        feed.record(note(&format!("event {at}")));
        if at % 1_000 == 0 {
            feed.tick();
        }
    }
    feed.tick();
    let usage = feed.usage();
    assert!(usage.bytes <= 1_000_000 && usage.bytes > 950_000, "{usage:?}");
    let frame = feed.frame(view).unwrap();
    assert_eq!(u64::from(frame.total) + usage.evicted, 10_000);
    assert_eq!(frame.gone, usage.evicted);
    assert_eq!(feed.rows(view, None, 0, 1).unwrap().rows[0].preview, "event 9999");
    let (followed, missed) = feed.follow(0, 10_000);
    assert_eq!(followed.len() as u64 + missed, 10_000);
    feed.record(publish("c", "t", &[0; 600_000], None));
    assert_eq!(feed.usage().not_taken, 1, "an event of half the budget is counted, not kept");
    feed.set_budget(500_000);
    assert!(feed.usage().bytes <= 500_000);
}

#[test]
fn large_events_leave_a_full_ring() {
    let feed = Feed::new(4_000_000);
    for _ in 0..100 {
        feed.record(publish("c", "t", &[0; 100_000], None));
    }
    let usage = feed.usage();
    assert!(usage.bytes <= 4_000_000 && usage.bytes > 3_800_000, "{usage:?}");
}

#[test]
fn a_journey_is_found_wherever_it_is() {
    let feed = Feed::new(16 << 20);
    for at in 0..10_000u128 {
        feed.record(publish("c", "t", b"x", Some(at % 2_500)));
    }
    for (indexed, seq) in [(false, 1), (true, 2_502), (true, 10_000)] {
        if indexed {
            feed.tick();
        }
        let journey = feed.event(seq).unwrap().journey;
        let first = (seq - 1) % 2_500 + 1;
        assert_eq!(journey.iter().map(|step| step.seq).collect::<Vec<_>>(), [0, 1, 2, 3].map(|at| first + at * 2_500));
    }
}

#[test]
fn looking_ends_when_the_filter_is_replaced() {
    let feed = Feed::new(16 << 20);
    for at in 0..5_000 {
        feed.record(note(&format!("event {at}")));
    }
    let view = feed.open(None, &parse("event").unwrap(), Look::Feed).view;
    assert!(!feed.look_behind(view, Some(std::time::Instant::now())));
    let frame = feed.frame(view).unwrap();
    assert!(frame.looked < frame.to_look && frame.to_look == 5_000, "{frame:?}");
    feed.close(view);
    assert!(feed.look_behind(view, None) && feed.frame(view).is_none());
}

#[test]
fn the_rate_is_of_the_view_s_rows() {
    let feed = Feed::new(1 << 20);
    let view = open(&feed, None, "kind:publish", Look::Feed);
    for _ in 0..10 {
        feed.record(publish("c", "t", b"x", None));
        feed.record(note("not counted"));
    }
    let chart = feed.rate(&RateRequest { view, seconds: Some(5), buckets: 60 }).unwrap();
    assert_eq!((chart.counts.len(), chart.counts.iter().sum::<u32>()), (60, 10));
    assert_eq!((chart.from % 5_000, chart.since, chart.until), (0, None, None));
}

#[test]
fn a_rate_shows_what_is_around_a_span_and_what_went_wrong_in_it() {
    let feed = Feed::new(1 << 20);
    let refused = || Event::now(&"s".into(), &"c".into(), None, Kind::Refused { code: None, reason: "no".into() });
    let mut old = refused();
    old.at -= std::time::Duration::from_secs(100);
    let since = unix_millis(old.at) + 50_000;
    feed.record(old);
    feed.record(note("alpha"));
    let view = open(&feed, None, &format!("since:@{since} until:@{}", since + 100_000), Look::Feed);
    feed.record(refused());
    assert_eq!(previews(&feed, view).len(), 2, "rows are those of the span");
    let chart = feed.rate(&RateRequest { view, seconds: None, buckets: 60 }).unwrap();
    assert_eq!((chart.counts.iter().sum::<u32>(), chart.failed.iter().sum::<u32>()), (3, 2));
    assert_eq!((chart.seconds, chart.counts.len()), (2, 60), "everything kept is shown");
    assert_eq!((chart.since, chart.until), (Some(since), Some(since + 100_000)));
}

#[test]
fn a_view_is_written_as_lines_rows_and_text() {
    let feed = Feed::new(1 << 20);
    feed.record(connected("one"));
    feed.record(publish("one", "plant/1", b"=1,\"a\"", Some(7)));
    feed.record(publish("one", "plant/2", b"\xff", Some(8)));
    feed.record(publish("other", "x", b"not selected", None));
    let view = open(&feed, None, "-topic:x", Look::Feed);
    let written = |format| {
        let mut writer = Writer::new(vec![], format).unwrap();
        for event in feed.copies(&feed.numbers(view).unwrap()) {
            writer.write(&event).unwrap();
        }
        let (count, out) = writer.finish();
        (count, String::from_utf8(out).unwrap())
    };
    let (count, lines) = written(Text::Ndjson);
    assert_eq!((count, lines.lines().count()), (3, 3));
    let objects: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((objects[0]["kind"].as_str(), objects[0]["payload"].as_str()), (Some("connected"), None));
    assert_eq!(objects[1]["payload"], "=1,\"a\"");
    assert_eq!((objects[2]["encoding"].as_str(), objects[2]["payload"].as_str()), (Some("base64"), Some("/w==")));
    let (count, rows) = written(Text::Csv);
    assert_eq!((count, rows.split("\r\n").count()), (2, 4));
    assert!(rows.contains(",utf-8,\"'=1,\"\"a\"\"\"\r\n") && rows.contains(",1,base64,/w==\r\n"), "{rows}");
    let (_, text) = written(Text::Txt);
    assert!(text.contains("]: [MQTT] Device connected one"), "{text}");
    assert!(text.contains("]: Raw payload: =1,\"a\"\n------\n["), "{text}");
    assert_eq!(feed.numbers(99), None);
}

fn topics(feed: &Feed, view: u32, branch: Option<&str>, order: TopicOrder) -> Vec<(String, u32, u32)> {
    let request = TopicsRequest { view, branch: branch.map(str::to_owned), order, from: 0, count: 1_000 };
    let found = feed.topics(&request).unwrap();
    assert_eq!(found.total as usize, found.rows.len());
    found.rows.into_iter().map(|row| (row.topic, row.own, row.below)).collect()
}

#[test]
fn topics_are_a_tree_of_what_is_kept() {
    let feed = Feed::new(1 << 20);
    let view = open(&feed, None, "", Look::Topics);
    feed.record(publish("c", "a/b", b"1", None));
    feed.record(publish("c", "a/b", b"22", None));
    feed.record(publish("c", "a/c/d", b"3", None));
    feed.record(publish("c", "z", b"4", None));
    let of = |topic: &str, own, below| (topic.to_owned(), own, below);
    assert_eq!(topics(&feed, view, None, TopicOrder::Name), [of("a", 0, 3), of("z", 1, 1)]);
    assert_eq!(topics(&feed, view, Some("a"), TopicOrder::Rate)[0], of("a/b", 2, 2));
    assert_eq!(topics(&feed, view, Some("a/c"), TopicOrder::Time), [of("a/c/d", 1, 1)]);
    assert_eq!(topics(&feed, view, Some("nowhere"), TopicOrder::Name), []);
    let request = TopicsRequest { view, branch: Some("a".into()), order: TopicOrder::Name, from: 0, count: 1 };
    let found = feed.topics(&request).unwrap();
    assert_eq!((found.total, found.rows.len()), (2, 1));
    assert!(found.rows[0].retained && found.rows[0].rate > 0.0);
    assert_eq!(found.rows[0].last.as_ref().unwrap().preview, "22");
    feed.pause(view, true);
    feed.record(publish("c", "z", b"5", None));
    assert_eq!(topics(&feed, view, None, TopicOrder::Name)[1], of("z", 1, 1), "a pause freezes the tree");
    feed.pause(view, false);
    assert_eq!(topics(&feed, view, None, TopicOrder::Name)[1], of("z", 2, 2));
}

#[test]
fn a_list_that_stands_still_keeps_its_event_in_its_place() {
    let feed = Feed::new(1 << 22);
    let note = |n: u64| assert!(feed.record(publish("c", "t", format!("{n}").as_bytes(), None)));
    (1..=100).for_each(note);
    let view = open(&feed, None, "", Look::Feed);
    let shown = |anchor, from| {
        let found = feed.rows(view, Some(anchor), from, 3).unwrap();
        (found.newer, found.rows.iter().map(|row| row.seq).collect::<Vec<_>>())
    };
    let anchor = Anchor { seq: 90, index: 10 };
    assert_eq!(shown(anchor, 9), (0, vec![91, 90, 89]));
    (101..=5_000).for_each(note);
    assert_eq!(shown(anchor, 9), (4_900, vec![91, 90, 89]));
    assert_eq!(
        shown(Anchor { seq: 4_999, index: 10 }, 0),
        (0, vec![5_000, 4_999, 4_998]),
        "nothing is above the first"
    );
    feed.set_budget(feed.usage().bytes as usize / 4);
    let (newer, seqs) = shown(anchor, 8);
    assert_eq!((newer as usize + 10, seqs.len()), (feed.frame(view).unwrap().total as usize, 2), "the oldest kept");
    feed.pause(view, true);
    note(5_001);
    assert_eq!(shown(Anchor { seq: 4_990, index: 5 }, 5).1[0], 4_990);
}

#[test]
fn keys_lead_from_row_to_row_however_long_the_list_is() {
    let feed = Feed::new(1 << 24);
    let note = |n: u64| assert!(feed.record(publish("c", "t", format!("{n}").as_bytes(), None)));
    let view = open(&feed, None, "", Look::Feed);
    let led = |seq, step, most, anchor| {
        feed.step(&StepRequest { view, seq, step, most, anchor }).map(|stepped| (stepped.seq, stepped.index))
    };
    let all = u32::MAX;
    assert_eq!(led(None, 1, all, None), None, "there is no row");
    (1..=20_000).for_each(note);
    assert_eq!(led(None, 1, all, None), Some((20_000, 0)));
    assert_eq!(led(Some(20_000), -1, all, None), Some((20_000, 0)));
    assert_eq!(led(Some(20_000), 1, all, None), Some((19_999, 1)));
    assert_eq!(led(Some(5), 1, all, None), Some((4, 19_996)));
    assert_eq!(led(Some(5), -2, all, None), Some((7, 19_993)));
    assert_eq!(led(Some(5), i32::MAX, all, None), Some((1, 19_999)));
    assert_eq!(led(Some(5), i32::MIN, all, None), Some((20_000, 0)));
    assert_eq!(led(Some(19_901), 1, 100, None), Some((19_901, 99)), "no further than the list");
    // The list stands still, 10 rows above the event; five more came.
    (20_001..=20_005).for_each(note);
    let anchor = Some(Anchor { seq: 19_990, index: 10 });
    assert_eq!(led(None, 1, all, anchor), Some((20_000, 0)));
    assert_eq!(led(Some(20_000), -1, all, anchor), Some((20_000, 0)));
    assert_eq!(led(Some(19_990), 1, all, anchor), Some((19_989, 11)));
    assert_eq!(led(Some(20_003), 1, all, anchor), Some((20_000, 0)), "it is above the list");
    assert_eq!(feed.step(&StepRequest { view: view + 1, seq: None, step: 1, most: 1, anchor: None }), None);
}

#[test]
fn lives_begin_and_end_with_their_connection() {
    let feed = Feed::new(1 << 20);
    feed.record(connected("one"));
    feed.record(publish("one", "t", b"1", None));
    feed.record(connected("two"));
    feed.record(publish("two", "t", b"2", None));
    feed.record(disconnected("one"));
    let view = open(&feed, None, "kind:publish", Look::Connections);
    feed.record(connected("one"));
    feed.record(publish("one", "t", b"3", None));
    feed.record(publish("one", "t", b"4", None));
    let list = || {
        let found = feed.connections(&ConnectionsRequest { view, from: 0, count: 10 }).unwrap();
        assert_eq!(found.total as usize, found.rows.len());
        found.rows
    };
    let told = |rows: &[crate::api::wire::ConnectionRow]| {
        rows.iter().map(|row| (row.client.clone(), row.rows, row.ended)).collect::<Vec<_>>()
    };
    let rows = list();
    assert_eq!(told(&rows), [("one".into(), 2, false), ("two".into(), 1, false), ("one".into(), 1, true)]);
    assert_eq!(rows[0].begun.as_ref().unwrap().kind, "connected");
    let request = ConnectionRowsRequest { view, connection: rows[0].connection, from: 1, count: 10 };
    let lines = feed.connection_rows(&request).unwrap();
    assert_eq!((lines.total, lines.rows[0].row.preview.as_str()), (2, "4"));
    feed.pause(view, true);
    feed.record(disconnected("two"));
    feed.record(publish("one", "t", b"5", None));
    assert_eq!(told(&list()), told(&rows), "a pause freezes the lives");
    feed.pause(view, false);
    assert_eq!(told(&list())[..2], [("one".into(), 3, false), ("two".into(), 1, true)]);
}
