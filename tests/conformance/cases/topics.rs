//! Topic names and filters: their letters, their levels, what matches what.

use crate::packet::{self, Packet, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-4.7.1-1", "MQTT-4.7.0-1", "no + in the name of a topic", plus_in_name),
    case!("MQTT-4.7.1-2", "MQTT-4.7.1-1", "# stands alone in its level, at the end", hash),
    case!("MQTT-4.7.1-3", "MQTT-4.7.1-2", "+ fills a level, wherever it stands", plus),
    case!("MQTT-4.7.2-1", "MQTT-4.7.2-1", "a wildcard at the front does not match a topic with $", dollar),
    case!("MQTT-4.7.3-1", "MQTT-4.7.3-1", "an empty topic or filter is not taken", empty),
    case!("MQTT-4.7.3-2", "MQTT-4.7.3-2", "no null character in a topic or filter", null),
    case!("MQTT-4.7.3-3", "MQTT-4.7.3-3", "a topic of some thousand bytes is a topic", long),
    case!("MQTT-4.7.3-4", "MQTT-4.7.3-4", "topics are not normalised: case, slashes and accents count", as_they_are),
    case!("MQTT-1.5.3-1", "MQTT-1.5.4-1", "half a surrogate pair ends the connection", surrogate),
    case!("MQTT-1.5.3-2", "MQTT-1.5.4-2", "a null character in a client id ends the connection", null_in_id),
    case!("MQTT-1.5.3-3", "MQTT-1.5.4-3", "a byte order mark is a letter as any other", byte_order_mark),
];

/// Refused: a code of failure, or the end of the connection.
async fn refused(scene: &Scene, filter: &str) -> Check {
    let mut client = scene.client("wrong").await?;
    client.send(packet::subscribe(scene.version, 1, &[(filter, 1)], &[])).await;
    match client.read_or_end().await? {
        None | Some(Packet::Disconnect { .. }) => Ok(()),
        Some(Packet::Suback { codes, .. }) if codes.iter().all(|code| *code >= 0x80) => Ok(()),
        Some(other) => Err(format!("{filter:?} was answered with {other:?}")),
    }
}

async fn plus_in_name(scene: Scene) -> Check {
    scene.closes(Publish::new(scene.topic("a/+/b"), "x", 1).bytes(scene.version)).await
}

async fn hash(scene: Scene) -> Check {
    for wrong in ["a#", "a/#/b", "#/a", "a/b#"] {
        refused(&scene, wrong).await?;
    }
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("a/#"), 1).await?;
    client.subscribe(&scene.topic("fence"), 1).await?;
    for name in ["a", "a/b", "a/b/c", "a/"] {
        publisher.publish(Publish::new(scene.topic(name), name, 1)).await?;
        client.gets(name).await?;
    }
    publisher.publish(Publish::new(scene.topic("ab"), "other", 1)).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn plus(scene: Scene) -> Check {
    for wrong in ["a+", "+a/b", "a/b+/c"] {
        refused(&scene, wrong).await?;
    }
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("+/b/+"), 1).await?;
    client.subscribe(&scene.topic("fence"), 1).await?;
    for name in ["a/b/c", "/b/", "x/b/"] {
        publisher.publish(Publish::new(scene.topic(name), name, 1)).await?;
        client.gets(name).await?;
    }
    for name in ["a/b", "a/b/c/d", "a/c/b"] {
        publisher.publish(Publish::new(scene.topic(name), name, 1)).await?;
    }
    scene.fence(&mut publisher, &mut client).await
}

async fn dollar(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    let name = format!("$conf{}", scene.id(""));
    client.subscribe_with(&[("#", 1), ("+/a", 1)], &[]).await?;
    publisher.publish(Publish::new(format!("{name}/a"), "secret", 1)).await?;
    publisher.publish(Publish::new(format!("{}/a", scene.id("")), "fence", 1)).await?;
    // Others publish too; what counts is what comes before the fence.
    loop {
        let message = client.message().await?;
        ensure!(!message.topic.starts_with(b"$"), "came {message:?}");
        if message.says("fence") && message.topic == format!("{}/a", scene.id("")).as_bytes() {
            break;
        }
    }
    // Named, it is found.
    let mut named = scene.client("named").await?;
    named.subscribe(&format!("{name}/#"), 1).await?;
    publisher.publish(Publish::new(format!("{name}/a"), "named", 1)).await?;
    named.gets("named").await.map(drop)
}

async fn empty(scene: Scene) -> Check {
    scene.closes(Publish::new("", "x", 1).bytes(scene.version)).await?;
    refused(&scene, "").await
}

async fn null(scene: Scene) -> Check {
    scene.closes(Publish::new(scene.topic("a\0b"), "x", 1).bytes(scene.version)).await?;
    refused(&scene, &scene.topic("a\0b")).await
}

async fn long(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let topic = scene.topic(&"long/".repeat(30)) + &"x".repeat(4_000);
    publisher.publish(Publish::new(&topic, "long", 1)).await?;
    let message = subscriber.gets("long").await?;
    ensure!(message.topic == topic.as_bytes(), "the topic changed");
    Ok(())
}

async fn as_they_are(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("fence"), 1).await?;
    // The second of each pair looks like the first.
    let pairs = [("Case", "case"), ("a/b", "a//b"), ("/a", "a"), ("end", "end/"), ("\u{e9}", "e\u{301}"), (" x", "x")];
    for (name, other) in pairs {
        client.subscribe(&scene.topic(name), 1).await?;
        publisher.publish(Publish::new(scene.topic(other), other, 1)).await?;
        scene.fence(&mut publisher, &mut client).await.map_err(|why| format!("{name:?} and {other:?}: {why}"))?;
        publisher.publish(Publish::new(scene.topic(name), name, 1)).await?;
        client.gets(name).await?;
    }
    Ok(())
}

async fn surrogate(scene: Scene) -> Check {
    scene.closes(Publish::new([b'a', 0xed, 0xa0, 0x80], "x", 1).bytes(scene.version)).await
}

async fn null_in_id(scene: Scene) -> Check {
    let mut connect = scene.hello("null");
    connect.client.push(0);
    scene.refuses(connect.bytes()).await
}

async fn byte_order_mark(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let topic = scene.topic("a/\u{feff}b");
    publisher.publish(Publish::new(&topic, "mark", 1)).await?;
    let message = subscriber.gets("mark").await?;
    ensure!(message.topic == topic.as_bytes(), "the topic became {:?}", message.topic);
    let mut other = scene.client("other").await?;
    other.subscribe(&topic, 1).await?;
    publisher.publish(Publish::new(&topic, "mark", 1)).await?;
    other.gets("mark").await.map(drop)
}
