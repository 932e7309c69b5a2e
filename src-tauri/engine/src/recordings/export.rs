//! An export from its first event to a whole file, or to none: told how far it is, cancelled between two parts, and
//! removed when it does not come to its end.

use super::chosen::Page;
use super::packets::{LeftOut, Streams};
use super::pcapng;
use super::{Chosen, ChosenError};
use crate::Engine;
use crate::api::wire::{CaptureFormat, CaptureFrame, CaptureRequest, Exported, Frame};
use crate::exports;
use crate::feed::event::Event;
use crate::feed::export::{Text, Writer};
use crate::status::grouped;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two times that pages are told.
const TOLD: Duration = Duration::from_millis(100);

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The events can't be read.
    #[error(transparent)]
    Chosen(#[from] ChosenError),
    /// There are none.
    #[error("There is nothing to write: no event is chosen.")]
    Nothing,
    /// The folder can't be used.
    #[error("No file can be written to the folder {path}: {source}. Choose another folder, or mend this one.")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file can't be written.
    #[error("The events could not be written to {path}: {source}. Free some space, or choose another folder.")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A person ended it.
    #[error("Cancelled. No file was left behind.")]
    Cancelled,
}

/// A file on the way.
enum Sheet {
    Text(Writer<BufWriter<File>>),
    Packets(Box<pcapng::Writer<BufWriter<File>>>),
}

impl Sheet {
    fn write(&mut self, event: &Event) -> io::Result<()> {
        match self {
            Self::Text(writer) => writer.write(event),
            Self::Packets(writer) => writer.write(event).map(drop),
        }
    }

    /// How many were written, in words as well.
    fn finish(self) -> io::Result<(u64, String)> {
        let (count, words, out) = match self {
            Self::Text(writer) => {
                let (count, out) = writer.finish();
                (count, format!("{} written.", some(count, "event was", "events were")), out)
            }
            Self::Packets(writer) => {
                let (count, connections, streams, out) = writer.finish();
                (count, packets_written(count, connections as u64, streams.left_out), out)
            }
        };
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((count, words))
    }
}

/// What became of events as packets, in words.
fn packets_written(packets: u64, connections: u64, left_out: LeftOut) -> String {
    let (what, were) = if packets == 1 { ("packet", "was") } else { ("packets", "were") };
    let of = some(connections, "connection", "connections");
    let mut words = format!("{} {what} of {of} {were} written.", grouped(packets));
    for (count, one, more) in [
        (left_out.others, "event that is no MQTT packet was left out", "events that are no MQTT packets were left out"),
        (
            left_out.cut,
            "packet was left out: only a part of it was kept",
            "packets were left out: only a part of them was kept",
        ),
    ] {
        if count > 0 {
            words.push_str(&format!(" {}.", some(count, one, more)));
        }
    }
    words
}

fn some(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { more })
}

impl Engine {
    /// The folder for exports.
    pub(crate) fn export_folder(&self) -> PathBuf {
        exports::folder(&self.data_dir)
    }

    /// Writes chosen events to a new file.
    pub(crate) async fn export_events(&self, request: &CaptureRequest) -> Result<Exported, ExportError> {
        let cancel = self.stop.child_token();
        self.runtime.recordings.exporting(request.number, cancel.clone());
        let done = self.export_until(request, &cancel).await;
        self.runtime.recordings.exported(request.number);
        done
    }

    async fn export_until(
        &self,
        request: &CaptureRequest,
        cancel: &CancellationToken,
    ) -> Result<Exported, ExportError> {
        // Pages are told ten times a second.
        let told = Mutex::new(None::<Instant>);
        let tell = |words: &str, done: u64, total: u64| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|at| at.elapsed() < TOLD) {
                return;
            }
            *told = Some(Instant::now());
            let frame = CaptureFrame { number: request.number, words: words.to_owned(), done, total };
            // Nobody listening is no failure.
            let _ = self.frames.send(Frame::Capture(frame));
        };
        let looking = |looked| {
            tell("Looking through the history", looked, 0);
            !cancel.is_cancelled()
        };
        let chosen = Chosen::find(self, &request.of, looking).await?;
        if cancel.is_cancelled() {
            return Err(ExportError::Cancelled);
        }
        if chosen.len() == 0 {
            return Err(ExportError::Nothing);
        }
        let folder = match request.folder.trim() {
            "" => self.export_folder(),
            typed => PathBuf::from(typed),
        };
        let (file, path) = new_file(folder, request.format).await?;
        let written = write(&chosen, request.format, file, &path, cancel, tell).await;
        if written.is_err() {
            // Nothing half written stays.
            let _ = tokio::fs::remove_file(&path).await;
        }
        let (count, words) = written?;
        Ok(Exported { path: path.display().to_string(), count, words })
    }
}

async fn new_file(folder: PathBuf, format: CaptureFormat) -> Result<(File, PathBuf), ExportError> {
    let ending = match format {
        CaptureFormat::Ndjson => "ndjson",
        CaptureFormat::Csv => "csv",
        CaptureFormat::Txt => "txt",
        CaptureFormat::Pcapng => "pcapng",
    };
    let failed = |source| ExportError::Folder { path: folder.display().to_string(), source };
    tokio::fs::create_dir_all(&folder).await.map_err(failed)?;
    exports::new_file(&folder, "events", ending).map_err(failed)
}

async fn write(
    chosen: &Chosen,
    format: CaptureFormat,
    file: File,
    path: &Path,
    cancel: &CancellationToken,
    tell: impl Fn(&str, u64, u64),
) -> Result<(u64, String), ExportError> {
    let failed = |source| ExportError::File { path: path.display().to_string(), source };
    let total = chosen.len() as u64;
    let out = BufWriter::new(file);
    let mut sheet = match format {
        CaptureFormat::Ndjson => Sheet::Text(Writer::new(out, Text::Ndjson).map_err(failed)?),
        CaptureFormat::Csv => Sheet::Text(Writer::new(out, Text::Csv).map_err(failed)?),
        CaptureFormat::Txt => Sheet::Text(Writer::new(out, Text::Txt).map_err(failed)?),
        CaptureFormat::Pcapng => {
            let mut streams = Streams::default();
            let mut from = 0;
            while let Some(page) = next(chosen, from, cancel).await? {
                page.events.iter().for_each(|event| streams.learn(event));
                from = page.next;
                tell("Looking at connections", from as u64, total);
                tokio::task::yield_now().await;
            }
            Sheet::Packets(Box::new(pcapng::Writer::new(out, streams).map_err(failed)?))
        }
    };
    let mut from = 0;
    while let Some(Page { events, next: to }) = next(chosen, from, cancel).await? {
        sheet = blocking(move || {
            events.iter().try_for_each(|event| sheet.write(event))?;
            Ok(sheet)
        })
        .await
        .map_err(failed)?;
        from = to;
        tell("Writing", from as u64, total);
    }
    blocking(move || sheet.finish()).await.map_err(failed)
}

/// The events from a place on, unless a person has ended it.
async fn next(chosen: &Chosen, from: usize, cancel: &CancellationToken) -> Result<Option<Page>, ExportError> {
    if cancel.is_cancelled() { Err(ExportError::Cancelled) } else { Ok(chosen.page(from).await?) }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_said_with_its_numbers() {
        for (packets, connections, others, cut, words) in [
            (150_002, 1, 0, 0, "150,002 packets of 1 connection were written."),
            (1, 1, 0, 0, "1 packet of 1 connection was written."),
            (
                2,
                1_200,
                1,
                1,
                "2 packets of 1,200 connections were written. 1 event that is no MQTT packet was left out. 1 packet was left out: only a part of it was kept.",
            ),
            (
                0,
                0,
                1_234,
                5_678,
                "0 packets of 0 connections were written. 1,234 events that are no MQTT packets were left out. 5,678 packets were left out: only a part of them was kept.",
            ),
        ] {
            assert_eq!(packets_written(packets, connections, LeftOut { others, cut }), words);
        }
        assert_eq!(some(1, "event was", "events were"), "1 event was");
        assert_eq!(some(2_000, "event was", "events were"), "2,000 events were");
    }
}
