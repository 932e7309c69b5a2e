//! Runs other programs, saying each command before and its time after.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The top of the repository: two folders above this package.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}

/// The cargo that runs this program, set to this repository and to the chosen target folder.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root()).env("CARGO_TARGET_DIR", target());
    command
}

/// Where cargo builds: `RELAYSCOPE_TARGET_DIR`, else `CARGO_TARGET_DIR`, else `target`.
pub(crate) fn target() -> PathBuf {
    let chosen = ["RELAYSCOPE_TARGET_DIR", "CARGO_TARGET_DIR"].into_iter().find_map(env::var_os);
    root().join(chosen.unwrap_or_else(|| "target".into()))
}

/// npm in the page's folder.
pub(crate) fn npm(args: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(args).current_dir(root().join("ui"));
    command
}

/// Runs a command to its end; anything but success is an error that names the command.
pub(crate) fn sh(command: &mut Command) -> Result<(), String> {
    let words = words(command);
    eprintln!("$ {words}");
    let started = Instant::now();
    let status = command.status().map_err(|error| format!("{words}: {error}"))?;
    if !status.success() {
        return Err(format!("failed: {words} ({status})"));
    }
    eprintln!("  {}", seconds(started.elapsed()));
    Ok(())
}

/// What a command prints, when it can be run and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `71.3 s`
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f32())
}

fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}
