//! A connection from its first moment until its broker is there: TLS, WebSocket, the first packet.
//!
//! The first packet is the only one that is waited for whole before it is forwarded, unchanged as any other: until then the
//! target hears nothing of a connection, and whoever is turned away gets an answer of its own version.

use super::events::Story;
use super::framing::Header;
use super::parser::connect_level;
use super::tls;
use crate::feed::event::Kind;
use crate::mqtt::dial::Stream;
use crate::websocket::{End, Opening, WebSocket};
use async_tungstenite::tungstenite;
use bytes::{Bytes, BytesMut};
use relayscope_domain::broker::Transport;
use rustls::ServerConfig;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tungstenite::http::{HeaderValue, StatusCode};

const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";
/// Bytes of a first packet that are waited for; a larger one is forwarded as it comes.
const FIRST: usize = 64 * 1024;

/// How clients come in.
#[derive(Clone, Debug)]
pub struct Listen {
    transport: Transport,
    tls: Option<Arc<ServerConfig>>,
}

impl Listen {
    /// Plain TCP, or TLS with this configuration.
    pub fn tcp(tls: Option<Arc<ServerConfig>>) -> Self {
        Self { transport: if tls.is_some() { Transport::Tls } else { Transport::Tcp }, tls }
    }

    /// WebSocket, on any path, or over TLS with this configuration.
    pub fn websocket(tls: Option<Arc<ServerConfig>>) -> Self {
        Self { transport: if tls.is_some() { Transport::Wss } else { Transport::Ws }, tls }
    }

    /// As people call it.
    pub fn words(&self) -> &'static str {
        match self.transport {
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WebSocket",
            Transport::Wss => "WebSocket over TLS",
        }
    }

    /// Everything before MQTT; the error is how it ended, in words.
    pub(super) async fn undress(&self, socket: TcpStream, story: &Story) -> Result<Box<dyn Stream>, String> {
        // Small packets are not held back for others.
        let _ = socket.set_nodelay(true);
        let mut secured: Box<dyn Stream> = match &self.tls {
            None => Box::new(socket),
            Some(config) => {
                let accepted = TlsAcceptor::from(config.clone()).accept(socket).await;
                let at = (SystemTime::now(), Instant::now());
                match accepted {
                    Ok(stream) => {
                        story.tell(at, Kind::Secured { result: Ok(tls::facts(stream.get_ref().1)) });
                        Box::new(stream)
                    }
                    Err(error) => {
                        let reason = format!("the TLS handshake failed: {}", crate::causes::chain(&error));
                        story.tell(at, Kind::Secured { result: Err(reason.clone()) });
                        return Err(reason);
                    }
                }
            }
        };
        if !self.transport.is_ws() {
            return Ok(secured);
        }
        let mut behind = BytesMut::new();
        let opening = Opening::new(&mut secured, &mut behind);
        match async_tungstenite::tokio::accept_hdr_async(opening, choose).await.map(drop) {
            Ok(()) => Ok(Box::new(WebSocket::new(secured, End::Server, behind))),
            Err(error) => Err(format!("the WebSocket handshake failed: {error}")),
        }
    }
}

/// Takes clients that offer `mqtt` (MQTT-6.0.0-3), or `mqttv3.1` as old ones do.
#[allow(clippy::result_large_err, reason = "tungstenite asks for it")]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(SUBPROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut names = offered.flat_map(|value| value.split(',')).map(str::trim);
    match names.find(|name| matches!(*name, "mqtt" | "mqttv3.1")).and_then(|name| HeaderValue::from_str(name).ok()) {
        Some(name) => {
            response.headers_mut().insert(SUBPROTOCOL, name);
            Ok(response)
        }
        None => {
            let mut refusal = ErrorResponse::new(Some("The WebSocket sub-protocol must be mqtt.".to_owned()));
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            Err(refusal)
        }
    }
}

/// What a client sent first.
pub(super) struct First {
    /// As it came.
    pub(super) bytes: Bytes,
    /// The protocol level of a CONNECT.
    pub(super) level: Option<u8>,
}

/// Waits for the first packet, or for as much of it as shows that there is no use in waiting. `None`: the client went.
pub(super) async fn first(client: &mut dyn Stream) -> Result<Option<First>, ErrorKind> {
    let mut bytes = BytesMut::new();
    loop {
        let read = client.read_buf(&mut bytes).await.map_err(|error| error.kind())?;
        let header = Header::read(&bytes);
        let connect = bytes.first().is_some_and(|first| first >> 4 == 1);
        let waits = connect
            && bytes.len() < FIRST
            && match header {
                Ok(Some(header)) => bytes.len() < header.packet(),
                Ok(None) => true,
                Err(_) => false,
            };
        if read == 0 && bytes.is_empty() {
            return Ok(None);
        }
        if read == 0 || !waits {
            let level = match header {
                Ok(Some(header)) if connect => connect_level(&bytes[header.size..]),
                _ => None,
            };
            return Ok(Some(First { bytes: bytes.freeze(), level }));
        }
    }
}
