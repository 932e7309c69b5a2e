//! The history: events on disk, for as many bytes and days as were allowed. Off unless it is switched on.
//!
//! A task follows the feed and writes in batches; relays never wait for it. What the ring gave up before it was written is
//! a number. A damaged file is set aside and a new one begun; a full disk ends the recording, and nothing else. Searches
//! use the filter of the inspector, whether events are recorded or not.

mod pages;
mod published;
mod stored;
mod table;

#[cfg(test)]
mod tests;

use super::event::Event;
use super::filter::compile;
use super::{Feed, unix_millis};
use crate::api::wire::{EventDetail, HistoryRows, HistoryStatus};
use crate::causes::chain;
use crate::store::open::{DiskTrouble, OpenError, disk_trouble};
use pages::Candidates;
use relayscope_domain::filter::{Filter, Subject};
use relayscope_domain::settings::HistorySettings;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use stored::Stored;
use table::Table;
use tokio_util::sync::CancellationToken;

/// How long events are gathered for one batch.
const GATHER: Duration = Duration::from_millis(250);
/// Events of one transaction: a search waits for none of them, and the disk for one sync.
const BATCH: usize = 1_000;
/// How often what is too old is looked for.
const PRUNE: Duration = Duration::from_secs(10);
/// Events that one call of a search reads, at most.
const READ_AT_MOST: usize = 20_000;
/// How long one call reads, so that a person sees how far it is.
const READ_FOR: Duration = Duration::from_millis(150);
const DAY: i64 = 86_400_000;

/// Why the history could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// No space is left, or the disk fails.
    #[error(
        "{0}: recording to the history has stopped; relays go on. Free some space, then switch the history off and on again."
    )]
    Disk(DiskTrouble),
    /// SQLite refused.
    #[error("failed to read the history")]
    Read(#[source] sqlx::Error),
    /// SQLite refused.
    #[error("failed to write the history")]
    Write(#[source] sqlx::Error),
    /// An event is not what was written.
    #[error("failed to read an event of the history")]
    Told(#[source] serde_json::Error),
}

impl HistoryError {
    fn write(error: sqlx::Error) -> Self {
        match disk_trouble(&error) {
            Some(trouble) => Self::Disk(trouble),
            None => Self::Write(error),
        }
    }
}

/// A cheap handle to the history.
#[derive(Clone)]
pub struct History(Arc<Inner>);

struct Inner {
    path: PathBuf,
    // Opened when it is first needed.
    table: tokio::sync::Mutex<Option<Table>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    recording: bool,
    // Number of the last event of the feed that was written.
    written: u64,
    missed: u64,
    set_aside: Option<String>,
    stopped: Option<String>,
}

impl History {
    /// The history in a file, which need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner { path, table: tokio::sync::Mutex::default(), state: Mutex::default() }))
    }

    fn state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut super::lock(&self.0.state))
    }

    /// The open table; `None` when there is no file and none is to be made.
    async fn table(&self, make: bool) -> Result<Option<Table>, HistoryError> {
        let mut table = self.0.table.lock().await;
        if table.is_none() && (make || self.0.path.exists()) {
            let stamp = unix_millis(SystemTime::now()).to_string();
            let (opened, notices) = Table::open(&self.0.path, &stamp).await?;
            if !notices.is_empty() {
                self.state(|state| state.set_aside = Some(notices.join(" ")));
            }
            *table = Some(opened);
        }
        Ok(table.clone())
    }

    /// Closes the file; it is opened again when it is needed.
    pub async fn close(&self) {
        if let Some(table) = self.0.table.lock().await.take() {
            table.close().await;
        }
    }

    /// Records what the feed has and gets, until `stop`. Gives up at the first failure; called again, it goes on after the
    /// last event that was written.
    pub async fn record(
        &self,
        feed: &Feed,
        settings: &HistorySettings,
        stop: &CancellationToken,
    ) -> Result<(), HistoryError> {
        self.state(|state| {
            state.recording = true;
            state.stopped = None;
        });
        let done = self.record_until(feed, settings, stop).await;
        self.state(|state| {
            state.recording = false;
            state.stopped = done.as_ref().err().map(|error| chain(error));
        });
        if done.as_ref().is_err_and(|error| !matches!(error, HistoryError::Disk(_))) {
            // Opened anew, a damaged file is found to be one.
            self.close().await;
        }
        done
    }

    async fn record_until(
        &self,
        feed: &Feed,
        settings: &HistorySettings,
        stop: &CancellationToken,
    ) -> Result<(), HistoryError> {
        let Some(table) = self.table(true).await? else { return Ok(()) };
        let mut pruned: Option<Instant> = None;
        loop {
            let stopping = stop.is_cancelled();
            self.write_new(feed, &table).await?;
            if stopping {
                return Ok(());
            }
            if pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
                let before = unix_millis(SystemTime::now()) - i64::from(settings.days) * DAY;
                while table.prune(settings.bytes(), before).await? && !stop.is_cancelled() {}
                pruned = Some(Instant::now());
            }
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Writes everything the feed has and the history has not.
    async fn write_new(&self, feed: &Feed, table: &Table) -> Result<(), HistoryError> {
        loop {
            let after = self.state(|state| state.written);
            let (events, missed) = feed.after(after, BATCH);
            let Some(last) = events.last().map(|event| event.seq) else { return Ok(()) };
            table.write(&events).await?;
            self.state(|state| {
                state.written = last;
                state.missed += missed;
            });
            if events.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// How it stands.
    pub async fn status(&self, settings: &HistorySettings) -> Result<HistoryStatus, HistoryError> {
        let extent = match self.table(false).await? {
            Some(table) => table.extent().await?,
            None => table::Extent::default(),
        };
        Ok(self.state(|state| HistoryStatus {
            recording: state.recording,
            bytes: extent.bytes,
            budget: settings.bytes(),
            events: extent.events,
            oldest: extent.oldest,
            newest: extent.newest,
            missed: state.missed,
            notice: state.set_aside.iter().chain(&state.stopped).cloned().reduce(|one, other| one + " " + &other),
        }))
    }

    /// Up to `count` events before number `before` that the filter selects, newest first. Reads a limited number of
    /// events; the answer says from where on to go on.
    pub async fn search(
        &self,
        filter: &Filter,
        before: Option<u64>,
        count: usize,
    ) -> Result<HistoryRows, HistoryError> {
        let mut answer = HistoryRows { rows: vec![], next: None, looked: 1.0, reached: None };
        let Some(table) = self.table(false).await? else { return Ok(answer) };
        let began = Instant::now();
        let (oldest, newest) = table.ids().await?;
        let compiled = compile(filter);
        let mut before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
        let mut read = 0;
        // To go on from there.
        let stopped = |mut answer: HistoryRows, before: i64| {
            answer.next = Some(before.unsigned_abs());
            answer.looked = ((newest - before + 1).max(0) as f64 / (newest - oldest + 1).max(1) as f64).min(1.0);
            answer
        };
        let mut candidates = Candidates::before(&table, filter, before);
        loop {
            for stored in candidates.next().await? {
                read += 1;
                before = stored.id;
                answer.reached = Some(Subject::at(&stored));
                if compiled.selects(&stored) {
                    answer.rows.push(stored.row());
                    if answer.rows.len() == count {
                        return Ok(stopped(answer, before));
                    }
                }
            }
            if candidates.is_done() {
                return Ok(answer);
            }
            if read >= READ_AT_MOST || began.elapsed() >= READ_FOR {
                return Ok(stopped(answer, before));
            }
        }
    }

    /// Numbers of all events that the filter selects, oldest first. `look` is told how many were looked at, and says
    /// whether to go on.
    pub async fn chosen(&self, filter: &Filter, mut look: impl FnMut(u64) -> bool) -> Result<Vec<i64>, HistoryError> {
        let Some(table) = self.table(false).await? else { return Ok(vec![]) };
        let compiled = compile(filter);
        let (mut candidates, mut looked, mut ids) = (Candidates::before(&table, filter, i64::MAX), 0, vec![]);
        loop {
            let page = candidates.next().await?;
            looked += page.len() as u64;
            ids.extend(page.iter().filter(|stored| compiled.selects(*stored)).map(|stored| stored.id));
            if !look(looked) || candidates.is_done() {
                ids.reverse();
                return Ok(ids);
            }
        }
    }

    /// The first of these events, oldest first, as they were recorded and as far as they are kept, and how many of the
    /// numbers they are: as many as are read at once, by count and by bytes of their payloads.
    pub async fn events(&self, ids: &[i64]) -> Result<(Vec<Event>, usize), HistoryError> {
        let Some(table) = self.table(false).await? else { return Ok((vec![], ids.len())) };
        let (stored, count) = pages::first(&table, ids).await?;
        Ok((stored.into_iter().map(Stored::event).collect(), count))
    }

    /// Everything about one event; `None` when it is no longer kept.
    pub async fn event(&self, id: u64) -> Result<Option<EventDetail>, HistoryError> {
        let Some(table) = self.table(false).await? else { return Ok(None) };
        let Some(stored) = table.event(i64::try_from(id).unwrap_or(i64::MAX)).await? else { return Ok(None) };
        let journey = match stored.told.row.message_id {
            Some(id) => table.journey(id).await?,
            None => vec![],
        };
        Ok(Some(stored.detail(&journey)))
    }
}
