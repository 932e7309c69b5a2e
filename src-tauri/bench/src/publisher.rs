//! The load: messages over one connection, as fast as the broker takes them or at a fixed rate. At QoS 1 everything that
//! was not acknowledged is sent again after a broken connection, in order. Speaks 3.1.1, whose brokers do not bound what a
//! publisher has in flight.

use crate::mqtt::{self, Level, TOKEN};
use crate::payload::{self, Stamp};
use crate::{Outcome, clock};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// Messages at QoS 1 on their way to the broker.
const WINDOW: u64 = 1_000;
/// Messages of one write.
const BATCH: u64 = 64;

/// What is published.
#[derive(Clone, clap::Args)]
pub struct Load {
    /// Port of the broker.
    #[arg(long)]
    pub broker_port: u16,
    /// Number of the run.
    #[arg(long)]
    pub run: u32,
    /// Topics, one after the other.
    #[arg(long)]
    pub topics: u32,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    pub first_topic: u32,
    /// Messages in all.
    #[arg(long)]
    pub messages: u64,
    /// Messages a second; 0 for as many as the broker takes.
    #[arg(long)]
    pub rate: u64,
    /// 0 or 1.
    #[arg(long)]
    pub qos: u8,
    /// Bytes of a payload.
    #[arg(long)]
    pub size: usize,
}

/// What was published; times in nanoseconds of the monotonic clock.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Published {
    /// When the first message was sent.
    pub first: u64,
    /// When the last was sent, at QoS 1 acknowledged.
    pub last: u64,
    /// Messages sent again after a broken connection: the broker may have had them already.
    pub resent: u64,
}

struct Progress {
    /// Messages that the broker acknowledged (QoS 1) or that were written (QoS 0).
    acked: AtomicU64,
    broken: AtomicBool,
}

/// Publishes everything and prints [`Published`].
pub fn run(load: &Load) -> Outcome<()> {
    let progress = Progress { acked: AtomicU64::new(0), broken: AtomicBool::new(false) };
    let mut writer =
        Writer { load, progress: &progress, sent: 0, times: VecDeque::new(), result: Published::default() };
    writer.result.first = clock::now();
    let mut failures = 0;
    while progress.acked.load(Ordering::Acquire) < load.messages {
        match connect(load).and_then(|stream| writer.over(stream)) {
            Ok(()) => failures = 0,
            Err(error) if failures > 2_000 => return Err(format!("The publisher lost its broker: {error}.")),
            Err(_) => {
                failures += 1;
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
    writer.result.last = clock::now();
    println!("{}", serde_json::to_string(&writer.result).map_err(|error| error.to_string())?);
    Ok(())
}

fn connect(load: &Load) -> io::Result<TcpStream> {
    open(load.broker_port, Level::V4, &format!("bench-publisher-{}-{}", load.run, load.first_topic), true)
}

/// A connection that the broker accepted.
pub fn open(port: u16, level: Level, client: &str, clean: bool) -> io::Result<TcpStream> {
    open_with(port, level, client, clean, TOKEN)
}

/// The same with a token of somebody else's.
pub fn open_with(port: u16, level: Level, client: &str, clean: bool, token: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let mut out = Vec::new();
    mqtt::connect_with(&mut out, level, client, clean, token);
    stream.write_all(&out)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // Exactly CONNACK: with a kept session the broker may send messages right behind it.
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut rest = vec![0; usize::from(head[1])];
    stream.read_exact(&mut rest)?;
    if head[0] != 0x20 || rest.get(1) != Some(&0) {
        return Err(io::Error::other("the broker refused the connection"));
    }
    stream.set_read_timeout(None)?;
    Ok(stream)
}

struct Writer<'a> {
    load: &'a Load,
    progress: &'a Progress,
    /// Messages that were written, whatever became of them.
    sent: u64,
    /// When each message that is not acknowledged was first sent; the oldest is number `acked`.
    times: VecDeque<u64>,
    result: Published,
}

impl Writer<'_> {
    /// Publishes over one connection until everything is out or the connection breaks.
    fn over(&mut self, stream: TcpStream) -> io::Result<()> {
        let acked = self.progress.acked.load(Ordering::Acquire);
        self.result.resent += self.sent - acked;
        self.forget(acked);
        let written = acked;
        self.progress.broken.store(false, Ordering::Release);
        let reading = stream.try_clone()?;
        let this = thread::current();
        thread::scope(|scope| {
            let progress = self.progress;
            let reader = thread::Builder::new().spawn_scoped(scope, move || read(reading, progress, &this))?;
            let outcome = self.write(&stream, written);
            // The reader ends with the connection: the broker closes it after DISCONNECT.
            let _ = (&stream).write_all(&mqtt::DISCONNECT);
            let _ = stream.shutdown(if outcome.is_ok() { Shutdown::Write } else { Shutdown::Both });
            drop(reader.join());
            outcome
        })
    }

    fn write(&mut self, mut stream: &TcpStream, mut written: u64) -> io::Result<()> {
        let mut out = Vec::with_capacity(32 * 1024);
        loop {
            if self.progress.broken.load(Ordering::Acquire) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let acked = self.progress.acked.load(Ordering::Acquire);
            self.forget(acked);
            if acked == self.load.messages {
                return Ok(());
            }
            let count = self.due().saturating_sub(written).min(BATCH).min((acked + WINDOW).saturating_sub(written));
            if count == 0 {
                thread::park_timeout(self.pause(written));
                continue;
            }
            out.clear();
            for number in written..written + count {
                self.message(&mut out, number, acked);
            }
            stream.write_all(&out)?;
            written += count;
            self.sent = self.sent.max(written);
            if self.load.qos == 0 {
                self.progress.acked.store(written, Ordering::Release);
            }
        }
    }

    /// Drops the times of messages that were acknowledged since.
    fn forget(&mut self, acked: u64) {
        let keep = self.sent.saturating_sub(acked) as usize;
        while self.times.len() > keep {
            self.times.pop_front();
        }
    }

    /// How many messages are to be out by now.
    fn due(&self) -> u64 {
        if self.load.rate == 0 {
            return self.load.messages;
        }
        let elapsed = u128::from(clock::now().saturating_sub(self.result.first));
        let due = elapsed * u128::from(self.load.rate) / 1_000_000_000 + 1;
        u64::try_from(due).unwrap_or(u64::MAX).min(self.load.messages)
    }

    /// Until the next message is due; at full speed, until the reader wakes us.
    fn pause(&self, written: u64) -> Duration {
        if self.load.rate == 0 || written == self.load.messages {
            return Duration::from_millis(5);
        }
        let at = self.result.first + written * 1_000_000_000 / self.load.rate;
        Duration::from_nanos(at.saturating_sub(clock::now()).clamp(20_000, 5_000_000))
    }

    fn message(&mut self, out: &mut Vec<u8>, number: u64, acked: u64) {
        let again = number.checked_sub(acked).and_then(|at| self.times.get(at as usize)).filter(|_| number < self.sent);
        let at = again.copied().unwrap_or_else(clock::now);
        if number >= self.sent {
            self.times.push_back(at);
        }
        let (topics, load) = (u64::from(self.load.topics), self.load);
        let topic = self.load.first_topic + (number % topics) as u32;
        let id = (number % 65_535) as u16 + 1;
        mqtt::publish_head(out, Level::V4, payload::topic(topic).as_bytes(), load.qos, id, load.size);
        payload::write(out, Stamp { run: load.run, topic, seq: (number / topics) as u32, at }, load.size);
    }
}

fn read(mut stream: TcpStream, progress: &Progress, writer: &Thread) {
    let mut buffer = BytesMut::new();
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..count]);
        let mut acks = 0;
        while let Ok(Some(packet)) = mqtt::next(&mut buffer) {
            acks += u64::from(packet.first == 0x40);
        }
        if acks > 0 {
            progress.acked.fetch_add(acks, Ordering::AcqRel);
            writer.unpark();
        }
    }
    progress.broken.store(true, Ordering::Release);
    writer.unpark();
}
