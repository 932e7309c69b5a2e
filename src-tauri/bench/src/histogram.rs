//! Counts of durations in buckets of at most 1.6 % width: bounded however many there are.

const STEPS: u64 = 64;

/// Durations in nanoseconds.
#[derive(Clone, Default)]
pub struct Histogram {
    buckets: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    /// Counts one duration.
    pub fn add(&mut self, value: u64) {
        let at = bucket(value);
        if at >= self.buckets.len() {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    /// The duration that `share` (0 to 1) of all do not exceed, to the width of its bucket; 0 without any.
    pub fn at(&self, share: f64) -> u64 {
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut passed = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            passed += count;
            if passed >= wanted {
                return upper(at).min(self.max);
            }
        }
        self.max
    }

    /// The longest.
    pub fn max(&self) -> u64 {
        self.max
    }
}

fn bucket(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let shift = value.ilog2() - STEPS.ilog2();
    (u64::from(shift) * STEPS + (value >> shift)) as usize
}

/// The largest value of a bucket.
fn upper(at: usize) -> u64 {
    let at = at as u64;
    if at < STEPS {
        return at;
    }
    let shift = at / STEPS - 1;
    (((at % STEPS + STEPS) + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_true_to_two_percent() {
        let mut all = Histogram::default();
        for value in 1..=1_000_000_u64 {
            all.add(value);
        }
        for share in [0.01, 0.5, 0.99] {
            let (found, exact) = (all.at(share) as f64, share * 1e6);
            assert!((found / exact - 1.0).abs() < 0.02, "{share}: {found}");
        }
        assert_eq!(all.max(), 1_000_000);
    }

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..5_000).chain([1 << 40, u64::from(u32::MAX)]) {
            let at = bucket(value);
            assert!(value <= upper(at) && (at == 0 || value > upper(at - 1)), "{value}");
        }
    }
}
