//! The embedded broker behind its front: what a client hears at its end, and what its life looks like.

use crate::support::broker::{FULL, Mqtt, READ, Rig, account, connect, options};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, soon};
use relayscope_domain::token::Permission;
use relayscope_engine::feed::event::{Direction, Event, Kind};
use rumqttc::v5::mqttbytes::QoS;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![];
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn clients_hear_why_they_are_disconnected() {
    let rig = Rig::start().await;
    let (mut kicked, _) = connect(5, "kicked", Some(FULL)).send(rig.addr()).await;
    let begin = Instant::now();
    assert!(rig.broker.kick("kicked").await);
    assert_eq!(rest(&mut kicked).await, [0xe0, 2, 0x98, 0]);
    eprintln!("kicked: {:?}", begin.elapsed());

    let (mut first, _) = connect(5, "twice", Some(FULL)).send(rig.addr()).await;
    let (_second, answer) = connect(5, "twice", Some(FULL)).send(rig.addr()).await;
    assert_eq!(answer[3], 0);
    assert_eq!(rest(&mut first).await, [0xe0, 2, 0x8e, 0]);

    let silent = Connect { keep_alive: 1, ..connect(5, "silent", Some(FULL)) };
    let (mut silent, _) = silent.send(rig.addr()).await;
    assert_eq!(rest(&mut silent).await, [0xe0, 2, 0x8d, 0]);

    let will = Connect { will: Some(("wills", "gone")), ..connect(5, "revoked", Some(READ)) };
    assert_eq!(will.send(rig.addr()).await.1[3], 0x86);
    let (mut revoked, _) = connect(5, "revoked", Some(READ)).send(rig.addr()).await;
    let (mut old, _) = connect(4, "old", Some(READ)).send(rig.addr()).await;
    let begin = Instant::now();
    rig.accounts.replace([account("all", FULL, Permission::Full)]);
    assert_eq!(rest(&mut revoked).await, [0xe0, 2, 0x87, 0]);
    eprintln!("revoked: {:?}", begin.elapsed());
    assert!(rest(&mut old).await.is_empty());
    assert_eq!(rig.goodbye("revoked").await.0, "its token was removed");
    rig.broker.stop().await;
}

#[tokio::test]
async fn the_broker_sees_where_its_clients_really_are() {
    let rig = Rig::start().await;
    let (stream, _) = connect(4, "there", Some(FULL)).send(rig.addr()).await;
    let here = stream.local_addr().unwrap();
    let info = eventually("the client", async || rig.broker.clients().await.pop()).await;
    assert_eq!(info.address, Some(here));
    let connection = rig.broker.connections().of(here).unwrap();
    assert_eq!((connection.client_id.as_str(), connection.keep_alive), ("there", 60));
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_life_is_told_once_and_in_order() {
    let rig = Rig::start().await;
    let (mut stream, _) = connect(4, "life", Some(FULL)).send(rig.addr()).await;
    stream.write_all(&wire::subscribe("life/#", 1)).await.unwrap();
    assert_eq!(wire::read(&mut stream).await, [0x90, 3, 0, 1, 1]);
    stream.write_all(&wire::publish("life/1", b"x")).await.unwrap();
    assert_eq!(wire::read(&mut stream).await, wire::publish("life/1", b"x"));
    stream.write_all(&[0xe0, 0]).await.unwrap();
    assert!(rest(&mut stream).await.is_empty());
    let closed = |kind: &Kind| matches!(kind, Kind::Closed { .. }).then_some(());
    rig.event("its end", "life", closed).await;
    let word = |event: &Event| match &event.kind {
        Kind::Accepted { .. } => "accepted",
        Kind::Connect { .. } => "connect",
        Kind::Connected { .. } => "connected",
        Kind::Subscribed { .. } => "subscribed",
        Kind::Publish { direction: Direction::In, .. } => "publish",
        Kind::Publish { direction: Direction::ToClient, .. } => "receive",
        Kind::Disconnected { .. } => "disconnected",
        Kind::Closed { .. } => "closed",
        _ => "other",
    };
    let told: Vec<_> = rig.feed.events().iter().map(word).collect();
    let life = ["accepted", "connect", "connected", "subscribed", "publish", "receive", "disconnected", "closed"];
    assert_eq!(told, life);
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_will_is_told_as_the_brokers_doing() {
    let rig = Rig::start().await;
    let watcher = Mqtt::connect(options(rig.addr(), "watcher", FULL)).await;
    watcher.subscribe("wills/#", QoS::AtMostOnce).await;
    let lost = Connect { will: Some(("wills/lost", "gone")), ..connect(5, "lost", Some(FULL)) };
    drop(lost.send(rig.addr()).await);
    watcher.messages(1).await;
    let told = |way| {
        let wanted =
            |event: &&Event| matches!(&event.kind, Kind::Publish { direction, will, .. } if (*direction, *will) == way);
        rig.feed.events().iter().filter(wanted).count()
    };
    eventually("both events", async || {
        ((told((Direction::In, true)), told((Direction::ToClient, false))) == (1, 1)).then_some(())
    })
    .await;
    rig.broker.stop().await;
}
