//! Relayscope without a window: the same engine, on a terminal.
//!
//! Owns the command line, the exit codes (0 clean, 1 failed, 2 wrong usage or configuration) and what is printed.
//! Messages for people go to stderr; stdout carries only what was asked for: the feed, a preview, an export.

use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

mod config;
mod feed;
mod init;
mod run;
mod signals;
mod transfer;

/// Relays MQTT to TagoIO without a window and shows it live.
#[derive(Parser)]
#[command(name = "relayscope-cli", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented configuration file to begin with.
    Init {
        /// Where to write it.
        #[arg(default_value = init::FILE_NAME)]
        path: PathBuf,
        /// The official relay's spelling of PATH.
        #[arg(short, long, hide = true)]
        config_path: Option<PathBuf>,
    },
    /// Run the relays until Ctrl-C or SIGTERM; logs go to stderr.
    Start {
        #[command(flatten)]
        run: RunArgs,
        /// Accepted because the official relay has it; without effect.
        #[arg(short, long, hide = true)]
        verbose: Option<String>,
    },
    /// Run the relays and print what happens.
    Watch {
        #[command(flatten)]
        run: RunArgs,
        /// One JSON object per line.
        #[arg(long)]
        json: bool,
        /// Start the demo: a broker, simulated devices and a local stand-in for TagoIO.
        #[arg(long, conflicts_with = "config_path")]
        demo: bool,
    },
    /// Add the relays of a configuration file to the app's data folder.
    Import {
        /// A file of the official relay, or one written by `export`.
        file: PathBuf,
        /// Data folder, instead of the app's own.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// Print the relays as a configuration file.
    Export {
        /// Data folder, instead of the app's own.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Include tokens, passwords and keys in clear.
        #[arg(long)]
        with_secrets: bool,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    /// Run what this file says, in a data folder of its own, instead of the app's configuration.
    #[arg(short, long, value_name = "FILE")]
    config_path: Option<PathBuf>,
    /// Data folder, instead of the app's own.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// With --config-path: listen for downlinks on every address of this computer, with HTTPS and without asking who
    /// calls, as the official relay's option does. Anybody who reaches the port can publish to your broker.
    #[arg(long)]
    unsafe_mode: bool,
    /// Stop after this many seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
}

/// Why a command ended badly: what to print on stderr, and the exit code.
struct Failure {
    code: u8,
    lines: Vec<String>,
}

impl Failure {
    /// Something went wrong while it ran.
    fn runtime(message: impl Into<String>) -> Self {
        Self { code: 1, lines: vec![message.into()] }
    }

    /// Usage or configuration is wrong; nothing was started.
    fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, lines: vec![message.into()] }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, too; a closed stdout is none of ours.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in &failure.lines {
                say(line);
            }
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Init { path, config_path } => init::init(&config_path.unwrap_or(path)),
        Command::Start { run, verbose: _ } => {
            let plan = config::plan(run.config_path, run.data_dir, false, run.unsafe_mode)?;
            on_runtime(run::run(plan, run::Output::Silent, run.seconds.map(Duration::from_secs)))
        }
        Command::Watch { run, json, demo } => {
            let plan = config::plan(run.config_path, run.data_dir, demo, run.unsafe_mode)?;
            let output = if json { run::Output::Json } else { run::Output::Lines };
            on_runtime(run::run(plan, output, run.seconds.map(Duration::from_secs)))
        }
        Command::Import { file, data_dir, yes } => transfer::import(&file, data_dir, yes),
        Command::Export { data_dir, with_secrets } => transfer::export(data_dir, with_secrets),
    }
}

/// Runs a future on a runtime of its own. Blocking work that hangs, such as printing to a stopped terminal, is left
/// behind after two seconds.
fn on_runtime<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::runtime(format!("The runtime could not be started: {error}.")))?;
    let result = runtime.block_on(future);
    runtime.shutdown_timeout(Duration::from_secs(2));
    result
}

/// One line on stderr. There is nobody to tell when that fails.
fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
