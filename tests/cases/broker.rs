//! The broker is restarted, killed, forgets its sessions, or is not there yet; so is the platform at the start.

use crate::process::{Remote, prints};
use crate::scene::{FORGETFUL, Healed, PERSISTENT, Scene, Traffic, WINDOW, broker, eventually_within};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::pause;
use crate::support::sink::{Reply, Sink};
use crate::table::{lengths, words};
use relayscope_engine::api::wire::*;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// The card says that the broker is away and that it is tried again.
fn away(status: &RelayStatus) -> bool {
    status.broker.tone == Tone::Warn && status.broker.words.starts_with("reconnecting: ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_restarted_while_messages_flow_loses_nothing() {
    let name = "broker restart, TERM";
    for length in lengths(name) {
        let mut scene = Scene::start().await;
        let traffic = Traffic::lasting(Duration::from_secs(1) + length.min(Duration::from_secs(5))).ones();
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        scene.broker.stop();
        let gone = Instant::now();
        scene.relay.card("the broker's absence on the card", away).await;
        pause(length.saturating_sub(gone.elapsed())).await;
        scene.broker.start_again();
        let healed = scene.heals().await;
        publishing.await.unwrap();
        scene.ends(name, &words(length), traffic, healed, WINDOW).await;
    }
}

/// Waits until the broker wrote its file twice more: what it acknowledged before is in the second.
async fn until_saved(broker: &Mosquitto) {
    for _ in 0..2 {
        let last = broker.saved();
        eventually_within(Duration::from_secs(20), "the broker to save", async || {
            // Mosquitto saves when something changed, and a retained message of nobody's is a change.
            let port = broker.port.to_string();
            prints(Command::new("mosquitto_pub").args(["-p", &port, "-t", "other", "-r", "-q", "1", "-m", "1"]))
                .await
                .unwrap();
            (broker.saved() > last).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_gives_again_what_it_had_and_nothing_is_lost() {
    let name = "broker restart, KILL";
    for length in lengths(name) {
        let mut scene = Scene::start().await;
        // Everything is in the broker's file before it is killed: what it loses of its own is not asked here.
        scene.relay.act("stop").await;
        let traffic = Traffic::burst(20, if crate::table::long() { 2_000 } else { 100 });
        traffic.publish(scene.broker.host, scene.broker.port).await;
        until_saved(&scene.broker).await;
        scene.sink.rule(|_| Reply::Late(Duration::from_millis(5)));
        scene.relay.act("start").await;
        scene.taken(200).await;
        scene.broker.kill();
        let gone = Instant::now();
        scene.relay.card("the broker's absence on the card", away).await;
        let received = scene.relay.status().await.ledger.received;
        pause(length.saturating_sub(gone.elapsed())).await;
        scene.broker.start_again();
        let back = Instant::now();
        scene.relay.connected().await;
        let note = format!("{received} had come before; connected again after {:.2} s", back.elapsed().as_secs_f64());
        let healed = Healed { at: back, first: back.elapsed(), note };
        // Its file is older than the last acknowledgements it got: what it gives again, QoS 2 included, comes twice.
        scene.ends(name, &words(length), traffic, healed, traffic.messages()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_forgets_the_session_is_subscribed_to_again_and_nothing_acknowledged_is_lost() {
    let name = "broker restart that forgets the session";
    for length in lengths(name) {
        let sink = Sink::start_on(Ipv4Addr::LOCALHOST).await;
        let mut scene = Scene::with(broker(FORGETFUL), sink, None, &[]).await;
        // The platform is away, so that what was acknowledged waits on disk.
        scene.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
        let half = Traffic::burst(20, 50);
        half.publish(scene.broker.host, scene.broker.port).await;
        let count = half.messages() as u64;
        scene.relay.card("all to be stored", |status| status.ledger.received == count).await;
        scene.broker.stop();
        scene.relay.card("the broker's absence on the card", away).await;
        pause(length).await;
        scene.broker.start_again();
        let back = Instant::now();
        eventually_within(Duration::from_secs(30), "a second subscription", async || {
            (scene.broker.log().matches("Sending SUBACK to relayscope").count() >= 2).then_some(())
        })
        .await;
        let note = format!("subscribed again after {:.2} s", back.elapsed().as_secs_f64());
        // Numbered on from the first half.
        half.publish_from(scene.broker.host, scene.broker.port, half.each).await;
        scene.sink.rule(|_| Reply::Take);
        let healed = Healed { note, ..scene.heals().await };
        scene.ends(name, &words(length), Traffic { each: half.each * 2, ..half }, healed, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_starts_while_the_platform_is_down_stores_and_delivers_later() {
    let name = "start while the platform is down";
    for length in lengths(name) {
        let mut sink = Sink::start_on(Ipv4Addr::LOCALHOST).await;
        sink.go_away().await;
        let mut scene = Scene::with(broker(PERSISTENT), sink, None, &[]).await;
        let traffic = Traffic::lasting(length);
        traffic.publish(scene.broker.host, scene.broker.port).await;
        let count = traffic.messages() as u64;
        scene
            .relay
            .card("all to wait, and the card to say so", |status| {
                status.ledger.received == count && status.destination.tone == Tone::Warn
            })
            .await;
        scene.sink.come_back().await;
        let healed = scene.heals().await;
        scene.ends(name, &words(length), traffic, healed, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_starts_while_the_broker_is_down_connects_when_it_is_there() {
    let name = "start while the broker is down";
    for length in lengths(name) {
        let sink = Sink::start_on(Ipv4Addr::LOCALHOST).await;
        let mut broker = Mosquitto::start(&Setup { extra: PERSISTENT.into(), ..Setup::default() });
        broker.stop();
        let folder = tempfile::TempDir::with_prefix("relayscope-case-").unwrap();
        let relay = Remote::start(folder.path(), &[]).await;
        relay.configure(broker.host, broker.port, &sink.region()).await;
        relay.card("the broker's absence on the card", away).await;
        pause(length).await;
        broker.start_again();
        let back = Instant::now();
        relay.connected().await;
        let note = format!("connected after {:.2} s", back.elapsed().as_secs_f64());
        let scene = Scene { broker, sink, relay, folder };
        let traffic = Traffic::burst(20, 20);
        traffic.publish(scene.broker.host, scene.broker.port).await;
        let healed = Healed { at: back, first: back.elapsed(), note };
        scene.ends(name, &words(length), traffic, healed, 0).await;
    }
}
