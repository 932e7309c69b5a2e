//! rumqttc, in MQTT 3.1.1 and 5. It is built without TLS and WebSocket here: over TCP only.

use super::{UNKNOWN, Way};
use crate::support::broker::{FULL, Mqtt, options};
use crate::support::{eventually, soon};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::LastWill;
use rumqttc::{ConnectReturnCode, Event, Packet};
use std::net::SocketAddr;

const QUALITIES: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

/// Everything in MQTT 5; in 3.1.1 what differs: the refusal's code, and the packets.
pub(super) async fn everything(way: &Way) {
    assert!(way.url.starts_with("mqtt://"), "{} is not for rumqttc as it is built here", way.url);
    let addr = SocketAddr::from(([127, 0, 0, 1], way.port()));
    version_5(addr).await;
    version_3(addr).await;
}

async fn version_5(addr: SocketAddr) {
    let (_, mut refused) = rumqttc::v5::AsyncClient::new(options(addr, "rumqtt-wrong", UNKNOWN), 10);
    let error = soon("a refusal", refused.poll()).await.unwrap_err().to_string();
    assert!(error.contains("BadUserNamePassword") || error.contains("Refused"), "{error}");

    let one = Mqtt::connect(options(addr, "rumqtt-one", FULL)).await;
    let other = Mqtt::connect(options(addr, "rumqtt-other", FULL)).await;
    other.subscribe("rumqtt/live/#", QoS::ExactlyOnce).await;
    for (number, qos) in QUALITIES.into_iter().enumerate() {
        one.client.publish(format!("rumqtt/live/{number}"), qos, false, "hello").await.unwrap();
        let message = other.messages(number + 1).await.swap_remove(number);
        assert_eq!((message.qos, message.retain, &message.payload[..]), (qos, false, &b"hello"[..]));
    }

    one.client.publish("rumqtt/kept", QoS::AtLeastOnce, true, "kept").await.unwrap();
    one.acks(2).await;
    let late = Mqtt::connect(options(addr, "rumqtt-late", FULL)).await;
    late.subscribe("rumqtt/kept", QoS::AtLeastOnce).await;
    assert!(late.messages(1).await[0].retain);
    one.client.publish("rumqtt/kept", QoS::AtLeastOnce, true, "").await.unwrap();
    late.messages(2).await;

    let mut lost = options(addr, "rumqtt-lost", FULL);
    lost.set_last_will(LastWill::new("rumqtt/live/will", "gone", QoS::AtLeastOnce, false, None));
    Mqtt::connect(lost).await.abort();
    assert_eq!(&other.messages(4).await[3].payload[..], b"gone");

    let group = [
        Mqtt::connect(options(addr, "rumqtt-group0", FULL)).await,
        Mqtt::connect(options(addr, "rumqtt-group1", FULL)).await,
    ];
    for member in &group {
        member.subscribe("$share/rumqtt/rumqtt/shared", QoS::AtLeastOnce).await;
    }
    for number in 0..20 {
        one.client.publish("rumqtt/shared", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
    }
    let total = || group.iter().map(Mqtt::received).sum::<usize>();
    eventually("20 messages in the group", async || (total() >= 20).then_some(())).await;
    let mut got = vec![];
    for member in &group {
        let payloads = member.messages(member.received()).await;
        got.extend(payloads.iter().map(|one| String::from_utf8_lossy(&one.payload).parse::<u32>().unwrap()));
    }
    got.sort_unstable();
    assert_eq!(got, (0..20).collect::<Vec<_>>());
}

async fn version_3(addr: SocketAddr) {
    let options = |name: &str, token: &str| {
        let mut options = rumqttc::MqttOptions::new(name, addr.ip().to_string(), addr.port());
        options.set_credentials("Token", token);
        options
    };
    let (_, mut refused) = rumqttc::AsyncClient::new(options("rumqtt3-wrong", UNKNOWN), 10);
    match soon("a refusal", refused.poll()).await {
        Err(rumqttc::ConnectionError::ConnectionRefused(code)) => assert_eq!(code, ConnectReturnCode::NotAuthorized),
        other => panic!("{other:?}"),
    }
    let (client, mut events) = rumqttc::AsyncClient::new(options("rumqtt3", FULL), 10);
    client.subscribe("rumqtt3/#", rumqttc::QoS::ExactlyOnce).await.unwrap();
    for number in 0..3 {
        let qos = rumqttc::qos(number).unwrap();
        client.publish(format!("rumqtt3/{number}"), qos, false, "hello").await.unwrap();
    }
    let mut seen = vec![];
    while seen.len() < 3 {
        if let Event::Incoming(Packet::Publish(message)) = soon("a message", events.poll()).await.unwrap() {
            seen.push((message.topic, message.qos as u8));
        }
    }
    seen.sort();
    assert_eq!(seen, (0..3).map(|number| (format!("rumqtt3/{number}"), number)).collect::<Vec<_>>());
}
