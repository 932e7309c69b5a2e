//! Sessions: kept, taken up, thrown away, taken over.

use crate::client::Client;
use crate::packet::{self, PUBACK, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.1.2-4", "MQTT-3.1.2-5", "a kept session goes on where it was, subscriptions too", resumed),
    case!("", "MQTT-3.1.2-6", "without a session to take up there is a new one", created),
    case!("MQTT-3.1.2-5", "MQTT-3.1.2-23", "QoS 1 and 2 wait for a kept session that is away", waits),
    case!("MQTT-3.1.2-6", "MQTT-3.1.2-4", "a clean start throws the former session away", discarded),
    case!("MQTT-3.1.2-7", "", "retained messages outlive the session that published them", retained_outlives),
    case!(
        "MQTT-3.1.4-2",
        "MQTT-3.1.4-3",
        "a second connection with the id ends the first (5.0: reason 0x8E)",
        taken_over
    ),
    case!(
        "MQTT-3.1.4-3",
        "MQTT-3.1.4-4",
        "a clean start throws away the session of a connected client",
        clean_takeover
    ),
    case!("MQTT-4.1.0-1", "", "a kept session is there again after the connection broke", broken),
    case!("MQTT-4.1.0-2", "MQTT-4.1.0-1", "a session lasts as long as its connection", lasts),
    case!("", "MQTT-4.1.0-2", "a session is thrown away once its expiry passed", expired),
    case!("MQTT-4.5.0-1", "MQTT-4.5.0-1", "a message belongs to every session that matches, away or not", owned),
];

async fn resumed(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    client.subscribe(&scene.topic("a"), 1).await?;
    client.leave().await?;
    let mut client = scene.enter(&scene.hello("kept").kept()).await?;
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "after", 1)).await?;
    client.gets("after").await.map(drop)
}

async fn created(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("new").kept()).await?;
    ensure!(!client.session_present, "there was a session already");
    client.subscribe(&scene.topic("a"), 1).await?;
    client.publish(Publish::new(scene.topic("a"), "works", 1)).await?;
    client.gets("works").await.map(drop)
}

async fn waits(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    client.subscribe(&scene.topic("a"), 2).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    for qos in [1, 2] {
        publisher.publish(Publish::new(scene.topic("a"), format!("{qos}"), qos)).await?;
    }
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    for qos in [1, 2] {
        let message = client.gets(&format!("{qos}")).await?;
        ensure!(message.qos == qos, "QoS {qos} became {}", message.qos);
    }
    Ok(())
}

async fn discarded(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("gone").kept()).await?;
    client.subscribe(&scene.topic("a"), 1).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "for the former", 1)).await?;
    scene.client("gone").await?.leave().await?;
    let mut client = scene.enter(&scene.hello("gone").kept()).await?;
    ensure!(!client.session_present, "session present");
    client.subscribe(&scene.topic("fence"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "for nobody", 1)).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn retained_outlives(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "kept", 1).retained()).await?;
    publisher.leave().await?;
    scene.client("pub").await?.leave().await?;
    let mut reader = scene.client("sub").await?;
    reader.subscribe(&scene.topic("a"), 1).await?;
    reader.gets("kept").await.map(drop)
}

async fn taken_over(scene: Scene) -> Check {
    let mut first = scene.client("same").await?;
    let mut second = scene.client("same").await?;
    second.ping().await?;
    if scene.v5() { first.disconnected(0x8e).await } else { first.closed().await.map(drop) }
}

async fn clean_takeover(scene: Scene) -> Check {
    let mut first = scene.enter(&scene.hello("same").kept()).await?;
    first.subscribe(&scene.topic("a"), 1).await?;
    let mut second = scene.client("same").await?;
    ensure!(!second.session_present, "session present");
    second.subscribe(&scene.topic("fence"), 1).await?;
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "for the former", 1)).await?;
    scene.fence(&mut publisher, &mut second).await
}

async fn broken(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("broken").kept()).await?;
    client.subscribe(&scene.topic("a"), 1).await?;
    client.hang_up().await?;
    let mut publisher = scene.client("pub").await?;
    publisher.publish(Publish::new(scene.topic("a"), "waits", 1)).await?;
    let mut client = scene.enter(&scene.hello("broken").kept()).await?;
    ensure!(client.session_present, "the session is gone");
    client.gets("waits").await.map(drop)
}

async fn lasts(scene: Scene) -> Check {
    // Not kept, and still whole while messages come and go and are not acknowledged.
    let (mut publisher, mut client) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "one", 1)).await?;
    let one = client.take().await?;
    publisher.publish(Publish::new(scene.topic("a"), "two", 1)).await?;
    let two = client.take().await?;
    ensure!(one.packet != two.packet, "the id of an unacknowledged message was used again");
    client.send(packet::ack(PUBACK, two.packet)).await;
    client.send(packet::ack(PUBACK, one.packet)).await;
    client.ping().await?;
    scene.fence(&mut publisher, &mut client).await
}

/// Waits until a time has certainly passed.
async fn until_past(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn expired(scene: Scene) -> Check {
    let short = scene.hello("short").with(&packet::long(id::SESSION_EXPIRY, 1));
    scene.enter(&short).await?.leave().await?;
    until_past(Duration::from_millis(3_500)).await;
    let mut connect = scene.hello("short");
    connect.clean = false;
    let client: Client = scene.enter(&connect).await?;
    ensure!(!client.session_present, "the session is still there");
    Ok(())
}

async fn owned(scene: Scene) -> Check {
    let mut away = scene.enter(&scene.hello("away").kept()).await?;
    away.subscribe(&scene.topic("a"), 1).await?;
    away.leave().await?;
    let (mut publisher, mut here) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "both", 1)).await?;
    here.gets("both").await?;
    scene.enter(&scene.hello("away").kept()).await?.gets("both").await.map(drop)
}
