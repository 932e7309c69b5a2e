//! The way to an MQTT connection: dialling, CONNECT and its answer.

use super::super::dial::{Dial, Stream};
use super::super::failure::Failure;
use super::super::{tls, words};
use super::framing::{Frame, Framer};
use super::outgoing::codec_qos;
use super::{Limits, RECEIVE_MAXIMUM};
use bytes::BytesMut;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use relayscope_domain::message::MqttVersion;
use relayscope_domain::secret::Secret;
use rmqtt_codec::{v3, v5};
use std::io;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::codec::{Decoder as _, Encoder as _};

// For CONNACK; dialling has its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a connection needs, prepared once.
pub(super) struct Plan {
    connection: Connection,
    password: Option<Secret>,
    dial: Dial,
    pub(super) max_packet: u32,
}

/// A connection whose CONNECT was accepted.
pub(super) struct Established {
    pub(super) stream: Box<dyn Stream>,
    // What came behind CONNACK is in it.
    pub(super) framer: Framer,
    pub(super) session_present: bool,
    pub(super) limits: Option<Box<Limits>>,
    /// `None`: none was agreed.
    pub(super) keep_alive: Option<Duration>,
}

/// Why there is no connection.
pub(super) struct Broken {
    pub(super) failure: Failure,
    /// CONNECT was sent, and the connection closed instead of an answer.
    pub(super) silent: bool,
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self { failure, silent: false }
    }
}

impl Plan {
    pub(super) fn new(
        connection: &Connection,
        secrets: &BrokerSecrets,
        max_packet: u32,
    ) -> Result<Self, tls::TlsError> {
        let dial = Dial::new(connection, secrets)?;
        Ok(Self { connection: connection.clone(), password: secrets.password.clone(), dial, max_packet })
    }

    pub(super) fn wanted(&self) -> MqttVersion {
        self.connection.version
    }

    pub(super) async fn establish(self: Arc<Self>, version: MqttVersion) -> Result<Established, Broken> {
        let late = |_| words::timed_out();
        let mut stream = self.dial.open(&[]).await?;
        tokio::time::timeout(PATIENCE, async {
            let packet = match version {
                MqttVersion::V311 => self.connect_v3(),
                MqttVersion::V5 | MqttVersion::Auto => self.connect_v5(),
            };
            let packet = packet.map_err(|error| {
                Failure::new(format!("CONNECT can't be written ({error})."), "Shorten the last will.", true)
            })?;
            send(&mut stream, &packet).await.map_err(|error| ended(&error))?;
            self.connack(stream, version == MqttVersion::V311).await
        })
        .await
        .map_err(late)?
    }

    fn password(&self) -> Option<String> {
        self.password.as_ref().map(|secret| secret.expose().to_owned())
    }

    fn connect_v3(&self) -> Result<BytesMut, rmqtt_codec::error::EncodeError> {
        let from = &self.connection;
        let packet = v3::Connect {
            clean_session: from.clean_start,
            keep_alive: from.keep_alive,
            last_will: from.will.as_ref().map(|will| v3::LastWill {
                qos: codec_qos(will.qos),
                retain: will.retain,
                topic: will.topic.as_str().into(),
                message: will.payload.clone().into(),
            }),
            client_id: from.client_id.as_str().into(),
            username: from.username.as_deref().map(Into::into),
            // 3.1.1 knows no password without a user name (MQTT-3.1.2-22).
            password: from.username.as_ref().and(self.password()).map(Into::into),
            ..v3::Connect::default()
        };
        let mut bytes = BytesMut::new();
        v3::Codec::new(0).encode(packet.into(), &mut bytes)?;
        Ok(bytes)
    }

    fn connect_v5(&self) -> Result<BytesMut, rmqtt_codec::error::EncodeError> {
        let from = &self.connection;
        let packet = v5::Connect {
            clean_start: from.clean_start,
            keep_alive: from.keep_alive,
            session_expiry_interval_secs: from.session_expiry,
            receive_max: NonZeroU16::new(RECEIVE_MAXIMUM),
            // No topic alias maximum: topics are then always there, also in a packet that is skipped.
            topic_alias_max: 0,
            max_packet_size: NonZeroU32::new(self.max_packet),
            last_will: from.will.as_ref().map(|will| v5::LastWill {
                qos: codec_qos(will.qos),
                retain: will.retain,
                topic: will.topic.as_str().into(),
                message: will.payload.clone().into(),
                will_delay_interval_sec: None,
                correlation_data: None,
                message_expiry_interval: None,
                content_type: None,
                user_properties: vec![],
                is_utf8_payload: None,
                response_topic: None,
            }),
            client_id: from.client_id.as_str().into(),
            username: from.username.as_deref().map(Into::into),
            password: self.password().map(Into::into),
            ..v5::Connect::default()
        };
        let mut bytes = BytesMut::new();
        v5::Codec::new(0, 0).encode(packet.into(), &mut bytes)?;
        Ok(bytes)
    }

    async fn connack(&self, mut stream: Box<dyn Stream>, v3: bool) -> Result<Established, Broken> {
        let mut framer = Framer::new(self.max_packet);
        let frame = loop {
            // Whatever it is, waiting for its end would be in vain.
            if framer.first().is_some_and(|first| first != 0x20) {
                return Err(words::no_connack().into());
            }
            match framer.next() {
                Ok(Some(Frame::Whole(frame, header))) => break (frame, header),
                Ok(_) => {}
                Err(error) => return Err(words::malformed(&error).into()),
            }
            match stream.read_buf(framer.room()).await {
                Ok(0) => return Err(Broken { failure: words::closed(), silent: true }),
                Ok(_) => {}
                Err(error) => return Err(ended(&error)),
            }
        };
        let (session_present, limits) = judge(frame.0, frame.1, v3)?;
        let asked = self.connection.keep_alive;
        let seconds = limits.as_ref().and_then(|limits| limits.keep_alive).unwrap_or(asked);
        let keep_alive = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        Ok(Established { stream, framer, session_present, limits, keep_alive })
    }
}

async fn send(stream: &mut Box<dyn Stream>, packet: &[u8]) -> io::Result<()> {
    stream.write_all(packet).await?;
    stream.flush().await
}

fn ended(error: &io::Error) -> Broken {
    let silent = matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    );
    Broken { failure: words::from_io(error), silent }
}

/// What CONNACK says. A broker of the other version answers in its own form, so the code is read first.
fn judge(mut frame: BytesMut, header: usize, v3: bool) -> Result<(bool, Option<Box<Limits>>), Failure> {
    let wrong = |why: &str| words::malformed(&io::Error::other(why.to_owned()));
    match frame.get(header + 1) {
        None => return Err(wrong("a CONNACK without a code")),
        Some(0) => {}
        Some(code) if *code < 0x80 => {
            let mut failure = words::refused_v4(*code);
            if *code == 1 && !v3 {
                failure.advice = "Choose MQTT 3.1.1, or have the version found by itself.".into();
            }
            return Err(failure);
        }
        Some(code) => return Err(words::refused_v5(*code)),
    }
    let incomplete = || wrong("a CONNACK shorter than it says");
    if v3 {
        let decoded = v3::Codec::new(0).decode(&mut frame).map_err(|error| words::malformed(&error))?;
        return match decoded.ok_or_else(incomplete)?.0 {
            v3::Packet::ConnectAck(ack) => Ok((ack.session_present, None)),
            _ => Err(words::no_connack()),
        };
    }
    let decoded = v5::Codec::new(0, 0).decode(&mut frame).map_err(|error| words::malformed(&error))?;
    match decoded.ok_or_else(incomplete)?.0 {
        v5::Packet::ConnectAck(ack) => Ok((ack.session_present, Some(Box::new(limits(*ack))))),
        _ => Err(words::no_connack()),
    }
}

fn limits(ack: v5::ConnectAck) -> Limits {
    Limits {
        receive_maximum: Some(ack.receive_max.get()).filter(|most| *most < u16::MAX),
        packet_bytes: ack.max_packet_size,
        qos: Some(ack.max_qos.value()).filter(|most| *most < 2),
        retain: ack.retain_available,
        wildcards: ack.wildcard_subscription_available,
        identifiers: ack.subscription_identifiers_available,
        shared: ack.shared_subscription_available,
        keep_alive: ack.server_keepalive_sec,
        client_id: ack.assigned_client_id.map(|id| id.to_string()),
        reason: ack.reason_string.map(|text| text.to_string()).filter(|text| !text.is_empty()),
    }
}
