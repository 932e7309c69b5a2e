//! The history against the feed it follows, on a real file.
#![allow(clippy::unwrap_used)]

use super::super::event::{Direction, Event, Kind};
use super::*;
use bytes::Bytes;
use relayscope_domain::filter::parse;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;

fn publish(topic: &str, payload: &[u8], id: u128) -> Event {
    let kind = Kind::Publish {
        direction: Direction::In,
        topic: topic.into(),
        payload: Bytes::copy_from_slice(payload),
        qos: Qos::AtLeastOnce,
        retain: false,
        dup: false,
        packet_id: None,
        properties: vec![],
        will: false,
        cut_from: None,
    };
    Event::now(&"Plant".into(), &"press-03".into(), Some(MessageId(uuid::Uuid::from_u128(id))), kind)
}

fn delivered(topic: &str, id: u128) -> Event {
    let kind = Kind::Delivered {
        topic: topic.into(),
        status: 200,
        took: Duration::from_millis(41),
        attempt: 1,
        answer: "".into(),
    };
    Event::now(&"Plant".into(), &"Plant → TagoIO".into(), Some(MessageId(uuid::Uuid::from_u128(id))), kind)
}

fn settings(megabytes: u32) -> HistorySettings {
    HistorySettings { enabled: true, megabytes, days: 7 }
}

/// Records everything the feed has.
async fn record(history: &History, feed: &Feed, megabytes: u32) -> Result<(), HistoryError> {
    let stop = CancellationToken::new();
    stop.cancel();
    history.record(feed, &settings(megabytes), &stop).await
}

async fn found(history: &History, line: &str) -> Vec<String> {
    let mut out = vec![];
    let mut before = None;
    loop {
        let page = history.search(&parse(line).unwrap(), before, 2).await.unwrap();
        out.extend(page.rows.into_iter().map(|row| row.preview));
        before = page.next;
        if before.is_none() {
            return out;
        }
    }
}

#[tokio::test]
async fn what_was_recorded_is_found_with_the_same_filter_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let feed = Feed::new(16 << 20);
    let history = History::new(path.clone());
    assert!(found(&history, "").await.is_empty() && !path.exists(), "looking makes no file");
    feed.record(publish("plant/1/temp", b"{\"t\":21.5}", 1));
    feed.record(delivered("plant/1/temp", 1));
    feed.record(publish("plant/2/temp", "Über 30 °C".as_bytes(), 2));
    let mut large = vec![b'.'; 20_000];
    large.extend_from_slice(b"needle");
    feed.record(publish("plant/3/large", &large, 3));
    feed.record(publish("plant/4/bin", b"\xff\x00needle\xfe", 4));
    record(&history, &feed, 100).await.unwrap();
    history.close().await;

    let history = History::new(path);
    let all = found(&history, "").await;
    assert_eq!(all.len(), 5);
    assert_eq!(all[4], "{\"t\":21.5}");
    for (line, count) in [
        ("temp", 3),
        ("über", 1),
        ("needle", 2),
        ("NEEDLE kind:publish", 2),
        ("word:needle", 1),
        ("-needle", 3),
        ("21", 1),
        ("/t.:2\\d/", 1),
        ("topic:plant/+/temp", 3),
        ("kind:delivered", 1),
        ("out:ok", 1),
        ("size:>10k", 1),
        ("since:1h", 5),
        ("until:1h", 0),
        ("client:press-03 -topic:plant/1/#", 3),
        ("message:00000000-0000-0000-0000-000000000001", 2),
        ("\"plant → tago\"", 1),
        ("\"\\\"t\\\":\"", 1),
        ("absent", 0),
    ] {
        assert_eq!(found(&history, line).await.len(), count, "{line}");
    }
    let row = &history.search(&parse("kind:delivered").unwrap(), None, 10).await.unwrap().rows[0];
    let detail = history.event(row.seq).await.unwrap().unwrap();
    assert_eq!(detail.journey.iter().map(|step| step.words.as_str()).collect::<Vec<_>>(), ["received", "POST 1"]);
    assert_eq!(detail.title, "[POST] HTTP Request");
    assert!(history.event(99).await.unwrap().is_none());

    let feed = Feed::new(16 << 20);
    feed.record(publish("plant/5/temp", b"later", 5));
    record(&history, &feed, 100).await.unwrap();
    assert_eq!(found(&history, "").await[0], "later", "a restart goes on");
    let status = history.status(&settings(100)).await.unwrap();
    assert_eq!((status.events, status.missed, status.recording), (6, 0, false));
}

#[tokio::test]
async fn a_search_says_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(folder.path().join("history.db"));
    let feed = Feed::new(64 << 20);
    for at in 0..25_100u128 {
        feed.record(publish("plant/1/temp", b"x", at));
    }
    record(&history, &feed, 100).await.unwrap();
    let (mut before, mut looked, mut calls) = (None, 0.0, 0);
    loop {
        let page = history.search(&parse("-kind:publish").unwrap(), before, 10).await.unwrap();
        calls += 1;
        assert!(page.rows.is_empty() && page.looked > looked && page.reached.is_some(), "{page:?}");
        (before, looked) = (page.next, page.looked);
        if before.is_none() {
            break;
        }
    }
    assert!(calls > 1 && looked >= 1.0, "{calls} calls to {looked}");
    let status = history.status(&settings(100)).await.unwrap();
    assert!(status.oldest.is_some() && status.oldest <= status.newest, "{status:?}");
}

#[tokio::test]
async fn large_payloads_are_never_many_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(folder.path().join("history.db"));
    let feed = Feed::new(64 << 20);
    let sizes = [vec![10; 1_100], vec![3_000_000; 7], vec![10_000_000], vec![10; 10]].concat();
    for (at, size) in sizes.iter().enumerate() {
        assert!(feed.record(publish("plant/1/temp", &vec![b'x'; *size], at as u128)));
    }
    record(&history, &feed, 1_000).await.unwrap();
    let page = |payloads: Vec<usize>| {
        let (count, bytes) = (payloads.len(), payloads.iter().sum::<usize>() as u64);
        assert!(count <= pages::EVENTS && (bytes <= pages::BYTES || count == 1), "{count} events with {bytes} bytes");
        payloads
    };
    let ids = history.chosen(&Filter::default(), |_| true).await.unwrap();
    let (mut read, mut count) = (vec![], 0);
    while read.len() < ids.len() {
        let (events, taken) = history.events(&ids[read.len()..]).await.unwrap();
        read.extend(page(events.iter().map(|event| event.payload().unwrap().len()).collect()));
        assert!(taken == events.len() && taken > 0);
        count += 1;
    }
    // 1,100 small ones, seven of which two fit into a page, one alone, the rest.
    assert!(read == sizes && count == 3 + 3 + 2, "{count} pages");
    // A search reads them in the same way.
    let (table, all) = (history.table(false).await.unwrap().unwrap(), Filter::default());
    let (mut candidates, mut read) = (Candidates::before(&table, &all, i64::MAX), vec![]);
    while !candidates.is_done() {
        let stored = candidates.next().await.unwrap();
        read.extend(page(stored.into_iter().map(|stored| stored.payload.unwrap().len()).collect()));
    }
    read.reverse();
    assert!(read == sizes);
}

#[tokio::test]
async fn a_message_of_the_history_is_read_as_one_of_the_feed() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(folder.path().join("history.db"));
    let feed = Feed::new(16 << 20);
    feed.record(publish("spBv1.0/G/NBIRTH/E", b"birth", 1));
    feed.record(publish("plant/1/temp", b"21", 2));
    feed.record(publish("plant/2/temp", b"99", 3));
    let mut cut = publish("plant/1/temp", b"22", 4);
    if let Kind::Publish { cut_from, .. } = &mut cut.kind {
        *cut_from = Some(4_711);
    }
    feed.record(cut);
    feed.record(delivered("plant/1/temp", 4));
    feed.record(publish("spBv1.0/G/NDATA/E", b"data", 5));
    record(&history, &feed, 100).await.unwrap();
    let published = async |id| history.published(id).await.unwrap();
    let last = published(4).await.unwrap().unwrap();
    assert_eq!((&*last.topic, &*last.payload, last.cut_from), ("plant/1/temp", &b"22"[..], Some(4_711)));
    assert_eq!(history.previous(4).await.unwrap(), Some(2), "of the same topic");
    assert_eq!(history.previous(2).await.unwrap(), None);
    assert!(published(5).await.unwrap().is_none(), "a delivery published nothing");
    assert!(published(99).await.is_none());
    let births = history.births(&published(6).await.unwrap().unwrap()).await.unwrap();
    assert_eq!(births.len(), 1);
    assert_eq!((&*births[0].0, &*births[0].1), ("spBv1.0/G/NBIRTH/E", &b"birth"[..]));
}

#[tokio::test]
async fn the_oldest_make_room_and_what_was_missed_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::new(folder.path().join("history.db"));
    let feed = Feed::new(1_000_000);
    for at in 0..6_000u128 {
        feed.record(publish("plant/1/temp", &[b'x'; 500], at));
    }
    let evicted = feed.usage().evicted;
    record(&history, &feed, 100).await.unwrap();
    let before = history.status(&settings(100)).await.unwrap();
    assert_eq!((before.missed, before.events), (evicted, 6_000 - evicted));
    let table = history.table(false).await.unwrap().unwrap();
    let budget = before.bytes / 2;
    while table.prune(budget, 0).await.unwrap() {}
    let after = table.extent().await.unwrap();
    assert!(after.bytes <= budget && after.events < before.events, "{after:?}");
    assert_eq!(found(&history, "xxx").await.len() as u64, after.events, "index and events are pruned together");
    while table.prune(u64::MAX, i64::MAX).await.unwrap() {}
    assert_eq!(table.extent().await.unwrap().events, 0);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    std::fs::write(&path, vec![b'#'; 8_192]).unwrap();
    let history = History::new(path);
    let feed = Feed::new(1 << 20);
    feed.record(publish("a", b"fresh", 1));
    record(&history, &feed, 100).await.unwrap();
    let status = history.status(&settings(100)).await.unwrap();
    assert!(status.notice.as_ref().is_some_and(|notice| notice.contains("set aside")), "{status:?}");
    assert_eq!(found(&history, "").await, ["fresh"]);
    let files = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert!(files.into_iter().any(|file| file.file_name().to_string_lossy().contains("damaged")));
}
