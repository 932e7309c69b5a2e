//! The MQTT client over real brokers: many filters, filters that overlap, packets too large, versions found by itself, the
//! status topic, and what a broker's misbehaviour ends in.

mod holding;
mod overlap;
mod peer;
mod websocket;

use crate::support::broker::{FULL, Mqtt, options};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::scripted::{self, Talk};
use crate::support::{eventually, soon};
use bytes::Bytes;
use relayscope_domain::broker::{BrokerSecrets, Connection, Tls, Transport};
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use relayscope_engine::mqtt::link::MAX_PACKET;
use relayscope_engine::mqtt::session::{self, Publication, Received, Session, SessionConfig, Standing, Unpublished};
use rumqttc::v5::mqttbytes::QoS;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V5, MqttVersion::V311];

fn config(port: u16, version: MqttVersion, filters: &[(&str, Qos)]) -> SessionConfig {
    SessionConfig {
        name: "Plant".into(),
        broker: "broker".into(),
        connection: Connection {
            host: "127.0.0.1".into(),
            port,
            transport: Transport::Tcp,
            path: String::new(),
            version,
            client_id: "plant-7".into(),
            username: None,
            keep_alive: 30,
            clean_start: false,
            session_expiry: 3_600,
            will: None,
            tls: Tls::default(),
        },
        secrets: BrokerSecrets::default(),
        filters: filters.iter().map(|(filter, qos)| ((*filter).into(), *qos)).collect(),
        stale_filters: vec![],
        max_packet: MAX_PACKET,
        status_topic: None,
        feed: Feed::new(64 << 20),
    }
}

/// A session that runs, and the consumer that acknowledges all it gets.
struct Running {
    session: Session,
    feed: Feed,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn open(config: SessionConfig) -> Self {
        let (feed, stop) = (config.feed.clone(), CancellationToken::new());
        let (session, task) = session::open(config, stop.clone()).unwrap();
        Self { session, feed, stop, task: tokio::spawn(task) }
    }

    /// Waits until as many filters were answered.
    async fn granted(&mut self, count: usize) -> Vec<(Arc<str>, Result<Qos, String>)> {
        let state = soon("grants", self.session.state.wait_for(|state| state.grants.len() == count)).await.unwrap();
        assert_eq!(state.standing, Standing::Connected);
        state.grants.clone()
    }

    /// The next message, acknowledged.
    async fn next(&mut self) -> Received {
        let received = soon("a message", self.session.arrivals.recv()).await.unwrap();
        self.session.acks.send(received.ack.into_iter().collect()).await.unwrap();
        self.session.backlog.taken(Received::cost(received.topic.len() + received.payload.len()));
        received
    }

    /// Messages up to the one with this payload, copies left out.
    async fn until(&mut self, last: &str) -> Vec<Received> {
        let mut all = vec![];
        loop {
            let received = self.next().await;
            if received.copy {
                continue;
            }
            let done = received.payload == last.as_bytes();
            all.push(received);
            if done {
                return all;
            }
        }
    }

    async fn publish(&self, topic: &str, payload: Bytes, qos: Qos, retain: bool) -> Result<(), Unpublished> {
        let (done, told) = oneshot::channel();
        let publication = Publication { topic: topic.into(), payload, qos, retain, properties: Bytes::new(), done };
        assert!(self.session.commands.send(publication).await.is_ok());
        soon("the broker's answer", told).await.unwrap()
    }

    fn count(&self, mut pick: impl FnMut(&Kind) -> bool) -> usize {
        self.feed.events().iter().filter(|event| pick(&event.kind)).count()
    }

    async fn noted(&self, words: &str) {
        let told = |kind: &Kind| matches!(kind, Kind::Note { text, .. } if text.contains(words));
        eventually(words, async || (self.count(told) > 0).then_some(())).await;
    }

    /// Stops as the app does: no more acknowledgements come once what was received is stored.
    async fn stop(self) {
        self.stop.cancel();
        drop(self.session);
        soon("the session to end", self.task).await.unwrap();
    }
}

async fn publisher(port: u16) -> Mqtt {
    Mqtt::connect(options(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), "publisher", FULL)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_filters_are_all_heard() {
    let broker = Mosquitto::open();
    for version in VERSIONS {
        let names: Vec<String> = (0..500).map(|at| format!("line/{at}/+")).collect();
        let filters: Vec<_> = names.iter().map(|name| (name.as_str(), Qos::AtLeastOnce)).collect();
        let mut relay = Running::open(config(broker.port, version, &filters));
        let grants = relay.granted(500).await;
        assert!(grants.iter().all(|(_, granted)| *granted == Ok(Qos::AtLeastOnce)));
        let publisher = publisher(broker.port).await;
        for at in 0..500 {
            publisher.client.publish(format!("line/{at}/temp"), QoS::AtLeastOnce, false, at.to_string()).await.unwrap();
        }
        let heard = relay.until("499").await;
        let topics: Vec<_> = heard.iter().map(|one| one.topic.to_string()).collect();
        assert_eq!(topics, (0..500).map(|at| format!("line/{at}/temp")).collect::<Vec<_>>());
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_mqtt_3_1_1_a_packet_too_large_is_skipped_and_all_else_flows() {
    let broker = Mosquitto::open();
    let publisher = publisher(broker.port).await;
    publisher.client.publish("load/kept", QoS::AtLeastOnce, true, vec![b'k'; 300_000]).await.unwrap();
    publisher.acks(1).await;
    let mut wanted = config(broker.port, MqttVersion::V311, &[("load/#", Qos::ExactlyOnce)]);
    wanted.max_packet = 10_000;
    let mut relay = Running::open(wanted);
    relay.granted(1).await;
    for (payload, qos) in [
        (vec![b'1'; 200_000], QoS::AtLeastOnce),
        (b"small".to_vec(), QoS::AtLeastOnce),
        (vec![b'2'; 2_000_000], QoS::ExactlyOnce),
        (vec![b'0'; 20_000], QoS::AtMostOnce),
        (b"last".to_vec(), QoS::ExactlyOnce),
    ] {
        publisher.client.publish("load/a", qos, false, payload).await.unwrap();
    }
    let heard: Vec<_> = relay.until("last").await.into_iter().map(|one| one.payload).collect();
    assert_eq!(heard, ["small", "last"]);
    assert_eq!(relay.session.oversized.load(Ordering::Relaxed), 4, "the retained one is counted as well");
    let told = |kind: &Kind| matches!(kind, Kind::Dropped { topic, reason, .. } if topic.starts_with("load/") && reason.contains("10000"));
    assert_eq!(relay.count(told), 4);
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Connected { .. })), 1);
    // QoS 1: one small, one skipped, the retained one; QoS 2: one small, one skipped.
    eventually("all acknowledgements", async || {
        let log = broker.log();
        let said = |words: &str| log.matches(&format!("Received {words} from plant-7")).count();
        ((said("PUBACK"), said("PUBREC"), said("PUBCOMP")) == (3, 2, 2)).then_some(())
    })
    .await;
    relay.stop().await;
    let mut again = Running::open(config(broker.port, MqttVersion::V311, &[("load/a", Qos::ExactlyOnce)]));
    again.granted(1).await;
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, "after").await.unwrap();
    assert_eq!(again.until("after").await.last().unwrap().payload, "after", "nothing comes again");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_of_a_skipped_packet_waits_for_its_turn() {
    let broker = Mosquitto::open();
    let publisher = publisher(broker.port).await;
    let mut wanted = config(broker.port, MqttVersion::V311, &[("load/#", Qos::AtLeastOnce)]);
    wanted.max_packet = 1_000;
    let mut relay = Running::open(wanted);
    relay.granted(1).await;
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, "first").await.unwrap();
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, vec![0; 5_000]).await.unwrap();
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, "third").await.unwrap();
    let first = soon("a message", relay.session.arrivals.recv()).await.unwrap();
    let third = soon("a message", relay.session.arrivals.recv()).await.unwrap();
    assert_eq!((&first.payload[..], &third.payload[..]), (&b"first"[..], &b"third"[..]));
    let acks = |log: &str| -> Vec<String> {
        log.lines()
            .filter(|line| line.contains("Received PUBACK from plant-7"))
            .map(|line| line[line.find("Mid").unwrap()..].to_owned())
            .collect()
    };
    assert!(acks(&broker.log()).is_empty(), "the second would overtake the first");
    relay.session.acks.send(first.ack.into_iter().chain(third.ack).collect()).await.unwrap();
    let order =
        eventually("three acknowledgements", async || Some(acks(&broker.log())).filter(|acks| acks.len() == 3)).await;
    assert!(
        order[0].starts_with("Mid: 1,") && order[1].starts_with("Mid: 2,") && order[2].starts_with("Mid: 3,"),
        "{order:?}"
    );
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_mqtt_5_the_broker_withholds_a_packet_too_large() {
    let broker = Mosquitto::open();
    let mut wanted = config(broker.port, MqttVersion::V5, &[("load/#", Qos::AtLeastOnce)]);
    wanted.max_packet = 10_000;
    let mut relay = Running::open(wanted);
    relay.granted(1).await;
    let publisher = publisher(broker.port).await;
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, vec![0; 200_000]).await.unwrap();
    publisher.client.publish("load/a", QoS::AtLeastOnce, false, "small").await.unwrap();
    assert_eq!(relay.until("small").await.len(), 1);
    assert_eq!(relay.session.oversized.load(Ordering::Relaxed), 0);
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Connected { .. })), 1);
    relay.stop().await;
}

/// Two messages that are alike come twice, whatever filters match them.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_mqtt_5_is_spoken_to_in_3_1_1() {
    for talk in [Talk::refuse_v5(&[0x20, 2, 0, 1]), Talk::refuse_v5(&[0x20, 3, 0, 0x84, 0]), Talk::refuse_v5(&[])] {
        let broker = scripted::talking(talk).await;
        let mut relay = Running::open(config(broker.port, MqttVersion::Auto, &[("a", Qos::AtLeastOnce)]));
        relay.granted(1).await;
        assert_eq!(relay.session.state.borrow().version, Some(MqttVersion::V311));
        relay.noted("MQTT 3.1.1 is used instead").await;
        // It remembers: the next connection asks for 3.1.1 at once.
        let before = broker.levels();
        broker.cut();
        eventually("another connection", async || (broker.levels().len() > before.len()).then_some(())).await;
        assert_eq!(broker.levels()[before.len()..], [4]);
        relay.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_5_is_found_by_itself_and_a_fixed_version_stays() {
    let broker = Mosquitto::open();
    for (version, spoken) in [
        (MqttVersion::Auto, MqttVersion::V5),
        (MqttVersion::V5, MqttVersion::V5),
        (MqttVersion::V311, MqttVersion::V311),
    ] {
        let mut relay = Running::open(config(broker.port, version, &[("a", Qos::AtLeastOnce)]));
        relay.granted(1).await;
        assert_eq!(relay.session.state.borrow().version, Some(spoken));
        relay.stop().await;
    }
    let old = scripted::talking(Talk::refuse_v5(&[0x20, 2, 0, 1])).await;
    let mut relay = Running::open(config(old.port, MqttVersion::V5, &[("a", Qos::AtLeastOnce)]));
    let refused = |state: &session::SessionState| matches!(state.standing, Standing::Refused(_));
    soon("a refusal", relay.session.state.wait_for(refused)).await.unwrap();
    relay.stop().await;
}

/// What stands on a topic, as another client sees it.
async fn retained(port: u16, topic: &str) -> String {
    let port = port.to_string();
    let arguments = ["-h", "127.0.0.1", "-p", &port, "-t", topic, "-C", "1", "-W", "5"];
    let output = tokio::process::Command::new("mosquitto_sub").args(arguments).output().await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_topic_says_online_and_offline() {
    let broker = Mosquitto::open();
    for version in VERSIONS {
        let start = || {
            let mut wanted = config(broker.port, version, &[("a", Qos::AtLeastOnce)]);
            wanted.status_topic = Some("status/plant".into());
            Running::open(wanted)
        };
        let stands = async |words: &str| {
            eventually(words, async || (retained(broker.port, "status/plant").await == words).then_some(())).await;
        };
        let mut relay = start();
        relay.granted(1).await;
        stands("online").await;
        relay.stop().await;
        stands("offline").await;
        let mut relay = start();
        relay.granted(1).await;
        stands("online").await;
        // As when the process dies: the broker sends the will.
        relay.task.abort();
        stands("offline").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_ours_are_done_when_the_broker_says_so_or_refused_in_words() {
    let broker =
        Mosquitto::start(&Setup { extra: "max_packet_size 4096\nretain_available false\n".into(), ..Setup::default() });
    let mut relay = Running::open(config(broker.port, MqttVersion::V5, &[("echo", Qos::AtLeastOnce)]));
    relay.granted(1).await;
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        assert_eq!(relay.publish("echo", "hello".into(), qos, false).await, Ok(()));
        assert_eq!(relay.next().await.payload, "hello");
    }
    for (payload, retain, words) in [(Bytes::from(vec![0; 5_000]), false, "4096 bytes"), ("x".into(), true, "retained")]
    {
        let told = relay.publish("echo", payload, Qos::AtLeastOnce, retain).await.unwrap_err();
        let Unpublished::Refused { code: None, why } = &told else { panic!("{told:?}") };
        assert!(why.contains(words), "{why}");
    }
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Connected { .. })), 1);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_messages_of_ours_keep_within_the_brokers_window() {
    let broker = Mosquitto::start(&Setup { extra: "max_inflight_messages 5\n".into(), ..Setup::default() });
    for version in VERSIONS {
        let mut relay = Running::open(config(broker.port, version, &[]));
        soon("CONNACK", relay.session.state.wait_for(|state| state.standing == Standing::Connected)).await.unwrap();
        let mut told = vec![];
        for at in 0..3_000 {
            let (done, answer) = oneshot::channel();
            let qos = if at % 2 == 0 { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
            let one = Publication {
                topic: "out".into(),
                payload: "x".into(),
                qos,
                retain: false,
                properties: Bytes::new(),
                done,
            };
            assert!(relay.session.commands.send(one).await.is_ok());
            told.push(answer);
        }
        for answer in told {
            assert_eq!(soon("the broker's answer", answer).await.unwrap(), Ok(()));
        }
        relay.stop().await;
    }
}
