//! The log of the process: one file a day in `<data folder>/logs`, seven kept, and standard error for the command line.
//!
//! The level comes from `RELAYSCOPE_LOG` (as in `info` or `relayscope_engine=debug`), `info` by default. Events of the
//! `tracing` crate only: the embedded broker logs elsewhere, per message, and is left out. No secret and no payload is
//! logged at `info` or above.

use std::path::Path;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Writes what is left of the log when it is dropped; keep it until the end of `main`.
#[must_use = "the log ends when the guard is dropped"]
#[derive(Debug, Default)]
pub struct Guard {
    _file: Option<WorkerGuard>,
    /// Why there is no log file or another level, in words for the person; nothing when all is well.
    pub problem: Option<String>,
}

// Log lines that may wait for the disk.
const LINES: usize = 4_096;

/// Name of the environment variable with the level.
pub const LEVEL_VARIABLE: &str = "RELAYSCOPE_LOG";

/// Starts logging, once per process; a second call changes nothing. A log that can't be written never stops the app.
pub fn init(data_dir: Option<&Path>, stderr: bool) -> Guard {
    let (filter, mut problem) = level(std::env::var(LEVEL_VARIABLE).ok().as_deref());
    let mut layers = Vec::new();
    let mut worker = None;
    if let Some(data_dir) = data_dir {
        let folder = data_dir.join("logs");
        // Before the appender does, which would let everybody in, and complains of a folder that is not there.
        let made = crate::lock::make_folder(&folder).map_err(|error| error.to_string());
        let builder = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix("relayscope")
            .filename_suffix("log")
            .max_log_files(7);
        match made.and_then(|()| builder.build(&folder).map_err(|error| error.to_string())) {
            Ok(appender) => {
                // When the disk is too slow, log lines are lost, never the app's time.
                let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LINES).finish(appender);
                layers.push(fmt::layer().with_writer(writer).with_ansi(false).boxed());
                worker = Some(guard);
            }
            Err(error) => problem = Some(format!("No log is written to {}: {error}.", folder.display())),
        }
    }
    if stderr {
        let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
        layers.push(fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false).boxed());
    }
    // Fails only when a subscriber is set already, which then stays.
    drop(tracing_subscriber::registry().with(layers).with(filter).try_init());
    Guard { _file: worker, problem }
}

fn level(wanted: Option<&str>) -> (EnvFilter, Option<String>) {
    let wanted = wanted.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("info");
    match EnvFilter::try_new(wanted) {
        Ok(filter) => (filter, None),
        Err(_) => (
            EnvFilter::new("info"),
            Some(format!(
                "{LEVEL_VARIABLE}={wanted} is no level; info is used. Write error, warn, info, debug or trace."
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn levels_are_read_and_mistakes_are_told() {
        for (wanted, shown, told) in [
            (None, "info", false),
            (Some(""), "info", false),
            (Some("debug"), "debug", false),
            (Some("warn,relayscope_engine=trace"), "relayscope_engine=trace,warn", false),
            (Some("a=b=c"), "info", true),
        ] {
            let (filter, problem) = level(wanted);
            assert_eq!((filter.to_string().as_str(), problem.is_some()), (shown, told), "{wanted:?}");
        }
    }
}
