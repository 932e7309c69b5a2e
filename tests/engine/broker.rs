//! The embedded broker against real clients. Each test tells what an update of rmqtt, or of our corrections, broke.

use crate::support::broker::{FULL, Mqtt, READ, Rig, WRITE, account, accounts, connect, options};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, pause, soon};
use relayscope_domain::broker::Embedded;
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_domain::token::Permission;
use relayscope_engine::broker::{BrokerConfig, BrokerError, EmbeddedBroker};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use rumqttc::v5::MqttOptions;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{PublishProperties, SubscribeReasonCode};
use std::collections::HashSet;
use std::net::TcpListener;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const UNKNOWN: &str = "99999999-2222-4333-8444-5555555fffff";

#[tokio::test]
async fn tokens_decide_who_connects() {
    let rig = Rig::start().await;
    let cases = [
        (connect(4, "v3-unknown", Some(UNKNOWN)), 5, "unknown token …fffff"),
        (connect(5, "v5-unknown", Some(UNKNOWN)), 0x86, "unknown token …fffff"),
        (connect(4, "short", Some("abc")), 5, "unknown token"),
        (connect(4, "no-password", None), 5, "no password: it must be a device token"),
        (
            Connect { username: None, ..connect(5, "no-name", Some(FULL)) },
            0x86,
            "no username: any is accepted, TagoIO's is Token",
        ),
    ];
    for (connect, code, words) in cases {
        let (mut stream, answer) = connect.send(rig.addr()).await;
        assert_eq!(answer[3], code, "{}: {answer:02x?}", connect.client_id);
        assert_eq!(wire::read(&mut stream).await, b"", "{}: the connection stays open", connect.client_id);
        assert_eq!(rig.refusal(connect.client_id).await, (Some(code), words.to_owned()));
    }
    for (level, version) in [(3, None), (4, Some(MqttVersion::V311)), (5, Some(MqttVersion::V5))] {
        let name = format!("good-{level}");
        let (_stream, answer) = connect(level, &name, Some(FULL)).send(rig.addr()).await;
        assert_eq!(answer[3], 0, "{answer:02x?}");
        let pick = |kind: &Kind| match kind {
            Kind::Connected { version, token_last5, detail, .. } => {
                Some((*version, token_last5.clone(), detail.clone()))
            }
            _ => None,
        };
        let (seen, last5, detail) = rig.event("a connect", &name, pick).await;
        assert_eq!((seen, last5.as_str()), (version, "aaaaa"));
        assert!(detail.contains("token “all” …aaaaa") && detail.contains("keep-alive 60 s"), "{detail}");
    }
    assert_eq!(rig.accounts.take_used().len(), 1);
    assert!(rig.accounts.take_used().is_empty());
    rig.broker.stop().await;
}

#[tokio::test]
async fn any_username_passes_with_a_note() {
    let rig = Rig::start().await;
    let (_stream, answer) =
        Connect { username: Some("tago"), ..connect(4, "named", Some(FULL)) }.send(rig.addr()).await;
    assert_eq!(answer, [0x20, 2, 0, 0]);
    let note = |kind: &Kind| match kind {
        Kind::Note { text, .. } => Some(text.clone()),
        _ => None,
    };
    assert!(rig.event("a note", "named", note).await.contains("“tago”"));
    rig.broker.stop().await;
}

#[tokio::test]
async fn mosquitto_clients_of_all_versions_talk_to_each_other() {
    let rig = Rig::start().await;
    for (version, topic) in [("mqttv31", "m/31"), ("mqttv311", "m/311"), ("mqttv5", "m/5")] {
        let sent =
            rig.mosquitto("mosquitto_pub", FULL, &["-V", version, "-q", "1", "-r", "-t", topic, "-m", version]).await;
        assert!(sent.status.success(), "{sent:?}");
        let got = rig.mosquitto("mosquitto_sub", READ, &["-V", version, "-q", "1", "-t", topic, "-C", "1"]).await;
        assert_eq!(String::from_utf8_lossy(&got.stdout).trim(), version);
    }
    let refused = rig.mosquitto("mosquitto_pub", UNKNOWN, &["-V", "mqttv5", "-t", "m/5", "-m", "x"]).await;
    assert!(!refused.status.success());
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_lost_client_leaves_its_will_and_a_polite_one_does_not() {
    let rig = Rig::start().await;
    let watcher = Mqtt::connect(options(rig.addr(), "watcher", FULL)).await;
    watcher.subscribe("will/#", QoS::AtLeastOnce).await;
    let lost = Connect { will: Some(("will/lost", "gone")), ..connect(4, "lost", Some(FULL)) };
    let (stream, _) = lost.send(rig.addr()).await;
    drop(stream);
    let message = &watcher.messages(1).await[0];
    assert_eq!((&message.topic[..], &message.payload[..]), (&b"will/lost"[..], &b"gone"[..]));
    let is_will = |kind: &Kind| matches!(kind, Kind::Publish { will: true, .. }).then_some(());
    rig.event("the will", "lost", is_will).await;
    assert_eq!(rig.goodbye("lost").await, ("the connection was closed without DISCONNECT".to_owned(), false));

    let polite = Connect { will: Some(("will/polite", "gone")), ..connect(4, "polite", Some(FULL)) };
    let (mut stream, _) = polite.send(rig.addr()).await;
    stream.write_all(&[0xE0, 0]).await.unwrap();
    drop(stream);
    assert_eq!(rig.goodbye("polite").await, ("the client sent DISCONNECT".to_owned(), true));
    pause(Duration::from_millis(200)).await;
    assert_eq!(watcher.received(), 1);
    rig.broker.stop().await;
}

#[tokio::test]
async fn permissions_hold() {
    let rig = Rig::start().await;
    let reader = Mqtt::connect(options(rig.addr(), "reader", READ)).await;
    assert_eq!(reader.subscribe("p/#", QoS::AtLeastOnce).await, SubscribeReasonCode::Success(QoS::AtLeastOnce));
    let writer = Mqtt::connect(options(rig.addr(), "writer", WRITE)).await;
    assert_eq!(writer.subscribe("p/#", QoS::AtMostOnce).await, SubscribeReasonCode::NotAuthorized);
    let refusal = |kind: &Kind| match kind {
        Kind::Subscribed { filter, requested, granted: Err(reason) } => {
            Some((filter.clone(), *requested, reason.clone()))
        }
        _ => None,
    };
    let refused = rig.event("a refused filter", "writer", refusal).await;
    assert_eq!(
        (&*refused.0, refused.1, refused.2.as_str()),
        ("p/#", Qos::AtMostOnce, "the token does not allow subscribing")
    );

    reader.client.publish("p/by-reader", QoS::AtLeastOnce, true, "no").await.unwrap();
    assert_ne!(reader.acks(1).await, [0], "the publish of a reader was acknowledged as a success");
    let lost = |kind: &Kind| match kind {
        Kind::Dropped { count, reason, .. } => Some((*count, reason.clone())),
        _ => None,
    };
    assert_eq!(
        rig.event("a drop", "reader", lost).await,
        (1, "refused: the token does not allow publishing".to_owned())
    );
    writer.client.publish("p/by-writer", QoS::AtLeastOnce, false, "yes").await.unwrap();
    assert_eq!(&reader.messages(1).await[0].topic[..], b"p/by-writer");

    let (mut stream, _) = connect(4, "old-writer", Some(WRITE)).send(rig.addr()).await;
    stream.write_all(&wire::subscribe("p/#", 1)).await.unwrap();
    assert_eq!(wire::read(&mut stream).await, [0x90, 3, 0, 1, 0x80]);

    let will = Connect { will: Some(("p/will", "x")), ..connect(5, "reader-will", Some(READ)) };
    assert_eq!(will.send(rig.addr()).await.1[3], 0x86);
    assert!(rig.refusal("reader-will").await.1.contains("a last will is a publish"));
    // Nothing of a reader is retained either.
    let late = Mqtt::connect(options(rig.addr(), "late", READ)).await;
    late.subscribe("p/#", QoS::AtLeastOnce).await;
    pause(Duration::from_millis(200)).await;
    assert_eq!(late.received(), 0);
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_taken_port_gives_the_next_free_one() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let start = async |port| {
        let settings = Embedded { port, ..Embedded::default() };
        let config = BrokerConfig::forgetful("second", settings, Feed::new(256 << 20), accounts());
        EmbeddedBroker::start(config).await
    };
    let broker = start(port).await.unwrap();
    let found = broker.addr().port();
    assert!(found > port && found <= port + 50, "{port} was taken, {found} was used");
    let third = start(port).await.unwrap();
    assert!(third.addr().port() > found);
    broker.stop().await;
    third.stop().await;
    let again = start(found).await.unwrap();
    assert_eq!(again.addr().port(), found, "a stopped broker keeps its port");
    again.stop().await;

    let last = TcpListener::bind("127.0.0.1:65535");
    if last.is_ok() {
        assert!(matches!(start(65_535).await.map(drop), Err(BrokerError::NoFreePort { first: 65_535, last: 65_535 })));
    }
}

#[tokio::test]
async fn a_removed_or_narrowed_token_cuts_its_clients_at_once() {
    let rig = Rig::start().await;
    let all = Mqtt::connect(options(rig.addr(), "all-1", FULL)).await;
    let reader = Mqtt::connect(options(rig.addr(), "reader-1", READ)).await;
    let writer = Mqtt::connect(options(rig.addr(), "writer-1", WRITE)).await;
    let own = Mqtt::connect(options(rig.addr(), "own", rig.broker.internal_token().expose())).await;
    assert_eq!(rig.broker.client_count(), 4);
    rig.accounts.replace([account("all", FULL, Permission::Full), account("writer", WRITE, Permission::Read)]);
    reader.end().await;
    writer.end().await;
    assert_eq!(rig.goodbye("reader-1").await.0, "its token was removed");
    assert_eq!(rig.goodbye("writer-1").await.0, "the permission of its token was changed");
    let (_stream, answer) = connect(4, "reader-2", Some(READ)).send(rig.addr()).await;
    assert_eq!(answer[3], 5);
    eventually("two clients", async || (rig.broker.client_count() == 2).then_some(())).await;

    own.subscribe("x", QoS::AtLeastOnce).await;
    all.client.publish("x", QoS::AtLeastOnce, false, "still there").await.unwrap();
    own.messages(1).await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn clients_are_listed_and_can_be_kicked() {
    let rig = Rig::start().await;
    let client = Mqtt::connect(options(rig.addr(), "listed", FULL)).await;
    client.subscribe("b/+", QoS::AtMostOnce).await;
    client.subscribe("$share/group/a/#", QoS::ExactlyOnce).await;
    let infos = rig.broker.clients().await;
    let info = &infos[0];
    assert_eq!(
        (infos.len(), info.client_id.as_str(), info.username.as_str(), info.token_name.as_str()),
        (1, "listed", "Token", "all")
    );
    let filters: Vec<&str> = info.subscriptions.iter().map(|(filter, _)| filter.as_str()).collect();
    assert_eq!(filters, ["$share/group/a/#", "b/+"]);
    assert_eq!(info.version, Some(MqttVersion::V5));
    assert!(info.address.unwrap().ip().is_loopback());
    let shared = |kind: &Kind| match kind {
        Kind::Subscribed { filter, granted: Ok(Qos::ExactlyOnce), .. } => Some(filter.to_string()),
        _ => None,
    };
    assert_eq!(rig.event("a subscription", "listed", shared).await, "$share/group/a/#");
    client.client.unsubscribe("b/+").await.unwrap();
    let given_up = |kind: &Kind| matches!(kind, Kind::Unsubscribed { filter } if &**filter == "b/+").then_some(());
    rig.event("an unsubscription", "listed", given_up).await;

    assert!(!rig.broker.kick("nobody").await);
    assert!(rig.broker.kick("listed").await);
    client.end().await;
    assert_eq!(rig.goodbye("listed").await, ("disconnected by a click in Relayscope".to_owned(), false));
    eventually("no client", async || rig.broker.clients().await.is_empty().then_some(())).await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn endings_are_told_apart() {
    let rig = Rig::start().await;
    let first = Mqtt::connect(options(rig.addr(), "twice", FULL)).await;
    let _second = Mqtt::connect(options(rig.addr(), "twice", FULL)).await;
    first.end().await;
    assert_eq!(rig.goodbye("twice").await.0, "taken over by a new connection with the same client id");
    assert_eq!(rig.broker.client_count(), 1, "the goodbye of the old connection removed the new one");

    let (_stream, _) = Connect { keep_alive: 1, ..connect(4, "silent", Some(FULL)) }.send(rig.addr()).await;
    let (reason, _) = rig.goodbye("silent").await;
    assert_eq!(reason, "nothing came within one and a half times the keep-alive of 1 s");

    let finished = rig.broker.finished();
    let feed = rig.feed.clone();
    rig.broker.stop().await;
    soon("the end of the broker", finished).await;
    let stopped = feed
        .events()
        .iter()
        .any(|event| matches!(&event.kind, Kind::Disconnected { reason, .. } if reason == "the broker was stopped"));
    assert!(stopped);
}

#[tokio::test]
async fn payloads_arrive_byte_for_byte() {
    let rig = Rig::start().await;
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    let receiver = Mqtt::connect(options(rig.addr(), "receiver", FULL)).await;
    receiver.subscribe("bytes/#", QoS::ExactlyOnce).await;
    let megabyte: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
    let payloads = [megabyte, vec![], (0..=255).collect(), "21,5 °C".into()];
    for (at, payload) in payloads.iter().enumerate() {
        sender.client.publish(format!("bytes/{at}"), QoS::AtLeastOnce, false, payload.clone()).await.unwrap();
        let message = receiver.messages(at + 1).await.swap_remove(at);
        assert!(message.payload == payload, "payload {at} changed on its way");
        let wanted = format!("bytes/{at}");
        let same = |kind: &Kind| match kind {
            Kind::Publish { topic, payload, .. } if **topic == *wanted => Some(payload.clone()),
            _ => None,
        };
        assert!(rig.event("the message", "sender", same).await == payload);
    }
    rig.broker.stop().await;
}

#[tokio::test]
async fn properties_are_told_in_words() {
    let rig = Rig::start().await;
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    let properties = PublishProperties {
        content_type: Some("application/json".into()),
        response_topic: Some("answers".into()),
        correlation_data: Some(vec![1, 0xab].into()),
        message_expiry_interval: Some(90),
        user_properties: vec![("line".into(), "2".into())],
        ..Default::default()
    };
    sender.client.publish_with_properties("props", QoS::ExactlyOnce, true, "{}", properties).await.unwrap();
    let seen = |kind: &Kind| match kind {
        Kind::Publish { properties, qos, retain, .. } => Some((properties.clone(), *qos, *retain)),
        _ => None,
    };
    let (words, qos, retain) = rig.event("a message", "sender", seen).await;
    assert_eq!((qos, retain), (Qos::ExactlyOnce, true));
    let expected = [
        ("Content type", "application/json"),
        ("Message expiry", "90 s"),
        ("Response topic", "answers"),
        ("Correlation data", "0x01ab"),
        ("User property line", "2"),
    ];
    assert_eq!(words, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    rig.broker.stop().await;
}

/// A client subscribes to `missed` and goes; its session is kept. Returns how it comes back.
async fn gone_with_its_session_kept(rig: &Rig, token: &str) -> MqttOptions {
    let mut kept = options(rig.addr(), "kept", token);
    kept.set_clean_start(false).set_session_expiry_interval(Some(600));
    let client = Mqtt::connect(kept.clone()).await;
    client.subscribe("missed", QoS::AtLeastOnce).await;
    client.abort();
    rig.goodbye("kept").await;
    kept
}

#[tokio::test]
async fn a_kept_session_gets_what_it_missed() {
    let rig = Rig::start().await;
    let kept = gone_with_its_session_kept(&rig, FULL).await;
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    for number in 0..500 {
        sender.client.publish("missed", QoS::AtLeastOnce, false, number.to_string()).await.unwrap();
    }
    sender.acks(500).await;
    let again = Mqtt::connect(kept).await;
    assert!(again.session_present());
    let numbers: HashSet<_> = again.messages(500).await.into_iter().map(|message| message.payload).collect();
    assert_eq!(numbers.len(), 500);
    rig.broker.stop().await;
}

#[tokio::test]
async fn shared_subscriptions_deal_in_turn() {
    let rig = Rig::start().await;
    let one = Mqtt::connect(options(rig.addr(), "one", FULL)).await;
    let two = Mqtt::connect(options(rig.addr(), "two", FULL)).await;
    for member in [&one, &two] {
        member.subscribe("$share/workers/jobs", QoS::AtLeastOnce).await;
    }
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    for _ in 0..100 {
        sender.client.publish("jobs", QoS::AtLeastOnce, false, "job").await.unwrap();
    }
    eventually("all jobs", async || (one.received() + two.received() == 100).then_some(())).await;
    assert_eq!((one.received(), two.received()), (50, 50));
    rig.broker.stop().await;
}

/// A session that is kept for a client without a token any more would collect messages for nobody.
#[tokio::test]
async fn a_removed_token_ends_its_kept_session() {
    let rig = Rig::start().await;
    let kept = gone_with_its_session_kept(&rig, READ).await;
    let sender = Mqtt::connect(options(rig.addr(), "sender", FULL)).await;
    sender.client.publish("missed", QoS::AtLeastOnce, false, "for nobody").await.unwrap();
    sender.acks(1).await;
    rig.accounts.replace([account("all", FULL, Permission::Full)]);
    eventually("the end of the session", async || (rig.dropped().0 == 1).then_some(())).await;
    rig.accounts.replace([account("all", FULL, Permission::Full), account("reader", READ, Permission::Read)]);
    assert!(!Mqtt::connect(kept).await.session_present());
    rig.broker.stop().await;
}
