//! Many downlinks at once: while the broker restarts, and as fast as they are answered.

use crate::endpoint::Downlink;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::{pause, soon};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const WANTED: usize = 1_000;
const CONNECTIONS: usize = 8;

/// A subscriber whose session the broker keeps.
fn keeper(port: u16) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new("keeper", "127.0.0.1", port);
    options.set_clean_session(false).set_keep_alive(Duration::from_secs(30));
    AsyncClient::new(options, 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_200_is_on_the_broker_though_it_restarts() {
    let extra = "persistence true\nmax_queued_messages 0\nmax_inflight_messages 0\n".to_owned();
    let mut broker = Mosquitto::start(&Setup { extra, ..Setup::default() });
    let (subscriber, mut events) = keeper(broker.port);
    subscriber.subscribe("load/#", QoS::AtLeastOnce).await.unwrap();
    soon("the subscription", async { while !matches!(events.poll().await, Ok(Event::Incoming(Packet::SubAck(_)))) {} })
        .await;
    subscriber.disconnect().await.unwrap();
    soon("the subscriber to leave", async { while events.poll().await.is_ok() {} }).await;

    let downlink = Arc::new(Downlink::start(&broker).await);
    let (next, published) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (downlink, next, published) = (downlink.clone(), next.clone(), published.clone());
        tasks.spawn(async move {
            let (mut good, mut away) = (vec![], 0);
            while published.load(Ordering::SeqCst) < WANTED {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let body = json!({"topic": "load/a", "message": number.to_string(), "qos": 1, "retain": false});
                match downlink.post("/publish", &body).await {
                    (200, _) => {
                        published.fetch_add(1, Ordering::SeqCst);
                        good.push(number);
                    }
                    (503, _) => {
                        away += 1;
                        pause(Duration::from_millis(2)).await;
                    }
                    other => panic!("{other:?}"),
                }
            }
            (good, away)
        });
    }
    crate::support::eventually("some to be published", async || {
        (published.load(Ordering::SeqCst) > WANTED / 4).then_some(())
    })
    .await;
    broker.stop();
    pause(Duration::from_millis(200)).await;
    broker.start_again();
    let (mut good, mut away) = (HashSet::new(), 0);
    while let Some(done) = soon("the requests", tasks.join_next()).await {
        let (numbers, refused) = done.unwrap();
        good.extend(numbers);
        away += refused;
    }
    assert!(good.len() >= WANTED && away > 0, "{} published, {away} refused", good.len());

    let (_subscriber, mut events) = keeper(broker.port);
    let mut missing = good;
    soon("every message that was answered 200", async {
        while !missing.is_empty() {
            if let Ok(Event::Incoming(Packet::Publish(publish))) = events.poll().await {
                missing.remove(&String::from_utf8_lossy(&publish.payload).parse::<usize>().unwrap());
            }
        }
    })
    .await;
    let downlink = Arc::into_inner(downlink).unwrap();
    downlink.app.stop().await;
}

/// Prints how many downlinks a second are answered after the broker's acknowledgement, over eight connections, and how
/// long they take. Run in a release build:
/// `cargo nextest run --release -p relayscope-engine --run-ignored all answers_per_second --no-capture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn answers_per_second() {
    let broker = Mosquitto::start(&Setup { extra: "max_inflight_messages 0\n".into(), ..Setup::default() });
    let downlink = Downlink::start(&broker).await;
    let each = 20_000;
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        tasks.spawn(raw_posts(downlink.port, each));
    }
    let mut took: Vec<Duration> = vec![];
    while let Some(done) = tasks.join_next().await {
        took.extend(done.unwrap());
    }
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: f64| took[(took.len() as f64 * part) as usize].as_secs_f64() * 1_000.0;
    eprintln!("{rate:.0} answers/s, p50 {:.2} ms, p99 {:.2} ms, slowest {:.2} ms", at(0.5), at(0.99), at(0.99999));
    downlink.app.stop().await;
}

/// Requests one after the other on a connection, written and read without a client library's own cost.
async fn raw_posts(port: u16, count: usize) -> Vec<Duration> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let body = json!({"topic": "down/a", "message": "x".repeat(100), "qos": 1, "retain": false}).to_string();
    let request = format!(
        "POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut took = Vec::with_capacity(count);
    let mut answer = [0; 1_024];
    for _ in 0..count {
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..read]));
        took.push(begun.elapsed());
    }
    took
}
