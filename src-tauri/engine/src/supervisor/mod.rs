//! The reconciler: compares what is configured with what runs, and starts, stops or restarts units. Start-up, an edit, an
//! import and recovery after a fall are the same path.
//!
//! A unit that ends by itself is started again after a back-off with jitter; a changed one is first stopped to its end,
//! then started. One unit's fall never stops another. Units are all in one `JoinSet`, so nothing outlives the supervisor.

mod desired;
mod profiles;
mod units;

use crate::alarm;
use crate::api::wire::Frame;
use crate::feed::event::{Event, Kind};
use crate::runtime::{UnitKey, UnitStatus};
use crate::world::World;
use desired::{Desired, Plan};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
// A unit that ran this long fell for a new reason.
const STEADY: Duration = Duration::from_secs(60);

/// How a unit ended by itself.
#[derive(Debug)]
pub(crate) enum Ended {
    /// As asked.
    Stopped,
    /// To be started again.
    Fell(String),
    /// Only an edit can mend it.
    Failed(String),
}

struct Unit {
    plan: Plan,
    stop: CancellationToken,
    since: Instant,
    stopping: bool,
}

struct Backoff {
    until: Instant,
    wait: Duration,
    // A failed unit waits for another plan instead.
    failed: Option<Plan>,
}

/// The one supervisor of an engine.
pub(crate) struct Supervisor {
    world: World,
    stop: CancellationToken,
    // Runs nothing that is configured.
    idle: bool,
    units: HashMap<UnitKey, Unit>,
    tasks: JoinSet<Ended>,
    keys: HashMap<Id, UnitKey>,
    backoffs: HashMap<UnitKey, Backoff>,
}

impl Supervisor {
    /// A supervisor that runs nothing yet; `idle` runs nothing that is configured.
    pub(crate) fn new(world: World, stop: CancellationToken, idle: bool) -> Self {
        Self {
            world,
            stop,
            idle,
            units: HashMap::new(),
            tasks: JoinSet::new(),
            keys: HashMap::new(),
            backoffs: HashMap::new(),
        }
    }

    /// Reconciles until the engine stops; then stops everything in stages.
    pub(crate) async fn run(mut self) {
        let mut changes = self.world.store.changes();
        let runtime = self.world.runtime.clone();
        while !self.stop.is_cancelled() {
            changes.mark_unchanged();
            match desired::load(&self.world.store, &self.world.runtime).await {
                Ok(mut desired) => {
                    if self.idle {
                        desired.plans.retain(|key, _| *key == UnitKey::Janitor);
                    }
                    self.reconcile(desired);
                }
                Err(error) => {
                    tracing::error!(%error, "The configuration can't be read; what runs goes on.");
                    self.trouble(format!("The configuration can't be read: {error}"));
                }
            }
            let wake =
                self.backoffs.values().filter(|backoff| backoff.failed.is_none()).map(|backoff| backoff.until).min();
            tokio::select! {
                _ = changes.changed() => { let _ = self.world.frames.send(Frame::Config); }
                () = runtime.moved() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = alarm::until(wake) => {}
                // A missed signal heals.
                () = tokio::time::sleep(Duration::from_secs(30)) => {}
                () = self.stop.cancelled() => {}
            }
        }
        self.shut_down().await;
    }

    fn reconcile(&mut self, desired: Desired) {
        desired.apply_tables(&self.world.runtime);
        for key in self.world.runtime.take_restarts() {
            if let Some(unit) = self.units.get_mut(&key) {
                unit.stopping = true;
                unit.stop.cancel();
            }
            self.backoffs.remove(&key);
        }
        for (key, unit) in &mut self.units {
            if desired.plans.get(key) != Some(&unit.plan) && !unit.stopping {
                unit.stopping = true;
                unit.stop.cancel();
            }
        }
        self.backoffs.retain(|key, backoff| match (desired.plans.get(key), &backoff.failed) {
            (None, _) => false,
            (Some(plan), Some(failed)) => plan == failed,
            (Some(_), None) => true,
        });
        let now = Instant::now();
        for (key, plan) in desired.plans {
            let waits = self.backoffs.get(&key).is_some_and(|backoff| backoff.failed.is_some() || backoff.until > now);
            if !self.units.contains_key(&key) && !waits {
                self.begin(key, plan);
            }
        }
        self.world.runtime.retain(|key| self.units.contains_key(key) || self.backoffs.contains_key(key));
    }

    fn begin(&mut self, key: UnitKey, plan: Plan) {
        let stop = CancellationToken::new();
        self.world.runtime.set(key, UnitStatus::Starting);
        let task = self.tasks.spawn(units::run(self.world.clone(), key, plan.clone(), stop.clone()));
        self.keys.insert(task.id(), key);
        self.units.insert(key, Unit { plan, stop, since: Instant::now(), stopping: false });
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match ended {
            Ok(done) => done,
            Err(error) => (error.id(), Ended::Fell(format!("It fell: {error}"))),
        };
        let Some(key) = self.keys.remove(&id) else { return };
        let Some(unit) = self.units.remove(&key) else { return };
        self.world.runtime.gone(key);
        if unit.stopping {
            self.world.runtime.set(key, UnitStatus::Stopped);
            return;
        }
        let last = self.backoffs.get(&key).map(|backoff| backoff.wait).filter(|_| unit.since.elapsed() < STEADY);
        let wait = last.map_or(FIRST_BACKOFF, |last| (last * 2).min(LONGEST_BACKOFF));
        let jittered = wait.mul_f64(rand::random_range(0.8..1.2));
        let until = Instant::now() + jittered;
        let (status, text, failed) = match ended {
            Ended::Failed(reason) => (UnitStatus::Failed { reason: reason.clone() }, reason, Some(unit.plan)),
            Ended::Fell(reason) => {
                let until = SystemTime::now() + jittered;
                (UnitStatus::Backoff { until, reason: reason.clone() }, reason, None)
            }
            Ended::Stopped => {
                let reason = "It ended without being asked.".to_owned();
                (UnitStatus::Backoff { until: SystemTime::now() + jittered, reason: reason.clone() }, reason, None)
            }
        };
        tracing::warn!(unit = ?key, reason = %text, "A unit ended.");
        self.trouble(text);
        self.world.runtime.set(key, status);
        self.backoffs.insert(key, Backoff { until, wait, failed });
    }

    /// Relays, endpoints and the simulator end first: they still need brokers and the stand-in.
    async fn shut_down(mut self) {
        for last_stage in [false, true] {
            for (key, unit) in &mut self.units {
                if last_stage
                    || matches!(
                        key,
                        UnitKey::Relay(_) | UnitKey::Endpoint(_) | UnitKey::Session(_) | UnitKey::Simulator
                    )
                {
                    unit.stopping = true;
                    unit.stop.cancel();
                }
            }
            while self.units.values().any(|unit| unit.stopping) {
                match self.tasks.join_next_with_id().await {
                    Some(ended) => self.ended(ended),
                    None => return,
                }
            }
        }
    }

    /// Tells a failure in the feed.
    fn trouble(&self, text: String) {
        let source: Arc<str> = "Relayscope".into();
        self.world.feed.record(Event::now(&source, &source, None, Kind::Note { failure: true, text }));
    }
}
