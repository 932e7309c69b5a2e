//! The MQTT steps: CONNECT and SUBSCRIBE through the client library, in either version.

use super::{FILTER, Found, Trouble};
use crate::mqtt::address;
use crate::mqtt::words::{self, Failure};
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::message::MqttVersion;
use rumqttc::{QoS, v5};
use std::time::Duration;

/// Longer than the step's own limit, so that the step decides.
const LIBRARY_TIME: u64 = 15;
/// What a 3.1.1 broker must accept (MQTT-3.1.3-5); some accept no more.
const SHORT_ID: usize = 23;

/// An established session of the test.
pub(super) struct Talk {
    session: Session,
}

enum Session {
    V311(rumqttc::AsyncClient, Box<rumqttc::EventLoop>),
    V5(v5::AsyncClient, Box<v5::EventLoop>),
}

/// The test's own client id: the relay's with a suffix, and no longer than every broker accepts if the relay's was not.
pub(super) fn test_id(form: &str, random: u16) -> String {
    let suffix = format!("-test-{random:04x}");
    let base = if form.is_empty() { "relayscope" } else { form };
    let room = if base.len() <= SHORT_ID { SHORT_ID } else { u16::MAX.into() } - suffix.len();
    let mut end = base.len().min(room);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &base[..end])
}

pub(super) async fn connect(connection: &Connection, secrets: &BrokerSecrets) -> Result<Found<Talk>, Trouble> {
    let id = test_id(&connection.client_id, rand::random());
    let transport = address::library_transport(connection, secrets.client_key.as_ref())
        .map_err(|error| Failure::new(error.to_string(), "Correct the TLS settings.", true))?;
    let password = secrets.password.as_ref().map_or("", |password| password.expose());
    let username = connection.username.as_deref().unwrap_or("");
    // 3.1.1 knows no password without a user name (MQTT-3.1.2-22).
    let login = !username.is_empty() || (connection.version == MqttVersion::V5 && !password.is_empty());
    // The library takes 5 seconds or more; the test is over sooner than that.
    let keep_alive = Duration::from_secs(connection.keep_alive.max(5).into());
    let host = address::library_host(connection);
    match connection.version {
        MqttVersion::V311 => {
            let mut options = rumqttc::MqttOptions::new(&id, host, connection.port);
            options.set_transport(transport).set_clean_session(true).set_keep_alive(keep_alive);
            if login {
                options.set_credentials(username, password);
            }
            let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 4);
            eventloop.network_options.set_connection_timeout(LIBRARY_TIME);
            let mut eventloop = Box::new(eventloop);
            loop {
                match eventloop.poll().await {
                    Ok(rumqttc::Event::Incoming(rumqttc::Packet::ConnAck(_))) => break,
                    Ok(_) => {}
                    Err(error) => return Err(trouble(words::from_v4(&error), &id)),
                }
            }
            let detail = vec!["MQTT 3.1.1".to_owned(), format!("client id of the test: {id}")];
            Ok(Found::new(Talk { session: Session::V311(client, eventloop) }, detail))
        }
        MqttVersion::V5 => {
            let mut options = v5::MqttOptions::new(&id, host, connection.port);
            options.set_transport(transport).set_clean_start(true).set_keep_alive(keep_alive);
            options.set_connection_timeout(LIBRARY_TIME);
            if login {
                options.set_credentials(username, password);
            }
            let (client, eventloop) = v5::AsyncClient::new(options, 4);
            let mut eventloop = Box::new(eventloop);
            let properties = loop {
                match eventloop.poll().await {
                    Ok(v5::Event::Incoming(v5::mqttbytes::v5::Packet::ConnAck(connack))) => break connack.properties,
                    Ok(_) => {}
                    Err(error) => return Err(trouble_v5(&error, &id)),
                }
            };
            let (limits, warning) =
                properties.as_ref().map_or_else(Default::default, |found| limits(found, connection));
            let mut detail = vec!["MQTT 5".to_owned(), format!("client id of the test: {id}")];
            detail.extend(limits);
            Ok(Found { value: Talk { session: Session::V5(client, eventloop) }, detail, warning })
        }
    }
}

fn trouble(mut failure: Failure, id: &str) -> Trouble {
    // Identifier rejected, or not authorized: both may be about the id alone.
    if matches!(failure.code, Some(0x02 | 0x05 | 0x85 | 0x87)) {
        failure.advice.push_str(" If the broker allows only certain client ids, the test's own may be the reason.");
    }
    Trouble { failure, detail: vec![format!("client id of the test: {id}")] }
}

fn trouble_v5(error: &v5::ConnectionError, id: &str) -> Trouble {
    let mut failure = words::from_v5(error);
    // Brokers of the older protocol hang up, or answer in a form that MQTT 5 does not have.
    if matches!(error, v5::ConnectionError::MqttState(_)) && failure.code.is_none() {
        failure.advice.push_str(" A broker that knows MQTT 3.1.1 only behaves like this; try that version.");
    }
    trouble(failure, id)
}

/// The broker's limits in words (MQTT 5.0 section 3.2.2.3), and what to do about those that hurt a relay.
fn limits(found: &v5::mqttbytes::v5::ConnAckProperties, connection: &Connection) -> (Vec<String>, String) {
    let mut lines = Vec::new();
    let mut warnings = Vec::new();
    if let Some(count) = found.receive_max {
        lines.push(format!("receive maximum {count}"));
    }
    if let Some(bytes) = found.max_packet_size {
        lines.push(format!("packets up to {bytes} bytes"));
    }
    match found.max_qos {
        Some(0) => {
            lines.push("QoS 0 only".to_owned());
            warnings.push("The broker knows no QoS 1: messages can be lost on the way here.");
        }
        Some(qos) => lines.push(format!("QoS up to {qos}")),
        None => {}
    }
    let available = |flag: Option<u8>| flag != Some(0);
    lines.push(if available(found.retain_available) { "retain available" } else { "retain not available" }.to_owned());
    if !available(found.wildcard_subscription_available) {
        lines.push("wildcards not available".to_owned());
        warnings.push("The broker allows no wildcards in filters.");
    }
    if !available(found.shared_subscription_available) {
        lines.push("shared subscriptions not available".to_owned());
    }
    if let Some(seconds) = found.server_keep_alive {
        lines.push(format!("server keep-alive {seconds} s instead of {} s", connection.keep_alive));
    }
    if let Some(assigned) = &found.assigned_client_identifier {
        lines.push(format!("assigned client id {assigned}"));
    }
    if let Some(reason) = found.reason_string.as_deref().filter(|reason| !reason.is_empty()) {
        lines.push(format!("“{reason}”"));
    }
    (lines, warnings.join(" "))
}

impl Talk {
    /// Subscribes to [`FILTER`] and waits for the answer.
    pub(super) async fn subscribe(&mut self) -> Result<Found<()>, Trouble> {
        let (code, words) = match &mut self.session {
            Session::V311(client, eventloop) => {
                client.subscribe(FILTER, QoS::AtLeastOnce).await.map_err(|_| over())?;
                let code = loop {
                    match eventloop.poll().await {
                        Ok(rumqttc::Event::Incoming(rumqttc::Packet::SubAck(suback))) => {
                            break suback.return_codes.first().map_or(0x80, |code| words::suback_code_v4(*code));
                        }
                        Ok(_) => {}
                        Err(error) => return Err(hung_up(words::from_v4(&error))),
                    }
                };
                (code, words::suback_v4(code))
            }
            Session::V5(client, eventloop) => {
                client.subscribe(FILTER, v5::mqttbytes::QoS::AtLeastOnce).await.map_err(|_| over())?;
                let code = loop {
                    match eventloop.poll().await {
                        Ok(v5::Event::Incoming(v5::mqttbytes::v5::Packet::SubAck(suback))) => {
                            break suback.return_codes.first().map_or(0x80, |code| words::suback_code_v5(*code));
                        }
                        Ok(_) => {}
                        Err(error) => return Err(hung_up(words::from_v5(&error))),
                    }
                };
                (code, words::suback_v5(code))
            }
        };
        let line = format!("{FILTER}: {words}");
        match code {
            0 => Ok(Found {
                value: (),
                detail: vec![line],
                warning: "QoS 1 was asked for. With QoS 0 messages can be lost on the way here.".to_owned(),
            }),
            1 | 2 => Ok(Found::new((), vec![line])),
            _ => {
                let mut failure = Failure::new(format!("The filter was refused: {words}."), ADVICE, true);
                failure.code = Some(code);
                Err(Trouble { failure, detail: vec![format!("filter of the test: {FILTER}")] })
            }
        }
    }

    /// Leaves cleanly; gives up after a second.
    pub(super) async fn disconnect(self) {
        let leave = async {
            match self.session {
                Session::V311(client, mut eventloop) => {
                    if client.disconnect().await.is_ok() {
                        while !matches!(
                            eventloop.poll().await,
                            Err(_) | Ok(rumqttc::Event::Outgoing(rumqttc::Outgoing::Disconnect))
                        ) {}
                    }
                }
                Session::V5(client, mut eventloop) => {
                    if client.disconnect().await.is_ok() {
                        while !matches!(
                            eventloop.poll().await,
                            Err(_) | Ok(v5::Event::Outgoing(rumqttc::Outgoing::Disconnect))
                        ) {}
                    }
                }
            }
        };
        // Late or not, the socket closes with the session.
        let _late = tokio::time::timeout(Duration::from_secs(1), leave).await;
    }
}

const ADVICE: &str = "The broker's rules don't let this client subscribe there. The relay's own filters may still be \
                      allowed; its page shows the answer to each.";

fn over() -> Failure {
    Failure::new("The session was over before SUBSCRIBE could be sent.", "Look at the broker's log.", false)
}

fn hung_up(mut failure: Failure) -> Trouble {
    failure.advice = format!("{} Some brokers hang up instead of refusing a filter.", failure.advice);
    Trouble { failure, detail: vec![format!("filter of the test: {FILTER}")] }
}

#[cfg(test)]
mod tests {
    use super::test_id;

    #[test]
    fn the_tests_client_id_is_its_own_and_no_longer_than_needed() {
        for (form, expected) in [
            ("plant-7", "plant-7-test-00ff"),
            ("", "relayscope-test-00ff"),
            ("relayscope-12345678", "relayscope-12-test-00ff"),
            ("a-client-id-that-is-longer-than-23", "a-client-id-that-is-longer-than-23-test-00ff"),
            ("éééééééé", "éééééé-test-00ff"),
        ] {
            assert_eq!(test_id(form, 0xff), expected);
        }
        assert!(test_id(&"x".repeat(65_535), 1).len() <= 65_535);
    }
}
