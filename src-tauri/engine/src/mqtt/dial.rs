//! The way to a broker's bytes: name and TCP, TLS, WebSocket. Knows nothing of MQTT packets.

use super::address::{bare_host, websocket_url};
use super::failure::Failure;
use super::link::prompt::Prompt;

use super::{tls, words};
use crate::websocket::{End, Opening, WebSocket};
use async_tungstenite::tungstenite;
use bytes::BytesMut;
use relayscope_domain::broker::{BrokerSecrets, Connection, Transport};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tungstenite::client::IntoClientRequest;
use tungstenite::error::{Error as WsError, ProtocolError};
use tungstenite::http::HeaderValue;

// For TCP, and for TLS with WebSocket, each.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where a broker is and how it is spoken to, prepared once.
#[derive(Debug)]
pub(crate) struct Dial {
    connection: Connection,
    tls: Option<Arc<ClientConfig>>,
}

impl Dial {
    pub(crate) fn new(connection: &Connection, secrets: &BrokerSecrets) -> Result<Self, tls::TlsError> {
        let tls = connection
            .transport
            .is_tls()
            .then(|| tls::client_config(&connection.tls, secrets.client_key.as_ref()))
            .transpose()?;
        Ok(Self { connection: connection.clone(), tls })
    }

    /// Opens a connection; `before` is sent before anything else, TLS included.
    pub(crate) async fn open(&self, before: &[u8]) -> Result<Box<dyn Stream>, Failure> {
        let late = |_| words::timed_out();
        let tcp = tokio::time::timeout(PATIENCE, self.tcp(before)).await.map_err(late)??;
        tokio::time::timeout(PATIENCE, self.dress(tcp)).await.map_err(late)?
    }

    async fn tcp(&self, before: &[u8]) -> Result<Prompt, Failure> {
        let connect = async {
            let mut stream = TcpStream::connect((bare_host(&self.connection.host), self.connection.port)).await?;
            stream.set_nodelay(true)?;
            stream.write_all(before).await?;
            Ok::<_, io::Error>(Prompt::new(stream))
        };
        connect.await.map_err(|error| words::from_io(&error))
    }

    async fn dress(&self, tcp: Prompt) -> Result<Box<dyn Stream>, Failure> {
        let secured: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(config) => {
                let host = bare_host(&self.connection.host);
                let name = ServerName::try_from(host.to_owned()).map_err(|_| {
                    Failure::fatal(format!("“{host}” can't be checked against a certificate."), "Correct the host.")
                })?;
                let connected = TlsConnector::from(config.clone()).connect(name, tcp).await;
                Box::new(connected.map_err(|error| words::from_io(&error))?)
            }
        };
        match self.connection.transport {
            Transport::Tcp | Transport::Tls => Ok(secured),
            Transport::Ws | Transport::Wss => self.websocket(secured).await,
        }
    }

    async fn websocket(&self, mut stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, Failure> {
        let mut request =
            websocket_url(&self.connection).into_client_request().map_err(|error| words::websocket(&error))?;
        // MQTT-6.0.0-3.
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("mqtt"));
        let mut behind = BytesMut::new();
        let opening = Opening::new(&mut stream, &mut behind);
        match async_tungstenite::tokio::client_async(request, opening).await.map(drop) {
            Ok(()) => Ok(Box::new(WebSocket::new(stream, End::Client, behind))),
            Err(WsError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_))) => Err(words::no_subprotocol()),
            Err(error) => Err(words::websocket(&error)),
        }
    }
}
