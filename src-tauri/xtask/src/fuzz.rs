//! `cargo xtask fuzz`: every fuzz target for some time, with libFuzzer.

use crate::shell::{cargo, output, root, sh, target};
use std::fs;
use std::process::Command;

/// The targets, where inputs lie that they begin with, and further arguments for building them.
const TARGETS: &[(&str, &str, &[&str])] = &[
    ("import", "tests/fixtures/relay-toml", &["--no-default-features"]),
    ("decode", "src-tauri/fuzz/seeds/decode", &["--no-default-features"]),
    ("endpoint", "src-tauri/fuzz/seeds/endpoint", &[]),
    ("front", "src-tauri/fuzz/seeds/front", &[]),
];

/// Runs each target for as many seconds as the first argument says, 60 without one. What is found is kept in
/// `src-tauri/fuzz/artifacts`, what was learnt in `target/fuzz/corpus`.
pub(crate) fn fuzz(args: &[String]) -> Result<(), String> {
    let seconds: u64 = match args {
        [] => 60,
        [seconds] => seconds.parse().map_err(|_| format!("{seconds} is no number of seconds"))?,
        _ => return Err("one number is enough: the seconds for each target".into()),
    };
    if output(&mut cargo(&["fuzz", "--version"])).is_none() {
        sh(&mut cargo(&["install", "cargo-fuzz", "--locked"]))?;
    }
    for (name, seeds, building) in TARGETS {
        let corpus = target().join("fuzz").join("corpus").join(name);
        fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
        // The address sanitizer would find what safe Rust does not have, at half the speed.
        let mut command = cargo(&["fuzz", "run", "--fuzz-dir", "src-tauri/fuzz", "--sanitizer", "none"]);
        command.args(*building).arg(name).arg(corpus).arg(root().join(seeds));
        command.args(["--", "-max_len=8192", "-timeout=25", &format!("-max_total_time={seconds}")]);
        command.arg("-print_final_stats=1").env("CARGO_TARGET_DIR", target().join("fuzz"));
        if !output(Command::new("rustc").arg("--version")).is_some_and(|version| version.contains("nightly")) {
            // libFuzzer's counters are a compiler option that stable Rust hides.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        sh(&mut command)?;
    }
    Ok(())
}
