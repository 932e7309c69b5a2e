//! A relay at work: uplink (receive, map, queue, acknowledge), worker (claim, deliver, settle), downlink.
//!
//! [`run`] is the whole unit: it starts its parts, and ends only when all of them have ended. It is told its
//! configuration once; an edit ends it and starts another. It knows nothing of the store, the supervisor or pages.

pub mod meter;

mod gate;
mod lanes;
mod settler;
mod uplink;
mod worker;

use crate::destination::tagoio::TagoIo;
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::mqtt::session::{self, Publication, SessionConfig, SessionState};
use crate::queue::{Queue, QueueError};
use meter::Meter;
use relayscope_domain::id::RelayId;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, watch};
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
    /// The queue.
    pub queue: Queue,
    /// Where events go.
    pub feed: Feed,
    /// Counters and state, kept by the supervisor across restarts.
    pub meter: Arc<Meter>,
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
}

/// What is reachable of a running relay.
#[derive(Clone)]
pub struct Handles {
    /// Messages to publish at its broker.
    pub publish: mpsc::Sender<Publication>,
    /// The session's state.
    pub session: watch::Receiver<SessionState>,
    // Sender: whoever puts messages into the relay's queue besides the uplink. Receiver: the worker. The same as `pushed`.
    /// Told when messages were put back into the relay's queue.
    pub requeued: Arc<Notify>,
}

/// Runs a relay until `stop` is cancelled: then intake ends, what was received is committed and acknowledged, requests
/// in flight end, and DISCONNECT is sent. `started` is told the handles.
pub async fn run(
    config: RelayConfig,
    stop: CancellationToken,
    started: impl FnOnce(Handles),
) -> Result<(), RelayError> {
    let RelayConfig { id, name, path, session, destination, queue, feed, meter } = config;
    meter.load(queue.ledger(id).await?, queue.count(id).await?);
    let mappings: Vec<Arc<str>> = session.filters.iter().map(|(filter, _)| filter.clone()).collect();
    let broker_name = session.broker.clone();
    let (outer, session_task) = session::open(session, stop.clone())?;
    // Sender: the uplink, after each commit. Receiver: the worker. A stored permit is enough: it reads all there is.
    let pushed = Arc::new(Notify::new());
    started(Handles { publish: outer.commands.clone(), session: outer.state.clone(), requeued: pushed.clone() });
    meter.attach(outer.state.clone(), outer.dropped.clone());

    let (settlements, settlements_out) = mpsc::channel(settler::CAPACITY);
    let mut parts: JoinSet<()> = JoinSet::new();
    parts.spawn(session_task);
    parts.spawn(
        uplink::Uplink {
            relay: id,
            name,
            broker: broker_name,
            mappings,
            arrivals: outer.arrivals,
            acks: outer.acks,
            backlog: outer.backlog,
            queue: queue.clone(),
            feed: feed.clone(),
            meter: meter.clone(),
            pushed: pushed.clone(),
        }
        .run(stop.clone()),
    );
    parts.spawn(settler::run(id, queue.clone(), meter.clone(), feed.clone(), path.clone(), settlements_out));
    parts.spawn(
        worker::Worker::new(id, path.clone(), destination, queue, feed.clone(), meter.clone(), pushed, settlements)
            .run(stop.clone()),
    );

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
