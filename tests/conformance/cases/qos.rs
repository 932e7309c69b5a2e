//! QoS 1 and 2, step by step, from both sides.

use crate::packet::{self, PUBACK, PUBCOMP, PUBREC, PUBREL, Packet, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-4.3.2-1", "MQTT-4.3.2-1", "QoS 1 out: an id that is not in use", fresh_ids),
    case!("", "MQTT-4.3.2-2", "QoS 1 out: first with DUP 0", first_without_dup),
    case!("", "MQTT-4.3.2-3", "QoS 1 out: open until PUBACK, and sent again after a reconnect", open_until_puback),
    case!("MQTT-4.3.2-2", "MQTT-4.3.2-4", "QoS 1 in: PUBACK with its id", puback),
    case!("", "MQTT-4.3.2-5", "QoS 1 in: after PUBACK the id is a new message, DUP or not", new_after_puback),
    case!("MQTT-4.3.3-1", "MQTT-4.3.3-1", "QoS 2 out: an id, PUBREL on PUBREC, done on PUBCOMP", whole_handshake),
    case!("", "MQTT-4.3.3-2", "QoS 2 out: first with DUP 0", first_without_dup_2),
    case!("", "MQTT-4.3.3-3", "QoS 2 out: sent again after a reconnect until PUBREC", open_until_pubrec),
    case!("", "MQTT-4.3.3-4", "QoS 2 out: PUBREL with the same id", pubrel),
    case!("", "MQTT-4.3.3-5", "QoS 2 out: PUBREL again after a reconnect until PUBCOMP", open_until_pubcomp),
    case!("", "MQTT-4.3.3-6", "QoS 2 out: after PUBREL the PUBLISH does not come again", no_publish_after_pubrel),
    case!("MQTT-4.3.3-2", "MQTT-4.3.3-8", "QoS 2 in: PUBREC with its id", pubrec),
    case!("", "MQTT-4.3.3-10", "QoS 2 in: the same id before PUBREL is the same message", repeated),
    case!("", "MQTT-4.3.3-11", "QoS 2 in: PUBCOMP with the id of PUBREL", pubcomp),
    case!("", "MQTT-4.3.3-12", "QoS 2 in: after PUBCOMP the id is a new message", new_after_pubcomp),
];

/// A kept client that subscribed, and a publisher.
async fn kept_pair(scene: &Scene, qos: u8) -> Check<(crate::client::Client, crate::client::Client)> {
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    client.subscribe(&scene.topic("#"), qos).await?;
    Ok((scene.client("pub").await?, client))
}

async fn again(scene: &Scene) -> Check<crate::client::Client> {
    scene.enter(&scene.hello("kept").kept()).await
}

async fn fresh_ids(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for payload in ["a", "b", "c"] {
        publisher.publish(Publish::new(scene.topic("a"), payload, 1)).await?;
    }
    let (a, b, c) = (subscriber.take().await?, subscriber.take().await?, subscriber.take().await?);
    let ids = [a.packet, b.packet, c.packet];
    ensure!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "ids {ids:?}");
    for message in [&a, &b, &c] {
        subscriber.finish(message).await?;
    }
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn first_without_dup(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 1)).await?;
    let message = subscriber.take().await?;
    ensure!(message.qos == 1 && !message.dup && message.packet != 0, "came {message:?}");
    Ok(())
}

async fn first_without_dup_2(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 2)).await?;
    let message = subscriber.take().await?;
    ensure!(message.qos == 2 && !message.dup && message.packet != 0, "came {message:?}");
    Ok(())
}

async fn open_until(scene: Scene, qos: u8) -> Check {
    let (mut publisher, mut client) = kept_pair(&scene, qos).await?;
    publisher.publish(Publish::new(scene.topic("a"), "open", qos)).await?;
    let first = client.take().await?;
    client.hang_up().await?;
    let mut client = again(&scene).await?;
    let second = client.gets("open").await?;
    ensure!(second.packet == first.packet, "id {} became {}", first.packet, second.packet);
    client.leave().await?;
    // Now it is acknowledged and does not come a third time.
    let mut client = again(&scene).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn open_until_puback(scene: Scene) -> Check {
    open_until(scene, 1).await
}

async fn open_until_pubrec(scene: Scene) -> Check {
    open_until(scene, 2).await
}

async fn puback(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.put(&Publish::new(scene.topic("a"), "x", 1).packet(300)).await;
    publisher.acked(PUBACK, 300).await?;
    subscriber.gets("x").await.map(drop)
}

async fn new_after_puback(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.put(&Publish::new(scene.topic("a"), "one", 1).packet(7)).await;
    publisher.acked(PUBACK, 7).await?;
    publisher.put(&Publish::new(scene.topic("a"), "two", 1).packet(7).dup()).await;
    publisher.acked(PUBACK, 7).await?;
    subscriber.gets("one").await?;
    subscriber.gets("two").await.map(drop)
}

async fn whole_handshake(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for payload in ["a", "b", "c"] {
        publisher.publish(Publish::new(scene.topic("a"), payload, 2)).await?;
        let message = subscriber.gets(payload).await?;
        ensure!(message.qos == 2 && message.packet != 0, "came {message:?}");
    }
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn pubrel(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 2)).await?;
    let message = subscriber.take().await?;
    subscriber.send(packet::ack(PUBREC, message.packet)).await;
    let next = subscriber.next().await?;
    ensure!(matches!(next, Packet::Ack(PUBREL, id, 0, _) if id == message.packet), "to PUBREC came {next:?}");
    Ok(())
}

/// A QoS 2 message whose PUBREL came and whose PUBCOMP did not go out; the client is back.
async fn before_pubcomp(scene: &Scene) -> Check<(crate::client::Client, crate::client::Client, u16)> {
    let (mut publisher, mut client) = kept_pair(scene, 2).await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 2)).await?;
    let message = client.take().await?;
    client.send(packet::ack(PUBREC, message.packet)).await;
    client.acked(PUBREL, message.packet).await?;
    client.hang_up().await?;
    Ok((publisher, again(scene).await?, message.packet))
}

async fn open_until_pubcomp(scene: Scene) -> Check {
    let (_publisher, mut client, id) = before_pubcomp(&scene).await?;
    client.acked(PUBREL, id).await.map(drop)
}

async fn no_publish_after_pubrel(scene: Scene) -> Check {
    let (mut publisher, mut client, id) = before_pubcomp(&scene).await?;
    // Whether PUBREL comes again is another statement's question.
    client.send(packet::ack(PUBCOMP, id)).await;
    scene.fence(&mut publisher, &mut client).await
}

async fn pubrec(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    publisher.put(&Publish::new(scene.topic("a"), "x", 2).packet(300)).await;
    publisher.acked(PUBREC, 300).await.map(drop)
}

async fn repeated(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let message = Publish::new(scene.topic("a"), "once", 2).packet(7);
    publisher.put(&message).await;
    publisher.acked(PUBREC, 7).await?;
    publisher.put(&message.dup()).await;
    publisher.acked(PUBREC, 7).await?;
    publisher.send(packet::ack(PUBREL, 7)).await;
    publisher.acked(PUBCOMP, 7).await?;
    subscriber.gets("once").await?;
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn pubcomp(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    publisher.put(&Publish::new(scene.topic("a"), "x", 2).packet(300)).await;
    publisher.acked(PUBREC, 300).await?;
    publisher.send(packet::ack(PUBREL, 300)).await;
    publisher.acked(PUBCOMP, 300).await.map(drop)
}

async fn new_after_pubcomp(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for payload in ["one", "two"] {
        publisher.put(&Publish::new(scene.topic("a"), payload, 2).packet(7)).await;
        publisher.acked(PUBREC, 7).await?;
        publisher.send(packet::ack(PUBREL, 7)).await;
        publisher.acked(PUBCOMP, 7).await?;
        subscriber.gets(payload).await?;
    }
    Ok(())
}
