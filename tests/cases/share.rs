//! Three processes share the load of one broker by a shared subscription. The broker gives each message to one of them,
//! whichever it likes: the order of a topic is not kept then, and that is not asked here.

use crate::process::{Cli, Configuration};
use crate::scene::{PERSISTENT, Traffic, UNDER_WAY, broker, eventually_within, taken};
use crate::support::pause;
use crate::support::sink::Sink;
use crate::table::{self, Outcome, lengths, words};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn three_relays_share_a_broker_and_one_is_killed() {
    let name = "three relays share, one killed";
    for length in lengths(name) {
        let (broker, sink) = (broker(PERSISTENT), Sink::start_on(Ipv4Addr::LOCALHOST).await);
        let url = sink.url();
        let homes: Vec<_> = (0..3).map(|_| TempDir::with_prefix("relayscope-case-").unwrap()).collect();
        let mut relays = vec![];
        for (number, home) in homes.iter().enumerate() {
            let client_id = format!("share-{number}");
            Configuration { port: broker.port, url: &url, client_id: &client_id, filter: "$share/plant/load/#" }
                .write(home.path());
            relays.push(Cli::start(home.path(), &[]).await);
            let granted = format!("Sending SUBACK to {client_id}");
            eventually_within(Duration::from_secs(30), &granted, async || {
                broker.log().contains(&granted).then_some(())
            })
            .await;
        }
        let first = Traffic::burst(20, 30);
        first.publish(broker.host, broker.port).await;
        taken(&sink, first.messages()).await;
        pause(Duration::from_millis(300)).await;
        let verdict = sink.verdict(first.topics, first.each);
        assert_eq!((verdict.lost, verdict.twice), (0, 0), "each message once: {verdict:?}");
        let shares: Vec<usize> =
            (0..3).map(|number| broker.log().matches(&format!("Sending PUBLISH to share-{number}")).count()).collect();
        assert!(shares.iter().all(|share| *share > 0), "each relay gets some: {shares:?}");

        // One dies while messages flow; what the broker gave it is on its disk, or still with the broker.
        let more = Traffic::over(first.topics, 300.0, length + Duration::from_secs(1));
        let publishing = tokio::spawn(more.publish_from(broker.host, broker.port, first.each));
        taken(&sink, first.messages() + 100).await;
        relays[1].process.kill().await;
        pause(length).await;
        relays[1] = Cli::start(homes[1].path(), &[]).await;
        let back = Instant::now();
        publishing.await.unwrap();
        let all = Traffic { each: first.each + more.each, ..more };
        eventually_within(Duration::from_secs(60), "every message at the platform", async || {
            (sink.verdict(all.topics, all.each).lost == 0).then_some(())
        })
        .await;
        let recovery = Some((back.elapsed(), back.elapsed()));
        for relay in &mut relays {
            relay.process.terminate().await;
        }
        let verdict = sink.verdict(all.topics, all.each);
        let note = "order is not asked of shared subscriptions".to_owned();
        table::report(name, &words(length), &Outcome { verdict: verdict.clone(), recovery, peak: None, note });
        assert!(verdict.lost == 0 && verdict.twice <= UNDER_WAY, "{verdict:?}");
    }
}
