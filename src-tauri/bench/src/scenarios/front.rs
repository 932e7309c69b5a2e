//! What the engine's front costs: publisher to broker to subscriber directly, through a front that only forwards, and
//! through one that shows every packet; as fast as possible, and at 1,000 messages a second.

use crate::bed::{Bed, Settings, flags};
use crate::clock::{millis, seconds};
use crate::counter::Counted;
use crate::payload::FILTER;
use crate::process::{Process, cpu, memory};
use crate::publisher::Published;
use crate::report::{Report, Row};
use crate::{Outcome, process};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);
const TOPICS: u32 = 100;

/// What stands between the clients and the broker.
#[derive(Clone, Copy)]
enum Between {
    Nothing,
    Forwarding,
    Reading,
}

impl Between {
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "direct",
            Self::Forwarding => "front without parsing",
            Self::Reading => "front",
        }
    }
}

/// Measures all of it once; the three stand beside each other in each case.
pub fn run(settings: &Settings, round: u32, report: &mut Report) -> Outcome<()> {
    let calm = settings.messages.min(10_000);
    let cases = [
        ("QoS 0, as fast as possible", 0, 0, settings.messages),
        ("QoS 1, as fast as possible", 1, 0, settings.messages),
        ("QoS 0, 1,000 a second", 0, 1_000, calm),
    ];
    for (case, qos, rate, messages) in cases {
        for between in [Between::Nothing, Between::Forwarding, Between::Reading] {
            let row = Row::new("front", case, between.words(), round);
            report.attempt(row, |row| measure(settings, row, between, (qos, rate, messages)))?;
        }
    }
    Ok(())
}

fn measure(settings: &Settings, row: Row, between: Between, (qos, rate, messages): (u8, u64, u64)) -> Outcome<Row> {
    let mut bed = Bed::start(settings, false)?;
    let run = bed.begin(TOPICS)?;
    let mut port = bed.broker.port;
    let front = match between {
        Between::Nothing => None,
        Between::Forwarding | Between::Reading => {
            let mut args = flags(&[("--broker-port", port.to_string())]);
            args.extend(matches!(between, Between::Forwarding).then(|| "--unread".to_owned()));
            let mut front = Process::own("front", &settings.bench, &args)?;
            let line = front.line()?;
            port = line.parse().map_err(|_| format!("The front said {line} instead of its port."))?;
            Some(front)
        }
    };
    let common = [
        ("--broker-port", port.to_string()),
        ("--qos", qos.to_string()),
        ("--run", run.to_string()),
        ("--topics", TOPICS.to_string()),
        ("--size", settings.size.to_string()),
        ("--messages", messages.to_string()),
    ];
    let mut counting = flags(&common);
    counting.extend(flags(&[("--filter", FILTER.to_owned())]));
    let mut counter = Process::own("counter", &settings.bench, &counting)?;
    counter.line()?;
    let id = front.as_ref().map(Process::id);
    let before = id.map_or(0.0, cpu);
    let mut publishing = flags(&common);
    publishing.extend(flags(&[("--rate", rate.to_string())]));
    let mut publisher = Process::own("publisher", &settings.bench, &publishing)?;
    publisher.result::<Published>(PATIENCE)?;
    let counted: Counted = counter.result(PATIENCE)?;
    // What was forwarded is still being shown for a moment.
    process::pause(Duration::from_millis(300))?;
    let seen = counted.seen;
    let spent = id.map_or(0.0, cpu) - before;
    let figures = row
        .with("msg/s", seen.distinct as f64 / seconds(seen.last - seen.first).max(1e-9))
        .with("lost", (messages - seen.distinct) as f64)
        .with("out of order", seen.disorder as f64)
        .with("p50 ms", millis(seen.p50))
        .with("p99 ms", millis(seen.p99));
    Ok(match id {
        None => figures,
        Some(id) => figures.with("CPU µs/msg", spent / seen.distinct.max(1) as f64).with("RSS MiB", memory(id).rss),
    })
}
