//! Last wills: when they are published, and how.

use crate::client::{SILENCE, SOON};
use crate::packet::{self, Will, id};
use crate::suite::{Case, Check, Scene, case, ensure};

pub(super) const CASES: &[Case] = &[
    case!("MQTT-3.1.2-8", "MQTT-3.1.2-8", "a will is published when the connection breaks", published),
    case!("", "MQTT-3.1.2-7", "the will that was stored is what comes, byte for byte", stored),
    case!("MQTT-3.1.2-9", "MQTT-3.1.2-9", "with the will flag, topic and payload are there", flag_alone),
    case!("MQTT-3.1.2-10", "MQTT-3.1.2-10", "a will is published once, then it is gone", once),
    case!("MQTT-3.1.2-11", "", "without the will flag, no will in the payload", fields_alone),
    case!("MQTT-3.1.2-12", "", "without a will nothing is published", none),
    case!("MQTT-3.1.2-13", "MQTT-3.1.2-11", "without a will its QoS is 0", qos_alone),
    case!("MQTT-3.1.2-14", "MQTT-3.1.2-12", "a will of QoS 3 is refused, 0 to 2 come as they are", qualities),
    case!("MQTT-3.1.2-15", "MQTT-3.1.2-13", "without a will its retain flag is 0", retain_alone),
    case!("MQTT-3.1.2-16", "MQTT-3.1.2-14", "a will without retain is not retained", not_retained),
    case!("MQTT-3.1.2-17", "MQTT-3.1.2-15", "a will with retain is retained", retained),
    case!("MQTT-3.1.3-10", "MQTT-3.1.3-11", "the topic of a will is UTF-8", topic_text),
    case!("", "MQTT-3.1.3-9", "who is back before the delay has passed leaves no will", back_in_time),
    case!("", "MQTT-3.1.3-10", "user properties of a will keep their order", user_properties),
];

async fn published(scene: Scene) -> Check {
    let (_, mut watcher) = scene.pair().await?;
    scene.enter(&scene.hello("lost").will(&scene.topic("will"), "broke")).await?.cut();
    watcher.gets("broke").await?;
    let mut connect = scene.hello("quiet").will(&scene.topic("will"), "silent");
    connect.keep_alive = 1;
    let quiet = scene.enter(&connect).await?;
    watcher.patience = SILENCE;
    watcher.gets("silent").await?;
    watcher.patience = SOON;
    drop(quiet);
    if scene.v5() {
        let mut late = scene.hello("late").kept().will(&scene.topic("will"), "late");
        late.will.as_mut().unwrap().properties = packet::long(id::WILL_DELAY, 1);
        scene.enter(&late).await?.cut();
        watcher.gets("late").await?;
        // A goodbye that asks for it.
        let mut asks = scene.enter(&scene.hello("asks").will(&scene.topic("will"), "asked")).await?;
        asks.send([0xe0, 1, 4]).await;
        asks.hang_up().await?;
        watcher.gets("asked").await.map_err(|why| format!("after DISCONNECT 0x04: {why}"))?;
    }
    Ok(())
}

async fn stored(scene: Scene) -> Check {
    let (_, mut watcher) = scene.pair().await?;
    let payload: Vec<u8> = (0..=255).collect();
    let mut connect = scene.hello("bytes").will(&scene.topic("will/é"), "");
    connect.will.as_mut().unwrap().payload.clone_from(&payload);
    scene.enter(&connect).await?.cut();
    let will = watcher.message().await?;
    ensure!(will.payload == payload && will.topic == scene.topic("will/é").as_bytes(), "came {will:?}");
    Ok(())
}

async fn flag_alone(scene: Scene) -> Check {
    let mut connect = scene.hello("alone");
    (connect.username, connect.password, connect.flip) = (None, None, 4);
    scene.refuses(connect.bytes()).await
}

async fn fields_alone(scene: Scene) -> Check {
    let mut connect = scene.hello("alone").will(&scene.topic("will"), "x");
    connect.flip = 4;
    scene.refuses(connect.bytes()).await
}

async fn once(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    scene.enter(&scene.hello("lost").will(&scene.topic("will"), "once")).await?.cut();
    watcher.gets("once").await?;
    // Back without a will, and lost again.
    scene.client("lost").await?.hang_up().await?;
    scene.fence(&mut publisher, &mut watcher).await
}

async fn none(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    scene.client("lost").await?.hang_up().await?;
    scene.fence(&mut publisher, &mut watcher).await
}

async fn qos_alone(scene: Scene) -> Check {
    let mut connect = scene.hello("qos");
    connect.flip = 8;
    scene.refuses(connect.bytes()).await
}

async fn qualities(scene: Scene) -> Check {
    let (_, mut watcher) = scene.pair().await?;
    for qos in 0..=2 {
        let mut connect = scene.hello("lost").will(&scene.topic("will"), "w");
        connect.will.as_mut().unwrap().qos = qos;
        scene.enter(&connect).await?.cut();
        let will = watcher.gets("w").await?;
        ensure!(will.qos == qos, "QoS {qos} became {}", will.qos);
    }
    let mut connect = scene.hello("three").will(&scene.topic("will"), "w");
    connect.will.as_mut().unwrap().qos = 3;
    scene.refuses(connect.bytes()).await
}

async fn retain_alone(scene: Scene) -> Check {
    let mut connect = scene.hello("retain");
    connect.flip = 0x20;
    scene.refuses(connect.bytes()).await
}

/// Loses a client with a will, and returns a client that subscribed after the will came.
async fn after_will(scene: &Scene, retain: bool) -> Check<crate::client::Client> {
    let (_, mut watcher) = scene.pair().await?;
    let mut connect = scene.hello("lost");
    let (topic, payload) = (scene.topic("will").into(), b"will".to_vec());
    connect.will = Some(Will { topic, payload, retain, ..Will::default() });
    scene.enter(&connect).await?.cut();
    let live = watcher.gets("will").await?;
    ensure!(!live.retain, "retain is set for a subscription that was there");
    let mut late = scene.client("late").await?;
    late.subscribe(&scene.topic("#"), 1).await?;
    Ok(late)
}

async fn not_retained(scene: Scene) -> Check {
    let mut late = after_will(&scene, false).await?;
    let mut publisher = scene.client("pub2").await?;
    scene.fence(&mut publisher, &mut late).await
}

async fn retained(scene: Scene) -> Check {
    let will = after_will(&scene, true).await?.gets("will").await?;
    ensure!(will.retain, "came without retain");
    Ok(())
}

async fn topic_text(scene: Scene) -> Check {
    let mut connect = scene.hello("text");
    connect.will = Some(Will { topic: vec![b'a', 0xed, 0xa0, 0x80], ..Will::default() });
    scene.refuses(connect.bytes()).await
}

async fn back_in_time(scene: Scene) -> Check {
    let (mut publisher, mut watcher) = scene.pair().await?;
    let mut connect = scene.hello("back").kept().will(&scene.topic("will"), "too early");
    connect.will.as_mut().unwrap().properties = packet::long(id::WILL_DELAY, 2);
    scene.enter(&connect).await?.hang_up().await?;
    let back = scene.enter(&scene.hello("back").kept()).await?;
    // A will of the same delay, of somebody who does not come back: it comes after the one that must not.
    let mut other = scene.hello("other").kept().will(&scene.topic("will"), "other");
    other.will.as_mut().unwrap().properties = packet::long(id::WILL_DELAY, 2);
    scene.enter(&other).await?.cut();
    watcher.gets("other").await?;
    drop(back);
    scene.fence(&mut publisher, &mut watcher).await
}

async fn user_properties(scene: Scene) -> Check {
    let (_, mut watcher) = scene.pair().await?;
    let mut connect = scene.hello("lost").will(&scene.topic("will"), "props");
    let pairs = [("b", "1"), ("a", "2"), ("b", "3"), ("b", "1")];
    connect.will.as_mut().unwrap().properties = pairs.map(|(name, value)| packet::user(name, value)).concat();
    scene.enter(&connect).await?.cut();
    let will = watcher.gets("props").await?;
    let found = packet::all(&will.properties, id::USER)?;
    let wanted = pairs.map(|(name, value)| format!("{name}={value}").into_bytes());
    ensure!(found == wanted, "came {found:?}");
    Ok(())
}
