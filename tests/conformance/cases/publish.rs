//! PUBLISH: its flags and ids, and what comes out at the other side.

use crate::packet::{self, PUBACK, PUBCOMP, PUBREC, PUBREL, Packet, Publish};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.3.1-2", "MQTT-3.3.1-2", "DUP is 0 at QoS 0", no_dup_at_0),
    case!("MQTT-3.3.1-3", "MQTT-3.3.1-3", "DUP of what comes in is not passed on", own_dup),
    case!("MQTT-3.3.1-4", "MQTT-3.3.1-4", "QoS 3 ends the connection", qos_3),
    case!("MQTT-3.3.2-1", "MQTT-3.3.2-1", "a topic that is not UTF-8 ends the connection", topic_text),
    case!("MQTT-3.3.2-2", "MQTT-3.3.2-2", "a topic with # is not published to", wildcard),
    case!("MQTT-3.3.2-3", "MQTT-3.3.2-3", "a message comes with its own topic, which the filter matches", own_topic),
    case!("MQTT-3.3.4-1", "MQTT-3.3.4-1", "QoS 1 is answered by PUBACK, QoS 2 by PUBREC, QoS 0 by nothing", answers),
    case!("MQTT-3.3.5-1", "MQTT-3.3.4-2", "overlapping filters: the highest QoS of them counts", overlapping),
    case!("", "MQTT-3.3.4-6", "a subscription identifier from a client ends the connection", own_identifier),
    case!("MQTT-2.3.1-1", "MQTT-2.2.1-3", "packet id 0 ends the connection", id_0),
    case!("MQTT-2.3.1-4", "MQTT-2.2.1-4", "the server's ids are not 0 and not in use", server_ids),
    case!("MQTT-2.3.1-5", "MQTT-2.2.1-2", "at QoS 0 there is no packet id", no_id_at_0),
    case!("MQTT-2.3.1-6", "MQTT-2.2.1-5", "acknowledgements carry the id of their PUBLISH", same_ids),
    case!("", "MQTT-3.4.2-1", "PUBACK has a reason code that is one", puback_reason),
    case!("", "MQTT-3.5.2-1", "PUBREC has a reason code that is one", pubrec_reason),
    case!("", "MQTT-3.6.2-1", "PUBREL has a reason code that is one", pubrel_reason),
    case!("", "MQTT-3.7.2-1", "PUBCOMP has a reason code that is one", pubcomp_reason),
    case!("MQTT-3.6.1-1", "MQTT-3.6.1-1", "PUBREL with other flags ends the connection", pubrel_flags),
    case!("MQTT-4.3.1-1", "MQTT-4.3.1-1", "QoS 0 goes out as QoS 0, once", qos_0),
    case!("MQTT-4.6.0-6", "MQTT-4.6.0-5", "messages of a client come in their order, at each QoS", ordered),
    case!("MQTT-4.6.0-5", "MQTT-4.6.0-6", "every topic is ordered unless asked otherwise", ordered_for_kept),
];

async fn no_dup_at_0(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    publisher.publish(Publish::new(scene.topic("a"), "zero", 0)).await?;
    let message = subscriber.gets("zero").await?;
    ensure!(message.qos == 0 && !message.dup, "came {message:?}");
    // Towards the server the same holds: who sets it anyhow has no effect on others.
    let mut late = scene.client("late").await?;
    late.put(&Publish::new(scene.topic("a"), "late", 0).dup()).await;
    late.send(packet::PINGREQ).await;
    publisher.publish(Publish::new(scene.topic("a"), "next", 1)).await?;
    let message = subscriber.message().await?;
    ensure!(!message.dup, "came {message:?}");
    Ok(())
}

async fn own_dup(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for qos in [1, 2] {
        publisher.publish(Publish::new(scene.topic("a"), "dup", qos).dup()).await?;
        let message = subscriber.gets("dup").await?;
        ensure!(!message.dup, "DUP was passed on at QoS {qos}");
    }
    Ok(())
}

async fn qos_3(scene: Scene) -> Check {
    let mut bytes = Publish::new(scene.topic("a"), "three", 1).bytes(scene.version);
    bytes[0] = 0x36;
    scene.closes(bytes).await
}

async fn topic_text(scene: Scene) -> Check {
    scene.closes(Publish::new([b'a', 0xc0, 0x80], "x", 0).bytes(scene.version)).await
}

async fn wildcard(scene: Scene) -> Check {
    scene.closes(Publish::new(scene.topic("#"), "x", 0).bytes(scene.version)).await
}

async fn own_topic(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    let mut subscriber = scene.client("sub").await?;
    subscriber.subscribe(&scene.topic("+/b/#"), 1).await?;
    for name in ["x/b", "y/b/c/d"] {
        publisher.publish(Publish::new(scene.topic(name), name, 1)).await?;
        let message = subscriber.gets(name).await?;
        ensure!(message.topic == scene.topic(name).as_bytes(), "came {message:?}");
    }
    Ok(())
}

async fn answers(scene: Scene) -> Check {
    let mut client = scene.client("pub").await?;
    client.put(&Publish::new(scene.topic("a"), "0", 0)).await;
    client.send(packet::PINGREQ).await;
    let next = client.next().await?;
    ensure!(next == Packet::Pingresp, "to QoS 0 came {next:?}");
    client.put(&Publish::new(scene.topic("a"), "1", 1).packet(7)).await;
    let next = client.next().await?;
    ensure!(matches!(next, Packet::Ack(PUBACK, 7, ..)), "to QoS 1 came {next:?}");
    client.put(&Publish::new(scene.topic("a"), "2", 2).packet(8)).await;
    let next = client.next().await?;
    ensure!(matches!(next, Packet::Ack(PUBREC, 8, ..)), "to QoS 2 came {next:?}");
    client.send(packet::ack(PUBREL, 8)).await;
    client.acked(PUBCOMP, 8).await.map(drop)
}

async fn overlapping(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = (scene.client("pub").await?, scene.client("sub").await?);
    subscriber.subscribe(&scene.topic("+"), 0).await?;
    subscriber.subscribe(&scene.topic("a"), 2).await?;
    subscriber.subscribe(&scene.topic("#"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 2)).await?;
    publisher.publish(Publish::new(scene.topic("end/of/it"), "end", 1)).await?;
    let mut seen = vec![];
    loop {
        let message = subscriber.message().await?;
        if message.says("end") {
            break;
        }
        seen.push(message.qos);
    }
    ensure!(seen.iter().max() == Some(&2), "came with QoS {seen:?}");
    Ok(())
}

async fn own_identifier(scene: Scene) -> Check {
    let publish = Publish::new(scene.topic("a"), "x", 0).with(&packet::subscription(1));
    scene.closes(publish.bytes(scene.version)).await
}

async fn id_0(scene: Scene) -> Check {
    scene.closes(Publish::new(scene.topic("a"), "x", 1).packet(0).bytes(scene.version)).await?;
    scene.closes(packet::subscribe(scene.version, 0, &[("a", 0)], &[])).await?;
    scene.closes(packet::unsubscribe(scene.version, 0, &["a"])).await
}

async fn server_ids(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let mut ids = std::collections::HashSet::new();
    for number in 0..10 {
        publisher.publish(Publish::new(scene.topic("a"), "x", 1 + number % 2)).await?;
        let id = subscriber.take().await?.packet;
        ensure!(id != 0 && ids.insert(id), "id {id} came while {ids:?} were in use");
    }
    Ok(())
}

async fn no_id_at_0(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for qos in 0..=2 {
        publisher.publish(Publish::new(scene.topic("a"), "\u{1}\u{2}rest", qos)).await?;
        let message = subscriber.gets("\u{1}\u{2}rest").await?;
        ensure!((message.packet == 0) == (qos == 0), "came {message:?}");
    }
    Ok(())
}

async fn same_ids(scene: Scene) -> Check {
    let mut client = scene.client("ids").await?;
    client.subscribe(&scene.topic("#"), 2).await?;
    for id in [65_535, 1, 4_711] {
        client.put(&Publish::new(scene.topic("a"), "1", 1).packet(id)).await;
        client.acked(PUBACK, id).await?;
        client.gets("1").await?;
        client.put(&Publish::new(scene.topic("a"), "2", 2).packet(id)).await;
        client.acked(PUBREC, id).await?;
        client.send(packet::ack(PUBREL, id)).await;
        client.acked(PUBCOMP, id).await?;
        client.gets("2").await?;
    }
    Ok(())
}

fn known(reason: u8) -> bool {
    matches!(reason, 0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99)
}

async fn puback_reason(scene: Scene) -> Check {
    let reason = scene.client("pub").await?.publish(Publish::new(scene.topic("nobody"), "x", 1)).await?;
    ensure!(known(reason), "the reason is {reason:#04x}");
    Ok(())
}

async fn pubrec_reason(scene: Scene) -> Check {
    let reason = scene.client("pub").await?.publish(Publish::new(scene.topic("nobody"), "x", 2)).await?;
    ensure!(known(reason), "the reason is {reason:#04x}");
    Ok(())
}

async fn pubrel_reason(scene: Scene) -> Check {
    // A PUBREC for what was never sent: PUBREL, with a reason that is one, and no harm.
    let mut client = scene.client("rec").await?;
    client.send(packet::ack(PUBREC, 999)).await;
    let reason = client.acked(PUBREL, 999).await?;
    ensure!(matches!(reason, 0 | 0x92), "the reason is {reason:#04x}");
    client.ping().await
}

async fn pubcomp_reason(scene: Scene) -> Check {
    let mut client = scene.client("rel").await?;
    client.send(packet::ack(PUBREL, 999)).await;
    let reason = client.acked(PUBCOMP, 999).await?;
    ensure!(matches!(reason, 0 | 0x92), "the reason is {reason:#04x}");
    client.ping().await
}

async fn pubrel_flags(scene: Scene) -> Check {
    let mut client = scene.client("rel").await?;
    client.put(&Publish::new(scene.topic("a"), "x", 2).packet(5)).await;
    client.acked(PUBREC, 5).await?;
    client.send(packet::ack(0x60, 5)).await;
    client.closed().await.map(drop)
}

async fn qos_0(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for number in 0..5 {
        publisher.publish(Publish::new(scene.topic("a"), format!("{number}"), 0)).await?;
    }
    for number in 0..5 {
        let message = subscriber.gets(&format!("{number}")).await?;
        ensure!(message.qos == 0 && !message.dup && message.packet == 0, "came {message:?}");
    }
    scene.fence(&mut publisher, &mut subscriber).await
}

async fn ordered(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    for qos in 0..=2 {
        for number in 0..20 {
            publisher.publish(Publish::new(scene.topic("a"), format!("{qos}-{number}"), qos)).await?;
        }
        for number in 0..20 {
            subscriber.gets(&format!("{qos}-{number}")).await?;
        }
    }
    Ok(())
}

async fn ordered_for_kept(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    for number in 0..20 {
        publisher.publish(Publish::new(scene.topic(&format!("t{}", number % 2)), format!("{number:02}"), 1)).await?;
    }
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    let mut seen = vec![];
    for _ in 0..20 {
        seen.push(client.message().await?);
    }
    for topic in [scene.topic("t0"), scene.topic("t1")] {
        let of_topic = seen.iter().filter(|message| message.topic == topic.as_bytes());
        ensure!(of_topic.is_sorted_by_key(|message| &message.payload), "out of order: {seen:?}");
    }
    Ok(())
}
