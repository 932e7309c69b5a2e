//! Broken streams through a front, before Mosquitto and before the embedded broker: nothing falls, and a healthy client
//! beside them loses nothing.

use crate::support::broker::{FULL, Mqtt, Rig, connect, options};
use crate::support::front::FrontRig;
use crate::support::mosquitto::Mosquitto;
use crate::support::wire::{self, Connect};
use crate::support::{eventually, resident, soon};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use rumqttc::v5::mqttbytes::QoS;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// A whole decent life, to be broken.
fn life(level: u8, token: &str) -> Vec<u8> {
    let mut stream = Connect { will: Some(("wills", "x")), ..connect(level, "broken", Some(token)) }.packet();
    if level == 5 {
        stream.extend([0x82, 9, 0, 1, 0, 0, 3, b'a', b'/', b'#', 1]);
        stream.extend([0x32, 9, 0, 1, b't', 0, 7, 3, 0x23, 0, 1]);
        stream.extend([0xe0, 2, 4, 0]);
    } else {
        stream.extend(wire::subscribe("a/#", 1));
        stream.extend(wire::publish("a/b", b"payload"));
        stream.extend([0x34, 5, 0, 1, b't', 0, 9, 0x62, 2, 0, 9, 0xc0, 0, 0xe0, 0]);
    }
    stream
}

/// Every way to break it.
fn broken(token: &str) -> Vec<Vec<u8>> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut streams = vec![];
    for level in [3, 4, 5] {
        let life = life(level, token);
        let connect = 2 + usize::from(life[1]);
        // Cut off anywhere; one byte changed; a length that lies; the wrong packet first; twice the same; garbage.
        streams.extend((0..60).map(|_| life[..dice.below(life.len())].to_vec()));
        streams.extend((0..60).map(|_| {
            let mut stream = life.clone();
            let at = dice.below(stream.len());
            stream[at] ^= 1 << dice.below(8);
            stream
        }));
        for length in [0, 1, 5, 9, 11, 127] {
            let mut stream = life.clone();
            stream[1] = length;
            streams.push(stream);
        }
        for kind in 0..16_u8 {
            streams.push([&[kind << 4, 2, 0, 1], &life[..]].concat());
            streams.push([&life[..connect], &[kind << 4 | 0x0f, 2, 0, 1], &life[connect..]].concat());
        }
        streams.push([&life[..connect], &life[..]].concat());
        streams.push([&life[..connect], &[0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, b't'][..]].concat());
        streams.push([&life[..connect], &[0xff; 40][..]].concat());
        streams.push((0..200).map(|_| dice.below(256) as u8).collect());
    }
    streams
}

async fn send(addr: SocketAddr, stream: Arc<Vec<u8>>) {
    let Ok(mut socket) = TcpStream::connect(addr).await else { return };
    let _ = socket.write_all(&stream).await;
    let _ = socket.shutdown().await;
    let mut answer = vec![];
    let _ = tokio::time::timeout(Duration::from_secs(8), socket.read_to_end(&mut answer)).await;
}

/// Sends all of it, sixteen at a time, while a healthy pair talks; returns how many streams there were.
async fn assault(addr: SocketAddr, token: &str) -> usize {
    const TALK: usize = 300;
    let listener = Mqtt::connect(options(addr, "healthy-listener", token)).await;
    listener.subscribe("healthy", QoS::AtLeastOnce).await;
    let speaker = Mqtt::connect(options(addr, "healthy-speaker", token)).await;
    let talk = async {
        for number in 0..TALK {
            speaker.client.publish("healthy", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
            listener.messages(number + 1).await;
        }
    };
    let streams = broken(token);
    let count = streams.len();
    let storm = async {
        let mut tasks = JoinSet::new();
        for stream in streams {
            if tasks.len() == 16 {
                tasks.join_next().await;
            }
            tasks.spawn(send(addr, Arc::new(stream)));
        }
        while tasks.join_next().await.is_some() {}
    };
    tokio::join!(soon("the healthy pair", talk), storm);
    let numbers: Vec<_> = listener.messages(TALK).await.iter().map(|message| message.payload.clone()).collect();
    assert_eq!(numbers, (0..TALK).map(|number| number.to_string()).collect::<Vec<_>>());
    count
}

/// Every socket was told from its first moment to its last, and nothing of the password.
async fn told(feed: &Feed, sockets: usize, secret: &str) {
    let count = |wanted: fn(&Kind) -> bool| feed.events().iter().filter(|event| wanted(&event.kind)).count();
    let closed = |kind: &Kind| matches!(kind, Kind::Closed { .. });
    eventually("the end of every socket", async || (count(closed) >= sockets).then_some(())).await;
    assert!(count(|kind| matches!(kind, Kind::Malformed { .. })) > 50);
    // A client whose lengths are wrong may call its password a name; what can't be read shows none in any case.
    let secret = &secret.as_bytes()[..12];
    for event in feed.events() {
        if let Kind::Malformed { bytes, .. } = &event.kind {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "a password is shown: {event:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_streams_before_mosquitto() {
    let broker = Mosquitto::open();
    let rig = FrontRig::before(broker.port).await;
    let before = resident();
    let sockets = assault(rig.addr(), FULL).await;
    eprintln!("{sockets} broken streams, {} bytes more", resident().saturating_sub(before));
    assert!(sockets > 300);
    told(&rig.feed, sockets, FULL).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_streams_before_the_embedded_broker() {
    let rig = Rig::start().await;
    let before = resident();
    let sockets = assault(rig.addr(), FULL).await;
    eprintln!("{sockets} broken streams, {} bytes more", resident().saturating_sub(before));
    told(&rig.feed, sockets, FULL).await;
    rig.broker.stop().await;
}
