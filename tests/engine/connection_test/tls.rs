//! The connection test over TLS: certificates that fit, and each way in which they do not.

use super::{assert_fails, assert_passes, connection, run, run_open, step, text};
use crate::support::certs::{Authority, self_signed, self_signed_authority};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::scripted;
use relayscope_domain::broker::{BrokerSecrets, Transport};
use relayscope_domain::message::MqttVersion;
use relayscope_domain::secret::Secret;
use relayscope_engine::api::wire::TestStepName;

#[tokio::test]
async fn a_plain_port_fails_at_tls() {
    let broker = Mosquitto::open();
    let mut target = connection("127.0.0.1", broker.port, Transport::Tls, MqttVersion::V5);
    target.tls.ca = Some(Authority::new("Plant CA").pem());
    assert_fails(&run_open(&target).await, TestStepName::Tls, &["during the TLS handshake", "plain text"]);
    target.port = scripted::plain_text("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_fails(&run_open(&target).await, TestStepName::Tls, &["The answer is not TLS", "without TLS"]);
}

#[tokio::test]
async fn own_authority_passes_and_shows_the_chain() {
    let authority = Authority::new("Plant Root CA");
    let broker =
        Mosquitto::start(&Setup { tls: Some(authority.server(&["localhost", "127.0.0.1"])), ..Setup::default() });
    for (host, version) in [("localhost", MqttVersion::V5), ("127.0.0.1", MqttVersion::V311)] {
        let mut target = connection(host, broker.port, Transport::Tls, version);
        target.tls.ca = Some(authority.pem());
        let report = run_open(&target).await;
        assert_passes(&report);
        let shown = text(step(&report, TestStepName::Tls));
        for words in ["TLS 1.3", "Test Broker ← Plant Root CA", "for localhost, 127.0.0.1", "days left"] {
            assert!(shown.contains(words), "“{words}” is missing in: {shown}");
        }
    }
}

#[tokio::test]
async fn an_expired_certificate_fails_with_its_date() {
    let authority = Authority::new("Plant Root CA");
    let broker = Mosquitto::start(&Setup { tls: Some(authority.expired_server(&["localhost"])), ..Setup::default() });
    let mut target = connection("localhost", broker.port, Transport::Tls, MqttVersion::V5);
    target.tls.ca = Some(authority.pem());
    assert_fails(&run_open(&target).await, TestStepName::Tls, &["“Test Broker” expired on 2021-03-01", "renewed"]);
}

#[tokio::test]
async fn a_wrong_name_fails_and_the_server_name_mends_it() {
    let authority = Authority::new("Plant Root CA");
    let broker = Mosquitto::start(&Setup { tls: Some(authority.server(&["mqtt.plant.example"])), ..Setup::default() });
    let mut target = connection("localhost", broker.port, Transport::Tls, MqttVersion::V5);
    target.tls.ca = Some(authority.pem());
    let words = ["not for “localhost”", "mqtt.plant.example", "server name"];
    assert_fails(&run_open(&target).await, TestStepName::Tls, &words);
    target.tls.server_name = Some("mqtt.plant.example".into());
    assert_passes(&run_open(&target).await);
    target.tls.server_name = Some("other.example".into());
    assert_fails(&run_open(&target).await, TestStepName::Tls, &["not for “other.example”"]);
}

#[tokio::test]
async fn an_unknown_issuer_fails_with_its_name() {
    let authority = Authority::new("Plant Root CA");
    let broker = Mosquitto::start(&Setup { tls: Some(authority.server(&["localhost"])), ..Setup::default() });
    let mut target = connection("localhost", broker.port, Transport::Tls, MqttVersion::V5);
    target.tls.ca = Some(Authority::new("Other CA").pem());
    assert_fails(&run_open(&target).await, TestStepName::Tls, &["issued by “Plant Root CA”", "chosen authority"]);
    if relayscope_engine::mqtt::tls::system_roots().is_ok() {
        target.tls.ca = None;
        let words = ["issued by “Plant Root CA”, which this system does not know", "own certificate authority"];
        assert_fails(&run_open(&target).await, TestStepName::Tls, &words);
    }
}

#[tokio::test]
async fn a_self_signed_certificate_fails_unless_it_was_chosen() {
    for pair in [self_signed(&["localhost"]), self_signed_authority(&["localhost"])] {
        let chosen = pair.cert.clone();
        let broker = Mosquitto::start(&Setup { tls: Some(pair), ..Setup::default() });
        let mut target = connection("localhost", broker.port, Transport::Tls, MqttVersion::V5);
        target.tls.ca = Some(Authority::new("Other CA").pem());
        let words = ["self-signed", "own certificate authority"];
        assert_fails(&run_open(&target).await, TestStepName::Tls, &words);
        target.tls.ca = Some(chosen);
        assert_passes(&run_open(&target).await);
        // Chosen or not, the name must fit.
        target.host = "127.0.0.1".into();
        assert_fails(&run_open(&target).await, TestStepName::Tls, &["not for “127.0.0.1”", "localhost"]);
    }
}

#[tokio::test]
async fn a_broker_that_wants_a_client_certificate_gets_it_or_says_so() {
    let authority = Authority::new("Plant Root CA");
    for tls_version in ["tlsv1.3", "tlsv1.2"] {
        let broker = Mosquitto::start(&Setup::with_client_certificates(&authority, tls_version));
        let mut target = connection("localhost", broker.port, Transport::Tls, MqttVersion::V5);
        target.tls.ca = Some(authority.pem());
        assert_fails(&run_open(&target).await, TestStepName::Tls, &["client certificate"]);

        let ours = authority.client("relay");
        let secrets =
            |key: &str| BrokerSecrets { password: None, client_key: Some(Secret::new(key)), ..Default::default() };
        target.tls.client_cert = Some(ours.cert);
        assert_passes(&run(&target, &secrets(&ours.key)).await);

        let foreign = Authority::new("Foreign CA").client("relay");
        assert_fails(&run(&target, &secrets(&foreign.key)).await, TestStepName::Tls, &["does not belong"]);
        target.tls.client_cert = Some(foreign.cert);
        let words = ["authority of our client certificate"];
        assert_fails(&run(&target, &secrets(&foreign.key)).await, TestStepName::Tls, &words);
        assert_fails(&run_open(&target).await, TestStepName::Tls, &["none is stored"]);
    }
}
