//! Redelivery and flow control.

use crate::packet::{self, PUBACK, PUBREC, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.3.1-1", "MQTT-3.3.1-1", "what is delivered again has DUP 1", dup),
    case!(
        "MQTT-4.4.0-1",
        "MQTT-4.4.0-1",
        "after a reconnect what was not acknowledged comes with its id, in its order",
        resent
    ),
    case!("", "MQTT-4.4.0-2", "what was answered with a failure is not sent again", refused_is_done),
    case!("", "MQTT-3.3.4-9", "no more messages are open than the client takes", window),
    case!("", "MQTT-4.9.0-2", "with the window full, no message of QoS 1 or 2 goes out", full),
    case!("", "MQTT-3.3.4-10", "a full window holds back nothing but messages", others_pass),
    case!("", "MQTT-4.9.0-3", "with the window full, everything else is answered", answered),
    case!("", "MQTT-3.3.4-7", "a client that opens more than the server takes is cut off, with reason 0x93", too_many),
];

async fn dup(scene: Scene) -> Check {
    for qos in [1, 2] {
        let mut client = scene.enter(&scene.hello("kept").kept()).await?;
        client.subscribe(&scene.topic("#"), qos).await?;
        let mut publisher = scene.client("pub").await?;
        publisher.publish(Publish::new(scene.topic("a"), "again", qos)).await?;
        client.take().await?;
        client.hang_up().await?;
        let mut client = scene.enter(&scene.hello("kept").kept()).await?;
        let message = client.gets("again").await?;
        ensure!(message.dup, "DUP is 0 at QoS {qos}");
        client.leave().await?;
    }
    Ok(())
}

async fn resent(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    let mut publisher = scene.client("pub").await?;
    let mut ids = vec![];
    for number in 0..5 {
        publisher.publish(Publish::new(scene.topic("a"), format!("{number}"), 1)).await?;
        ids.push(client.take().await?.packet);
    }
    client.hang_up().await?;
    publisher.publish(Publish::new(scene.topic("a"), "5", 1)).await?;
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    for number in 0..=5 {
        let message = client.gets(&format!("{number}")).await?;
        let same = ids.get(number).is_none_or(|id| *id == message.packet);
        ensure!(same, "{number} had id {} and has {}", ids[number], message.packet);
    }
    scene.fence(&mut publisher, &mut client).await
}

async fn refused_is_done(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    client.subscribe(&scene.topic("#"), 2).await?;
    let mut publisher = scene.client("pub").await?;
    for (qos, kind) in [(1, PUBACK), (2, PUBREC)] {
        publisher.publish(Publish::new(scene.topic("a"), "no", qos)).await?;
        let [high, low] = client.take().await?.packet.to_be_bytes();
        client.send(packet::frame(kind, &[high, low, 0x80])).await;
    }
    client.ping().await?;
    client.hang_up().await?;
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    scene.fence(&mut publisher, &mut client).await
}

/// A client that takes two at a time, with two open, three waiting; and a publisher.
async fn full_window(scene: &Scene, qos: u8) -> Check<(crate::client::Client, crate::client::Client, [Publish; 2])> {
    let connect = scene.hello("two").with(&packet::short(id::RECEIVE_MAXIMUM, 2));
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.enter(&connect).await?);
    client.subscribe(&scene.topic("#"), qos).await?;
    for number in 0..5 {
        publisher.publish(Publish::new(scene.topic("a"), format!("{number}"), qos)).await?;
    }
    let open = [client.take().await?, client.take().await?];
    Ok((publisher, client, open))
}

async fn window(scene: Scene) -> Check {
    for qos in [1, 2] {
        let (_publisher, mut client, open) = full_window(&scene, qos).await?;
        // The answer to a ping comes after anything that was sent before it.
        client.send(packet::PINGREQ).await;
        let next = client.next().await?;
        ensure!(next == packet::Packet::Pingresp, "with two open at QoS {qos} came {next:?}");
        for message in open {
            client.finish(&message).await?;
        }
        for number in 2..5 {
            client.gets(&format!("{number}")).await?;
        }
    }
    Ok(())
}

async fn full(scene: Scene) -> Check {
    let (_publisher, mut client, open) = full_window(&scene, 1).await?;
    client.send(packet::PINGREQ).await;
    let next = client.next().await?;
    ensure!(next == packet::Packet::Pingresp, "with two open came {next:?}");
    // One place becomes free: exactly one more comes.
    client.finish(&open[0]).await?;
    let third = client.take().await?;
    ensure!(third.says("2"), "came {third:?}");
    client.send(packet::PINGREQ).await;
    let next = client.next().await?;
    ensure!(next == packet::Packet::Pingresp, "with two open again came {next:?}");
    Ok(())
}

async fn others_pass(scene: Scene) -> Check {
    let (_publisher, mut client, _) = full_window(&scene, 1).await?;
    client.ping().await?;
    client.subscribe(&scene.topic("other"), 1).await?;
    client.unsubscribe(&[&scene.topic("other")]).await.map(drop)
}

async fn answered(scene: Scene) -> Check {
    let (mut publisher, mut client, _) = full_window(&scene, 2).await?;
    publisher.subscribe(&scene.topic("from"), 2).await?;
    for qos in 0..=2 {
        client.publish(Publish::new(scene.topic("from"), format!("{qos}"), qos)).await?;
        publisher.gets(&format!("{qos}")).await?;
    }
    Ok(())
}

async fn too_many(scene: Scene) -> Check {
    let mut client = scene.client("many").await?;
    let maximum = packet::number(&client.server, id::RECEIVE_MAXIMUM)?.unwrap_or(65_535);
    let mut bytes = vec![];
    for number in 1..=(maximum + 1).min(65_535) {
        bytes.extend(Publish::new(scene.topic("a"), "x", 2).packet(number as u16).bytes(scene.version));
    }
    client.send(bytes).await;
    client.disconnected(0x93).await
}
