//! As many messages as come: the publisher outruns every relay, and the broker holds what waits.

use super::{judged, used};
use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Flow, Settings, undisturbed};
use crate::report::{Report, Row};
use crate::sink::Manner;
use std::time::Duration;

/// Every case with every relay.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    for (latency_ms, qos) in [(0, 0), (0, 1), (5, 0), (5, 1), (50, 0), (50, 1)] {
        for adapter in relays {
            let row = Row::new("throughput", &format!("QoS {qos}, {latency_ms} ms"), &adapter.name, round);
            report.attempt(row, |row| one(settings, adapter, row, latency_ms, qos))?;
        }
    }
    Ok(())
}

/// One case with one relay. With a slow sink there are 1,000 topics, because one topic has one message on its way.
fn one(settings: &Settings, adapter: &Adapter, row: Row, latency_ms: u64, qos: u8) -> Outcome<Row> {
    let topics = if latency_ms > 0 { 1_000 } else { 100 };
    let messages = settings.messages;
    let mut bed = Bed::start(settings, false)?;
    let mut relay = bed.relay(adapter, qos)?;
    bed.behave(Manner { latency_ms, ..Manner::default() })?;
    let flow = Flow { topics, messages, rate: 0, qos, expected: messages, patience: Duration::from_secs(10) };
    let flowed = bed.flow(&mut relay, &flow, &mut undisturbed)?;
    Ok(used(judged(row.with("msg/s", flowed.rate()), &flowed), &flowed))
}
