//! The MQTT steps: CONNECT and SUBSCRIBE over the link that relays use, in either version.

use super::{FILTER, Found, Trouble};
use crate::mqtt::link::{Limits, Link, MAX_PACKET, Polled, Unsent};
use crate::mqtt::own_id::own_id;
use crate::mqtt::words::Failure;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::message::{MqttVersion, Qos};
use std::time::Duration;

/// An established session of the test.
pub(super) struct Talk {
    link: Link,
}

pub(super) async fn connect(connection: &Connection, secrets: &BrokerSecrets) -> Result<Found<Talk>, Trouble> {
    let id = own_id(&connection.client_id, "test", rand::random());
    // A session of its own, that leaves nothing behind.
    let own =
        Connection { client_id: id.clone(), clean_start: true, session_expiry: 0, will: None, ..connection.clone() };
    let mut link = Link::new(&own, secrets, MAX_PACKET)
        .map_err(|error| Failure::fatal(error.to_string(), "Correct the TLS settings."))?;
    let mut detail = Vec::new();
    let mut again = true;
    let (version, limits) = loop {
        match link.poll().await {
            Ok(Polled::Connected { version, limits, .. }) => break (version, limits),
            Ok(Polled::FellBack(words)) => detail.push(words),
            Ok(_) => {}
            // As a relay would: a second silent end decides for the other version.
            Err(failure) if again && link.undecided() && failure.code.is_none() => again = false,
            Err(failure) => return Err(trouble(failure, connection, &id, detail)),
        }
    };
    let spoken = match version {
        MqttVersion::V311 => "MQTT 3.1.1",
        MqttVersion::V5 | MqttVersion::Auto => "MQTT 5",
    };
    let agreed = if connection.version == MqttVersion::Auto { " agreed" } else { "" };
    detail.insert(0, format!("{spoken}{agreed}"));
    detail.push(format!("client id of the test: {id}"));
    let (lines, mut warning) = limits.map_or_else(Default::default, |found| described(&found, connection));
    detail.extend(lines);
    if connection.version == MqttVersion::Auto && version == MqttVersion::V311 {
        warning = V3_WARNING.to_owned();
    }
    Ok(Found { value: Talk { link }, detail, warning })
}

const V3_WARNING: &str = "The broker speaks MQTT 3.1.1 only: it decides alone how many messages it keeps for a relay, and \
                          may drop more. Raise its limits for queued and inflight messages.";

fn trouble(mut failure: Failure, connection: &Connection, id: &str, mut detail: Vec<String>) -> Trouble {
    // Identifier rejected, or not authorized: both may be about the id alone.
    if matches!(failure.code, Some(0x02 | 0x05 | 0x85 | 0x87)) {
        failure.advice.push_str(" If the broker allows only certain client ids, the test's own may be the reason.");
    }
    // Brokers of the older protocol hang up, or answer in a form that MQTT 5 does not have.
    if connection.version == MqttVersion::V5 && failure.code.is_none() {
        failure.advice.push_str(" A broker that knows MQTT 3.1.1 only behaves like this; try that version.");
    }
    detail.push(format!("client id of the test: {id}"));
    Trouble { failure, detail }
}

/// The broker's limits in words, and what to do about those that hurt a relay.
fn described(found: &Limits, connection: &Connection) -> (Vec<String>, String) {
    let mut lines = Vec::new();
    let mut warnings = Vec::new();
    lines.extend(found.receive_maximum.map(|count| format!("receive maximum {count}")));
    lines.extend(found.packet_bytes.map(|bytes| format!("packets up to {bytes} bytes")));
    match found.qos {
        Some(0) => {
            lines.push("QoS 0 only".to_owned());
            warnings.push("The broker knows no QoS 1: messages can be lost on the way here.");
        }
        Some(qos) => lines.push(format!("QoS up to {qos}")),
        None => {}
    }
    lines.push(if found.retain { "retain available" } else { "retain not available" }.to_owned());
    if !found.wildcards {
        lines.push("wildcards not available".to_owned());
        warnings.push("The broker allows no wildcards in filters.");
    }
    if !found.shared {
        lines.push("shared subscriptions not available".to_owned());
    }
    let asked = connection.keep_alive;
    lines.extend(found.keep_alive.map(|seconds| format!("server keep-alive {seconds} s instead of {asked} s")));
    lines.extend(found.client_id.as_ref().map(|assigned| format!("assigned client id {assigned}")));
    lines.extend(found.reason.as_ref().map(|reason| format!("“{reason}”")));
    (lines, warnings.join(" "))
}

impl Talk {
    /// Subscribes to [`FILTER`] and waits for the answer.
    pub(super) async fn subscribe(&mut self) -> Result<Found<()>, Trouble> {
        self.link.subscribe(&[(FILTER.into(), Qos::AtLeastOnce)], false, None).map_err(over)?;
        let answer = loop {
            match self.link.poll().await {
                Ok(Polled::SubAck(_, answers)) => break answers.into_iter().next(),
                Ok(_) => {}
                Err(failure) => return Err(hung_up(failure)),
            }
        };
        match answer {
            Some(Ok(granted)) => {
                let line = format!("{FILTER}: granted QoS {}", u8::from(granted));
                let warning = "QoS 1 was asked for. With QoS 0 messages can be lost on the way here.";
                let warning = if granted == Qos::AtMostOnce { warning.to_owned() } else { String::new() };
                Ok(Found { value: (), detail: vec![line], warning })
            }
            refused => {
                let words = refused.and_then(Result::err).unwrap_or_else(|| "without a reason".into());
                let failure = Failure::fatal(format!("The filter was refused: {words}."), ADVICE);
                Err(Trouble { failure, detail: vec![format!("filter of the test: {FILTER}")] })
            }
        }
    }

    /// Leaves cleanly; gives up after a second.
    pub(super) async fn disconnect(mut self) {
        let leave = async {
            if self.link.disconnect().is_ok() {
                while !matches!(self.link.poll().await, Err(_) | Ok(Polled::Left)) {}
            }
        };
        // Late or not, the socket closes with the session.
        let _late = tokio::time::timeout(Duration::from_secs(1), leave).await;
    }
}

const ADVICE: &str = "The broker's rules don't let this client subscribe there. The relay's own filters may still be \
                      allowed; its page shows the answer to each.";

fn over(_: Unsent) -> Failure {
    Failure::passing("The session was over before SUBSCRIBE could be sent.", "Look at the broker's log.")
}

fn hung_up(mut failure: Failure) -> Trouble {
    failure.advice = format!("{} Some brokers hang up instead of refusing a filter.", failure.advice);
    Trouble { failure, detail: vec![format!("filter of the test: {FILTER}")] }
}
