//! The broker form against its rules.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::problem::Problem;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// 2026-01-01, in Unix seconds.
const NOW: i64 = 1_767_225_600;

fn draft() -> BrokerDraft {
    BrokerDraft {
        id: None,
        name: " Plant ".into(),
        embedded: false,
        inside: EmbeddedDraft { persist: true, ..Default::default() },
        enabled: true,
        host: " mqtt.plant.example ".into(),
        port: "1883".into(),
        transport: Transport::Tcp,
        path: String::new(),
        version: MqttVersion::V5,
        client_id: "relay-1".into(),
        username: String::new(),
        password: SecretDraft::Keep,
        keep_alive: "30".into(),
        clean_start: false,
        session_expiry: "3600".into(),
        will: None,
        tls: TlsDraft::default(),
    }
}

fn checked(draft: &BrokerDraft, has_client_key: bool) -> Result<Broker, Vec<Problem>> {
    let client_key = has_client_key.then(|| crate::secret::Secret::new("key"));
    check(draft, BrokerId(uuid::Uuid::nil()), NOW, &BrokerSecrets { client_key, ..Default::default() })
}

fn fields(draft: &BrokerDraft) -> Vec<String> {
    checked(draft, false).err().unwrap_or_default().into_iter().map(|problem| problem.field).collect()
}

fn connection(draft: &BrokerDraft) -> Connection {
    match checked(draft, false).unwrap().spec {
        BrokerSpec::External(connection) => *connection,
        BrokerSpec::Embedded(embedded) => unreachable!("{embedded:?}"),
    }
}

/// A certificate that ends in the given year, and its key.
fn certificate(until: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec!["relay".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_good_draft_becomes_the_broker_it_says() {
    let broker = checked(&draft(), false).unwrap();
    assert_eq!(broker.name, "Plant");
    let found = connection(&draft());
    assert_eq!((found.host.as_str(), found.port, found.keep_alive), ("mqtt.plant.example", 1883, 30));
    assert_eq!((found.username, found.session_expiry, found.tls), (None, 3600, Tls::default()));
    let embedded = BrokerDraft { embedded: true, host: String::new(), ..draft() };
    assert_eq!(checked(&embedded, false).unwrap().spec, BrokerSpec::Embedded(Embedded::default()));
}

#[test]
fn every_problem_is_shown_at_its_field() {
    let bad = BrokerDraft {
        name: String::new(),
        host: String::new(),
        port: "0".into(),
        transport: Transport::Wss,
        path: "mqtt".into(),
        client_id: String::new(),
        username: "a\0b".into(),
        password: SecretDraft::Set { value: "x".repeat(65_536) },
        keep_alive: "4".into(),
        session_expiry: "-1".into(),
        will: Some(Will { topic: "a/#".into(), payload: "x".repeat(65_536), qos: Qos::AtMostOnce, retain: false }),
        tls: TlsDraft { own_ca: true, server_name: "a b".into(), alpn: "x".repeat(256), ..TlsDraft::default() },
        ..draft()
    };
    let all = [
        "name",
        "port",
        "host",
        "path",
        "clientId",
        "username",
        "password",
        "keepAlive",
        "sessionExpiry",
        "will.topic",
        "will.payload",
        "tls.ca",
        "tls.serverName",
        "tls.alpn",
    ];
    assert_eq!(fields(&bad), all);
}

#[test]
fn hosts_are_taken_as_people_paste_them() {
    for good in [
        "localhost",
        "mqtt.plant.example",
        "mqtt.plant.example.",
        "my_broker",
        "127.0.0.1",
        "::1",
        "[::1]",
        "fe80::1",
        "xn--mller-kva.example",
        "3com.example",
    ] {
        assert_eq!(check_host(good), Ok(()), "{good}");
    }
    for (bad, words) in [
        ("", "Enter the broker's host"),
        ("mqtt://a.example", "transport"),
        ("a.example/mqtt", "path"),
        ("a.example:1883", "port"),
        ("[127.0.0.1]", "IPv6"),
        ("[a.example]", "IPv6"),
        ("192.168.1", "not a valid IP address"),
        ("300.1.1.1", "not a valid IP address"),
        ("a..b", "neither"),
        ("-a.example", "neither"),
        ("a b", "neither"),
        (".", "neither"),
        ("müller.example", "xn--"),
        (&"a".repeat(64), "neither"),
        (&"a.".repeat(128), "neither"),
    ] {
        let message = check_host(bad).unwrap_err();
        assert!(message.contains(words), "{bad:?}: {message}");
    }
}

#[test]
fn numbers_are_whole_and_in_their_range() {
    assert_eq!(number::<u16>(" 65535 ", "port", 1, 65_535), Ok(65_535));
    for bad in ["", "x", "1.5", "-1", "+1", "0", "65536", "99999999999999999999", "１８８３"] {
        assert!(number::<u16>(bad, "port", 1, 65_535).is_err(), "{bad:?} passed");
    }
}

#[test]
fn keep_alive_is_what_the_library_can_do() {
    let with = |version, keep_alive: &str| fields(&BrokerDraft { version, keep_alive: keep_alive.into(), ..draft() });
    for (version, seconds, good) in [
        (MqttVersion::V311, "0", true),
        (MqttVersion::V5, "0", true),
        (MqttVersion::V311, "4", false),
        (MqttVersion::V5, "5", true),
        (MqttVersion::V5, "65535", true),
        (MqttVersion::V5, "65536", false),
    ] {
        assert_eq!(with(version, seconds).is_empty(), good, "{version:?} {seconds}");
    }
}

#[test]
fn client_id_and_user_name_follow_the_version() {
    assert!(fields(&BrokerDraft { client_id: " ".into(), clean_start: true, ..draft() }).is_empty());
    assert_eq!(fields(&BrokerDraft { client_id: "x".repeat(65_536), ..draft() }), ["clientId"]);
    let password_only = BrokerDraft { password: SecretDraft::Set { value: "x".into() }, ..draft() };
    assert!(fields(&password_only).is_empty());
    assert_eq!(fields(&BrokerDraft { version: MqttVersion::V311, ..password_only }), ["username"]);
}

#[test]
fn paths_are_for_websockets_only() {
    assert_eq!(connection(&BrokerDraft { path: "no slash".into(), ..draft() }).path, "");
    for (path, good) in [
        ("/mqtt", true),
        ("/", true),
        ("/a?b=c", true),
        ("", false),
        ("mqtt", false),
        ("/a b", false),
        ("/ä", false),
        ("/a#b", false),
    ] {
        assert_eq!(
            fields(&BrokerDraft { transport: Transport::Ws, path: path.into(), ..draft() }).is_empty(),
            good,
            "{path:?}"
        );
    }
}

#[test]
fn certificates_and_keys_are_checked_together() {
    let (cert, key) = certificate(2031);
    let (old, _) = certificate(2022);
    let with = |client_cert: &str, client_key: SecretDraft, stored: bool| {
        let tls = TlsDraft { client_cert: client_cert.into(), client_key, ..TlsDraft::default() };
        let result = checked(&BrokerDraft { transport: Transport::Tls, tls, ..draft() }, stored);
        result.err().unwrap_or_default().into_iter().map(|problem| (problem.field, problem.message)).collect::<Vec<_>>()
    };
    let set = |key: &str| SecretDraft::Set { value: key.to_owned() };
    assert!(with("", SecretDraft::Keep, false).is_empty());
    assert!(with(&cert, set(&key), false).is_empty());
    assert!(with(&cert, SecretDraft::Keep, true).is_empty());
    assert_eq!(with(&cert, SecretDraft::Keep, false)[0].0, "tls.clientKey");
    assert_eq!(with(&cert, SecretDraft::Clear, true)[0].0, "tls.clientKey");
    assert_eq!(with("", set(&key), false)[0].0, "tls.clientCert");
    assert_eq!(
        with(&key, set(&cert), false).iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
        ["tls.clientCert", "tls.clientKey"]
    );
    let expired = with(&old, set(&key), false);
    assert!(expired[0].1.contains("Expired on 2022-01-01"), "{expired:?}");
}

#[test]
fn tls_details_are_kept_for_tls_only() {
    let (ca, _) = certificate(2031);
    let tls = TlsDraft {
        own_ca: true,
        ca: ca.clone(),
        alpn: " mqtt , x-amzn-mqtt-ca,, ".into(),
        server_name: " mqtt.plant.example ".into(),
        ..TlsDraft::default()
    };
    let found =
        connection(&BrokerDraft { transport: Transport::Wss, path: "/mqtt".into(), tls: tls.clone(), ..draft() }).tls;
    assert_eq!(found.ca, Some(ca));
    assert_eq!(found.alpn, ["mqtt", "x-amzn-mqtt-ca"]);
    assert_eq!(found.server_name.as_deref(), Some("mqtt.plant.example"));
    assert_eq!(connection(&BrokerDraft { tls: tls.clone(), ..draft() }).tls, Tls::default());
    let system = TlsDraft { own_ca: false, ..tls };
    assert_eq!(connection(&BrokerDraft { transport: Transport::Tls, tls: system, ..draft() }).tls.ca, None);
}

#[test]
fn default_client_ids_fit_every_broker() {
    assert_eq!(default_client_id(0xffff_ffff_0000_00ff), "relayscope-000000ff");
    assert!(default_client_id(u64::MAX).len() <= 23);
}

fn inside(inside: EmbeddedDraft) -> Result<Embedded, Vec<String>> {
    match checked(&BrokerDraft { embedded: true, inside, ..draft() }, false) {
        Ok(Broker { spec: BrokerSpec::Embedded(embedded), .. }) => Ok(embedded),
        Ok(Broker { spec: BrokerSpec::External(other), .. }) => unreachable!("{other:?}"),
        Err(problems) => Err(problems.into_iter().map(|problem| problem.field).collect()),
    }
}

fn listener(port: &str, listen: crate::endpoint::Listen) -> ListenerDraft {
    let blank = default_listener(ListenerId(uuid::Uuid::nil()));
    ListenerDraft { transport: Transport::Tcp, listen, port: port.into(), ..blank }
}

#[test]
fn an_embedded_broker_s_form_keeps_what_is_saved() {
    use crate::endpoint::Listen;
    let (certificate, key) = certificate(2031);
    let tls = ListenerDraft {
        exposed: true,
        certificate: certificate.clone(),
        key: SecretDraft::Set { value: key },
        ..default_listener(ListenerId(uuid::Uuid::nil()))
    };
    let draft = EmbeddedDraft {
        scope: TopicScope::PerDevice,
        retain: RetainMode::TagoIo,
        limits: LimitsDraft { choice: LimitsChoice::Starter, ..Default::default() },
        listeners: vec![listener("1884", Listen::Loopback), tls],
        ..Default::default()
    };
    let own = LimitsDraft { choice: LimitsChoice::Free, ..Default::default() };
    let draft = EmbeddedDraft {
        listeners: vec![ListenerDraft { limits: Some(own), ..draft.listeners[0].clone() }, draft.listeners[1].clone()],
        ..draft
    };
    let saved = inside(draft).unwrap();
    assert_eq!(saved.limits.publishes_per_minute, Some(5_000));
    let own = saved.listeners[0].limits.unwrap();
    assert_eq!((own.publishes_per_minute, saved.listeners[1].limits), (Some(250), None));
    assert_eq!(saved.listeners[1].certificate.as_deref(), Some(certificate.as_str()));
    let again = EmbeddedDraft::of(&saved);
    assert_eq!(again.limits.choice, LimitsChoice::Starter);
    let own = again.listeners.iter().map(|one| one.limits.as_ref().map(|limits| limits.choice));
    assert_eq!(own.collect::<Vec<_>>(), [Some(LimitsChoice::Free), None]);
    assert_eq!((again.listeners[0].listen, again.listeners[1].listen), (Listen::Loopback, Listen::All));
    // What was saved before there were settings has their defaults.
    let old: Embedded = serde_json::from_str(r#"{"port":1999,"enabled":false}"#).unwrap();
    assert_eq!(old, Embedded { port: 1999, enabled: false, ..Default::default() });
}

#[test]
fn an_embedded_broker_s_form_shows_every_problem_at_its_field() {
    use crate::endpoint::Listen;
    let with = |listeners: Vec<ListenerDraft>| inside(EmbeddedDraft { listeners, ..Default::default() }).unwrap_err();
    let exposed = |port: &str| ListenerDraft { exposed: true, ..listener(port, Listen::All) };
    assert_eq!(with(vec![listener("1883", Listen::Loopback)]), ["inside.listeners.0.port"], "the plain port");
    assert_eq!(with(vec![exposed("1883")]), ["inside.listeners.0.port"], "every address holds 127.0.0.1");
    assert_eq!(with(vec![exposed("1884"), listener("1884", Listen::Loopback)]), ["inside.listeners.1.port"]);
    assert_eq!(with(vec![listener("1884", Listen::All)]), ["inside.listeners.0.exposed"]);
    let lan = |address: &str| ListenerDraft { address: address.into(), ..listener("1", Listen::Address) };
    assert_eq!(with(vec![lan("here")]), ["inside.listeners.0.address"]);
    assert_eq!(with(vec![lan("192.168.1.20")]), ["inside.listeners.0.exposed"]);
    let tls = |certificate: &str, key: SecretDraft| ListenerDraft {
        certificate: certificate.into(),
        key,
        exposed: true,
        client_certificates: crate::listener::ClientCertificates::Required,
        ..default_listener(ListenerId(uuid::Uuid::nil()))
    };
    let missing = with(vec![tls("", SecretDraft::Keep)]);
    assert_eq!(missing, ["inside.listeners.0.certificate", "inside.listeners.0.key", "inside.listeners.0.clientCa"]);
    let (old, key) = certificate(2025);
    let expired = with(vec![tls(&old, SecretDraft::Set { value: key })]);
    assert_eq!(expired, ["inside.listeners.0.certificate", "inside.listeners.0.clientCa"]);
    let limits = LimitsDraft {
        choice: LimitsChoice::Own,
        connections: "many".into(),
        first_packet_seconds: "0".into(),
        packet_bytes: "16".into(),
        slow_reader_bytes: "1000000".into(),
        ..Default::default()
    };
    let own = ListenerDraft { limits: Some(limits.clone()), ..listener("1884", Listen::Loopback) };
    let found =
        ["connections", "firstPacketSeconds", "packetBytes"].map(|name| format!("inside.listeners.0.limits.{name}"));
    assert_eq!(with(vec![own]), found);
    let found = inside(EmbeddedDraft { limits, ..Default::default() }).unwrap_err();
    assert_eq!(found, ["inside.limits.connections", "inside.limits.firstPacketSeconds", "inside.limits.packetBytes"]);
}
