//! What MQTT 5 adds to messages: properties passed on, expiry, aliases, size.

use crate::packet::{self, Publish, id};
use crate::suite::{Case, Check, Scene, case, ensure};
use std::time::Duration;

pub(super) const CASES: &[Case] = &[
    case!("", "MQTT-3.3.2-4", "the payload format is passed on", payload_format),
    case!("", "MQTT-3.3.2-5", "a message that expired is not delivered", expired),
    case!("", "MQTT-3.3.2-6", "the expiry that is passed on is less by the time waited", less_by_waiting),
    case!("", "MQTT-3.3.2-7", "topic aliases end with their connection", alias_of_another),
    case!("", "MQTT-3.3.2-8", "topic alias 0 ends the connection", alias_0),
    case!("", "MQTT-3.3.2-9", "an alias above the server's maximum ends the connection", alias_above),
    case!("", "MQTT-3.3.2-12", "every alias up to the server's maximum works", aliases),
    case!("", "MQTT-3.2.2-18", "without a maximum of the server, no alias is taken", alias_without_maximum),
    case!("", "MQTT-3.1.2-26", "the server's aliases keep to the client's maximum", server_alias),
    case!("", "MQTT-3.1.2-27", "without a maximum of the client, the server uses no alias", no_server_alias),
    case!("", "MQTT-3.3.2-13", "a response topic is UTF-8", response_topic_text),
    case!("", "MQTT-3.3.2-14", "a response topic has no wildcards", response_topic_wildcard),
    case!("", "MQTT-3.3.2-15", "the response topic is passed on", response_topic),
    case!("", "MQTT-3.3.2-16", "the correlation data are passed on", correlation),
    case!("", "MQTT-3.3.2-17", "user properties are passed on, all of them", user_properties),
    case!("", "MQTT-3.3.2-18", "user properties keep their order", user_property_order),
    case!("", "MQTT-3.3.2-19", "a content type is UTF-8", content_type_text),
    case!("", "MQTT-3.3.2-20", "the content type is passed on", content_type),
    case!("", "MQTT-3.1.2-24", "no packet is larger than the client takes", too_large),
    case!("", "MQTT-3.1.2-25", "what is too large counts as sent, and the next one comes", next_after_too_large),
    case!("", "MQTT-3.1.2-29", "no reason strings for who wants no problem information", no_problem_info),
];

/// Publishes with a property; returns its values as they arrive.
async fn passed_on(scene: &Scene, property: &[u8], id: u8) -> Check<Vec<Vec<u8>>> {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let mut found = vec![];
    for qos in 0..=2 {
        publisher.publish(Publish::new(scene.topic("a"), "x", qos).with(property)).await?;
        let message = subscriber.gets("x").await?;
        found = packet::all(&message.properties, id)?;
    }
    Ok(found)
}

async fn payload_format(scene: Scene) -> Check {
    let found = passed_on(&scene, &packet::byte(id::PAYLOAD_FORMAT, 1), id::PAYLOAD_FORMAT).await?;
    ensure!(found == [[1]], "came {found:?}");
    Ok(())
}

/// Waits until a time has certainly passed.
async fn until_past(time: Duration) {
    tokio::time::sleep(time).await;
}

async fn expired(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    let short = packet::long(id::MESSAGE_EXPIRY, 1);
    publisher.publish(Publish::new(scene.topic("a"), "short", 1).with(&short)).await?;
    publisher.publish(Publish::new(scene.topic("a"), "long", 1)).await?;
    until_past(Duration::from_millis(2_500)).await;
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    client.gets("long").await.map(drop)
}

async fn less_by_waiting(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("away").kept()).await?;
    client.subscribe(&scene.topic("#"), 1).await?;
    client.leave().await?;
    let mut publisher = scene.client("pub").await?;
    let hundred = packet::long(id::MESSAGE_EXPIRY, 100);
    publisher.publish(Publish::new(scene.topic("a"), "x", 1).with(&hundred)).await?;
    until_past(Duration::from_millis(2_500)).await;
    let message = scene.enter(&scene.hello("away").kept()).await?.gets("x").await?;
    let left = packet::number(&message.properties, id::MESSAGE_EXPIRY)?;
    ensure!(left.is_some_and(|left| (50..=98).contains(&left)), "of 100 s are left {left:?}");
    Ok(())
}

fn aliased(topic: &str, payload: &str, alias: u16) -> Publish {
    Publish::new(topic, payload, 0).with(&packet::short(id::ALIAS, alias))
}

async fn maximum(client: &crate::client::Client) -> Check<u32> {
    Ok(packet::number(&client.server, id::ALIAS_MAXIMUM)?.unwrap_or(0))
}

async fn alias_of_another(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    ensure!(maximum(&publisher).await? > 0, "the server takes no aliases");
    publisher.put(&aliased(&scene.topic("a"), "known", 1)).await;
    subscriber.gets("known").await?;
    publisher.leave().await?;
    let mut again = scene.client("pub").await?;
    again.put(&aliased("", "unknown", 1)).await;
    again.closed().await?;
    let mut other = scene.client("other").await?;
    scene.fence(&mut other, &mut subscriber).await
}

async fn alias_0(scene: Scene) -> Check {
    scene.closes(aliased(&scene.topic("a"), "x", 0).bytes(scene.version)).await
}

async fn alias_above(scene: Scene) -> Check {
    let mut client = scene.client("above").await?;
    let above = maximum(&client).await? + 1;
    ensure!(above <= 65_535, "every alias is taken");
    client.put(&aliased(&scene.topic("a"), "x", above as u16)).await;
    client.closed().await.map(drop)
}

async fn alias_without_maximum(scene: Scene) -> Check {
    let mut client = scene.client("none").await?;
    if maximum(&client).await? > 0 {
        return Ok(());
    }
    client.put(&aliased(&scene.topic("a"), "x", 1)).await;
    client.closed().await.map(drop)
}

async fn aliases(scene: Scene) -> Check {
    let (mut publisher, mut subscriber) = scene.pair().await?;
    let maximum = maximum(&publisher).await?.min(300) as u16;
    for alias in 1..=maximum {
        publisher.put(&aliased(&scene.topic(&format!("t{alias}")), "first", alias)).await;
        subscriber.gets("first").await?;
    }
    for alias in (1..=maximum).rev() {
        publisher.put(&aliased("", "again", alias)).await;
        let message = subscriber.gets("again").await?;
        ensure!(message.topic == scene.topic(&format!("t{alias}")).as_bytes(), "alias {alias}: {message:?}");
    }
    // A new topic for an alias takes the place of the old one.
    if maximum > 0 {
        publisher.put(&aliased(&scene.topic("other"), "first", 1)).await;
        publisher.put(&aliased("", "again", 1)).await;
        subscriber.gets("first").await?;
        let message = subscriber.gets("again").await?;
        ensure!(message.topic == scene.topic("other").as_bytes(), "alias 1 again: {message:?}");
    }
    Ok(())
}

/// Aliases of messages to a client with this maximum; every one with its topic, or an alias that is known.
async fn received(scene: &Scene, maximum: Option<u16>) -> Check<Vec<u32>> {
    let mut connect = scene.hello("alias");
    if let Some(maximum) = maximum {
        connect = connect.with(&packet::short(id::ALIAS_MAXIMUM, maximum));
    }
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.enter(&connect).await?);
    client.subscribe(&scene.topic("#"), 1).await?;
    let (mut known, mut seen) = (std::collections::HashMap::new(), vec![]);
    for round in 0..3 {
        for name in ["a", "b", "c", "d"] {
            publisher.publish(Publish::new(scene.topic(name), format!("{round}{name}"), 1)).await?;
            let message = client.gets(&format!("{round}{name}")).await?;
            let alias = packet::number(&message.properties, id::ALIAS)?;
            let topic = match alias {
                Some(alias) if message.topic.is_empty() => known.get(&alias).cloned().unwrap_or_default(),
                Some(alias) => {
                    known.insert(alias, message.topic.clone());
                    message.topic
                }
                None => message.topic,
            };
            ensure!(topic == scene.topic(name).as_bytes(), "{name} came as {topic:?}");
            seen.extend(alias);
        }
    }
    Ok(seen)
}

async fn server_alias(scene: Scene) -> Check {
    let seen = received(&scene, Some(2)).await?;
    ensure!(seen.iter().all(|alias| (1..=2).contains(alias)), "aliases {seen:?}");
    Ok(())
}

async fn no_server_alias(scene: Scene) -> Check {
    for maximum in [None, Some(0)] {
        let seen = received(&scene, maximum).await?;
        ensure!(seen.is_empty(), "aliases {seen:?}");
    }
    Ok(())
}

async fn response_topic_text(scene: Scene) -> Check {
    let publish = Publish::new(scene.topic("a"), "x", 1).with(&packet::data(id::RESPONSE_TOPIC, [0xff, b'a']));
    scene.closes(publish.bytes(scene.version)).await
}

async fn response_topic_wildcard(scene: Scene) -> Check {
    for wrong in ["a/#", "a/+/b"] {
        let publish = Publish::new(scene.topic("a"), "x", 1).with(&packet::data(id::RESPONSE_TOPIC, wrong));
        scene.closes(publish.bytes(scene.version)).await?;
    }
    Ok(())
}

async fn response_topic(scene: Scene) -> Check {
    let topic = scene.topic("answers/é");
    let found = passed_on(&scene, &packet::data(id::RESPONSE_TOPIC, &topic), id::RESPONSE_TOPIC).await?;
    ensure!(found == [topic.as_bytes()], "came {found:?}");
    // And it works: a question and its answer.
    let (mut asks, mut answers) = (scene.client("asks").await?, scene.client("answers").await?);
    asks.subscribe(&topic, 1).await?;
    answers.subscribe(&scene.topic("question"), 1).await?;
    let properties = [packet::data(id::RESPONSE_TOPIC, &topic), packet::data(id::CORRELATION, "17")].concat();
    asks.publish(Publish::new(scene.topic("question"), "?", 1).with(&properties)).await?;
    let question = answers.gets("?").await?;
    let to = packet::all(&question.properties, id::RESPONSE_TOPIC)?.concat();
    let number = packet::all(&question.properties, id::CORRELATION)?.concat();
    answers.publish(Publish::new(to, "!", 1).with(&packet::data(id::CORRELATION, number))).await?;
    let answer = asks.gets("!").await?;
    ensure!(packet::all(&answer.properties, id::CORRELATION)? == [b"17"], "came {answer:?}");
    Ok(())
}

async fn correlation(scene: Scene) -> Check {
    let data = [0, 255, 1, 0];
    let found = passed_on(&scene, &packet::data(id::CORRELATION, data), id::CORRELATION).await?;
    ensure!(found == [data], "came {found:?}");
    Ok(())
}

async fn user_properties(scene: Scene) -> Check {
    let pairs = [packet::user("a", ""), packet::user("a", ""), packet::user("", "é"), packet::user("b", "x")].concat();
    let mut found = passed_on(&scene, &pairs, id::USER).await?;
    found.sort();
    ensure!(found == ["=é".as_bytes(), b"a=", b"a=", b"b=x"], "came {found:?}");
    Ok(())
}

async fn user_property_order(scene: Scene) -> Check {
    let names = ["z", "a", "m", "a", "z"];
    let pairs: Vec<Vec<u8>> = names.iter().enumerate().map(|(at, name)| packet::user(name, &at.to_string())).collect();
    let found = passed_on(&scene, &pairs.concat(), id::USER).await?;
    let wanted: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("{name}={at}")).collect();
    ensure!(found.iter().map(|pair| String::from_utf8_lossy(pair)).eq(wanted), "came {found:?}");
    Ok(())
}

async fn content_type_text(scene: Scene) -> Check {
    let publish = Publish::new(scene.topic("a"), "x", 1).with(&packet::data(id::CONTENT_TYPE, [0xff, b'a']));
    scene.closes(publish.bytes(scene.version)).await
}

async fn content_type(scene: Scene) -> Check {
    let found = passed_on(&scene, &packet::data(id::CONTENT_TYPE, "text/plain; é"), id::CONTENT_TYPE).await?;
    ensure!(found == ["text/plain; é".as_bytes()], "came {found:?}");
    Ok(())
}

/// A client that takes packets of 100 bytes, and what came to it of a large message and a small one.
async fn small_client(scene: &Scene, qos: u8) -> Check<Publish> {
    let connect = scene.hello("small").with(&packet::long(id::MAXIMUM_PACKET, 100));
    let (mut publisher, mut client) = (scene.client("pub").await?, scene.enter(&connect).await?);
    client.subscribe(&scene.topic("#"), qos).await?;
    publisher.publish(Publish::new(scene.topic("a"), "large".repeat(100), qos)).await?;
    publisher.publish(Publish::new(scene.topic("a"), "small", qos)).await?;
    client.message().await
}

async fn too_large(scene: Scene) -> Check {
    for qos in 0..=2 {
        let message = small_client(&scene, qos).await?;
        let size = message.bytes(scene.version).len();
        ensure!(size <= 100, "{size} bytes came at QoS {qos}");
    }
    Ok(())
}

async fn next_after_too_large(scene: Scene) -> Check {
    // More large ones than a window holds: none of them may take a place for good.
    let properties = [packet::long(id::MAXIMUM_PACKET, 100), packet::short(id::RECEIVE_MAXIMUM, 2)].concat();
    let (mut publisher, mut client) =
        (scene.client("pub").await?, scene.enter(&scene.hello("small").with(&properties)).await?);
    client.subscribe(&scene.topic("#"), 1).await?;
    for _ in 0..5 {
        publisher.publish(Publish::new(scene.topic("a"), "large".repeat(100), 1)).await?;
    }
    publisher.publish(Publish::new(scene.topic("a"), "small", 1)).await?;
    client.gets("small").await.map(drop)
}

async fn no_problem_info(scene: Scene) -> Check {
    let mut client = scene.enter(&scene.hello("quiet").with(&packet::byte(id::PROBLEM_INFO, 0))).await?;
    client.send(packet::subscribe(scene.version, 1, &[("a/#/b", 1), ("$share//x", 0)], &[])).await;
    client.put(&Publish::new(scene.topic("nobody"), "x", 1).packet(2)).await;
    client.send(packet::unsubscribe(scene.version, 3, &["never"])).await;
    client.send(packet::ack(packet::PUBREL, 4)).await;
    client.send(packet::PINGREQ).await;
    loop {
        use packet::Packet::{Ack, Connack, Disconnect, Pingresp, Publish, Suback, Unsuback};
        let properties = match client.next().await {
            Ok(Ack(.., properties) | Suback { properties, .. } | Unsuback { properties, .. }) => properties,
            Ok(Connack { .. } | Disconnect { .. } | Publish(_) | packet::Packet::Auth) => continue,
            Ok(Pingresp) => return Ok(()),
            // It may also end the connection for the filters.
            Err(_) => return Ok(()),
        };
        let told = packet::read_properties(&properties)?;
        ensure!(!told.iter().any(|(found, _)| matches!(*found, id::REASON | id::USER)), "told {told:?}");
    }
}
