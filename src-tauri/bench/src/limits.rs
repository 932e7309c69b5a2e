//! What the machine can do without any relay: raw POSTs to the same sink, and publisher to broker to subscriber.

use crate::bed::{Bed, Flow, Settings, flags};
use crate::counter::Counted;
use crate::payload::FILTER;
use crate::posts::Answered;
use crate::process::Process;
use crate::publisher::Published;
use crate::report::{Report, Row};
use crate::sink::{Manner, Order};
use crate::{Outcome, clock};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(300);

/// Measures all of them once.
pub fn measure(settings: &Settings, round: u32, report: &mut Report) -> Outcome<()> {
    for latency_ms in [0, 5, 50] {
        let messages = match latency_ms {
            0 => settings.messages,
            5 => settings.messages / 4,
            _ => settings.messages / 20,
        };
        let case = format!("raw POSTs, {} connections, {latency_ms} ms", settings.connections);
        report.add(posts(settings, &case, round, latency_ms, messages)?);
    }
    for qos in [0, 1] {
        report.add(broker(settings, round, qos)?);
    }
    Ok(())
}

fn posts(settings: &Settings, case: &str, round: u32, latency_ms: u64, messages: u64) -> Outcome<Row> {
    let mut bed = Bed::start(settings, false)?;
    bed.behave(Manner { latency_ms, ..Manner::default() })?;
    let topics = 100;
    let run = bed.begin(topics)?;
    let args = [
        ("--url", format!("{}/integration/network/data?authorization_token=at", bed.sink_url())),
        ("--connections", settings.connections.to_string()),
        ("--messages", messages.to_string()),
        ("--run", run.to_string()),
        ("--topics", topics.to_string()),
        ("--size", settings.size.to_string()),
    ];
    let answered: Answered = Process::own("posts", &settings.bench, &flags(&args))?.result(PATIENCE)?;
    let seen = bed.tell(&Order::Report)?;
    if seen.distinct != messages || answered.good != messages {
        return Err(format!("The sink itself lost posts: {answered:?}, {seen:?}"));
    }
    let rate = messages as f64 / clock::seconds(answered.last - answered.first);
    let (p50, p99) = (clock::millis(answered.p50), clock::millis(answered.p99));
    Ok(Row::new("limits", case, "no relay", round).with("msg/s", rate).with("answer p50 ms", p50).with("p99 ms", p99))
}

fn broker(settings: &Settings, round: u32, qos: u8) -> Outcome<Row> {
    let mut bed = Bed::start(settings, false)?;
    let (topics, messages) = (100, settings.messages);
    let run = bed.begin(topics)?;
    let args = [
        ("--broker-port", bed.broker.port.to_string()),
        ("--filter", FILTER.to_owned()),
        ("--qos", qos.to_string()),
        ("--run", run.to_string()),
        ("--topics", topics.to_string()),
        ("--size", settings.size.to_string()),
        ("--messages", messages.to_string()),
    ];
    let mut counter = Process::own("counter", &settings.bench, &flags(&args))?;
    counter.line()?;
    let flow = Flow { topics, messages, rate: 0, qos, expected: messages, patience: PATIENCE };
    bed.publish(run, &flow)?.result::<Published>(PATIENCE)?;
    let counted: Counted = counter.result(PATIENCE)?;
    let seen = counted.seen;
    let rate = seen.distinct as f64 / clock::seconds(seen.last - seen.first).max(1e-9);
    let case = format!("publisher, broker, subscriber, QoS {qos}");
    Ok(Row::new("limits", &case, "no relay", round)
        .with("msg/s", rate)
        .with("lost", (messages - seen.distinct) as f64)
        .with("out of order", seen.disorder as f64))
}
