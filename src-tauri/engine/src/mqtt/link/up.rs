//! An established connection: reads, answers what the protocol answers by itself, writes, and watches over keep-alive.

use super::super::dial::Stream;
use super::super::failure::Failure;
use super::super::words;
use super::connect::Established;
use super::framing::{Framer, Malformed};
use super::incoming::{Decoder, Incoming};
use super::lull::Lull;
use super::outgoing::Outgoing;
use super::{Limits, Polled, Taken};
use relayscope_domain::message::MqttVersion;
use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::io::poll_read_buf;

pub(super) struct Up {
    stream: Box<dyn Stream>,
    framer: Framer,
    decoder: Decoder,
    pub(super) out: Outgoing,
    // QoS 2 messages of ours that nobody subscribes to; PUBREC says it, PUBCOMP ends the exchange.
    unheard: HashSet<u16>,
    pulse: Option<Pulse>,
    // Told before what was read: it happened before.
    told: VecDeque<Polled>,
    // DISCONNECT is out: what still comes is read and thrown away until the broker closes. Closing with something unread
    // would reset the connection, and the broker might lose acknowledgements that are on their way.
    draining: bool,
    // Reads since something was written although something waits.
    unwritten_reads: u32,
    /// Nothing is read for now; what waits is written.
    pub(super) held: bool,
    // For whoever need not have each message at once.
    lull: Option<Lull>,
    rest: Option<Pin<Box<Sleep>>>,
    // The last read took all there was.
    emptied: bool,
}

// After so many reads what waits is written, however much more there is to read.
const PATIENT_READS: u32 = 8;

impl Up {
    pub(super) fn new(
        from: Established,
        version: MqttVersion,
        last_id: u16,
        unreleased: &[u16],
        unhurried: Option<u32>,
    ) -> Self {
        let v5 = version == MqttVersion::V5;
        let limits = from.limits.map_or_else(Limits::unknown, |limits| *limits);
        Self {
            stream: from.stream,
            framer: from.framer,
            decoder: Decoder::new(v5),
            out: Outgoing::new(v5, limits, last_id, unreleased),
            unheard: HashSet::new(),
            pulse: from.keep_alive.map(Pulse::new),
            told: VecDeque::new(),
            draining: false,
            unwritten_reads: 0,
            held: false,
            lull: unhurried.map(|rate| Lull::new(Instant::now().into(), rate)),
            rest: None,
            emptied: false,
        }
    }

    pub(super) fn left(&self) -> (u16, Vec<u16>) {
        self.out.left()
    }

    /// The next event that needs no waiting.
    pub(super) fn next(&mut self) -> Option<Result<Polled, Failure>> {
        if let Some(told) = self.told.pop_front() {
            return Some(Ok(told));
        }
        if self.draining || self.held {
            return None;
        }
        loop {
            let decoded = match self.framer.next() {
                Ok(None) => return None,
                Ok(Some(frame)) => {
                    if let Some(lull) = &mut self.lull {
                        lull.packet();
                    }
                    self.decoder.decode(frame)
                }
                Err(error) => Err(error),
            };
            match decoded {
                Ok(incoming) => {
                    if let Some(event) = self.answer(incoming) {
                        return Some(event);
                    }
                }
                Err(Malformed::TooLarge(size)) => return Some(Err(words::too_large(size))),
                Err(error) => return Some(Err(words::malformed(&error))),
            }
        }
    }

    fn answer(&mut self, incoming: Incoming) -> Option<Result<Polled, Failure>> {
        let event = match incoming {
            Incoming::Told(event) => event,
            Incoming::Settled(id, result) => {
                let unheard = self.unheard.remove(&id);
                let result = result.map(|taken| if unheard { Taken::Unheard } else { taken });
                self.out.settled(id).then_some(Polled::Published(id, result))?
            }
            Incoming::Received(id, result) => {
                if result == Ok(Taken::Unheard) {
                    self.unheard.insert(id);
                }
                self.out.received(id, result.is_err()).then_some(Polled::Published(id, result))?
            }
            Incoming::Release(id) => {
                // Also for one that is not known here: the broker waits for the answer either way.
                self.out.complete(id);
                Polled::Released(id)
            }
            Incoming::Answered(id, event) => {
                self.out.answered(id);
                event
            }
            // Whatever comes shows that the broker is there; the reading noted it.
            Incoming::Alive => return None,
            Incoming::Goodbye(code, text) => return Some(Err(words::disconnected_v5(code, text.as_deref()))),
        };
        Some(Ok(event))
    }

    /// Waits until something was read, or something is to be told. Can be dropped and called again.
    pub(super) async fn turn(&mut self) -> Result<(), Failure> {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if self.draining {
            return self.poll_end(cx).map(Ok);
        }
        if self.held {
            return self.poll_held(cx);
        }
        let read = match self.poll_read(cx) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(words::closed())),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(words::from_io(&error))),
            Poll::Ready(Ok(_)) => true,
            Poll::Pending => false,
        };
        if read {
            self.unwritten_reads += 1;
            if let Some(pulse) = &mut self.pulse {
                pulse.heard = true;
            }
        }
        let pause = !read || self.unwritten_reads >= PATIENT_READS;
        if pause
            && let Some(pulse) = &mut self.pulse
            && let Poll::Ready(Some(beat)) = pulse.poll_beat(cx)
        {
            match beat {
                Beat::Ping => self.out.ping(),
                Beat::Lost => return Poll::Ready(Err(words::no_ping())),
            }
        }
        if (pause || self.out.due())
            && let Err(failure) = self.write(cx)
        {
            return Poll::Ready(Err(failure));
        }
        if read || !self.told.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if std::mem::take(&mut self.emptied)
            && let Some(lull) = &mut self.lull
        {
            self.rest = lull.emptied(Instant::now().into()).map(|until| Box::pin(sleep_until(until.into())));
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        let room = self.framer.room();
        let read = poll_read_buf(Pin::new(&mut self.stream), cx, room);
        self.emptied = read.is_ready() && room.len() < room.capacity();
        read
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if let Some(pulse) = &mut self.pulse {
            // Silence is ours and not the broker's.
            pulse.heard = true;
            if let Poll::Ready(Some(Beat::Ping)) = pulse.poll_beat(cx) {
                self.out.ping();
            }
        }
        if let Err(failure) = self.write(cx) {
            return Poll::Ready(Err(failure));
        }
        if self.told.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// Ready when the broker has closed.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.framer.room().clear();
            match poll_read_buf(Pin::new(&mut self.stream), cx, self.framer.room()) {
                Poll::Ready(Ok(count)) if count > 0 => {}
                Poll::Ready(_) => {
                    self.told.push_back(Polled::Left);
                    return Poll::Ready(());
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.unwritten_reads = 0;
        let before = self.out.written();
        if let Poll::Ready(Err(error)) = self.out.poll_write(&mut *self.stream, cx) {
            return Err(words::from_io(&error));
        }
        if let Some(pulse) = &mut self.pulse {
            pulse.spoke |= self.out.written() > before;
        }
        let written = self.out.messages_written();
        if written > 0 {
            self.told.push_back(Polled::Written(written));
        }
        if self.out.left_cleanly() {
            self.draining = true;
            // The end of our stream goes out with it, or with the socket's.
            let _ = Pin::new(&mut *self.stream).poll_shutdown(cx);
            // Registers what comes next.
            let _ = self.poll_end(cx);
        }
        Ok(())
    }
}

/// Keep-alive (MQTT 5.0 section 3.1.2.10): looks twice per interval, asks unless both sides spoke since, and gives up
/// when nothing at all came for an interval after asking.
struct Pulse {
    half: Duration,
    beat: Pin<Box<Sleep>>,
    heard: bool,
    spoke: bool,
    // Beats since a PINGREQ after which nothing came.
    asked: u8,
}

enum Beat {
    Ping,
    Lost,
}

impl Pulse {
    fn new(interval: Duration) -> Self {
        let half = interval / 2;
        Self { half, beat: Box::pin(sleep(half)), heard: false, spoke: true, asked: 0 }
    }

    /// `Some` when there is something to do.
    fn poll_beat(&mut self, cx: &mut Context<'_>) -> Poll<Option<Beat>> {
        if self.beat.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.beat.as_mut().reset(Instant::now() + self.half);
        // Registers the next beat.
        let _ = self.beat.as_mut().poll(cx);
        let (heard, spoke) = (std::mem::take(&mut self.heard), std::mem::take(&mut self.spoke));
        if heard {
            self.asked = 0;
        }
        Poll::Ready(match self.asked {
            0 if heard && spoke => None,
            2.. => Some(Beat::Lost),
            _ => {
                self.asked += 1;
                Some(Beat::Ping)
            }
        })
    }
}
