//! Broken streams, the same ones each time: cut short, with wrong flags and lengths, in the wrong order, or with bits
//! turned round.

use crate::packet::{self, Connect, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Version, Will};
use crate::suite::Target;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client closes its half and waits for the broker to close the other.
    Close,
    /// The client is gone.
    Cut,
    /// Nothing more comes; the connection is left as it is until the last stream was sent.
    Open,
}

/// A stream of bytes no decent client sends.
pub(super) struct Stream {
    pub(super) what: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

/// A CONNECT with everything a CONNECT can have.
fn connect(target: &Target, version: Version, name: &str) -> Connect {
    let mut connect = Connect {
        version,
        protocol: b"MQTT".to_vec(),
        level: version.level(),
        clean: true,
        keep_alive: 60,
        properties: vec![],
        client: format!("broken{}{name}", version.level()).into(),
        will: Some(Will { topic: b"broken/will".to_vec(), payload: b"w".to_vec(), ..Will::default() }),
        username: Some(target.username.into()),
        password: Some(target.password.into()),
        flip: 0,
    };
    if version == Version::V5 {
        connect = connect.with(&packet::user("a", "b")).with(&packet::short(packet::id::RECEIVE_MAXIMUM, 10));
    }
    connect
}

/// Packets after a CONNECT, one of each kind a client sends.
fn packets(version: Version) -> Vec<Vec<u8>> {
    let mut rich = Publish::new("broken/a", "payload", 2).packet(3);
    if version == Version::V5 {
        rich = rich.with(&packet::data(packet::id::CONTENT_TYPE, "text/plain")).with(&packet::user("c", "d"));
    }
    vec![
        packet::subscribe(version, 1, &[("broken/#", 1), ("broken/+", 2)], &[]),
        Publish::new("broken/a", "payload", 0).bytes(version),
        Publish::new("broken/a", "payload", 1).packet(2).retained().bytes(version),
        rich.bytes(version),
        packet::ack(PUBREL, 3),
        packet::ack(PUBACK, 4),
        packet::ack(PUBREC, 5),
        packet::ack(PUBCOMP, 6),
        packet::unsubscribe(version, 7, &["broken/#"]),
        packet::PINGREQ.to_vec(),
    ]
}

/// All streams: some hundred for each version.
pub(super) fn streams(target: &Target) -> Vec<Stream> {
    let mut all = vec![];
    let mut add = |what, bytes: Vec<u8>, end| all.push(Stream { what, bytes, end });
    let mut random = StdRng::seed_from_u64(4_711);
    for version in [Version::V3, Version::V5] {
        let name = |name: &str| connect(target, version, name);
        let hello = name("").bytes();
        for (number, length) in (0..hello.len()).step_by(3).enumerate() {
            let end = [End::Close, End::Cut, End::Open][number % 3];
            add("a CONNECT that ends early", hello[..length].to_vec(), end);
        }
        for flip in 0..=255_u8 {
            if flip % 7 == 1 {
                add("a CONNECT with wrong flags", Connect { flip, ..name("f") }.bytes(), End::Close);
            }
        }
        for level in [0, 1, 2, 6, 7, 127, 128, 0x83, 0x84, 255] {
            add("a CONNECT of an unknown level", Connect { level, ..name("l") }.bytes(), End::Close);
        }
        for protocol in [&b""[..], b"M", b"mqtt", b"MQTT\0", b"MQIsdp", b"HTTP", &[0xff; 300]] {
            add(
                "a CONNECT of another protocol",
                Connect { protocol: protocol.into(), ..name("p") }.bytes(),
                End::Close,
            );
        }
        for first in (0..=255).step_by(13) {
            add("something else first", [vec![first], hello[1..].to_vec()].concat(), End::Close);
        }
        for first in (0..=0xf0).step_by(16) {
            let announced = vec![first, 0xff, 0xff, 0xff, 0x7f];
            add("256 MB announced", announced.clone(), End::Open);
            add("256 MB announced after CONNECT", [&name("big").bytes(), &announced[..]].concat(), End::Open);
            let endless = [&announced[..4], &[0xff, 0xff, 0xff]].concat();
            add("a length without end", [&name("len").bytes(), &endless[..]].concat(), End::Close);
        }
        for (number, one) in packets(version).into_iter().enumerate() {
            let id = format!("p{number}");
            for length in (1..one.len()).step_by(4) {
                let end = if length % 2 == 0 { End::Cut } else { End::Close };
                add("a packet that ends early", [&name(&id).bytes(), &one[..length]].concat(), end);
                let mut shorter = one.clone();
                shorter[1] = (length - 1) as u8;
                add("a length that is too small", [name(&id).bytes(), shorter, one.clone()].concat(), End::Close);
            }
            let mut longer = one.clone();
            longer[1] += 9;
            add("a length that is too large", [name(&id).bytes(), longer, one.clone()].concat(), End::Close);
            for bits in [1, 2, 4, 8] {
                let mut flags = one.clone();
                flags[0] ^= bits;
                add("wrong flags", [name(&id).bytes(), flags].concat(), End::Close);
            }
            add("a packet before CONNECT", [one, name(&id).bytes()].concat(), End::Close);
        }
        let whole = [vec![name("bits").bytes()], packets(version)].concat().concat();
        for number in 0..80 {
            let mut bytes = whole.clone();
            for _ in 0..=number % 4 {
                let at = random.random_range(0..bytes.len() * 8);
                bytes[at / 8] ^= 1 << (at % 8);
            }
            add("bits turned round", bytes, if number % 8 == 0 { End::Cut } else { End::Close });
        }
        let after = name("noise").bytes();
        for length in [1, 7, 64, 1_000, 70_000] {
            let noise: Vec<u8> = (0..length).map(|_| random.random()).collect();
            add("noise", noise.clone(), End::Close);
            add("noise after CONNECT", [after.clone(), noise].concat(), End::Close);
        }
        for _ in 0..30 {
            add("half-open", vec![], End::Open);
        }
    }
    all
}
