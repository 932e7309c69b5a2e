//! The broker form against its rules: every problem at its field.

use super::{
    Broker, BrokerDraft, BrokerSecrets, BrokerSpec, Connection, Tls, TlsDraft, Will, certificates, check_key, embedded,
};
use crate::id::BrokerId;
use crate::message::MqttVersion;
use crate::problem::{Problem, Problems};
use crate::secret::SecretDraft;
use crate::topic;

/// Checks a draft. `now` is in Unix seconds (for certificates that have run out); `stored` says which keys are kept
/// already. The secrets themselves are looked at and not returned.
pub fn check(draft: &BrokerDraft, id: BrokerId, now: i64, stored: &BrokerSecrets) -> Result<Broker, Vec<Problem>> {
    let mut problems = Problems::default();
    let name = draft.name.trim().to_owned();
    if name.is_empty() {
        problems.add("name", "Give the broker a name.");
    } else if name.chars().count() > 80 {
        problems.add("name", "A name has at most 80 characters.");
    }
    let port = problems.take("port", number::<u16>(&draft.port, "port", 1, 65_535));
    let spec = if draft.embedded {
        let port = port.unwrap_or_default();
        BrokerSpec::Embedded(embedded::check(&draft.inside, port, draft.enabled, now, stored, &mut problems))
    } else {
        let has_client_key = stored.client_key.is_some();
        BrokerSpec::External(Box::new(check_connection(draft, port, now, has_client_key, &mut problems)))
    };
    problems.finish(Broker { id, name, spec })
}

fn check_connection(
    draft: &BrokerDraft,
    port: Option<u16>,
    now: i64,
    has_client_key: bool,
    problems: &mut Problems,
) -> Connection {
    let host = draft.host.trim();
    if let Err(message) = check_host(host) {
        problems.add("host", message);
    }
    let path = draft.path.trim();
    if draft.transport.is_ws()
        && (!path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'))
    {
        problems.add(
            "path",
            "The path begins with a slash and has only ASCII characters, no spaces and no #, as in /mqtt.",
        );
    }
    let client_id = draft.client_id.trim();
    check_login(draft, client_id, problems);
    let keep_alive = problems.take("keepAlive", number::<u16>(&draft.keep_alive, "keep-alive", 0, 65_535));
    if keep_alive.is_some_and(|seconds| (1..5).contains(&seconds)) {
        problems.add("keepAlive", "Keep-alive is 0 (off) or at least 5 seconds.");
    }
    let session_expiry =
        problems.take("sessionExpiry", number::<u32>(&draft.session_expiry, "session expiry", 0, u32::MAX.into()));
    if let Some(will) = &draft.will {
        check_will(will, problems);
    }
    let tls =
        if draft.transport.is_tls() { check_tls(&draft.tls, now, has_client_key, problems) } else { Tls::default() };
    Connection {
        host: host.to_owned(),
        port: port.unwrap_or_default(),
        transport: draft.transport,
        path: if draft.transport.is_ws() { path.to_owned() } else { String::new() },
        version: draft.version,
        client_id: client_id.to_owned(),
        username: Some(draft.username.clone()).filter(|name| !name.is_empty()),
        keep_alive: keep_alive.unwrap_or_default(),
        clean_start: draft.clean_start,
        session_expiry: session_expiry.unwrap_or_default(),
        will: draft.will.clone(),
        tls,
    }
}

/// Who we are to the broker: client id, user name and password.
fn check_login(draft: &BrokerDraft, client_id: &str, problems: &mut Problems) {
    if client_id.is_empty() && !draft.clean_start {
        problems.add("clientId", "Without a clean start the broker needs a client id to find the session again.");
    } else if client_id.len() > topic::MAX_TOPIC_BYTES || client_id.contains('\0') {
        problems.add("clientId", "A client id has at most 65,535 bytes and no character U+0000.");
    }
    if draft.username.len() > topic::MAX_TOPIC_BYTES || draft.username.contains('\0') {
        problems.add("username", "A user name has at most 65,535 bytes and no character U+0000.");
    }
    if matches!(&draft.password, SecretDraft::Set { value } if value.len() > topic::MAX_TOPIC_BYTES) {
        problems.add("password", "A password has at most 65,535 bytes.");
    }
    let has_password = matches!(draft.password, SecretDraft::Set { .. });
    if draft.username.is_empty() && has_password && draft.version == MqttVersion::V311 {
        problems.add("username", "MQTT 3.1.1 sends no password without a user name.");
    }
}

fn check_will(will: &Will, problems: &mut Problems) {
    if let Err(message) = topic::check_topic(&will.topic) {
        problems.add("will.topic", message);
    }
    if will.payload.len() > topic::MAX_TOPIC_BYTES {
        problems.add("will.payload", "The payload of a will has at most 65,535 bytes.");
    }
}

fn check_tls(draft: &TlsDraft, now: i64, has_client_key: bool, problems: &mut Problems) -> Tls {
    if draft.own_ca {
        if draft.ca.trim().is_empty() {
            problems.add("tls.ca", "Choose the file of the certificate authority, or trust the system's.");
        } else if let Err(message) = certificates(&draft.ca) {
            problems.add("tls.ca", message);
        }
    }
    let has_cert = !draft.client_cert.trim().is_empty();
    if has_cert {
        match certificates(&draft.client_cert) {
            Err(message) => problems.add("tls.clientCert", message),
            Ok(chain) => {
                if let Some(leaf) = chain.first().filter(|leaf| leaf.not_after < now) {
                    problems.add(
                        "tls.clientCert",
                        format!("Expired on {}. The broker will refuse it; choose a newer one.", leaf.not_after_date()),
                    );
                }
            }
        }
    }
    match (&draft.client_key, has_cert) {
        (SecretDraft::Set { value }, _) => {
            if let Err(message) = check_key(value) {
                problems.add("tls.clientKey", message);
            } else if !has_cert {
                problems
                    .add("tls.clientCert", "A key without its certificate is of no use; choose the certificate too.");
            }
        }
        (SecretDraft::Keep, true) if has_client_key => {}
        (_, true) => problems.add("tls.clientKey", "Choose the private key that belongs to the certificate."),
        (_, false) => {}
    }
    let server_name = draft.server_name.trim();
    if !server_name.is_empty() && rustls_pki_types::ServerName::try_from(server_name).is_err() {
        problems.add("tls.serverName", "This is neither a host name nor an address.");
    }
    let alpn: Vec<String> =
        draft.alpn.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if let Some(long) = alpn.iter().find(|name| name.len() > 255) {
        problems.add(
            "tls.alpn",
            format!("The protocol name {}… has more than 255 bytes.", long.chars().take(20).collect::<String>()),
        );
    }
    Tls {
        ca: draft.own_ca.then(|| draft.ca.clone()),
        client_cert: has_cert.then(|| draft.client_cert.clone()),
        alpn,
        server_name: Some(server_name.to_owned()).filter(|name| !name.is_empty()),
    }
}

/// Checks a host name or address as people paste it.
pub fn check_host(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("Enter the broker's host name or address.".into());
    }
    if host.contains("://") {
        return Err("Enter the host only; the transport is chosen beside it.".into());
    }
    if host.contains('/') {
        return Err("Enter the host only; a WebSocket path has its own field.".into());
    }
    if let Some(bare) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // Brackets are for addresses of version 6 only (RFC 3986 section 3.2.2).
        let problem = || format!("“{bare}” is not a valid IPv6 address.");
        return bare.parse::<std::net::Ipv6Addr>().map(drop).map_err(|_| problem());
    }
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    if !host.is_ascii() {
        return Err("Enter the ASCII form of an international name, which begins with xn--.".into());
    }
    if host.contains(':') {
        return Err("Enter the host only; the port has its own field.".into());
    }
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > 253 || !name.split('.').all(label_ok) {
        return Err(format!("“{host}” is neither a host name nor an address."));
    }
    // All digits and dots, yet no address: 192.168.1 or 300.1.1.1.
    if name.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(format!("“{host}” is not a valid IP address."));
    }
    Ok(())
}

/// Parses a whole number that a person typed.
pub fn number<T: TryFrom<u64>>(text: &str, what: &str, min: u64, max: u64) -> Result<T, String> {
    let text = text.trim();
    let range = || format!("The {what} is a whole number from {min} to {max}.");
    if text.is_empty() {
        return Err(format!("Enter the {what}: a whole number from {min} to {max}."));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(range());
    }
    let value: u64 = text.parse().map_err(|_| range())?;
    if value < min || value > max {
        return Err(range());
    }
    T::try_from(value).map_err(|_| range())
}
