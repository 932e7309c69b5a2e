//! An HTTP server that stands where TagoIO stands: it records every message it took, in order, and can be told to be
//! late, to refuse, to fail, to stay silent, to cut connections, or to go away and come back on the same port.
//!
//! It speaks HTTP/1.1 by hand, because no framework lets a handler cut the connection it answers on.

use super::tally::{Tally, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What the server does with a request, by its topic.
type Rule = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Takes it.
    Take,
    /// Answers with a status and a message, and headers.
    Answer(u16, &'static str, Vec<(&'static str, &'static str)>),
    /// Takes it and never answers.
    Swallow,
    /// Neither takes it nor answers; the connection stays open.
    Silence,
    /// Takes it and cuts the connection instead of answering.
    Cut,
    /// Takes it and answers after this time.
    Late(Duration),
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) topic: String,
    pub(crate) value: String,
    pub(crate) qos: u64,
}

#[derive(Deserialize)]
struct Item {
    variable: String,
    value: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    topic: String,
    qos: u64,
}

struct Desk {
    taken: Mutex<Vec<Taken>>,
    asked: Mutex<Vec<(String, String)>>,
    rule: Mutex<Rule>,
    tally: Mutex<Tally>,
    // Whether `taken` and `asked` are kept: millions of messages are only counted.
    keep: AtomicBool,
    count: AtomicU64,
    // Messages that were taken in requests whose connection was cut.
    cut: AtomicU64,
}

/// The server.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
    running: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts on a free port of 127.0.0.1; takes everything.
    pub(crate) async fn start() -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST).await
    }

    /// Starts on a free port of an address.
    pub(crate) async fn start_on(host: Ipv4Addr) -> Self {
        let desk = Desk {
            taken: Mutex::default(),
            asked: Mutex::default(),
            rule: Mutex::new(Arc::new(|_: &str| Reply::Take)),
            tally: Mutex::default(),
            keep: AtomicBool::new(true),
            count: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        };
        let mut sink = Self { address: (host, 0).into(), desk: Arc::new(desk), running: None };
        sink.come_back().await;
        sink
    }

    /// Counts and judges from now on, without keeping messages and requests.
    pub(crate) fn only_count(&self) {
        self.desk.keep.store(false, Ordering::Relaxed);
    }

    /// Its base address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The region that means this server.
    pub(crate) fn region(&self) -> Value {
        json!({"kind": "own", "url": self.url()})
    }

    /// What happens to requests from now on.
    pub(crate) fn rule(&self, rule: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.desk.rule.lock().unwrap() = Arc::new(rule);
    }

    /// Everything that was taken so far.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.desk.taken.lock().unwrap().clone()
    }

    /// How many were taken so far.
    pub(crate) fn count(&self) -> usize {
        self.desk.count.load(Ordering::Relaxed) as usize
    }

    /// How many of them were in requests that were cut off without an answer.
    pub(crate) fn cut(&self) -> usize {
        self.desk.cut.load(Ordering::Relaxed) as usize
    }

    /// What became of `topics` × `each` numbered messages.
    pub(crate) fn verdict(&self, topics: usize, each: usize) -> Verdict {
        self.desk.tally.lock().unwrap().verdict(topics, each)
    }

    /// Path with query, and header `Authorization`, of every request.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.desk.asked.lock().unwrap().clone()
    }

    /// Closes the port and every connection.
    pub(crate) async fn go_away(&mut self) {
        if let Some(task) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again on the same port.
    pub(crate) async fn come_back(&mut self) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.address).unwrap();
        let listener = socket.listen(1_024).unwrap();
        self.address = listener.local_addr().unwrap();
        self.running = Some(tokio::spawn(serve(listener, self.desk.clone())));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(task) = &self.running {
            task.abort();
        }
    }
}

/// The connections end with the task: the set aborts what it holds.
async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(talk(stream, desk.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn talk(mut stream: TcpStream, desk: Arc<Desk>) {
    drop(stream.set_nodelay(true));
    let mut buffer = vec![];
    while let Some(request) = Request::read(&mut stream, &mut buffer).await {
        let answer = match desk.decide(&request) {
            Reply::Take => response(200, &json!({"status": true, "result": "1 Data Added"}), &[]),
            Reply::Late(time) => {
                pause(time).await;
                response(200, &json!({"status": true, "result": "1 Data Added"}), &[])
            }
            Reply::Answer(status, message, added) => {
                response(status, &json!({"status": false, "message": message}), &added)
            }
            Reply::Swallow | Reply::Silence => std::future::pending().await,
            Reply::Cut => return,
        };
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

fn response(status: u16, body: &Value, added: &[(&str, &str)]) -> Vec<u8> {
    let body = body.to_string();
    let added: String = added.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{added}");
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

struct Request {
    post: bool,
    target: String,
    authorization: String,
    body: Vec<u8>,
}

impl Request {
    /// The next request; nothing when the connection ended. `buffer` holds what was read beyond.
    async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            match buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None if stream.read_buf(buffer).await.ok()? == 0 => return None,
                None => {}
            }
        };
        let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let (post, target) = (first.next() == Some("POST"), first.next().unwrap().to_owned());
        let (mut length, mut authorization) = (0, String::new());
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => value.trim().clone_into(&mut authorization),
                "transfer-encoding" => panic!("this server reads bodies of a known length only"),
                _ => {}
            }
        }
        while buffer.len() < end + length {
            if stream.read_buf(buffer).await.ok()? == 0 {
                return None;
            }
        }
        let body = buffer[end..end + length].to_vec();
        buffer.drain(..end + length);
        Some(Self { post, target, authorization, body })
    }
}

impl Desk {
    /// What becomes of a request; records it, and the messages when they are taken. All items of a body are taken, or
    /// none.
    fn decide(&self, request: &Request) -> Reply {
        let keep = self.keep.load(Ordering::Relaxed);
        if keep {
            self.asked.lock().unwrap().push((request.target.clone(), request.authorization.clone()));
        }
        if !request.post {
            return Reply::Answer(404, "Not Found", vec![]);
        }
        let items: Vec<Item> = serde_json::from_slice(&request.body).unwrap();
        assert!(items.iter().all(|item| item.variable == "payload"));
        let topic = &items[0].metadata.topic;
        assert!(items.iter().all(|item| item.metadata.topic == *topic), "a body holds items of one topic");
        let rule = self.rule.lock().unwrap().clone();
        let reply = rule(topic);
        if matches!(reply, Reply::Answer(..) | Reply::Silence) {
            return reply;
        }
        let count = items.len() as u64;
        {
            let mut tally = self.tally.lock().unwrap();
            items.iter().for_each(|item| tally.add(&item.metadata.topic, &item.value));
        }
        if keep {
            let taken = items.into_iter().map(|item| Taken {
                topic: item.metadata.topic,
                value: item.value,
                qos: item.metadata.qos,
            });
            self.taken.lock().unwrap().extend(taken);
        }
        self.count.fetch_add(count, Ordering::Relaxed);
        if matches!(reply, Reply::Cut) {
            self.cut.fetch_add(count, Ordering::Relaxed);
        }
        reply
    }
}

/// Fails unless every message of `topics` × `each` came, those of a topic in order; returns how many came twice.
pub(crate) fn check_order(taken: &[Taken], topics: usize, each: usize) -> usize {
    let mut tally = Tally::default();
    taken.iter().for_each(|one| tally.add(&one.topic, &one.value));
    let verdict = tally.verdict(topics, each);
    assert_eq!((verdict.lost, verdict.out_of_order), (0, 0), "{verdict:?}");
    verdict.twice
}
