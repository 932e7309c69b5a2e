//! *Test connection* against real brokers: every step passes, and every step fails once in words.

mod tls;

use crate::support::certs::Authority;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::scripted::Talk;
use crate::support::{free_port, pause, scripted};
use relayscope_domain::broker::{BrokerSecrets, Connection, Tls, Transport, Will};
use relayscope_domain::message::{MqttVersion, Qos};
use relayscope_domain::secret::Secret;
use relayscope_engine::api::wire::{TestOutcome, TestReport, TestStep, TestStepName};
use relayscope_engine::mqtt::test;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V311, MqttVersion::V5];

fn connection(host: &str, port: u16, transport: Transport, version: MqttVersion) -> Connection {
    Connection {
        host: host.to_owned(),
        port,
        transport,
        path: if transport.is_ws() { "/mqtt".into() } else { String::new() },
        version,
        client_id: "plant-7".into(),
        username: None,
        keep_alive: 60,
        clean_start: false,
        session_expiry: 3600,
        will: Some(Will { topic: "gone".into(), payload: "x".into(), qos: Qos::AtLeastOnce, retain: true }),
        tls: Tls::default(),
    }
}

async fn run(connection: &Connection, secrets: &BrokerSecrets) -> TestReport {
    let mut heard = Vec::new();
    let report = test::run(connection, secrets, CancellationToken::new(), |step| heard.push(step)).await;
    assert_eq!(heard, report.steps, "what was told on the way is what is reported");
    let names: Vec<TestStepName> = report.steps.iter().map(|step| step.name).collect();
    assert_eq!(
        names,
        [TestStepName::Name, TestStepName::Tcp, TestStepName::Tls, TestStepName::Connack, TestStepName::Suback]
    );
    report
}

async fn run_open(connection: &Connection) -> TestReport {
    run(connection, &BrokerSecrets::default()).await
}

fn text(step: &TestStep) -> String {
    format!("{} | {}", step.detail.join(" | "), step.advice)
}

fn step(report: &TestReport, name: TestStepName) -> &TestStep {
    report.steps.iter().find(|step| step.name == name).unwrap()
}

/// The test failed at `name` with these words, and went no further.
#[track_caller]
fn assert_fails(report: &TestReport, name: TestStepName, words: &[&str]) {
    let at = report.steps.iter().position(|step| step.outcome == TestOutcome::Failed);
    let failed = at.map(|at| &report.steps[at]).unwrap_or_else(|| panic!("nothing failed: {report:#?}"));
    assert_eq!(failed.name, name, "{report:#?}");
    assert!(report.steps[at.unwrap() + 1..].iter().all(|step| step.outcome == TestOutcome::NotReached));
    assert!(!report.passed);
    for word in words {
        assert!(text(failed).contains(word), "“{word}” is missing in: {}", text(failed));
    }
    assert!(!failed.advice.is_empty(), "no advice: {}", text(failed));
}

#[track_caller]
fn assert_passes(report: &TestReport) {
    assert!(report.passed, "{report:#?}");
}

#[tokio::test]
async fn plain_tcp_passes_in_both_versions_and_leaves_cleanly() {
    let broker = Mosquitto::open();
    for version in VERSIONS {
        let report = run_open(&connection("localhost", broker.port, Transport::Tcp, version)).await;
        assert_passes(&report);
        assert_eq!(step(&report, TestStepName::Tls).outcome, TestOutcome::Skipped);
        assert!(text(step(&report, TestStepName::Name)).contains("127.0.0.1"));
        assert!(text(step(&report, TestStepName::Suback)).contains("relayscope/connection-test: granted QoS 1"));
    }
    let log = broker.log();
    assert_eq!(log.matches("Received DISCONNECT from plant-7-test-").count(), 2, "{log}");
    assert_eq!(log.matches("No will message specified").count(), 2, "a will was sent: {log}");
}

#[tokio::test]
async fn a_running_client_is_not_pushed_out() {
    let broker = Mosquitto::open();
    let mut options = rumqttc::MqttOptions::new("plant-7", "127.0.0.1", broker.port);
    options.set_keep_alive(Duration::from_secs(30));
    let (_client, mut running) = rumqttc::AsyncClient::new(options, 1);
    running.poll().await.unwrap();
    let target = connection("127.0.0.1", broker.port, Transport::Tcp, MqttVersion::V5);
    tokio::select! {
        report = run_open(&target) => assert_passes(&report),
        event = running.poll() => panic!("the running client heard of it: {event:?}"),
    }
    assert!(!broker.log().contains("already connected"));
}

#[tokio::test]
async fn limits_of_an_mqtt_5_broker_are_shown() {
    let broker = Mosquitto::start(&Setup {
        extra: "max_inflight_messages 7\nmax_packet_size 4096\nmax_keepalive 30\nretain_available false\n".into(),
        ..Setup::default()
    });
    let report = run_open(&connection("127.0.0.1", broker.port, Transport::Tcp, MqttVersion::V5)).await;
    assert_passes(&report);
    let shown = text(step(&report, TestStepName::Connack));
    for words in [
        "receive maximum 7",
        "packets up to 4096 bytes",
        "server keep-alive 30 s instead of 60 s",
        "retain not available",
    ] {
        assert!(shown.contains(words), "“{words}” is missing in: {shown}");
    }
}

#[tokio::test]
async fn an_unknown_host_fails_at_the_name() {
    let report = run_open(&connection("no-such-host.invalid", 1883, Transport::Tcp, MqttVersion::V5)).await;
    assert_fails(&report, TestStepName::Name, &["can't be resolved", "spelling"]);
}

#[tokio::test]
async fn a_port_where_nothing_listens_fails_at_tcp() {
    let port = free_port();
    let report = run_open(&connection("127.0.0.1", port, Transport::Tls, MqttVersion::V5)).await;
    assert_fails(&report, TestStepName::Tcp, &["refused", "Check the port"]);
}

#[tokio::test]
async fn bad_credentials_fail_at_connack_with_the_code() {
    let broker = Mosquitto::start(&Setup { login: Some(("relay", "right")), ..Setup::default() });
    let secrets = |password: &str| BrokerSecrets {
        password: Some(Secret::new(password)),
        client_key: None,
        ..Default::default()
    };
    for (version, words) in [
        (MqttVersion::V311, "0x05 not authorized"), // Mosquitto's choice of the two.
        (MqttVersion::V5, "0x87 not authorized"),
    ] {
        let mut target = connection("127.0.0.1", broker.port, Transport::Tcp, version);
        target.username = Some("relay".into());
        let report = run(&target, &secrets("wr0ng-password")).await;
        assert_fails(&report, TestStepName::Connack, &[words, "user name"]);
        assert!(!format!("{report:?}").contains("wr0ng"));
        assert_fails(&run_open(&target).await, TestStepName::Connack, &[words]);
        assert_passes(&run(&target, &secrets("right")).await);
    }
    for (version, connack, words) in [
        (MqttVersion::V311, &[0x20, 2, 0, 4][..], "0x04 bad user name or password"),
        (MqttVersion::V5, &[0x20, 3, 0, 0x86, 0], "0x86 bad user name or password"),
    ] {
        let port = scripted::broker(connack, &[]).await;
        let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, version)).await;
        assert_fails(&report, TestStepName::Connack, &[words, "Correct the user name"]);
    }
}

#[tokio::test]
async fn a_broker_without_mqtt_5_is_recognised() {
    for connack in [&[0x20, 2, 0, 1][..], &[0x20, 3, 0, 0x84, 0]] {
        let port = scripted::broker(connack, &[]).await;
        let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, MqttVersion::V5)).await;
        assert_fails(&report, TestStepName::Connack, &["3.1.1"]);
    }
}

#[tokio::test]
async fn the_version_is_found_as_a_relay_finds_it() {
    let broker = Mosquitto::open();
    let report = run_open(&connection("127.0.0.1", broker.port, Transport::Tcp, MqttVersion::Auto)).await;
    assert_passes(&report);
    assert!(text(step(&report, TestStepName::Connack)).starts_with("MQTT 5 agreed"));
    for refusal in [&[0x20, 2, 0, 1][..], &[0x20, 3, 0, 0x84, 0], &[]] {
        let old = scripted::talking(Talk::refuse_v5(refusal)).await;
        let report = run_open(&connection("127.0.0.1", old.port, Transport::Tcp, MqttVersion::Auto)).await;
        assert_passes(&report);
        let connack = step(&report, TestStepName::Connack);
        assert!(text(connack).starts_with("MQTT 3.1.1 agreed | The broker"), "{}", text(connack));
        assert_eq!(connack.outcome, TestOutcome::Warning);
    }
    // What has nothing to do with the version is said as ever.
    let port = scripted::plain_text("SSH-2.0-OpenSSH_9.2\r\n").await;
    let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, MqttVersion::Auto)).await;
    assert_fails(&report, TestStepName::Connack, &["another packet"]);
}

#[tokio::test]
async fn something_that_is_no_broker_fails_at_connack() {
    let port = scripted::plain_text("SSH-2.0-OpenSSH_9.2\r\n").await;
    for version in VERSIONS {
        let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, version)).await;
        assert_fails(&report, TestStepName::Connack, &[]);
    }
}

#[tokio::test]
async fn a_refused_filter_fails_at_suback() {
    for (version, connack, suback, words) in [
        (MqttVersion::V311, &[0x20, 2, 0, 0][..], &[0x90, 3, 0, 0, 0x80][..], "0x80 refused"),
        (MqttVersion::V5, &[0x20, 3, 0, 0, 0], &[0x90, 4, 0, 0, 0, 0x87], "0x87 not authorized"),
    ] {
        let port = scripted::broker(connack, suback).await;
        let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, version)).await;
        assert_fails(&report, TestStepName::Suback, &[words, "relay's own filters"]);
    }
}

#[tokio::test]
async fn a_lower_grant_is_a_warning() {
    let port = scripted::broker(&[0x20, 3, 0, 0, 0], &[0x90, 4, 0, 0, 0, 0]).await;
    let report = run_open(&connection("127.0.0.1", port, Transport::Tcp, MqttVersion::V5)).await;
    assert_passes(&report);
    let suback = step(&report, TestStepName::Suback);
    assert_eq!(suback.outcome, TestOutcome::Warning);
    assert!(text(suback).contains("granted QoS 0"), "{}", text(suback));
}

#[tokio::test]
async fn websockets_pass_plain_and_secure() {
    let authority = Authority::new("Plant Root CA");
    let plain = Mosquitto::start(&Setup { websockets: true, ..Setup::default() });
    let tls = Some(authority.server(&["localhost"]));
    let secure = Mosquitto::start(&Setup { websockets: true, tls, ..Setup::default() });
    for version in VERSIONS {
        assert_passes(&run_open(&connection("localhost", plain.port, Transport::Ws, version)).await);
        let mut target = connection("localhost", secure.port, Transport::Wss, version);
        target.tls.ca = Some(authority.pem());
        assert_passes(&run_open(&target).await);
    }
}

#[tokio::test]
async fn a_websocket_that_is_none_fails_at_connack() {
    let broker = Mosquitto::open();
    let target = connection("127.0.0.1", broker.port, Transport::Ws, MqttVersion::V5);
    assert_fails(&run_open(&target).await, TestStepName::Connack, &[]);
    let port = scripted::plain_text("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let report = run_open(&connection("127.0.0.1", port, Transport::Ws, MqttVersion::V311)).await;
    assert_fails(&report, TestStepName::Connack, &["HTTP 404", "path"]);
}

#[tokio::test]
async fn a_test_that_hangs_can_be_cancelled() {
    // Accepts, and never says a word.
    let black_hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = black_hole.local_addr().unwrap().port();
    for (transport, hangs_at) in [(Transport::Tcp, TestStepName::Connack), (Transport::Tls, TestStepName::Tls)] {
        let mut target = connection("127.0.0.1", port, transport, MqttVersion::V5);
        target.tls.ca = Some(Authority::new("Plant CA").pem());
        let cancel = CancellationToken::new();
        let secrets = BrokerSecrets::default();
        let stop = cancel.clone();
        // The step before the one that hangs has ended: now the person has had enough.
        let on_step = |step: TestStep| {
            let before = if hangs_at == TestStepName::Tls { TestStepName::Tcp } else { TestStepName::Tls };
            if step.name == before {
                let stop = stop.clone();
                tokio::spawn(async move {
                    pause(Duration::from_millis(50)).await;
                    stop.cancel();
                });
            }
        };
        let report = test::run(&target, &secrets, cancel, on_step).await;
        assert!(!report.passed);
        assert_eq!(step(&report, hangs_at).outcome, TestOutcome::Cancelled, "{report:#?}");
        assert_eq!(step(&report, TestStepName::Suback).outcome, TestOutcome::NotReached);
    }
}

#[tokio::test]
async fn a_test_cancelled_before_it_began_does_nothing() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let target = connection("no-such-host.invalid", 1883, Transport::Tcp, MqttVersion::V5);
    let report = test::run(&target, &BrokerSecrets::default(), cancel, |_| {}).await;
    let outcomes: Vec<TestOutcome> = report.steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes[0], TestOutcome::Cancelled);
    assert!(outcomes[1..].iter().all(|outcome| *outcome == TestOutcome::NotReached));
}

#[tokio::test]
async fn addresses_of_version_6_pass_with_and_without_brackets() {
    // A machine without IPv6 has nothing to test.
    let Ok(port) = scripted::broker_on("[::1]:0", &[0x20, 2, 0, 0], &[0x90, 3, 0, 0, 1]).await else { return };
    for host in ["::1", "[::1]"] {
        assert_passes(&run_open(&connection(host, port, Transport::Tcp, MqttVersion::V311)).await);
    }
}

/// A connection test and a token check run beside other things: their futures can move between threads.
#[test]
fn tests_and_checks_can_be_spawned() {
    fn can_move<T: Send>(_: &T) {}
    let target = connection("localhost", 1883, Transport::Tcp, MqttVersion::V5);
    let secrets = BrokerSecrets::default();
    can_move(&test::run(&target, &secrets, CancellationToken::new(), |_| {}));
    let (http, token) = (relayscope_engine::destination::http::http_client().unwrap(), Secret::new("t"));
    let kind = relayscope_domain::token::TokenKind::Network;
    can_move(&relayscope_engine::destination::verify::verify(&http, "", kind, &token, &[]));
}
