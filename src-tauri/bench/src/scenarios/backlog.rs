//! The platform answers 503 while messages come; then it is well again. Shows what waiting costs, and how fast it ends.

use super::judged;
use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Flow, Moment, Relay, Settings};
use crate::clock::{millis, seconds};
use crate::report::{Report, Row};
use crate::sink::{Manner, Order};
use std::time::Duration;

/// Messages a second while they gather.
const RATE: u64 = 10_000;

/// Once with every relay.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    for adapter in relays {
        let row = Row::new("backlog", &format!("{} messages", settings.backlog), &adapter.name, round);
        report.attempt(row, |row| one(settings, adapter, row))?;
    }
    Ok(())
}

fn one(settings: &Settings, adapter: &Adapter, row: Row) -> Outcome<Row> {
    let messages = settings.backlog;
    let mut bed = Bed::start(settings, false)?;
    let mut relay = bed.relay(adapter, 1)?;
    bed.behave(Manner { status: 503, ..Manner::default() })?;
    let flow =
        Flow { topics: 100, messages, rate: RATE, qos: 1, expected: messages, patience: Duration::from_secs(60) };
    let mut well_at = None;
    let mut script = |bed: &mut Bed<'_>, _: &mut Relay, moment: &Moment| {
        if moment.publishing {
            return Ok(false);
        }
        // Two seconds more, so that what is taken in slowly is taken in.
        let at = *well_at.get_or_insert(moment.seconds + 2.0);
        if moment.seconds < at {
            return Ok(false);
        }
        if moment.seen.mark == 0 {
            bed.behave(Manner::default())?;
            bed.tell(&Order::Mark)?;
        }
        Ok(true)
    };
    let flowed = bed.flow(&mut relay, &flow, &mut script)?;
    let seen = &flowed.seen;
    let drained = seconds(seen.last.saturating_sub(seen.first_after_mark));
    let row = row
        .with("first after ms", millis(seen.first_after_mark.saturating_sub(seen.mark)))
        .with("msg/s", if drained > 0.0 { seen.distinct as f64 / drained } else { 0.0 })
        .with("drained after s", seconds(seen.last.saturating_sub(seen.mark)))
        .with("refused requests", seen.refused as f64)
        .with("peak MiB above idle", (flowed.peak.rss - flowed.idle.rss).max(0.0))
        .with("peak RSS MiB", flowed.peak.rss);
    Ok(judged(row, &flowed))
}
