//! Message ids without asking the clock and the random numbers for each: version 7 of RFC 9562, ascending.

use relayscope_domain::id::MessageId;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Builder;

/// Makes the ids of one session.
pub(super) struct Ids {
    millis: u64,
    // Counts within the millisecond that the clock was asked for: 26 bits behind the time.
    count: u32,
    random: [u8; 6],
}

impl Ids {
    pub(super) fn new() -> Self {
        Self { millis: 0, count: 0, random: [0; 6] }
    }

    /// The clock was asked. It may have been set back; ids ascend all the same.
    pub(super) fn at(&mut self, now: SystemTime) {
        let millis = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        if millis > self.millis {
            self.millis = millis;
            self.count = 0;
            self.random = rand::random();
        }
    }

    pub(super) fn next(&mut self) -> MessageId {
        self.count += 1;
        if self.count >> 26 > 0 {
            self.count = 0;
            self.millis += 1;
        }
        let mut bytes = [0; 10];
        // 12 bits, then 6 behind the two bits of the variant, then 8; the builder sets version and variant.
        bytes[..2].copy_from_slice(&((self.count >> 14) as u16).to_be_bytes());
        bytes[2] = (self.count >> 8 & 0x3f) as u8;
        bytes[3] = self.count as u8;
        bytes[4..].copy_from_slice(&self.random);
        MessageId(Builder::from_unix_timestamp_millis(self.millis, &bytes).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn ids_ascend_also_when_the_clock_does_not() {
        let mut ids = Ids::new();
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut last = None;
        for (step, millis) in [5, 5, 3, 6].into_iter().enumerate() {
            ids.at(start + Duration::from_millis(millis));
            for _ in 0..70_000 {
                let id = ids.next().0;
                assert!(last < Some(id), "step {step}");
                assert_eq!(id.get_version_num(), 7);
                last = Some(id);
            }
        }
    }

    #[test]
    fn two_sessions_in_the_same_millisecond_differ() {
        let (mut one, mut other) = (Ids::new(), Ids::new());
        one.at(UNIX_EPOCH + Duration::from_secs(1));
        other.at(UNIX_EPOCH + Duration::from_secs(1));
        assert_ne!(one.next(), other.next());
    }
}
