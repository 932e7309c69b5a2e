//! `start` and `watch`: the engine from its start to its clean end.

use crate::config::Plan;
use crate::feed::{Printer, Style};
use crate::signals::Signals;
use crate::{Failure, say};
use relayscope_domain::endpoint::EndpointDraft;
use relayscope_domain::import::preview_lines;
use relayscope_engine::api::wire::{ApiError, ErrorCode};
use relayscope_engine::{Engine, EngineConfig, api, telemetry};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// How long the engine may take to stop cleanly.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Bytes of events kept while nobody looks at them.
const UNSEEN_FEED: usize = 4_000_000;

/// What goes to stdout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Nothing.
    Silent,
    /// The feed, for people.
    Lines,
    /// The feed, one JSON object per line.
    Json,
}

/// Runs until a signal or until `seconds` are over.
pub(crate) async fn run(plan: Plan, output: Output, seconds: Option<Duration>) -> Result<(), Failure> {
    let mut signals =
        Signals::listen().map_err(|error| Failure::runtime(format!("Signals cannot be caught: {error}.")))?;
    // `watch` prints the feed; the log would be written between its lines on a terminal.
    let log = telemetry::init(Some(&plan.data_dir), output == Output::Silent);
    if let Some(problem) = &log.problem {
        say(problem);
    }
    if let Some(imported) = &plan.imported {
        for note in &imported.notes {
            say(&format!("Note: {note}"));
        }
    }
    let engine = start(&plan, false).await?;
    if output == Output::Silent {
        engine.keep_events(UNSEEN_FEED);
    }
    let set_up = set_up(&engine, &plan).await;
    let result = match set_up {
        Ok(()) => {
            announce(&plan);
            serve(&engine, output, seconds, &mut signals).await
        }
        Err(failure) => Err(failure),
    };
    tokio::select! {
        () = engine.shutdown(GRACE) => {}
        () = signals.next() => return Err(Failure::runtime("Stopped at once on the second signal; what was unfinished is on disk.")),
    }
    result
}

/// Starts an engine in the plan's folder; an idle one runs nothing that is configured.
pub(crate) async fn start(plan: &Plan, idle: bool) -> Result<Engine, Failure> {
    let config = EngineConfig { data_dir: plan.data_dir.clone(), keychain: plan.keychain, idle };
    Engine::start(config).await.map_err(|error| Failure::runtime(error.to_string()))
}

async fn set_up(engine: &Engine, plan: &Plan) -> Result<(), Failure> {
    if let Some(imported) = &plan.imported {
        // First, so that no port opens otherwise than was asked for.
        let draft = serde_json::to_value(EndpointDraft::of(&plan.endpoint))
            .map_err(|error| Failure::runtime(error.to_string()))?;
        api::call(engine, "endpoint.save", draft).await.map_err(refused)?;
        engine.replace_configuration(imported).await.map_err(refused)?;
    }
    if plan.demo {
        api::call(engine, "demo.start", serde_json::Value::Null).await.map_err(refused)?;
    }
    Ok(())
}

/// A refused call as a failure: the message, then each problem at its field.
pub(crate) fn refused(error: ApiError) -> Failure {
    let code = if error.code == ErrorCode::Invalid { 2 } else { 1 };
    let problems = error.problems.iter().map(|problem| format!("{}: {}", problem.field, problem.message));
    Failure { code, lines: std::iter::once(error.message.clone()).chain(problems).collect() }
}

fn announce(plan: &Plan) {
    for line in plan.imported.iter().flat_map(preview_lines) {
        say(&line);
    }
    if plan.endpoint.is_unsafe() {
        say("UNSAFE MODE: downlinks are taken on every address of this computer, from everybody who reaches it.");
    }
    say(&format!("Running, with data in {}. Ctrl-C stops it.", plan.data_dir.display()));
}

async fn serve(
    engine: &Engine,
    output: Output,
    seconds: Option<Duration>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let over = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(seconds).await,
            None => std::future::pending().await,
        }
    };
    let style = match output {
        Output::Silent => None,
        Output::Json => Some(Style::Json),
        Output::Lines if coloured() => Some(Style::Coloured),
        Output::Lines => Some(Style::Plain),
    };
    let mut printer = style.map(Printer::new);
    let printing = async {
        match &mut printer {
            Some(printer) => printer.follow(engine).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = signals.next() => Ok(()),
        () = over => Ok(()),
        printed = printing => match printed {
            // The reader of the pipe has seen enough, as in `watch | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::runtime(format!("The feed cannot be printed: {error}."))),
            Ok(()) => Err(Failure::runtime("The feed ended by itself.")),
        },
    }
}

/// Whether stdout understands colours and they are wanted (no-color.org).
fn coloured() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !unwanted
}
