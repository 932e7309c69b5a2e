//! Writes relays as a file in the official shape. What the official relay has no setting for stands in
//! `[relay.relayscope]`, and only where it differs from what [`super::parse`] takes by itself.

use super::{DEFAULT_QOS, ImportedRelay, KEEP_ALIVE, SESSION_EXPIRY, WS_PATH};
use crate::broker::Transport;
use crate::message::MqttVersion;
use crate::token::Region;

/// Writes relays as TOML. Without secrets the tokens, the password and the client key are placeholders; certificates
/// are not secret and are always written. One relay makes a file that the official relay can read too.
pub fn export(relays: &[ImportedRelay], with_secrets: bool) -> String {
    let mut out =
        String::from("# Written by Relayscope. TagoIO's own MQTT relay passes over the tables named relayscope.\n");
    if relays.len() > 1 {
        out.push_str("# It reads a file with one relay only; this one has several.\n");
    }
    if !with_secrets {
        out.push_str("# Secrets were left out: put them in place of Your-Network-Token and the like.\n");
    }
    for relay in relays {
        out.push('\n');
        write_relay(&mut out, relay, relays.len() == 1, with_secrets);
    }
    out
}

fn write_relay(out: &mut String, relay: &ImportedRelay, sole: bool, with_secrets: bool) {
    let connection = &relay.connection;
    out.push_str(if sole { "[relay]\n" } else { "[[relay]]\n" });
    let secret = |value: &crate::secret::Secret, placeholder: &str| {
        if with_secrets { value.expose().to_owned() } else { placeholder.to_owned() }
    };
    text(out, "network_token", &secret(&relay.network_token, "Your-Network-Token"));
    text(out, "authorization_token", &secret(&relay.authorization, "Your-Authorization-Token"));
    if let Some(url) = relay.region.url() {
        text(out, "tagoio_url", &url);
    }
    if let Some(port) = relay.downlink_port {
        out.push_str(&format!("downlink_port = {port}\n"));
    }
    out.push_str("\n[relay.mqtt]\n");
    text(out, "address", &connection.host);
    out.push_str(&format!("port = {}\ntls_enabled = {}\n", connection.port, connection.transport.is_tls()));
    text(out, "client_id", &connection.client_id);
    if let Some(name) = &connection.username {
        text(out, "username", name);
    }
    if let Some(password) = &relay.secrets.password {
        text(out, "password", &secret(password, "Your-Password"));
    }
    let filters = |enabled: bool| -> Vec<String> {
        relay
            .mappings
            .iter()
            .filter(|mapping| mapping.enabled == enabled)
            .map(|mapping| quote(&mapping.filter))
            .collect()
    };
    out.push_str(&format!("subscribe = [{}]\n", filters(true).join(", ")));
    if connection.transport.is_tls() {
        if let Some(ca) = &connection.tls.ca {
            text(out, "broker_tls_ca", ca);
        }
        if let Some(cert) = &connection.tls.client_cert {
            text(out, "broker_tls_cert", cert);
        }
        if let Some(key) = &relay.secrets.client_key {
            text(out, "broker_tls_key", &secret(key, "client.key"));
        }
    }
    write_own(out, relay, &filters(false));
}

fn write_own(out: &mut String, relay: &ImportedRelay, disabled: &[String]) {
    let connection = &relay.connection;
    out.push_str("\n[relay.relayscope]\n");
    text(out, "name", &relay.name);
    if !relay.enabled {
        out.push_str("enabled = false\n");
    }
    if relay.region == Region::Local {
        text(out, "region", "local");
    }
    if relay.downlink_port.is_none() {
        out.push_str("downlink = false\n");
    }
    match connection.version {
        MqttVersion::V311 => {}
        MqttVersion::V5 => text(out, "version", "5"),
        MqttVersion::Auto => text(out, "version", "auto"),
    }
    match connection.transport {
        Transport::Tcp | Transport::Tls => {}
        Transport::Ws => text(out, "transport", "ws"),
        Transport::Wss => text(out, "transport", "wss"),
    }
    if connection.transport.is_ws() && connection.path != WS_PATH {
        text(out, "path", &connection.path);
    }
    if connection.keep_alive != KEEP_ALIVE {
        out.push_str(&format!("keep_alive = {}\n", connection.keep_alive));
    }
    // Always written: a file of ours says what it means, and the import need not explain it.
    out.push_str(&format!("clean_start = {}\n", connection.clean_start));
    if connection.session_expiry != SESSION_EXPIRY {
        out.push_str(&format!("session_expiry = {}\n", connection.session_expiry));
    }
    let qos: Vec<String> = relay
        .mappings
        .iter()
        .filter(|mapping| mapping.qos != DEFAULT_QOS)
        .map(|mapping| format!("{} = {}", quote(&mapping.filter), u8::from(mapping.qos)))
        .collect();
    if !qos.is_empty() {
        out.push_str(&format!("qos = {{ {} }}\n", qos.join(", ")));
    }
    if !disabled.is_empty() {
        out.push_str(&format!("disabled = [{}]\n", disabled.join(", ")));
    }
    if !connection.tls.alpn.is_empty() {
        let names: Vec<String> = connection.tls.alpn.iter().map(|name| quote(name)).collect();
        out.push_str(&format!("alpn = [{}]\n", names.join(", ")));
    }
    if let Some(name) = &connection.tls.server_name {
        text(out, "server_name", name);
    }
    if let Some(will) = &connection.will {
        out.push_str("\n[relay.relayscope.will]\n");
        text(out, "topic", &will.topic);
        text(out, "payload", &will.payload);
        out.push_str(&format!("qos = {}\nretain = {}\n", u8::from(will.qos), will.retain));
    }
}

fn text(out: &mut String, key: &str, value: &str) {
    let is_pem =
        value.contains("-----BEGIN") && !value.contains("'''") && value.chars().all(|c| c == '\n' || !c.is_control());
    let value = if is_pem { format!("'''\n{value}'''") } else { quote(value) };
    out.push_str(&format!("{key} = {value}\n"));
}

/// A TOML basic string.
fn quote(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
