//! Shared subscriptions.

use crate::packet::{self, PUBACK, Packet, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!(
        "",
        "MQTT-4.8.2-1",
        "a shared filter has a group with a name; each message goes to one of it",
        one_of_the_group
    ),
    case!("", "MQTT-4.8.2-2", "a group's name has no wildcards and is followed by a filter", names),
    case!("", "MQTT-4.8.2-3", "each member's QoS holds", own_qos),
    case!("", "MQTT-4.8.2-4", "what was begun with a member is finished with it when it is back", finished_later),
    case!("", "MQTT-4.8.2-6", "what a member refused is not given to another", refused),
];

fn filter(scene: &Scene) -> String {
    format!("$share/group{}/{}", scene.id(""), scene.topic("#"))
}

/// Refused: a code of failure, or the end of the connection.
async fn refused_filter(scene: &Scene, filter: &str) -> Check {
    let mut client = scene.client("wrong").await?;
    client.send(packet::subscribe(scene.version, 1, &[(filter, 1)], &[])).await;
    match client.read_or_end().await? {
        None | Some(Packet::Disconnect { .. }) => Ok(()),
        Some(Packet::Suback { codes, .. }) if codes.iter().all(|code| *code >= 0x80) => Ok(()),
        Some(other) => Err(format!("{filter:?} was answered with {other:?}")),
    }
}

async fn one_of_the_group(scene: Scene) -> Check {
    refused_filter(&scene, "$share//a").await?;
    let (mut publisher, mut one, mut other) =
        (scene.client("pub").await?, scene.client("one").await?, scene.client("other").await?);
    for member in [&mut one, &mut other] {
        member.subscribe(&filter(&scene), 1).await?;
        member.subscribe(&scene.topic("fence"), 1).await?;
    }
    for number in 0..20 {
        publisher.publish(Publish::new(scene.topic("a"), format!("{number:02}"), 1)).await?;
    }
    publisher.publish(Publish::new(scene.topic("fence"), "fence", 1)).await?;
    let mut seen = vec![];
    for member in [&mut one, &mut other] {
        // The fence comes to each for its own filter; to one of them also for the shared one.
        loop {
            let message = member.message().await?;
            if message.says("fence") {
                break;
            }
            seen.push(String::from_utf8_lossy(&message.payload).into_owned());
        }
    }
    seen.sort();
    let wanted: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    ensure!(seen == wanted, "together they got {seen:?}");
    Ok(())
}

async fn names(scene: Scene) -> Check {
    for wrong in ["$share/a+b/x", "$share/a#/x", "$share/group", "$share/group/"] {
        refused_filter(&scene, wrong).await?;
    }
    Ok(())
}

async fn own_qos(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    let mut member = scene.client("one").await?;
    for granted in 0..=2 {
        member.subscribe(&filter(&scene), granted).await?;
        publisher.publish(Publish::new(scene.topic("a"), "x", 2)).await?;
        let message = member.gets("x").await?;
        ensure!(message.qos == granted, "granted {granted}, came {}", message.qos);
    }
    Ok(())
}

async fn finished_later(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    let mut member = scene.enter(&scene.hello("kept").kept()).await?;
    member.subscribe(&filter(&scene), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "begun", 1)).await?;
    let begun = member.take().await?;
    member.hang_up().await?;
    let mut member = scene.enter(&scene.hello("kept").kept()).await?;
    let again = member.gets("begun").await?;
    ensure!(again.packet == begun.packet, "id {} became {}", begun.packet, again.packet);
    Ok(())
}

async fn refused(scene: Scene) -> Check {
    let (mut publisher, mut one, mut other) =
        (scene.client("pub").await?, scene.client("one").await?, scene.client("other").await?);
    one.subscribe(&filter(&scene), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "no", 1)).await?;
    let message = one.take().await?;
    other.subscribe(&filter(&scene), 1).await?;
    other.subscribe(&scene.topic("fence"), 1).await?;
    let [high, low] = message.packet.to_be_bytes();
    one.send(packet::frame(PUBACK, &[high, low, 0x80])).await;
    one.ping().await?;
    one.leave().await?;
    scene.fence(&mut publisher, &mut other).await
}
