//! Many messages wait while the platform is away, and are drained: memory and rates are printed.

use crate::scene::{Scene, Traffic, eventually_within};
use crate::support::sink::Reply;
use crate::table::numbers;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_wait_and_are_drained() {
    let name = "messages waiting";
    for count in numbers(name) {
        let scene = Scene::start().await;
        scene.sink.only_count();
        scene.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
        let traffic = Traffic::burst(100, count as usize / 100);
        // With QoS 2 Mosquitto 2.0.11 hands out more than its window, and packet identifiers a second time while they are
        // in use: after some 65,000 it ends the connection for that.
        let traffic = if count > 65_535.0 { traffic.ones() } else { traffic };
        let count = traffic.messages() as u64;
        let began = Instant::now();
        traffic.publish(scene.broker.host, scene.broker.port).await;
        let limit = Duration::from_secs(60) + Duration::from_micros(500 * count);
        eventually_within(limit, "all to wait", async || {
            let status = scene.relay.status().await;
            (status.ledger.received == count && status.ledger_difference == 0).then_some(())
        })
        .await;
        let (filled, waiting) = (began.elapsed(), scene.relay.process.peak());
        scene.sink.rule(|_| Reply::Take);
        let mut healed = scene.heals().await;
        eventually_within(limit, "all to be drained", async || (scene.sink.count() as u64 >= count).then_some(()))
            .await;
        let rate = |time: Duration| count as f64 / time.as_secs_f64();
        healed.note = format!(
            "taken in at {:.0}/s, {:.0} MB while waiting, drained at {:.0}/s",
            rate(filled),
            waiting as f64 / 1e6,
            rate(healed.at.elapsed())
        );
        scene.ends(name, &count.to_string(), traffic, healed, 0).await;
    }
}
