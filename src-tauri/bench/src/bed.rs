//! A test bed: broker and sink of one run, the relay between them, and one flow of messages through all of it.

use crate::adapter::{self, Adapter, Values};
use crate::broker::{Broker, free_port};
use crate::payload::FILTER;
use crate::process::{self, Memory, Process, pause};
use crate::publisher::Published;
use crate::sink::{Manner, Order};
use crate::tally::Seen;
use crate::{Outcome, clock};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// What all runs have in common.
#[derive(Clone)]
pub struct Settings {
    /// This program.
    pub bench: PathBuf,
    /// Where temporary folders are made.
    pub folder: PathBuf,
    /// Connections of the minimal relay and of the raw POSTs.
    pub connections: usize,
    /// Whether the broker's queues are bounded as shipped.
    pub stock: bool,
    /// Whether the broker sends each message at once (`set_tcp_nodelay true`), which Mosquitto as shipped does not.
    pub nodelay: bool,
    /// Bytes of a payload.
    pub size: usize,
    /// Fewer messages, one round.
    pub quick: bool,
    /// Messages of a throughput run at 0 and 5 ms.
    pub messages: u64,
    /// Messages that wait in the backlog scenario.
    pub backlog: u64,
    /// How often everything is repeated.
    pub rounds: u32,
}

/// Broker and sink of a run.
pub struct Bed<'a> {
    /// What all runs have in common.
    pub settings: &'a Settings,
    /// The broker.
    pub broker: Broker,
    sink: Process,
    /// Port of the sink.
    pub sink_port: u16,
    run: u32,
    folder: TempDir,
}

/// A relay under test.
pub struct Relay {
    adapter: Adapter,
    values: Values,
    folder: PathBuf,
    process: Option<Process>,
    /// Processor time of its earlier processes, in microseconds.
    spent: f64,
    /// Memory when it had nothing to do.
    pub idle: Memory,
    /// The most it had since the flow began.
    pub peak: Memory,
}

/// Messages to be sent through a relay.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Topics.
    pub topics: u32,
    /// Messages.
    pub messages: u64,
    /// Messages a second; 0 for as many as the broker takes.
    pub rate: u64,
    /// Of the publisher.
    pub qos: u8,
    /// Messages that can arrive: those of a topic that is always refused cannot.
    pub expected: u64,
    /// How long nothing may arrive before the rest counts as lost.
    pub patience: Duration,
}

/// What came of a flow.
#[derive(Clone, Default)]
pub struct Flowed {
    /// What was published.
    pub published: Published,
    /// What arrived.
    pub seen: Seen,
    /// What should have arrived.
    pub expected: u64,
    /// Processor time of the relay, in microseconds.
    pub cpu: f64,
    /// Memory before.
    pub idle: Memory,
    /// The most during it.
    pub peak: Memory,
}

/// A look at a flow.
pub struct Moment {
    /// What arrived so far.
    pub seen: Seen,
    /// Since the beginning.
    pub seconds: f64,
    /// Whether the publisher has more, or waits for acknowledgements.
    pub publishing: bool,
}

/// What is done to bed and relay while messages flow; called often, and true once nothing more is to come.
pub type Script<'s> = &'s mut dyn FnMut(&mut Bed<'_>, &mut Relay, &Moment) -> Outcome<bool>;

impl<'a> Bed<'a> {
    /// Starts broker and sink. With `persist`, the broker keeps its sessions over a restart.
    pub fn start(settings: &'a Settings, persist: bool) -> Outcome<Self> {
        let folder = TempDir::with_prefix_in("relayscope-bench-", &settings.folder)
            .map_err(|error| format!("No temporary folder in {}: {error}.", settings.folder.display()))?;
        let broker = Broker::start(&folder.path().join("broker"), settings.stock, settings.nodelay, persist)?;
        let mut sink = Process::own("sink", &settings.bench, &[])?;
        let sink_port = sink.line()?.parse().map_err(|_| "The sink did not say its port.".to_owned())?;
        Ok(Self { settings, broker, sink, sink_port, run: 0, folder })
    }

    /// A folder that goes with the bed.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The sink's address as a relay gets it.
    pub fn sink_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.sink_port)
    }

    /// Tells the sink something and returns what it has seen.
    pub fn tell(&mut self, order: &Order) -> Outcome<Seen> {
        self.sink.ask(order)
    }

    /// How the sink answers from now on.
    pub fn behave(&mut self, manner: Manner) -> Outcome<()> {
        self.tell(&Order::Behave(manner)).map(drop)
    }

    /// A new run: the sink forgets all others. Its number.
    pub fn begin(&mut self, topics: u32) -> Outcome<u32> {
        self.run += 1;
        self.tell(&Order::Begin { run: self.run, topics, size: self.settings.size })?;
        Ok(self.run)
    }

    /// Starts a publisher.
    pub fn publish(&self, run: u32, flow: &Flow) -> Outcome<Process> {
        let args = [
            ("--broker-port", self.broker.port.to_string()),
            ("--run", run.to_string()),
            ("--topics", flow.topics.to_string()),
            ("--messages", flow.messages.to_string()),
            ("--rate", flow.rate.to_string()),
            ("--qos", flow.qos.to_string()),
            ("--size", self.settings.size.to_string()),
        ];
        Process::own("publisher", &self.settings.bench, &flags(&args))
    }

    /// Starts a relay and waits until a message came through it, then until it is at rest.
    pub fn relay(&mut self, adapter: &Adapter, qos: u8) -> Outcome<Relay> {
        let folder = self.folder.path().join(format!("relay-{}", self.run));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}.", folder.display()))?;
        let mut relay = Relay {
            adapter: adapter.clone(),
            values: self.values(&folder, qos)?,
            folder,
            process: None,
            spent: 0.0,
            idle: Memory::default(),
            peak: Memory::default(),
        };
        relay.adapter.prepare(&relay.folder, &relay.values)?;
        relay.start()?;
        self.wait_until_ready(&mut relay)?;
        Ok(relay)
    }

    fn values(&self, folder: &Path, qos: u8) -> Outcome<Values> {
        let mut values = adapter::programs(&self.settings.bench);
        values.extend([
            ("broker_host", "127.0.0.1".to_owned()),
            ("broker_port", self.broker.port.to_string()),
            ("sink_url", self.sink_url()),
            ("folder", folder.display().to_string()),
            ("network_token", "01234567-89ab-4def-8123-456789abcdef".to_owned()),
            ("authorization", "at0123456789abcdef0123456789abcdef".to_owned()),
            ("qos", qos.to_string()),
            ("downlink_port", free_port()?.to_string()),
            ("filters", format!("[\"{FILTER}\"]")),
            ("connections", self.settings.connections.to_string()),
        ]);
        Ok(values)
    }

    /// Publishes probes until the first arrives: then the relay is subscribed and delivers.
    fn wait_until_ready(&mut self, relay: &mut Relay) -> Outcome<()> {
        let run = self.begin(1)?;
        let begun = clock::now();
        let probe = Flow { topics: 1, messages: 5, rate: 20, qos: 1, expected: 5, patience: Duration::ZERO };
        while self.tell(&Order::Report)?.distinct == 0 {
            if !relay.runs() {
                return Err(format!("{} ended at its start: {}", relay.adapter.name, relay.log()));
            }
            if clock::seconds(clock::now() - begun) > 60.0 {
                return Err(format!("No message came through {} in 60 s: {}", relay.adapter.name, relay.log()));
            }
            // Each sends the same five messages: their repetition does no harm here.
            self.publish(run, &probe)?.result::<Published>(Duration::from_secs(30))?;
        }
        self.wait_until_quiet()?;
        pause(Duration::from_millis(500))?;
        relay.idle = process::memory(relay.id());
        Ok(())
    }

    /// Waits until nothing arrived for half a second.
    fn wait_until_quiet(&mut self) -> Outcome<()> {
        let mut before = u64::MAX;
        loop {
            let seen = self.tell(&Order::Report)?;
            let count = seen.distinct + seen.duplicates + seen.foreign;
            if count == before {
                return Ok(());
            }
            before = count;
            pause(Duration::from_millis(500))?;
        }
    }

    /// Sends messages through the relay while the script runs, until everything arrived or nothing more does.
    pub fn flow(&mut self, relay: &mut Relay, flow: &Flow, script: Script<'_>) -> Outcome<Flowed> {
        let run = self.begin(flow.topics)?;
        let cpu = relay.cpu();
        relay.peak = Memory::default();
        let begun = clock::now();
        let mut publisher = self.publish(run, flow)?;
        let (mut moved, mut count, mut polls) = (clock::now(), 0, 0_u32);
        loop {
            pause(Duration::from_millis(20))?;
            if polls % 5 == 0 {
                relay.sample();
            }
            polls += 1;
            let seen = self.tell(&Order::Report)?;
            let publishing = publisher.runs();
            let moment = Moment { seen, seconds: clock::seconds(clock::now() - begun), publishing };
            let over = script(self, relay, &moment)?;
            let seen = moment.seen;
            if publishing || !over || seen.distinct != count {
                (count, moved) = (seen.distinct, clock::now());
            }
            if over && !publishing && (seen.distinct >= flow.expected || clock::now() - moved > nanos(flow.patience)) {
                break;
            }
        }
        let cpu = relay.cpu() - cpu;
        relay.sample();
        self.wait_until_quiet()?;
        let seen = self.tell(&Order::Report)?;
        let published = publisher.result(Duration::from_secs(5))?;
        Ok(Flowed { published, seen, expected: flow.expected, cpu, idle: relay.idle, peak: relay.peak })
    }
}

impl Relay {
    /// Starts it, or starts it again with what it left.
    pub fn start(&mut self) -> Outcome<()> {
        let mut command = self.adapter.command(&self.folder, &self.values)?;
        self.process = Some(Process::logged(&self.adapter.name, &mut command, &self.folder.join("relay.log"))?);
        Ok(())
    }

    /// Ends it as its adapter says, or without a warning.
    pub fn end(&mut self, kill: bool) {
        if let Some(mut process) = self.process.take() {
            self.spent += process::cpu(process.id());
            let signal = if kill { libc::SIGKILL } else { self.adapter.stop.signal() };
            process.end(signal, Duration::from_secs(20));
        }
    }

    /// Where it takes messages for devices.
    pub fn downlink(&self) -> Outcome<Option<String>> {
        self.adapter.downlink(&self.values)
    }

    /// Processor time of all its processes, in microseconds.
    pub fn cpu(&self) -> f64 {
        self.spent + process::cpu(self.id())
    }

    fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::runs)
    }

    fn id(&self) -> u32 {
        self.process.as_ref().map_or(0, Process::id)
    }

    fn sample(&mut self) {
        let now = process::memory(self.id());
        self.peak.rss = self.peak.rss.max(now.rss);
        self.peak.pss = self.peak.pss.max(now.pss);
    }

    /// The end of what it printed.
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("relay.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(8)..].join(" | ")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl Flowed {
    /// Messages a second from the first arrival to the last.
    pub fn rate(&self) -> f64 {
        let time = clock::seconds(self.seen.last.saturating_sub(self.seen.first));
        if time > 0.0 { self.seen.distinct.saturating_sub(1) as f64 / time } else { 0.0 }
    }

    /// Messages that never arrived.
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.seen.distinct)
    }
}

/// No script: nothing is done while messages flow.
pub fn undisturbed(_: &mut Bed<'_>, _: &mut Relay, _: &Moment) -> Outcome<bool> {
    Ok(true)
}

/// Names and values as arguments.
pub fn flags(pairs: &[(&str, String)]) -> Vec<String> {
    pairs.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]).collect()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
