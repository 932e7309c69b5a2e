//! Clients of raw bytes over TLS and WebSocket.

use crate::support::broker::connect;
use async_tungstenite::tungstenite;
use relayscope_domain::broker::Tls;
use relayscope_domain::secret::Secret;
use relayscope_engine::mqtt::tls::client_config;
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tungstenite::client::IntoClientRequest;
use ws_stream_tungstenite::WsStream;

pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Connects and pings; returns the answers' first bytes.
pub async fn speak(mut stream: Box<dyn Io>, token: Option<&str>) -> std::io::Result<[u8; 2]> {
    stream.write_all(&connect(4, "dressed", token).packet()).await?;
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

pub async fn secure(addr: SocketAddr, tls: &Tls, key: Option<&str>) -> std::io::Result<Box<dyn Io>> {
    let config = client_config(tls, key.map(Secret::new).as_ref()).unwrap();
    let tcp = TcpStream::connect(addr).await?;
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    Ok(Box::new(TlsConnector::from(config).connect(name, tcp).await?))
}

pub async fn websocket(stream: Box<dyn Io>, protocol: &'static str) -> Result<Box<dyn Io>, tungstenite::Error> {
    let mut request = "ws://localhost/mqtt".into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
    let (socket, answer) = async_tungstenite::tokio::client_async(request, stream).await?;
    assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "mqtt");
    Ok(Box::new(WsStream::new(socket)))
}
