//! Something fails for a while in a flow of 1,000 messages a second at QoS 1: what is lost, doubled or out of order, and
//! how long it takes until the messages come in time again.

use crate::Outcome;
use crate::adapter::Adapter;
use crate::bed::{Bed, Flow, Moment, Relay, Settings};
use crate::clock::{millis, seconds};
use crate::report::{Report, Row};
use crate::sink::{Manner, Order};
use std::time::Duration;

const RATE: u64 = 1_000;
const TOPICS: u32 = 100;
/// When the fault begins, in seconds.
const BEGIN: f64 = 5.0;
/// The topic that is always refused, where one is.
const BAD_TOPIC: u32 = 7;

/// What happens at a moment.
enum Step {
    Sink(Manner),
    /// The fault is over.
    Over,
    End {
        kill: bool,
    },
    Start,
    BrokerDown,
    BrokerUp,
}

struct Case {
    name: String,
    /// Seconds since the beginning, and what happens then.
    steps: Vec<(f64, Step)>,
    /// Seconds of messages.
    length: u64,
    /// Whether one topic is never taken.
    one_refused: bool,
}

/// Every fault with every relay.
pub fn run(settings: &Settings, relays: &[Adapter], round: u32, report: &mut Report) -> Outcome<()> {
    for at in 0..cases(settings.quick).len() {
        for adapter in relays {
            // Steps are used up by a run.
            if let Some(case) = cases(settings.quick).into_iter().nth(at) {
                let row = Row::new("faults", &case.name, &adapter.name, round);
                report.attempt(row, |row| one(settings, adapter, row, case))?;
            }
        }
    }
    Ok(())
}

fn cases(quick: bool) -> Vec<Case> {
    let long = |full: f64| if quick { (full / 3.0).ceil() } else { full };
    let mut all = vec![];
    let away = Manner { away: true, ..Manner::default() };
    all.push(platform("platform away", long(30.0), away));
    all.push(platform("platform silent", long(10.0), Manner { silent: true, ..Manner::default() }));
    let later = Manner { status: 429, retry_after: Some(2), ..Manner::default() };
    all.push(platform("429 with Retry-After 2 for", long(20.0), later));
    for (name, kill) in [("kill -9, 2 s down", true), ("SIGTERM, 2 s down", false)] {
        let steps = vec![(BEGIN, Step::End { kill }), (BEGIN + 2.0, Step::Start), (BEGIN + 2.0, Step::Over)];
        all.push(Case { name: name.into(), steps, length: 15, one_refused: false });
    }
    let steps = vec![(BEGIN, Step::BrokerDown), (BEGIN + 3.0, Step::BrokerUp), (BEGIN + 3.0, Step::Over)];
    all.push(Case { name: "broker restart, 3 s down".into(), steps, length: 20, one_refused: false });
    let cut = Manner { cut: 1, ..Manner::default() };
    let steps = vec![(0.0, Step::Sink(cut))];
    all.push(Case { name: "1 % cut after accepting".into(), steps, length: 15, one_refused: false });
    let bad = Manner { status: 500, topic: Some(BAD_TOPIC), ..Manner::default() };
    let steps = vec![(0.0, Step::Sink(bad))];
    all.push(Case { name: "one topic of 100 answered 500".into(), steps, length: 20, one_refused: true });
    all
}

/// The platform behaves like this for a while.
fn platform(name: &str, time: f64, manner: Manner) -> Case {
    let well = Step::Sink(Manner::default());
    let steps = vec![(BEGIN, Step::Sink(manner)), (BEGIN + time, well), (BEGIN + time, Step::Over)];
    Case { name: format!("{name} {time} s"), steps, length: (BEGIN + time) as u64 + 10, one_refused: false }
}

fn one(settings: &Settings, adapter: &Adapter, row: Row, case: Case) -> Outcome<Row> {
    let mut bed = Bed::start(settings, true)?;
    let mut relay = bed.relay(adapter, 1)?;
    let messages = case.length * RATE;
    let expected = if case.one_refused { messages - messages / u64::from(TOPICS) } else { messages };
    // Longer than the longest pause of a relay that backs off.
    let flow = Flow { topics: TOPICS, messages, rate: RATE, qos: 1, expected, patience: Duration::from_secs(45) };
    let mut steps = case.steps.into_iter().peekable();
    // What the other topics had when the publisher was done.
    let mut in_time = 0;
    let mut script = |bed: &mut Bed<'_>, relay: &mut Relay, moment: &Moment| {
        while let Some((_, step)) = steps.next_if(|(at, _)| *at <= moment.seconds) {
            perform(step, bed, relay)?;
        }
        if moment.publishing {
            in_time = moment.seen.distinct;
        }
        Ok(steps.peek().is_none())
    };
    let flowed = bed.flow(&mut relay, &flow, &mut script)?;
    let seen = &flowed.seen;
    let mut row = row
        .with("lost", flowed.lost() as f64)
        .with("dup", seen.duplicates as f64)
        .with("publisher's repeats", flowed.published.resent as f64)
        .with("out of order", seen.disorder as f64)
        .with("corrupt", seen.corrupt as f64)
        .with("in time %", 100.0 * in_time as f64 / expected as f64)
        .with("p50 ms", millis(seen.p50))
        .with("p99 ms", millis(seen.p99))
        .with("peak RSS MiB", flowed.peak.rss);
    if seen.mark > 0 && seen.first_after_mark > 0 {
        row = row
            .with("first after ms", millis(seen.first_after_mark.saturating_sub(seen.mark)))
            .with("recovered after s", seconds(seen.last_late.saturating_sub(seen.mark)));
    }
    Ok(row)
}

fn perform(step: Step, bed: &mut Bed<'_>, relay: &mut Relay) -> Outcome<()> {
    match step {
        Step::Sink(manner) => bed.behave(manner),
        Step::Over => bed.tell(&Order::Mark).map(drop),
        Step::End { kill } => {
            relay.end(kill);
            Ok(())
        }
        Step::Start => relay.start(),
        Step::BrokerDown => {
            bed.broker.stop();
            Ok(())
        }
        Step::BrokerUp => bed.broker.run(),
    }
}
