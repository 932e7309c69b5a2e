//! What a broker's silence and misbehaviour end in.

use super::{Running, config};
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use crate::support::scripted::{self, Talk};
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_engine::feed::event::Kind;

#[tokio::test(flavor = "multi_thread")]
async fn misbehaviour_of_a_broker_ends_in_words_and_another_try() {
    for (after, words) in [
        (&[0x36, 3, 0, 1, b'a'][..], "not valid MQTT (QoS 3)"),
        (&[0x30, 0xff, 0xff, 0xff, 0xff, 1], "not valid MQTT"),
        (&[0x90, 0xff, 0xff, 0xff, 0x7f], "A packet of 268435460 bytes came"),
        (&[0xf0, 0], "not valid MQTT"),
        (&[0x32, 5, 0, 1, b'#', 0, 1], "not valid MQTT (the topic “#”)"),
    ] {
        let broker = scripted::talking(Talk { after, ..Talk::accept() }).await;
        let relay = Running::open(config(broker.port, MqttVersion::V311, &[("a", Qos::AtLeastOnce)]));
        let told = |kind: &Kind| matches!(kind, Kind::Disconnected { reason, .. } if reason.contains(words));
        eventually(words, async || (relay.count(told) > 0).then_some(())).await;
        eventually("another try", async || (broker.levels().len() > 1).then_some(())).await;
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_falls_silent_is_given_up() {
    let broker = scripted::talking(Talk::accept()).await;
    let mut wanted = config(broker.port, MqttVersion::V311, &[("a", Qos::AtLeastOnce)]);
    wanted.connection.keep_alive = 1;
    let relay = Running::open(wanted);
    let told = |kind: &Kind| matches!(kind, Kind::Disconnected { reason, .. } if reason.contains("keep-alive ping"));
    eventually("the end", async || (relay.count(told) > 0).then_some(())).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keep_alive_keeps_an_idle_connection_up() {
    let broker = Mosquitto::open();
    for keep_alive in [2, 0] {
        let mut wanted = config(broker.port, MqttVersion::V5, &[("a", Qos::AtLeastOnce)]);
        wanted.connection.keep_alive = keep_alive;
        let mut relay = Running::open(wanted);
        relay.granted(1).await;
        if keep_alive > 0 {
            let pings = || broker.log().matches("Received PINGREQ from plant-7").count();
            eventually("pings", async || (pings() > 3).then_some(())).await;
        }
        assert_eq!(relay.count(|kind| matches!(kind, Kind::Disconnected { .. })), 0);
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_nobody_expects_is_answered() {
    // PUBREL for the identifier 9, of a session before ours.
    let broker = scripted::talking(Talk { after: &[0x62, 2, 0, 9], ..Talk::accept() }).await;
    let relay = Running::open(config(broker.port, MqttVersion::V311, &[("a", Qos::ExactlyOnce)]));
    eventually("PUBCOMP", async || broker.heard().iter().any(|packet| packet == &[0x70, 0, 9]).then_some(())).await;
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Disconnected { .. })), 0);
    relay.stop().await;
}
