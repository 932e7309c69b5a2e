//! How long each case lasts: in every test run, and in `cargo xtask long`. Also where the results of the long ones go.

use crate::support::tally::Verdict;
use std::io::Write as _;
use std::time::Duration;

/// Name, length in every test run, lengths of the long runs. Seconds of fault, or messages where the case counts them.
const TABLE: &[(&str, f64, &[f64])] = &[
    ("platform refuses", 3.0, &[30.0, 90.0, 600.0]),
    ("platform answers 503", 2.0, &[30.0, 90.0]),
    ("platform silent, then well", 1.0, &[10.0]),
    ("platform cuts 1 % of connections after accepting", 2.0, &[30.0]),
    ("platform answers 429 to all, Retry-After", 2.0, &[20.0]),
    ("platform answers 429 to half, Retry-After in the text", 2.0, &[20.0]),
    ("platform answers 429 to all, no Retry-After", 2.0, &[20.0]),
    ("platform answers 429 to half, no Retry-After", 2.0, &[20.0]),
    ("one topic of 100 answered 500", 2.0, &[60.0]),
    ("broker restart, TERM", 2.0, &[3.0, 60.0]),
    ("broker restart, KILL", 1.0, &[3.0, 60.0]),
    ("broker restart that forgets the session", 1.0, &[60.0]),
    ("start while the platform is down", 1.0, &[30.0]),
    ("start while the broker is down", 1.0, &[30.0]),
    ("network address gone and back", 3.0, &[90.0]),
    ("disk full", 2.0, &[10.0]),
    ("clock set a day on and a day back", 0.2, &[30.0]),
    ("kill -9 idle", 0.5, &[2.0]),
    ("kill -9 mid-flow", 0.2, &[2.0]),
    ("kill -9 during an outage", 1.0, &[20.0]),
    ("SIGTERM mid-flow", 0.2, &[2.0]),
    ("SIGTERM during an outage", 1.0, &[20.0]),
    ("SIGTERM with a platform that takes 50 ms", 0.2, &[2.0]),
    ("power cut", 0.5, &[5.0]),
    ("three relays share, one killed", 1.0, &[30.0]),
    ("messages waiting", 10_000.0, &[200_000.0, 5_000_000.0]),
    ("soak with random faults", 5.0, &[3_600.0]),
];

/// Names the file that the results of the long runs are added to; that it is set makes them long.
const LONG: &str = "RELAYSCOPE_LONG";
/// Seconds that the long soak lasts instead of an hour.
const SOAK: &str = "RELAYSCOPE_SOAK_SECONDS";

/// Whether these are the long runs.
pub(crate) fn long() -> bool {
    std::env::var_os(LONG).is_some()
}

/// The numbers of a case: one in every test run.
pub(crate) fn numbers(name: &str) -> Vec<f64> {
    let (_, short, longs) = TABLE.iter().find(|(named, ..)| *named == name).expect("the case stands in the table");
    let soak = std::env::var(SOAK).ok().filter(|_| name.starts_with("soak"));
    match soak {
        Some(seconds) => vec![seconds.parse().unwrap()],
        None if long() => longs.to_vec(),
        None => vec![*short],
    }
}

/// The lengths of a case.
pub(crate) fn lengths(name: &str) -> impl Iterator<Item = Duration> {
    numbers(name).into_iter().map(Duration::from_secs_f64)
}

/// How a case ended.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// From the end of the fault to the first delivery, and until nothing waited any more.
    pub(crate) recovery: Option<(Duration, Duration)>,
    /// Bytes above the memory at rest.
    pub(crate) peak: Option<u64>,
    pub(crate) note: String,
}

/// Prints how a case ended, and adds it to the table of the long runs.
pub(crate) fn report(name: &str, length: &str, outcome: &Outcome) {
    let Verdict { messages, lost, twice, out_of_order } = outcome.verdict;
    let recovery = outcome.recovery.map_or_else(String::new, |(first, gone)| {
        format!("first after {:.2} s, all after {:.1} s", first.as_secs_f64(), gone.as_secs_f64())
    });
    let peak = outcome.peak.map_or_else(String::new, |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    let note = &outcome.note;
    let line = format!("{name}, {length}\t{messages}\t{lost}\t{twice}\t{out_of_order}\t{recovery}\t{peak}\t{note}");
    println!("{}", line.replace('\t', " | "));
    if let Some(path) = std::env::var_os(LONG) {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

/// `3 s`, `1.5 s`, `10 min`
pub(crate) fn words(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if seconds >= 600.0 { format!("{:.0} min", seconds / 60.0) } else { format!("{seconds} s") }
}
