//! POSTs over a fixed number of kept connections, one in flight on each: the limit of the sink, and the load of a downlink.

use crate::histogram::Histogram;
use crate::payload::{self, Stamp};
use crate::{Outcome, clock, http};
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

/// What is posted.
#[derive(Clone, clap::Args)]
pub struct Posts {
    /// Where to: `http://127.0.0.1:…/…`.
    #[arg(long)]
    pub url: String,
    /// Kept connections.
    #[arg(long)]
    pub connections: usize,
    /// Requests in all.
    #[arg(long)]
    pub messages: u32,
    /// Number of the run.
    #[arg(long)]
    pub run: u32,
    /// Topics of the run.
    #[arg(long)]
    pub topics: u32,
    /// Bytes of a payload.
    #[arg(long)]
    pub size: usize,
    /// Post what a platform sends to a relay, to this topic, instead of what a relay sends to a platform.
    #[arg(long)]
    pub downlink: Option<String>,
}

/// How they were answered; times in nanoseconds.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// Answers with 2xx.
    pub good: u64,
    /// Numbers of the requests without, at most 10,000.
    pub bad: Vec<u32>,
    /// When the first was sent.
    pub first: u64,
    /// When the last was answered.
    pub last: u64,
    /// Request to answer, the median.
    pub p50: u64,
    /// The same, 99 of 100.
    pub p99: u64,
    /// The same, the longest.
    pub max: u64,
}

#[derive(Default)]
struct State {
    next: u32,
    answered: Answered,
    times: Histogram,
}

/// Posts everything and prints [`Answered`].
pub fn run(posts: &Posts) -> Outcome<()> {
    let (authority, path) =
        http::target(&posts.url).ok_or_else(|| format!("{} is no address that begins with http://.", posts.url))?;
    let head = http::post_head(&authority, &path, "authorization: 01234567-89ab-4def-8123-456789abcdef\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("The posts cannot start: {error}."))?;
    let state = Rc::new(RefCell::new(State::default()));
    state.borrow_mut().answered.first = clock::now();
    LocalSet::new().block_on(&runtime, async {
        let mut connections = JoinSet::new();
        for _ in 0..posts.connections {
            connections.spawn_local(connection(posts.clone(), authority.clone(), head.clone(), state.clone()));
        }
        while connections.join_next().await.is_some() {}
    });
    let state = state.borrow();
    let mut answered = state.answered.clone();
    answered.last = clock::now();
    (answered.p50, answered.p99, answered.max) = (state.times.at(0.5), state.times.at(0.99), state.times.max());
    println!("{}", serde_json::to_string(&answered).map_err(|error| error.to_string())?);
    Ok(())
}

async fn connection(posts: Posts, authority: String, head: Vec<u8>, state: Rc<RefCell<State>>) {
    let mut line = Line::new(authority);
    let (mut payload, mut body, mut out) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let number = state.borrow().next;
        if number >= posts.messages {
            return;
        }
        state.borrow_mut().next += 1;
        payload.clear();
        body.clear();
        out.clear();
        let begun = clock::now();
        let (topic, seq) = (number % posts.topics, number / posts.topics);
        payload::write(&mut payload, Stamp { run: posts.run, topic, seq, at: begun }, posts.size);
        match &posts.downlink {
            None => http::tagoio_body(&mut body, payload::topic(topic).as_bytes(), &payload, 1),
            Some(topic) => {
                let message = String::from_utf8_lossy(&payload);
                let json = serde_json::json!({"topic": topic, "message": message, "qos": 1, "retain": false});
                body.extend_from_slice(json.to_string().as_bytes());
            }
        }
        http::finish_post(&mut out, &head, &body);
        let status = line.exchange(&out).await.unwrap_or(0);
        let mut state = state.borrow_mut();
        if (200..300).contains(&status) {
            state.answered.good += 1;
            state.times.add(clock::now() - begun);
        } else if state.answered.bad.len() < 10_000 {
            state.answered.bad.push(number);
        }
    }
}

/// A connection that is opened when needed and kept.
pub struct Line {
    authority: String,
    stream: Option<TcpStream>,
    input: BytesMut,
}

/// Time for an answer; a relay or platform that needs longer is silent.
const PATIENCE: Duration = Duration::from_secs(10);

impl Line {
    /// To this host and port, not yet open.
    pub fn new(authority: String) -> Self {
        Self { authority, stream: None, input: BytesMut::new() }
    }

    /// Sends a request and returns the status of its answer; after a failure the next request opens a new connection.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        let answer = tokio::time::timeout(PATIENCE, self.try_exchange(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        if answer.is_err() {
            self.stream = None;
            self.input.clear();
        }
        answer
    }

    async fn try_exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.authority).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        stream.write_all(request).await?;
        loop {
            if let Some(answer) = http::next(&mut self.input)? {
                if answer.last {
                    self.stream = None;
                }
                return Ok(answer.status());
            }
            self.input.reserve(4 * 1024);
            if stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
