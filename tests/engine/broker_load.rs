//! The embedded broker under load and over time: what its corrections of rmqtt are for.

use crate::support::broker::{FULL, Mqtt, Rig, connect, options};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, resident, soon, threads};
use relayscope_domain::broker::Embedded;
use relayscope_engine::broker::RetainedMessage;
use rumqttc::v5::mqttbytes::QoS;
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// For clients that take nothing: longer than a loaded machine needs for a test.
const PATIENT: Duration = Duration::from_secs(600);

fn settings() -> Embedded {
    Embedded { port: 0, ..Embedded::default() }
}

#[tokio::test]
async fn a_burst_at_qos_1_loses_nothing() {
    const COUNT: usize = 20_000;
    let rig = Rig::start().await;
    let receiver = Mqtt::connect(options(rig.addr(), "receiver", FULL)).await;
    receiver.subscribe("burst", QoS::AtLeastOnce).await;
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    for number in 0..COUNT {
        sender.client.publish("burst", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
    }
    let messages = receiver.messages(COUNT).await;
    let numbers: Vec<usize> =
        messages.iter().map(|message| std::str::from_utf8(&message.payload).unwrap().parse().unwrap()).collect();
    assert_eq!(numbers, (0..COUNT).collect::<Vec<_>>(), "lost, twice, or out of order");
    assert_eq!(rig.dropped().0, 0);
    rig.broker.stop().await;
}

#[tokio::test]
async fn instant_reconnects_are_never_refused() {
    let rig = Rig::start().await;
    for polite in [true, false] {
        for round in 0..500 {
            let level = if round % 2 == 0 { 4 } else { 5 };
            let (mut stream, answer) = connect(level, "hasty", Some(FULL)).send(rig.addr()).await;
            assert_eq!(answer.get(3), Some(&0), "round {round}, polite {polite}: {answer:02x?}");
            if polite {
                stream.write_all(&[0xE0, 0]).await.unwrap();
            }
        }
    }
    eventually("no client", async || (rig.broker.client_count() == 0).then_some(())).await;
    rig.broker.stop().await;
}

/// A subscriber that does not read costs a bounded amount; what it could not have is counted, exactly.
#[tokio::test]
async fn a_slow_reader_is_bounded_and_every_message_is_accounted_for() {
    const COUNT: u64 = 12_000;
    const SIZE: usize = 16_384;
    let rig = Rig::patient(settings(), None, PATIENT).await;
    let (mut slow, _) = Connect { keep_alive: 0, ..connect(4, "slow", Some(FULL)) }.send(rig.addr()).await;
    slow.write_all(&wire::subscribe("flood", 0)).await.unwrap();
    assert_eq!(wire::read(&mut slow).await[0], 0x90);
    let (mut flood, _) = Connect { keep_alive: 0, ..connect(4, "flood", Some(FULL)) }.send(rig.addr()).await;
    let packet = wire::publish("flood", &[7; SIZE]);
    for _ in 0..COUNT {
        flood.write_all(&packet).await.unwrap();
    }
    flood.write_all(&[0xC0, 0]).await.unwrap();
    assert_eq!(soon("the answer to the ping", wire::read(&mut flood)).await, [0xD0, 0], "the flood was not taken in");
    // Nobody reads and nobody sends, so the counts are final once they stay the same longer than they are held back.
    let mut dropped = (0, std::time::Instant::now());
    eventually("dropped messages", async || {
        let now = rig.dropped().0;
        if now != dropped.0 {
            dropped = (now, std::time::Instant::now());
        }
        (now > 0 && dropped.1.elapsed() > Duration::from_millis(1_200)).then_some(())
    })
    .await;
    assert!(rig.dropped().1.starts_with("slow consumer"), "{}", rig.dropped().1);
    let expected = COUNT - dropped.0;

    for received in 0..expected {
        let packet = soon("a message", wire::read(&mut slow)).await;
        assert_eq!(packet.first(), Some(&0x30), "the slow reader was cut after {received} of {expected} messages");
    }
    slow.write_all(&[0xC0, 0]).await.unwrap();
    assert_eq!(
        soon("the answer to the ping", wire::read(&mut slow)).await,
        [0xD0, 0],
        "more came than was accounted for"
    );
    let waited = expected * SIZE as u64;
    eprintln!("{waited} bytes waited for the slow reader");
    assert!(waited < 160 << 20, "{waited} bytes waited for one client");
    rig.broker.stop().await;
}

/// Whoever subscribes to very many retained messages and does not read costs a bounded amount, also when it subscribes
/// again and again. Others get theirs, and a reader that only takes its time gets all of them.
#[tokio::test]
async fn retained_messages_wait_for_a_slow_reader_where_they_are() {
    const COUNT: usize = 100_000;
    const AGAIN: usize = 10;
    let rig = Rig::patient(settings(), None, PATIENT).await;
    let hello = |name: &'static str| Connect { keep_alive: 0, ..connect(4, name, Some(FULL)) };
    let (mut publisher, _) = hello("publisher").send(rig.addr()).await;
    let mut packet = wire::publish("kept/000000", &[7; 500]);
    packet[0] |= 1;
    publisher.write_all(&packet).await.unwrap();
    let first = eventually("a retained message", async || rig.broker.retained("kept/#").await.pop()).await;
    // The others are put there beside the wire: that takes seconds and not minutes.
    let more = (1..COUNT).map(|number| RetainedMessage { topic: format!("kept/{number:06}"), ..first.clone() });
    assert_eq!(rig.broker.restore_retained(&more.collect::<Vec<_>>()).await, COUNT - 1);
    assert_eq!(rig.broker.retained_count().await, COUNT);

    let before = resident();
    let (mut slow, _) = hello("slow").send(rig.addr()).await;
    let (mut late, _) = hello("late").send(rig.addr()).await;
    for _ in 0..AGAIN {
        slow.write_all(&wire::subscribe("kept/#", 0)).await.unwrap();
    }
    late.write_all(&wire::subscribe("kept/#", 0)).await.unwrap();
    // First the kernel takes what it can, then the part of the budget that is for retained messages is used up.
    let queue = async |name: &str| rig.broker.client(name).await.unwrap().queue;
    for name in ["slow", "late"] {
        eventually("messages that wait", async || (queue(name).await >= 1_000).then_some(())).await;
    }

    // Others flow.
    let (mut live, _) = hello("live").send(rig.addr()).await;
    live.write_all(&wire::subscribe("live", 0)).await.unwrap();
    wire::read(&mut live).await;
    publisher.write_all(&wire::publish("live", b"now")).await.unwrap();
    assert_eq!(soon("a live message", wire::read(&mut live)).await, wire::publish("live", b"now"));

    assert_eq!(wire::read(&mut late).await[0], 0x90);
    let mut topics = HashSet::new();
    for _ in 0..COUNT {
        let packet = soon("a retained message", wire::read(&mut late)).await;
        assert_eq!(packet[0], 0x31);
        topics.insert(packet[5..16].to_vec());
    }
    assert_eq!(topics.len(), COUNT, "some came twice and others did not");

    let (waiting, grown) = (queue("slow").await, resident().saturating_sub(before));
    eprintln!("{waiting} messages wait for the slow reader; {grown} bytes more in this process");
    assert!(waiting < 2_000, "{waiting} messages wait");
    // The feed keeps what was sent, too. All of the slow reader's copies would be more than 400 MB.
    assert!(grown < 250 << 20, "{grown} bytes more");
    assert_eq!(rig.dropped().0, 0);
    rig.broker.stop().await;
}

/// Messages that wait for a client are not lost in silence when it goes away.
#[tokio::test]
async fn what_a_session_leaves_undelivered_is_counted() {
    const COUNT: u64 = 5_000;
    let rig = Rig::patient(settings(), None, PATIENT).await;
    let (mut slow, _) = connect(4, "slow", Some(FULL)).send(rig.addr()).await;
    slow.write_all(&wire::subscribe("flood", 0)).await.unwrap();
    assert_eq!(wire::read(&mut slow).await[0], 0x90);
    let (mut flood, _) = connect(4, "flood", Some(FULL)).send(rig.addr()).await;
    for _ in 0..COUNT {
        flood.write_all(&wire::publish("flood", &[7; 16_384])).await.unwrap();
    }
    flood.write_all(&[0xC0, 0]).await.unwrap();
    assert_eq!(soon("the answer to the ping", wire::read(&mut flood)).await, [0xD0, 0]);
    assert_eq!(rig.dropped().0, 0);
    drop(slow);
    rig.goodbye("slow").await;
    // What the kernel's buffers took counts as delivered: some megabytes.
    eventually("dropped messages", async || (rig.dropped().0 > COUNT * 3 / 4).then_some(())).await;
    assert!(rig.dropped().0 <= COUNT);
    rig.broker.stop().await;
}

/// `RELAYSCOPE_CYCLES=200` for the long run.
#[tokio::test]
async fn starting_and_stopping_leaves_nothing_behind() {
    let cycles = std::env::var("RELAYSCOPE_CYCLES").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut after_first_rounds = 0;
    for cycle in 0..cycles {
        let rig = Rig::start().await;
        let mut clients = vec![];
        for number in 0..5 {
            clients.push(Mqtt::connect(options(rig.addr(), &format!("c{number}"), FULL)).await);
        }
        clients[0].subscribe("cycle", QoS::AtLeastOnce).await;
        clients[1].client.publish("cycle", QoS::AtLeastOnce, true, "x".repeat(10_000)).await.unwrap();
        clients[0].messages(1).await;
        let addr = rig.addr();
        rig.broker.stop().await;
        assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "cycle {cycle}: the port is still open");
        if cycle == 9 {
            after_first_rounds = resident();
        }
    }
    // Under `cargo test` other tests run brokers in this process.
    if std::env::var_os("NEXTEST").is_some() {
        assert_eq!(threads("embedded-broker"), 0);
        let growth = resident().saturating_sub(after_first_rounds);
        eprintln!("{cycles} cycles: {growth} bytes more than after ten");
        assert!(growth < 6 << 20, "{growth} bytes more after {cycles} cycles than after ten");
    }
    // Dropped without a stop.
    let rig = Rig::start().await;
    drop(rig.broker);
    eventually("no thread", async || {
        (std::env::var_os("NEXTEST").is_none() || threads("embedded-broker") == 0).then_some(())
    })
    .await;
}
