//! Bytes between a client and its broker: forwarded unchanged, both ways, before anybody looks at them.
//!
//! Beside the bytes walk only their packets' headers, for the counts and limits. A side that reads slowly makes the other
//! one wait; nothing but what was read at once is held, unless a limit says how much may wait for a client. Knows nothing
//! of sessions, topics and accounts.

use super::Way;
use super::events::Moment;
use super::framing::{Walked, Walker};
use super::gate::{self, Gate};
use super::goodbye::Goodbye;
use super::held::Held;
use super::limits::Excess;
use super::sight::{End, Sight, Stop};
use crate::mqtt::dial::Stream;
use bytes::{Buf, Bytes};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;

/// What is read at once, at most.
const READ: usize = 64 * 1024;
/// How long the other side may take to end after one side did.
const LINGER: Duration = Duration::from_secs(5);
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_millis(40);
/// How long what a cut client still sends is thrown away, so that it gets to read its goodbye.
const DRAIN: Duration = Duration::from_millis(250);

thread_local! {
    // One for each thread and not for each connection: an idle connection holds no buffer.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// One direction.
struct Lane {
    way: Way,
    walker: Walker,
    // Read and not written yet: at most one read, or as much as the limit for slow readers allows.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    // What a fault makes come later.
    held: Held,
    unflushed: bool,
    source_ended: bool,
    // Ends the wait for a sink that takes nothing after its source has ended.
    patience: Option<Pin<Box<Sleep>>>,
    stop: Option<Stop>,
    over: bool,
}

impl Lane {
    fn new(way: Way) -> Self {
        Self {
            way,
            walker: Walker::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            held: Held::default(),
            unflushed: false,
            source_ended: false,
            patience: None,
            stop: None,
            over: false,
        }
    }

    fn source(&self, error: Option<ErrorKind>) -> End {
        match self.way {
            Way::FromClient => End::Client(error),
            Way::ToClient => End::Broker(error),
        }
    }

    fn sink(&self, error: ErrorKind) -> End {
        match self.way {
            Way::FromClient => End::Broker(Some(error)),
            Way::ToClient => End::Client(Some(error)),
        }
    }

    /// Moves what can be moved; ready when this direction is over.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut dyn Stream,
        sink: &mut dyn Stream,
        sight: &mut Sight,
    ) -> Poll<End> {
        loop {
            if !self.held.is_empty() {
                let effect = sight.effect();
                while let Some(bytes) = self.held.take(cx, &effect) {
                    self.waiting_bytes += bytes.len();
                    self.waiting.push_back(bytes);
                }
            }
            if let Err(error) = self.write(cx, sink) {
                return Poll::Ready(self.sink(error));
            }
            let written = self.waiting.is_empty() && !self.unflushed && self.held.is_empty();
            if let Some(stop) = self.stop.filter(|_| written) {
                return Poll::Ready(stop.into());
            }
            if self.source_ended {
                if !written {
                    let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
                    std::task::ready!(patience.as_mut().poll(cx));
                }
                return Poll::Ready(self.source(None));
            }
            let slow = sight.limited().and_then(|meter| meter.limits().slow_reader_bytes);
            let queues = self.way == Way::ToClient && slow.is_some();
            if self.stop.is_some() || self.held.is_full() || !(self.waiting.is_empty() || queues) {
                return Poll::Pending;
            }
            match std::task::ready!(read(cx, source)) {
                Ok(chunk) if chunk.is_empty() => self.source_ended = true,
                Ok(chunk) => {
                    if let Err(excess) = self.take(cx, chunk, sink, sight) {
                        return Poll::Ready(End::Over(excess));
                    }
                }
                Err(error) => return Poll::Ready(self.source(Some(error))),
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, sink: &mut dyn Stream) -> Result<(), ErrorKind> {
        while let Some(first) = self.waiting.front_mut() {
            match Pin::new(&mut *sink).poll_write(cx, first) {
                Poll::Ready(Ok(0)) => return Err(ErrorKind::WriteZero),
                Poll::Ready(Ok(written)) => {
                    first.advance(written);
                    self.waiting_bytes -= written;
                    self.unflushed = true;
                    if first.is_empty() {
                        self.waiting.pop_front();
                    }
                }
                Poll::Ready(Err(error)) => return Err(error.kind()),
                Poll::Pending => return Ok(()),
            }
        }
        if self.unflushed {
            match Pin::new(sink).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(error.kind()),
                Poll::Pending => {}
            }
        }
        Ok(())
    }

    /// Forwards what was read, then shows it.
    fn take(
        &mut self,
        cx: &mut Context<'_>,
        mut chunk: Bytes,
        sink: &mut dyn Stream,
        sight: &mut Sight,
    ) -> Result<(), Excess> {
        let at: Moment = (SystemTime::now(), Instant::now());
        if let Some(eye) = &mut sight.eye {
            chunk = eye.thin(&sight.live, self.way, &self.walker, at, chunk);
        }
        let look = self.look(&chunk, sight);
        if !look.wrong_codes.is_empty() {
            chunk = gate::corrected(&chunk, &look.wrong_codes);
        }
        let mut shown = chunk.clone();
        if let Some(end) = look.walked.stopped {
            chunk.truncate(end);
        }
        if !look.unsaid {
            shown = chunk.clone();
        }
        self.stop = look.stop;
        self.source_ended |= self.way == Way::FromClient
            && sight.completes
            && sight.disconnected
            && (look.unsaid || self.walker.at_boundary());
        if shown.is_empty() {
            return Ok(());
        }
        sight.count(self.way, shown.len() as u64, at.1);
        self.put(chunk, at.1, sight);
        // What fails here fails again in a moment, where it is handled.
        let _ = self.write(cx, sink);
        if let Some(mirror) = &mut sight.mirror {
            mirror.show(self.way, at, &shown, look.walked, look.packets);
        }
        // What was read last is always held; the rest is what a slow reader left.
        match sight.limited() {
            Some(meter) if self.way == Way::ToClient && self.waiting.len() > 1 => meter.waiting(self.waiting_bytes),
            _ => Ok(()),
        }
    }

    /// Looks at the header of each packet that begins in what was read, up to one that may not pass.
    fn look(&mut self, chunk: &Bytes, sight: &mut Sight) -> Look {
        let way = self.way;
        let (mut packets, mut stop, mut last, mut unsaid) = (0, None, false, false);
        let mut wrong_codes = vec![];
        let walked = self.walker.walk_along(chunk, |header, body| {
            if last {
                return false;
            }
            if sight.completes && way == Way::FromClient {
                match gate::packet(sight.live.level(), header, chunk.get(body..body + header.remaining)) {
                    Gate::Passes => {}
                    Gate::WithWill => unsaid = true,
                    Gate::Faulty(fault) => {
                        stop = Some(Stop::Faulty(fault));
                        return false;
                    }
                }
            }
            packets += 1;
            match (way, header.kind()) {
                (Way::ToClient, 2) => sight.answered = true,
                (Way::ToClient, 11) if sight.completes && sight.live.level() == 5 => {
                    let answer = chunk.get(body..body + header.remaining).unwrap_or_default();
                    let wrong = gate::unsuback(answer, || sight.live.remarks().unsubscribed.pop_front());
                    wrong_codes.extend(wrong.into_iter().map(|at| body + at));
                }
                (_, 14) => {
                    sight.disconnected = true;
                    last = sight.completes;
                }
                _ => {}
            }
            stop = sight.passes(way, header).err().map(Stop::from);
            stop.is_none() && !unsaid
        });
        Look { walked, packets, stop, unsaid, wrong_codes }
    }

    /// Puts what is to be forwarded where it waits: for the sink, or for a fault's time.
    fn put(&mut self, chunk: Bytes, at: Instant, sight: &mut Sight) {
        if chunk.is_empty() {
            return;
        }
        let effect = sight.effect();
        if effect.holds() || !self.held.is_empty() {
            self.held.put(chunk, at, &effect);
        } else {
            self.waiting_bytes += chunk.len();
            self.waiting.push_back(chunk);
        }
    }
}

/// What a look at a chunk's packets found.
struct Look {
    walked: Walked,
    packets: u64,
    /// Why the last of them may not pass.
    stop: Option<Stop>,
    /// A DISCONNECT that asks for the will: it is shown and kept from the broker, which then publishes the will.
    unsaid: bool,
    /// Where reason codes of an UNSUBACK are wrong.
    wrong_codes: Vec<usize>,
}

/// Reads what there is; empty at the end.
fn read(cx: &mut Context<'_>, source: &mut dyn Stream) -> Poll<Result<Bytes, ErrorKind>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        let done = std::task::ready!(Pin::new(source).poll_read(cx, &mut buffer));
        Poll::Ready(done.map(|()| Bytes::copy_from_slice(buffer.filled())).map_err(|error| error.kind()))
    })
}

/// Both directions.
pub(super) struct Forward {
    client: Box<dyn Stream>,
    broker: Box<dyn Stream>,
    up: Lane,
    down: Lane,
    pub(super) sight: Sight,
}

impl Forward {
    /// Begins with the bytes that the client sent first.
    pub(super) fn new(client: Box<dyn Stream>, broker: Box<dyn Stream>, sight: Sight) -> Self {
        Self { client, broker, up: Lane::new(Way::FromClient), down: Lane::new(Way::ToClient), sight }
    }

    /// Sends what the client sent before the broker was there.
    pub(super) async fn begin(&mut self, first: Bytes) -> Result<(), End> {
        let Self { broker, up, sight, .. } = self;
        poll_fn(|cx| Poll::Ready(up.take(cx, first.clone(), &mut **broker, sight))).await.map_err(End::Over)
    }

    /// Forwards until both directions are over, or one is and the other does not follow. Returns how it began to end.
    pub(super) async fn run(&mut self) -> End {
        let live = self.sight.live.clone();
        tokio::select! {
            biased;
            goodbye = live.cut_wanted() => End::Cut(goodbye),
            end = self.lanes() => end,
        }
    }

    async fn lanes(&mut self) -> End {
        let first = poll_fn(|cx| self.poll_lanes(cx)).await;
        match &first {
            // Nobody is there to be told anything, or to be heard.
            End::Over(_) | End::Cut(_) => return first,
            End::Broker(_) if self.down.over => return first,
            End::Broker(_) | End::Client(_) => {}
        }
        // What the other side has on its way still arrives.
        let other = async {
            if self.up.over {
                let _ = self.broker.shutdown().await;
            }
            poll_fn(|cx| self.poll_lanes(cx)).await;
        };
        let _ = tokio::time::timeout(LINGER, other).await;
        first
    }

    fn poll_lanes(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Self { client, broker, up, down, sight } = self;
        if !up.over
            && let Poll::Ready(end) = up.poll(cx, &mut **client, &mut **broker, sight)
        {
            up.over = true;
            return Poll::Ready(end);
        }
        if !down.over
            && let Poll::Ready(end) = down.poll(cx, &mut **broker, &mut **client, sight)
        {
            down.over = true;
            return Poll::Ready(end);
        }
        Poll::Pending
    }

    /// Closes both sides; with a goodbye the client gets the packet its version has for it, if it can take one now.
    pub(super) async fn close(mut self, goodbye: Option<&Goodbye>) -> Sight {
        let packet = goodbye.map(|goodbye| goodbye.packet(self.sight.live.level(), self.sight.answered));
        let farewell = async {
            let Self { client, down, .. } = &mut self;
            poll_fn(|cx| match down.write(cx, &mut **client) {
                Ok(()) if !down.waiting.is_empty() => Poll::Pending,
                done => Poll::Ready(done),
            })
            .await?;
            if let Some(packet) = packet.filter(|packet| !packet.is_empty() && down.walker.at_boundary()) {
                client.write_all(&packet).await.map_err(|error| error.kind())?;
                client.flush().await.map_err(|error| error.kind())?;
            }
            client.shutdown().await.map_err(|error| error.kind())
        };
        let said = tokio::time::timeout(FAREWELL, farewell).await;
        let Self { client, broker, sight, .. } = self;
        drop(broker);
        if goodbye.is_some() && matches!(said, Ok(Ok(()))) {
            drain(client).await;
        }
        sight
    }
}

/// Reads and forgets until the other side closes: a socket with unread bytes is reset, and the goodbye would be lost.
pub(super) async fn drain(mut client: Box<dyn Stream>) {
    let rest = poll_fn(|cx| {
        loop {
            match std::task::ready!(read(cx, &mut *client)) {
                Ok(chunk) if !chunk.is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    });
    let _ = tokio::time::timeout(DRAIN, rest).await;
}
