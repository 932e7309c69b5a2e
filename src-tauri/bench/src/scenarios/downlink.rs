//! Messages to devices: what a platform posts to a relay, with a subscriber that checks every message answered with 200.

use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Settings, flags};
use crate::clock::{millis, seconds};
use crate::counter::Counted;
use crate::posts::Answered;
use crate::process::Process;
use crate::report::{Report, Row};
use std::time::Duration;

/// Outside of what the relay passes up, so that nothing comes back.
const TOPIC: &str = "downlink/device";
const PATIENCE: Duration = Duration::from_secs(300);

/// Over 1 and 8 connections, with every relay that takes them over plain HTTP.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    for connections in [1, 8] {
        for adapter in relays {
            let row = Row::new("downlink", &format!("{connections} kept open"), &adapter.name, round);
            report.attempt(row, |row| one(settings, adapter, row, connections))?;
        }
    }
    Ok(())
}

fn one(settings: &Settings, adapter: &Adapter, row: Row, connections: usize) -> Outcome<Row> {
    if adapter.downlink.is_none() {
        return Ok(row.noted("takes none over plain HTTP"));
    }
    let mut bed = Bed::start(settings, false)?;
    let relay = bed.relay(adapter, 1)?;
    let Some(url) = relay.downlink()? else { return Ok(row) };
    let run = bed.begin(1)?;
    let messages = settings.messages / 5;
    let shared = [
        ("--run", run.to_string()),
        ("--topics", "1".to_owned()),
        ("--size", settings.size.to_string()),
        ("--messages", messages.to_string()),
    ];
    let own =
        [("--broker-port", bed.broker.port.to_string()), ("--filter", TOPIC.to_owned()), ("--qos", "1".to_owned())];
    let mut counter = Process::own("counter", &settings.bench, &flags(&[&own[..], &shared].concat()))?;
    counter.line()?;
    let own = [("--url", url), ("--connections", connections.to_string()), ("--downlink", TOPIC.to_owned())];
    let mut posts = Process::own("posts", &settings.bench, &flags(&[&own[..], &shared].concat()))?;
    let answered: Answered = posts.result(PATIENCE)?;
    let counted: Counted = counter.result(PATIENCE)?;
    let false_promises = counted.missing.iter().filter(|number| !answered.bad.contains(number)).count();
    Ok(row
        .with("answers/s", answered.good as f64 / seconds(answered.last - answered.first).max(1e-9))
        .with("p50 ms", millis(answered.p50))
        .with("p99 ms", millis(answered.p99))
        .with("max ms", millis(answered.max))
        .with("not 200", (messages - answered.good) as f64)
        .with("200 but not received", false_promises as f64)
        .with("dup", counted.seen.duplicates as f64))
}
