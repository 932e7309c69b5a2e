//! SUBSCRIBE and SUBACK, and the options of MQTT 5.

use crate::packet::{self, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.8.1-1", "MQTT-3.8.1-1", "SUBSCRIBE with other flags ends the connection", flags),
    case!("MQTT-3.8.3-1", "MQTT-3.8.3-1", "a filter that is not UTF-8 ends the connection", filter_text),
    case!("MQTT-3.8.3-2", "", "filters with wildcards work, or are refused", wildcards),
    case!("MQTT-3.8.3-3", "MQTT-3.8.3-2", "a SUBSCRIBE without a filter ends the connection", no_filter),
    case!("MQTT-3.8.3-4", "MQTT-3.8.3-5", "reserved bits of the options end the connection", reserved_bits),
    case!("", "MQTT-3.8.3-3", "no local: what a client publishes does not come back to it", no_local),
    case!("", "MQTT-3.8.3-4", "no local with a shared subscription ends the connection", no_local_shared),
    case!("MQTT-3.8.4-1", "MQTT-3.8.4-1", "a SUBSCRIBE is answered by a SUBACK", answered),
    case!("MQTT-3.8.4-2", "MQTT-3.8.4-2", "SUBACK has the id of its SUBSCRIBE", same_id),
    case!("MQTT-3.8.4-3", "MQTT-3.8.4-3", "the same filter again replaces the subscription", replaced),
    case!("", "MQTT-3.8.4-4", "the same filter again sends what is retained again, and loses nothing", resent),
    case!("MQTT-3.8.4-4", "MQTT-3.8.4-5", "several filters are as several SUBSCRIBEs with one answer", several),
    case!("MQTT-3.8.4-5", "MQTT-3.8.4-6", "SUBACK has a code for each filter", code_for_each),
    case!("", "MQTT-3.8.4-7", "a code is the QoS granted, or a failure", codes),
    case!("MQTT-3.8.4-6", "MQTT-3.8.4-8", "a message comes with the lower of its QoS and the one granted", lower_qos),
    case!("MQTT-3.9.3-1", "MQTT-3.9.3-1", "the codes are in the order of the filters", code_order),
    case!("MQTT-3.9.3-2", "MQTT-3.9.3-2", "the codes are ones that SUBACK has", known_codes),
    case!("", "MQTT-3.3.4-3", "messages carry the identifier of their subscription", identifier),
    case!("", "MQTT-3.3.4-4", "one copy for several filters carries all their identifiers", all_identifiers),
    case!("", "MQTT-3.3.4-5", "each of several copies carries its own identifier", own_identifiers),
    case!("MQTT-2.3.1-7", "MQTT-2.2.1-6", "SUBACK and UNSUBACK have the id of their request", same_ids),
];

async fn flags(scene: Scene) -> Check {
    for first in [0x80, 0x81, 0x83, 0x8a] {
        let mut bytes = packet::subscribe(scene.version, 1, &[("a", 0)], &[]);
        bytes[0] = first;
        scene.closes(bytes).await?;
    }
    Ok(())
}

async fn filter_text(scene: Scene) -> Check {
    let mut body = vec![0, 1];
    body.extend(packet::properties(scene.version, &[]));
    body.extend(packet::text([b'a', 0xff]));
    body.push(0);
    scene.closes(packet::frame(0x82, &body)).await
}

async fn wildcards(scene: Scene) -> Check {
    let mut publisher = scene.client("pub").await?;
    for filter in ["+/b", "a/#", "#", "+/+", "a/+"] {
        let mut client = scene.client("sub").await?;
        client.subscribe(&scene.topic(filter), 1).await?;
        publisher.publish(Publish::new(scene.topic("a/b"), filter, 1)).await?;
        client.gets(filter).await?;
    }
    Ok(())
}

async fn no_filter(scene: Scene) -> Check {
    scene.closes(packet::subscribe(scene.version, 1, &[], &[])).await
}

async fn reserved_bits(scene: Scene) -> Check {
    let wrong: &[u8] = if scene.v5() { &[0x40, 0x80, 3, 0x30] } else { &[4, 0x10, 0x80, 3] };
    for options in wrong {
        let bytes = packet::subscribe(scene.version, 1, &[("a", *options)], &[]);
        scene.closes(bytes).await.map_err(|why| format!("options {options:#04x}: {why}"))?;
    }
    Ok(())
}

async fn no_local(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("own").await?);
    client.subscribe(&scene.topic("#"), 1 | 4).await?;
    client.publish(Publish::new(scene.topic("a"), "own", 1)).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn no_local_shared(scene: Scene) -> Check {
    scene.closes(packet::subscribe(scene.version, 1, &[("$share/g/a", 4)], &[])).await
}

async fn answered(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    for qos in 0..=2 {
        client.subscribe(&scene.topic(&format!("{qos}")), qos).await?;
    }
    Ok(())
}

async fn same_id(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    for wanted in [65_535, 1, 256] {
        client.send(packet::subscribe(scene.version, wanted, &[("a", 0)], &[])).await;
        let next = client.next().await?;
        ensure!(matches!(next, packet::Packet::Suback { packet, .. } if packet == wanted), "came {next:?}");
    }
    Ok(())
}

async fn replaced(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe(&scene.topic("#"), 0).await?;
    client.subscribe(&scene.topic("#"), 2).await?;
    publisher.publish(Publish::new(scene.topic("a"), "one", 2)).await?;
    let message = client.gets("one").await?;
    ensure!(message.qos == 2, "came with QoS {}", message.qos);
    client.subscribe(&scene.topic("#"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "two", 2)).await?;
    let message = client.gets("two").await?;
    ensure!(message.qos == 1, "came with QoS {}", message.qos);
    scene.fence(&mut publisher, &mut client).await
}

async fn resent(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    publisher.publish(Publish::new(scene.topic("a"), "kept", 1).retained()).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    client.gets("kept").await?;
    publisher.publish(Publish::new(scene.topic("b"), "open", 1)).await?;
    let open = client.take().await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    client.gets("kept").await?;
    client.finish(&open).await?;
    scene.fence(&mut publisher, &mut client).await
}

async fn several(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    let topics = ["a", "b", "c"].map(|name| scene.topic(name));
    let filters: Vec<(&str, u8)> = topics.iter().zip(0..).map(|(topic, qos)| (&**topic, qos)).collect();
    let codes = client.subscribe_with(&filters, &[]).await?;
    ensure!(codes == [0, 1, 2], "the codes are {codes:02x?}");
    for (topic, qos) in topics.iter().zip(0..) {
        publisher.publish(Publish::new(topic, topic, 2)).await?;
        let message = client.gets(topic).await?;
        ensure!(message.qos == qos, "{topic} came with QoS {}", message.qos);
    }
    Ok(())
}

async fn code_for_each(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    let topics: Vec<String> = (0..50).map(|number| scene.topic(&format!("{number}"))).collect();
    let filters: Vec<(&str, u8)> = topics.iter().map(|topic| (&**topic, 1)).collect();
    let codes = client.subscribe_with(&filters, &[]).await?;
    ensure!(codes == [1; 50], "the codes are {codes:02x?}");
    // The same filter twice is two filters.
    let codes = client.subscribe_with(&[("a", 1), ("a", 2)], &[]).await?;
    ensure!(codes == [1, 2], "the codes are {codes:02x?}");
    Ok(())
}

async fn codes(scene: Scene) -> Check {
    let (topic, mut client) = (scene.topic("a"), scene.client("sub").await?);
    for qos in 0..=2 {
        let codes = client.subscribe_with(&[(&topic, qos)], &[]).await?;
        ensure!(codes.len() == 1 && (codes[0] <= qos || codes[0] >= 0x80), "to QoS {qos} came {codes:02x?}");
    }
    Ok(())
}

async fn lower_qos(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    for granted in 0..=2 {
        client.subscribe(&scene.topic("a"), granted).await?;
        for sent in 0..=2 {
            publisher.publish(Publish::new(scene.topic("a"), "x", sent)).await?;
            let message = client.gets("x").await?;
            ensure!(message.qos == sent.min(granted), "sent {sent}, granted {granted}, came {}", message.qos);
        }
    }
    Ok(())
}

async fn code_order(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    let topics = ["a", "b", "c", "d"].map(|name| scene.topic(name));
    let filters: Vec<(&str, u8)> = topics.iter().zip([2, 0, 1, 2]).map(|(topic, qos)| (&**topic, qos)).collect();
    let codes = client.subscribe_with(&filters, &[]).await?;
    ensure!(codes == [2, 0, 1, 2], "the codes are {codes:02x?}");
    Ok(())
}

async fn known_codes(scene: Scene) -> Check {
    let mut client = scene.client("sub").await?;
    let share = format!("$share/g/{}", scene.topic("a"));
    let filters = [(&*share, 1), ("$SYS/#", 1), ("/", 0), ("//+//#", 2)];
    let codes = client.subscribe_with(&filters, &[]).await?;
    let known: &[u8] =
        if scene.v5() { &[0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2] } else { &[0, 1, 2, 0x80] };
    ensure!(codes.len() == 4 && codes.iter().all(|code| known.contains(code)), "the codes are {codes:02x?}");
    Ok(())
}

fn identifiers(message: &Publish) -> Check<Vec<Vec<u8>>> {
    packet::all(&message.properties, id::SUBSCRIPTION)
}

async fn identifier(scene: Scene) -> Check {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe_with(&[(&scene.topic("a"), 1)], &packet::subscription(7)).await?;
    client.subscribe(&scene.topic("b"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "with", 1)).await?;
    let found = identifiers(&client.gets("with").await?)?;
    ensure!(found == [[0, 0, 0, 7]], "came {found:?}");
    publisher.publish(Publish::new(scene.topic("b"), "without", 1)).await?;
    let found = identifiers(&client.gets("without").await?)?;
    ensure!(found.is_empty(), "came {found:?}");
    // A new subscription with the same filter brings its own.
    client.subscribe_with(&[(&scene.topic("a"), 1)], &packet::subscription(9)).await?;
    publisher.publish(Publish::new(scene.topic("a"), "other", 1)).await?;
    let found = identifiers(&client.gets("other").await?)?;
    ensure!(found == [[0, 0, 0, 9]], "came {found:?}");
    Ok(())
}

/// The copies of one message for three filters with identifiers 1, 2 and none.
async fn copies(scene: &Scene) -> Check<Vec<Vec<Vec<u8>>>> {
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.client("sub").await?);
    client.subscribe_with(&[(&scene.topic("+"), 1)], &packet::subscription(1)).await?;
    client.subscribe_with(&[(&scene.topic("a"), 1)], &packet::subscription(2)).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    publisher.publish(Publish::new(scene.topic("a"), "x", 1)).await?;
    publisher.publish(Publish::new(scene.topic("end/of/it"), "end", 1)).await?;
    let mut copies = vec![];
    loop {
        let message = client.message().await?;
        if message.says("end") {
            return Ok(copies);
        }
        copies.push(identifiers(&message)?);
    }
}

async fn all_identifiers(scene: Scene) -> Check {
    let copies = copies(&scene).await?;
    if let [only] = &copies[..] {
        let mut found: Vec<u8> = only.iter().map(|id| id[3]).collect();
        found.sort_unstable();
        ensure!(found == [1, 2], "one copy, with {found:?}");
    }
    ensure!(!copies.is_empty(), "no copy");
    Ok(())
}

async fn own_identifiers(scene: Scene) -> Check {
    let copies = copies(&scene).await?;
    if copies.len() > 1 {
        let mut found: Vec<Vec<u8>> = copies.iter().map(|one| one.concat()).collect();
        found.sort();
        ensure!(found == [vec![], vec![0, 0, 0, 1], vec![0, 0, 0, 2]], "copies with {found:?}");
    }
    ensure!(!copies.is_empty(), "no copy");
    Ok(())
}

async fn same_ids(scene: Scene) -> Check {
    let mut client = scene.client("ids").await?;
    client.send(packet::subscribe(scene.version, 500, &[("a", 0)], &[])).await;
    client.send(packet::unsubscribe(scene.version, 501, &["a"])).await;
    let next = client.next().await?;
    ensure!(matches!(next, packet::Packet::Suback { packet: 500, .. }), "came {next:?}");
    let next = client.next().await?;
    ensure!(matches!(next, packet::Packet::Unsuback { packet: 501, .. }), "came {next:?}");
    Ok(())
}
