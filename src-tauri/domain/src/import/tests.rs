//! Files as people have them, and files that are broken, each with what is to be said of it.
#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects")]

use super::*;
use crate::broker::{Tls, Will};
use crate::message::MqttVersion;
use std::path::PathBuf;

const NETWORK: &str = "fd549ad2-5d4c-4d0e-9d0a-3f1c2b7a9e10";
const AUTHORIZATION: &str = "at0123456789abcdef0123456789abcdef";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/relay-toml")
}

fn files(path: &str) -> Result<String, String> {
    std::fs::read_to_string(folder().join(path)).map_err(|_| "cannot be read: it does not exist".to_owned())
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn fixture(name: &str, variables: &[(&str, &str)]) -> Imported {
    let text = files(name).expect("the fixture is readable");
    parse_with(name, &text, &env(variables), &files).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"))
}

fn only(imported: &Imported) -> &ImportedRelay {
    assert_eq!(imported.relays.len(), 1);
    &imported.relays[0]
}

fn says(imported: &Imported, part: &str) -> bool {
    imported.notes.iter().any(|note| note.contains(part))
}

#[test]
fn every_broken_file_is_refused_with_its_sentences() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).expect("the folder exists") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if !name.starts_with("broken-") || !name.ends_with(".toml") {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).expect("the fixture is readable");
        let problems = parse_with(&name, &text, &[], &files).expect_err(&name);
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        assert_eq!(found, expected.lines().collect::<Vec<_>>(), "{name}\n{}", found.join("\n"));
        for sentence in &found {
            assert!(sentence.starts_with(&name) && !sentence.contains('\n'), "{sentence}");
            assert!(!sentence.contains(NETWORK) && !sentence.contains(AUTHORIZATION), "a secret in: {sentence}");
        }
    }
    assert!(seen >= 10, "only {seen} broken files");
}

#[test]
fn a_file_as_generated_is_taken_unchanged() {
    let imported = fixture("as-generated.toml", &[]);
    let relay = only(&imported);
    assert_eq!((relay.name.as_str(), relay.broker_name.as_str()), ("TagoIO relay", "localhost"));
    assert_eq!((relay.connection.host.as_str(), relay.connection.port), ("localhost", 1883));
    assert_eq!((relay.connection.transport, relay.connection.version), (Transport::Tcp, MqttVersion::V311));
    assert_eq!(relay.connection.client_id, "tagoio-relay");
    assert_eq!((relay.connection.keep_alive, relay.connection.clean_start), (30, false));
    assert_eq!(relay.mappings, [Mapping { filter: "/tago/+".into(), qos: Qos::AtLeastOnce, enabled: true }]);
    assert_eq!((relay.region.clone(), relay.downlink_port, relay.enabled), (Region::Classic, Some(3001), true));
    assert_eq!(relay.connection.username.as_deref(), Some("my-username"));
    for part in [
        "network_token: This is still the sample",
        "push each other out",
        "at QoS 1",
        "keep the session",
        "127.0.0.1:3001",
    ] {
        assert!(says(&imported, part), "no note says {part}: {:#?}", imported.notes);
    }
}

#[test]
fn our_sample_is_a_valid_file() {
    let imported = parse("sample.toml", SAMPLE, &[]).expect("the sample parses");
    assert_eq!(only(&imported).connection.username, None);
    // The commented settings are right, too.
    let mut text = SAMPLE.replace("# [relay.relayscope]", "[relay.relayscope]");
    for key in ["username", "password", "name", "version", "transport", "qos"] {
        text = text.replace(&format!("# {key} ="), &format!("{key} ="));
    }
    let imported = parse("sample.toml", &text, &[]).expect("the sample with everything parses");
    assert_eq!(only(&imported).connection.username.as_deref(), Some("my-username"));
    assert!(!says(&imported, "does not know"), "{:?}", imported.notes);
}

#[test]
fn drifts_of_the_official_files_are_taken() {
    let relay = fixture("numbers-as-texts.toml", &[]).relays.remove(0);
    assert_eq!((relay.connection.port, relay.downlink_port, relay.region), (1883, Some(3001), Region::EuW1));

    let imported = fixture("minimal.toml", &[]);
    let relay = only(&imported);
    assert_eq!((relay.downlink_port, relay.region.clone()), (Some(3000), Region::Classic));
    assert_eq!((relay.connection.transport, relay.connection.client_id.as_str()), (Transport::Tls, "tagoio-relay"));
    assert!(relay.connection.tls.ca.as_deref().is_some_and(|pem| pem.contains("BEGIN CERTIFICATE")));
    assert!(relay.secrets.client_key.is_some() && relay.connection.tls.client_cert.is_some());

    let relay = fixture("tls-inline.toml", &[]).relays.remove(0);
    assert!(relay.connection.tls.ca.is_some() && relay.connection.tls.client_cert.is_none());

    let imported = fixture("two-relays.toml", &[]);
    let [one, two] = imported.relays.as_slice() else { panic!("two relays") };
    assert_eq!((one.name.as_str(), two.name.as_str()), ("TagoIO relay", "TagoIO relay 2"));
    assert_eq!(
        (two.connection.transport, two.connection.path.as_str(), two.connection.port),
        (Transport::Wss, "/live", 443)
    );
    assert_eq!((one.broker_name.as_str(), two.broker_name.as_str()), ("mqtt.one.example", "mqtt.two.example"));
    // Windows line ends and a byte order mark.
    let text = format!("\u{feff}{}", files("good.toml").expect("readable").replace('\n', "\r\n"));
    assert!(parse("good.toml", &text, &[]).is_ok());
}

#[test]
fn the_environment_counts_before_the_file() {
    let pem = files("ca.crt").expect("readable").replace('\n', "\\n");
    let imported = fixture(
        "good.toml",
        &[
            ("TAGOIO__RELAY__DOWNLINK_PORT", "4000"),
            ("TAGOIO__RELAY__TAGOIO_URL", "https://api.us-e1.tago.io/"),
            ("TAGOIO__RELAY__MQTT__ADDRESS", "mqtt.env.example"),
            ("TAGOIO__RELAY__MQTT__PORT", "8883"),
            ("TAGOIO__RELAY__MQTT__TLS_ENABLED", "true"),
            ("TAGOIO__RELAY__MQTT__BROKER_TLS_CA", &pem),
            ("TAGOIO__RELAY__MQTT__BROKER_TLS_CERT", ""),
            ("TAGOIO__RELAY__MQTT__SUBSCRIBE__2", "second/+"),
            ("TAGOIO__RELAY__MQTT__SUBSCRIBE__10", "tenth"),
            ("TAGOIO__RELAY__MQTT__SUBSCRIBE__1", "/tago/#"),
            ("TAGOIO__RELAY__CONFIG_PATH", "/somewhere"),
            ("TAGOIO__OTHER__THING", "x"),
            ("PATH", "/bin"),
        ],
    );
    let relay = only(&imported);
    let filters: Vec<&str> = relay.mappings.iter().map(|mapping| mapping.filter.as_str()).collect();
    assert_eq!(filters, ["/tago/#", "second/+", "tenth"]);
    assert_eq!((relay.downlink_port, relay.region.clone()), (Some(4000), Region::UsE1));
    assert_eq!(
        (relay.connection.host.as_str(), relay.connection.port, relay.connection.transport),
        ("mqtt.env.example", 8883, Transport::Tls)
    );
    assert!(relay.connection.tls.ca.is_some());
    assert!(
        says(&imported, "relay.mqtt.port: Taken from the environment (TAGOIO__RELAY__MQTT__PORT)"),
        "{:#?}",
        imported.notes
    );

    // Nothing but the environment.
    let variables = [
        ("TAGOIO__RELAY__NETWORK_TOKEN", NETWORK),
        ("TAGOIO__RELAY__AUTHORIZATION_TOKEN", AUTHORIZATION),
        ("TAGOIO__RELAY__MQTT__ADDRESS", "localhost"),
        ("TAGOIO__RELAY__MQTT__SUBSCRIBE", "[\"a/#\", \"b\"]"),
    ];
    let imported = parse("(environment)", "", &env(&variables)).expect("the environment is enough");
    assert_eq!(only(&imported).mappings.len(), 2);

    // Numbers choose among several relays; without a number it is not clear which is meant.
    let imported = fixture("two-relays.toml", &[("TAGOIO__RELAY__2__MQTT__CLIENT_ID", "from-env")]);
    assert_eq!(imported.relays[1].connection.client_id, "from-env");
    let text = files("two-relays.toml").expect("readable");
    let cases = [
        (
            "TAGOIO__RELAY__MQTT__PORT",
            "1",
            "two.toml, relay.mqtt.port: Environment variable TAGOIO__RELAY__MQTT__PORT: It does not say which relay it is for; write TAGOIO__RELAY__1__… for the first.",
        ),
        (
            "TAGOIO__RELAY__9__NETWORK_TOKEN",
            "x",
            "two.toml, relay.9.network_token: Environment variable TAGOIO__RELAY__9__NETWORK_TOKEN: There is no number 9.",
        ),
        (
            "TAGOIO__RELAY__1__MQTT__PORT",
            "many",
            "two.toml, relay.1.mqtt.port: Environment variable TAGOIO__RELAY__1__MQTT__PORT: The port is a whole number from 1 to 65535, not “many”.",
        ),
    ];
    for (name, value, expected) in cases {
        let problems = parse("two.toml", &text, &env(&[(name, value)])).expect_err(name);
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn addresses_are_taken_apart() {
    let cases = [
        ("broker", "false", Transport::Tcp, "broker", ""),
        ("mqtt://broker.example", "false", Transport::Tcp, "broker.example", ""),
        ("mqtts://broker.example", "false", Transport::Tls, "broker.example", ""),
        ("ssl://broker.example", "true", Transport::Tls, "broker.example", ""),
        ("ws://broker.example", "false", Transport::Ws, "broker.example", "/mqtt"),
        ("ws://broker.example/live/", "true", Transport::Wss, "broker.example", "/live/"),
        ("broker.example:1883", "false", Transport::Tcp, "broker.example", ""),
        ("192.168.1.5", "true", Transport::Tls, "192.168.1.5", ""),
        ("[::1]", "false", Transport::Tcp, "[::1]", ""),
        ("::1", "false", Transport::Tcp, "::1", ""),
    ];
    for (address, tls, transport, host, path) in cases {
        let imported = fixture(
            "good.toml",
            &[("TAGOIO__RELAY__MQTT__ADDRESS", address), ("TAGOIO__RELAY__MQTT__TLS_ENABLED", tls)],
        );
        let connection = &only(&imported).connection;
        assert_eq!(
            (connection.transport, connection.host.as_str(), connection.path.as_str()),
            (transport, host, path),
            "{address}"
        );
    }
    for bad in
        ["", " ", "broker.example:1884", "user@broker", "broker/path", "ftp://broker", "a b", "broker:x", "300.1.1.1"]
    {
        let text = files("good.toml").expect("readable");
        assert!(parse("x.toml", &text, &env(&[("TAGOIO__RELAY__MQTT__ADDRESS", bad)])).is_err(), "{bad:?} passed");
    }
}

#[test]
fn certificates_as_paths_need_somebody_who_reads_files() {
    let text = files("minimal.toml").expect("readable");
    let problems = parse("minimal.toml", &text, &[]).expect_err("paths are not read by parse");
    assert_eq!(problems.len(), 3);
    assert_eq!(
        problems[0].to_string(),
        "minimal.toml, line 4, relay.mqtt.broker_tls_ca: The file “ca.crt” is not read here; put the PEM text itself in its place, between '''."
    );
    // A key without its frame never shows in a message.
    let bare: String = files("client.key").expect("readable").lines().filter(|line| !line.starts_with("--")).collect();
    let variables = env(&[("TAGOIO__RELAY__MQTT__BROKER_TLS_KEY", &bare)]);
    let problems = parse_with("minimal.toml", &text, &variables, &files).expect_err("a bare key");
    assert!(problems.iter().all(|problem| !problem.to_string().contains(&bare[..20])), "{problems:?}");
}

#[test]
fn previews_show_no_secret() {
    let lines = preview_lines(&fixture("good.toml", &[])).join("\n");
    assert_eq!(
        lines,
        "Broker “localhost” · no TLS · port 1883 · client id plant-7 · user name plant · password …horse\n\
         Network token …a9e10 · TagoIO (api.tago.io)\n\
         Authorization …bcdef · TagoIO (api.tago.io)\n\
         Relay “TagoIO relay” · localhost → TagoIO (api.tago.io) · /tago/# (QoS 1), /topic/+ (QoS 1) · downlink at 127.0.0.1:3001"
    );
    // Two relays with the same tokens: each token once.
    let lines = preview_lines(&fixture("two-relays.toml", &[]));
    assert_eq!(lines.iter().filter(|line| line.starts_with("Network token")).count(), 1, "{lines:#?}");
}

fn elaborate() -> ImportedRelay {
    let mut relay = fixture("minimal.toml", &[]).relays.remove(0);
    relay.name = "Line \"7\" \\ é".into();
    relay.enabled = false;
    relay.downlink_port = None;
    relay.region = Region::Own { url: "http://127.0.0.1:8080/api".into() };
    relay.secrets.password = Some(Secret::new("tab\tquote\"back\\slash"));
    relay.connection = Connection {
        transport: Transport::Wss,
        path: "/live".into(),
        version: MqttVersion::V5,
        client_id: "line-7".into(),
        username: Some("ünï".into()),
        keep_alive: 0,
        clean_start: true,
        session_expiry: 60,
        will: Some(Will {
            topic: "line/7/gone".into(),
            payload: "bye\nbye".into(),
            qos: Qos::ExactlyOnce,
            retain: true,
        }),
        tls: Tls { alpn: vec!["mqtt".into()], server_name: Some("other.example".into()), ..relay.connection.tls },
        ..relay.connection
    };
    relay.mappings.push(Mapping { filter: "b/\"x\"/+".into(), qos: Qos::ExactlyOnce, enabled: true });
    relay.mappings.push(Mapping { filter: "off/#".into(), qos: Qos::AtMostOnce, enabled: false });
    relay
}

#[test]
fn what_is_written_reads_back_the_same() {
    let good = fixture("good.toml", &[]).relays;
    let two = fixture("two-relays.toml", &[]).relays;
    let inline = fixture("tls-inline.toml", &[]).relays;
    let mut local = good.clone();
    local[0].region = Region::Local;
    local[0].connection.client_id = String::new();
    local[0].connection.clean_start = true;
    let mut both = two.clone();
    both.push(elaborate());
    both[2].downlink_port = Some(9);
    for relays in [good, two, inline, vec![elaborate()], local, both] {
        let text = export(&relays, true);
        let again = parse("written.toml", &text, &[]).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"));
        assert_eq!(again.relays, relays, "{text}");
        assert!(!says(&again, "does not know"), "{:?}", again.notes);
    }
}

#[test]
fn secrets_are_written_only_when_asked() {
    let relays = [elaborate()];
    let text = export(&relays, false);
    let key = relays[0].secrets.client_key.as_ref().expect("a key").expose();
    for secret in [NETWORK, AUTHORIZATION, "back\\\\slash", key.lines().nth(1).expect("a body")] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
        assert!(export(&relays, true).contains(secret));
    }
    assert!(text.contains("Your-Network-Token") && text.contains("BEGIN CERTIFICATE"));
    // A file without secrets is still a file; only the key is asked for.
    let again = parse_with("written.toml", &text, &[], &files).expect("placeholders parse");
    assert!(says(&again, "placeholder"));
}

#[test]
fn a_file_cut_anywhere_is_answered_in_words() {
    let text = files("two-relays.toml").expect("readable");
    for end in 0..text.len() {
        if let Err(problems) = parse("cut.toml", &text[..end], &[]) {
            assert!(!problems.is_empty());
            for problem in problems {
                let sentence = problem.to_string();
                assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
            }
        }
    }
    // Without any one line: problems or a file, never a panic.
    for skipped in 0..text.lines().count() {
        let cut: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != skipped).map(|(_, line)| line).collect();
        let _ = parse("cut.toml", &cut.join("\n"), &[]);
    }
}
