//! Any bytes as the body of a request to the endpoint of a running engine: the answer is JSON with a status that the
//! routes have, never a 500 and never a cut connection. The relay's broker is away, so that a good request is a 503.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relayscope_engine::{Engine, EngineConfig, api};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const ROUTES: [&str; 4] = ["/publish", "/auth", "/superuser", "/acl"];
const KINDS: [&str; 4] = ["application/json", "application/json; charset=utf-8", "text/plain", ""];
const STATUSES: [u16; 8] = [200, 400, 401, 404, 413, 422, 429, 503];

struct Place {
    port: u16,
    _engine: Engine,
    _folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

/// The engine, started by the first input; it runs as long as the process.
fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = EngineConfig { data_dir: folder.path().to_owned(), keychain: false, idle: false };
        let engine = runtime.block_on(async {
            let engine = Engine::start(config).await.unwrap();
            configure(&engine, port).await;
            engine
        });
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the endpoint does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Place { port, _engine: engine, _folder: folder, _runtime: runtime }
    })
}

async fn call(engine: &Engine, name: &str, request: Value) -> Value {
    api::call(engine, name, request).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A relay whose broker and platform are ports where nobody listens.
async fn configure(engine: &Engine, port: u16) {
    let blank = call(engine, "app.blank", Value::Null).await;
    let region = json!({"kind": "own", "url": "http://127.0.0.1:9"});
    let mut broker = blank["broker"].clone();
    for (field, value) in [("name", "Away"), ("host", "127.0.0.1"), ("port", "9")] {
        broker[field] = json!(value);
    }
    let broker = call(engine, "brokers.save", broker).await;
    let mut relay = blank["relay"].clone();
    for (kind, field, value) in [
        ("network", "networkTokenId", uuid::Uuid::new_v4().to_string()),
        ("authorization", "authorizationId", format!("at{}", uuid::Uuid::new_v4().simple())),
    ] {
        let draft = json!({"id": null, "name": kind, "kind": kind, "region": region, "serial": "", "permission": "full",
            "value": {"kind": "set", "value": value}});
        relay[field] = call(engine, "tokens.save", draft).await["token"]["id"].clone();
    }
    for (field, value) in [
        ("name", json!("Fuzzed")),
        ("brokerId", broker["broker"]["id"].clone()),
        ("mappings", json!([{"filter": "plant/#", "qos": 1, "enabled": true}])),
        ("region", region.clone()),
        ("downlinkPort", json!(port.to_string())),
        ("enabled", json!(true)),
    ] {
        relay[field] = value;
    }
    call(engine, "relays.save", relay).await;
}

/// Posts on a connection that is kept; opens another when the server closed it between two requests.
fn post(route: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
    static KEPT: std::sync::Mutex<Option<BufReader<TcpStream>>> = std::sync::Mutex::new(None);
    let kept = KEPT.lock().unwrap().take();
    let fresh = kept.is_none();
    let mut stream = kept.unwrap_or_else(|| {
        let stream = TcpStream::connect(("127.0.0.1", place().port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        BufReader::new(stream)
    });
    match exchange(&mut stream, route, kind, body) {
        Ok((answer, closes)) => {
            if !closes {
                *KEPT.lock().unwrap() = Some(stream);
            }
            answer
        }
        Err(error) if fresh => panic!("no answer: {error}"),
        Err(_) => post(route, kind, body),
    }
}

type Answer = (u16, Vec<u8>);

fn exchange(
    stream: &mut BufReader<TcpStream>,
    route: &str,
    kind: &str,
    body: &[u8],
) -> std::io::Result<(Answer, bool)> {
    let kind = if kind.is_empty() { String::new() } else { format!("content-type: {kind}\r\n") };
    let head = format!("POST {route} HTTP/1.1\r\nhost: fuzz\r\n{kind}content-length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
    let (mut status, mut length, mut closes) = (0, 0, false);
    for number in 0.. {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(':') {
            _ if number == 0 => status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0),
            _ if line.is_empty() => break,
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            Some(("connection", value)) => closes = value.trim() == "close",
            _ => {}
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(((status, answer), closes))
}

fuzz_target!(|input: &[u8]| {
    // The first byte chooses: `0` is /publish with JSON, `1` is /auth, `3` is /acl.
    let Some((choice, body)) = input.split_first() else { return };
    place();
    let (route, kind) = (ROUTES[usize::from(choice % 4)], KINDS[usize::from(choice / 4 % 4)]);
    let (status, answer) = post(route, kind, body);
    assert!(STATUSES.contains(&status), "{route} was answered {status}");
    assert!(serde_json::from_slice::<Value>(&answer).is_ok(), "{route} was answered {status} without JSON");
});
