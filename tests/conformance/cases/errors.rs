//! Malformed packets and errors of protocol: they end the connection, and only that one.

use crate::packet::{self, PINGREQ, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-2.2.2-2", "MQTT-2.1.3-1", "reserved flags of the first byte end the connection", reserved_flags),
    case!("", "MQTT-1.5.5-1", "a length of five bytes ends the connection", long_length),
    case!("MQTT-4.8.0-1", "MQTT-4.13.1-1", "an error of protocol ends the connection, no other one", only_this_one),
    case!("", "MQTT-4.13.2-1", "an end with a reason of failure is an end", reason_and_end),
    case!("", "MQTT-3.15.1-1", "AUTH with flags ends the connection", auth_flags),
    case!("", "MQTT-4.12.0-7", "AUTH without a method in CONNECT ends the connection", auth_unasked),
];

async fn reserved_flags(scene: Scene) -> Check {
    for first in [0xc1, 0xc8] {
        scene.closes([first, 0]).await?;
    }
    scene.closes(packet::ack(0x41, 1)).await
}

async fn long_length(scene: Scene) -> Check {
    scene.closes([0xc0, 0x80, 0x80, 0x80, 0x80, 0x01]).await?;
    scene.closes([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]).await
}

async fn only_this_one(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let mut wrong: Vec<Vec<u8>> = vec![
        // What only a server sends, and what nobody does.
        vec![0x20, 2, 0, 0],
        vec![0x90, 3, 0, 1, 0],
        vec![0xb0, 2, 0, 1],
        vec![0xd0, 0],
        vec![0x00, 0],
        // A PUBLISH that ends within its topic.
        vec![0x30, 3, 0, 9, b'a'],
        // One without room for its id.
        vec![0x32, 3, 0, 1, b'a'],
    ];
    if scene.v5() {
        // A property twice, one that PUBLISH does not have, and a length beyond the packet.
        for properties in [&[1, 1, 1, 1][..], &[0x11, 0, 0, 0, 9]] {
            wrong.push(Publish::new(scene.topic("a"), "x", 0).with(properties).bytes(scene.version));
        }
        wrong.push(vec![0x30, 5, 0, 1, b'a', 100, 1]);
    } else {
        wrong.push(vec![0xf0, 0]);
    }
    for bytes in wrong {
        scene.closes(&bytes).await.map_err(|why| format!("{bytes:02x?}: {why}"))?;
    }
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn reason_and_end(scene: Scene) -> Check {
    let mut client = scene.client("ends").await?;
    client.send([0xe0, 1, 0x82]).await;
    client.send(PINGREQ).await;
    let seen = client.closed().await?;
    ensure!(seen.is_empty(), "after DISCONNECT came {seen:?}");
    Ok(())
}

async fn auth_flags(scene: Scene) -> Check {
    scene.closes([0xf1, 0]).await
}

async fn auth_unasked(scene: Scene) -> Check {
    let method = packet::data(packet::id::AUTH_METHOD, "X");
    let body = [vec![0x18], packet::properties(scene.version, &method)].concat();
    scene.closes(packet::frame(0xf0, &body)).await
}
