//! The desktop window: the only crate that knows Tauri. It opens the page, passes its calls to the engine
//! ([`rpc`]), and ends the engine before the process ends ([`lifecycle`]). It decides nothing about relays, brokers
//! or messages.
//!
//! The window opens at once while the engine starts beside it; calls of the page wait for the engine.

pub mod environment;
mod lifecycle;
mod options;
mod rpc;

pub use options::{Options, Start};

use lifecycle::Lifecycle;
use relayscope_engine::EngineConfig;
use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use tauri::Manager;

/// Opens the window and returns when the app has ended and the engine is shut down.
pub fn run(start: Start) -> ExitCode {
    if !lifecycle::has_display() {
        return lifecycle::refuse(
            "there is no display to open a window on; relayscope-cli runs the same engine without one",
        );
    }
    let Some(data_dir) = start.data_dir.or_else(relayscope_engine::default_data_dir) else {
        return lifecycle::refuse("this system names no folder for application data; choose one with --data-dir");
    };
    let log = relayscope_engine::telemetry::init(Some(&data_dir), std::io::stderr().is_terminal());
    if let Some(problem) = &log.problem {
        tracing::warn!(problem, "The log is not as wanted.");
    }
    let builder = tauri::Builder::default()
        .manage(rpc::Subscription::default())
        .invoke_handler(tauri::generate_handler![rpc::rpc, rpc::subscribe]);
    // Without a display that answers, the window library panics rather than fails.
    let built = catch_unwind(AssertUnwindSafe(|| builder.build(context())));
    match built {
        Ok(Ok(app)) => {
            let life = Lifecycle::begin(EngineConfig { data_dir, keychain: true, idle: false });
            app.manage(life.clone());
            lifecycle::end_on_signals(app.handle());
            let code = app.run_return(move |app, event| life.on_event(app, &event));
            u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Ok(Err(error)) => lifecycle::refuse(&format!("the window could not be opened: {error}")),
        Err(_) => lifecycle::refuse("the display does not answer; relayscope-cli runs the same engine without one"),
    }
}

/// The page, the icons, the policy and the permissions, as the build put them together.
#[allow(clippy::exit, reason = "stands in what the macro writes")]
fn context() -> tauri::Context {
    tauri::generate_context!()
}
