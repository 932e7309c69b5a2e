//! The unit that ticks, ten times a second: pushes to pages what changed, clears away, and notes when tokens were last used.
//! What it pushes is made elsewhere.

use super::Rates;
use crate::api::wire::{ChartFrame, Frame, RelayStatus, SessionsFrame, StatusSnapshot};
use crate::feed::unix_millis;
use crate::inspect;
use crate::store::StoreError;
use crate::world::World;
use relayscope_domain::id::RelayId;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
// Ticks between two snapshots, and between two writes of the tokens' last use.
const SNAPSHOT: u32 = 5;
const TOUCH: u32 = 50;
// Ticks between two looks at the inspector's sessions.
const SESSIONS: u32 = 2;
// Ticks between two purges of discarded dead letters: two minutes. The first is at the start.
const PURGE: u32 = 1_200;

/// The unit that ticks.
pub(crate) struct Janitor {
    world: World,
    rates: Rates,
    // Events of the feed that were looked at for findings.
    looked: u64,
    // What brokers answered to filters, as the pages last heard it: lists of relays show it.
    grants: Vec<(RelayId, usize)>,
    // The inspector's sessions as the pages last heard of them.
    sessions: SessionsFrame,
    // Values of the chart as the pages last heard of them.
    charted: u64,
    // Deliveries of each relay when its tokens were last noted as used.
    delivered: HashMap<RelayId, u64>,
}

impl Janitor {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            rates: Rates::default(),
            looked: 0,
            grants: vec![],
            sessions: SessionsFrame { sessions: vec![] },
            charted: 0,
            delivered: HashMap::new(),
        }
    }

    /// Ticks until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut count = 0u32;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.tick(count).await,
                () = stop.cancelled() => return,
            }
            count = count.wrapping_add(1);
        }
    }

    async fn tick(&mut self, count: u32) {
        self.looked = self.world.runtime.findings.look(&self.world.feed, self.looked);
        self.tell_views();
        self.follow_chart().await;
        if count.is_multiple_of(SESSIONS) {
            self.tell_sessions().await;
        }
        if count.is_multiple_of(SNAPSHOT) && self.world.frames.receiver_count() > 0 {
            self.tell_status().await;
        }
        if count.is_multiple_of(TOUCH)
            && let Err(error) = self.touch_tokens().await
        {
            tracing::warn!(%error, "The tokens' last use can't be written.");
        }
        if count.is_multiple_of(PURGE) {
            self.purge_discarded().await;
        }
    }

    /// Pushes to pages; nobody listening is no failure.
    fn tell(&self, frame: Frame) {
        let _ = self.world.frames.send(frame);
    }

    /// Pushes how the views grew, of the feed and of an opened recording.
    fn tell_views(&self) {
        let recording = self.world.runtime.recordings.open();
        for view in self.world.feed.tick().into_iter().chain(recording.iter().flat_map(|one| one.feed().tick())) {
            self.tell(Frame::View(view));
        }
    }

    /// Pushes how everything stands.
    async fn tell_status(&mut self) {
        match super::snapshot(&self.world, &mut self.rates).await {
            Ok(status) => {
                self.tell_grants(&status);
                self.tell(Frame::Status(Box::new(status)));
            }
            Err(error) => tracing::warn!(%error, "The status can't be read."),
        }
    }

    /// Clears away dead letters whose deletion can no longer be undone.
    async fn purge_discarded(&self) {
        let before = unix_millis(SystemTime::now()) - crate::letters::UNDO.as_millis() as i64;
        if let Err(error) = self.world.queue.purge_discarded(before).await {
            tracing::warn!(%error, "Discarded dead letters can't be cleared away.");
        }
    }

    /// Notes which tokens were used, by clients of embedded brokers and by relays that delivered, and has pages read their
    /// lists again.
    async fn touch_tokens(&mut self) -> Result<(), StoreError> {
        let now = unix_millis(SystemTime::now());
        let mut used: Vec<_> = self.world.runtime.accounts.take_used().into_iter().map(|id| (id, now)).collect();
        for relay in self.world.store.relays().await? {
            let delivered = self.world.runtime.meter(relay.id).ledger().0.delivered;
            let before = self.delivered.insert(relay.id, delivered);
            if before.is_some_and(|before| delivered > before) {
                used.extend([(relay.network_token_id, now), (relay.authorization_id, now)]);
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        self.world.store.touch_tokens(&used).await?;
        self.tell(Frame::Config);
        Ok(())
    }

    /// Has pages read their lists again when a broker answered to filters.
    fn tell_grants(&mut self, status: &StatusSnapshot) {
        let answered = |relay: &RelayStatus| {
            let session = self.world.runtime.relay(relay.id)?.handles.session;
            let count = session.borrow().grants.len();
            Some((relay.id, count))
        };
        let grants: Vec<_> = status.relays.iter().filter_map(answered).collect();
        if grants != self.grants {
            self.grants = grants;
            self.tell(Frame::Config);
        }
    }

    /// Pushes what changed about the inspector's sessions and publications.
    async fn tell_sessions(&mut self) {
        match inspect::sessions(&self.world.store, &self.world.runtime).await {
            Ok(sessions) if self.sessions != sessions => {
                self.sessions.clone_from(&sessions);
                self.tell(Frame::Sessions(sessions));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "The sessions can't be read."),
        }
        for job in self.world.runtime.sessions.changed_jobs() {
            self.tell(Frame::Publish(inspect::progress(&job)));
        }
        for replay in self.world.runtime.sessions.changed_replays() {
            self.tell(Frame::Replay(replay.progress()));
        }
    }

    /// Has the chart read what came.
    async fn follow_chart(&mut self) {
        let chart = self.world.runtime.chart.clone();
        if chart.is_empty() {
            return;
        }
        if let Err(error) = chart.renew(&self.world.store).await {
            tracing::warn!(%error, "The decoders can't be read.");
        }
        let feed = self.world.feed.clone();
        // Ended only with the process.
        let Ok(count) = tokio::task::spawn_blocking(move || chart.look(&feed)).await else { return };
        if count != self.charted {
            self.charted = count;
            self.tell(Frame::Chart(ChartFrame { count }));
        }
    }
}
