//! What people do with a running embedded broker: look at it, copy a line that reaches it, clear retained messages and
//! bring them back. Configuring it is `configuration`'s business, running it the supervisor's.

use crate::Engine;
use crate::api::wire::{Cleared, CommandLine, EmbeddedPreview, ListenerLine};
use crate::broker::{EmbeddedBroker, Listening, Restored, RetainedMessage};
use crate::configuration::unix_seconds;
use crate::exports::folder;
use crate::front::Turned;
use crate::store::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_domain::broker::{Broker, BrokerDraft, BrokerSpec, Transport};
use relayscope_domain::id::{BrokerId, TokenId};
use relayscope_domain::token::TokenKind;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Begins the names of files that bring retained messages back.
const UNDO: &str = "relayscope-retained-";

/// Why something could not be done with a running broker.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// It does not run.
    #[error("This broker does not run. Start it first.")]
    Stopped,
    /// Nothing matches.
    #[error("No retained message matches any more.")]
    Nothing,
    /// The file is not one of ours.
    #[error("This is no file that brings retained messages back.")]
    Undo,
    /// A file can't be written or read.
    #[error("failed to use {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Reading the configuration failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What there is to see of a broker.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) running: bool,
    pub(crate) listeners: Vec<ListenerLine>,
    pub(crate) clients: u32,
    pub(crate) away: u32,
    pub(crate) retained: u32,
    pub(crate) traffic: [u64; 4],
    pub(crate) rates: (f64, f64),
    pub(crate) connects: u64,
    pub(crate) refusals: u64,
    pub(crate) turned: Turned,
    pub(crate) dropped: u64,
    pub(crate) restored: String,
}

#[derive(Serialize, Deserialize)]
struct UndoLine {
    space: String,
    topic: String,
    qos: u8,
    from: String,
    at: i64,
    payload: String,
}

impl Engine {
    /// A broker that runs.
    pub(crate) fn running_broker(&self, id: BrokerId) -> Result<Arc<EmbeddedBroker>, EmbeddedError> {
        self.runtime.broker(id).map(|at| at.broker).ok_or(EmbeddedError::Stopped)
    }

    /// What there is to see of a broker.
    pub(crate) async fn look_at_broker(&self, id: BrokerId) -> Result<Look, EmbeddedError> {
        let Some(at) = self.runtime.broker(id) else { return Ok(Look::default()) };
        let (clients, sessions) = (at.broker.client_count(), at.broker.session_count().await);
        let (counters, listening) = (at.broker.counters(), at.broker.listening());
        let now = unix_seconds();
        Ok(Look {
            running: true,
            turned: listening.iter().fold(Turned::default(), |sum, at| sum + at.turned),
            listeners: listening.iter().map(|at| listener_line(at, now)).collect(),
            clients: clients as u32,
            away: sessions.saturating_sub(clients) as u32,
            retained: at.broker.retained_count().await as u32,
            traffic: counters.traffic,
            rates: counters.rates,
            connects: counters.connects,
            refusals: counters.refusals,
            dropped: counters.dropped,
            restored: restored_words(at.broker.restored()),
        })
    }

    /// Lines that reach a broker, with a token in them or a gap for one.
    pub(crate) async fn broker_lines(
        &self,
        id: BrokerId,
        token: Option<TokenId>,
        reveal: bool,
    ) -> Result<Vec<CommandLine>, EmbeddedError> {
        let Broker { spec: BrokerSpec::Embedded(embedded), .. } = self.store.broker(id).await? else {
            return Err(EmbeddedError::Stopped);
        };
        let port = self.runtime.broker(id).map_or(embedded.port, |at| at.address.port());
        let password = match token {
            None => "<device token>".to_owned(),
            Some(id) => {
                let stored = self.store.token(id).await?;
                match (stored.token.kind, reveal) {
                    (TokenKind::Device, true) => stored.value.expose().to_owned(),
                    _ => format!("…{}", stored.token.last5),
                }
            }
        };
        Ok(lines(port, &shell_word(&password)))
    }

    /// What comes of the form.
    pub(crate) fn preview_embedded(&self, draft: &BrokerDraft) -> EmbeddedPreview {
        let running = draft.id.and_then(|id| self.runtime.broker(id));
        let consequence = running.map(|at| match at.broker.client_count() {
            0 => "Saving restarts the broker. No client is connected.".to_owned(),
            1 => "Saving restarts the broker: 1 client is disconnected.".to_owned(),
            more => format!("Saving restarts the broker: {more} clients are disconnected."),
        });
        EmbeddedPreview { consequence }
    }

    /// Takes retained messages away, after a file was written that brings them back.
    pub(crate) async fn clear_retained(
        &self,
        id: BrokerId,
        filter: &str,
        space: Option<&str>,
    ) -> Result<Cleared, EmbeddedError> {
        let broker = self.running_broker(id)?;
        let mut messages = broker.retained(filter).await;
        messages.retain(|message| space.is_none_or(|space| message.space == space));
        if messages.is_empty() {
            return Err(EmbeddedError::Nothing);
        }
        let path = write_undo(&folder(&self.data_dir), &messages).await?;
        let count = broker.clear_retained(&messages).await;
        let words = match count {
            1 => "1 retained message was cleared.".to_owned(),
            more => format!("{more} retained messages were cleared."),
        };
        let undo = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Cleared { count: count as u32, words, undo, path: path.display().to_string() })
    }

    /// Brings back what a file holds.
    pub(crate) async fn undo_clear(&self, id: BrokerId, name: &str) -> Result<usize, EmbeddedError> {
        let broker = self.running_broker(id)?;
        if !name.starts_with(UNDO) || name.contains(['/', '\\']) {
            return Err(EmbeddedError::Undo);
        }
        let path = folder(&self.data_dir).join(name);
        let text = tokio::fs::read_to_string(&path).await.map_err(failed(&path))?;
        let mut messages = vec![];
        for line in text.lines() {
            let line: UndoLine = serde_json::from_str(line).map_err(|_| EmbeddedError::Undo)?;
            let payload = STANDARD.decode(line.payload).map_err(|_| EmbeddedError::Undo)?.into();
            let UndoLine { space, topic, qos, from, at, .. } = line;
            messages.push(RetainedMessage { space, topic, payload, qos, from, at });
        }
        Ok(broker.restore_retained(&messages).await)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> EmbeddedError {
    let path = path.display().to_string();
    move |source| EmbeddedError::File { path: path.clone(), source }
}

async fn write_undo(folder: &Path, messages: &[RetainedMessage]) -> Result<PathBuf, EmbeddedError> {
    tokio::fs::create_dir_all(folder).await.map_err(failed(folder))?;
    let path = folder.join(format!("{UNDO}{}.jsonl", chrono::Local::now().format("%Y-%m-%d-%H%M%S-%3f")));
    let mut text = String::new();
    for message in messages {
        let line = UndoLine {
            space: message.space.clone(),
            topic: message.topic.clone(),
            qos: message.qos,
            from: message.from.clone(),
            at: message.at,
            payload: STANDARD.encode(&message.payload),
        };
        let line = serde_json::to_string(&line).map_err(|error| failed(&path)(io::Error::other(error)))?;
        text.push_str(&line);
        text.push('\n');
    }
    tokio::fs::write(&path, text).await.map_err(failed(&path))?;
    Ok(path)
}

fn restored_words(restored: Restored) -> String {
    if restored == Restored::default() {
        return String::new();
    }
    let count = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    let (sessions, messages) = (count(restored.sessions, "session"), count(restored.messages, "waiting message"));
    format!("{sessions} and {messages} of the last run")
}

fn transport_words(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Ws => "WebSocket",
        Transport::Wss => "Secure WebSocket",
    }
}

fn listener_line(at: &Listening, now: i64) -> ListenerLine {
    let ip = at.address.ip();
    let own = if ip.is_unspecified() { crate::endpoint::own_address() } else { ip };
    let address = SocketAddr::new(own, at.address.port());
    let address = match at.transport {
        Transport::Tcp | Transport::Tls => address.to_string(),
        Transport::Ws => format!("ws://{address}/mqtt"),
        Transport::Wss => format!("wss://{address}/mqtt"),
    };
    ListenerLine {
        id: at.id,
        transport: transport_words(at.transport).to_owned(),
        address,
        problem: at.problem(now),
        free: at.trouble.as_ref().and_then(|trouble| trouble.free),
        refused: at.turned.refused,
        cut: at.turned.cut,
        reach: if ip.is_loopback() { "this computer only" } else { "other computers too" }.to_owned(),
    }
}

/// A word as a POSIX shell takes it.
fn shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=@:".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn lines(port: u16, password: &str) -> Vec<CommandLine> {
    let line = |label: &str, text: String| CommandLine { label: label.to_owned(), text };
    let reach = format!("-h 127.0.0.1 -p {port} -u Token -P {password}");
    vec![
        line("Publish with Mosquitto", format!("mosquitto_pub {reach} -t test -m hello")),
        line("Subscribe with Mosquitto", format!("mosquitto_sub {reach} -t '#' -v")),
        line("Publish with MQTTX", format!("mqttx pub {reach} -t test -m hello")),
        line("Subscribe with MQTTX", format!("mqttx sub {reach} -t '#'")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell_are_quoted_when_they_must_be() {
        assert_eq!(shell_word("fd549ad2-0b1a"), "fd549ad2-0b1a");
        assert_eq!(shell_word("<device token>"), "'<device token>'");
        assert_eq!(shell_word("it's $x"), "'it'\\''s $x'");
    }
}
