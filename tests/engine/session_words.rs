//! What is said when a session fails, in words: the same in both versions and over every transport.

use crate::support::certs::Authority;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::{free_port, scripted, soon};
use relayscope_domain::broker::{BrokerSecrets, Connection, Tls, Transport};
use relayscope_domain::message::MqttVersion;
use relayscope_engine::mqtt::link::{Link, MAX_PACKET};
use relayscope_engine::mqtt::words::Failure;

fn connection(port: u16, transport: Transport, ca: &Authority) -> Connection {
    Connection {
        host: "localhost".into(),
        port,
        transport,
        path: if transport.is_ws() { "/mqtt".into() } else { String::new() },
        version: MqttVersion::V5,
        client_id: "plant-7".into(),
        username: None,
        keep_alive: 30,
        clean_start: true,
        session_expiry: 0,
        will: None,
        tls: Tls { ca: Some(ca.pem()), ..Tls::default() },
    }
}

/// The first error of a session, in both versions.
async fn failures(connection: &Connection) -> [Failure; 2] {
    [failure(connection, MqttVersion::V311).await, failure(connection, MqttVersion::V5).await]
}

async fn failure(connection: &Connection, version: MqttVersion) -> Failure {
    let connection = Connection { version, ..connection.clone() };
    let mut link = Link::new(&connection, &BrokerSecrets::default(), MAX_PACKET).unwrap();
    loop {
        if let Err(failure) = soon("an error", link.poll()).await {
            return failure;
        }
    }
}

#[tokio::test]
async fn an_unknown_issuer_is_named_over_tls_and_websocket() {
    let (authority, other) = (Authority::new("Plant Root CA"), Authority::new("Other CA"));
    for (websockets, transport) in [(false, Transport::Tls), (true, Transport::Wss)] {
        let tls = Some(authority.server(&["localhost"]));
        let broker = Mosquitto::start(&Setup { tls, websockets, ..Setup::default() });
        for failure in failures(&connection(broker.port, transport, &other)).await {
            assert!(failure.words.contains("issued by “Plant Root CA”"), "{transport:?}: {failure:?}");
            assert!(failure.fatal);
        }
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_named_in_both_tls_versions() {
    let authority = Authority::new("Plant Root CA");
    for tls_version in ["tlsv1.3", "tlsv1.2"] {
        let broker = Mosquitto::start(&Setup::with_client_certificates(&authority, tls_version));
        for failure in failures(&connection(broker.port, Transport::Tls, &authority)).await {
            let told = format!("{} {}", failure.words, failure.advice);
            assert!(told.contains("client certificate") && failure.fatal, "{tls_version}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn networks_mend_themselves() {
    let authority = Authority::new("Plant Root CA");
    let free = free_port();
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        for failure in failures(&connection(free, transport, &authority)).await {
            assert!(failure.words.contains("refused") && !failure.fatal, "{transport:?}: {failure:?}");
        }
        let mut unknown = connection(1883, transport, &authority);
        unknown.host = "no-such-host.invalid".into();
        for failure in failures(&unknown).await {
            assert!(failure.words.contains("can't be resolved") && !failure.fatal, "{transport:?}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_server_in_front_that_fails_is_tried_again() {
    let authority = Authority::new("Plant Root CA");
    for (answer, words, fatal) in [
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "HTTP 502", false),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "HTTP 403", true),
    ] {
        let port = scripted::plain_text(answer).await;
        for failure in failures(&connection(port, Transport::Ws, &authority)).await {
            assert!(failure.words.contains(words), "{failure:?}");
            assert_eq!(failure.fatal, fatal, "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_carries_its_code() {
    let authority = Authority::new("Plant Root CA");
    let broker = Mosquitto::start(&Setup { login: Some(("relay", "right")), ..Setup::default() });
    let [v4, v5] = failures(&connection(broker.port, Transport::Tcp, &authority)).await;
    assert_eq!((v4.code, v5.code), (Some(0x05), Some(0x87)));
    assert!(v4.fatal && v5.fatal);
}
