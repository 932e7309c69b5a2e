//! The steps below MQTT: name lookup, TCP and TLS, on sockets of our own.

use super::{Found, Trouble};
use crate::mqtt::address::bare_host;
use crate::mqtt::tls::{self, Presented};
use crate::mqtt::words::{self, Failure};
use relayscope_domain::broker::{BrokerSecrets, Certificate, Connection};
use rustls::pki_types::ServerName;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long one of several addresses is tried.
const ONE_ADDRESS: Duration = Duration::from_secs(3);
/// A certificate that ends sooner is worth a warning.
const DAYS_LEFT: i64 = 14;

pub(super) async fn name(connection: &Connection) -> Result<Found<Vec<SocketAddr>>, Trouble> {
    let host = bare_host(&connection.host);
    if let Ok(address) = host.parse::<IpAddr>() {
        let detail = vec!["an address, nothing to look up".to_owned()];
        return Ok(Found::new(vec![SocketAddr::new(address, connection.port)], detail));
    }
    let found = tokio::net::lookup_host((host, connection.port)).await.map_err(|error| words::from_io(&error))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(Failure::passing("The host name has no address.", "Check the spelling of the host.").into());
    }
    let detail = addresses.iter().map(|address| address.ip().to_string()).collect();
    Ok(Found::new(addresses, detail))
}

pub(super) async fn tcp(addresses: &[SocketAddr]) -> Result<Found<TcpStream>, Trouble> {
    let mut detail = Vec::new();
    let mut last = None;
    for address in addresses {
        let begun = Instant::now();
        let error = match tokio::time::timeout(ONE_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                detail.push(format!("connected to {address} in {} ms", begun.elapsed().as_millis()));
                let warning =
                    if last.is_some() { "An address before it did not answer; it delays each connection." } else { "" };
                return Ok(Found { value: stream, detail, warning: warning.to_owned() });
            }
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        let failure = words::from_io(&error);
        detail.push(format!("{address}: {}", failure.words));
        last = Some(failure);
    }
    let failure = last.unwrap_or_else(|| Failure::passing("There is no address to connect to.", "Check the host."));
    // One address: its line would repeat the failure's words.
    if let [only] = addresses {
        detail = vec![only.to_string()];
    }
    Err(Trouble { failure, detail })
}

pub(super) async fn tls(
    connection: &Connection,
    secrets: &BrokerSecrets,
    stream: TcpStream,
) -> Result<Found<()>, Trouble> {
    let (config, presented) = tls::probing_config(&connection.tls, secrets.client_key.as_ref())
        .map_err(|error| Failure::fatal(error.to_string(), "Correct the TLS settings."))?;
    let host = bare_host(&connection.host);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Failure::fatal(format!("“{host}” can't be checked against a certificate."), "Correct the host.")
    })?;
    let begun = Instant::now();
    let shaken = TlsConnector::from(config).connect(name, stream).await;
    let took = begun.elapsed();
    let mut stream = match shaken {
        Ok(stream) => stream,
        Err(error) => return Err(Trouble { failure: shake_words(&error), detail: chain_words(&presented) }),
    };
    let mut detail = vec![session_words(&stream)];
    detail.extend(chain_words(&presented));
    if let Some(refusal) = late_refusal(&mut stream, took).await {
        return Err(Trouble { failure: refusal, detail });
    }
    let soon = presented.certificates().iter().map(days_left).min().is_some_and(|days| days < DAYS_LEFT);
    let warning = if soon { "The certificate ends soon; have it renewed on the broker." } else { "" };
    Ok(Found { value: (), detail, warning: warning.to_owned() })
}

/// A connection that is cut here was most likely cut by a broker that does not speak TLS.
fn shake_words(error: &io::Error) -> Failure {
    let cut = matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
    );
    if cut { words::handshake_cut() } else { words::from_io(error) }
}

/// In TLS 1.3 a broker judges our certificate after our side of the handshake is over: its refusal comes a round trip
/// later. A broker says nothing else before CONNECT, so a short wait is enough.
async fn late_refusal(stream: &mut TlsStream<TcpStream>, handshake: Duration) -> Option<Failure> {
    if stream.get_ref().1.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
        return None;
    }
    let patience = (handshake * 2).clamp(Duration::from_millis(100), Duration::from_secs(1));
    match tokio::time::timeout(patience, stream.read(&mut [0])).await {
        Ok(Err(error)) => Some(words::from_io(&error)),
        Ok(Ok(_)) | Err(_) => None,
    }
}

fn session_words(stream: &TlsStream<TcpStream>) -> String {
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("unknown cipher");
    let alpn = session.alpn_protocol().map(|name| format!(" · {}", String::from_utf8_lossy(name))).unwrap_or_default();
    format!("{version} · {cipher}{alpn}")
}

/// `broker.example ← Plant CA ← Plant Root`, the names, and the first end of validity.
fn chain_words(presented: &Presented) -> Vec<String> {
    let chain = presented.certificates();
    let Some(leaf) = chain.first() else { return Vec::new() };
    let mut line = leaf.subject.clone();
    let mut last = leaf.subject.as_str();
    for certificate in &chain {
        if certificate.issuer != last {
            line.push_str(" ← ");
            line.push_str(&certificate.issuer);
            last = &certificate.issuer;
        }
    }
    let mut detail = vec![line];
    if !leaf.names.is_empty() {
        let more = if leaf.names.len() > 5 { ", …" } else { "" };
        let names: Vec<&str> = leaf.names.iter().take(5).map(String::as_str).collect();
        detail.push(format!("for {}{more}", names.join(", ")));
    }
    if let Some(first) = chain.iter().min_by_key(|certificate| certificate.not_after) {
        detail.push(match days_left(first) {
            days if days < 0 => format!("expired on {}", first.not_after_date()),
            1 => format!("until {} (1 day left)", first.not_after_date()),
            days => format!("until {} ({days} days left)", first.not_after_date()),
        });
    }
    detail
}

fn days_left(certificate: &Certificate) -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (certificate.not_after - i64::try_from(now).unwrap_or(i64::MAX)).div_euclid(86_400)
}
