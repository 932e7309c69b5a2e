//! The platform's stand-in, a process of its own: takes requests, counts what is in them, and answers as it is told, late,
//! with an error, or not at all. One thread, so that nothing between a request and its place in the count is reordered.

use crate::tally::{Seen, Tally};
use crate::{Outcome, http};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, sleep_until};

/// How requests are answered.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Manner {
    /// Time from request to answer.
    pub latency_ms: u64,
    /// Status of an answer that refuses; 0 takes everything.
    pub status: u16,
    /// Seconds in a `Retry-After` beside it.
    pub retry_after: Option<u64>,
    /// Only requests of this topic are refused.
    pub topic: Option<u32>,
    /// Requests are read and never answered.
    pub silent: bool,
    /// So many of 100 requests are taken and their connection cut instead of an answer.
    pub cut: u64,
    /// Nothing listens, and connections are closed.
    pub away: bool,
}

/// A line to the sink's standard input. Each is answered with one line: [`Seen`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Forget everything and count this run.
    Begin {
        /// Its number.
        run: u32,
        /// Topics it has.
        topics: u32,
        /// Size of its payloads.
        size: usize,
    },
    /// Answer like this from now on.
    Behave(Manner),
    /// Note the time: see [`Seen::first_after_mark`].
    Mark,
    /// Say what was seen.
    Report,
}

const TAKEN: &str = r#"{"status":true,"result":"1 Data Added"}"#;
const INFO: &str = r#"{"status":true,"result":{"id":"0123456789abcdef01234567","network":"0123456789abcdef01234567","name":"bench","type":"network"}}"#;
const REFUSED: &str = r#"{"status":false,"message":"Refused by the benchmark"}"#;

#[derive(Default)]
struct State {
    tally: Tally,
    manner: Manner,
    requests: u64,
}

/// Serves on `port` of 127.0.0.1 (0: any), says the port on standard output, and obeys standard input until it ends.
pub fn run(port: u16) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("The sink cannot start: {error}."))?;
    LocalSet::new().block_on(&runtime, serve(port)).map_err(|error| format!("The sink failed: {error}."))
}

async fn serve(port: u16) -> io::Result<()> {
    let mut listener = Some(TcpListener::bind(("127.0.0.1", port)).await?);
    let port = listener.as_ref().map_or(Ok(port), |listener| listener.local_addr().map(|address| address.port()))?;
    println!("{port}");
    let state = Rc::new(RefCell::new(State::default()));
    let mut connections = JoinSet::new();
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            order = orders.next_line() => {
                let Some(order) = order? else { return Ok(()) };
                let seen = obey(&state, &serde_json::from_str(&order)?);
                if state.borrow().manner.away {
                    listener = None;
                    connections.abort_all();
                } else if listener.is_none() {
                    listener = Some(TcpListener::bind(("127.0.0.1", port)).await?);
                }
                println!("{}", serde_json::to_string(&seen)?);
            }
            accepted = accept(listener.as_ref()) => {
                let stream = accepted?;
                connections.spawn_local(connection(stream, state.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => Ok(listener.accept().await?.0),
        None => std::future::pending().await,
    }
}

fn obey(state: &RefCell<State>, order: &Order) -> Seen {
    let mut state = state.borrow_mut();
    match order {
        Order::Begin { run, topics, size } => state.tally = Tally::new(*run, *topics, *size),
        Order::Behave(manner) => state.manner = manner.clone(),
        Order::Mark => state.tally.mark(),
        Order::Report => {}
    }
    state.tally.seen()
}

async fn connection(mut stream: TcpStream, state: Rc<RefCell<State>>) {
    // A relay that closes or breaks off is no failure of the sink.
    let _ = stream.set_nodelay(true);
    let (mut input, mut output) = (BytesMut::with_capacity(16 * 1024), Vec::new());
    loop {
        loop {
            let request = match http::next(&mut input) {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(_) => return,
            };
            let Some(delay) = respond(&state, &request.line, &request.body, &mut output).await else { return };
            if !delay.is_zero() {
                sleep_until(Instant::now() + delay).await;
            }
            if request.last {
                let _ = stream.write_all(&output).await;
                return;
            }
        }
        if !output.is_empty() && stream.write_all(&output).await.is_err() {
            return;
        }
        output.clear();
        input.reserve(16 * 1024);
        if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
            return;
        }
    }
}

/// Counts a request and writes its answer; the time until it goes out, or nothing when the connection is cut.
async fn respond(state: &RefCell<State>, line: &Bytes, body: &Bytes, output: &mut Vec<u8>) -> Option<Duration> {
    if line.starts_with(b"GET ") {
        http::answer(output, 200, "", INFO);
        return Some(Duration::ZERO);
    }
    let manner = state.borrow().manner.clone();
    if manner.silent {
        // As long as the relay is willing to wait.
        sleep(Duration::from_secs(3_600)).await;
        return None;
    }
    let mut state = state.borrow_mut();
    state.requests += 1;
    let concerned = manner.topic.is_none_or(|topic| crate::payload::named_topic(body) == Some(topic));
    if manner.status > 0 && concerned {
        state.tally.refuse();
        let retry = manner.retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
        http::answer(output, manner.status, &retry, REFUSED);
        return Some(Duration::from_millis(manner.latency_ms));
    }
    state.tally.body(body);
    if manner.cut > 0 && state.requests % 100 < manner.cut {
        return None;
    }
    http::answer(output, 200, "", TAKEN);
    Some(Duration::from_millis(manner.latency_ms))
}
