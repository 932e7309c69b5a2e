//! An HTTP server that stands where TagoIO stands: it records every message it took, in order, and can be told to
//! refuse, to fail, to stay silent, or to go away and come back on the same port.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) topic: String,
    pub(crate) value: String,
    pub(crate) qos: u64,
}

#[derive(Clone)]
struct Desk {
    taken: Arc<Mutex<Vec<Taken>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    rule: Arc<Mutex<Rule>>,
}

/// The server.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    desk: Desk,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Sink {
    /// Starts on a free port; takes everything.
    pub(crate) async fn start() -> Self {
        let desk = Desk {
            taken: Arc::default(),
            asked: Arc::default(),
            rule: Arc::new(Mutex::new(Arc::new(|_: &str| Reply::Take))),
        };
        let mut sink = Self { address: (Ipv4Addr::LOCALHOST, 0).into(), desk, running: None };
        sink.come_back().await;
        sink
    }

    /// The region that means this server.
    pub(crate) fn region(&self) -> Value {
        json!({"kind": "own", "url": format!("http://{}", self.address)})
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
        self.desk.taken.lock().unwrap().len()
    }

    /// Path with query, and header `Authorization`, of every request.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        self.desk.asked.lock().unwrap().clone()
    }

    /// Closes the port and every connection.
    pub(crate) async fn go_away(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.cancel();
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
        let stop = CancellationToken::new();
        let (desk, stopped) = (self.desk.clone(), stop.clone());
        let task = tokio::spawn(async move {
            let routes = Router::new().fallback(any(take)).layer(DefaultBodyLimit::disable()).with_state(desk);
            // Connections belong to tasks that end with the runtime of the serve call: a cancelled select drops them.
            tokio::select! {
                served = axum::serve(listener, routes) => served.unwrap(),
                () = stopped.cancelled() => {}
            }
        });
        self.running = Some((stop, task));
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    desk.asked.lock().unwrap().push((uri.to_string(), authorization));
    let items: Value = serde_json::from_slice(&body).unwrap_or_default();
    let item = &items[0];
    assert_eq!(item["variable"], "payload", "{items}");
    let topic = item["metadata"]["topic"].as_str().unwrap().to_owned();
    let rule = desk.rule.lock().unwrap().clone();
    let taken = Taken {
        value: item["value"].as_str().unwrap().to_owned(),
        qos: item["metadata"]["qos"].as_u64().unwrap(),
        topic,
    };
    match rule(&taken.topic) {
        Reply::Take => {
            desk.taken.lock().unwrap().push(taken);
            axum::Json(json!({"status": true, "result": "1 Data Added"})).into_response()
        }
        Reply::Answer(status, message, added) => {
            let body = axum::Json(json!({"status": false, "message": message}));
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in added {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Swallow => {
            desk.taken.lock().unwrap().push(taken);
            std::future::pending().await
        }
    }
}

/// Fails unless every message of `topics` × `each` came, those of a topic in order; returns how many came twice.
/// Values are `topic-number:rest`, numbers from 0.
pub(crate) fn check_order(taken: &[Taken], topics: usize, each: usize) -> usize {
    use std::collections::HashMap;
    let mut seen: HashMap<&str, Vec<usize>> = HashMap::new();
    for one in taken {
        let number = one.value.split(':').next().unwrap().rsplit('-').next().unwrap().parse().unwrap();
        seen.entry(&one.topic).or_default().push(number);
    }
    assert_eq!(seen.len(), topics, "topics that arrived");
    let mut twice = 0;
    for (topic, numbers) in seen {
        let mut highest = None;
        for number in &numbers {
            match highest {
                // What comes a second time must not come before its first.
                Some(high) if *number <= high => twice += 1,
                Some(high) => {
                    assert_eq!(*number, high + 1, "{topic}: a gap or out of order");
                    highest = Some(*number);
                }
                None => {
                    assert_eq!(*number, 0, "{topic}: the first is missing");
                    highest = Some(0);
                }
            }
        }
        assert_eq!(highest, Some(each - 1), "{topic}: the last is missing");
    }
    twice
}
