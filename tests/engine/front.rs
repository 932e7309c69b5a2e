//! The front before a real Mosquitto: bytes pass unchanged, and every packet becomes the event it is.

use crate::support::broker::{Mqtt, connect, options};
use crate::support::front::{FrontRig, Setup};
use crate::support::mosquitto::{self, Mosquitto};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, pause, soon};
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_engine::feed::event::{Ack, Direction, Event, Kind};
use relayscope_engine::front::{Goodbye, Policy, Target};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, PublishProperties};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a raw client hears until the connection ends.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![];
    let _ = soon("the end of the connection", stream.read_to_end(&mut bytes)).await;
    bytes
}

#[tokio::test]
async fn bytes_pass_unchanged_both_ways_whatever_they_are() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = FrontRig::before(broker.local_addr().unwrap().port()).await;
    let up: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let down: Vec<u8> = up.iter().rev().copied().collect();
    let client = TcpStream::connect(rig.addr()).await.unwrap();
    let (mut reader, mut writer) = client.into_split();
    let expected = up.clone();
    let sent = async {
        writer.write_all(&up).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let heard = async {
        let mut heard = vec![];
        reader.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let served = async {
        let (socket, _) = broker.accept().await.unwrap();
        let (mut reader, mut writer) = socket.into_split();
        let mut came = vec![];
        tokio::join!(async { writer.write_all(&down).await.unwrap() }, async {
            reader.read_to_end(&mut came).await.unwrap()
        });
        came
    };
    let ((), heard, came) = soon("all bytes", async { tokio::join!(sent, heard, served) }).await;
    assert!(came == expected, "the broker got something else");
    assert!(heard == down, "the client got something else");
    rig.event("what can't be read", |kind| matches!(kind, Kind::Malformed { .. }).then_some(())).await;
    rig.stop().await;
}

#[tokio::test]
async fn every_packet_becomes_its_event() {
    let broker = Mosquitto::open();
    let rig =
        FrontRig::start(broker.port, Setup { policy: Policy { pings: true, ..Policy::default() }, ..Setup::default() })
            .await;
    let mut asked = options(rig.addr(), "talker", "a-password-of-some-length");
    asked.set_last_will(LastWill::new("wills", "gone", QoS::AtLeastOnce, true, None));
    asked.set_keep_alive(Duration::from_secs(5));
    let client = Mqtt::connect(asked).await;
    client.subscribe("a/+", QoS::ExactlyOnce).await;
    let properties = PublishProperties {
        content_type: Some("text/plain".into()),
        user_properties: vec![("line".into(), "2".into())],
        ..PublishProperties::default()
    };
    client.client.publish_with_properties("a/0", QoS::AtMostOnce, false, "zero", properties).await.unwrap();
    client.client.publish("a/1", QoS::AtLeastOnce, true, "one").await.unwrap();
    client.client.publish("a/2", QoS::ExactlyOnce, false, "two").await.unwrap();
    client.messages(3).await;
    client.client.unsubscribe("a/+").await.unwrap();
    rig.event("an unsubscription", |kind| matches!(kind, Kind::Unsubscribed { .. }).then_some(())).await;
    rig.event("a pong", |kind| matches!(kind, Kind::Ping { answer: true, took: Some(_) }).then_some(())).await;
    let info = rig.front.connections().list().remove(0);
    assert_eq!((info.client_id.as_str(), info.username.as_str(), info.keep_alive), ("talker", "Token", 5));
    assert_eq!((info.version(), info.received.0, info.sent.0), (Some(MqttVersion::V5), 3, 3));
    assert_eq!((info.will.as_deref(), info.pings > 0), (Some("wills"), true));
    client.client.disconnect().await.unwrap();
    rig.closed().await;
    let events = rig.stop().await.events();

    let connection = events[0].connection;
    assert!(connection.is_some() && events.iter().all(|event| event.connection == connection));
    assert!(events.windows(2).all(|pair| pair[0].instant <= pair[1].instant), "events are out of order");
    assert!(matches!(&events[0].kind, Kind::Accepted { listener } if listener.starts_with("TCP on 127.0.0.1:")));
    let Kind::Connect { version, facts, will, .. } = &events[1].kind else { panic!("{:?}", events[1]) };
    assert_eq!((*version, will.as_deref()), (Some(MqttVersion::V5), Some(&b"gone"[..])));
    let fact = |name: &str| facts.iter().find(|(fact, _)| fact == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (fact("will topic"), fact("will QoS"), fact("password ending")),
        (Some("wills"), Some("1"), Some("ength"))
    );
    assert!(!format!("{events:?}").contains("a-password"), "a password is kept");
    assert!(matches!(&events[2].kind, Kind::Connected { session_present: false, will: true, .. }));
    assert!(events[2].client == "talker".into());
    let subscribed = |event: &&Event| matches!(&event.kind, Kind::Subscribed { filter, requested: Qos::ExactlyOnce, granted: Ok(Qos::ExactlyOnce) } if &**filter == "a/+");
    assert_eq!(events.iter().filter(subscribed).count(), 1);
    for way in [Direction::In, Direction::ToClient] {
        let of_way = |event: &Event| match &event.kind {
            Kind::Publish { direction, topic, payload, qos, properties, .. } if *direction == way => {
                Some((topic.to_string(), payload.clone(), *qos, properties.len()))
            }
            _ => None,
        };
        let messages: Vec<_> = events.iter().filter_map(of_way).collect();
        let expected = [("a/0", "zero", 0, 2), ("a/1", "one", 1, 0), ("a/2", "two", 2, 0)]
            .map(|(topic, payload, qos, facts)| (topic.to_owned(), payload.into(), Qos::try_from(qos).unwrap(), facts));
        assert_eq!(messages, expected);
        let acks = |wanted: Ack| {
            let ack = |event: &&Event| matches!(&event.kind, Kind::Acknowledged { direction, ack, code: 0 | 0x10, took: Some(_), topic, .. } if *direction == way && *ack == wanted && topic.starts_with("a/"));
            events.iter().filter(ack).count()
        };
        assert_eq!([Ack::PubAck, Ack::PubRec, Ack::PubRel, Ack::PubComp].map(acks), [1; 4], "{way:?}");
    }
    assert!(events.iter().any(|event| matches!(&event.kind, Kind::Disconnected { reason, clean: true, .. } if reason == "the client sent DISCONNECT")));
    assert!(matches!(&events.last().unwrap().kind, Kind::Closed { received: (3, _), sent: (3, _), .. }));
}

#[tokio::test]
async fn a_refusal_is_told_in_words() {
    let broker = Mosquitto::start(&mosquitto::Setup { login: Some(("u", "p")), ..mosquitto::Setup::default() });
    for (level, code) in [(4, 5), (5, 0x87)] {
        let rig = FrontRig::before(broker.port).await;
        let (mut stream, answer) = connect(level, "stranger", Some("wrong-password")).send(rig.addr()).await;
        assert_eq!(answer[3], code);
        rest(&mut stream).await;
        let pick = |kind: &Kind| match kind {
            Kind::Refused { code, reason } => Some((*code, reason.clone())),
            _ => None,
        };
        let (told, reason) = rig.event("a refusal", pick).await;
        assert_eq!((told, reason.contains("not authorized")), (Some(code), true), "{reason}");
        rig.closed().await;
        assert!(rig.all(|event| matches!(event.kind, Kind::Disconnected { .. }).then_some(())).is_empty());
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_malformed_packet_is_shown_and_the_next_one_is_found() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = FrontRig::before(broker.local_addr().unwrap().port()).await;
    let mut client = TcpStream::connect(rig.addr()).await.unwrap();
    client.write_all(&connect(4, "odd", None).packet()).await.unwrap();
    let (mut socket, _) = broker.accept().await.unwrap();
    socket.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    client.write_all(&[0x30, 3, 0, 9, b'x']).await.unwrap();
    client.write_all(&wire::publish("fine", b"1")).await.unwrap();
    let malformed = |kind: &Kind| match kind {
        Kind::Malformed { direction: Direction::In, bytes, size, reason } => {
            Some((bytes.clone(), *size, reason.clone()))
        }
        _ => None,
    };
    let (bytes, size, reason) = rig.event("a malformed packet", malformed).await;
    assert_eq!((&bytes[..], size, reason.is_empty()), (&[0x30, 3, 0, 9, b'x'][..], 5, false));
    rig.event("the next", |kind| matches!(kind, Kind::Publish { topic, .. } if &**topic == "fine").then_some(())).await;
    // 256 MB announced: forwarded as it comes, nothing is kept.
    client.write_all(&[0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, b't']).await.unwrap();
    drop((client, socket));
    rig.closed().await;
    rig.stop().await;
}

#[tokio::test]
async fn ends_are_told_by_their_cause() {
    let broker = Mosquitto::open();
    let end = async |how: &str| {
        let rig = FrontRig::before(broker.port).await;
        let keep_alive = if how == "silence" { 1 } else { 60 };
        let (mut stream, _) = Connect { keep_alive, ..connect(4, how, None) }.send(rig.addr()).await;
        match how {
            "silence" => drop(rest(&mut stream).await),
            "a reset" => {
                let raw = socket_of(&stream);
                raw.set_linger(Some(Duration::ZERO)).unwrap();
                drop(stream);
            }
            _ => drop(stream),
        }
        let told = (rig.goodbye().await, rig.closed().await);
        rig.stop().await;
        told
    };
    let owned = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let quiet = "nothing came within one and a half times the keep-alive of 1 s";
    assert_eq!(end("silence").await, owned(quiet, "closed by the broker"));
    assert_eq!(end("a reset").await, owned("reset by the client", "reset by the client"));
    let plain = end("a close").await;
    assert_eq!(plain, owned("the connection was closed without DISCONNECT", "closed by the client"));
}

fn socket_of(stream: &TcpStream) -> Lingering {
    use std::os::fd::AsRawFd;
    Lingering(stream.as_raw_fd())
}

struct Lingering(i32);

impl Lingering {
    fn set_linger(&self, time: Option<Duration>) -> std::io::Result<()> {
        let linger = libc::linger { l_onoff: time.is_some().into(), l_linger: 0 };
        let size = size_of::<libc::linger>() as libc::socklen_t;
        // SAFETY: the socket is open, and the option's value lives as long as the call.
        let done =
            unsafe { libc::setsockopt(self.0, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), size) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

#[tokio::test]
async fn a_cut_client_hears_why_and_the_broker_sends_its_will() {
    let broker = Mosquitto::open();
    let rig = FrontRig::before(broker.port).await;
    let watcher = Mqtt::connect(options(([127, 0, 0, 1], broker.port).into(), "watcher", "x")).await;
    watcher.subscribe("wills/#", QoS::AtLeastOnce).await;
    for (level, heard) in [(5, &[0xe0, 2, 0x98, 0][..]), (4, &[][..])] {
        let name = format!("cut-{level}");
        let topic = format!("wills/{level}");
        let (mut stream, _) =
            Connect { will: Some((&topic, "gone")), ..connect(level, &name, None) }.send(rig.addr()).await;
        let find = async || rig.front.connections().list().into_iter().find(|info| info.client_id == name);
        let info = eventually("the connection", find).await;
        let begin = std::time::Instant::now();
        assert!(rig.front.connections().cut(info.id, Goodbye::by_hand("disconnected by a click")));
        assert_eq!(rest(&mut stream).await, heard);
        eprintln!("cut after {:?}", begin.elapsed());
        assert!(!rig.front.connections().cut(info.id, Goodbye::by_hand("again")));
        let told = |event: &Event| match &event.kind {
            Kind::Disconnected { reason, clean: false, .. } if *event.client == *name => Some(reason.clone()),
            _ => None,
        };
        let reason = eventually("a disconnect", async || rig.all(told).pop()).await;
        assert_eq!(reason, "disconnected by a click");
    }
    assert_eq!(watcher.messages(2).await.len(), 2);
    // The front's own end is told as well.
    let (mut stream, _) = connect(5, "last", None).send(rig.addr()).await;
    let feed = rig.stop().await;
    assert_eq!(rest(&mut stream).await, [0xe0, 2, 0x8b, 0]);
    assert!(
        feed.events()
            .iter()
            .any(|event| matches!(&event.kind, Kind::Disconnected { reason, .. } if reason == "the front was stopped"))
    );
}

#[tokio::test]
async fn a_target_that_is_away_closes_its_clients_with_a_reason() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rig = FrontRig::before(free.port()).await;
    let (mut stream, answer) = connect(5, "early", None).send(rig.addr()).await;
    assert_eq!(answer, [0x20, 3, 0, 0x88, 0]);
    assert!(rest(&mut stream).await.is_empty());
    let refused = |kind: &Kind| match kind {
        Kind::Refused { code: None, reason } => Some(reason.clone()),
        _ => None,
    };
    let reason = rig.event("a refusal", refused).await;
    assert!(reason.starts_with(&format!("{free} can't be reached: ")), "{reason}");
    // It is tried again with the next client.
    let broker = TcpListener::bind(free).await.unwrap();
    let mut client = TcpStream::connect(rig.addr()).await.unwrap();
    client.write_all(&connect(5, "late", None).packet()).await.unwrap();
    soon("the next attempt", broker.accept()).await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn the_target_may_be_told_who_is_connected() {
    let broker = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rig = FrontRig::towards(Target::local(broker.local_addr().unwrap(), true), Setup::default()).await;
    let mut client = TcpStream::connect(rig.addr()).await.unwrap();
    let packet = connect(4, "c", None).packet();
    client.write_all(&packet).await.unwrap();
    let (mut socket, _) = broker.accept().await.unwrap();
    let mut header = [0; 28];
    socket.read_exact(&mut header).await.unwrap();
    assert_eq!(header[24..26], client.local_addr().unwrap().port().to_be_bytes());
    let mut came = vec![0; packet.len()];
    socket.read_exact(&mut came).await.unwrap();
    assert_eq!(came, packet);
    rig.stop().await;
}

#[tokio::test]
async fn without_reading_only_connections_are_shown() {
    let broker = Mosquitto::open();
    let policy = Policy { parse: false, ..Policy::default() };
    let rig = FrontRig::start(broker.port, Setup { policy, ..Setup::default() }).await;
    let client = Mqtt::connect(options(rig.addr(), "quiet", "x")).await;
    client.subscribe("q", QoS::AtMostOnce).await;
    client.client.publish("q", QoS::AtMostOnce, false, "x").await.unwrap();
    client.messages(1).await;
    pause(Duration::from_millis(50)).await;
    assert_eq!(rig.feed.events().len(), 1);
    assert_eq!(rig.front.connections().list()[0].received.0, 1, "messages are counted in any case");
    rig.stop().await;
}
