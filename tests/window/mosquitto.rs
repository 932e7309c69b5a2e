//! Somebody else's broker: a real Mosquitto on a free port.

use crate::desk::{Desk, free_port};
use crate::process::Process;
use crate::wait::{PATIENCE, until};
use std::io::Write as _;
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
