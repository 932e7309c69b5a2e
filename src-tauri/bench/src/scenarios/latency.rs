//! A steady rate that every relay should keep up with: how long a message is on its way.

use super::{judged, used};
use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Flow, Settings, undisturbed};
use crate::report::{Report, Row};
use crate::sink::Manner;
use std::time::Duration;

/// Every case with every relay, at QoS 1.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    for (rate, latency_ms) in [(500, 0), (2_000, 0), (500, 5), (2_000, 5)] {
        for adapter in relays {
            let row = Row::new("latency", &format!("{rate}/s, {latency_ms} ms"), &adapter.name, round);
            report.attempt(row, |row| one(settings, adapter, row, rate, latency_ms))?;
        }
    }
    Ok(())
}

fn one(settings: &Settings, adapter: &Adapter, row: Row, rate: u64, latency_ms: u64) -> Outcome<Row> {
    let messages = rate * if settings.quick { 4 } else { 10 };
    let mut bed = Bed::start(settings, false)?;
    let mut relay = bed.relay(adapter, 1)?;
    bed.behave(Manner { latency_ms, ..Manner::default() })?;
    let flow = Flow { topics: 100, messages, rate, qos: 1, expected: messages, patience: Duration::from_secs(10) };
    let flowed = bed.flow(&mut relay, &flow, &mut undisturbed)?;
    Ok(used(judged(row, &flowed), &flowed))
}
