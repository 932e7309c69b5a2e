//! `cargo xtask bench feed`: what the feed costs. Recording on one core, a new filter over a million events until a page
//! has its first answer (rows or, while there are none, how far it is) and until it is complete, a journey, the topic tree,
//! and how far what is counted is from what is held.
#![allow(clippy::print_stdout, reason = "its figures are its answer")]

use bytes::Bytes;
use relayscope_domain::filter::parse;
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use relayscope_engine::api::FIRST_LOOK;
use relayscope_engine::api::wire::{Look, TopicOrder, TopicsRequest};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::{Direction, Event, Kind};
use std::sync::Arc;
use std::time::{Duration, Instant};

const EVENTS: u64 = 1_000_000;
const PAYLOAD: usize = 200;
const TOPICS: u64 = 100_000;
/// Enough for all of them.
const ROOM: usize = 2 << 30;
const LINES: [&str; 7] = [
    "",
    "kind:publish topic:plant/+/line/7/#",
    r#""temperature\":42""#,
    "7777,",
    "word:nothing",
    r#"/"n":\d*99,/"#,
    "-client:press-03",
];

/// An event as a session records it: topic and payload of its own.
fn event(number: u64, source: &Arc<str>, client: &Arc<str>) -> Event {
    let mut payload = format!("{{\"n\":{number},\"temperature\":{}.5,\"note\":\"", number % 90).into_bytes();
    payload.resize(PAYLOAD - 2, b'x');
    payload.extend_from_slice(b"\"}");
    let kind = Kind::Publish {
        direction: Direction::In,
        topic: format!("plant/{}/line/{}/telemetry", number % 100, number % TOPICS / 100).into(),
        // As long as it is: what a vector keeps to grow is no part of a message.
        payload: Bytes::copy_from_slice(&payload),
        qos: Qos::AtLeastOnce,
        retain: false,
        dup: false,
        packet_id: Some(1),
        properties: vec![],
        will: false,
        cut_from: None,
    };
    // The order of ids is that of time, as with version 7.
    let id = MessageId(uuid::Uuid::from_u128(
        (u128::from(number) << 64) | u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    ));
    Event::now(source, client, Some(id), kind)
}

/// Resident memory of this process in bytes; 0 where that is not known.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or(0) * 4_096
}

fn record(feed: &Feed, events: Vec<Event>) -> Duration {
    let started = Instant::now();
    for event in events {
        feed.record(event);
    }
    started.elapsed()
}

fn per_second(events: u64, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

fn main() {
    let (source, client): (Arc<str>, Arc<str>) = ("Plant".into(), "press-03".into());
    let make = |from: u64, count: u64| (from..from + count).map(|number| event(number, &source, &client)).collect();

    println!("| What | Figure |\n|---|---|");
    let before = resident();
    let feed = Feed::new(ROOM);
    let mut took = Duration::ZERO;
    for part in 0..10 {
        took += record(&feed, make(part * EVENTS / 10, EVENTS / 10));
    }
    feed.tick();
    let held = resident() - before;
    let counted = feed.usage().bytes;
    println!("| `record()`, {PAYLOAD} B payloads, one core | {:.0} events/s |", per_second(EVENTS, took));
    println!(
        "| Memory of {EVENTS} events | {} B each counted, {} B each resident ({:+.1} %) |",
        counted / EVENTS,
        held / EVENTS,
        (counted as f64 / held.max(1) as f64 - 1.0) * 100.0
    );

    for line in LINES {
        let Ok(filter) = parse(line) else { continue };
        let started = Instant::now();
        let view = feed.open(None, &filter, Look::Feed).view;
        // As `feed.open` and the page's first question do it.
        let done = feed.look_behind(view, Some(started + FIRST_LOOK));
        let frame = feed.frame(view);
        let rows = feed.rows(view, None, 0, 50).map_or(0, |rows| rows.rows.len());
        let first = started.elapsed();
        let told = match frame {
            Some(frame) if !done => {
                format!("{rows} rows, {} % looked through", 100 * frame.looked / frame.to_look.max(1))
            }
            _ => "everything".to_owned(),
        };
        feed.look_behind(view, None);
        let complete = started.elapsed();
        let rows = feed.rows(view, None, 0, 50).map_or(0, |rows| rows.total);
        println!(
            "| Filter `{line}` over {EVENTS} events, {rows} rows | first answer {:.0} ms ({told}), complete {:.0} ms |",
            first.as_secs_f64() * 1e3,
            complete.as_secs_f64() * 1e3
        );
        feed.close(view);
    }

    let started = Instant::now();
    let steps = feed.event(EVENTS / 2).map_or(0, |detail| detail.journey.len());
    println!("| Journey of a message ({steps} step) | {:.1} ms |", started.elapsed().as_secs_f64() * 1e3);

    if let Ok(filter) = parse("") {
        let started = Instant::now();
        let view = feed.open(None, &filter, Look::Topics).view;
        feed.look_behind(view, None);
        println!("| Topic tree of {TOPICS} topics, complete | {:.0} ms |", started.elapsed().as_secs_f64() * 1e3);
        let started = Instant::now();
        let request =
            TopicsRequest { view, branch: Some("plant/7/line".into()), order: TopicOrder::Rate, from: 500, count: 50 };
        let children = feed.topics(&request).map_or(0, |rows| rows.total);
        println!("| 50 of {children} children by rate | {:.2} ms |", started.elapsed().as_secs_f64() * 1e3);
        feed.close(view);
        let started = Instant::now();
        let view = feed.open(None, &filter, Look::Connections).view;
        feed.look_behind(view, None);
        println!("| By connection, complete | {:.0} ms |", started.elapsed().as_secs_f64() * 1e3);
        feed.close(view);
    }
    drop(feed);

    // A full ring beside two open views, with a page's ticks.
    let feed = Feed::new(256_000_000);
    let views = ["", "temperature"].map(|line| parse(line).map(|filter| feed.open(None, &filter, Look::Feed).view));
    let mut took = Duration::ZERO;
    for part in 0..100 {
        took += record(&feed, make(part * EVENTS / 50, EVENTS / 50));
        feed.tick();
    }
    let usage = feed.usage();
    println!(
        "| `record()` into a full ring of 256 MB, two views open | {:.0} events/s, {} kept, {} MB counted |",
        per_second(2 * EVENTS, took),
        usage.recorded - usage.evicted,
        usage.bytes / 1_000_000
    );
    drop(views);
}
