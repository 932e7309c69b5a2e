//! `cargo xtask bench feed`: what the feed costs. Recording on one core, a new filter over a million events until a page
//! has its first answer (rows or, while there are none, how far it is) and until it is complete, a journey, the topic tree,
//! and, before all that, how far what is counted is from what is held.
#![allow(clippy::print_stdout, reason = "its figures are its answer")]

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use relayscope_domain::filter::{Filter, parse};
use relayscope_domain::id::MessageId;
use relayscope_domain::message::Qos;
use relayscope_engine::api::FIRST_LOOK;
use relayscope_engine::api::wire::{Look, TopicOrder, TopicsRequest};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::{Direction, Event, Kind};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

const EVENTS: u64 = 1_000_000;
const PAYLOAD: usize = 200;
const TOPICS: u64 = 100_000;
// Recorded at once, between two ticks.
const BATCH: u64 = 20_000;
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

/// Makes events as a session records them: topic and payload of their own.
struct Maker {
    source: Arc<str>,
    client: Arc<str>,
    number: u64,
}

impl Maker {
    fn new() -> Self {
        Self { source: "Plant".into(), client: "press-03".into(), number: 0 }
    }

    fn make(&mut self, count: u64) -> Vec<Event> {
        let from = self.number;
        self.number += count;
        (from..self.number).map(|number| self.event(number)).collect()
    }

    fn event(&self, number: u64) -> Event {
        let mut payload = format!("{{\"n\":{number},\"temperature\":{}.5,\"note\":\"", number % 90).into_bytes();
        payload.resize(PAYLOAD - 2, b'x');
        payload.extend_from_slice(b"\"}");
        // As long as it is: what a vector keeps to grow is no part of a message.
        let payload = Bytes::copy_from_slice(&payload);
        // Shared, as with the relay that passes it on.
        drop(payload.clone());
        let kind = Kind::Publish {
            direction: Direction::In,
            topic: format!("plant/{}/line/{}/telemetry", number % 100, number % TOPICS / 100).into(),
            payload,
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
        Event::now(&self.source, &self.client, Some(id), kind)
    }
}

fn filter(line: &str) -> Filter {
    parse(line).unwrap_or_default()
}

fn record(feed: &Feed, events: Vec<Event>) {
    for event in events {
        feed.record(event);
    }
}

/// A feed with a million events; says what they cost.
fn filled() -> Feed {
    let (mut maker, feed, before) = (Maker::new(), Feed::new(ROOM), resident());
    for _ in 0..EVENTS / BATCH {
        record(&feed, maker.make(BATCH));
    }
    feed.tick();
    let (counted, held) = (feed.usage().bytes, resident() - before);
    println!(
        "{EVENTS} events of {PAYLOAD} B on {TOPICS} topics: {} B each counted, {} B each resident ({:+.1} %)\n",
        counted / EVENTS,
        held / EVENTS,
        (counted as f64 / held.max(1) as f64 - 1.0) * 100.0
    );
    feed
}

/// Resident memory of this process in bytes; 0 where that is not known.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()));
    pages.unwrap_or(0) * 4_096
}

fn recording(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(BATCH));
    // A full ring, as it is after the first minutes; with views a page's ticks come in between.
    for views in [0, 2] {
        let feed = Feed::new(256_000_000);
        let mut maker = Maker::new();
        while feed.usage().evicted == 0 {
            record(&feed, maker.make(BATCH));
        }
        for line in &["", "temperature"][..views] {
            let view = feed.open(None, &filter(line), Look::Feed).view;
            feed.look_behind(view, None);
        }
        group.bench_function(BenchmarkId::new("into a full ring", format!("{views} views")), |bencher| {
            bencher.iter_batched(
                || maker.make(BATCH),
                |events| {
                    record(&feed, events);
                    feed.tick();
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Opens a view on a line and looks behind until `until`; what is asked of it then is part of the time.
fn opening(feed: &Feed, look: Look, line: &Filter, first: bool) -> Duration {
    let started = Instant::now();
    let view = feed.open(None, line, look).view;
    feed.look_behind(view, first.then(|| started + FIRST_LOOK));
    if look == Look::Feed {
        black_box((feed.frame(view), feed.rows(view, None, 0, 50)));
    }
    let took = started.elapsed();
    feed.close(view);
    took
}

fn looking(criterion: &mut Criterion, feed: &Feed) {
    let mut group = criterion.benchmark_group("a new view of 1,000,000 events");
    group.sample_size(10);
    for (name, first) in [("first answer", true), ("complete", false)] {
        for line in LINES {
            let filter = filter(line);
            group.bench_function(BenchmarkId::new(name, format!("`{line}`")), |bencher| {
                bencher.iter_custom(|times| (0..times).map(|_| opening(feed, Look::Feed, &filter, first)).sum());
            });
        }
    }
    for (name, look) in [("by topic", Look::Topics), ("by connection", Look::Connections)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| opening(feed, look, &filter(""), false)).sum());
        });
    }
    group.finish();
}

fn asking(criterion: &mut Criterion, feed: &Feed) {
    let mut group = criterion.benchmark_group("a question");
    let view = feed.open(None, &filter(""), Look::Topics).view;
    feed.look_behind(view, None);
    let request =
        TopicsRequest { view, branch: Some("plant/7/line".into()), order: TopicOrder::Rate, from: 500, count: 50 };
    group.bench_function("50 of 1,000 children by rate", |bencher| bencher.iter(|| feed.topics(&request)));
    group.bench_function("a message's journey", |bencher| bencher.iter(|| feed.event(EVENTS / 2)));
    feed.close(view);
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let feed = filled();
    looking(&mut criterion, &feed);
    asking(&mut criterion, &feed);
    drop(feed);
    recording(&mut criterion);
    criterion.final_summary();
}
