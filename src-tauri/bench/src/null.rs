//! The minimal relay, the yardstick: subscribes, posts over a fixed number of kept connections, keeps the order of each
//! topic and acknowledges in the order of arrival after the answer. It stores nothing and logs nothing; what is not
//! acknowledged comes again from the broker.

use crate::mqtt::{self, Level};
use crate::payload::FILTER;
use crate::posts::Line;
use crate::{Outcome, http};
use bytes::{Bytes, BytesMut};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{interval, sleep};

/// What it relays.
#[derive(Clone, clap::Args)]
pub struct Null {
    /// Port of the broker on 127.0.0.1.
    #[arg(long)]
    broker_port: u16,
    /// Address of the platform, as a relay has it.
    #[arg(long)]
    sink_url: String,
    /// QoS of the subscription.
    #[arg(long)]
    qos: u8,
    /// Kept connections.
    #[arg(long)]
    connections: usize,
}

/// A message on its way.
struct Job {
    topic: Bytes,
    payload: Bytes,
    lane: usize,
    /// Its place among what is to be acknowledged; nothing at QoS 0.
    slot: Option<u64>,
    session: u64,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<(Bytes, Option<u64>)>,
    /// In `ready` or with a connection.
    busy: bool,
}

#[derive(Default)]
struct State {
    names: HashMap<Bytes, usize>,
    topics: Vec<Bytes>,
    lanes: Vec<Lane>,
    ready: VecDeque<usize>,
    /// What is not acknowledged, in the order of arrival: packet identifier, and whether it was answered.
    slots: VecDeque<(u16, bool)>,
    oldest: u64,
    /// PUBACKs to be written.
    acks: Vec<u8>,
    /// Counts connections to the broker.
    session: u64,
}

#[derive(Default)]
struct Shared {
    state: RefCell<State>,
    work: Notify,
    acks: Notify,
}

/// Relays until it is stopped.
pub fn run(null: &Null) -> Outcome<()> {
    let (authority, path) = http::target(null.sink_url.trim_end_matches('/'))
        .ok_or_else(|| format!("{} is no address that begins with http://.", null.sink_url))?;
    let path = format!("{}/integration/network/data?authorization_token=at", path.trim_end_matches('/'));
    let head = http::post_head(&authority, &path, "authorization: 01234567-89ab-4def-8123-456789abcdef\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("The minimal relay cannot start: {error}."))?;
    LocalSet::new().block_on(&runtime, async {
        let shared = Rc::new(Shared::default());
        let mut posts = JoinSet::new();
        for _ in 0..null.connections {
            posts.spawn_local(post(shared.clone(), Line::new(authority.clone()), head.clone(), null.qos));
        }
        loop {
            // Whatever ended the connection, the broker still has what was not acknowledged.
            let _ = subscribe(null, &shared).await;
            shared.state.borrow_mut().forget();
            sleep(Duration::from_millis(100)).await;
        }
    })
}

async fn subscribe(null: &Null, shared: &Shared) -> io::Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", null.broker_port)).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.into_split();
    let mut out = Vec::new();
    mqtt::connect(&mut out, Level::V5, "bench-null", null.qos == 0);
    mqtt::subscribe(&mut out, Level::V5, FILTER, null.qos);
    writer.write_all(&out).await?;
    let mut input = BytesMut::new();
    let mut alive = interval(Duration::from_secs(20));
    loop {
        tokio::select! {
            read = reader.read_buf(&mut input) => {
                if read? == 0 {
                    return Ok(());
                }
                let mut state = shared.state.borrow_mut();
                while let Some(packet) = mqtt::next(&mut input)? {
                    if packet.first >> 4 == 3 && let Some(message) = mqtt::publish(&packet, Level::V5) {
                        if state.arrived(message) {
                            shared.work.notify_one();
                        }
                    } else if packet.first == 0x20 && !mqtt::accepted(&packet) {
                        return Err(io::Error::other("refused"));
                    }
                }
                input.reserve(64 * 1024);
            }
            () = shared.acks.notified() => {
                out.clear();
                std::mem::swap(&mut out, &mut shared.state.borrow_mut().acks);
                writer.write_all(&out).await?;
            }
            _ = alive.tick() => writer.write_all(&mqtt::PING).await?,
        }
    }
}

async fn post(shared: Rc<Shared>, mut line: Line, head: Vec<u8>, qos: u8) {
    let (mut body, mut out) = (Vec::new(), Vec::new());
    loop {
        let Some(job) = shared.state.borrow_mut().take() else {
            shared.work.notified().await;
            continue;
        };
        body.clear();
        out.clear();
        http::tagoio_body(&mut body, &job.topic, &job.payload, qos);
        http::finish_post(&mut out, &head, &body);
        while !matches!(line.exchange(&out).await, Ok(200..300)) && shared.state.borrow().session == job.session {
            sleep(Duration::from_millis(50)).await;
        }
        let (more, acks) = shared.state.borrow_mut().done(&job);
        if more {
            shared.work.notify_one();
        }
        if acks {
            shared.acks.notify_one();
        }
    }
}

impl State {
    /// Whether a connection should be woken for it.
    fn arrived(&mut self, message: mqtt::Publish) -> bool {
        let at = match self.names.get(&message.topic) {
            Some(at) => *at,
            None => {
                // A copy: a part of the input would keep all of it.
                let name = Bytes::copy_from_slice(&message.topic);
                self.names.insert(name.clone(), self.lanes.len());
                self.topics.push(name);
                self.lanes.push(Lane::default());
                self.lanes.len() - 1
            }
        };
        let slot = (message.id > 0).then(|| {
            self.slots.push_back((message.id, false));
            self.oldest + self.slots.len() as u64 - 1
        });
        let lane = &mut self.lanes[at];
        lane.waiting.push_back((message.payload, slot));
        if lane.busy {
            return false;
        }
        lane.busy = true;
        self.ready.push_back(at);
        true
    }

    fn take(&mut self) -> Option<Job> {
        let at = self.ready.pop_front()?;
        let (payload, slot) = self.lanes[at].waiting.pop_front()?;
        Some(Job { topic: self.topics[at].clone(), payload, lane: at, slot, session: self.session })
    }

    /// Whether its topic has more, and whether there is something to acknowledge.
    fn done(&mut self, job: &Job) -> (bool, bool) {
        if job.session != self.session {
            return (false, false);
        }
        if let Some(slot) = job.slot {
            self.slots[(slot - self.oldest) as usize].1 = true;
        }
        let before = self.acks.len();
        while let Some((id, true)) = self.slots.front() {
            mqtt::puback(&mut self.acks, *id);
            self.slots.pop_front();
            self.oldest += 1;
        }
        let lane = &mut self.lanes[job.lane];
        lane.busy = !lane.waiting.is_empty();
        if lane.busy {
            self.ready.push_back(job.lane);
        }
        (lane.busy, self.acks.len() > before)
    }

    /// Everything not acknowledged comes again.
    fn forget(&mut self) {
        *self = Self { session: self.session + 1, ..Self::default() };
    }
}
