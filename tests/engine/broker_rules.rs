//! TagoIO's rules at the embedded broker: expiry, what tokens allow, topic scope, retained messages off.

use crate::support::broker::{FULL, Mqtt, READ, Rig, WRITE, account, connect, options};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, pause};
use relayscope_domain::broker::{Embedded, RetainMode, TopicScope};
use relayscope_domain::token::Permission;
use relayscope_engine::broker::Account;
use relayscope_engine::feed::unix_millis;
use relayscope_engine::fingerprint::Fingerprint;
use rumqttc::v5::mqttbytes::QoS;
use std::time::{Duration, Instant, SystemTime};

fn settings() -> Embedded {
    Embedded { port: 0, ..Embedded::default() }
}

fn now() -> i64 {
    unix_millis(SystemTime::now())
}

fn with(token: &str, permission: Permission, change: impl FnOnce(&mut Account)) -> (Fingerprint, Account) {
    let (fingerprint, mut account) = account("all", token, permission);
    change(&mut account);
    (fingerprint, account)
}

#[tokio::test]
async fn a_token_that_expires_cuts_its_client_and_lets_nobody_in() {
    let rig = Rig::start().await;
    let at = now() + 400;
    rig.accounts.replace([with(FULL, Permission::Full, |account| account.expires_at = Some(at))]);
    let client = Mqtt::connect(options(rig.addr(), "short-lived", FULL)).await;
    client.end().await;
    let late = now() - at;
    assert!(late >= 0, "cut {} ms too early", -late);
    eprintln!("cut {late} ms after the expiry");
    assert_eq!(rig.goodbye("short-lived").await, ("its token expired".to_owned(), false));
    let (_stream, answer) = connect(5, "too-late", Some(FULL)).send(rig.addr()).await;
    assert_eq!(answer[3], 0x86, "{answer:02x?}");
    assert_eq!(rig.refusal("too-late").await, (Some(0x86), "the token “all” …aaaaa has expired".to_owned()));
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_changed_token_cuts_its_clients_and_says_why() {
    let rig = Rig::start().await;
    let serial = |serial: &str| with(FULL, Permission::Full, |account| account.serial = Some(serial.to_owned()));
    rig.accounts.replace([serial("one")]);
    let client = Mqtt::connect(options(rig.addr(), "moved", FULL)).await;
    let since = Instant::now();
    rig.accounts.replace([serial("two")]);
    client.end().await;
    eprintln!("cut within {:?}", since.elapsed());
    assert_eq!(rig.goodbye("moved").await.0, "its token was given to another device");
    rig.broker.stop().await;
}

#[tokio::test]
async fn what_a_token_forbids_is_refused_in_the_words_of_each_version() {
    let rig = Rig::start().await;
    // MQTT 5: PUBACK and SUBACK say 0x87.
    let (mut stream, _) = connect(5, "reader", Some(READ)).send(rig.addr()).await;
    wire::write(&mut stream, &[0x32, 7, 0, 1, b'a', 0, 7, 0, b'x']).await;
    let puback = wire::read(&mut stream).await;
    assert_eq!((puback[0], &puback[2..5]), (0x40, &[0, 7, 0x87][..]));
    let (mut stream, _) = connect(5, "writer", Some(WRITE)).send(rig.addr()).await;
    wire::write(&mut stream, &[0x82, 7, 0, 1, 0, 0, 1, b'a', 1]).await;
    assert_eq!(wire::read(&mut stream).await, [0x90, 4, 0, 1, 0, 0x87]);
    // MQTT 3.1.1: a SUBACK can fail; a publish can only be taken and dropped (MQTT-3.3.5-2).
    let (mut stream, _) = connect(4, "writer-3", Some(WRITE)).send(rig.addr()).await;
    wire::write(&mut stream, &[0x82, 6, 0, 1, 0, 1, b'a', 1]).await;
    assert_eq!(wire::read(&mut stream).await, [0x90, 3, 0, 1, 0x80]);
    let (mut stream, _) = connect(4, "reader-3", Some(READ)).send(rig.addr()).await;
    wire::write(&mut stream, &[0x32, 6, 0, 1, b'a', 0, 7, b'x']).await;
    assert_eq!(wire::read(&mut stream).await, [0x40, 2, 0, 7]);
    eventually("both drops", async || (rig.dropped().0 == 2).then_some(())).await;
    assert_eq!(rig.dropped().1, "refused: the token does not allow publishing");
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_session_to_keep_needs_a_client_id() {
    let rig = Rig::start().await;
    let nameless = Connect { keep_session: true, ..connect(4, "", Some(FULL)) };
    let (_stream, answer) = nameless.send(rig.addr()).await;
    assert_eq!(answer[3], 2, "identifier rejected: {answer:02x?}");
    rig.broker.stop().await;
}

#[tokio::test]
async fn without_retained_messages_nothing_is_stored_and_version_5_is_told() {
    let rig = Rig::with(Embedded { retain: RetainMode::TagoIo, ..settings() }, None).await;
    let (_stream, answer) = connect(5, "told", Some(FULL)).send(rig.addr()).await;
    // Retain Available (37) is 0.
    assert!(answer[5..].windows(2).any(|pair| pair == [37, 0]), "{answer:02x?}");
    let sent = rig.mosquitto("mosquitto_pub", FULL, &["-q", "1", "-r", "-t", "kept", "-m", "1"]).await;
    assert!(sent.status.success(), "{sent:?}");
    let late = Mqtt::connect(options(rig.addr(), "late", FULL)).await;
    late.subscribe("#", QoS::AtLeastOnce).await;
    pause(Duration::from_millis(200)).await;
    assert_eq!(late.received(), 0);
    assert!(rig.broker.retained("#").await.is_empty());
    rig.broker.stop().await;
}

#[tokio::test]
async fn with_a_scope_per_device_topics_of_others_are_not_seen() {
    let rig = Rig::with(Embedded { scope: TopicScope::PerDevice, ..settings() }, None).await;
    let serial = |token, permission, serial: &str| {
        let serial = Some(serial.to_owned());
        with(token, permission, |account| account.serial = serial)
    };
    // Two tokens of one device, one of another.
    rig.accounts.replace([
        serial(FULL, Permission::Full, "pump"),
        serial(READ, Permission::Read, "pump"),
        serial(WRITE, Permission::Full, "valve"),
    ]);
    let kept = |token| {
        let mut options = options(rig.addr(), "pump", token);
        options.set_clean_start(false).set_session_expiry_interval(Some(60));
        options
    };
    let pump = Mqtt::connect(kept(FULL)).await;
    let display = Mqtt::connect(options(rig.addr(), "display", READ)).await;
    let valve = Mqtt::connect(options(rig.addr(), "valve", WRITE)).await;
    let relay = Mqtt::connect(options(rig.addr(), "relay", rig.broker.internal_token().expose())).await;
    for client in [&pump, &display, &valve, &relay] {
        client.subscribe("#", QoS::AtLeastOnce).await;
    }
    pump.client.publish("t", QoS::AtLeastOnce, true, "of the pump").await.unwrap();
    valve.client.publish("t", QoS::AtLeastOnce, true, "of the valve").await.unwrap();
    let of = |publishes: Vec<rumqttc::v5::mqttbytes::v5::Publish>| {
        publishes.into_iter().map(|publish| String::from_utf8(publish.payload.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(pump.messages(1).await), ["of the pump"]);
    assert_eq!(of(display.messages(1).await), ["of the pump"]);
    assert_eq!(of(valve.messages(1).await), ["of the valve"]);
    assert_eq!(of(relay.messages(2).await).len(), 2, "relays see all devices");
    // What is sent down reaches every device.
    relay.client.publish("down", QoS::AtLeastOnce, false, "to all").await.unwrap();
    assert_eq!(of(valve.messages(2).await), ["of the valve", "to all"]);
    assert_eq!(of(pump.messages(2).await), ["of the pump", "to all"]);
    // Each device has a retained message of its own on the same topic.
    let late = Mqtt::connect(options(rig.addr(), "late", WRITE)).await;
    late.subscribe("t", QoS::AtLeastOnce).await;
    assert_eq!(of(late.messages(1).await), ["of the valve"]);
    assert_eq!(rig.broker.retained("#").await.len(), 2);
    // Another device does not get the session that is kept under a client id.
    pump.abort();
    rig.goodbye("pump").await;
    let thief = Mqtt::connect(kept(WRITE)).await;
    assert!(!thief.session_present());
    pause(Duration::from_millis(100)).await;
    assert_eq!((thief.received(), valve.received(), display.received()), (0, 2, 2));
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_retained_message_ages_while_it_waits() {
    let rig = Rig::start().await;
    let arguments = ["-V", "mqttv5", "-q", "1", "-r", "-t", "aging", "-m", "x"];
    let expiry = ["-D", "publish", "message-expiry-interval", "4"];
    rig.mosquitto("mosquitto_pub", FULL, &[&arguments[..], &expiry].concat()).await;
    pause(Duration::from_millis(1_100)).await;
    let seen = rig.mosquitto("mosquitto_sub", FULL, &["-V", "mqttv5", "-t", "aging", "-C", "1", "-F", "%E"]).await;
    let left: u32 = String::from_utf8_lossy(&seen.stdout).trim().parse().unwrap();
    assert!((1..=3).contains(&left), "{left} of 4 seconds are left");
    eventually("the end of it", async || rig.broker.retained("#").await.is_empty().then_some(())).await;
    rig.broker.stop().await;
}
