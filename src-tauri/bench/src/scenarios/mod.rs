//! What is done with a relay, one file per scenario.

pub mod backlog;
pub mod broker;
pub mod downlink;
pub mod faults;
pub mod front;
pub mod inspect;
pub mod latency;
pub mod sweep;
pub mod throughput;

use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Flowed, Settings};
use crate::clock::millis;
use crate::report::{Report, Row};

/// A scenario by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// The machine without a relay: raw POSTs, and publisher to broker to subscriber.
    Limits,
    /// Publisher to broker to subscriber: directly, through a front that only forwards, through one that shows everything.
    Front,
    /// The embedded broker behind its front beside Mosquitto: 4 publishers to 1 subscriber, and 5,000 idle clients.
    Broker,
    /// The engine with an ad-hoc session and no page at 10,000 messages a second.
    Inspect,
    /// As many messages as come, at QoS 0 and 1, with a sink of 0, 5 and 50 ms.
    Throughput,
    /// Time from publish to request at 500 and 2,000 messages a second, with a sink of 0 and 5 ms.
    Latency,
    /// Rising rates until a relay falls behind.
    Sweep,
    /// Messages that wait while the platform answers 503: how they are held, and how fast they go out afterwards.
    Backlog,
    /// Platform, relay or broker fail for a while: what is lost, doubled or out of order.
    Faults,
    /// Messages to devices over HTTP, each answer checked by a subscriber.
    Downlink,
}

/// Runs a scenario with every relay once, one after the other, so that rounds interleave.
pub fn run(
    scenario: Scenario,
    settings: &Settings,
    relays: &[Adapter],
    round: u32,
    report: &mut Report,
) -> Outcome<()> {
    match scenario {
        Scenario::Limits => crate::limits::measure(settings, round, report),
        Scenario::Front => front::run(settings, round, report),
        Scenario::Broker => broker::run(settings, round, report),
        Scenario::Inspect => inspect::run(settings, round, report),
        Scenario::Throughput => throughput::run(settings, relays, round, report),
        Scenario::Latency => latency::run(settings, relays, round, report),
        Scenario::Sweep => sweep::run(settings, relays, round, report),
        Scenario::Backlog => backlog::run(settings, relays, round, report),
        Scenario::Faults => faults::run(settings, relays, round, report),
        Scenario::Downlink => downlink::run(settings, relays, round, report),
    }
}

/// The figures that most scenarios show.
fn judged(row: Row, flowed: &Flowed) -> Row {
    let seen = &flowed.seen;
    row.with("lost", flowed.lost() as f64)
        .with("dup", seen.duplicates as f64)
        .with("out of order", seen.disorder as f64)
        .with("corrupt", seen.corrupt as f64)
        .with("p50 ms", millis(seen.p50))
        .with("p99 ms", millis(seen.p99))
        .with("max ms", millis(seen.max))
}

fn used(row: Row, flowed: &Flowed) -> Row {
    row.with("CPU µs/msg", flowed.cpu / flowed.seen.distinct.max(1) as f64)
        .with("idle RSS MiB", flowed.idle.rss)
        .with("idle PSS MiB", flowed.idle.pss)
        .with("peak RSS MiB", flowed.peak.rss)
        .with("peak PSS MiB", flowed.peak.pss)
}
