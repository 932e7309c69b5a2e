//! Hundreds of broken streams against a broker: it stays up, its memory stays flat, and a healthy pair of clients beside
//! them loses nothing.

mod streams;

use crate::client::{Client, SOON};
use crate::packet::{Connect, Publish, Version};
use crate::suite::{Check, Target, ensure};
use crate::support::broker::{FULL, Rig};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::resident;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use streams::{End, Stream, streams};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Streams at the same time.
const AT_ONCE: usize = 12;
/// More than this may the broker's memory not grow, in bytes. One honest reading of an announced length would be more.
const GROWTH: u64 = 96 << 20;

/// What became of the streams.
#[derive(Debug, Default)]
struct Outcome {
    streams: usize,
    /// Messages of the healthy pair.
    messages: u32,
    /// Connections the broker did not close after the client had closed its half, by kind of stream.
    left_open: BTreeMap<&'static str, usize>,
}

fn hello(target: &Target, version: Version, name: &str) -> Connect {
    Connect {
        version,
        protocol: b"MQTT".to_vec(),
        level: version.level(),
        clean: true,
        keep_alive: 60,
        properties: vec![],
        client: name.into(),
        will: None,
        username: Some(target.username.into()),
        password: Some(target.password.into()),
        flip: 0,
    }
}

async fn enter(target: &Target, version: Version, name: &str) -> Check<Client> {
    let mut client = Client::open(target.addr, version).await?;
    let (code, _) = client.connect(&hello(target, version, name)).await?;
    ensure!(code == 0, "{name} was refused with {code:#04x}");
    Ok(client)
}

/// Publishes numbers until it is told to stop; returns how many.
async fn publish(mut client: Client, stop: Arc<AtomicBool>) -> Check<u32> {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        client.publish(Publish::new("healthy", number.to_string(), 1)).await?;
        number += 1;
    }
    client.publish(Publish::new("healthy", "end", 1)).await?;
    Ok(number)
}

/// Counts numbers until the end; they must be all, and in order.
async fn receive(mut client: Client) -> Check<u32> {
    let mut number = 0;
    loop {
        let message = client.message().await?;
        if message.says("end") {
            return Ok(number);
        }
        ensure!(message.says(&number.to_string()), "instead of {number} came {message:?}");
        number += 1;
    }
}

/// Sends one stream. `Ok` is a connection that is to stay open; `Err` says whether the broker closed it.
async fn send(target: &Target, stream: &Stream) -> Result<TcpStream, bool> {
    let mut socket = TcpStream::connect(target.addr).await.expect("the broker accepts connections");
    // The broker may close before everything was written.
    let _ = timeout(SOON, socket.write_all(&stream.bytes)).await;
    match stream.end {
        End::Open => Ok(socket),
        End::Cut => Err(true),
        End::Close => {
            let _ = socket.shutdown().await;
            let mut rest = vec![0; 4_096];
            let end = async { while matches!(socket.read(&mut rest).await, Ok(1..)) {} };
            Err(timeout(SOON, end).await.is_ok())
        }
    }
}

/// Sends every stream to a broker, beside a healthy pair.
async fn assault(target: &Target) -> Check<Outcome> {
    let mut subscriber = enter(target, Version::V5, "healthyone").await?;
    subscriber.subscribe("healthy", 1).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = tokio::spawn(publish(enter(target, Version::V3, "healthytwo").await?, stop.clone()));
    let receiver = tokio::spawn(receive(subscriber));

    let streams: Arc<[Stream]> = streams(target).into();
    let mut outcome = Outcome { streams: streams.len(), ..Outcome::default() };
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let (target, streams) = (target.clone(), streams.clone());
        workers.spawn(async move {
            let (mut open, mut left) = (vec![], vec![]);
            for stream in streams.iter().skip(worker).step_by(AT_ONCE) {
                match send(&target, stream).await {
                    Ok(socket) => open.push(socket),
                    Err(true) => {}
                    Err(false) => left.push(stream.what),
                }
            }
            (open, left)
        });
    }
    let mut open = vec![];
    for (sockets, left) in workers.join_all().await {
        open.extend(sockets);
        left.into_iter().for_each(|what| *outcome.left_open.entry(what).or_default() += 1);
    }
    // With all half-open connections still there, new clients come in.
    for version in [Version::V3, Version::V5] {
        enter(target, version, "late").await?.ping().await?;
    }
    stop.store(true, Ordering::Relaxed);
    let sent = publisher.await.map_err(|panic| panic.to_string())??;
    let received = receiver.await.map_err(|panic| panic.to_string())??;
    ensure!(sent == received, "{sent} messages were sent and {received} came");
    outcome.messages = received;
    drop(open);
    Ok(outcome)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_streams_harm_nobody_at_the_embedded_broker() {
    let rig = Rig::start().await;
    let target = Target { name: "Embedded broker", addr: rig.addr(), username: "Token", password: FULL };
    // The first round fills what every round needs: caches, the feed's ring, the allocator's pools.
    assault(&target).await.unwrap();
    let before = resident();
    let outcome = assault(&target).await.unwrap();
    let after = resident();
    println!("{}: {outcome:?}, memory {before} → {after} bytes", target.name);
    assert!(outcome.streams >= 300 && outcome.messages > 0);
    assert!(outcome.left_open.is_empty(), "connections that are still there: {:?}", outcome.left_open);
    assert!(after.saturating_sub(before) < GROWTH, "memory grew from {before} to {after} bytes");
    rig.broker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_streams_harm_nobody_at_mosquitto() {
    let broker = Mosquitto::start(&Setup { login: Some(("Token", FULL)), ..Setup::default() });
    let addr = format!("127.0.0.1:{}", broker.port).parse().unwrap();
    let target = Target { name: "Mosquitto", addr, username: "Token", password: FULL };
    let outcome = assault(&target).await.unwrap();
    println!("{}: {outcome:?}", target.name);
    assert!(outcome.streams >= 300 && outcome.messages > 0);
}
