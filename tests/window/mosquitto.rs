//! Somebody else's broker: a real Mosquitto on a free port.

use crate::desk::{Desk, free_port};
use crate::process::Process;
use crate::wait::{PATIENCE, until};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// A running Mosquitto that lets everyone in.
pub(crate) struct Mosquitto {
    _process: Process,
    port: u16,
}

impl Mosquitto {
    #[track_caller]
    pub(crate) fn start(desk: &Desk) -> Self {
        let port = free_port();
        let config = desk.path().join("mosquitto.conf");
        std::fs::write(
            &config,
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"),
        )
        .expect("Mosquitto's configuration");
        // Debian keeps it where only root's path leads.
        let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
        let mut command = Command::new(program);
        let process = Process::start(command.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()));
        until(PATIENCE, "Mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { _process: process, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Publishes as a device would, and returns once the broker has taken it.
    #[track_caller]
    pub(crate) fn publish(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-i", "press", "-q", "1", "-t", topic, "-m", payload];
        let status = Command::new("mosquitto_pub").args(args).status().expect("mosquitto_pub");
        assert!(status.success(), "mosquitto_pub: {status}");
    }

    /// Publishes the numbers from 1 on to one topic, over one connection, and returns once the broker has taken them.
    #[track_caller]
    pub(crate) fn publish_many(&self, topic: &str, count: u32) {
        self.publish_lines(topic, &(1..=count).map(|number| format!("{number}\n")).collect::<String>());
    }

    /// Publishes a message to each topic with QoS 0, over one connection, and returns once the broker has read them all.
    #[track_caller]
    pub(crate) fn publish_to_each(&self, topics: impl Iterator<Item = String>, payload: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        // CONNECT of MQTT 3.1.1: clean session, no keep-alive, client id `many`.
        let mut packets = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04many".to_vec();
        for topic in topics {
            let length = 2 + topic.len() + payload.len();
            assert!(length < 128, "the length is one byte");
            packets.extend([0x30, length as u8, 0, topic.len() as u8]);
            packets.extend(topic.as_bytes());
            packets.extend(payload.as_bytes());
        }
        // PINGREQ: its answer comes after everything before it was read.
        packets.extend([0xc0, 0]);
        stream.write_all(&packets).expect("messages");
        let mut answers = [0; 6];
        stream.read_exact(&mut answers).expect("CONNACK and PINGRESP");
        assert_eq!(answers, [0x20, 2, 0, 0, 0xd0, 0]);
        stream.write_all(&[0xe0, 0]).expect("DISCONNECT");
    }

    /// Leaves a retained message.
    #[track_caller]
    pub(crate) fn retain(&self, topic: &str, payload: &str) {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-r", "-t", topic, "-m", payload];
        let status = Command::new("mosquitto_pub").args(args).status().expect("mosquitto_pub");
        assert!(status.success(), "mosquitto_pub: {status}");
    }

    /// Publishes each line as a message of its own.
    #[track_caller]
    pub(crate) fn publish_lines(&self, topic: &str, lines: &str) {
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-i", "press", "-q", "1", "-l", "-t", topic]);
        let mut press = command.stdin(Stdio::piped()).spawn().expect("mosquitto_pub");
        press.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("lines to publish");
        let status = press.wait().expect("its end");
        assert!(status.success(), "mosquitto_pub: {status}");
    }
}
