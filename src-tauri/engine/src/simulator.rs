//! The demo's three devices: real MQTT clients that publish something different about once a second.
//!
//! One sends JSON in TagoIO's data format, one a bare number, one binary data; the second has a last will. They know the
//! address of a broker and their tokens, nothing else, and connect again for as long as they run. All their tasks end
//! with [`Simulator::stop`].

use crate::mqtt::failure::Failure;
use crate::mqtt::link::{Link, MAX_PACKET, Polled};
use bytes::Bytes;
use relayscope_domain::broker::{BrokerSecrets, Connection, Tls, Transport, Will};
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_domain::secret::Secret;
use serde_json::json;
use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Between two messages of a device.
const EVERY: Duration = Duration::from_secs(1);
/// Before a device connects again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a device gets to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes of a camera's frame.
const FRAME: usize = 1_536;

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Temperature and humidity of a greenhouse, JSON in TagoIO's data format.
    Climate,
    /// Pieces a line has made, a bare number; has a last will.
    Counter,
    /// A frame of a camera, binary.
    Camera,
}

const KINDS: [Kind; 3] = [Kind::Climate, Kind::Counter, Kind::Camera];

/// How a device signs in.
#[derive(Clone, Debug)]
pub struct SimulatedDevice {
    /// Client id.
    pub client_id: String,
    /// Device token.
    pub token: Secret,
}

/// The running devices. Dropping it ends them without goodbyes.
pub struct Simulator {
    stop: CancellationToken,
    devices: JoinSet<()>,
}

impl Simulator {
    /// Starts the devices: climate, counter, camera. They end with `stop`, or when `stop` is cancelled elsewhere.
    pub fn start(broker: SocketAddr, devices: [SimulatedDevice; 3], stop: CancellationToken) -> Self {
        let mut tasks = JoinSet::new();
        for (kind, device) in KINDS.into_iter().zip(devices) {
            tasks.spawn(run(kind, device, broker, stop.clone()));
        }
        Self { stop, devices: tasks }
    }

    /// Sends goodbyes and waits for the devices to end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.devices.join_next().await.is_some() {}
    }
}

async fn run(kind: Kind, device: SimulatedDevice, broker: SocketAddr, stop: CancellationToken) {
    let (connection, secrets) = login(kind, device, broker);
    let mut link = match Link::new(&connection, &secrets, MAX_PACKET) {
        Ok(link) => link,
        // Only TLS settings can be wrong, and there are none.
        Err(error) => return tracing::error!(%error, "A simulated device can't connect."),
    };
    let mut number = 0;
    while !stop.is_cancelled() {
        let Err(failure) = publish(kind, &mut link, &mut number, &stop).await else { break };
        tracing::debug!(reason = %failure.words, "A simulated device lost its connection.");
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => {}
        }
    }
    // Without a connection there is nobody to say goodbye to.
    if link.disconnect().is_ok() {
        let goodbye = async { while !matches!(link.poll().await, Ok(Polled::Left) | Err(_)) {} };
        // Late or not, the socket closes with the device.
        let _late = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}

fn login(kind: Kind, device: SimulatedDevice, broker: SocketAddr) -> (Connection, BrokerSecrets) {
    let will = Will {
        topic: "demo/status/counter-02".into(),
        payload: "offline".into(),
        qos: Qos::AtLeastOnce,
        retain: false,
    };
    let connection = Connection {
        host: broker.ip().to_string(),
        port: broker.port(),
        transport: Transport::Tcp,
        path: String::new(),
        version: MqttVersion::V5,
        client_id: device.client_id,
        username: Some("Token".into()),
        keep_alive: 30,
        clean_start: true,
        session_expiry: 0,
        will: (kind == Kind::Counter).then_some(will),
        tls: Tls::default(),
    };
    (connection, BrokerSecrets { password: Some(device.token), client_key: None, ..Default::default() })
}

/// Connects, then publishes every second, until it is stopped or the connection falls.
async fn publish(kind: Kind, link: &mut Link, number: &mut u32, stop: &CancellationToken) -> Result<(), Failure> {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connected = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            event = link.poll() => connected |= matches!(event?, Polled::Connected { .. }),
            _ = ticks.tick(), if connected => {
                let (topic, qos, payload) = message(kind, *number);
                // Full means a broker that does not answer; the next second has a newer value anyway.
                let _ = link.publish(topic, &payload, qos, false, &[]);
                *number += 1;
            }
        }
    }
}

/// The `number`th message of a device.
fn message(kind: Kind, number: u32) -> (&'static str, Qos, Bytes) {
    match kind {
        Kind::Climate => {
            // A day of ten minutes.
            let day = (f64::from(number) / 600.0 * TAU).sin();
            let noise = rand::random_range(-0.2..0.2);
            let values = json!([
                { "variable": "temperature", "value": tenths(22.0 + 6.0 * day + noise), "unit": "°C" },
                { "variable": "humidity", "value": tenths(61.0 - 14.0 * day - noise), "unit": "%" },
            ]);
            ("demo/greenhouse/climate-01", Qos::AtLeastOnce, values.to_string().into())
        }
        Kind::Counter => ("demo/line-2/counter-02", Qos::AtLeastOnce, (1_000 + number).to_string().into()),
        Kind::Camera => {
            // The first bytes of a JPEG file, a number, and noise: not text in any encoding.
            let mut frame = vec![0xFF, 0xD8, 0xFF, 0xE0];
            frame.extend(number.to_be_bytes());
            frame.resize_with(FRAME, rand::random);
            ("demo/camera/frame-03", Qos::AtMostOnce, frame.into())
        }
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
