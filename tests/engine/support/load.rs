//! Publishes numbered messages with QoS 1 or 2 and waits until the broker has acknowledged every one.

use super::pause;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use std::time::Duration;

/// What to publish.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) host: &'static str,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
    /// Number of the first topic.
    pub(crate) first: usize,
    pub(crate) topics: usize,
    /// Number of the first message of each topic.
    pub(crate) from: usize,
    pub(crate) each: usize,
    pub(crate) size: usize,
    pub(crate) qos: QoS,
    /// Time between two rounds over all topics; zero goes as fast as the broker acknowledges.
    pub(crate) pause: Duration,
}

impl Load {
    /// QoS 1, 200 bytes, as fast as acknowledged.
    pub(crate) fn new(port: u16, topics: usize, each: usize) -> Self {
        let host = "127.0.0.1";
        Self {
            host,
            port,
            login: None,
            first: 0,
            topics,
            from: 0,
            each,
            size: 200,
            qos: QoS::AtLeastOnce,
            pause: Duration::ZERO,
        }
    }

    /// Runs to the end: everything published and acknowledged. A broker that falls meanwhile gets the rest when it is
    /// back.
    pub(crate) async fn run(self) {
        let id = format!("load-{}", uuid());
        let mut options = MqttOptions::new(id, self.host, self.port);
        options.set_keep_alive(Duration::from_secs(30)).set_clean_session(false).set_inflight(100);
        options.set_max_packet_size(4 << 20, 4 << 20);
        if let Some((name, password)) = &self.login {
            options.set_credentials(name, password);
        }
        let (client, mut events) = AsyncClient::new(options, 100);
        let total = self.topics * self.each;
        let load = self.clone();
        let publisher = tokio::spawn(async move {
            for number in load.from..load.from + load.each {
                for topic in load.first..load.first + load.topics {
                    let mut text = format!("{topic}-{number}:");
                    text.extend(std::iter::repeat_n('x', load.size.saturating_sub(text.len())));
                    client.publish(format!("load/{topic}"), load.qos, false, text).await.unwrap();
                }
                if !load.pause.is_zero() {
                    pause(load.pause).await;
                }
            }
            client
        });
        let mut acknowledged = 0;
        while acknowledged < total {
            match events.poll().await {
                Ok(Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => acknowledged += 1,
                Ok(_) => {}
                // The broker is away: rumqttc keeps what was not acknowledged and sends it again.
                Err(_) => pause(Duration::from_millis(50)).await,
            }
        }
        drop(publisher.await.unwrap());
    }
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}
