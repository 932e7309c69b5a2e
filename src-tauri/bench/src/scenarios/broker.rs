//! The embedded broker behind its front beside Debian's Mosquitto: four publishers to one subscriber with 100 bytes each,
//! and idle clients with one subscription each.

use crate::bed::{Settings, flags};
use crate::broker::Broker;
use crate::clock::{millis, seconds};
use crate::counter::Counted;
use crate::payload::FILTER;
use crate::process::{self, Process, cpu, memory};
use crate::publisher::Published;
use crate::report::{Report, Row};
use crate::{Outcome, clock};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(300);
const PUBLISHERS: u32 = 4;
/// Topics of each publisher.
const TOPICS: u32 = 25;
const SIZE: usize = 100;
/// Idle clients; a quick run has a tenth.
const CLIENTS: u32 = 5_000;

/// Which broker.
#[derive(Clone, Copy)]
enum Which {
    Mosquitto,
    Embedded,
}

/// A broker in a process of its own, with what must outlive it.
struct Running {
    port: u16,
    id: u32,
    _process: Option<Process>,
    _mosquitto: Option<(Broker, TempDir)>,
}

impl Which {
    fn words(self) -> &'static str {
        match self {
            Self::Mosquitto => "mosquitto",
            Self::Embedded => "embedded broker",
        }
    }

    /// Starts it; Mosquitto with queues of any length, and sending at once as the embedded broker does.
    fn start(self, settings: &Settings, feed: u32) -> Outcome<Running> {
        match self {
            Self::Mosquitto => {
                let folder = TempDir::with_prefix_in("relayscope-bench-", &settings.folder)
                    .map_err(|error| format!("No temporary folder in {}: {error}.", settings.folder.display()))?;
                let broker = Broker::start(folder.path(), false, true, false)?;
                let id = broker.id().ok_or("Mosquitto ended early.")?;
                Ok(Running { port: broker.port, id, _process: None, _mosquitto: Some((broker, folder)) })
            }
            Self::Embedded => {
                let mut process = Process::own("embedded", &settings.bench, &flags(&[("--feed", feed.to_string())]))?;
                let line = process.line()?;
                let port = line.parse().map_err(|_| format!("The embedded broker said {line} instead of its port."))?;
                Ok(Running { port, id: process.id(), _process: Some(process), _mosquitto: None })
            }
        }
    }
}

/// Measures all of it once; both brokers stand beside each other in each case.
pub fn run(settings: &Settings, round: u32, report: &mut Report) -> Outcome<()> {
    for (case, qos) in [("4 publishers, 1 subscriber, QoS 0", 0), ("4 publishers, 1 subscriber, QoS 1", 1)] {
        for which in [Which::Mosquitto, Which::Embedded] {
            let row = Row::new("broker", case, which.words(), round);
            report.attempt(row, |row| flow(settings, row, which, qos, round))?;
        }
    }
    let clients = if settings.quick { CLIENTS / 10 } else { CLIENTS };
    for which in [Which::Mosquitto, Which::Embedded] {
        let row = Row::new("broker", &format!("{clients} idle clients"), which.words(), round);
        report.attempt(row, |row| idle(settings, row, which, clients))?;
    }
    Ok(())
}

fn flow(settings: &Settings, row: Row, which: Which, qos: u8, run: u32) -> Outcome<Row> {
    let broker = which.start(settings, 64)?;
    let each = settings.messages / u64::from(PUBLISHERS);
    let messages = each * u64::from(PUBLISHERS);
    let common = |topics: u32, messages: u64| {
        flags(&[
            ("--broker-port", broker.port.to_string()),
            ("--qos", qos.to_string()),
            ("--run", run.to_string()),
            ("--topics", topics.to_string()),
            ("--size", SIZE.to_string()),
            ("--messages", messages.to_string()),
        ])
    };
    let mut counting = common(PUBLISHERS * TOPICS, messages);
    counting.extend(flags(&[("--filter", FILTER.to_owned())]));
    let mut counter = Process::own("counter", &settings.bench, &counting)?;
    counter.line()?;
    let before = cpu(broker.id);
    let mut publishers = vec![];
    for number in 0..PUBLISHERS {
        let mut publishing = common(TOPICS, each);
        let first = (number * TOPICS).to_string();
        publishing.extend(flags(&[("--rate", "0".to_owned()), ("--first-topic", first)]));
        publishers.push(Process::own("publisher", &settings.bench, &publishing)?);
    }
    for mut publisher in publishers {
        publisher.result::<Published>(PATIENCE)?;
    }
    let counted: Counted = counter.result(PATIENCE)?;
    let (seen, spent) = (counted.seen, cpu(broker.id) - before);
    Ok(row
        .with("msg/s", seen.distinct as f64 / seconds(seen.last - seen.first).max(1e-9))
        .with("lost", (messages - seen.distinct) as f64)
        .with("out of order", seen.disorder as f64)
        .with("p50 ms", millis(seen.p50))
        .with("p99 ms", millis(seen.p99))
        .with("CPU µs/msg", spent / seen.distinct.max(1) as f64)
        .with("RSS MiB", memory(broker.id).rss))
}

fn idle(settings: &Settings, row: Row, which: Which, clients: u32) -> Outcome<Row> {
    // A small feed: its events are bounded, and not what a connection costs.
    let broker = which.start(settings, 1)?;
    let before = memory(broker.id).rss;
    let begun = clock::now();
    let args = [("--broker-port", broker.port.to_string()), ("--clients", clients.to_string())];
    let mut crowd = Process::own("crowd", &settings.bench, &flags(&args))?;
    crowd.line()?;
    let took = seconds(clock::now() - begun);
    process::pause(Duration::from_secs(1))?;
    let used = memory(broker.id).rss - before;
    Ok(row
        .with("clients/s", f64::from(clients) / took.max(1e-9))
        .with("KiB each", used * 1_024.0 / f64::from(clients))
        .with("RSS MiB", before + used))
}
