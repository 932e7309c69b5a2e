//! A relay at work: one loop between a session with its broker, the queue, and the connections to its destination.
//!
//! [`run`] is the whole unit: it starts its parts, and ends only when all of them have ended. It is told its
//! configuration once; an edit ends it and starts another. It knows nothing of the store, the supervisor or pages.
//!
//! `pump` is the loop and what it owns; `deliver` and `disk` and `upkeep` are its halves: sending, storing, and what is
//! done now and then. The others are pure: `intake` (what is not acknowledged yet), `lanes` (who is next), `gate`, `pace`
//! and `concurrency` (when, and how many at once), `profile` (the minute that relays share); `admit` decides what is
//! relayed at all.

pub mod meter;
pub mod profile;

mod admit;
mod concurrency;
mod deliver;
mod disk;
mod gate;
mod intake;
mod lanes;
mod lines;
mod pace;
mod pump;
mod upkeep;

use crate::destination::tagoio::TagoIo;
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::mqtt::session::{self, Publication, SessionConfig, SessionState};
use crate::queue::{Queue, QueueError};
use admit::{Admit, Echoes};
use meter::Meter;
use profile::{Profile, Share};
use pump::{Inputs, Pump, Ties};
use relayscope_domain::delivery::Rules;
use relayscope_domain::id::RelayId;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What a relay needs to run.
pub struct RelayConfig {
    /// Which.
    pub id: RelayId,
    /// Its name.
    pub name: Arc<str>,
    /// In words, for events: `Plant → TagoIO us-e1`.
    pub path: Arc<str>,
    /// The session with the source broker.
    pub session: SessionConfig,
    /// Where it delivers to.
    pub destination: TagoIo,
    /// How.
    pub rules: Rules,
    /// The queue.
    pub queue: Queue,
    /// Where events go.
    pub feed: Feed,
    /// Counters and state, kept by the supervisor across restarts.
    pub meter: Arc<Meter>,
    /// The minute that it shares with the relays of the same profile.
    pub profile: Arc<Profile>,
}

/// Why a relay ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The TLS settings can't be used.
    #[error("{0}")]
    Tls(#[from] crate::mqtt::tls::TlsError),
    /// The queue can't be read.
    #[error("{0}")]
    Queue(#[from] QueueError),
    /// A part fell.
    #[error("failed to keep the relay running: {0}")]
    Part(#[from] tokio::task::JoinError),
    /// Its thread can't be made.
    #[error("failed to start the relay's thread")]
    Thread(#[source] std::io::Error),
    /// Its thread fell.
    #[error("failed to keep the relay running: its thread ended")]
    Fell,
}

/// What is reachable of a running relay.
#[derive(Clone)]
pub struct Handles {
    publish: mpsc::Sender<Publication>,
    echoes: Echoes,
    /// The session's state.
    pub session: watch::Receiver<SessionState>,
    /// To be told when entries were put into its queue again.
    pub requeued: Arc<Notify>,
}

impl Handles {
    /// Whether the session behind them has ended.
    pub fn is_closed(&self) -> bool {
        self.publish.is_closed()
    }

    /// Hands a downlink to the session; gives it back when the session takes none.
    pub fn publish(&self, publication: Publication) -> Result<(), Publication> {
        let Ok(room) = self.publish.try_reserve() else { return Err(publication) };
        self.echoes.note(&publication.topic, &publication.payload);
        room.send(publication);
        Ok(())
    }
}

/// Runs a relay until `stop` is cancelled: then intake ends, what was received is committed and acknowledged, requests
/// in flight end, and DISCONNECT is sent. `started` is told the handles. Dropped, it ends at once.
///
/// A relay has a thread of its own: its parts hand each message on several times, and waking another thread costs more
/// than all the work.
pub async fn run(
    config: RelayConfig,
    stop: CancellationToken,
    started: impl FnOnce(Handles) + Send + 'static,
) -> Result<(), RelayError> {
    let (ended, end) = oneshot::channel();
    let dropped = CancellationToken::new();
    let _guard = dropped.clone().drop_guard();
    let name = format!("relay {}", config.name);
    let body = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    result = work(config, stop, started) => result,
                    () = dropped.cancelled() => Ok(()),
                }
            }),
            Err(error) => Err(RelayError::Thread(error)),
        };
        // Nobody waits any more when the unit was dropped.
        let _ = ended.send(result);
    };
    std::thread::Builder::new().name(name).spawn(body).map_err(RelayError::Thread)?;
    end.await.unwrap_or(Err(RelayError::Fell))
}

async fn work(config: RelayConfig, stop: CancellationToken, started: impl FnOnce(Handles)) -> Result<(), RelayError> {
    let RelayConfig { id, name, path, session, destination, rules, queue, feed, meter, profile } = config;
    meter.load(queue.ledger(id).await?, queue.count(id).await?, queue.bytes(id).await?);
    let mappings: Vec<Arc<str>> = session.filters.iter().map(|(filter, _)| filter.clone()).collect();
    let broker = session.broker.clone();
    let (outer, session_task) = session::open(session, stop.clone())?;
    let requeued = Arc::new(Notify::new());
    let echoes = Echoes::new(rules.loop_guard, &mappings);
    started(Handles {
        publish: outer.commands.clone(),
        echoes: echoes.clone(),
        session: outer.state.clone(),
        requeued: requeued.clone(),
    });
    meter.attach(outer.state.clone(), outer.dropped.clone(), outer.oversized.clone());

    let admit = Admit::new(id, queue.clone(), mappings, rules.retained, echoes);
    let share = Share::join(profile, id, &rules, Instant::now());
    let ties = Ties {
        relay: id,
        name,
        broker,
        path: path.clone(),
        rules,
        destination,
        queue,
        feed: feed.clone(),
        meter,
        share,
        admit,
        backlog: outer.backlog,
    };
    let (pump, answers) = Pump::new(ties, outer.acks);
    let inputs = Inputs { arrivals: outer.arrivals, answers, requeued };
    let mut parts: JoinSet<()> = JoinSet::new();
    parts.spawn(session_task);
    parts.spawn(pump.run(inputs, stop.clone()));

    let mut result = Ok(());
    while let Some(part) = parts.join_next().await {
        if let Err(error) = part {
            // A part that panicked ends the unit in order; the supervisor starts it again.
            feed.record(Event::now(
                &path,
                &path,
                None,
                Kind::Note { failure: true, text: format!("A part of the relay fell: {error}") },
            ));
            stop.cancel();
            result = Err(error.into());
        }
    }
    result
}
