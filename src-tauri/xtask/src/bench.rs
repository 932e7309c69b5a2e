//! `cargo xtask bench`: builds what is measured as it would be installed, and measures it.

use crate::shell::{cargo, sh, target};
use std::process::Command;

/// Measures the feed: its table goes to standard output.
fn feed() -> Result<(), String> {
    sh(&mut cargo(&["bench", "--package", "relayscope-engine", "--bench", "feed"]))
}

/// Measures relays. Arguments go to `relayscope-bench run`; its tables go to standard output.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if args.first().is_some_and(|what| what == "feed") {
        return feed();
    }
    eprintln!("Building the release; a first build takes some minutes.");
    sh(&mut cargo(&["build", "--release", "--package", "relayscope-bench", "--package", "relayscope-cli"]))?;
    let program = target().join("release").join(format!("relayscope-bench{}", std::env::consts::EXE_SUFFIX));
    sh(Command::new(program).arg("run").args(args))
}
