//! The embedded broker's listeners and limits: every transport leads to the same broker, and limits count for all of them.

use crate::dressed::{Io, secure, speak, websocket};
use crate::support::broker::{FULL, Mqtt, Rig, accounts, connect, options};
use crate::support::certs::Authority;
use crate::support::{eventually, soon, wire};
use relayscope_domain::broker::{Embedded, Tls, Transport};
use relayscope_domain::id::ListenerId;
use relayscope_domain::listener::{BrokerLimits, ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use relayscope_engine::broker::{BrokerConfig, EmbeddedBroker};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use rumqttc::v5::mqttbytes::QoS;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
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
    let [_, tcp, ws, tls, wss] = listening[..] else { panic!("five listeners") };
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
async fn a_taken_port_of_a_listener_makes_way_for_the_next() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let rig = Rig::with(embedded(vec![listener(Transport::Tcp, port)], BrokerLimits::default()), None).await;
    let found = rig.broker.listening()[1].address;
    assert_ne!(found.port(), port);
    let told = rig.event("the other port", "", |kind| match kind {
        Kind::Note { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(told.await, format!("port {port} is taken by another program; TCP listens on {found} instead"));
    assert_eq!(connect(5, "there", Some(FULL)).send(found).await.1[3], 0);
    rig.broker.stop().await;
}

#[tokio::test]
async fn limits_count_for_all_listeners_together_and_not_for_relayscope() {
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
