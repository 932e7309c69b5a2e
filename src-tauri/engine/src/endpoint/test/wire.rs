//! The test's requests: one connection each, TLS as the endpoint has it.

use super::super::tls;
use crate::mqtt::tls::{Trust, ders, trusting};
use crate::runtime::{EndpointAt, Probe};
use crate::store::EndpointRecord;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use relayscope_domain::broker::Certificate;
use relayscope_domain::secret::Secret;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// As whom a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum As {
    /// Somebody who shows the token, or the test's certificate.
    Known,
    /// Somebody who shows nothing.
    Stranger,
}

/// What the endpoint answered.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// The way to an endpoint from inside.
pub(super) struct Way {
    pub(super) address: SocketAddr,
    leaf: Option<CertificateDer<'static>>,
    token: Option<Secret>,
    probe: Option<Arc<Probe>>,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

impl Way {
    pub(super) fn new(at: &EndpointAt, record: &EndpointRecord) -> Self {
        let ip = match at.address.ip() {
            IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        let leaf = tls::in_use(record).and_then(|(pem, _)| ders(pem).ok()?.into_iter().next());
        Self {
            address: SocketAddr::from((ip, at.address.port())),
            leaf,
            token: record.secrets.token.clone(),
            probe: at.probe.clone(),
        }
    }

    pub(super) async fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.address).await
    }

    /// Certificate and protocol of a handshake, in words.
    pub(super) async fn handshake(&self) -> Result<Vec<String>, String> {
        let Some(leaf) = &self.leaf else { return Err("The configured certificate is not readable.".into()) };
        let stream = self.secure(leaf, As::Known).await?;
        let (_, connection) = stream.get_ref();
        let certificate = Certificate::from_der(leaf)?;
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        Ok(vec![
            format!("{version} · {} · until {}", certificate.subject, certificate.not_after_date()),
            format!("SHA-256 {}", tls::fingerprint(leaf)),
        ])
    }

    async fn secure(&self, leaf: &CertificateDer<'static>, who: As) -> Result<TlsStream<TcpStream>, String> {
        let stream = self.connect().await.map_err(|error| error.to_string())?;
        let builder = trusting(Trust::Exactly(leaf.clone())).map_err(|error| error.to_string())?;
        let config = match self.probe.as_ref().filter(|_| who == As::Known) {
            None => builder.with_no_client_auth(),
            Some(probe) => builder
                .with_client_auth_cert(vec![probe.certificate.clone()], probe.key.clone_key())
                .map_err(|error| error.to_string())?,
        };
        let name = ServerName::IpAddress(self.address.ip().into());
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())
    }

    /// Asks how the relays stand.
    pub(super) async fn get_status(&self, who: As) -> Result<Said, String> {
        self.ask(Request::get("/status"), Bytes::new(), who).await
    }

    pub(super) async fn publish(&self, body: &serde_json::Value) -> Result<Said, String> {
        let request = Request::post("/publish").header(CONTENT_TYPE, "application/json");
        self.ask(request, body.to_string().into(), As::Known).await
    }

    async fn ask(&self, request: hyper::http::request::Builder, body: Bytes, who: As) -> Result<Said, String> {
        let mut request = request.header(HOST, self.address.to_string());
        if let Some(token) = self.token.as_ref().filter(|_| who == As::Known) {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let stream: Box<dyn Wire> = match &self.leaf {
            None => Box::new(self.connect().await.map_err(|error| error.to_string())?),
            Some(leaf) => Box::new(self.secure(leaf, who).await?),
        };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            Ok::<_, hyper::Error>(Said { status, body: answer.into_body().collect().await?.to_bytes() })
        };
        let mut exchange = std::pin::pin!(exchange);
        let mut connection = std::pin::pin!(connection);
        let said = tokio::select! {
            said = exchange.as_mut() => said,
            // The answer may be there all the same.
            _ = connection.as_mut() => exchange.await,
        };
        said.map_err(|error| crate::causes::chain(&error))
    }
}
