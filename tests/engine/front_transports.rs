//! How clients come in: TLS with and without client certificates, WebSocket, and both, with real handshakes.

use crate::support::broker::connect;
use crate::support::certs::Authority;
use crate::support::front::{FrontRig, Setup};
use crate::support::mosquitto::Mosquitto;
use crate::support::soon;
use async_tungstenite::tungstenite;
use relayscope_domain::broker::Tls;
use relayscope_domain::secret::Secret;
use relayscope_engine::feed::event::Kind;
use relayscope_engine::front::{ClientCertificates, Listen, ListenerTlsError, server_config};
use relayscope_engine::mqtt::tls::client_config;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tungstenite::client::IntoClientRequest;
use ws_stream_tungstenite::WsStream;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Connects and subscribes; returns the answers' first bytes.
async fn speak(mut stream: Box<dyn Io>) -> std::io::Result<[u8; 2]> {
    stream.write_all(&connect(4, "dressed", None).packet()).await?;
    stream.flush().await?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).await?;
    // In two halves: frames need not be packets.
    stream.write_all(&[0xc0]).await?;
    stream.flush().await?;
    stream.write_all(&[0]).await?;
    stream.flush().await?;
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).await?;
    Ok([connack[0], pong[0]])
}

async fn secure(addr: SocketAddr, tls: &Tls, key: Option<&str>) -> std::io::Result<Box<dyn Io>> {
    let config = client_config(tls, key.map(Secret::new).as_ref()).unwrap();
    let tcp = TcpStream::connect(addr).await?;
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    Ok(Box::new(TlsConnector::from(config).connect(name, tcp).await?))
}

async fn websocket(stream: Box<dyn Io>, protocol: &'static str) -> Result<Box<dyn Io>, tungstenite::Error> {
    let mut request = "ws://localhost/mqtt".into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
    let (socket, answer) = async_tungstenite::tokio::client_async(request, stream).await?;
    assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "mqtt");
    Ok(Box::new(WsStream::new(socket)))
}

fn listener(authority: &Authority, clients: &ClientCertificates) -> Arc<rustls::ServerConfig> {
    let pair = authority.server(&["localhost"]);
    server_config(&pair.cert, &Secret::new(pair.key), clients).unwrap()
}

async fn secured(rig: &FrontRig) -> Result<Vec<(String, String)>, String> {
    let pick = |kind: &Kind| match kind {
        Kind::Secured { result } => Some(result.clone().map(|facts| facts.into_vec())),
        _ => None,
    };
    rig.event("a handshake", pick).await
}

#[tokio::test]
async fn tls_and_client_certificates() {
    let broker = Mosquitto::open();
    let authority = Authority::new("Test Authority");
    let stranger = Authority::new("Somebody Else");
    let card = authority.client("device-7");
    let strange = stranger.client("device-7");
    let bare = Tls { ca: Some(authority.pem()), ..Tls::default() };
    let with_card = Tls { client_cert: Some(card.cert.clone()), ..bare.clone() };
    let with_strange = Tls { client_cert: Some(strange.cert.clone()), ..bare.clone() };
    let off = ClientCertificates::Off;
    let optional = ClientCertificates::Optional(authority.pem());
    let required = ClientCertificates::Required(authority.pem());
    let cases = [
        (&off, &bare, None, Some("none")),
        (&optional, &bare, None, Some("none")),
        (&optional, &with_card, Some(&card.key), Some("device-7")),
        (&optional, &with_strange, Some(&strange.key), None),
        (&required, &bare, None, None),
        (&required, &with_card, Some(&card.key), Some("device-7")),
        (&required, &with_strange, Some(&strange.key), None),
    ];
    for (number, (clients, tls, key, subject)) in cases.into_iter().enumerate() {
        let listen = Listen::tcp(Some(listener(&authority, clients)));
        let rig = FrontRig::start(broker.port, Setup { listen, ..Setup::default() }).await;
        // With TLS 1.3 a client hears of its refusal only when it reads.
        let spoken =
            soon("an answer", async { speak(secure(rig.addr(), tls, key.map(String::as_str)).await?).await }).await;
        let told = secured(&rig).await;
        match subject {
            Some(subject) => {
                assert_eq!(spoken.unwrap(), [0x20, 0xd0], "case {number}");
                let expected = [("TLS", "1.3"), ("server name", "localhost"), ("client certificate", subject)];
                assert_eq!(told.unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            None => {
                assert!(spoken.is_err(), "case {number}");
                let reason = told.unwrap_err();
                assert!(reason.starts_with("the TLS handshake failed: "), "{reason}");
                assert_eq!(rig.closed().await, reason);
            }
        }
        rig.stop().await;
    }
}

#[tokio::test]
async fn plain_bytes_on_a_tls_port_are_told() {
    let broker = Mosquitto::open();
    let listen = Listen::tcp(Some(listener(&Authority::new("Test Authority"), &ClientCertificates::Off)));
    let rig = FrontRig::start(broker.port, Setup { listen, ..Setup::default() }).await;
    let mut stream = TcpStream::connect(rig.addr()).await.unwrap();
    stream.write_all(&connect(4, "plain", None).packet()).await.unwrap();
    let reason = secured(&rig).await.unwrap_err();
    assert!(reason.contains("the TLS handshake failed"), "{reason}");
    rig.stop().await;
}

#[tokio::test]
async fn websockets_with_and_without_tls() {
    let broker = Mosquitto::open();
    let rig = FrontRig::start(broker.port, Setup { listen: Listen::websocket(None), ..Setup::default() }).await;
    let tcp = || async { Box::new(TcpStream::connect(rig.addr()).await.unwrap()) as Box<dyn Io> };
    let stream = soon("a handshake", websocket(tcp().await, "other, mqtt")).await.unwrap();
    assert_eq!(soon("an answer", speak(stream)).await.unwrap(), [0x20, 0xd0]);
    assert!(soon("a refusal", websocket(tcp().await, "chat")).await.is_err());
    rig.event("the refusal", |kind| {
        matches!(kind, Kind::Closed { cause, .. } if cause.starts_with("the WebSocket handshake failed")).then_some(())
    })
    .await;
    rig.stop().await;

    let authority = Authority::new("Test Authority");
    let listen = Listen::websocket(Some(listener(&authority, &ClientCertificates::Off)));
    let rig = FrontRig::start(broker.port, Setup { listen, ..Setup::default() }).await;
    let tls = Tls { ca: Some(authority.pem()), ..Tls::default() };
    let stream = secure(rig.addr(), &tls, None).await.unwrap();
    let stream = soon("a handshake", websocket(stream, "mqtt")).await.unwrap();
    assert_eq!(soon("an answer", speak(stream)).await.unwrap(), [0x20, 0xd0]);
    rig.event("the client", |kind| matches!(kind, Kind::Connected { .. }).then_some(())).await;
    rig.stop().await;
}

#[test]
fn a_certificate_of_no_use_says_why() {
    let authority = Authority::new("Test Authority");
    let (one, other) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    let off = ClientCertificates::Off;
    let failed = |cert: &str, key: &str, clients: &ClientCertificates| {
        server_config(cert, &Secret::new(key), clients).unwrap_err()
    };
    assert!(matches!(failed(&one.cert, &other.key, &off), ListenerTlsError::KeyMismatch));
    assert!(matches!(failed("nonsense", &one.key, &off), ListenerTlsError::Certificate(_)));
    assert!(matches!(failed(&one.cert, "nonsense", &off), ListenerTlsError::Key(_)));
    let nobody = ClientCertificates::Required("nonsense".to_owned());
    assert!(matches!(failed(&one.cert, &one.key, &nobody), ListenerTlsError::ClientCa(_)));
}
