//! The local stand-in for TagoIO over real HTTP.

use crate::support::{eventually, soon};
use relayscope_domain::id::TokenId;
use relayscope_domain::token::TokenKind;
use relayscope_engine::fingerprint::Fingerprint;
use relayscope_engine::platform::{KEEP, Platform, PlatformConfig, PlatformError, PlatformToken, PlatformTokens};
use relayscope_engine::store::open::OpenError;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

const NETWORK: &str = "fd549ad2-0000-4000-8000-000000000001";
const DEVICE: &str = "5e12345a-0000-4000-8000-000000000002";
const AUTHORIZATION: &str = "at0123456789abcdef0123456789abcdef";

fn tokens() -> PlatformTokens {
    let tokens = PlatformTokens::default();
    let saved = [(NETWORK, TokenKind::Network), (DEVICE, TokenKind::Device), (AUTHORIZATION, TokenKind::Authorization)];
    tokens.replace(saved.map(|(value, kind)| {
        let token = PlatformToken { kind, id: TokenId(Uuid::new_v4()), name: format!("my {}", kind.words()) };
        (Fingerprint::of(value.as_bytes()), token)
    }));
    tokens
}

async fn start_keeping(folder: &Path, keep: u64) -> Result<Platform, PlatformError> {
    let config = PlatformConfig { port: 0, tokens: tokens(), db_path: folder.join("bucket.db"), keep };
    Platform::start(config).await
}

async fn start(folder: &TempDir) -> Platform {
    start_keeping(folder.path(), KEEP).await.unwrap()
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

fn post(platform: &Platform) -> RequestBuilder {
    let url = format!("{}/integration/network/data?authorization_token={AUTHORIZATION}", platform.url());
    client().post(url).header("Authorization", NETWORK)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json");
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn relayed(topic: &str, value: &str) -> Value {
    json!([{ "variable": "payload", "value": value, "metadata": { "topic": topic, "qos": 1 } }])
}

#[tokio::test]
async fn info_knows_networks_and_devices() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let url = format!("{}/info", platform.url());
    let mut network = None;
    for header in ["Authorization", "Token", "token"] {
        let (status, body) = answer(client().get(&url).header(header, NETWORK)).await;
        assert_eq!((status, &body["status"], &body["result"]["name"]), (200, &json!(true), &json!("my network token")));
        let id = body["result"]["id"].as_str().unwrap().to_owned();
        assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        network = Some(id);
    }
    let (status, body) = answer(client().get(&url).header("Device-Token", DEVICE)).await;
    assert_eq!((status, body["result"]["network"].as_str()), (200, network.as_deref()));
    for request in [
        client().get(&url),
        client().get(&url).header("Token", "nope"),
        client().get(&url).header("Token", AUTHORIZATION),
    ] {
        assert_eq!(answer(request).await, (401, json!({ "status": false, "message": "Authorization denied" })));
    }
    platform.stop().await;
}

#[tokio::test]
async fn data_is_stored_and_answered_in_the_envelope() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let added = |count: u32| (200, json!({ "status": true, "result": format!("{count} Data Added") }));
    assert_eq!(answer(post(&platform).json(&relayed("plant/line-2/dev-07", "21"))).await, added(1));
    assert_eq!(
        answer(
            post(&platform)
                .json(&json!({ "variable": "T", "value": 21.5, "unit": "°C", "metadata": { "topic": "a/dev-07" } }))
        )
        .await,
        added(1)
    );
    assert_eq!(answer(post(&platform).header("Content-Type", "text/plain").body("hello")).await, added(1));
    assert_eq!(answer(post(&platform).json(&json!([]))).await, added(0));
    let doubled = format!("{}//integration//network/data/?authorization_token={AUTHORIZATION}", platform.url());
    assert_eq!(answer(client().post(doubled).header("Token", NETWORK).json(&relayed("x/dev-08", "1"))).await, added(1));

    assert_eq!((platform.stored(), platform.device_count()), (4, 3));
    let devices = platform.devices().await.unwrap();
    let short: Vec<_> = devices
        .iter()
        .map(|device| (device.serial.as_str(), device.count, device.last_variable.as_str(), device.last_value.as_str()))
        .collect();
    assert_eq!(
        short,
        [("dev-07", 2, "t", "21.5"), ("dev-08", 1, "payload", "1"), ("unassigned", 1, "payload", "hello")]
    );
    let rows = platform.rows("dev-07", 0, 10).await.unwrap();
    assert_eq!(rows.total, 2);
    assert_eq!((rows.rows[0].value.as_str(), rows.rows[0].unit.as_deref()), ("21.5", Some("°C")));
    assert_eq!(
        serde_json::from_str::<Value>(&rows.rows[1].metadata).unwrap(),
        json!({ "topic": "plant/line-2/dev-07", "qos": 1 })
    );
    assert_eq!(rows.rows[0].id.len(), 24);
    assert_eq!(platform.rows("dev-07", 1, 1).await.unwrap().rows[0].value, "21");
    assert_eq!(platform.rows("nobody", 0, 10).await.unwrap().total, 0);
    platform.stop().await;
}

#[tokio::test]
async fn errors_come_in_the_envelope() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let url = format!("{}/integration/network/data", platform.url());
    let denied = (401, json!({ "status": false, "message": "Authorization denied" }));
    let body = relayed("a/b", "1");
    for request in [
        client().post(&url).header("Authorization", NETWORK),
        client().post(format!("{url}?authorization_token=at00")).header("Authorization", NETWORK),
        client().post(format!("{url}?authorization_token={AUTHORIZATION}")),
        client().post(format!("{url}?authorization_token={AUTHORIZATION}")).header("Authorization", DEVICE),
        client().post(format!("{url}?authorization_token={NETWORK}")).header("Authorization", NETWORK),
    ] {
        assert_eq!(answer(request.json(&body)).await, denied);
    }
    let (status, body) =
        answer(post(&platform).header("Content-Type", "application/json").body("{\"variable\":")).await;
    assert_eq!((status, &body["status"]), (400, &json!(false)));
    assert!(body["message"].as_str().unwrap().starts_with("Invalid JSON"), "{body}");
    let (status, body) = answer(post(&platform).json(&json!([{ "t": 1 }]))).await;
    assert_eq!((status, body["message"].as_str()), (400, Some("Item 0: variable is required")));
    let (status, body) = answer(client().get(&url)).await;
    assert_eq!((status, &body["status"]), (404, &json!(false)));
    assert_eq!(answer(client().get(format!("{}/nothing", platform.url()))).await.0, 404);
    assert_eq!((platform.stored(), platform.device_count()), (0, 0));
    platform.stop().await;
}

#[tokio::test]
async fn large_values_pass_and_huge_ones_do_not() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let megabyte = "x".repeat(1_000_000);
    assert_eq!(answer(post(&platform).json(&relayed("a/big", &megabyte))).await.0, 200);
    assert_eq!(platform.rows("big", 0, 1).await.unwrap().rows[0].value.chars().count(), 4_001);
    let (status, body) = answer(post(&platform).json(&relayed("a/huge", &"x".repeat(4 << 20)))).await;
    assert_eq!((status, &body["status"]), (413, &json!(false)));
    platform.stop().await;
}

#[tokio::test]
async fn values_survive_a_restart() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    for number in 0..10 {
        answer(post(&platform).json(&relayed("a/dev", &number.to_string()))).await;
    }
    platform.stop().await;
    let platform = start(&folder).await;
    assert_eq!((platform.stored(), platform.device_count(), platform.notices()), (10, 1, &[][..]));
    assert_eq!(platform.rows("dev", 0, 1).await.unwrap().rows[0].value, "9");
    platform.stop().await;
}

#[tokio::test]
async fn a_damaged_file_is_set_aside() {
    for (damage, name) in [(&b"this was never a database, only text"[..], "text"), (&[0xAB; 40_000][..], "noise")] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("bucket.db");
        std::fs::write(&file, damage).unwrap();
        let platform = start(&folder).await;
        let [notice] = platform.notices() else { panic!("no notice for {name}") };
        let notice = notice.clone();
        assert_eq!(answer(post(&platform).json(&relayed("a/dev", "1"))).await.0, 200);
        platform.stop().await;
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let aside = names.into_iter().find(|path| path.to_string_lossy().contains("bucket.damaged-")).unwrap();
        assert!(notice.contains(&*aside.to_string_lossy()), "{notice}");
        assert_eq!(std::fs::read(aside).unwrap(), damage);
    }
}

#[tokio::test]
async fn a_file_damaged_in_the_middle_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    for number in 0..20 {
        answer(post(&platform).json(&relayed(&format!("a/dev-{number}"), &"y".repeat(3_000)))).await;
    }
    platform.stop().await;
    let file = folder.path().join("bucket.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4_096..12_000].fill(0xEE);
    std::fs::write(&file, bytes).unwrap();
    let platform = start(&folder).await;
    assert!(!platform.notices().is_empty());
    assert_eq!(platform.stored(), 0);
    platform.stop().await;
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    start(&folder).await.stop().await;
    let file = folder.path().join("bucket.db");
    let sql = "INSERT INTO _sqlx_migrations SELECT 9999, 'later', installed_on, success, checksum, execution_time FROM _sqlx_migrations";
    assert!(std::process::Command::new("sqlite3").arg(&file).arg(sql).status().unwrap().success());
    let before = std::fs::read(&file).unwrap();
    let refused = start_keeping(folder.path(), KEEP).await.map(drop);
    assert!(matches!(refused, Err(PlatformError::Open(OpenError::Newer { .. }))), "{refused:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn the_oldest_values_go_first() {
    let folder = TempDir::new().unwrap();
    let platform = start_keeping(folder.path(), 50).await.unwrap();
    answer(post(&platform).json(&relayed("a/first", "0"))).await;
    for number in 0..80 {
        answer(post(&platform).json(&relayed("a/dev", &number.to_string()))).await;
    }
    eventually("the pruning", async || (platform.stored() == 50).then_some(())).await;
    assert_eq!(platform.device_count(), 1);
    let rows = platform.rows("dev", 0, 500).await.unwrap();
    assert_eq!((rows.total, rows.rows.len()), (50, 50));
    assert_eq!((rows.rows[0].value.as_str(), rows.rows[49].value.as_str()), ("79", "30"));
    platform.stop().await;
}

#[tokio::test]
async fn stopping_waits_for_nobody_who_keeps_a_connection_open() {
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let _idle = TcpStream::connect(platform.addr()).await.unwrap();
    let finished = platform.finished();
    soon("the stop", platform.stop()).await;
    soon("the end", finished).await;
}

/// Thousands of requests from many connections that stay open. How fast is told and not judged: tests share their cores.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_are_all_answered_and_kept() {
    const CONNECTIONS: usize = 32;
    const EACH: usize = 250;
    let folder = TempDir::new().unwrap();
    let platform = start(&folder).await;
    let began = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..CONNECTIONS {
        let addr = platform.addr();
        senders.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let body = relayed(&format!("load/dev-{number}"), "21.5").to_string();
            let request = format!(
                "POST /integration/network/data?authorization_token={AUTHORIZATION} HTTP/1.1\r\nHost: x\r\nAuthorization: {NETWORK}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut answer = [0; 1_024];
            for _ in 0..EACH {
                stream.write_all(request.as_bytes()).await.unwrap();
                let length = stream.read(&mut answer).await.unwrap();
                assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
            }
        });
    }
    while let Some(ended) = senders.join_next().await {
        ended.unwrap();
    }
    let rate = (CONNECTIONS * EACH) as f64 / began.elapsed().as_secs_f64();
    eprintln!("{rate:.0} requests a second");
    assert_eq!(platform.stored(), (CONNECTIONS * EACH) as u64);
    platform.stop().await;
}
