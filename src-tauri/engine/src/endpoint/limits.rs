//! What the endpoint bears: requests a second of one source, and time.
//!
//! A source's pace is one atomic number (the generic cell rate algorithm), looked up once per connection: requests of
//! different connections never wait for each other. A [`Watch`] cuts whoever is slow with its headers or says nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

// Sources that are remembered; those without a connection leave first.
const SOURCES: usize = 4_096;
/// How long a connection may say nothing between two requests.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// The pace of one source.
pub(super) struct Pace {
    begun: Instant,
    // When the next request would be due at exactly the allowed rate, in nanoseconds since `begun`.
    due: AtomicU64,
    every: u64,
}

impl Pace {
    fn new(rate: u32) -> Self {
        Self { begun: Instant::now(), due: AtomicU64::new(0), every: 1_000_000_000 / u64::from(rate.max(1)) }
    }

    /// Takes one request, unless the source is more than a second's worth ahead.
    pub(super) fn take(&self) -> bool {
        self.take_at(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn take_at(&self, now: u64) -> bool {
        let ahead = 1_000_000_000_u64.max(self.every);
        let taken = self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| {
            let due = due.max(now);
            (due + self.every <= now + ahead).then_some(due + self.every)
        });
        taken.is_ok()
    }
}

/// The pace of every source.
pub(super) struct Paces {
    rate: u32,
    known: Mutex<HashMap<IpAddr, Arc<Pace>>>,
}

impl Paces {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate, known: Mutex::default() }
    }

    /// The pace of a source; once per connection.
    pub(super) fn of(&self, source: IpAddr) -> Arc<Pace> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SOURCES && !known.contains_key(&source) {
            // Whoever is connected keeps its pace; there are fewer connections than sources.
            known.retain(|_, pace| Arc::strong_count(pace) > 1);
        }
        known.entry(source).or_insert_with(|| Arc::new(Pace::new(self.rate))).clone()
    }
}

/// What a connection is doing, as far as time matters.
pub(super) struct Watch {
    begun: Instant,
    // A request is being answered: its own limits count.
    busy: AtomicBool,
    // Milliseconds since `begun`: when it fell silent, and when the first byte of a request came (0: none yet).
    silent_since: AtomicU64,
    request_since: AtomicU64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            busy: AtomicBool::new(false),
            silent_since: AtomicU64::new(0),
            request_since: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn bytes_came(&self) {
        if !self.busy.load(Ordering::Relaxed) && self.request_since.load(Ordering::Relaxed) == 0 {
            self.request_since.store(self.now().max(1), Ordering::Relaxed);
        }
    }

    /// The headers of a request are there.
    pub(super) fn request_begins(&self) {
        self.busy.store(true, Ordering::Relaxed);
    }

    /// Its answer is ready.
    pub(super) fn request_ends(&self) {
        self.request_since.store(0, Ordering::Relaxed);
        self.silent_since.store(self.now(), Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
    }

    /// Ends when the other side has taken too long with its headers, or said nothing for too long.
    pub(super) async fn too_slow(&self, patience: Duration) {
        loop {
            let now = self.now();
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let deadline = match (self.busy.load(Ordering::Relaxed), self.request_since.load(Ordering::Relaxed)) {
                (true, _) => now + millis(patience),
                (false, 0) => {
                    // The first request is waited for as long as headers are.
                    let silent = self.silent_since.load(Ordering::Relaxed);
                    silent + millis(if silent == 0 { patience } else { IDLE })
                }
                (false, since) => since + millis(patience),
            };
            if deadline <= now {
                return;
            }
            // A request may begin meanwhile: looked at again at least once per patience.
            tokio::time::sleep(Duration::from_millis((deadline - now).min(millis(patience)))).await;
        }
    }
}

/// A stream that tells its [`Watch`] of bytes that came.
pub(super) struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, watch: Arc<Watch>) -> Self {
        Self { stream, watch }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.watch.bytes_came();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gets_its_rate_and_a_second_in_advance() {
        const SECOND: u64 = 1_000_000_000;
        let pace = Pace::new(10);
        let taken = |at: u64| (0..100).filter(|_| pace.take_at(at)).count();
        assert_eq!(taken(0), 10);
        assert_eq!(taken(SECOND / 2), 5);
        assert_eq!(taken(60 * SECOND), 10, "no more is saved up");
    }

    #[test]
    fn sources_without_a_connection_are_forgotten() {
        let paces = Paces::new(1);
        let kept = paces.of(std::net::Ipv4Addr::LOCALHOST.into());
        assert!(kept.take());
        for number in 0..SOURCES as u32 * 2 {
            paces.of(std::net::Ipv4Addr::from(0x0a00_0000 + number).into());
        }
        assert!(paces.known.lock().unwrap_or_else(PoisonError::into_inner).len() <= SOURCES);
        assert!(!paces.of(std::net::Ipv4Addr::LOCALHOST.into()).take(), "who is connected keeps its pace");
    }
}
