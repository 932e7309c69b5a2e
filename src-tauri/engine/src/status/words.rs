//! States in words. A state says what is, why, and since when; colour is never its only sign.

use crate::api::wire::{RelayStatus, StateWords, Tone};
use crate::broker::Listening;
use crate::feed::{clock, unix_millis};
use crate::mqtt::session::{SessionState, Standing};
use crate::relay::meter::{Destination, Meter};
use crate::runtime::UnitStatus;
use relayscope_domain::broker::{Broker, BrokerSpec, Transport};
use relayscope_domain::message::MqttVersion;
use relayscope_domain::relay::Relay;
use std::time::SystemTime;

/// `15,000`, as the page writes numbers.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn state(words: impl Into<String>, tone: Tone, since: Option<SystemTime>) -> StateWords {
    StateWords { words: words.into(), tone, since: since.map(unix_millis) }
}

/// A unit's own state; `stopped` is said when it is not wanted.
pub(crate) fn unit(status: &UnitStatus, stopped: &str) -> StateWords {
    match status {
        UnitStatus::Stopped => state(stopped, Tone::Idle, None),
        UnitStatus::Starting => state("starting", Tone::Warn, None),
        UnitStatus::Running { since } => state("running", Tone::Ok, Some(*since)),
        UnitStatus::Backoff { until, reason } => {
            state(format!("starts again at {}: {reason}", clock(*until)), Tone::Warn, None)
        }
        UnitStatus::Failed { reason } => state(format!("failed: {reason}"), Tone::Bad, None),
    }
}

/// A broker's own state, unless listeners of it don't listen.
pub(super) fn with_listeners(own: StateWords, listening: &[Listening]) -> StateWords {
    let now = unix_millis(SystemTime::now()).div_euclid(1_000);
    let mut wrong = listening.iter().filter_map(|at| at.problem(now).map(|problem| (at.address.port(), problem)));
    let Some((port, problem)) = wrong.next() else { return own };
    let more = match wrong.count() {
        0 => String::new(),
        more => format!(" {more} more have problems."),
    };
    StateWords {
        words: format!("running, but the listener on port {port} is not in order. {problem}{more}"),
        tone: Tone::Warn,
        ..own
    }
}

/// An external broker, as the relays that use it see it.
pub(super) fn external<'a>(relays: impl Iterator<Item = &'a RelayStatus>) -> StateWords {
    let mut worst: Option<StateWords> = None;
    for relay in relays {
        let rank = |tone: Tone| match tone {
            Tone::Idle => 0,
            Tone::Ok => 1,
            Tone::Warn => 2,
            Tone::Bad => 3,
        };
        if worst.as_ref().is_none_or(|worst| rank(relay.broker.tone) > rank(worst.tone)) {
            worst = Some(relay.broker.clone());
        }
    }
    worst.unwrap_or_else(|| state("unused", Tone::Idle, None))
}

/// `MQTT 5 · TLS`, or `inside · port 1883`.
pub(super) fn broker_detail(broker: &Broker) -> String {
    match &broker.spec {
        BrokerSpec::Embedded(embedded) => format!("embedded · port {}", embedded.port),
        BrokerSpec::External(connection) => {
            let version = match connection.version {
                MqttVersion::V311 => "MQTT 3.1.1",
                MqttVersion::V5 => "MQTT 5",
                MqttVersion::Auto => "MQTT 5 or 3.1.1",
            };
            let transport = match connection.transport {
                Transport::Tcp => "TCP",
                Transport::Tls => "TLS",
                Transport::Ws => "WebSocket",
                Transport::Wss => "secure WebSocket",
            };
            format!("{version} · {transport}")
        }
    }
}

/// Everything a relay's state is made of.
pub(super) struct RelayStanding<'a> {
    pub(super) relay: &'a Relay,
    pub(super) unit: &'a UnitStatus,
    // Of its downlink endpoint, when it has one.
    pub(super) endpoint: Option<&'a UnitStatus>,
    pub(super) session: Option<&'a SessionState>,
    pub(super) meter: &'a Meter,
    pub(super) waiting: u64,
}

impl RelayStanding<'_> {
    /// The whole relay: its worst part first.
    pub(super) fn state(&self) -> StateWords {
        if !self.relay.enabled {
            return state("stopped", Tone::Idle, None);
        }
        match self.unit {
            UnitStatus::Running { since } => self.running(*since),
            // Enabled and not there: something it needs is not up yet.
            UnitStatus::Stopped => state("waiting for its broker or the stand-in to start", Tone::Warn, None),
            other => unit(other, "stopped"),
        }
    }

    fn running(&self, since: SystemTime) -> StateWords {
        if let Some((_, since)) = self.meter.storage() {
            let delivering = matches!(self.meter.destination(), Destination::Working { .. });
            let words = if delivering {
                "delivering, but messages can't be stored"
            } else {
                "paused: messages can't be stored"
            };
            return state(words, Tone::Bad, Some(since));
        }
        if self.meter.is_paused() {
            return state("delivery paused by you", Tone::Warn, None);
        }
        if let Destination::Paused { since, .. } = self.meter.destination() {
            return state("paused: token refused", Tone::Bad, Some(since));
        }
        let session = self.broker();
        if session.tone != Tone::Ok {
            return session;
        }
        if let Destination::Waiting { .. } = self.meter.destination() {
            return self.destination();
        }
        let refused =
            self.session.map_or(0, |session| session.grants.iter().filter(|(_, granted)| granted.is_err()).count());
        match refused {
            0 => state("running", Tone::Ok, Some(since)),
            1 => state("running, but one filter was refused", Tone::Bad, Some(since)),
            more => state(format!("running, but {more} filters were refused"), Tone::Bad, Some(since)),
        }
    }

    /// What MQTT 3.1.1 costs: such a broker drops what it may not have on its way.
    pub(super) fn version_advice(&self) -> Option<String> {
        let version = self.session.and_then(|session| session.version)?;
        (version == MqttVersion::V311).then(|| {
            "MQTT 3.1.1 is spoken: in a burst the broker may drop messages beyond its own queue. Raise \
             max_queued_messages and max_inflight_messages (Mosquitto), or let the broker speak MQTT 5."
                .to_owned()
        })
    }

    /// The session with the broker.
    pub(super) fn broker(&self) -> StateWords {
        let Some(session) = self.session else {
            return state(if self.relay.enabled { "not connected" } else { "stopped" }, Tone::Idle, None);
        };
        let since = Some(session.since);
        match &session.standing {
            Standing::Connecting => state("connecting", Tone::Warn, since),
            Standing::Connected => state("connected", Tone::Ok, since),
            Standing::Retrying(failure) => state(format!("reconnecting: {}", failure.words), Tone::Warn, since),
            Standing::Refused(_) => state("refused by the broker", Tone::Bad, since),
            Standing::Blocked => state("waiting: the queue is behind", Tone::Warn, since),
        }
    }

    /// The path to the destination.
    pub(super) fn destination(&self) -> StateWords {
        if self.session.is_none() {
            return state(if self.relay.enabled { "not started" } else { "stopped" }, Tone::Idle, None);
        }
        match self.meter.destination() {
            Destination::Unknown => state("nothing sent yet", Tone::Idle, None),
            Destination::Working { since } => state("delivering", Tone::Ok, Some(since)),
            Destination::Waiting { since, until, .. } => {
                state(format!("waiting for {}", clock(until)), Tone::Warn, Some(since))
            }
            Destination::Paused { since, .. } => state("refused", Tone::Bad, Some(since)),
        }
    }

    /// What is wrong right now: message, advice, since when.
    pub(super) fn trouble(&self) -> Option<(String, String, SystemTime)> {
        if !self.relay.enabled {
            return None;
        }
        if let UnitStatus::Failed { reason } | UnitStatus::Backoff { reason, .. } = self.unit {
            return Some((
                reason.clone(),
                "Correct the relay or its broker; it starts again by itself.".into(),
                SystemTime::now(),
            ));
        }
        if let Some((message, since)) = self.meter.storage() {
            let advice = "Free space or mend the disk. Nothing acknowledged is lost; the broker keeps the rest.";
            return Some((message, advice.into(), since));
        }
        if let Some(UnitStatus::Failed { reason } | UnitStatus::Backoff { reason, .. }) = self.endpoint {
            return Some((
                reason.clone(),
                "Uplink goes on; downlinks wait until the port is free.".into(),
                SystemTime::now(),
            ));
        }
        let session = self.session?;
        if let Standing::Retrying(failure) | Standing::Refused(failure) = &session.standing {
            return Some((failure.words.clone(), failure.advice.clone(), session.since));
        }
        let kept = |reason: &str| format!("{reason} {} wait on disk, nothing is lost.", grouped(self.waiting));
        match self.meter.destination() {
            Destination::Waiting { reason, since, .. } => {
                Some((kept(&sentence(&reason)), "It is tried again by itself.".into(), since))
            }
            Destination::Paused { reason, since } => Some((
                kept(&sentence(&reason)),
                "Replace the token or the authorization; the relay then goes on by itself.".into(),
                since,
            )),
            Destination::Unknown | Destination::Working { .. } => {
                let (filter, reason) =
                    session.grants.iter().find_map(|(filter, granted)| Some((filter, granted.as_ref().err()?)))?;
                let advice = "Allow it at the broker, or correct the filter; then restart the relay.";
                Some((format!("The broker refused the filter {filter}: {reason}"), advice.into(), session.since))
            }
        }
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
