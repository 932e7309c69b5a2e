//! What TagoIO said of tokens, for a short while: under the hash of the token, never the token itself.

use crate::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a yes counts.
const YES: Duration = Duration::from_secs(30);
/// How long a no counts: a token may have been made a moment ago.
const NO: Duration = Duration::from_secs(5);
/// Most tokens that are remembered.
const ENTRIES: usize = 4_096;

/// Answers by token.
pub(super) struct Answers<T>(Mutex<HashMap<Fingerprint, (Instant, Option<T>)>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Answers<T> {
    /// What is known of a token: nothing, or the answer.
    pub(super) fn get(&self, token: &Fingerprint) -> Option<Option<T>> {
        self.get_at(token, Instant::now())
    }

    fn get_at(&self, token: &Fingerprint, now: Instant) -> Option<Option<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).filter(|(until, _)| *until > now).map(|(_, answer)| answer.clone())
    }

    /// Remembers an answer.
    pub(super) fn put(&self, token: Fingerprint, answer: Option<T>) {
        self.put_at(token, answer, Instant::now());
    }

    fn put_at(&self, token: Fingerprint, answer: Option<T>, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ENTRIES {
            known.retain(|_, (until, _)| *until > now);
        }
        if known.len() >= ENTRIES {
            // A flood of wrong tokens: what was allowed is asked about again.
            known.clear();
        }
        let life = if answer.is_some() { YES } else { NO };
        known.insert(token, (now + life, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_live_shortly_and_are_bounded() {
        let answers = Answers::<u8>::default();
        let now = Instant::now();
        let (good, bad) = (Fingerprint::of(b"good"), Fingerprint::of(b"bad"));
        answers.put_at(good, Some(1), now);
        answers.put_at(bad, None, now);
        let after = |seconds| now + Duration::from_secs(seconds);
        assert_eq!((answers.get_at(&good, now), answers.get_at(&bad, now)), (Some(Some(1)), Some(None)));
        assert_eq!((answers.get_at(&good, after(6)), answers.get_at(&bad, after(6))), (Some(Some(1)), None));
        assert_eq!(answers.get_at(&good, after(31)), None);
        for number in 0..ENTRIES * 2 {
            answers.put_at(Fingerprint::of(&number.to_le_bytes()), None, now);
        }
        assert!(answers.0.lock().unwrap_or_else(PoisonError::into_inner).len() <= ENTRIES);
    }
}
