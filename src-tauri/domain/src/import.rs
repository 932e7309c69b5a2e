//! The official relay's `.tagoio-mqtt-relay.toml` (tago-io/mqtt-relay): read, checked, shown and written.
//!
//! [`parse`] takes the file as people have it, with the variants its readme and examples brought about, and the
//! environment over it. It either gives everything or every problem at once, each with file, key and line. Settings the
//! official file cannot express stand in a table of their own, `[relay.relayscope]`, which the official relay passes
//! over. No file, no environment and no clock is touched here: contents come in as arguments.

use crate::broker::{BrokerSecrets, Connection, Transport};
use crate::message::Qos;
use crate::relay::Mapping;
use crate::secret::Secret;
use crate::token::Region;
use std::fmt;

mod broker;
mod export;
mod read;
mod relay;
mod sample;
#[cfg(test)]
mod tests;
mod tree;

pub use export::export;
pub use sample::SAMPLE;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// At least one relay. Names are unique.
    pub relays: Vec<ImportedRelay>,
    /// What is taken otherwise than the official relay takes it, and why; one sentence or two each.
    pub notes: Vec<String>,
}

/// One relay with its broker and its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRelay {
    /// Name of the relay. The official file has none: then `TagoIO relay`, `TagoIO relay 2` … in the order of the
    /// file, which stays the same when settings are edited.
    pub name: String,
    /// Name of its broker. Relays with the same broker (connection and secrets) carry the same name.
    pub broker_name: String,
    /// How to reach the broker.
    pub connection: Connection,
    /// Password and client key.
    pub secrets: BrokerSecrets,
    /// What is subscribed to.
    pub mappings: Vec<Mapping>,
    /// Where the API is.
    pub region: Region,
    /// Network token.
    pub network_token: Secret,
    /// Authorization.
    pub authorization: Secret,
    /// Port of `POST /publish`; `None` listens nowhere.
    pub downlink_port: Option<u16>,
    /// Whether it runs.
    pub enabled: bool,
}

/// One thing that is wrong with a file. Its `Display` is one line that names file, key and problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportProblem {
    /// Name of the file, as it was given.
    pub file: String,
    /// Full key, such as `relay.mqtt.port`; `None` when the text is no TOML.
    pub key: Option<String>,
    /// Line, counted from 1; `None` when the value does not stand in the file.
    pub line: Option<usize>,
    /// What is wrong and what would be right. No secret is repeated.
    pub message: String,
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", {key}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads a file whose certificates stand in it. A certificate given as a path is a problem that says what to do; see
/// [`parse_with`].
pub fn parse(file_name: &str, text: &str, env: &[(String, String)]) -> Result<Imported, Vec<ImportProblem>> {
    parse_with(file_name, text, env, &|_| {
        Err("is not read here; put the PEM text itself in its place, between '''".into())
    })
}

/// Reads a file. `files` gives the contents of a certificate or key file that is named by its path, or says why not,
/// as the end of a sentence that began with the path.
pub fn parse_with(
    file_name: &str,
    text: &str,
    env: &[(String, String)],
    files: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Imported, Vec<ImportProblem>> {
    let mut root = tree::read(file_name, text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let problems = tree::overlay(file_name, &mut root, env);
    let mut report = read::Report { file: file_name.to_owned(), problems, notes: vec![] };
    let relays = relay::relays(&root, files, &mut report);
    if report.problems.is_empty() {
        Ok(Imported { relays, notes: report.notes })
    } else {
        report.problems.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        Err(report.problems)
    }
}

/// What an import creates, one line for each thing. Secrets show their last five characters at most.
pub fn preview_lines(imported: &Imported) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for relay in &imported.relays {
        for line in [
            broker_line(relay),
            token_line("Network token", &relay.network_token, &relay.region),
            token_line("Authorization", &relay.authorization, &relay.region),
        ] {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.push(relay_line(relay));
    }
    lines
}

fn token_line(what: &str, token: &Secret, region: &Region) -> String {
    format!("{what} {token} · {}", region.words())
}

fn broker_line(relay: &ImportedRelay) -> String {
    let connection = &relay.connection;
    let transport = match connection.transport {
        Transport::Tcp => "no TLS",
        Transport::Tls => "TLS",
        Transport::Ws => "WebSocket, no TLS",
        Transport::Wss => "WebSocket, TLS",
    };
    let mut line = format!("Broker “{}” · {transport} · port {}", relay.broker_name, connection.port);
    if connection.host != relay.broker_name {
        line.push_str(&format!(" · host {}", connection.host));
    }
    line.push_str(&format!(" · client id {}", connection.client_id));
    if let Some(name) = &connection.username {
        line.push_str(&format!(" · user name {name}"));
    }
    if let Some(password) = &relay.secrets.password {
        line.push_str(&format!(" · password {password}"));
    }
    if connection.tls.ca.is_some() {
        line.push_str(" · own certificate authority");
    }
    if connection.tls.client_cert.is_some() {
        line.push_str(" · client certificate");
    }
    line
}

fn relay_line(relay: &ImportedRelay) -> String {
    let filters: Vec<String> = relay
        .mappings
        .iter()
        .map(|mapping| {
            let off = if mapping.enabled { "" } else { ", off" };
            format!("{} (QoS {}{off})", mapping.filter, u8::from(mapping.qos))
        })
        .collect();
    let downlink = relay.downlink_port.map_or("no downlink".to_owned(), |port| format!("downlink at 127.0.0.1:{port}"));
    let state = if relay.enabled { "" } else { " · switched off" };
    format!(
        "Relay “{}” · {} → {} · {} · {downlink}{state}",
        relay.name,
        relay.broker_name,
        relay.region.words(),
        filters.join(", ")
    )
}

/// What a filter is asked for when the file does not say.
const DEFAULT_QOS: Qos = Qos::AtLeastOnce;
/// The official relay's client identifier when the file gives none.
const DEFAULT_CLIENT_ID: &str = "tagoio-relay";
/// The official relay's downlink port when the file gives none.
const DEFAULT_DOWNLINK_PORT: u16 = 3000;
/// The official relay's keep-alive, seconds.
const KEEP_ALIVE: u16 = 30;
/// How long an MQTT 5 broker keeps the session, seconds: a day away loses nothing.
const SESSION_EXPIRY: u32 = 86_400;
/// Path of a WebSocket endpoint when none is given, as most brokers have it.
const WS_PATH: &str = "/mqtt";
