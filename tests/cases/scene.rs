//! A broker, a relay and a platform, numbered messages through all three, and what must be true at the end.

use crate::process::Remote;
use crate::support::load::Load;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::pause;
use crate::support::sink::Sink;
use crate::table::{self, Outcome};
use relayscope_engine::api::wire::*;
use rumqttc::QoS;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Messages that may be under way to the platform when it or the relay ends abruptly: each may come twice.
pub(crate) const UNDER_WAY: usize = 200;

/// What a broker hands out before it wants acknowledgements, and may hand out again after a restart.
pub(crate) const WINDOW: usize = 1_000;

/// A broker whose sessions survive its restart, and which drops nothing of its own.
pub(crate) const PERSISTENT: &str = "max_queued_messages 0\nmax_inflight_messages 1000\n\
     persistence true\nautosave_interval 1\n";
/// One that forgets them.
pub(crate) const FORGETFUL: &str = "max_queued_messages 0\nmax_inflight_messages 1000\n";

/// Starts a broker with these lines.
pub(crate) fn broker(extra: &str) -> Mosquitto {
    Mosquitto::start(&Setup { extra: extra.into(), ..Setup::default() })
}

/// Waits longer than `eventually` does.
pub(crate) async fn eventually_within<T>(limit: Duration, what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_or(limit, what, look, || ()).await
}

/// As [`eventually_within`]; when it was in vain, says how things stand.
pub(crate) async fn eventually_or<T, S: std::fmt::Debug>(
    limit: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
    stands: impl Fn() -> S,
) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}: {:?}", stands());
        pause(Duration::from_millis(10)).await;
    }
}

/// Numbered messages: the first topics with QoS 1, the others with QoS 2.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) topics: usize,
    /// How many of them are published to with QoS 2.
    pub(crate) twos: usize,
    pub(crate) each: usize,
    pub(crate) pause: Duration,
}

impl Traffic {
    /// About as long as `time`: 300 messages a second over 20 topics, in the long runs 1,000 over 100.
    pub(crate) fn lasting(time: Duration) -> Self {
        let (topics, rate) = if table::long() { (100, 1_000.0) } else { (20, 300.0) };
        Self::over(topics, rate, time)
    }

    /// About as long as `time` at `rate` messages a second.
    pub(crate) fn over(topics: usize, rate: f64, time: Duration) -> Self {
        let pause = topics as f64 / rate;
        let each = (time.as_secs_f64() / pause).ceil() as usize;
        Self { topics, twos: topics / 2, each, pause: Duration::from_secs_f64(pause) }
    }

    /// As fast as the broker acknowledges.
    pub(crate) fn burst(topics: usize, each: usize) -> Self {
        Self { topics, twos: topics / 2, each, pause: Duration::ZERO }
    }

    /// With QoS 1 only, for publishers whose broker goes away: rumqttc publishes QoS 2 messages again in another order.
    pub(crate) fn ones(self) -> Self {
        Self { twos: 0, ..self }
    }

    pub(crate) fn messages(&self) -> usize {
        self.topics * self.each
    }

    /// Publishes all; returns when the broker acknowledged every one.
    pub(crate) async fn publish(self, host: &'static str, port: u16) {
        self.publish_from(host, port, 0).await;
    }

    /// As [`publish`](Self::publish), with numbers from `from` on.
    pub(crate) async fn publish_from(self, host: &'static str, port: u16, from: usize) {
        let ones = self.topics - self.twos;
        let load = Load { host, from, pause: self.pause, ..Load::new(port, ones, self.each) };
        let twos = Load { first: ones, topics: self.twos, qos: QoS::ExactlyOnce, ..load.clone() };
        tokio::join!(load.run(), twos.run());
    }

    /// Publishes in a task of its own.
    pub(crate) fn start(self, broker: &Mosquitto) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.publish(broker.host, broker.port))
    }
}

/// All three, running.
pub(crate) struct Scene {
    pub(crate) broker: Mosquitto,
    pub(crate) sink: Sink,
    pub(crate) relay: Remote,
    pub(crate) folder: TempDir,
}

impl Scene {
    /// A relay that is connected to a persistent broker.
    pub(crate) async fn start() -> Self {
        Self::with(broker(PERSISTENT), Sink::start_on(Ipv4Addr::LOCALHOST).await, None, &[]).await
    }

    /// A relay that is connected to this broker, with its data in a folder under `place`.
    pub(crate) async fn with(
        broker: Mosquitto,
        sink: Sink,
        place: Option<&std::path::Path>,
        preload: &[(&str, String)],
    ) -> Self {
        let place = place.map_or_else(std::env::temp_dir, Into::into);
        let folder = TempDir::with_prefix_in("relayscope-case-", place).unwrap();
        let relay = Remote::start(folder.path(), preload).await;
        relay.configure(broker.host, broker.port, &sink.region()).await;
        relay.connected().await;
        Self { broker, sink, relay, folder }
    }

    /// Waits until the platform took this many.
    pub(crate) async fn taken(&self, count: usize) {
        taken(&self.sink, count).await;
    }

    /// Everything published arrived, in order, and the ledger says so; at most `twice` came twice. Stops the relay.
    pub(crate) async fn ends(self, name: &str, length: &str, traffic: Traffic, healed: Healed, twice: usize) {
        let count = traffic.messages();
        let limit = Duration::from_secs(60) + Duration::from_micros(500 * count as u64);
        let status = eventually_within(limit, "every message at the platform", async || {
            let status = self.relay.status().await;
            assert_eq!(status.ledger_difference, 0, "{:?}", status.ledger);
            let quiet = status.ledger.waiting + status.ledger.in_flight == 0;
            // A process that is killed takes half a second of counts with it: of messages that were delivered at once.
            let all = || {
                status.ledger.received as usize >= count || self.sink.verdict(traffic.topics, traffic.each).lost == 0
            };
            (quiet && all()).then_some(status)
        })
        .await;
        let gone = healed.at.elapsed();
        let ledger = status.ledger;
        assert_eq!((ledger.delivered, ledger.dead, ledger.dropped), (ledger.received, 0, 0), "{ledger:?}");
        let verdict = self.sink.verdict(traffic.topics, traffic.each);
        let peak = Some(self.relay.process.peak());
        let recovery = Some((healed.first, gone));
        table::report(name, length, &Outcome { verdict: verdict.clone(), recovery, peak, note: healed.note });
        assert_eq!((verdict.lost, verdict.out_of_order), (0, 0), "{verdict:?}");
        assert!(verdict.twice <= twice, "{verdict:?}, at most {twice} may come twice");
        self.relay.card("all to be well again", |status| status.state.tone == Tone::Ok).await;
        self.relay.stop().await;
    }

    /// Waits for the first delivery after the fault ended.
    pub(crate) async fn heals(&self) -> Healed {
        heals(&self.sink).await
    }
}

/// Waits until the platform took this many.
pub(crate) async fn taken(sink: &Sink, count: usize) {
    eventually_within(Duration::from_secs(60), "messages at the platform", async || {
        (sink.count() >= count).then_some(())
    })
    .await;
}

/// When a fault ended, and how long after that the first message was taken.
pub(crate) struct Healed {
    pub(crate) at: Instant,
    pub(crate) first: Duration,
    pub(crate) note: String,
}

/// Waits for the first delivery from now on; the fault just ended.
pub(crate) async fn heals(sink: &Sink) -> Healed {
    let (at, before) = (Instant::now(), sink.count());
    taken(sink, before + 1).await;
    Healed { at, first: at.elapsed(), note: String::new() }
}
