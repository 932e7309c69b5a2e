//! The embedded broker's listeners and limits: every transport leads to the same broker, one that fails leaves the others
//! alone, and limits count for those that share them.

use crate::dressed::{Io, secure, speak, websocket};
use crate::support::broker::{FULL, Mqtt, Rig, accounts, connect, options};
use crate::support::certs::Authority;
use crate::support::mosquitto::Mosquitto;
use crate::support::{eventually, soon, wire};
use relayscope_domain::broker::{Embedded, Tls, Transport};
use relayscope_domain::id::ListenerId;
use relayscope_domain::listener::{BrokerLimits, ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use relayscope_engine::broker::{BrokerConfig, EmbeddedBroker};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use relayscope_engine::front::Turned;
use rumqttc::v5::mqttbytes::QoS;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn listener(transport: Transport, port: u16) -> Listener {
    Listener {
        id: ListenerId(uuid::Uuid::new_v4()),
        transport,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
        certificate: None,
        client_certificates: ClientCertificates::Off,
        client_ca: None,
        limits: None,
    }
}

fn embedded(listeners: Vec<Listener>, limits: BrokerLimits) -> Embedded {
    Embedded { port: 0, listeners, limits, ..Embedded::default() }
}

async fn plain(addr: SocketAddr) -> Box<dyn Io> {
    Box::new(TcpStream::connect(addr).await.unwrap())
}

#[tokio::test]
async fn every_listener_leads_to_the_broker() {
    let authority = Authority::new("Plant CA");
    let (pair, card) = (authority.server(&["localhost"]), authority.client("device-7"));
    let secured = |transport, client_certificates| Listener {
        certificate: Some(pair.cert.clone()),
        client_certificates,
        client_ca: Some(authority.pem()),
        ..listener(transport, 0)
    };
    let listeners = vec![
        listener(Transport::Tcp, 0),
        listener(Transport::Ws, 0),
        secured(Transport::Tls, ClientCertificates::Required),
        secured(Transport::Wss, ClientCertificates::Off),
    ];
    let (feed, accounts) = (Feed::new(64 << 20), accounts());
    let keys = listeners.iter().map(|listener| (listener.id, Secret::new(pair.key.clone()))).collect();
    let settings = embedded(listeners, BrokerLimits::default());
    let config = BrokerConfig { keys, ..BrokerConfig::forgetful("test", settings, feed.clone(), accounts) };
    let broker = EmbeddedBroker::start(config).await.unwrap();

    let listening = broker.listening().to_vec();
    let transports = [Transport::Tcp, Transport::Tcp, Transport::Ws, Transport::Tls, Transport::Wss];
    assert_eq!(listening.iter().map(|at| at.transport).collect::<Vec<_>>(), transports);
    assert_eq!(listening[0].address, broker.addr());
    let bare = Tls { ca: Some(authority.pem()), ..Tls::default() };
    let with_card = Tls { client_cert: Some(card.cert.clone()), ..bare.clone() };
    let [_, tcp, ws, tls, wss] = &listening[..] else { panic!("five listeners") };
    let streams = [
        plain(tcp.address).await,
        websocket(plain(ws.address).await, "mqtt").await.unwrap(),
        secure(tls.address, &with_card, Some(&card.key)).await.unwrap(),
        websocket(secure(wss.address, &bare, None).await.unwrap(), "mqtt").await.unwrap(),
    ];
    for stream in streams {
        assert_eq!(soon("an answer", speak(stream, Some(FULL))).await.unwrap(), [0x20, 0xd0]);
    }
    let refused = soon("a refusal", async { speak(secure(tls.address, &bare, None).await?, Some(FULL)).await }).await;
    assert!(refused.is_err(), "a client without a certificate was let in");
    let came_in = || {
        let listener = |kind: Kind| match kind {
            Kind::Accepted { listener } => Some(listener.split(' ').next().unwrap().to_owned()),
            _ => None,
        };
        let mut all: Vec<_> = feed.events().into_iter().filter_map(|event| listener(event.kind)).collect();
        all.sort();
        all
    };
    assert_eq!(came_in(), ["TCP", "TLS", "TLS", "WebSocket", "WebSocket"]);
    broker.stop().await;
    for at in listening {
        assert!(TcpStream::connect(at.address).await.is_err(), "{at:?} is still open");
    }
}

#[tokio::test]
async fn a_listener_that_fails_leaves_the_others_alone() {
    let mosquitto = Mosquitto::open();
    let authority = Authority::new("Plant CA");
    let (pair, other, expired) =
        (authority.server(&["localhost"]), authority.server(&["localhost"]), authority.expired_server(&["localhost"]));
    let tls = |certificate: &str| Listener { certificate: Some(certificate.to_owned()), ..listener(Transport::Tls, 0) };
    let listeners = vec![
        listener(Transport::Tcp, mosquitto.port),
        // An address for documentation (RFC 5737).
        Listener { address: [192, 0, 2, 1].into(), ..listener(Transport::Ws, 1884) },
        tls("no certificate"),
        tls(&pair.cert),
        tls(&pair.cert),
        tls(&expired.cert),
        tls(&pair.cert),
    ];
    let keys = [(2, &pair.key), (3, &other.key), (5, &expired.key), (6, &pair.key)];
    let keys = keys.into_iter().map(|(at, key): (usize, _)| (listeners[at].id, Secret::new(key.clone()))).collect();
    let (feed, accounts) = (Feed::new(64 << 20), accounts());
    let settings = embedded(listeners, BrokerLimits::default());
    let config = BrokerConfig { keys, ..BrokerConfig::forgetful("test", settings, feed.clone(), accounts) };
    let broker = EmbeddedBroker::start(config).await.unwrap();

    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let problems: Vec<String> = broker.listening().iter().map(|at| at.problem(now).unwrap_or_default()).collect();
    let taken = broker.listening()[1].trouble.clone().unwrap();
    let free = taken.free.unwrap();
    let owner = if cfg!(target_os = "linux") { "mosquitto (process " } else { "another program" };
    assert!(taken.words.starts_with(&format!("port {} is taken by {owner}", mosquitto.port)), "{}", taken.words);
    assert!(taken.words.ends_with(&format!("; {free} is free")) && free > mosquitto.port, "{}", taken.words);
    assert_eq!(problems[2], "192.0.2.1 is no address of this computer now.");
    let words = ["", "is taken by", "no address", "certificate can't be used", "does not belong to the certificate"];
    let words = words.into_iter().chain(["key can't be used: none is stored", "Expired on 2021-03-01", ""]);
    for (at, (problem, words)) in problems.iter().zip(words).enumerate() {
        assert!(problem.contains(words) && problem.is_empty() == words.is_empty(), "{at}: {problem}");
    }
    let told = |event: relayscope_engine::feed::event::Event| match event.kind {
        Kind::Note { failure: true, text } => Some(text),
        _ => None,
    };
    let told: Vec<_> = feed.events().into_iter().filter_map(told).collect();
    assert_eq!(told.len(), 5, "each that does not listen is an event: {told:?}");

    // The others serve.
    assert_eq!(connect(5, "plain", Some(FULL)).send(broker.addr()).await.1[3], 0);
    let bare = Tls { ca: Some(authority.pem()), ..Tls::default() };
    let secured = secure(broker.listening()[7].address, &bare, None).await.unwrap();
    assert_eq!(soon("an answer", speak(secured, Some(FULL))).await.unwrap(), [0x20, 0xd0]);

    // Whoever had the port went.
    let port = mosquitto.port;
    drop(mosquitto);
    eventually("the listener", async || broker.listening()[1].trouble.is_none().then_some(())).await;
    let there = broker.listening()[1].address;
    assert_eq!(there.port(), port);
    assert_eq!(connect(5, "there", Some(FULL)).send(there).await.1[3], 0);
    broker.stop().await;
    assert!(TcpStream::connect(there).await.is_err(), "it is still open");
}

#[tokio::test]
async fn the_plain_port_makes_way_for_the_next() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let rig = Rig::with(Embedded { port, ..Embedded::default() }, None).await;
    let told = rig.event("the other port", "", |kind| match kind {
        Kind::Note { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(told.await, format!("port {port} is taken; TCP listens on {} instead", rig.addr()));
    assert_eq!(connect(5, "there", Some(FULL)).send(rig.addr()).await.1[3], 0);
    rig.broker.stop().await;
}

#[tokio::test]
async fn a_listener_may_have_limits_of_its_own() {
    let own = BrokerLimits { connections: Some(1), packet_bytes: Some(1_000), ..BrokerLimits::UNLIMITED };
    let limits = BrokerLimits { publishes_per_minute: Some(2), ..BrokerLimits::default() };
    let listeners = vec![Listener { limits: Some(own), ..listener(Transport::Tcp, 0) }, listener(Transport::Tcp, 0)];
    let rig = Rig::with(embedded(listeners, limits), None).await;
    let at = rig.broker.listening();
    let [plain, apart, shared] = [0, 1, 2].map(|number: usize| at[number].address);

    // Each client is told the size of its listener (MQTT 5.0 section 3.2.2.3.6).
    let size = |packet: &[u8]| {
        let property = packet[5..].windows(5).find(|window| window[0] == 0x27).unwrap();
        u32::from_be_bytes([property[1], property[2], property[3], property[4]])
    };
    let (mut here, answer) = connect(5, "here", Some(FULL)).send(plain).await;
    assert_eq!(size(&answer), 16 << 20);
    let (mut there, answer) = connect(5, "there", Some(FULL)).send(apart).await;
    assert_eq!(size(&answer), 1_000);

    // One connection there, any number elsewhere.
    assert_eq!(connect(5, "second", Some(FULL)).send(apart).await.1[3], 0x97);
    let (mut other, answer) = connect(5, "other", Some(FULL)).send(shared).await;
    assert_eq!(answer[3], 0);

    // What comes there does not count here.
    let publish = [0x32, 8, 0, 1, b'a', 0, 1, 0, b'x', b'y'];
    for _ in 0..5 {
        there.write_all(&publish).await.unwrap();
        assert_eq!(wire::read(&mut there).await[0], 0x40);
    }
    here.write_all(&publish).await.unwrap();
    other.write_all(&publish).await.unwrap();
    assert_eq!((wire::read(&mut here).await[0], wire::read(&mut other).await[0]), (0x40, 0x40));
    other.write_all(&publish).await.unwrap();
    assert_eq!(wire::read(&mut other).await, [0xe0, 2, 0x96, 0], "they share the broker's limits");
    there.write_all(&[&[0x30, 0xe8, 0x07, 0, 1, b'a', 0][..], &[b'x'; 996]].concat()).await.unwrap();
    assert_eq!(wire::read(&mut there).await, [0xe0, 2, 0x95, 0]);

    let turned = |refused, cut| Turned { refused, cut };
    let counted = [turned(0, 0), turned(1, 1), turned(0, 1)];
    eventually("the counts", async || {
        let now: Vec<_> = rig.broker.listening().iter().map(|at| at.turned).collect();
        (now == counted).then_some(())
    })
    .await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn shared_limits_count_for_all_listeners_together_and_not_for_relayscope() {
    let limits = BrokerLimits { publishes_per_minute: Some(3), subscriptions: Some(1), ..BrokerLimits::default() };
    let rig = Rig::with(embedded(vec![listener(Transport::Tcp, 0)], limits), None).await;
    let own = Mqtt::connect(options(rig.addr(), "own", rig.broker.internal_token().expose())).await;
    for filter in ["a", "b"] {
        own.subscribe(filter, QoS::AtMostOnce).await;
    }
    for _ in 0..5 {
        own.client.publish("a", QoS::AtLeastOnce, false, "of its own").await.unwrap();
    }
    own.messages(5).await;
    let other = rig.broker.listening()[1].address;
    let (mut here, _) = connect(5, "here", Some(FULL)).send(rig.addr()).await;
    let (mut there, _) = connect(5, "there", Some(FULL)).send(other).await;
    let publish = [0x30, 5, 0, 1, b'a', 0, b'x'];
    here.write_all(&[publish, publish].concat()).await.unwrap();
    there.write_all(&publish).await.unwrap();
    own.messages(8).await;
    there.write_all(&publish).await.unwrap();
    let mut end = vec![];
    let _ = soon("the end", there.read_to_end(&mut end)).await;
    assert_eq!(end, [0xe0, 2, 0x96, 0]);
    let words = rig.goodbye("there").await.0;
    assert_eq!(words, "cut by a limit: 4 messages from clients in a minute, allowed are 3");
    here.write_all(&[0xc0, 0]).await.unwrap();
    assert_eq!(wire::read(&mut here).await, [0xd0, 0], "who is within the limits stays");
    rig.broker.stop().await;
}

#[tokio::test]
async fn what_went_over_the_wire_is_counted_once() {
    let rig = Rig::start().await;
    let (mut client, _) = connect(4, "counted", Some(FULL)).send(rig.addr()).await;
    client.write_all(&wire::subscribe("t", 0)).await.unwrap();
    wire::read(&mut client).await;
    client.write_all(&wire::publish("t", b"12345")).await.unwrap();
    assert_eq!(wire::read(&mut client).await, wire::publish("t", b"12345"));
    let info = rig.broker.client("counted").await.unwrap();
    assert_eq!((info.traffic[0], info.traffic[2]), (1, 1));
    let packet = wire::publish("t", b"12345").len() as u64;
    // CONNACK and SUBACK are bytes too.
    assert_eq!(info.traffic[3], 4 + 5 + packet);
    drop(client);
    eventually("its end", async || (rig.broker.connections().count() == 0).then_some(())).await;
    assert_eq!(rig.broker.counters().traffic, info.traffic, "what is gone still counts");
    rig.broker.stop().await;
}
