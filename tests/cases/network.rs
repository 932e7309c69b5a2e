//! The address of broker and platform goes away and comes back, in a network of its own: no connection is refused or
//! closed, packets just lead nowhere.

use crate::namespace;
use crate::process::prints;
use crate::scene::{PERSISTENT, Scene, Traffic, WINDOW};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::pause;
use crate::support::sink::Sink;
use crate::table::{lengths, words};
use std::time::Duration;
use tokio::process::Command;

/// One that documentation may use (RFC 5737), given to the loopback device of the namespace.
const ADDRESS: &str = "198.51.100.7";

async fn ip(arguments: &str) {
    prints(Command::new("ip").args(arguments.split(' '))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_address_that_goes_and_comes_back_loses_nothing() {
    namespace::run("-Urn", "network::in_a_network_of_its_own").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test"]
async fn in_a_network_of_its_own() {
    if !namespace::inside() {
        return;
    }
    ip("link set lo up").await;
    let (here, gone) = (format!("addr add {ADDRESS}/32 dev lo"), format!("addr del {ADDRESS}/32 dev lo"));
    let name = "network address gone and back";
    for length in lengths(name) {
        ip(&here).await;
        let broker = Mosquitto::start(&Setup { host: Some(ADDRESS), extra: PERSISTENT.into(), ..Setup::default() });
        let sink = Sink::start_on(ADDRESS.parse().unwrap()).await;
        let scene = Scene::with(broker, sink, None, &[]).await;
        let traffic = Traffic::lasting(Duration::from_secs(2)).ones();
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        ip(&gone).await;
        pause(length).await;
        let status = scene.relay.status().await;
        assert_eq!(status.ledger_difference, 0, "{:?}", status.ledger);
        ip(&here).await;
        let healed = scene.heals().await;
        publishing.await.unwrap();
        // What was sent and not answered in time is sent again; publishers do the same.
        scene.ends(name, &words(length), traffic, healed, WINDOW).await;
        ip(&gone).await;
    }
}
