//! The chart of the Live Inspector: numbers of payloads over time, read as they come and from what the feed keeps.
//!
//! A series begins at the oldest event kept, so that history and what comes later are read the same way. Values stay when
//! their events make room. Every line is bounded (see [`relayscope_domain::chart`]), and so is their number. What is charted
//! outlives a restart, its values do not. The chart knows no page; what is drawn and where lines are interrupted is the
//! domain's to say.

mod export;
mod reader;
mod series;
#[cfg(test)]
mod tests;

use crate::api::wire::{ChartKnown, ChartLine, ChartPoints, ChartSeries, ChartSpan};
use crate::feed::Feed;
use crate::feed::event::{Event, Kind};
use crate::store::{Store, StoreError};
use reader::{Read, Reader};
use relayscope_domain::chart::{self, Drawn};
use relayscope_domain::decode::Decoder;
pub(crate) use series::Charted;
use series::{Line, Place, Series, Wanted, micros};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Lines, and series, that there are at most: more cannot be told apart.
pub(crate) const LINES: usize = 12;
/// How long one look at new events may take; it is repeated ten times a second.
const LOOK: Duration = Duration::from_millis(30);
/// How old bindings and schemas may be that payloads are read with.
const RENEW: Duration = Duration::from_secs(1);
/// How late, in microseconds, events may come after others that happened later.
const LATE: i64 = 1_000_000;
/// What is looked at of a chart that has no values yet, in microseconds.
const EMPTY: i64 = 60_000_000;

/// Why something is not charted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChartError {
    /// Too much.
    #[error("The chart has {LINES} lines, and more cannot be told apart. Remove one first.")]
    Full,
    /// Nothing was published.
    #[error("This event has no payload.")]
    NoPayload,
}

/// The chart; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Chart(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    series: Vec<Series>,
    // Charted before a restart, and not again yet: where there is no page, nothing is read for it.
    before: Vec<Charted>,
    reader: Reader,
    renewed: Option<Instant>,
    numbers: u32,
    revision: u64,
    // The newest time of the events looked at.
    complete: i64,
    count: u64,
}

impl Chart {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charts a number of the topic of an event, from where it was seen. What is charted already stays.
    pub(crate) fn pick(&self, event: &Event, path: &str, decoder: Option<Decoder>) -> Result<(), ChartError> {
        let Kind::Publish { topic, direction, .. } = &event.kind else { return Err(ChartError::NoPayload) };
        let place = Place { origin: event.origin, source: event.source.clone(), direction: *direction };
        self.want(Wanted { topic: topic.to_string(), path: path.to_owned(), place: Some(place), decoder })
    }

    /// Charts a number of all topics that a filter selects.
    pub(crate) fn add(&self, topic: &str, path: &str) -> Result<(), ChartError> {
        self.want(Wanted { topic: topic.to_owned(), path: path.to_owned(), place: None, decoder: None })
    }

    fn want(&self, wanted: Wanted) -> Result<(), ChartError> {
        let mut state = self.state();
        state.wake();
        if state.series.iter().any(|series| series.wanted == wanted) {
            return Ok(());
        }
        if state.series.len() >= LINES || state.lines() >= LINES {
            return Err(ChartError::Full);
        }
        let number = state.next_number();
        state.series.push(Series::new(number, Charted { wanted, left_out: BTreeSet::new() }));
        Ok(())
    }

    /// What is to be charted after the next start.
    pub(crate) fn charted(&self) -> Vec<Charted> {
        let state = self.state();
        state.before.iter().cloned().chain(state.series.iter().map(Series::charted)).collect()
    }

    /// Keeps in mind what was charted before a restart, until [`Chart::wake`].
    pub(crate) fn restore(&self, before: Vec<Charted>) {
        self.state().before = before;
    }

    /// Charts what was charted before a restart: there is a page.
    pub(crate) fn wake(&self) {
        self.state().wake();
    }

    /// Gives up a line, a series or everything.
    pub(crate) fn remove(&self, series: Option<u32>, line: Option<u32>) {
        let mut state = self.state();
        state.wake();
        match (series, line) {
            (None, _) => state.series.clear(),
            (Some(number), line) => {
                let found = state.series.iter_mut().find(|series| series.number == number);
                match (found, line) {
                    (Some(series), Some(line)) if series.lines.len() > 1 => series.leave_out(line),
                    _ => state.series.retain(|series| series.number != number),
                }
            }
        }
    }

    /// Whether nothing is charted.
    pub(crate) fn is_empty(&self) -> bool {
        self.state().series.is_empty()
    }

    /// Sees to it that payloads are read as bindings and schemas say now.
    pub(crate) async fn renew(&self, store: &Store) -> Result<(), StoreError> {
        let made_of = {
            let state = self.state();
            if state.renewed.is_some_and(|at| at.elapsed() < RENEW) {
                return Ok(());
            }
            state.reader.made_of()
        };
        let renewed = Reader::renewed(store, made_of).await?;
        let mut state = self.state();
        state.renewed = Some(Instant::now());
        if let Some(reader) = renewed {
            state.reader = reader;
        }
        Ok(())
    }

    /// Reads what came, for a moment. Blocks. How many values came since the start.
    pub(crate) fn look(&self, feed: &Feed) -> u64 {
        let mut state = self.state();
        state.read(feed, Instant::now() + LOOK);
        state.count
    }

    /// Whether every series has looked at an event.
    pub(crate) fn has_read(&self, seq: u64) -> bool {
        self.state().series.iter().all(|series| series.next > seq)
    }

    /// Points of a part of time; with `known`, only those that a page does not have. Blocks.
    pub(crate) fn points(&self, span: ChartSpan, steps: u32, known: Option<ChartKnown>, feed: &Feed) -> ChartPoints {
        let mut state = self.state();
        state.wake();
        state.points(span, steps, known, feed.usage().recorded)
    }
}

impl State {
    fn next_number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    fn wake(&mut self) {
        for charted in std::mem::take(&mut self.before).into_iter().take(LINES) {
            let number = self.next_number();
            self.series.push(Series::new(number, charted));
        }
    }

    fn lines(&self) -> usize {
        self.series.iter().map(|series| series.lines.len()).sum()
    }

    fn read(&mut self, feed: &Feed, deadline: Instant) {
        let Some(from) = self.series.iter().map(|series| series.next).min() else { return };
        let Self { series, reader, numbers, revision, complete, count, .. } = self;
        let mut lines: usize = series.iter().map(|series| series.lines.len()).sum();
        let mut looked = 0u32;
        let last = feed.visit_while(from.saturating_sub(1), |event| {
            looked += 1;
            let mut read = Read::default();
            let mut room = || {
                (lines < LINES).then(|| {
                    lines += 1;
                    *numbers += 1;
                    *numbers
                })
            };
            for series in series.iter_mut().filter(|series| series.next <= event.seq) {
                if let Some(at) = series.take(event, reader, &mut read, &mut room) {
                    *count += 1;
                    if at < complete.saturating_sub(LATE) {
                        *revision += 1;
                    }
                }
            }
            *complete = (*complete).max(micros(event.at));
            // The clock is looked at now and then, and after each payload that was read.
            (!read.ran && !looked.is_multiple_of(1_024)) || Instant::now() < deadline
        });
        for series in series {
            series.next = series.next.max(last + 1);
        }
    }

    /// From where to where is looked.
    fn bounds(&self, span: ChartSpan, now: i64) -> (i64, i64) {
        match span {
            ChartSpan::Last { seconds } => (now.saturating_sub(i64::from(seconds.max(1)) * 1_000_000), now),
            ChartSpan::Between { from, until } => (from, until.max(from.saturating_add(1))),
            ChartSpan::All => {
                let oldest = self.all_lines().filter_map(|line| line.track.first()).map(|point| point.at).min();
                (oldest.unwrap_or(now.saturating_sub(EMPTY)), now)
            }
        }
    }

    fn all_lines(&self) -> impl Iterator<Item = &Line> {
        self.series.iter().flat_map(|series| &series.lines)
    }

    fn points(&self, span: ChartSpan, steps: u32, known: Option<ChartKnown>, newest: u64) -> ChartPoints {
        let (from, until) = self.bounds(span, micros(SystemTime::now()));
        let step = chart::step(until.saturating_sub(from), steps.clamp(10, 4_000));
        let settled = (self.complete - LATE).div_euclid(step) * step;
        let known = known.filter(|known| known.revision == self.revision && known.step == step);
        let since = known.map_or(from, |known| known.settled.max(from));
        // Up to now is up to the newest, whatever the clocks say.
        let end = if matches!(span, ChartSpan::Between { .. }) { until } else { i64::MAX };
        let ranges: Vec<_> = self.all_lines().map(|line| line.track.range()).collect();
        let mut scales = chart::scales(&ranges).into_iter();
        let line = |line: &Line| {
            let last = line.track.last()?;
            let drawn: Vec<Drawn> = line.track.draw(since, end, step);
            Some(ChartLine {
                number: line.number,
                topic: line.topic.to_string(),
                source: line.place.source.to_string(),
                count: line.track.count(),
                last: last.value,
                last_at: last.at,
                range: line.track.range_of(from, end).map(|(least, greatest)| [least, greatest]),
                scale: 0,
                times: drawn.iter().map(|drawn| drawn.at).collect(),
                values: drawn.iter().map(|drawn| drawn.value).collect(),
            })
        };
        let series = self.series.iter().map(|one| ChartSeries {
            number: one.number,
            topic: one.wanted.topic.clone(),
            path: one.wanted.path.clone(),
            source: one.wanted.place.as_ref().map(|place| place.source.to_string()),
            read: if one.next > newest { 1.0 } else { one.next as f64 / (newest + 1) as f64 },
            without: one.without,
            why: one.why.clone(),
            more: one.more,
            lines: one.lines.iter().filter_map(line).collect(),
        });
        let mut series: Vec<ChartSeries> = series.collect();
        for line in series.iter_mut().flat_map(|series| &mut series.lines) {
            line.scale = scales.next().unwrap_or_default();
        }
        ChartPoints { revision: self.revision, step, from, until, since, settled, series }
    }
}
