//! Events to a file and back.
#![allow(clippy::unwrap_used)]

mod any;
mod tshark;

use super::replay::{Limits, Replayable};
use super::{Chosen, Recording, Recordings};
use crate::api::wire::{BrokenLine, Look};
use crate::feed::Feed;
use crate::feed::event::{Direction, Event, Kind};
use crate::feed::export::{Text, Writer};
use crate::feed::history::History;
use proptest::collection::vec;
use proptest::prelude::*;
use relayscope_domain::filter::Filter;
use relayscope_domain::message::Qos;
use relayscope_domain::settings::HistorySettings;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn same(one: &Event, other: &Event) -> bool {
    one.at == other.at
        && one.origin == other.origin
        && one.source == other.source
        && one.client == other.client
        && one.message_id == other.message_id
        && one.connection == other.connection
        && one.kind == other.kind
}

fn opened(recordings: &Recordings) -> Arc<Recording> {
    recordings.begin("events.ndjson", 0, 64 << 20).unwrap()
}

/// Events written to a file and read from it again, so many bytes at once.
fn read_again(events: &[Event], part: usize) -> Vec<Event> {
    let mut writer = Writer::new(vec![], Text::Ndjson).unwrap();
    events.iter().for_each(|event| writer.write(event).unwrap());
    let recording = opened(&Recordings::default());
    for bytes in writer.finish().1.chunks(part) {
        recording.add(bytes, false);
    }
    recording.add(b"", true);
    assert_eq!(recording.view().broken_lines, []);
    recording.feed().events()
}

proptest! {
    // Each case is a file of SQLite.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_the_history_keeps_is_what_was_recorded(events in vec(any::event(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let kept = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let (feed, stop) = (Feed::new(64 << 20), CancellationToken::new());
            events.iter().for_each(|event| assert!(feed.of(event.origin).record(event.clone())));
            stop.cancel();
            let history = History::new(folder.path().join("history.db"));
            history.record(&feed, &HistorySettings::default(), &stop).await.unwrap();
            history.close().await;
            let ids = history.chosen(&Filter::default(), |_| true).await.unwrap();
            history.events(&ids).await.unwrap().0
        });
        prop_assert_eq!(events.len(), kept.len());
        let read = read_again(&kept, 4_096);
        for ((recorded, kept), read) in events.iter().zip(&kept).zip(&read) {
            prop_assert!(same(recorded, kept), "{:?}\n{:?}", recorded, kept);
            prop_assert!(same(recorded, read), "{:?}\n{:?}", recorded, read);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_again(events in vec(any::event(), 1..20), part in 1usize..200) {
        let read = read_again(&events, part);
        prop_assert_eq!(events.len(), read.len());
        for (written, read) in events.iter().zip(&read) {
            prop_assert!(same(written, read), "{:?}\n{:?}", written, read);
        }
    }

    #[test]
    fn any_bytes_are_read_or_named(lines in vec(vec(any::<u8>(), 0..60), 0..10)) {
        let recording = opened(&Recordings::default());
        recording.add(&lines.join(&b'\n'), true);
        let view = recording.view();
        prop_assert_eq!(view.events + view.broken, view.lines);
    }
}

#[test]
fn broken_lines_are_named_and_the_others_taken() {
    let recordings = Recordings::default();
    let recording = opened(&recordings);
    let text = "\u{feff}{\"at\":\"2026-11-21T14:03:00Z\",\"kind\":\"publish\",\"topic\":\"a\",\"payload\":\"1\"}\r\n\
                \n\
                {\"at\":\"2026-11-21T14:03:00Z\"\n\
                {\"at\":\"2026-11-21T14:03:01.5Z\",\"kind\":\"publish\",\"topic\":\"b\",\"payload\":\"/w==\",\"encoding\":\"base64\",\"qos\":2}\n\
                {\"at\":\"soon\",\"kind\":\"publish\",\"topic\":\"b\",\"payload\":\"\"}\n\
                {\"at\":\"2026-11-21T14:03:02Z\",\"kind\":\"delivered\",\"topic\":\"b\"}\n\
                {\"at\":\"2026-11-21T14:03:02Z\",\"kind\":\"publish\",\"topic\":\"c\"}";
    recording.add(text.as_bytes(), true);
    let view = recording.view();
    let named: Vec<(u64, &str)> =
        view.broken_lines.iter().map(|BrokenLine { line, why }| (*line, why.as_str())).collect();
    let expected = [
        (3, "it is not JSON: EOF while parsing an object (column 28)"),
        (5, "at is “soon”, and not a time as 2026-11-21T14:03:00Z"),
        (6, "the member event is missing, which says what “delivered” is"),
        (7, "the member payload is missing"),
    ];
    assert_eq!(named, expected);
    assert_eq!((view.events, view.lines, view.broken, view.done), (2, 6, 4, true));
    let events = recording.feed().events();
    assert_eq!(events[1].instant - events[0].instant, Duration::from_millis(1_500));
    // Its numbers are its own, of events and of views.
    let shown = recording.feed().open(None, &Filter::default(), Look::Feed).view;
    assert!(recording.feed().look_behind(shown, None));
    assert_eq!(recording.feed().numbers(shown).unwrap().len(), 2);
    assert_eq!(crate::feed::recording_of_view(shown), recording.number);
    assert!(events.iter().all(|event| crate::feed::recording_of_event(event.seq) == recording.number));
    // The next one takes its place.
    let next = opened(&recordings);
    assert!(recordings.feed(recording.number).is_none() && recordings.feed(next.number).is_some());
}

#[tokio::test]
async fn a_replay_of_too_much_says_how_much_there_is_and_what_to_do() {
    let feed = Feed::new(8 << 20);
    for at in 0..2_406 {
        // Every other event is no message.
        let kind = match at % 2 {
            0 => Kind::Note { failure: false, text: "between".into() },
            _ => Kind::Publish {
                direction: Direction::In,
                topic: "plant/1".into(),
                payload: vec![b'x'; 1_000].into(),
                qos: Qos::AtLeastOnce,
                retain: false,
                dup: false,
                packet_id: None,
                properties: vec![],
                will: false,
                cut_from: None,
            },
        };
        assert!(feed.record(Event::now(&"Plant".into(), &"press-03".into(), None, kind)));
    }
    let numbers = feed.events().iter().map(|event| event.seq).collect();
    let chosen = Chosen::Feed(feed, numbers);
    let refused = async |messages, bytes| {
        Replayable::read(&chosen, Limits { messages, bytes }).await.map(drop).map_err(|error| error.to_string())
    };
    let what = "choose fewer with the filter, or mark some rows.";
    let many = format!("These are 1,203 messages, and a replay has at most 1,000: {what}");
    let large = format!("Their payloads have 2 MB, and a replay has at most 1, the memory budget (Settings): {what}");
    assert_eq!(refused(1_000, 1_500_000).await, Err(many.clone()));
    assert_eq!(refused(1_000, 1_000_000).await, Err(many));
    assert_eq!(refused(1_203, 1_000_000).await, Err(large));
    assert_eq!(refused(1_203, 1_203_000).await, Ok(()));
}
