//! Real clients against a broker: `mosquitto_pub` and `mosquitto_sub`, paho-mqtt, MQTT.js, rumqttc. Each connects with a
//! token and is refused with a wrong one, publishes and subscribes at QoS 0, 1 and 2, and uses a will, a retained message
//! and a shared subscription. `cargo xtask test` (or `cargo xtask clients`) installs those that are not on the machine.

mod mosquitto;
mod rumqtt;

use crate::support::broker::{FULL, Rig, accounts};
use crate::support::certs::Authority;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::soon;
use relayscope_domain::broker::{Embedded, Transport};
use relayscope_domain::id::ListenerId;
use relayscope_domain::listener::{ClientCertificates, Listener};
use relayscope_domain::secret::Secret;
use relayscope_engine::broker::{BrokerConfig, EmbeddedBroker};
use relayscope_engine::feed::Feed;
use std::net::Ipv4Addr;
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

/// An embedded broker that listens in every way.
struct Everywhere {
    broker: EmbeddedBroker,
    tls: Way,
    ws: Way,
    wss: Way,
    // Holds the authority's certificate.
    _folder: TempDir,
}

impl Everywhere {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("Test Authority");
        let pair = authority.server(&["localhost"]);
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, authority.pem()).unwrap();
        let listener = |transport: Transport| Listener {
            id: ListenerId(uuid::Uuid::new_v4()),
            transport,
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            certificate: transport.is_tls().then(|| pair.cert.clone()),
            client_certificates: ClientCertificates::Off,
            client_ca: None,
            limits: None,
        };
        let listeners: Vec<_> = [Transport::Tls, Transport::Ws, Transport::Wss].map(listener).into();
        let keys = listeners.iter().map(|listener| (listener.id, Secret::new(pair.key.clone()))).collect();
        let settings = Embedded { port: 0, listeners, ..Embedded::default() };
        let config = BrokerConfig::forgetful("test", settings, Feed::new(64 << 20), accounts());
        let broker = EmbeddedBroker::start(BrokerConfig { keys, ..config }).await.unwrap();
        let ports: Vec<u16> = broker.listening().iter().map(|at| at.address.port()).collect();
        let way = |scheme: &str, at: usize, ca: Option<&PathBuf>| {
            let host = if ca.is_some() { "localhost" } else { "127.0.0.1" };
            Way { url: format!("{scheme}://{host}:{}", ports[at]), ca: ca.cloned() }
        };
        let (tls, ws, wss) = (way("mqtts", 1, Some(&ca)), way("ws", 2, None), way("wss", 3, Some(&ca)));
        Self { broker, tls, ws, wss, _folder: folder }
    }
}

#[tokio::test]
async fn paho_over_tls_and_websocket() {
    let everywhere = Everywhere::start().await;
    for way in [&everywhere.tls, &everywhere.ws, &everywhere.wss] {
        paho(way).await;
    }
    everywhere.broker.stop().await;
}

#[tokio::test]
async fn mqttjs_over_tls_and_websocket() {
    let everywhere = Everywhere::start().await;
    for way in [&everywhere.tls, &everywhere.ws, &everywhere.wss] {
        mqttjs(way).await;
    }
    everywhere.broker.stop().await;
}

#[tokio::test]
async fn mosquitto_clients_over_tls() {
    let everywhere = Everywhere::start().await;
    mosquitto::everything(&everywhere.tls).await;
    everywhere.broker.stop().await;
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
