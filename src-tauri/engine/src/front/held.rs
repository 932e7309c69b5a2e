//! Bytes of one direction that a fault makes come later. Without a fault it is empty and costs nothing.

use super::faults::Effect;
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// Bytes that are held; past it the side that sends waits.
const HELD: usize = 256 * 1024;
/// How soon a fault that was lifted is noticed.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Pieces a limited second is cut into.
const PIECES: u32 = 10;
/// Bytes of the smallest piece.
const PIECE: usize = 64;

/// What is held.
#[derive(Default)]
pub(super) struct Held {
    queue: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    // When the last byte that was taken will have passed at the limited rate.
    busy_until: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= HELD
    }

    /// Keeps bytes until their time.
    pub(super) fn put(&mut self, mut chunk: Bytes, now: Instant, effect: &Effect) {
        self.bytes += chunk.len();
        let due = now + effect.delay;
        let Some(rate) = effect.rate else {
            self.busy_until = None;
            return self.queue.push_back((due, chunk));
        };
        let piece = ((rate / PIECES) as usize).max(PIECE);
        while !chunk.is_empty() {
            let part = chunk.split_to(piece.min(chunk.len()));
            let begin = self.busy_until.map_or(due, |busy| busy.max(due));
            let passed = begin + Duration::from_secs_f64(part.len() as f64 / f64::from(rate));
            self.busy_until = Some(passed);
            self.queue.push_back((passed, part));
        }
    }

    /// Takes out what has its time now; `None` once there is nothing more, with a wake-up for the rest.
    pub(super) fn take(&mut self, cx: &mut Context<'_>, effect: &Effect) -> Option<Bytes> {
        loop {
            let (due, _) = self.queue.front()?;
            let now = Instant::now();
            let due = effect.stalled_until.map_or(*due, |until| until.max(*due));
            // Nothing is waited for once the fault is lifted.
            if due <= now || !effect.holds() {
                self.timer = None;
                let (_, bytes) = self.queue.pop_front()?;
                self.bytes -= bytes.len();
                return Some(bytes);
            }
            let wait = due.saturating_duration_since(now).min(LOOK_AGAIN);
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            if timer.as_mut().poll(cx) == Poll::Pending {
                return None;
            }
            self.timer = None;
            // The fault may have been lifted: the caller looks.
            if due > Instant::now() {
                cx.waker().wake_by_ref();
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    async fn next(held: &mut Held, effect: &Effect) -> Bytes {
        poll_fn(|cx| held.take(cx, effect).map_or(Poll::Pending, Poll::Ready)).await
    }

    #[tokio::test]
    async fn bytes_come_in_order_and_not_before_their_time() {
        let mut held = Held::default();
        let effect = Effect { delay: Duration::from_millis(120), ..Effect::default() };
        let begin = Instant::now();
        held.put(Bytes::from_static(b"one"), begin, &effect);
        held.put(Bytes::from_static(b"two"), begin, &effect);
        assert_eq!((next(&mut held, &effect).await, next(&mut held, &effect).await), ("one".into(), "two".into()));
        assert!(begin.elapsed() >= Duration::from_millis(120) && held.is_empty() && held.bytes == 0);
    }

    #[tokio::test]
    async fn a_limited_rate_lets_so_much_through_and_lifting_it_all() {
        let mut held = Held::default();
        let effect = Effect { rate: Some(1_000), ..Effect::default() };
        let begin = Instant::now();
        held.put(Bytes::from(vec![7; 1_000_000]), begin, &effect);
        assert!(held.is_full());
        assert_eq!(next(&mut held, &effect).await.len(), 100);
        assert!(begin.elapsed() >= Duration::from_millis(100));
        let rest = async {
            let mut sum = 100;
            while !held.is_empty() {
                sum += next(&mut held, &Effect::default()).await.len();
            }
            sum
        };
        assert_eq!(rest.await, 1_000_000);
    }
}
