//! Rising rates at QoS 1 and 0 ms until a relay falls behind by more than half a second of messages.

use super::judged;
use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Flow, Moment, Relay, Settings};
use crate::report::{Report, Row};
use std::time::Duration;

const RATES: &[u64] = &[1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 80_000];

/// Every rate with every relay that kept up so far.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    let mut keeping_up: Vec<&Adapter> = relays.iter().collect();
    for rate in RATES {
        let mut next = vec![];
        for adapter in keeping_up {
            // A relay that fails is out, too.
            let mut behind = u64::MAX;
            let row = Row::new("sweep", &format!("{rate}/s"), &adapter.name, round);
            report.attempt(row, |row| {
                let (row, found) = one(settings, adapter, row, *rate)?;
                behind = found;
                Ok(row)
            })?;
            if behind <= *rate / 2 {
                next.push(adapter);
            }
        }
        keeping_up = next;
    }
    Ok(())
}

/// The row, and how many messages were not there when their time was over.
fn one(settings: &Settings, adapter: &Adapter, row: Row, rate: u64) -> Outcome<(Row, u64)> {
    let seconds = if settings.quick { 3 } else { 10 };
    let messages = rate * seconds;
    let mut bed = Bed::start(settings, false)?;
    let mut relay = bed.relay(adapter, 1)?;
    let flow = Flow { topics: 100, messages, rate, qos: 1, expected: messages, patience: Duration::from_secs(10) };
    let mut arrived = None;
    let mut look = |_: &mut Bed<'_>, _: &mut Relay, moment: &Moment| {
        // A tenth of a second for what is on its way, and for the publisher to start.
        if moment.seconds >= seconds as f64 + 0.1 {
            arrived.get_or_insert(moment.seen.distinct);
        }
        Ok(arrived.is_some())
    };
    let flowed = bed.flow(&mut relay, &flow, &mut look)?;
    let arrived = arrived.unwrap_or(flowed.seen.distinct);
    let behind = messages.saturating_sub(arrived);
    let row = row.with("arrived/s", arrived as f64 / (seconds as f64 + 0.1)).with("behind", behind as f64);
    Ok((judged(row, &flowed), behind))
}
