//! A measured value over time: its points in order and bounded, thinned without losing a spike, and what of them is drawn.
//!
//! Times are Unix microseconds. Steps are powers of two, so that the spans of a coarse step are made of those of a finer
//! one: what was thinned gives the same least and greatest value of every span that is not finer. This module knows
//! neither events nor payloads, nor what draws.

mod scale;
#[cfg(test)]
mod tests;

pub use scale::scales;

use std::collections::VecDeque;

/// Points that a track keeps at most; past it the older half is thinned.
pub const MOST: usize = 40_000;

/// An interval is no gap when it is shorter, in microseconds.
const SHORTEST_GAP: i64 = 2_000_000;

/// Intervals before one that tell whether it is a gap.
const USUAL: usize = 16;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Unix microseconds.
    pub at: i64,
    /// The value; finite.
    pub value: f64,
}

/// A point to draw; without a value, the line is interrupted there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// Unix microseconds.
    pub at: i64,
    /// The value.
    pub value: Option<f64>,
}

/// The step that divides a length of time into at most `spans`, and into more than half as many.
pub fn step(length: i64, spans: u32) -> i64 {
    let each = (length.max(1) as u64).div_ceil(u64::from(spans.max(1)));
    each.checked_next_power_of_two().map_or(1 << 62, |step| step.min(1 << 62) as i64)
}

/// The points of one value, oldest first.
#[derive(Clone, Debug)]
pub struct Track {
    points: VecDeque<Point>,
    most: usize,
    // The step that points before `thinned` were reduced by.
    grain: i64,
    thinned: i64,
    range: Option<(f64, f64)>,
    count: u64,
}

impl Default for Track {
    fn default() -> Self {
        Self::bounded(MOST)
    }
}

impl Track {
    /// A track that keeps at most so many points.
    fn bounded(most: usize) -> Self {
        Self { points: VecDeque::new(), most, grain: 0, thinned: 0, range: None, count: 0 }
    }

    /// Takes a point in, at its place in time. Whether it came out of order.
    pub fn add(&mut self, point: Point) -> bool {
        self.count += 1;
        let (least, greatest) = self.range.unwrap_or((point.value, point.value));
        self.range = Some((least.min(point.value), greatest.max(point.value)));
        let late = self.points.back().is_some_and(|last| last.at > point.at);
        if late {
            let place = self.points.partition_point(|other| other.at <= point.at);
            self.points.insert(place, point);
        } else {
            self.points.push_back(point);
        }
        if self.points.len() > self.most {
            self.thin();
        }
        late
    }

    /// Reduces the older half to half as many points at most.
    fn thin(&mut self) {
        let half = self.points.len() / 2;
        let old: Vec<Point> = self.points.drain(..half).collect();
        let (Some(first), Some(last)) = (old.first(), old.last()) else { return };
        let mut grain = step(last.at.saturating_sub(first.at), (half / 2) as u32).max(self.grain);
        let mut kept = reduced(&old, grain);
        // Two points for each step at most.
        while kept.len() > half / 2 && grain < 1 << 61 {
            grain *= 2;
            kept = reduced(&kept, grain);
        }
        self.grain = grain;
        self.thinned = last.at;
        for point in kept.into_iter().rev() {
            self.points.push_front(point);
        }
    }

    /// The newest point.
    pub fn last(&self) -> Option<Point> {
        self.points.back().copied()
    }

    /// The oldest point.
    pub fn first(&self) -> Option<Point> {
        self.points.front().copied()
    }

    /// The least and the greatest value of all that came.
    pub fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// How many points came.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The points that are kept from `from` to before `until`.
    pub fn points(&self, from: i64, until: i64) -> impl Iterator<Item = Point> + Clone {
        let begin = self.points.partition_point(|point| point.at < from);
        let end = self.points.partition_point(|point| point.at < until).max(begin);
        self.points.range(begin..end).copied()
    }

    /// The least and the greatest value from `from` to before `until`.
    pub fn range_of(&self, from: i64, until: i64) -> Option<(f64, f64)> {
        self.points(from, until).fold(None, |range, point| {
            let (least, greatest) = range.unwrap_or((point.value, point.value));
            Some((least.min(point.value), greatest.max(point.value)))
        })
    }

    /// What is drawn from `from` to before `until`: of every span of `step` the least and the greatest value, each where
    /// it stood; gaps; and one point on either side, so that lines reach the edges.
    pub fn draw(&self, from: i64, until: i64, step: i64) -> Vec<Drawn> {
        // What came before tells what is a gap.
        let begin = self.points.partition_point(|point| point.at < from);
        let before = self.points.partition_point(|point| point.at < from.saturating_sub(step.saturating_mul(32)));
        let context = begin.saturating_sub(4 * USUAL).min(before);
        let end = (self.points.partition_point(|point| point.at < until) + 1).clamp(context, self.points.len());
        let points: Vec<Point> = self.points.range(context..end).copied().collect();
        let points = reduced(&points, step);
        let shown = points.partition_point(|point| point.at < from).saturating_sub(1);
        let mut usual = VecDeque::with_capacity(USUAL + 1);
        let mut drawn = vec![];
        for (at, point) in points.iter().enumerate() {
            if let Some(previous) = at.checked_sub(1).and_then(|at| points.get(at)) {
                let finest = if previous.at <= self.thinned { self.grain.max(step) } else { step };
                let gap = is_gap(point.at - previous.at, &mut usual, finest);
                if gap && at > shown {
                    drawn.push(Drawn { at: point.at - 1, value: None });
                }
            }
            if at >= shown {
                drawn.push(Drawn { at: point.at, value: Some(point.value) });
            }
        }
        drawn
    }
}

/// Whether an interval is much longer than most of those before; takes it in among them.
fn is_gap(interval: i64, usual: &mut VecDeque<i64>, finest: i64) -> bool {
    let mut sorted: Vec<i64> = usual.iter().copied().collect();
    sorted.sort_unstable();
    let typical = sorted.get(sorted.len() * 3 / 4).copied();
    usual.push_back(interval);
    if usual.len() > USUAL {
        usual.pop_front();
    }
    // Two points of neighbouring steps are less than two steps apart.
    let least = SHORTEST_GAP.max(finest.saturating_mul(2));
    sorted.len() >= 4 && typical.is_some_and(|typical| interval > least.max(typical.saturating_mul(4)))
}

/// Of every span of `step` the points with the least and the greatest value.
fn reduced(points: &[Point], step: i64) -> Vec<Point> {
    let step = step.max(1);
    let mut kept = vec![];
    for span in points.chunk_by(|one, other| one.at.div_euclid(step) == other.at.div_euclid(step)) {
        let (mut least, mut greatest) = (0, 0);
        for (at, point) in span.iter().enumerate() {
            if point.value < span[least].value {
                least = at;
            }
            if point.value > span[greatest].value {
                greatest = at;
            }
        }
        kept.push(span[least.min(greatest)]);
        if least != greatest {
            kept.push(span[least.max(greatest)]);
        }
    }
    kept
}
