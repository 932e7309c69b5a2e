//! Keep-alive, PING and DISCONNECT.

use crate::client::SILENCE;
use crate::packet::{self, DISCONNECT, Packet, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.1.2-24", "MQTT-3.1.2-22", "who is silent for 1.5 times the keep-alive is cut off", silent),
    case!("", "MQTT-3.2.2-22", "without a word of the server, the client's keep-alive counts", own_keep_alive),
    case!("MQTT-3.12.4-1", "MQTT-3.12.4-1", "a PINGREQ is answered", pinged),
    case!("MQTT-3.14.1-1", "MQTT-3.14.1-1", "the reserved bits of DISCONNECT are checked (5.0: reason 0x81)", flags),
    case!("MQTT-3.14.4-3", "MQTT-3.14.4-3", "a goodbye takes the will back", no_will),
    case!("", "MQTT-3.14.2-1", "a DISCONNECT of the server has a reason that is one", reason),
    case!("", "MQTT-3.14.2-2", "a DISCONNECT of the server has no session expiry", no_expiry),
    case!("MQTT-3.14.4-1", "MQTT-3.14.4-1", "after DISCONNECT nothing is done any more", nothing_after),
];

async fn silent(scene: Scene) -> Check {
    let mut connect = scene.hello("silent");
    connect.keep_alive = 1;
    let mut client = scene.enter(&connect).await?;
    if let Some(other) = packet::number(&client.server, 0x13).ok().flatten() {
        ensure!(other <= 2, "the server wants {other} s instead");
    }
    client.patience = SILENCE;
    client.closed().await.map(drop)
}

async fn own_keep_alive(scene: Scene) -> Check {
    let mut connect = scene.hello("own");
    connect.keep_alive = 2;
    let mut client = scene.enter(&connect).await?;
    let told = packet::number(&client.server, 0x13)?;
    ensure!(told.is_none_or(|told| told == 2), "the server wants {told:?}");
    client.ping().await?;
    client.patience = SILENCE;
    client.closed().await.map(drop)
}

async fn pinged(scene: Scene) -> Check {
    let mut client = scene.client("ping").await?;
    for _ in 0..3 {
        client.ping().await?;
    }
    Ok(())
}

async fn flags(scene: Scene) -> Check {
    let mut client = scene.client("flags").await?;
    client.send([0xe1, 0]).await;
    if scene.v5() { client.disconnected(0x81).await } else { client.closed().await.map(drop) }
}

async fn no_will(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    scene.enter(&scene.hello("polite").will(&scene.topic("will"), "gone")).await?.leave().await?;
    scene.fence(&mut publisher, &mut watcher).await
}

/// What the server says to a client whose id is used again.
async fn goodbye(scene: &Scene) -> Check<Vec<(u8, Vec<u8>)>> {
    let mut first = scene.client("same").await?;
    let _second = scene.client("same").await?;
    let seen = first.closed().await?.into_iter();
    Ok(seen
        .filter_map(|packet| match packet {
            Packet::Disconnect { reason, properties } => Some((reason, properties)),
            _ => None,
        })
        .collect())
}

async fn reason(scene: Scene) -> Check {
    let known = |reason| matches!(reason, 0 | 0x80..=0x83 | 0x87 | 0x89 | 0x8b | 0x8d..=0xa2);
    let said = goodbye(&scene).await?;
    ensure!(said.iter().all(|(reason, _)| known(*reason)), "said {said:02x?}");
    Ok(())
}

async fn no_expiry(scene: Scene) -> Check {
    for (_, properties) in goodbye(&scene).await? {
        let told = packet::all(&properties, id::SESSION_EXPIRY)?;
        ensure!(told.is_empty(), "told {told:?}");
    }
    Ok(())
}

async fn nothing_after(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    let mut client = scene.client("late").await?;
    let late = Publish::new(scene.topic("late"), "late", 0).bytes(scene.version);
    client.send([DISCONNECT.to_vec(), late].concat()).await;
    let seen = client.last_packets().await?;
    ensure!(seen.is_empty(), "after DISCONNECT came {seen:?}");
    scene.fence(&mut publisher, &mut watcher).await
}
