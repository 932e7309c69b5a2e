//! Which messages a relay takes: what its filters mean, what its rule for retained messages says, and no downlink of its
//! own that comes back. It counts nothing and stores nothing.

use crate::mqtt::session::Received;
use crate::queue::{Queue, QueueError};
use relayscope_domain::delivery::Retained;
use relayscope_domain::id::RelayId;
use relayscope_domain::topic;
use siphasher::sip::SipHasher13;
use std::collections::{HashMap, HashSet};
use std::hash::Hasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

// Topics whose answer is remembered; beyond it all are forgotten and asked again.
const KNOWN: usize = 20_000;
// So long a downlink may take to come back.
const ECHO: Duration = Duration::from_secs(30);
const ECHOES: usize = 10_000;

/// What becomes of a message that came.
pub(super) enum Admission {
    /// It is relayed.
    Relay,
    /// It is left out, and why.
    LeaveOut(&'static str),
}

pub(super) struct Admit {
    relay: RelayId,
    queue: Queue,
    mappings: Vec<Arc<str>>,
    retained: Retained,
    echoes: Echoes,
    // Whether a filter matches, by topic.
    known: HashMap<Arc<str>, bool>,
    // Topics whose retained message was seen since the last SUBSCRIBE.
    repeated: HashSet<Arc<str>>,
    round: u32,
    // Digests not written yet are known here first.
    fresh: HashMap<Arc<str>, u64>,
}

impl Admit {
    pub(super) fn new(
        relay: RelayId,
        queue: Queue,
        mappings: Vec<Arc<str>>,
        retained: Retained,
        echoes: Echoes,
    ) -> Self {
        let (known, repeated, fresh) = (HashMap::new(), HashSet::new(), HashMap::new());
        Self { relay, queue, mappings, retained, echoes, known, repeated, round: 0, fresh }
    }

    /// Decides about a message; `digests` gets what is to be remembered of retained messages.
    pub(super) async fn admit(
        &mut self,
        received: &Received,
        digests: &mut Vec<(Arc<str>, u64)>,
    ) -> Result<Admission, QueueError> {
        if !self.is_wanted(&received.topic) {
            return Ok(Admission::LeaveOut("no mapping matches; left from an earlier subscription"));
        }
        if received.retain && self.leaves_out_retained(received, digests).await? {
            return Ok(Admission::LeaveOut(match self.retained {
                Retained::Skip => "retained, and the relay leaves retained messages out",
                _ => "retained, and it is the one that was seen last",
            }));
        }
        if self.echoes.came_back(&received.topic, &received.payload) {
            return Ok(Admission::LeaveOut("a downlink of this relay came back as an uplink: the loop was stopped"));
        }
        Ok(Admission::Relay)
    }

    fn is_wanted(&mut self, name: &Arc<str>) -> bool {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        let wanted = self.mappings.iter().any(|filter| topic::matches(filter, name));
        self.known.insert(name.clone(), wanted);
        wanted
    }

    async fn leaves_out_retained(
        &mut self,
        received: &Received,
        digests: &mut Vec<(Arc<str>, u64)>,
    ) -> Result<bool, QueueError> {
        match self.retained {
            Retained::Forward => Ok(false),
            Retained::Skip => Ok(self.is_repetition(received)),
            Retained::Newer => {
                let found = digest(&received.topic, &received.payload);
                let last = match self.fresh.get(&received.topic) {
                    Some(last) => Some(*last),
                    None => self.queue.last_retained(self.relay, &received.topic).await?,
                };
                let repetition = self.is_repetition(received);
                if last != Some(found) {
                    self.fresh.insert(received.topic.clone(), found);
                    digests.push((received.topic.clone(), found));
                }
                Ok(repetition && last == Some(found))
            }
        }
    }

    /// Whether it is the broker's repetition upon subscribing: the first of its topic since. Later ones are new, with a
    /// flag that the broker kept (MQTT 5, Retain As Published).
    fn is_repetition(&mut self, received: &Received) -> bool {
        if self.round != received.round {
            self.round = received.round;
            self.repeated.clear();
        }
        self.repeated.insert(received.topic.clone())
    }

    /// What was handed out as a digest is on disk.
    pub(super) fn remembered(&mut self, digests: &[(Arc<str>, u64)]) {
        for (topic, digest) in digests {
            if self.fresh.get(topic) == Some(digest) {
                self.fresh.remove(topic);
            }
        }
    }
}

/// It stands on disk, so nothing may change it: neither another version of Rust nor another machine.
fn digest(topic: &str, payload: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(topic.as_bytes());
    // No byte of a text: where the topic ends.
    hasher.write(&[0xff]);
    hasher.write(&(payload.len() as u64).to_le_bytes());
    hasher.write(payload);
    hasher.finish()
}

/// Downlinks that may come back, because a filter of their relay matches them.
#[derive(Clone)]
pub(super) struct Echoes(Option<Arc<Guard>>);

struct Guard {
    mappings: Vec<Arc<str>>,
    // How often each went out, by digest, and when last.
    sent: Mutex<HashMap<u64, (u32, Instant)>>,
}

impl Echoes {
    /// With `guarded` downlinks that a mapping matches are remembered for half a minute.
    pub(super) fn new(guarded: bool, mappings: &[Arc<str>]) -> Self {
        Self(guarded.then(|| Arc::new(Guard { mappings: mappings.to_vec(), sent: Mutex::default() })))
    }

    /// Notes a downlink that goes out.
    pub(super) fn note(&self, name: &str, payload: &[u8]) {
        let Some(guard) = &self.0 else { return };
        if !guard.mappings.iter().any(|filter| topic::matches(filter, name)) {
            return;
        }
        let mut seen = guard.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ECHOES {
            seen.retain(|_, (_, at)| at.elapsed() < ECHO);
        }
        if seen.len() < ECHOES {
            let entry = seen.entry(digest(name, payload)).or_insert((0, Instant::now()));
            *entry = (entry.0 + 1, Instant::now());
        }
    }

    fn came_back(&self, topic: &str, payload: &[u8]) -> bool {
        let Some(guard) = &self.0 else { return false };
        let mut seen = guard.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_empty() {
            return false;
        }
        let key = digest(topic, payload);
        let Some((count, at)) = seen.get_mut(&key) else { return false };
        let is_echo = at.elapsed() < ECHO;
        *count -= 1;
        if *count == 0 || !is_echo {
            seen.remove(&key);
        }
        is_echo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_on_disk_stays_what_it_is() {
        assert_eq!(digest("plant/1", b"21.5"), 0x9a40_fcf5_a7c4_af8e);
        assert_eq!(digest("", b""), 0x8c2c_67c2_7dc5_5de3);
    }
}
