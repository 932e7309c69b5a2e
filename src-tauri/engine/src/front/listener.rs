//! Accepts connections and leads each through its life: opening, forwarding, end. Every task of a front is in here.

use super::connection::{Forward, drain};
use super::events::{Ending, Missed, Story};
use super::faults::{Eye, Faults};
use super::gate;
use super::goodbye::Goodbye;
use super::limits::{Meter, Turns};
use super::mirror::{Backlog, mirror};
use super::opening::{First, Listen, first};
use super::sight::{End, Sight};
use super::table::{Connections, Live};
use super::target::Target;
use super::{Policy, words};
use crate::feed::Feed;
use crate::feed::event::Kind;
use crate::mqtt::dial::Stream;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections of a front that may be opening at the same time.
const OPENING: usize = 1_024;
/// After a failed accept, mostly for too many open files: some will be closed.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a broker that closed a connection is given to say why.
const REASON: Duration = Duration::from_millis(20);
/// How long the connections of a front that ends may take.
const GRACE: Duration = Duration::from_secs(3);

/// What the tasks of a front share.
pub(super) struct Shared {
    pub(super) source: Arc<str>,
    pub(super) feed: Feed,
    pub(super) listen: Listen,
    pub(super) words: Arc<str>,
    pub(super) address: SocketAddr,
    pub(super) target: Target,
    pub(super) meter: Arc<Meter>,
    pub(super) policy: Policy,
    pub(super) connections: Connections,
    pub(super) faults: Option<Faults>,
    pub(super) opening: AtomicUsize,
    pub(super) turns: Turns,
    pub(super) backlog: Backlog,
    pub(super) stop: CancellationToken,
    pub(super) farewell: std::sync::OnceLock<Goodbye>,
}

/// Counts one more for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> (Self, usize) {
        let before = count.fetch_add(1, Ordering::Relaxed);
        (Self(count), before)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts until the front stops, then waits for its connections.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    tasks.spawn(connection(socket, peer, shared.clone()));
                }
                Err(error) => {
                    tracing::debug!(%error, "A connection was not accepted.");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
            () = shared.stop.cancelled() => break,
        }
    }
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, ended).await;
    tasks.shutdown().await;
}

/// Removes a connection from the table whatever becomes of its task.
struct Listed<'a>(&'a Connections, &'a Live);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

async fn connection(socket: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let live = Arc::new(Live::new(peer, shared.words.clone()));
    let open = shared.meter.opens();
    let (source, meter) = (shared.source.clone(), shared.meter.clone());
    let story = Story::new(shared.feed.clone(), source, live.clone(), meter, shared.policy.pings);
    story.tell(live.at, Kind::Accepted { listener: shared.words.clone() });
    let (mut story, ending) = {
        shared.connections.add(&live);
        let _listed = Listed(&shared.connections, &live);
        talk(socket, story, &live, &shared, open.others).await
    };
    story.finish(ending);
}

fn ending(cause: impl Into<String>, goodbye: Option<Goodbye>) -> Ending {
    let at = (SystemTime::now(), Instant::now());
    Ending { at, cause: cause.into(), goodbye, excess: None, missed: Missed::default() }
}

async fn talk(
    socket: TcpStream,
    story: Story,
    live: &Arc<Live>,
    shared: &Arc<Shared>,
    others: usize,
) -> (Story, Ending) {
    let opened = {
        let (_opening, before) = Counted::new(&shared.opening);
        if before >= OPENING {
            shared.turns.refused();
            return (story, ending("closed by Relayscope: too many connections were opening", None));
        }
        let patience = Duration::from_secs(shared.meter.limits().first_packet_seconds.into());
        let opening = tokio::time::timeout(patience, open(socket, &story, shared));
        tokio::select! {
            opened = opening => opened.unwrap_or_else(|_| {
                shared.turns.refused();
                Err(format!("closed by Relayscope: no packet came within {} s", patience.as_secs()))
            }),
            goodbye = wanted(live, shared) => Err(goodbye.words.into_owned()),
        }
    };
    let (client, first) = match opened {
        Ok(opened) => opened,
        Err(cause) => return (story, ending(cause, None)),
    };
    live.set_level(first.level.unwrap_or_default());
    if let Err(excess) = shared.meter.connect(others) {
        shared.turns.refused();
        let goodbye = Goodbye::over(&excess);
        let (story, ending) = turn_away(client, &first, story, shared, goodbye).await;
        return (story, Ending { excess: Some(excess), ..ending });
    }
    let faulty = gate::connect(&first.bytes).filter(|_| shared.policy.completes).map(Goodbye::from);
    let refusal = || shared.faults.as_ref().and_then(|faults| faults.refusal(&first.bytes));
    if let Some(goodbye) = faulty.or_else(refusal) {
        return turn_away(client, &first, story, shared, goodbye).await;
    }
    let broker = tokio::select! {
        broker = shared.target.open(live.peer, shared.address) => broker,
        goodbye = wanted(live, shared) => Err(goodbye.words.into_owned()),
    };
    match broker {
        Ok(broker) => forward(client, broker, first, story, live, shared).await,
        Err(why) => turn_away(client, &first, story, shared, Goodbye::new(0x88, why)).await,
    }
}

async fn turn_away(
    client: Box<dyn Stream>,
    first: &First,
    story: Story,
    shared: &Shared,
    goodbye: Goodbye,
) -> (Story, Ending) {
    let story = watch(story, first, shared).await;
    dismiss(client, first.level, &goodbye).await;
    (story, ending("closed by Relayscope", Some(goodbye)))
}

/// Waits until somebody wants the connection's end, or the front's.
async fn wanted(live: &Live, shared: &Shared) -> Goodbye {
    tokio::select! {
        goodbye = live.cut_wanted() => goodbye,
        () = shared.stop.cancelled() => {
            shared.farewell.get().cloned().unwrap_or_else(|| Goodbye::stopped("the listener was stopped"))
        }
    }
}

async fn open(socket: TcpStream, story: &Story, shared: &Shared) -> Result<(Box<dyn Stream>, First), String> {
    let mut client = shared.listen.undress(socket, story).await?;
    match first(&mut *client).await {
        Ok(Some(first)) => Ok((client, first)),
        Ok(None) => Err("closed by the client before its first packet".to_owned()),
        Err(error) => Err(words::broken("the client", error)),
    }
}

/// Reads the first packet of a client that gets no broker.
async fn watch(story: Story, first: &First, shared: &Shared) -> Story {
    let (mut mirror, reader) = mirror(shared.backlog.clone());
    let mut walker = super::framing::Walker::default();
    let mut packets = 0;
    let walked = walker.walk(&first.bytes, |_| {
        packets += 1;
        true
    });
    mirror.show(super::Way::FromClient, (SystemTime::now(), Instant::now()), &first.bytes, walked, packets);
    drop(mirror);
    reader.read(story, shared.policy.keep).await
}

async fn dismiss(mut client: Box<dyn Stream>, level: Option<u8>, goodbye: &Goodbye) {
    let packet = level.map(|level| goodbye.packet(level, false)).unwrap_or_default();
    if client.write_all(&packet).await.is_ok() && client.flush().await.is_ok() {
        let _ = client.shutdown().await;
        drain(client).await;
    }
}

async fn forward(
    client: Box<dyn Stream>,
    broker: Box<dyn Stream>,
    first: First,
    story: Story,
    live: &Arc<Live>,
    shared: &Arc<Shared>,
) -> (Story, Ending) {
    let mut parts = JoinSet::new();
    let (mirror, kept) = if shared.policy.parse {
        let (mirror, reader) = mirror(shared.backlog.clone());
        parts.spawn(reader.read(story, shared.policy.keep));
        (Some(mirror), None)
    } else {
        (None, Some(story))
    };
    let sight = Sight {
        live: live.clone(),
        meter: shared.meter.clone(),
        mirror,
        heard: Instant::now(),
        answered: false,
        disconnected: false,
        completes: shared.policy.completes,
        eye: shared
            .faults
            .clone()
            .map(|faults| Eye::new(faults, shared.feed.clone(), shared.source.clone(), &first.bytes)),
    };
    let mut forward = Forward::new(client, broker, sight);
    let end = match forward.begin(first.bytes).await {
        Ok(()) => tokio::select! {
            end = forward.run() => end,
            () = shared.stop.cancelled() => End::Cut(wanted(live, shared).await),
        },
        Err(end) => end,
    };
    if end.is_over_limit() {
        shared.turns.cut();
    }
    // A client that went hears nothing, and a stranger's broker is not spoken for.
    let ours = match &end {
        End::Client(_) => false,
        End::Broker(_) => shared.policy.completes,
        End::Over(_) | End::Cut(_) => true,
    };
    let mut ending = explain(end, &forward.sight, live, shared).await;
    ending.at = (SystemTime::now(), Instant::now());
    let told = ending.goodbye.as_ref().filter(|goodbye| ours && !goodbye.silent && !forward.sight.disconnected);
    let sight = forward.close(told).await;
    ending.missed = sight.mirror.as_ref().map(super::mirror::Mirror::left_out).unwrap_or_default();
    // Ends the reader.
    drop(sight);
    let story = match kept {
        Some(story) => Some(story),
        None => parts.join_next().await.and_then(Result::ok),
    };
    let fresh = || {
        let (source, meter) = (shared.source.clone(), shared.meter.clone());
        Story::new(shared.feed.clone(), source, live.clone(), meter, shared.policy.pings)
    };
    (story.unwrap_or_else(fresh), ending)
}

/// How the end is told.
async fn explain(end: End, sight: &Sight, live: &Live, shared: &Shared) -> Ending {
    match end {
        End::Over(excess) => {
            Ending { excess: Some(excess), ..ending("closed by Relayscope", Some(Goodbye::over(&excess))) }
        }
        End::Cut(goodbye) => ending("closed by Relayscope", Some(goodbye)),
        End::Client(None) => ending("closed by the client", Some(Goodbye::new(0, words::NO_GOODBYE))),
        End::Client(Some(error)) => ending(words::broken("the client", error), None),
        End::Broker(error) => {
            let cause =
                error.map_or_else(|| "closed by the broker".to_owned(), |error| words::broken("the broker", error));
            let keep_alive = live.known().keep_alive;
            let late = words::keep_alive_passed(sight.heard.elapsed(), keep_alive);
            let why = match late {
                Some(words) => Some(Goodbye::new(0x8d, words)),
                // Nothing is to be explained to somebody who said goodbye.
                None if shared.policy.completes && !sight.disconnected => {
                    tokio::time::timeout(REASON, live.explanation()).await.ok()
                }
                None => None,
            };
            ending(cause, why)
        }
    }
}
