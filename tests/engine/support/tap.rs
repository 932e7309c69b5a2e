//! A tap before a broker on 127.0.0.1, without an engine around it.

use relayscope_domain::broker::{BrokerSecrets, Connection, Tls, Transport};
use relayscope_domain::id::{BrokerId, ListenerId, TapId};
use relayscope_domain::listener::{BrokerLimits, ClientCertificates, Listener};
use relayscope_domain::message::MqttVersion;
use relayscope_engine::feed::Feed;
use relayscope_engine::tap::{Tap, TapPlan};
use std::net::Ipv4Addr;

/// A tap on a free port.
pub async fn tap_before(port: u16) -> Tap {
    Tap::start(plan(port), Feed::new(64 << 20)).await.unwrap()
}

fn plan(port: u16) -> TapPlan {
    let connection = Connection {
        host: "127.0.0.1".into(),
        port,
        transport: Transport::Tcp,
        path: String::new(),
        version: MqttVersion::V5,
        client_id: "unused".into(),
        username: None,
        keep_alive: 30,
        clean_start: true,
        session_expiry: 0,
        will: None,
        tls: Tls::default(),
    };
    let listener = Listener {
        id: ListenerId(uuid::Uuid::new_v4()),
        transport: Transport::Tcp,
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        certificate: None,
        client_certificates: ClientCertificates::Off,
        client_ca: None,
        limits: None,
    };
    let tap = relayscope_domain::tap::Tap {
        id: TapId(uuid::Uuid::new_v4()),
        name: "tap".into(),
        broker_id: BrokerId(uuid::Uuid::new_v4()),
        listener,
        proxy: false,
        limits: BrokerLimits::UNLIMITED,
        enabled: true,
    };
    TapPlan { tap, key: None, connection, secrets: BrokerSecrets::default() }
}
