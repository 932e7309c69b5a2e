//! Retained messages.

use crate::client::Client;
use crate::packet::Publish;
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!(
        "MQTT-3.3.1-5",
        "MQTT-3.3.1-5",
        "a retained message is stored with its QoS, in place of the one before",
        stored
    ),
    case!("MQTT-3.3.1-6", "MQTT-3.3.1-9", "a new subscription gets what is retained (5.0: handling 0)", on_subscribe),
    case!("MQTT-3.3.1-7", "", "QoS 0 replaces a retained message too", replaced_at_0),
    case!("MQTT-3.3.1-8", "", "what is retained comes with the retain flag", flagged),
    case!("MQTT-3.3.1-9", "MQTT-3.3.1-12", "what is published comes without it", not_flagged),
    case!(
        "MQTT-3.3.1-10",
        "MQTT-3.3.1-6",
        "an empty retained message clears the topic, and comes as any other",
        cleared
    ),
    case!("MQTT-3.3.1-11", "MQTT-3.3.1-7", "an empty message is not retained", empty),
    case!("MQTT-3.3.1-12", "MQTT-3.3.1-8", "without the flag nothing is stored, replaced or cleared", untouched),
    case!("", "MQTT-3.3.1-10", "retain handling 1: only for a new subscription", handling_1),
    case!("", "MQTT-3.3.1-11", "retain handling 2: never", handling_2),
    case!("", "MQTT-3.3.1-13", "retain as published passes the flag on", as_published),
];

async fn keep(scene: &Scene, publisher: &mut Client, payload: &str, qos: u8) -> Check {
    publisher.publish(Publish::new(scene.topic("a"), payload, qos).retained()).await.map(drop)
}

async fn stored(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "old", 1).await?;
    keep(&scene, &mut publisher, "new", 2).await?;
    let mut subscriber = scene.client("sub").await?;
    subscriber.subscribe(&scene.topic("#"), 2).await?;
    let message = subscriber.gets("new").await?;
    ensure!(message.qos == 2, "came with QoS {}", message.qos);
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn on_subscribe(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    for name in ["a", "b/c", "d"] {
        publisher.publish(Publish::new(scene.topic(name), name, 1).retained()).await?;
    }
    for filter in ["#", "+", "b/c"] {
        let mut subscriber = scene.client("sub").await?;
        subscriber.subscribe(&scene.topic(filter), 1).await?;
        let wanted: &[&str] = match filter {
            "#" => &["a", "b/c", "d"],
            "+" => &["a", "d"],
            _ => &["b/c"],
        };
        let mut seen = vec![];
        for _ in wanted {
            seen.push(String::from_utf8_lossy(&subscriber.message().await?.payload).into_owned());
        }
        seen.sort();
        ensure!(seen == wanted, "{filter} got {seen:?}");
    }
    Ok(())
}

async fn replaced_at_0(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "old", 1).await?;
    keep(&scene, &mut publisher, "new", 0).await?;
    publisher.ping().await?;
    let mut subscriber = scene.client("sub").await?;
    subscriber.subscribe(&scene.topic("#"), 1).await?;
    // It may be forgotten, but the old one may not come.
    publisher.publish(Publish::new(scene.topic("b"), "fence", 1)).await?;
    let message = subscriber.message().await?;
    ensure!(!message.says("old"), "the old one came");
    Ok(())
}

async fn flagged(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "kept", 1).await?;
    let mut subscriber = scene.client("sub").await?;
    subscriber.subscribe(&scene.topic("#"), 1).await?;
    let message = subscriber.gets("kept").await?;
    ensure!(message.retain, "came without");
    Ok(())
}

async fn not_flagged(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for qos in 0..=2 {
        keep(&scene, &mut publisher, "live", qos).await?;
        let message = subscriber.gets("live").await?;
        ensure!(!message.retain, "came with it at QoS {qos}");
    }
    Ok(())
}

async fn cleared(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    keep(&scene, &mut publisher, "kept", 1).await?;
    watcher.gets("kept").await?;
    keep(&scene, &mut publisher, "", 1).await?;
    watcher.gets("").await?;
    let mut late = scene.client("late").await?;
    late.subscribe(&scene.topic("#"), 1).await?;
    scene.fence(&mut publisher, &mut late).await
}

async fn empty(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "", 1).await?;
    let mut late = scene.client("late").await?;
    late.subscribe(&scene.topic("#"), 1).await?;
    scene.fence(&mut publisher, &mut late).await
}

async fn untouched(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "kept", 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "passing", 1)).await?;
    publisher.publish(Publish::new(scene.topic("a"), "", 1)).await?;
    publisher.publish(Publish::new(scene.topic("b"), "passing", 1)).await?;
    let mut late = scene.client("late").await?;
    late.subscribe(&scene.topic("#"), 1).await?;
    late.gets("kept").await?;
    scene.fence(&mut publisher, &mut late).await
}

async fn handling_1(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "kept", 1).await?;
    let mut client = scene.client("sub").await?;
    client.subscribe(&scene.topic("#"), 1 | 1 << 4).await?;
    client.gets("kept").await?;
    client.subscribe(&scene.topic("#"), 1 | 1 << 4).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn handling_2(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    keep(&scene, &mut publisher, "kept", 1).await?;
    let mut client = scene.client("sub").await?;
    client.subscribe(&scene.topic("#"), 1 | 2 << 4).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn as_published(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    let mut client = scene.client("sub").await?;
    client.subscribe(&scene.topic("#"), 1 | 1 << 3).await?;
    keep(&scene, &mut publisher, "with", 1).await?;
    ensure!(client.gets("with").await?.retain, "the flag is lost");
    publisher.publish(Publish::new(scene.topic("a"), "without", 1)).await?;
    ensure!(!client.gets("without").await?.retain, "a flag came from nowhere");
    Ok(())
}
