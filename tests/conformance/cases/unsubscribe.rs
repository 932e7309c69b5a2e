//! UNSUBSCRIBE and UNSUBACK.

use crate::packet::{self, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.10.1-1", "MQTT-3.10.1-1", "UNSUBSCRIBE with other flags ends the connection", flags),
    case!("MQTT-3.10.3-1", "MQTT-3.10.3-1", "a filter that is not UTF-8 ends the connection", filter_text),
    case!("MQTT-3.10.3-2", "MQTT-3.10.3-2", "an UNSUBSCRIBE without a filter ends the connection", no_filter),
    case!(
        "MQTT-3.10.4-1",
        "MQTT-3.10.4-1",
        "filters are compared letter by letter; one that is the same goes",
        compared
    ),
    case!("MQTT-3.10.4-2", "MQTT-3.10.4-2", "after it no new message is added", stops),
    case!("MQTT-3.10.4-3", "MQTT-3.10.4-3", "what was begun is finished", finished),
    case!("MQTT-3.10.4-4", "MQTT-3.10.4-4", "an UNSUBSCRIBE is answered by an UNSUBACK", answered),
    case!("MQTT-3.10.4-5", "MQTT-3.10.4-5", "also when there was no such subscription, with its id", nothing_to_do),
    case!("MQTT-3.10.4-6", "MQTT-3.10.4-6", "several filters are as several UNSUBSCRIBEs with one answer", several),
    case!("", "MQTT-3.11.3-1", "the codes of UNSUBACK are in the order of the filters", code_order),
    case!("", "MQTT-3.11.3-2", "the codes are ones that UNSUBACK has", known_codes),
];

async fn flags(scene: Scene) -> Check {
    for first in [0xa0, 0xa3] {
        let mut bytes = packet::unsubscribe(scene.version, 1, &["a"]);
        bytes[0] = first;
        scene.closes(bytes).await?;
    }
    Ok(())
}

async fn filter_text(scene: Scene) -> Check {
    let mut body = vec![0, 1];
    body.extend(packet::properties(scene.version, &[]));
    body.extend(packet::text([b'a', 0xff]));
    scene.closes(packet::frame(0xa2, &body)).await
}

async fn no_filter(scene: Scene) -> Check {
    scene.closes(packet::unsubscribe(scene.version, 1, &[])).await
}

async fn compared(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("a/+"), 1).await?;
    // These match the same topics, or nearly so, and are others.
    client.unsubscribe(&[&scene.topic("a/b"), &scene.topic("a/#"), &scene.topic("A/+"), &scene.topic("a/+/")]).await?;
    publisher.publish(Publish::new(scene.topic("a/b"), "still", 1)).await?;
    client.gets("still").await?;
    client.unsubscribe(&[&scene.topic("a/+")]).await?;
    client.subscribe(&scene.topic("fence"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a/b"), "gone", 1)).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn stops(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("fence"), 1).await?;
    for qos in 0..=2 {
        client.subscribe(&scene.topic("a"), qos).await?;
        publisher.publish(Publish::new(scene.topic("a"), "before", qos)).await?;
        client.gets("before").await?;
        client.unsubscribe(&[&scene.topic("a")]).await?;
        publisher.publish(Publish::new(scene.topic("a"), "after", qos)).await?;
        scene.fence(&mut publisher, &mut client).await?;
    }
    Ok(())
}

async fn finished(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("a"), 2).await?;
    publisher.publish(Publish::new(scene.topic("a"), "open", 2)).await?;
    let open = client.take().await?;
    client.unsubscribe(&[&scene.topic("a")]).await?;
    client.finish(&open).await?;
    client.ping().await
}

async fn answered(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    client.subscribe(&scene.topic("a"), 1).await?;
    let codes = client.unsubscribe(&[&scene.topic("a")]).await?;
    ensure!(if scene.v5() { codes == [0] } else { codes.is_empty() }, "the codes are {codes:02x?}");
    Ok(())
}

async fn nothing_to_do(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    client.send(packet::unsubscribe(scene.version, 60_000, &["never/subscribed"])).await;
    let next = client.next().await?;
    ensure!(matches!(next, packet::Packet::Unsuback { packet: 60_000, .. }), "came {next:?}");
    Ok(())
}

async fn several(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    let topics = ["a", "b", "fence"].map(|name| scene.topic(name));
    client.subscribe_with(&topics.each_ref().map(|topic| (&**topic, 1)), &[]).await?;
    client.unsubscribe(&[&topics[0], "never", &topics[1]]).await?;
    for topic in &topics[..2] {
        publisher.publish(Publish::new(topic, "gone", 1)).await?;
    }
    scene.fence(&mut publisher, &mut client).await
}

async fn code_order(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    client.subscribe_with(&[("a", 1), ("b", 1)], &[]).await?;
    let codes = client.unsubscribe(&["a", "never", "b", "never/#"]).await?;
    ensure!(codes == [0, 0x11, 0, 0x11], "the codes are {codes:02x?}");
    Ok(())
}

async fn known_codes(scene: Scene) -> Check {
    let codes = scene.client("sub").await?.unsubscribe(&["never", "$share/g/never"]).await?;
    let known = |code: &u8| matches!(code, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8f | 0x91);
    ensure!(codes.len() == 2 && codes.iter().all(known), "the codes are {codes:02x?}");
    Ok(())
}
