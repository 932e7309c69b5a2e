//! What looking costs: 10,000 messages a second from Mosquitto into the engine's ad-hoc session, without a page.

use crate::bed::{Bed, Flow, Settings};
use crate::looker::Looked;
use crate::payload::FILTER;
use crate::process::{Process, cpu, memory, pause};
use crate::publisher::Published;
use crate::report::{Report, Row};
use crate::{Outcome, bed, clock};
use std::time::Duration;

const RATE: u64 = 10_000;
const TOPICS: u32 = 100;
/// A quick run has a tenth of it.
const SECONDS: u64 = 30;
/// How long the publisher may take beyond its time, and the engine to have read the last message.
const PATIENCE: Duration = Duration::from_secs(60);
const MIB: f64 = 1_048_576.0;

/// Measures it once at QoS 0 and once at QoS 1.
pub fn run(settings: &Settings, round: u32, report: &mut Report) -> Outcome<()> {
    let seconds = if settings.quick { SECONDS / 10 } else { SECONDS };
    for qos in [0, 1] {
        let case = format!("QoS {qos}, 10,000 a second for {seconds} s");
        let flow = Flow {
            topics: TOPICS,
            messages: RATE * seconds,
            rate: RATE,
            qos,
            expected: RATE * seconds,
            patience: PATIENCE,
        };
        let row = Row::new("inspect", &case, "engine, no page", round);
        report.attempt(row, |row| engine(settings, row, &flow))?;
    }
    Ok(())
}

fn engine(settings: &Settings, row: Row, flow: &Flow) -> Outcome<Row> {
    let mut bed = Bed::start(settings, false)?;
    let args = [
        ("--broker-port", bed.broker.port.to_string()),
        ("--filter", FILTER.to_owned()),
        ("--qos", flow.qos.to_string()),
        ("--folder", bed.folder("engine").display().to_string()),
    ];
    let mut looker = Process::own("looker", &settings.bench, &bed::flags(&args))?;
    looker.line()?;
    let id = looker.id();
    let row = watched(&mut bed, row, flow, id, || {
        let begun = clock::now();
        while looker.ask::<Looked>(&())?.received < flow.messages {
            if clock::seconds(clock::now() - begun) > PATIENCE.as_secs_f64() {
                break;
            }
            pause(Duration::from_millis(100))?;
        }
        Ok(())
    })?;
    let looked: Looked = looker.ask(&())?;
    Ok(row
        .with("not received", flow.messages.saturating_sub(looked.received) as f64)
        .with("not kept", looked.lost as f64)
        .with("feed MiB", looked.feed_bytes as f64 / MIB)
        .with("its budget MiB", looked.feed_budget as f64 / MIB))
}

/// Publishes, and measures a process from the first message until a second after `arrived`.
fn watched(bed: &mut Bed<'_>, row: Row, flow: &Flow, id: u32, arrived: impl FnOnce() -> Outcome<()>) -> Outcome<Row> {
    pause(Duration::from_secs(1))?;
    let run = bed.begin(flow.topics)?;
    let (before, spent, begun) = (memory(id), cpu(id), clock::now());
    let mut publisher = bed.publish(run, flow)?;
    let seconds = Duration::from_secs(flow.messages / flow.rate.max(1));
    let published: Published = publisher.result(seconds + PATIENCE)?;
    arrived()?;
    pause(Duration::from_secs(1))?;
    let lasted = clock::seconds(clock::now() - begun);
    let (spent, after) = ((cpu(id) - spent) / 1e6, memory(id));
    let sending = clock::seconds(published.last.saturating_sub(published.first)).max(1e-9);
    Ok(row
        .with("msg/s", flow.messages as f64 / sending)
        .with("CPU s", spent)
        .with("% of a core", spent / lasted * 100.0)
        .with("PSS before MiB", before.pss)
        .with("PSS after MiB", after.pss)
        .with("growth B/msg", (after.pss - before.pss) * MIB / flow.messages as f64))
}
