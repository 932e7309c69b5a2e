//! What the endpoint bears and what it refuses: slow senders, too much of anything, brokers that never answer, its own
//! numbers, and what mosquitto-go-auth asks.

use crate::endpoint::Downlink;
use crate::support::mosquitto::Mosquitto;
use crate::support::{eventually, pause, scripted, soon};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn message() -> Value {
    json!({"topic": "down", "message": "1", "qos": 1, "retain": false})
}

/// Sends a text byte by byte until the other side ends the connection; gives what it said.
async fn drip_until_cut(mut stream: TcpStream, text: &str) -> String {
    // Room for the whole answer: after it the connection is reset.
    let mut said = Vec::with_capacity(4_096);
    for byte in text.bytes().cycle() {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::select! {
            read = stream.read_buf(&mut said) => if matches!(read, Ok(0) | Err(_)) { break },
            () = pause(Duration::from_millis(50)) => {}
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_senders_are_cut_and_others_are_answered_meanwhile() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    downlink.save_and_wait(|draft| draft["patience"] = json!("1")).await;
    let connect = || TcpStream::connect(("127.0.0.1", downlink.port));
    let headers = tokio::spawn(drip_until_cut(connect().await.unwrap(), "GET /status HTTP/1.1\r\nHost: a\r\nX-a: b"));
    let silent = tokio::spawn(drip_until_cut_silent(connect().await.unwrap()));
    let mut body = connect().await.unwrap();
    let head = "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n";
    body.write_all(head.as_bytes()).await.unwrap();
    let body = tokio::spawn(drip_until_cut(body, " "));
    assert_eq!(downlink.post("/publish", &message()).await.0, 200);
    assert_eq!(soon("slow headers to be cut", headers).await.unwrap(), "");
    soon("a silent one to be cut", silent).await.unwrap();
    let said = soon("a slow body to be cut", body).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("did not come in time"), "{said}");
    downlink.app.stop().await;
}

/// Says nothing until the other side ends the connection.
async fn drip_until_cut_silent(mut stream: TcpStream) {
    let mut said = [0; 64];
    let _ = stream.read(&mut said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_with_its_status() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let publish = || downlink.http.post(format!("{}/publish", downlink.url));
    let long = json!({"topic": "down", "message": "x".repeat(2 * 1024 * 1024), "qos": 1, "retain": false});
    let answer = publish().json(&long).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().contains("longer"));
    let worded = async |answer: reqwest::Response| {
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"].as_str().unwrap().contains("headers are longer"), "{body}");
    };
    let long = publish().json(&message()).header("x-long", "x".repeat(20_000)).send().await.unwrap();
    assert_eq!(long.status(), 431);
    worded(long).await;
    let mut many = publish().json(&message());
    for number in 0..100 {
        many = many.header(format!("x-{number}"), "1");
    }
    let many = many.send().await.unwrap();
    assert_eq!(many.status(), 431);
    worded(many).await;
    for broken in ["what is this\r\n\r\n", "GET /status HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let mut stream = TcpStream::connect(("127.0.0.1", downlink.port)).await.unwrap();
        stream.write_all(broken.as_bytes()).await.unwrap();
        let mut said = String::new();
        soon("the refusal", stream.read_to_string(&mut said)).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("application/json"), "{broken}: {said}");
        assert!(said.ends_with(r#"{"error":"This is not a request of HTTP/1.1."}"#), "{broken}: {said}");
    }
    let wrong = downlink.http.get(format!("{}/publish", downlink.url)).send().await.unwrap();
    assert_eq!((wrong.status().as_u16(), wrong.headers()["allow"].to_str().unwrap()), (405, "POST"));
    assert!(wrong.json::<Value>().await.unwrap()["error"].is_string());

    downlink.save(|draft| draft["rate"] = json!("5")).await;
    let mut refused = 0;
    eventually("the rate to be limited", async || {
        let answer = publish().json(&message()).send().await.ok()?;
        refused += usize::from(answer.status() == 429 && answer.headers()["retry-after"] == "1");
        (refused > 3).then_some(())
    })
    .await;
    eventually("the source to be answered again", async || {
        (publish().json(&message()).send().await.ok()?.status() == 200).then_some(())
    })
    .await;

    downlink
        .save(|draft| {
            draft["rate"] = json!("1000");
            draft["connections"] = json!("2");
        })
        .await;
    let fresh = || async {
        let mut stream = TcpStream::connect(("127.0.0.1", downlink.port)).await.ok()?;
        stream.write_all(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n").await.ok()?;
        let mut byte = [0];
        matches!(stream.read(&mut byte).await, Ok(1)).then_some(stream)
    };
    let mut held = vec![];
    eventually("two connections to fill it", async || match fresh().await {
        Some(stream) => {
            held.push(stream);
            None
        }
        None => (held.len() >= 2).then_some(()),
    })
    .await;
    held.clear();
    drop(eventually("room again", async || fresh().await).await);
    downlink.app.stop().await;
}

/// Writes a request with a body of so many bytes, all of it before it reads; gives what was said.
async fn refused_body(port: u16, head: &str, length: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!("POST {head} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    for _ in 0..length / 1_024 {
        stream.write_all(&[b' '; 1_024]).await?;
    }
    let mut said = String::new();
    stream.read_to_string(&mut said).await?;
    Ok(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_a_refused_body_to_its_end_reads_why() {
    const MIB: usize = 1_024 * 1_024;
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    for (head, length, wanted) in
        [("/publish", 7 * MIB, "HTTP/1.1 413 "), ("/status", 7 * MIB, "HTTP/1.1 405 "), ("/none", MIB, "HTTP/1.1 404 ")]
    {
        let said = soon(head, refused_body(downlink.port, head, length)).await.unwrap();
        assert!(said.starts_with(wanted) && said.ends_with("\"}"), "{head}: {said}");
    }
    // Not for ever: more than that, and it is cut.
    assert!(soon("the cut", refused_body(downlink.port, "/publish", 100 * MIB)).await.is_err());
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_acknowledges_is_a_504_that_says_what_may_be() {
    let port = scripted::never_acknowledges().await;
    let downlink = Downlink::start_with(port, &crate::support::engine::local()).await;
    downlink.save_and_wait(|draft| draft["patience"] = json!("1")).await;
    let (status, body) = downlink.post("/publish", &message()).await;
    assert_eq!(status, 504, "{body}");
    let error = body["error"].as_str().unwrap();
    assert!(error.contains("withdrawn") && error.contains("may still be published"), "{error}");
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_taken_or_refused_by_name() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let post = async |properties: Value| {
        let mut body = message();
        body["properties"] = properties;
        downlink.post("/publish", &body).await
    };
    let good = json!({"contentType": "text/plain", "responseTopic": "a", "correlationData": "AP8=", "messageExpiry": 5,
        "userProperties": [["a", "b"]], "payloadFormat": 1});
    let topic = message()["topic"].as_str().unwrap().to_owned();
    let port = broker.port.to_string();
    let listener = Command::new("mosquitto_sub")
        .args([
            "-p",
            &port,
            "-V",
            "5",
            "-i",
            "listener",
            "-t",
            &topic,
            "-C",
            "1",
            "-W",
            "30",
            "-F",
            "%C %R %D %E %F %P",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("the listener to listen", async || {
        broker.log().contains("Received SUBSCRIBE from listener").then_some(())
    })
    .await;
    assert_eq!(post(good).await.0, 200);
    let heard = listener.wait_with_output().unwrap();
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    assert!(heard.starts_with("text/plain a ") && heard.trim_end().ends_with(" 5 1 a:b"), "{heard}");
    assert_eq!(post(json!({"userProperties": {"a": "b"}})).await.0, 200);
    assert_eq!(post(Value::Null).await.0, 200);
    for (properties, named) in [
        (json!({"responseTopic": "a/#"}), "responseTopic"),
        (json!({"correlationData": "?"}), "correlationData"),
        (json!({"payloadFormat": 7}), "payloadFormat"),
        (json!({"messageExpiry": -1}), "Invalid JSON data"),
        (json!({"nonsense": 1}), "nonsense"),
        (json!("text"), "Invalid JSON data"),
    ] {
        let (status, body) = post(properties).await;
        assert_eq!(status, 422, "{body}");
        assert!(body["error"].as_str().unwrap().contains(named), "{named}: {body}");
    }
    downlink.app.stop().await;
}

/// Reads OpenMetrics text strictly enough to find mistakes: families in one piece, known types, counters that end in
/// `_total`, numbers, `# EOF` and nothing after it. Gives every sample by its name and labels.
fn open_metrics(text: &str) -> HashMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
    let (mut samples, mut seen) = (HashMap::new(), vec![]);
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "info"].contains(&of), "{line}");
            assert!(!seen.contains(&name.to_owned()), "{name} stands twice");
            seen.push(name.to_owned());
            (family, kind) = (name.to_owned(), of.to_owned());
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(rest.starts_with(&format!("{family} ")), "{line}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let name = sample.split('{').next().unwrap();
        let wanted = match kind.as_str() {
            "counter" => format!("{family}_total"),
            "info" => format!("{family}_info"),
            _ => family.clone(),
        };
        assert_eq!(name, wanted, "{line}");
        assert!(sample.len() == name.len() || sample.ends_with('}'), "{line}");
        assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "{line} stands twice");
    }
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_status_tell_the_truth() {
    let mut broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    assert_eq!(downlink.post("/publish", &message()).await.0, 200);
    assert_eq!(downlink.post("/publish", &json!({"topic": 1})).await.0, 422);
    // One that comes back as an uplink is stopped; somebody else's is delivered.
    let mut up = message();
    up["topic"] = json!("up/a");
    assert_eq!(downlink.post("/publish", &up).await.0, 200);
    eventually("the loop to be stopped", async || {
        (downlink.app.relay_status().await.ledger.filtered == 1).then_some(())
    })
    .await;
    let port = broker.port.to_string();
    let published = Command::new("mosquitto_pub").args(["-p", &port, "-q", "1", "-t", "up/b", "-m", "1"]).status();
    assert!(published.unwrap().success());
    downlink.app.delivered(1).await;
    let read = async || {
        let answer = downlink.http.get(format!("{}/metrics", downlink.url)).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        open_metrics(&answer.text().await.unwrap())
    };
    let id = downlink.relay.relay.id;
    let of = |name: &str| format!("{name}{{relay=\"Plant\",relay_id=\"{id}\"}}");
    let metrics = read().await;
    assert_eq!(metrics[&of("relayscope_messages_received_total")], 2.0);
    assert_eq!(metrics[&of("relayscope_messages_filtered_total")], 1.0);
    assert_eq!(metrics[&of("relayscope_messages_delivered_total")], 1.0);
    assert_eq!(metrics[&of("relayscope_messages_waiting")], 0.0);
    assert_eq!(metrics[&of("relayscope_relay_connected")], 1.0);
    assert_eq!(metrics["relayscope_endpoint_requests_total{status=\"422\"}"], 1.0);
    assert!(metrics["relayscope_endpoint_requests_total{status=\"200\"}"] >= 2.0);
    assert!(metrics["relayscope_feed_bytes"] > 0.0 && metrics["relayscope_endpoint_connections"] >= 1.0);

    let status = async || -> Value {
        downlink.http.get(format!("{}/status", downlink.url)).send().await.unwrap().json().await.unwrap()
    };
    let well = status().await;
    let relay = &well["relays"][0];
    assert_eq!(
        (&well["status"], &relay["state"], &relay["connected"]),
        (&json!("ok"), &json!("running"), &json!(true))
    );
    assert_eq!(well["version"], env!("CARGO_PKG_VERSION"));
    let since = relay["since"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(since).is_ok(), "{since}");
    assert_eq!((&relay["waiting"], &relay["dead"], &relay["oldest_age_seconds"]), (&json!(0), &json!(0), &Value::Null));
    broker.stop();
    let away = eventually("the status to tell of the broker", async || {
        let away = status().await;
        (away["relays"][0]["connected"] == json!(false)).then_some(away)
    })
    .await;
    assert!(away["relays"][0]["state"].as_str().unwrap().contains("reconnecting"), "{away}");
    assert_eq!(read().await[&of("relayscope_relay_connected")], 0.0);
    downlink.app.stop().await;
}

/// Answers as TagoIO does for the token “device”, refuses “wrong”, and takes any other for a network's.
async fn info(State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap) -> (StatusCode, axum::Json<Value>) {
    asked.fetch_add(1, Ordering::SeqCst);
    let (status, body) = match headers["authorization"].to_str().unwrap() {
        "device" => (StatusCode::OK, json!({"status": true, "result": {"id": "d", "network": "n"}})),
        "wrong" => (StatusCode::UNAUTHORIZED, json!({"status": false, "message": "no"})),
        _ => (StatusCode::OK, json!({"status": true, "result": {"id": "n", "name": "network"}})),
    };
    (status, axum::Json(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tagoio_said_of_a_token_is_remembered_for_a_moment() {
    let asked = Arc::new(AtomicUsize::new(0));
    let routes = axum::Router::new().route("/info", get(info)).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let region = json!({"kind": "own", "url": format!("http://{}", listener.local_addr().unwrap())});
    tokio::spawn(async { axum::serve(listener, routes).await });
    let broker = Mosquitto::open();
    let downlink = Downlink::start_with(broker.port, &region).await;
    let auth =
        async |password: &str| downlink.post("/auth", &json!({"username": "Token", "password": password})).await.0;
    assert_eq!((auth("device").await, auth("wrong").await), (200, 401));
    let after = asked.load(Ordering::SeqCst);
    assert_eq!(after, 3, "the network, the device, the stranger");
    for _ in 0..20 {
        assert_eq!((auth("device").await, auth("wrong").await), (200, 401));
    }
    assert_eq!(asked.load(Ordering::SeqCst), after);
    assert_eq!(downlink.post("/auth", &json!({"username": "Token"})).await.0, 422);
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_allowed_by_the_rule() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let patterns = json!([{"pattern": "devices/%c/#", "access": "readWrite"}, {"pattern": "news/#", "access": "read"}]);
    let bad = downlink
        .try_save(|draft| {
            draft["acl"] = json!({"mode": "patterns", "patterns": [{"pattern": "a/#/b", "access": "read"}]})
        })
        .await
        .expect_err("the pattern is refused");
    assert_eq!(bad.problems[0].field, "acl.patterns.0.pattern");
    downlink.save(|draft| draft["acl"] = json!({"mode": "patterns", "patterns": patterns})).await;
    let ask = async |client: &str, topic: &str, acc: u8| {
        let body = json!({"username": "Token", "clientid": client, "topic": topic, "acc": acc});
        downlink.http.post(format!("{}/acl", downlink.url)).json(&body).send().await.ok().map(|a| a.status().as_u16())
    };
    eventually("the rule to count", async || (ask("pump", "other", 1).await == Some(401)).then_some(())).await;
    for (topic, acc, answer) in [
        ("devices/pump/temp", 1, 200),
        ("devices/pump/temp", 2, 200),
        ("devices/pump/#", 4, 200),
        ("devices/valve/temp", 2, 401),
        ("devices/+/temp", 4, 401),
        ("news/today", 1, 200),
        ("news/today", 2, 401),
    ] {
        assert_eq!(ask("pump", topic, acc).await, Some(answer), "{topic} {acc}");
    }
    assert_eq!(downlink.post("/acl", &json!({"username": "Token"})).await.0, 422);
    downlink.app.stop().await;
}
