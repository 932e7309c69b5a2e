//! A kept session that is taken over and broken off again and again while messages come for it.

use crate::support::broker::{FULL, Rig, connect};
use crate::support::soon;
use crate::support::wire::{self, Connect};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const MESSAGES: u16 = 600;
const RECONNECTS: u16 = 30;
/// Those that publish without a pause, and the messages of each.
const PUBLISHERS: u16 = 4;
const EACH: u16 = 1_000;

fn hello() -> Connect<'static> {
    Connect { keep_session: true, ..connect(4, "restless", Some(FULL)) }
}

/// The number in a PUBLISH's payload, with its packet id.
fn number(packet: &[u8]) -> (u16, [u8; 2]) {
    (u16::from_be_bytes([packet[packet.len() - 2], packet[packet.len() - 1]]), [packet[7], packet[8]])
}

/// Reads up to `count` messages and acknowledges them; ends early when nothing comes for so long.
async fn take(stream: &mut TcpStream, count: u16, silence: Duration, seen: &mut Vec<u16>) {
    for _ in 0..count {
        let Ok(packet) = tokio::time::timeout(silence, wire::read(stream)).await else { return };
        if packet.is_empty() {
            return;
        }
        assert_eq!(packet[0] & 0xF6, 0x32, "{packet:02x?}");
        let (number, [high, low]) = number(&packet);
        seen.push(number);
        let _ = stream.write_all(&[0x40, 2, high, low]).await;
    }
}

async fn publish(addr: SocketAddr, name: String, numbers: RangeInclusive<u16>) {
    let (mut stream, _) = connect(4, &name, Some(FULL)).send(addr).await;
    for number in numbers {
        let [high, low] = number.to_be_bytes();
        wire::write(&mut stream, &[0x32, 9, 0, 3, b'm', b'/', b'n', high, low, high, low]).await;
        assert_eq!(wire::read(&mut stream).await, [0x40, 2, high, low]);
    }
}

/// Takes what is still to come, and fails when one of `1..=all` never came.
async fn take_rest(stream: &mut TcpStream, all: u16, seen: &mut Vec<u16>) {
    let missing = |seen: &[u16]| -> Vec<u16> {
        let seen: BTreeSet<u16> = seen.iter().copied().collect();
        (1..=all).filter(|number| !seen.contains(number)).collect()
    };
    // Until all are there, or what is still to come does not for long, also on a loaded machine.
    let mut before = usize::MAX;
    while !missing(seen).is_empty() && seen.len() != before {
        before = seen.len();
        take(stream, 1, Duration::from_secs(20), seen).await;
    }
    let missing = missing(seen);
    assert!(missing.is_empty(), "{} of {all} are missing: {missing:?}", missing.len());
}

/// Fails when some message came for the first time after a later one of its publisher.
fn assert_order(seen: &[u16], numbers: &RangeInclusive<u16>) {
    let mut first = BTreeSet::new();
    let own: Vec<u16> = seen.iter().copied().filter(|it| numbers.contains(it) && first.insert(*it)).collect();
    assert!(own.is_sorted(), "the order in which they came first: {own:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_reconnects_while_messages_come_misses_none() {
    let rig = Rig::start().await;
    let (mut stream, _) = hello().send(rig.addr()).await;
    wire::write(&mut stream, &wire::subscribe("m/#", 1)).await;
    wire::read(&mut stream).await;
    let publisher = tokio::spawn(publish(rig.addr(), "publisher".into(), 1..=MESSAGES));
    let (mut seen, mut taken_over) = (vec![], vec![]);
    for round in 0..RECONNECTS {
        take(&mut stream, (round * 7) % 23, Duration::from_millis(300), &mut seen).await;
        match round % 4 {
            // Broken off with bytes unread.
            0 => drop(stream),
            // Taken over while messages are on their way.
            1 => taken_over.push(stream),
            // Gone before its CONNACK came.
            2 => {
                drop(stream);
                let mut hasty = TcpStream::connect(rig.addr()).await.unwrap();
                wire::write(&mut hasty, &hello().packet()).await;
            }
            // Gone as soon as its CONNACK came.
            _ => {
                taken_over.push(stream);
                drop(hello().send(rig.addr()).await);
            }
        }
        let (next, answer) = soon("CONNACK", hello().send(rig.addr())).await;
        assert_eq!(answer, [0x20, 2, 1, 0], "round {round}");
        stream = next;
    }
    soon("the publisher", publisher).await.unwrap();
    take_rest(&mut stream, MESSAGES, &mut seen).await;
    assert_order(&seen, &(1..=MESSAGES));
    rig.broker.stop().await;
}

/// The same with many messages at once and a takeover after every few: none is lost, each publisher's stay in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_taken_over_without_a_pause_gets_all_in_order() {
    let rig = Rig::start().await;
    let (mut stream, _) = hello().send(rig.addr()).await;
    wire::write(&mut stream, &wire::subscribe("m/#", 1)).await;
    wire::read(&mut stream).await;
    let numbers: Vec<_> = (0..PUBLISHERS).map(|publisher| publisher * EACH + 1..=(publisher + 1) * EACH).collect();
    let mut publishers = JoinSet::new();
    for (publisher, numbers) in numbers.iter().enumerate() {
        publishers.spawn(publish(rig.addr(), format!("publisher-{publisher}"), numbers.clone()));
    }
    let mut seen = vec![];
    while !publishers.is_empty() {
        take(&mut stream, 20, Duration::from_millis(50), &mut seen).await;
        let (next, answer) = soon("CONNACK", hello().send(rig.addr())).await;
        assert_eq!(answer, [0x20, 2, 1, 0]);
        stream = next;
        while let Some(publisher) = publishers.try_join_next() {
            publisher.unwrap();
        }
    }
    take_rest(&mut stream, PUBLISHERS * EACH, &mut seen).await;
    numbers.iter().for_each(|numbers| assert_order(&seen, numbers));
    rig.broker.stop().await;
}
