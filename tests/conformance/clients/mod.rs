//! Real clients against a broker: `mosquitto_pub` and `mosquitto_sub`, paho-mqtt, MQTT.js, rumqttc. Each connects with a
//! token and is refused with a wrong one, publishes and subscribes at QoS 0, 1 and 2, and uses a will, a retained message
//! and a shared subscription. `cargo xtask test` (or `cargo xtask clients`) installs those that are not on the machine.

mod mosquitto;
mod rumqtt;

use crate::support::broker::{FULL, Rig};
use crate::support::certs::Authority;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::soon;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

/// A token no broker here knows.
const UNKNOWN: &str = "99999999-2222-4333-8444-5555555fffff";

/// How a broker is reached.
pub(super) struct Way {
    /// `mqtt`, `mqtts`, `ws` or `wss`, with host and port.
    pub(super) url: String,
    /// File with the authority of the server's certificate.
    pub(super) ca: Option<PathBuf>,
}

impl Way {
    fn tcp(port: u16) -> Self {
        Self { url: format!("mqtt://127.0.0.1:{port}"), ca: None }
    }

    /// What the URL names.
    fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }
}

/// Where `cargo xtask clients` installs them: `clients` in the target folder.
fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("clients").join(path);
    assert!(path.exists(), "{} is missing: cargo xtask clients installs it", path.display());
    path
}

/// A script beside this file.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/clients").join(name)
}

/// Runs a script that does everything itself, in one MQTT version: 3 (3.1), 4 (3.1.1) or 5.
async fn run(mut command: Command, way: &Way, version: &str, tag: &str) {
    let ca = way.ca.as_ref().map_or_else(|| "-".into(), |path| path.display().to_string());
    let arguments = [&*way.url, &ca, "Token", FULL, version, &format!("{tag}v{version}")];
    let output = soon(tag, command.args(arguments).kill_on_drop(true).output()).await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{tag} in version {version} over {}:\n{said}{complained}", way.url);
    assert!(said.ends_with("done\n"), "{said}{complained}");
}

async fn paho(way: &Way) {
    for version in ["3", "4", "5"] {
        let mut command = Command::new(installed("venv/bin/python"));
        command.arg(script("paho_client.py"));
        run(command, way, version, "paho").await;
    }
}

async fn mqttjs(way: &Way) {
    for version in ["3", "4", "5"] {
        let mut command = Command::new("node");
        command.env("NODE_PATH", installed("node_modules")).arg(script("mqttjs_client.cjs"));
        run(command, way, version, "mqttjs").await;
    }
}

#[tokio::test]
async fn paho_over_tcp() {
    let rig = Rig::start().await;
    paho(&Way::tcp(rig.addr().port())).await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn mqttjs_over_tcp() {
    let rig = Rig::start().await;
    mqttjs(&Way::tcp(rig.addr().port())).await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn mosquitto_clients_over_tcp() {
    let rig = Rig::start().await;
    mosquitto::everything(&Way::tcp(rig.addr().port())).await;
    rig.broker.stop().await;
}

#[tokio::test]
async fn rumqttc_over_tcp() {
    let rig = Rig::start().await;
    rumqtt::everything(&Way::tcp(rig.addr().port())).await;
    rig.broker.stop().await;
}

/// The same against Mosquitto over TLS and WebSocket: what fails with another broker is then not the script's fault.
#[tokio::test]
async fn the_clients_speak_tls() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new("Test Authority");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let tls = Mosquitto::start(&Setup {
        login: Some(("Token", FULL)),
        tls: Some(authority.server(&["localhost"])),
        ..Setup::default()
    });
    let way = Way { url: format!("mqtts://localhost:{}", tls.port), ca: Some(ca) };
    paho(&way).await;
    mqttjs(&way).await;
    mosquitto::everything(&way).await;
}

#[tokio::test]
async fn the_clients_speak_websocket() {
    let websocket = Mosquitto::start(&Setup { login: Some(("Token", FULL)), websockets: true, ..Setup::default() });
    let way = Way { url: format!("ws://127.0.0.1:{}", websocket.port), ca: None };
    paho(&way).await;
    mqttjs(&way).await;
}
