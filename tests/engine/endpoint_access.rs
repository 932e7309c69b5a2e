//! Who reaches the endpoint and who is answered: TLS, tokens, client certificates, the unsafe mode, and the test of the
//! way hop by hop.

use crate::endpoint::Downlink;
use crate::support::certs::{Authority, Pair};
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use relayscope_engine::api::wire::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A client that trusts one certificate, shows another, and speaks these versions.
fn client(trusted: &str, shown: Option<&Pair>, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    match shown {
        None => builder.with_no_client_auth(),
        Some(pair) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
            )
            .unwrap(),
    }
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

fn https(config: ClientConfig) -> reqwest::Client {
    reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap()
}

/// One connection of its own: asks for the status; gives the answer's first line and the kind of handshake.
async fn ask(config: &Arc<ClientConfig>, port: u16) -> std::io::Result<(String, HandshakeKind)> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(config.clone()).connect(name, stream).await?;
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    Ok((answer.lines().next().unwrap_or_default().to_owned(), kind))
}

/// Waits until the endpoint speaks TLS as this client wants it.
async fn until_secure(config: &Arc<ClientConfig>, port: u16) {
    eventually("the endpoint to speak TLS", async || {
        ask(config, port).await.ok().filter(|(line, _)| line.contains("200"))
    })
    .await;
}

fn fields(error: &ApiError) -> Vec<&str> {
    error.problems.iter().map(|problem| problem.field.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_made_here_is_asked_for_everywhere() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let view = downlink.save(|draft| draft["access"] = json!("bearer")).await;
    let token = view.new_token.expect("a token is made and shown");
    downlink.answers(401).await;
    let body = json!({"topic": "down", "message": "1", "qos": 1, "retain": false});
    for path in ["/publish", "/auth", "/superuser", "/acl"] {
        let answer = downlink.http.post(format!("{}{path}", downlink.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        assert!(answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().contains("token"));
    }
    assert_eq!(downlink.http.get(format!("{}/metrics", downlink.url)).send().await.unwrap().status(), 401);
    let publish = || downlink.http.post(format!("{}/publish", downlink.url)).json(&body);
    assert_eq!(publish().bearer_auth(&token).send().await.unwrap().status(), 200);
    assert_eq!(publish().bearer_auth(format!("{token}x")).send().await.unwrap().status(), 401);
    let in_query = format!("{}/publish?access_token={token}", downlink.url);
    assert_eq!(downlink.http.post(in_query).json(&body).send().await.unwrap().status(), 200);

    let revealed: Revealed = downlink.app.call("endpoint.reveal", ()).await;
    assert_eq!(revealed.value, token);
    let again: EndpointView = downlink.app.call("endpoint.get", ()).await;
    assert!(again.has_token && again.new_token.is_none());
    let made = downlink.save(|draft| draft["token"] = json!({"kind": "generate"})).await.new_token.unwrap();
    assert_ne!(made, token);
    eventually("the new token to count", async || {
        (publish().bearer_auth(&made).send().await.ok()?.status() == 200).then_some(())
    })
    .await;
    assert_eq!(publish().bearer_auth(&token).send().await.unwrap().status(), 401);
    let folder = downlink.app.stop().await;
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        let held = bytes.windows(made.len()).any(|window| window == made.as_bytes());
        assert!(!held, "{} holds the token in clear", file.path().display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_with_a_certificate_made_here_and_made_anew() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let view = downlink.save(|draft| draft["tls"] = json!("selfSigned")).await;
    let first = view.certificate.expect("a certificate is made");
    let der = CertificateDer::from_pem_slice(first.pem.as_bytes()).unwrap();
    let digest: Vec<String> = Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(first.fingerprint, digest.join(":"));
    assert!(first.names.contains(&"127.0.0.1".to_owned()) && first.warning.is_none(), "{first:?}");
    for version in BOTH {
        until_secure(&Arc::new(client(&first.pem, None, &[version])), downlink.port).await;
    }
    let status = downlink.app.relay_status().await;
    let url = format!("https://127.0.0.1:{}/publish", downlink.port);
    assert_eq!(status.downlink.as_deref(), Some(url.as_str()));
    let body = json!({"topic": "down", "message": "1", "qos": 1, "retain": false});
    let answer = https(client(&first.pem, None, BOTH)).post(&url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(downlink.http.post(url.replace("https", "http")).json(&body).send().await.is_err(), "no plain HTTP");

    let renewed: EndpointView = downlink.app.call("endpoint.renewCertificate", ()).await;
    let second = renewed.certificate.unwrap();
    assert_ne!(second.fingerprint, first.fingerprint);
    until_secure(&Arc::new(client(&second.pem, None, BOTH)), downlink.port).await;
    assert!(ask(&Arc::new(client(&first.pem, None, BOTH)), downlink.port).await.is_err(), "the old one is not shown");
    let named = downlink.save(|draft| draft["public"] = json!("plant.example")).await;
    assert!(named.certificate.unwrap().warning.unwrap().contains("plant.example"));
    let renewed: EndpointView = downlink.app.call("endpoint.renewCertificate", ()).await;
    assert_eq!(renewed.certificate.unwrap().warning, None);
    downlink.app.stop().await;
}

/// Settings with the endpoint's own certificate and client certificates of an authority.
async fn save_mutual(downlink: &Downlink, authority: &Authority, server: &Pair) {
    downlink
        .save(|draft| {
            draft["tls"] = json!("own");
            draft["certificate"] = json!(server.cert);
            draft["key"] = json!({"kind": "set", "value": server.key});
            draft["access"] = json!("clientCertificate");
            draft["clientCa"] = json!(authority.pem());
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_certificates_are_asked_for_and_sessions_are_resumed() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let authority = Authority::new("Plant Root CA");
    let server = authority.server(&["localhost"]);
    save_mutual(&downlink, &authority, &server).await;
    let shown = authority.client("TagoIO");
    until_secure(&Arc::new(client(&authority.pem(), Some(&shown), BOTH)), downlink.port).await;
    for version in BOTH {
        let config = Arc::new(client(&authority.pem(), Some(&shown), &[version]));
        let first = ask(&config, downlink.port).await.unwrap();
        assert!(first.0.contains("200") && first.1 != HandshakeKind::Resumed, "{version:?}: {first:?}");
        let second = ask(&config, downlink.port).await.unwrap();
        assert!(second.0.contains("200") && second.1 == HandshakeKind::Resumed, "{version:?}: {second:?}");
        let stranger = Arc::new(client(&authority.pem(), None, &[version]));
        assert!(ask(&stranger, downlink.port).await.is_err(), "{version:?}: without a certificate");
        let other = Authority::new("Another CA").client("TagoIO");
        let other = Arc::new(client(&authority.pem(), Some(&other), &[version]));
        assert!(ask(&other, downlink.port).await.is_err(), "{version:?}: with another authority's certificate");
    }
    let report: EndpointTestReport = downlink
        .app
        .call("endpoint.test", json!({"relayId": downlink.relay.relay.id, "topic": "relayscope/test/a"}))
        .await;
    assert!(report.passed, "{report:?}");
    assert!(report.steps.iter().all(|step| step.outcome == TestOutcome::Ok), "{report:?}");
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_protects_too_little_is_refused_at_its_field() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let refused = async |change: Value| {
        let merge = |draft: &mut Value| {
            for (field, value) in change.as_object().unwrap() {
                draft[field] = value.clone();
            }
        };
        downlink.try_save(merge).await.expect_err("it is refused")
    };
    assert_eq!(fields(&refused(json!({"listen": "all"})).await), ["tls", "access"]);
    assert_eq!(fields(&refused(json!({"listen": "all", "tls": "selfSigned"})).await), ["access"]);
    let authority = Authority::new("Plant Root CA");
    let (server, other) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    let own = |cert: &str, key: &str| json!({"tls": "own", "certificate": cert, "key": {"kind": "set", "value": key}});
    let mismatch = refused(own(&server.cert, &other.key)).await;
    assert_eq!(fields(&mismatch), ["key"]);
    assert!(mismatch.problems[0].message.contains("does not belong"), "{mismatch:?}");
    let expired = authority.expired_server(&["localhost"]);
    assert_eq!(fields(&refused(own(&expired.cert, &expired.key)).await), ["certificate"]);
    assert_eq!(fields(&refused(own(&server.key, &server.cert)).await), ["certificate", "key"]);
    let no_ca = json!({"tls": "selfSigned", "access": "clientCertificate", "clientCa": "nothing"});
    assert_eq!(fields(&refused(no_ca).await), ["clientCa"]);
    let still: EndpointView = downlink.app.call("endpoint.get", ()).await;
    assert_eq!(still.draft.tls, relayscope_domain::endpoint::EndpointTls::Off, "nothing was stored");
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unsafe_mode_is_allowed_and_loud() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let view = downlink
        .save(|draft| {
            draft["listen"] = json!("all");
            draft["unsafe"] = json!(true);
        })
        .await;
    assert!(view.unsafe_words.is_some_and(|words| words.contains("Unsafe mode")));
    let status = eventually("the status to warn", async || {
        let answer = downlink.http.get(format!("{}/status", downlink.url)).send().await.ok()?;
        let status: Value = answer.json().await.ok()?;
        status["warning"].as_str().map(str::to_owned)
    })
    .await;
    assert!(status.contains("Unsafe mode"));
    let way: DownlinkView = downlink.app.call("endpoint.downlink", json!({"id": downlink.relay.relay.id})).await;
    assert!(way.unsafe_words.is_some() && !way.url.unwrap().contains("127.0.0.1"));
    let report: EndpointTestReport =
        downlink.app.call("endpoint.test", json!({"relayId": downlink.relay.relay.id, "topic": "t"})).await;
    assert_eq!(report.steps[2].outcome, TestOutcome::Warning, "{report:?}");
    assert!(report.passed);
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_walks_the_way_and_says_where_it_ends() {
    let mut broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let saved = downlink
        .save(|draft| {
            draft["tls"] = json!("selfSigned");
            draft["access"] = json!("bearer");
        })
        .await;
    let pem = saved.certificate.unwrap().pem;
    let trusting = https(client(&pem, None, BOTH));
    eventually("the endpoint to ask for its token", async || {
        let answer = trusting.get(format!("https://127.0.0.1:{}/status", downlink.port)).send().await.ok()?;
        (answer.status() == 401).then_some(())
    })
    .await;
    let way: DownlinkView = downlink.app.call("endpoint.downlink", json!({"id": downlink.relay.relay.id})).await;
    assert!(way.asks_token && way.reach.contains("tunnel"), "{way:?}");
    let run = async |topic: &str| -> EndpointTestReport {
        let request = json!({"relayId": downlink.relay.relay.id, "topic": topic});
        downlink.app.call("endpoint.test", request).await
    };
    let report = run(&way.test_topic).await;
    assert!(report.passed, "{report:?}");
    assert!(report.steps.iter().all(|step| step.outcome == TestOutcome::Ok), "{report:?}");
    assert!(report.steps[1].detail[1].contains("SHA-256"), "{report:?}");
    let bad = downlink.app.try_call("endpoint.test", json!({"relayId": downlink.relay.relay.id, "topic": "a/#"})).await;
    assert_eq!(fields(&bad.expect_err("a wildcard is refused")), ["topic"]);

    broker.stop();
    eventually("the session to fall", async || {
        (downlink.app.relay_status().await.broker.words != "connected").then_some(())
    })
    .await;
    let report = run("t").await;
    let (ok, failed) = (TestOutcome::Ok, TestOutcome::Failed);
    let outcomes: Vec<_> = report.steps.iter().map(|step| step.outcome).collect();
    assert_eq!(outcomes, [ok, ok, ok, ok, failed, TestOutcome::NotReached]);
    assert!(!report.passed && !report.steps[4].advice.is_empty());
    let _: Nothing = downlink.app.call("relays.act", json!({"id": downlink.relay.relay.id, "action": "stop"})).await;
    let outcome = eventually("the endpoint to stop", async || {
        let report = run("t").await;
        (report.steps[0].outcome == failed).then_some(report)
    })
    .await;
    assert!(!outcome.passed && !outcome.steps[0].advice.is_empty());
    downlink.app.stop().await;
}
