//! A flood that the uplink does not keep up with: the rest stays with the broker, and nobody is cut off.

use super::{Running, config};
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use crate::support::scripted;
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_engine::feed::event::Kind;
use std::io::Write as _;
use std::process::{Command, Stdio};

const MESSAGES: usize = 20_000;

fn flood(port: u16) {
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-l", "-t", "flood"]);
    let mut publisher = command.stdin(Stdio::piped()).spawn().unwrap();
    let lines: String = (0..MESSAGES).map(|number| format!("{number}\n")).collect();
    publisher.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(publisher.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_uplink_does_not_take_yet_stays_with_the_broker() {
    let broker = Mosquitto::open();
    let mut relay = Running::open(config(broker.port, MqttVersion::V5, &[("flood", Qos::AtLeastOnce)]));
    relay.granted(1).await;
    let port = broker.port;
    let publisher = tokio::task::spawn_blocking(move || flood(port));
    eventually("thousands to wait", async || (relay.session.arrivals.len() >= 8_192).then_some(())).await;
    let mut most = 0;
    for number in 0..MESSAGES {
        most = most.max(relay.session.arrivals.len());
        let received = relay.next().await;
        assert_eq!((received.payload, received.copy), (number.to_string().into(), false));
    }
    assert!(most < 10_000, "{most} were taken from the broker at once");
    publisher.await.unwrap();
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Disconnected { .. })), 0, "it was never cut off");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_message_larger_than_all_that_may_wait_nothing_is_cut_off() {
    const LARGE: usize = 40_000_000;
    // 40,000,010 bytes follow; then a small message in the same read.
    let mut packets = b"\x32\x8a\xb4\x89\x13\x00\x06load/a\x00\x01".to_vec();
    packets.resize(packets.len() + LARGE, b'x');
    packets.extend_from_slice(b"\x32\x0f\x00\x06load/a\x00\x02after");
    let port = scripted::sends(packets).await;
    let mut wanted = config(port, MqttVersion::V311, &[("load/#", Qos::AtLeastOnce)]);
    wanted.max_packet = 2 * LARGE as u32;
    let mut relay = Running::open(wanted);
    relay.granted(1).await;
    assert_eq!(relay.next().await.payload.len(), LARGE);
    assert_eq!(relay.next().await.payload, "after");
    assert_eq!(relay.count(|kind| matches!(kind, Kind::Disconnected { .. })), 0, "it was never cut off");
    relay.stop().await;
}
