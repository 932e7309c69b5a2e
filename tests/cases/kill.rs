//! The process is killed or asked to end: idle, under load, while the platform is away. The real command line.

use crate::process::{Cli, Configuration, Remote, data};
use crate::scene::{PERSISTENT, Traffic, UNDER_WAY, broker, eventually_or, heals, taken};
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use crate::support::pause;
use crate::support::sink::{Reply, Sink};
use crate::table::{self, Outcome, lengths, words};
use relayscope_engine::api::wire::*;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A broker, a platform and a home with a configuration file for them.
pub(crate) struct House {
    pub(crate) broker: Mosquitto,
    pub(crate) sink: Sink,
    pub(crate) home: TempDir,
}

impl House {
    pub(crate) async fn build() -> Self {
        let (broker, sink) = (broker(PERSISTENT), Sink::start_on(Ipv4Addr::LOCALHOST).await);
        let home = TempDir::with_prefix("relayscope-case-").unwrap();
        let url = sink.url();
        Configuration { port: broker.port, url: &url, client_id: "relayscope-case", filter: "load/#" }
            .write(home.path());
        Self { broker, sink, home }
    }

    /// Starts the command line and waits until it is subscribed.
    pub(crate) async fn start(&self, preload: &[(&str, String)]) -> Cli {
        let subscribed = || self.broker.log().matches("Sending SUBACK to relayscope-case").count();
        let before = subscribed();
        let mut cli = Cli::start(self.home.path(), preload).await;
        eventually("a subscription", async || (subscribed() > before).then_some(())).await;
        cli.process.rests();
        cli
    }

    /// Everything arrived in order, at most `twice` of it twice, and the data folder itself says so.
    pub(crate) async fn ends(&self, name: &str, length: Duration, traffic: Traffic, mut end: End, twice: usize) {
        let limit = Duration::from_secs(40) + Duration::from_micros(500 * traffic.messages() as u64);
        let verdict = || self.sink.verdict(traffic.topics, traffic.each);
        eventually_or(limit, "every message at the platform", async || (verdict().lost == 0).then_some(()), verdict)
            .await;
        let gone = end.back.elapsed();
        let peak = Some(end.cli.process.peak());
        end.cli.process.terminate().await;
        // What was stored twice may still wait. The rows themselves are counted at a start.
        let relay = Remote::start(&data(self.home.path()), &[]).await;
        relay.connected().await;
        let quiet = |status: &RelayStatus| status.ledger.waiting + status.ledger.in_flight == 0;
        let status = relay.card("nothing to wait any more", quiet).await;
        relay.stop().await;
        let verdict = verdict();
        let recovery = Some((end.first, gone));
        table::report(name, &words(length), &Outcome { verdict: verdict.clone(), recovery, peak, note: end.note });
        assert_eq!((status.ledger.dead, status.ledger_difference), (0, 0), "{status:?}");
        assert_eq!((verdict.lost, verdict.out_of_order), (0, 0), "{verdict:?}");
        assert!(verdict.twice <= twice, "{verdict:?}, at most {twice} may come twice");
    }
}

/// What is known at the end of a case.
pub(crate) struct End {
    pub(crate) cli: Cli,
    pub(crate) back: Instant,
    pub(crate) first: Duration,
    pub(crate) note: String,
}

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Kill,
    Term,
}

/// What the platform does meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Platform {
    Well,
    Away,
    Slow,
}

/// Messages flow, the process ends and is started again after a time.
async fn over(name: &str, how: How, platform: Platform, twice: usize) {
    for length in lengths(name) {
        let house = House::build().await;
        let mut cli = house.start(&[]).await;
        if platform == Platform::Slow {
            house.sink.rule(|_| Reply::Late(Duration::from_millis(50)));
        }
        let traffic = Traffic::lasting(length + Duration::from_secs(1));
        let publishing = traffic.start(&house.broker);
        taken(&house.sink, 100).await;
        if platform == Platform::Away {
            house.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
            pause(length / 2).await;
        }
        match how {
            How::Kill => cli.process.kill().await,
            How::Term => cli.process.terminate().await,
        }
        let before = house.sink.verdict(traffic.topics, traffic.each);
        pause(length).await;
        let cli = house.start(&[]).await;
        if platform == Platform::Away {
            house.sink.rule(|_| Reply::Take);
        }
        let healed = heals(&house.sink).await;
        publishing.await.unwrap();
        let note = format!("{} had arrived", before.messages - before.lost);
        house.ends(name, length, traffic, End { cli, back: healed.at, first: healed.first, note }, twice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_while_idle_loses_nothing() {
    let name = "kill -9 idle";
    for length in lengths(name) {
        let house = House::build().await;
        let mut cli = house.start(&[]).await;
        let half = Traffic::burst(20, 20);
        half.publish(house.broker.host, house.broker.port).await;
        taken(&house.sink, half.messages()).await;
        pause(length).await;
        cli.process.kill().await;
        half.publish_from(house.broker.host, house.broker.port, half.each).await;
        let cli = house.start(&[]).await;
        let healed = heals(&house.sink).await;
        let end = End { cli, back: healed.at, first: healed.first, note: String::new() };
        house.ends(name, length, Traffic { each: 2 * half.each, ..half }, end, UNDER_WAY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_mid_flow_loses_nothing() {
    over("kill -9 mid-flow", How::Kill, Platform::Well, UNDER_WAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_during_an_outage_loses_nothing() {
    over("kill -9 during an outage", How::Kill, Platform::Away, UNDER_WAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_terminated_mid_flow_loses_nothing_and_repeats_nothing() {
    over("SIGTERM mid-flow", How::Term, Platform::Well, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_terminated_during_an_outage_loses_nothing_and_repeats_nothing() {
    over("SIGTERM during an outage", How::Term, Platform::Away, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_terminated_while_the_platform_takes_its_time_repeats_nothing() {
    over("SIGTERM with a platform that takes 50 ms", How::Term, Platform::Slow, 0).await;
}
