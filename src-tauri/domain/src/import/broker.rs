//! The table `[relay.mqtt]`: where the broker is, how it is reached, and with which secrets.

use super::read::{Report, Section};
use super::{DEFAULT_CLIENT_ID, KEEP_ALIVE, SESSION_EXPIRY, WS_PATH};
use crate::broker::{self, BrokerSecrets, Connection, Tls, Transport, Will};
use crate::message::{MqttVersion, Qos};
use crate::secret::Secret;
use crate::topic;

type Files<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads the broker; `None` when a problem was noted that leaves none.
pub(super) fn broker(
    mqtt: &Section<'_>,
    own: &Section<'_>,
    files: Files<'_>,
    report: &mut Report,
) -> Option<(Connection, BrokerSecrets)> {
    let address = address(mqtt, report);
    let tls_wanted = mqtt.flag("tls_enabled", report).unwrap_or(false);
    let transport = transport(mqtt, own, address.as_ref().and_then(|address| address.transport), tls_wanted, report);
    let port = port(mqtt, address.as_ref(), transport, report);
    let clean_start = own.flag("clean_start", report).unwrap_or(false);
    let client_id = client_id(mqtt, clean_start, report);
    let version = version(own, report);
    let (username, password) = credentials(mqtt, version, report);
    let (tls, client_key) = tls(mqtt, own, transport, files, report);
    let keep_alive = own.number::<u16>("keep_alive", "keep-alive", 0, 65_535, report).unwrap_or(KEEP_ALIVE);
    if (1..5).contains(&keep_alive)
        && let Some(node) = own.node("keep_alive")
    {
        report.problem(own.key("keep_alive"), node, "Keep-alive is 0 (off) or at least 5 seconds.");
    }
    if own.node("clean_start").is_none() {
        report.note(&mqtt.path, "The broker is asked to keep the session, so that what is published while the relay is away comes later. The official relay asks for a clean one.");
    }
    let session_expiry =
        own.number::<u32>("session_expiry", "session expiry", 0, u32::MAX.into(), report).unwrap_or(SESSION_EXPIRY);
    let will = will(own, report);
    let path = own.filled("path", report);
    if let Some((path, node)) = &path
        && (!path.starts_with('/') || path.contains(char::is_whitespace))
    {
        report.problem(own.key("path"), node, "The path begins with a slash and has no spaces, as in /mqtt.");
    }
    let address = address?;
    let path = match path.map(|(path, _)| path).or(address.path) {
        _ if !transport.is_ws() => String::new(),
        Some(path) => path,
        None => WS_PATH.to_owned(),
    };
    let connection = Connection {
        host: address.host,
        port,
        transport,
        path,
        version,
        client_id,
        username,
        keep_alive,
        clean_start,
        session_expiry,
        will,
        tls,
    };
    Some((connection, BrokerSecrets { password, client_key, ..Default::default() }))
}

/// An address taken apart.
struct Address {
    host: String,
    transport: Option<Transport>,
    port: Option<u16>,
    path: Option<String>,
}

fn address(mqtt: &Section<'_>, report: &mut Report) -> Option<Address> {
    let key = mqtt.key("address");
    let Some(node) = mqtt.node("address") else {
        mqtt.missing("address", "The broker's host name or address is missing.", report);
        return None;
    };
    let (text, _) = mqtt.text("address", report)?;
    let text = text.trim();
    let (transport, rest) = match text.split_once("://") {
        None => (None, text),
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => (Some(Transport::Tcp), rest),
            "mqtts" | "ssl" | "tls" => (Some(Transport::Tls), rest),
            "ws" => (Some(Transport::Ws), rest),
            "wss" => (Some(Transport::Wss), rest),
            _ => {
                report.problem(key, node, format!("“{scheme}://” is no transport for MQTT; write the host alone, or mqtt://, mqtts://, ws:// or wss:// before it."));
                return None;
            }
        },
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) if !path.is_empty() => (authority, Some(format!("/{path}"))),
        Some((authority, _)) => (authority, None),
        None => (rest, None),
    };
    if path.is_some() && !transport.is_some_and(Transport::is_ws) {
        report.problem(key, node, format!("“{text}” has a path; write the host alone."));
        return None;
    }
    if authority.contains('@') {
        report.problem(key, node, "The address carries a user name; write it as username and password.");
        return None;
    }
    let bare_ip6 = authority.parse::<std::net::Ipv6Addr>().is_ok();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !bare_ip6 && !port.ends_with(']') => match port.parse::<u16>() {
            Ok(port) if port > 0 => (host, Some(port)),
            _ => {
                report.problem(
                    key,
                    node,
                    format!("“{text}” ends in a port that is no number from 1 to 65,535; write the host alone."),
                );
                return None;
            }
        },
        _ => (authority, None),
    };
    if host.is_empty() {
        report.problem(key, node, "The address is empty; write the broker's host name or address.");
        return None;
    }
    if let Err(message) = broker::check_host(host) {
        report.problem(key, node, message);
        return None;
    }
    if let Some(transport) = transport {
        report.note(
            &key,
            format!("The scheme is taken as the transport ({}) and “{host}” as the host.", words(transport)),
        );
    }
    Some(Address { host: host.to_owned(), transport, port, path })
}

fn words(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "plain TCP",
        Transport::Tls => "TLS",
        Transport::Ws => "WebSocket",
        Transport::Wss => "WebSocket over TLS",
    }
}

fn transport(
    mqtt: &Section<'_>,
    own: &Section<'_>,
    scheme: Option<Transport>,
    tls: bool,
    report: &mut Report,
) -> Transport {
    if let Some((text, node)) = own.filled("transport", report) {
        match text.as_str() {
            "tcp" => return Transport::Tcp,
            "tls" => return Transport::Tls,
            "ws" => return Transport::Ws,
            "wss" => return Transport::Wss,
            _ => report.problem(
                own.key("transport"),
                node,
                format!("“{text}” is no transport; it is \"tcp\", \"tls\", \"ws\" or \"wss\"."),
            ),
        }
    }
    match (scheme.unwrap_or_default(), tls) {
        (Transport::Tcp, true) => Transport::Tls,
        (Transport::Ws, true) => Transport::Wss,
        (secure @ (Transport::Tls | Transport::Wss), false) => {
            if mqtt.node("tls_enabled").is_some() {
                report.note(&mqtt.key("tls_enabled"), "It says false, but the address asks for TLS; TLS is used.");
            }
            secure
        }
        (transport, _) => transport,
    }
}

fn port(mqtt: &Section<'_>, address: Option<&Address>, transport: Transport, report: &mut Report) -> u16 {
    let key = mqtt.key("port");
    let in_address = address.and_then(|address| address.port);
    let given = mqtt.number::<u16>("port", "port", 1, 65_535, report);
    if let (Some(port), Some(other), Some(node)) = (given, in_address, mqtt.node("port"))
        && port != other
    {
        report.problem(
            key.clone(),
            node,
            format!("The port is {port} here and {other} in the address; leave it out of the address."),
        );
    }
    if mqtt.node("port").is_some() && given.is_some() {
        return given.unwrap_or_default();
    }
    in_address.unwrap_or_else(|| {
        let usual = if transport.is_tls() { 8883 } else { 1883 };
        if mqtt.node("port").is_none() {
            report.note(&key, format!("Not given; {usual}, the usual port, is used."));
        }
        usual
    })
}

fn client_id(mqtt: &Section<'_>, clean_start: bool, report: &mut Report) -> String {
    let key = mqtt.key("client_id");
    let given = mqtt.filled("client_id", report);
    if given.is_none() && mqtt.node("client_id").is_some() && clean_start {
        // The broker makes one up; without a session to find again that is allowed.
        return String::new();
    }
    if let Some((id, node)) = &given
        && (id.len() > topic::MAX_TOPIC_BYTES || id.contains('\0'))
    {
        report.problem(key.clone(), node, "A client id has at most 65,535 bytes and no character U+0000.");
    }
    let id = given.map_or_else(|| DEFAULT_CLIENT_ID.to_owned(), |(id, _)| id);
    if id == DEFAULT_CLIENT_ID {
        report.note(&key, "“tagoio-relay” is the official relay's default. Two relays with the same id at one broker push each other out; stop the other one, or give this one an id of its own.");
    }
    id
}

fn version(own: &Section<'_>, report: &mut Report) -> MqttVersion {
    match own.filled("version", report) {
        None => MqttVersion::V311,
        Some((text, node)) => match text.as_str() {
            "3.1.1" => MqttVersion::V311,
            "5" | "5.0" => MqttVersion::V5,
            "auto" => MqttVersion::Auto,
            _ => {
                report.problem(own.key("version"), node, "The MQTT version is \"auto\", \"3.1.1\" or \"5\".");
                MqttVersion::V311
            }
        },
    }
}

fn credentials(mqtt: &Section<'_>, version: MqttVersion, report: &mut Report) -> (Option<String>, Option<Secret>) {
    let username = mqtt.text("username", report).map(|(name, _)| name).filter(|name| !name.is_empty());
    let password = mqtt.text("password", report).map(|(password, _)| password).filter(|password| !password.is_empty());
    if username.as_deref() == Some("my-username") {
        report.note(
            &mqtt.key("username"),
            "This is still the sample's placeholder; leave username and password out when the broker wants none.",
        );
    }
    if password.is_some() && username.is_none() && version == MqttVersion::V311 {
        report.note(
            &mqtt.key("password"),
            "MQTT 3.1.1 sends no password without a user name; it is left out, as the official relay does.",
        );
        return (None, None);
    }
    (username, password.map(Secret::new))
}

fn tls(
    mqtt: &Section<'_>,
    own: &Section<'_>,
    transport: Transport,
    files: Files<'_>,
    report: &mut Report,
) -> (Tls, Option<Secret>) {
    let keys = ["broker_tls_ca", "broker_tls_cert", "broker_tls_key"];
    let alpn: Vec<String> = own.texts("alpn", report).into_iter().flatten().map(|(name, _)| name).collect();
    let server_name = own.filled("server_name", report);
    if !transport.is_tls() {
        for key in keys {
            if mqtt.filled(key, report).is_some() {
                report.note(&mqtt.key(key), "TLS is off, so this is left out; set tls_enabled = true to use it.");
            }
        }
        return (Tls::default(), None);
    }
    if let Some((name, node)) = &server_name
        && rustls_pki_types::ServerName::try_from(name.as_str()).is_err()
    {
        report.problem(own.key("server_name"), node, "This is neither a host name nor an address.");
    }
    let [ca, client_cert, client_key] = keys.map(|key| pem(mqtt, key, files, report));
    match (mqtt.filled(keys[1], report), mqtt.filled(keys[2], report)) {
        (Some((_, node)), None) => report.problem(
            mqtt.key(keys[1]),
            node,
            "The client certificate has no private key beside it; set broker_tls_key too.",
        ),
        (None, Some((_, node))) => report.problem(
            mqtt.key(keys[2]),
            node,
            "The private key has no certificate beside it; set broker_tls_cert too.",
        ),
        (Some(_), Some(_)) if ca.is_none() && mqtt.filled(keys[0], report).is_none() => {
            report.note(&mqtt.key(keys[0]), "Not given, so the certificate authorities of this computer are trusted.");
        }
        _ => {}
    }
    let server_name = server_name.map(|(name, _)| name);
    (Tls { ca, client_cert, alpn, server_name }, client_key.map(Secret::new))
}

/// A PEM text, from the value itself or from the file it names; checked.
fn pem(mqtt: &Section<'_>, key: &'static str, files: Files<'_>, report: &mut Report) -> Option<String> {
    let (value, node) = mqtt.filled(key, report)?;
    let (text, source) = if value.contains("-----BEGIN") {
        // In an environment variable the line breaks often stand as \n.
        let text = if value.contains('\n') { value } else { value.replace("\\n", "\n") };
        (text, String::new())
    } else if looks_like_path(&value) {
        match files(&value) {
            Ok(text) => (text, format!("“{value}”: ")),
            Err(why) => {
                report.problem(mqtt.key(key), node, format!("The file “{value}” {why}."));
                return None;
            }
        }
    } else {
        report.problem(mqtt.key(key), node, "This is neither a PEM text (-----BEGIN …) nor the path of a file.");
        return None;
    };
    let checked =
        if key == "broker_tls_key" { broker::check_key(&text) } else { broker::certificates(&text).map(drop) };
    match checked {
        Ok(()) => Some(format!("{}\n", text.trim())),
        Err(message) => {
            report.problem(mqtt.key(key), node, format!("{source}{message}"));
            None
        }
    }
}

/// Paths are repeated in messages, so a bare key in base64 must not pass for one: it has no dot and is longer.
fn looks_like_path(value: &str) -> bool {
    value.len() <= 255 && !value.contains('\n') && (value.contains('.') || value.len() <= 40)
}

fn will(own: &Section<'_>, report: &mut Report) -> Option<Will> {
    own.node("will")?;
    let section = own.section("will", report);
    if section.is_missing() {
        return None;
    }
    let payload = section.text("payload", report).map(|(payload, _)| payload).unwrap_or_default();
    if payload.len() > topic::MAX_TOPIC_BYTES
        && let Some(node) = section.node("payload")
    {
        report.problem(section.key("payload"), node, "The payload of a will has at most 65,535 bytes.");
    }
    let qos = section
        .number::<u8>("qos", "QoS", 0, 2, report)
        .and_then(|number| Qos::try_from(number).ok())
        .unwrap_or_default();
    let retain = section.flag("retain", report).unwrap_or(false);
    let topic = section.text("topic", report);
    section.finish(report);
    let Some((topic, node)) = topic else {
        section.missing("topic", "The topic of the will is missing.", report);
        return None;
    };
    if let Err(message) = topic::check_topic(&topic) {
        report.problem(section.key("topic"), node, message);
    }
    Some(Will { topic, payload, qos, retain })
}
