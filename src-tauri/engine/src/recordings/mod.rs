//! Events in files: exports of what was recorded, and recordings that are read from a file to be looked at and replayed.
//!
//! A recording has a feed of its own, with the same memory budget as the live one: its events never mix with what is
//! recorded now. One recording is open at a time. A line that is no event is counted and named, and the others are taken.
//! This module knows nothing of relays, queues and pages.

mod chosen;
mod export;
mod packets;
mod pcapng;
mod replay;

#[cfg(test)]
mod tests;

pub(crate) use chosen::Chosen;
pub use chosen::ChosenError;
pub use export::ExportError;
pub use replay::ReplayError;

use crate::Engine;
use crate::api::wire::{BrokenLine, RecordingView};
use crate::feed::line::{self, Beginning};
use crate::feed::{Feed, recording_of_event, recording_of_view};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Broken lines that are named; all are counted.
const NAMED: usize = 100;
/// The longest line that is read, bytes: the largest packet of MQTT, in Base64, fits.
const LONGEST: usize = 400 * 1024 * 1024;
/// The most recordings of one run: their numbers are used once.
const MOST: u32 = 8_000;

/// The recording that is open, and exports under way.
#[derive(Default)]
pub struct Recordings(Mutex<State>);

#[derive(Default)]
struct State {
    last: u32,
    open: Option<Arc<Recording>>,
    exports: HashMap<u32, CancellationToken>,
}

/// A file of events, being read or read.
pub(crate) struct Recording {
    number: u32,
    name: String,
    size: u64,
    feed: Feed,
    reading: Mutex<Reading>,
}

#[derive(Default)]
struct Reading {
    // The beginning of a line whose end has not come.
    rest: Vec<u8>,
    // The line is too long: what comes up to its end is passed over.
    skipping: bool,
    beginning: Beginning,
    read: u64,
    line: u64,
    lines: u64,
    broken: u64,
    named: Vec<BrokenLine>,
    done: bool,
}

impl Recordings {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a recording; one that was open is closed. `None` after too many.
    pub(crate) fn begin(&self, name: &str, size: u64, budget: u64) -> Option<Arc<Recording>> {
        let mut state = self.state();
        if state.last == MOST {
            return None;
        }
        state.last += 1;
        let feed = Feed::apart(usize::try_from(budget).unwrap_or(usize::MAX), state.last);
        let reading = Mutex::default();
        let recording = Arc::new(Recording { number: state.last, name: name.to_owned(), size, feed, reading });
        state.open = Some(recording.clone());
        Some(recording)
    }

    /// The open recording.
    pub(crate) fn open(&self) -> Option<Arc<Recording>> {
        self.state().open.clone()
    }

    /// The open recording, if it has this number.
    pub(crate) fn one(&self, number: u32) -> Option<Arc<Recording>> {
        self.open().filter(|recording| recording.number == number)
    }

    /// The feed of the open recording, if it has this number.
    pub(crate) fn feed(&self, number: u32) -> Option<Feed> {
        self.one(number).map(|recording| recording.feed.clone())
    }

    /// Forgets a recording.
    pub(crate) fn close(&self, number: u32) {
        let gone = self.state().open.take_if(|recording| recording.number == number);
        // Its events are dropped without the lock.
        drop(gone);
    }

    /// Ends an export.
    pub(crate) fn cancel(&self, number: u32) {
        if let Some(cancel) = self.state().exports.get(&number) {
            cancel.cancel();
        }
    }

    fn exporting(&self, number: u32, cancel: CancellationToken) {
        self.state().exports.insert(number, cancel);
    }

    fn exported(&self, number: u32) {
        self.state().exports.remove(&number);
    }
}

impl Recording {
    /// Takes the next bytes of the file. Blocks while it reads them. Nothing more comes after `last`.
    pub(crate) fn add(&self, bytes: &[u8], last: bool) {
        let mut reading = self.reading();
        if reading.done {
            return;
        }
        reading.read += bytes.len() as u64;
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            let ends = parts.peek().is_some();
            if reading.rest.len() + part.len() > LONGEST {
                reading.skipping = true;
                reading.rest = vec![];
            }
            if !reading.skipping {
                reading.rest.extend_from_slice(part);
            }
            if ends {
                self.line(&mut reading);
            }
        }
        if last {
            self.line(&mut reading);
            reading.done = true;
            reading.rest = vec![];
        }
    }

    fn line(&self, reading: &mut Reading) {
        reading.line += 1;
        let mut bytes = std::mem::take(&mut reading.rest);
        let read = if std::mem::take(&mut reading.skipping) {
            Some(Err(format!("it is longer than {} MB", LONGEST >> 20)))
        } else {
            // A file may begin with the mark of UTF-8.
            let text = if reading.line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes };
            let text = text.trim_ascii();
            (!text.is_empty()).then(|| match std::str::from_utf8(text) {
                Ok(text) => line::read(text, &mut reading.beginning),
                Err(_) => Err("it is not UTF-8".to_owned()),
            })
        };
        bytes.clear();
        reading.rest = bytes;
        let Some(read) = read else { return };
        reading.lines += 1;
        match read {
            Ok(event) => drop(self.feed.of(event.origin).record(event)),
            Err(why) => {
                reading.broken += 1;
                if reading.named.len() < NAMED {
                    reading.named.push(BrokenLine { line: reading.line, why });
                }
            }
        }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its feed.
    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// How it stands.
    pub(crate) fn view(&self) -> RecordingView {
        let reading = self.reading();
        let usage = self.feed.usage();
        RecordingView {
            number: self.number,
            name: self.name.clone(),
            size: self.size,
            read: reading.read,
            lines: reading.lines,
            events: usage.recorded - usage.evicted,
            given_up: usage.evicted + usage.not_taken,
            broken: reading.broken,
            broken_lines: reading.named.clone(),
            done: reading.done,
        }
    }
}

impl Engine {
    /// The feed a view is of. A recording's is gone once it is closed; then nobody knows the view.
    pub(crate) fn feed_of_view(&self, view: u32) -> Feed {
        self.feed_of(recording_of_view(view))
    }

    /// The feed an event is in.
    pub(crate) fn feed_of_event(&self, seq: u64) -> Feed {
        self.feed_of(recording_of_event(seq))
    }

    fn feed_of(&self, recording: u32) -> Feed {
        self.runtime.recordings.feed(recording).unwrap_or_else(|| self.feed.clone())
    }
}
