//! Filters that overlap: each message once.

use super::{Running, config, publisher};
use crate::support::broker::{FULL, Mqtt, Rig};
use crate::support::mosquitto::Mosquitto;
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_domain::secret::Secret;
use rumqttc::v5::mqttbytes::QoS;

async fn overlap(mut relay: Running, publisher: Mqtt) {
    let grants = relay.granted(4).await;
    assert!(grants.iter().all(|(_, granted)| *granted == Ok(Qos::AtLeastOnce)), "{grants:?}");
    relay.noted("“plant/1/temp” needs no subscription of its own: “plant/+/temp” brings its messages.").await;
    for payload in ["same", "same", "other", "same"] {
        publisher.client.publish("plant/1/temp", QoS::AtLeastOnce, false, payload).await.unwrap();
    }
    publisher.client.publish("end", QoS::AtLeastOnce, false, "end").await.unwrap();
    let heard: Vec<_> = relay.until("end").await.into_iter().map(|one| one.payload).collect();
    assert_eq!(heard, ["same", "same", "other", "same", "end"]);
    relay.stop().await;
}

const OVERLAPPING: [(&str, Qos); 4] = [
    ("plant/+/temp", Qos::AtLeastOnce),
    ("plant/1/temp", Qos::AtLeastOnce),
    ("+/1/temp", Qos::AtLeastOnce),
    ("end", Qos::AtLeastOnce),
];

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_filters_deliver_once_on_mosquitto() {
    let broker = Mosquitto::open();
    overlap(Running::open(config(broker.port, MqttVersion::V5, &OVERLAPPING)), publisher(broker.port).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_filters_deliver_once_on_the_embedded_broker() {
    let rig = Rig::start().await;
    let mut wanted = config(rig.addr().port(), MqttVersion::V5, &OVERLAPPING);
    wanted.connection.username = Some("Token".into());
    wanted.secrets.password = Some(Secret::new(FULL));
    overlap(Running::open(wanted), publisher(rig.addr().port()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn covered_filters_deliver_once_with_mqtt_3_1_1() {
    let broker = Mosquitto::open();
    let filters = [("plant/#", Qos::AtLeastOnce), ("plant/1/+", Qos::AtLeastOnce), ("plant/1/temp", Qos::AtMostOnce)];
    let mut relay = Running::open(config(broker.port, MqttVersion::V311, &filters));
    let grants = relay.granted(3).await;
    assert_eq!(grants[2], ("plant/1/temp".into(), Ok(Qos::AtMostOnce)), "{grants:?}");
    let publisher = publisher(broker.port).await;
    for payload in ["one", "two"] {
        publisher.client.publish("plant/1/temp", QoS::AtLeastOnce, false, payload).await.unwrap();
    }
    assert_eq!(relay.until("two").await.len(), 2);
    relay.stop().await;
}
