//! The command line: `run` measures; the other commands are the processes that a run is made of.

use crate::adapter::Adapter;
use crate::bed::Settings;
use crate::counter::{self, Count};
use crate::crowd::{self, Crowd};
use crate::embedded;
use crate::front::{self, Before};
use crate::looker::{self, Look};
use crate::null::{self, Null};
use crate::payload::SMALLEST;
use crate::posts::{self, Posts};
use crate::process::obey_signals;
use crate::publisher::{self, Load};
use crate::report::Report;
use crate::scenarios::{self, Scenario};
use crate::{Outcome, broker, sink};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Drives MQTT relays with the same work and measures them.
#[derive(Parser)]
#[command(name = "relayscope-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure relays; tables go to standard output.
    Run(Run),
    /// The minimal relay: only subscribes and posts.
    Null(Null),
    /// The platform's stand-in, told what to do on standard input.
    Sink {
        /// Port on 127.0.0.1; 0 for any.
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// The load.
    Publisher(Load),
    /// A subscriber that only counts.
    Counter(Count),
    /// POSTs over kept connections.
    Posts(Posts),
    /// The engine's front before a broker.
    Front(Before),
    /// The engine's embedded broker behind its front.
    Embedded(embedded::Run),
    /// Many clients: idle, or each with a message a second.
    Crowd(Crowd),
    /// The engine with an ad-hoc session at a broker.
    Looker(Look),
}

#[derive(clap::Args)]
struct Run {
    /// What to measure; everything when nothing is named.
    scenarios: Vec<Scenario>,
    /// An adapter that comes along or the path of an adapter file; repeat for several.
    #[arg(long = "relay", value_name = "NAME|FILE", default_values = ["relayscope", "null"])]
    relays: Vec<String>,
    /// A fifth of the messages and one round: minutes instead of an hour.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// All messages and three rounds (the default).
    #[arg(long)]
    full: bool,
    /// Rounds, each with every relay in turn.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Messages of a throughput run.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    messages: Option<u64>,
    /// Messages that wait in the backlog scenario.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    backlog: Option<u64>,
    /// Bytes of a payload.
    #[arg(long, default_value_t = 200)]
    size: usize,
    /// Connections of the minimal relay and of the raw POSTs.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    connections: u16,
    /// Bound the broker's queues as Mosquitto ships (1,000 messages); else they are not.
    #[arg(long)]
    stock_broker: bool,
    /// Let the broker send each message at once (`set_tcp_nodelay true`); as shipped it waits for what it sent before.
    #[arg(long)]
    broker_nodelay: bool,
    /// Where temporary folders are made: the disk that the relay writes to.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also write every run to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(run) => run.measure(),
        Command::Null(null) => null::run(&null),
        Command::Sink { port } => sink::run(port),
        Command::Publisher(load) => publisher::run(&load),
        Command::Counter(count) => counter::run(&count),
        Command::Posts(posts) => posts::run(&posts),
        Command::Front(before) => front::run(&before),
        Command::Embedded(run) => embedded::run(&run),
        Command::Crowd(crowd) => crowd::run(&crowd),
        Command::Looker(look) => looker::run(&look),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("relayscope-bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn measure(&self) -> Outcome<()> {
        obey_signals();
        let settings = self.settings()?;
        let relays = self.relays.iter().map(|name| Adapter::find(name)).collect::<Outcome<Vec<_>>>()?;
        broker::program()?;
        for relay in &relays {
            relay.check(&settings.bench)?;
        }
        let mut report = Report::new(about(&settings));
        let outcome = self.rounds(&settings, &relays, &mut report);
        // Also after a failure: what was measured was measured.
        println!("{}", report.markdown());
        if let Some(path) = &self.json {
            report.write_json(path)?;
        }
        outcome
    }

    fn rounds(&self, settings: &Settings, relays: &[Adapter], report: &mut Report) -> Outcome<()> {
        let all = <Scenario as clap::ValueEnum>::value_variants();
        let wanted = if self.scenarios.is_empty() { all } else { &self.scenarios };
        for round in 1..=settings.rounds {
            for scenario in wanted {
                scenarios::run(*scenario, settings, relays, round, report)?;
            }
        }
        match report.failed() {
            0 => Ok(()),
            failed => Err(format!("{failed} runs failed; the tables say which and why.")),
        }
    }

    fn settings(&self) -> Outcome<Settings> {
        if self.size < SMALLEST || self.size > 1_000_000 {
            return Err(format!("A payload has {SMALLEST} to 1,000,000 bytes, not {}.", self.size));
        }
        Ok(Settings {
            bench: std::env::current_exe().map_err(|error| format!("This program cannot be found: {error}."))?,
            folder: self.folder.clone().unwrap_or_else(std::env::temp_dir),
            connections: self.connections.into(),
            stock: self.stock_broker,
            nodelay: self.broker_nodelay,
            size: self.size,
            quick: self.quick,
            messages: self.messages.unwrap_or(if self.quick { 20_000 } else { 100_000 }),
            backlog: self.backlog.unwrap_or(if self.quick { 20_000 } else { 200_000 }),
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 3 }),
        })
    }
}

/// What a reader of the figures must know.
fn about(settings: &Settings) -> Vec<(String, String)> {
    let build = if cfg!(debug_assertions) { "debug: its load is slower than a relay may be" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let broker = if settings.stock { "Mosquitto as shipped" } else { "Mosquitto with queues of any length" };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    [
        ("build of the benchmark", build.to_owned()),
        ("machine", format!("{cores} cores, shared by all processes; load at the start {load}")),
        ("broker", format!("{broker}, set_tcp_nodelay {}", settings.nodelay)),
        ("message", format!("{} B of JSON, one POST each unless the relay batches", settings.size)),
        ("connections of null and of raw POSTs", settings.connections.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
