//! `cargo xtask test` and the other commands that run a test for what it writes or prints.

use crate::shell::{cargo, output, root, seconds, sh, target};
use crate::{clients, machine, page};
use std::fs;
use std::time::{Duration, Instant};

/// The pictures that the README shows, copied beside the test that takes them.
const README_PICTURES: &[&str] = &[
    "charts-1600x1000-dark.png",
    "inspector-1600x1000-dark.png",
    "overview-1600x1000-dark.png",
    "relays-1000x700-light.png",
];

/// Every check, in the order in which a mistake is found soonest. All of them run; a failure is repeated at the end.
pub(crate) fn all() -> Result<(), String> {
    machine::ready_to_test()?;
    page::packages()?;
    clients::install()?;
    let mut summary = Summary::default();
    summary.step("format", || sh(&mut cargo(&["fmt", "--all", "--check"])));
    summary.step("page: types", || page::script("check"));
    summary.step("page: lint", || page::script("lint"));
    summary.step("page: tests", || page::script("test"));
    summary.step("page: build", page::build);
    summary.step("clippy", || {
        sh(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"]))
    });
    summary.step("tests", tests);
    summary.finish()
}

fn tests() -> Result<(), String> {
    if output(&mut cargo(&["nextest", "--version"])).is_none() {
        return sh(&mut cargo(&["test", "--workspace", "--no-fail-fast"]));
    }
    sh(&mut cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]))?;
    sh(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))
}

/// Writes the page's types from the engine's command table.
pub(crate) fn bindings() -> Result<(), String> {
    machine::ready_to_build()?;
    sh(cargo(&["test", "--quiet", "--package", "relayscope", "--test", "bindings"]).env("BLESS", "1"))
}

/// What is measured of the release app beside start-up and memory, with its test.
const MEASURES: &[(&str, &str)] = &[("load", "load::load"), ("crowd", "crowd::crowd"), ("beside", "beside::beside")];

/// Measures the release app: start-up and memory, or what is named; printed as a table.
pub(crate) fn measure(what: &[String]) -> Result<(), String> {
    let test = match what {
        [] => Some("measure::measure"),
        [name] => MEASURES.iter().find(|(known, _)| known == name).map(|(_, test)| *test),
        _ => None,
    };
    let known = || MEASURES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let what = test.ok_or_else(|| format!("cargo xtask measure takes nothing, or one of: {}", known()))?;
    machine::ready_to_test()?;
    page::build()?;
    sh(&mut cargo(&["build", "--release", "--package", "relayscope", "--package", "relayscope-bench"]))?;
    let app = target().join("release").join(format!("relayscope{}", std::env::consts::EXE_SUFFIX));
    let test = ["test", "--package", "relayscope", "--test", "window", "--", "--ignored", "--nocapture", what];
    sh(cargo(&test).env("RELAYSCOPE_WINDOW_BINARY", app))
}

/// Takes pictures of every place in both themes, and renews those that the README shows.
pub(crate) fn screenshots() -> Result<(), String> {
    machine::ready_to_test()?;
    page::build()?;
    let folder = target().join("screenshots");
    let test = ["test", "--package", "relayscope", "--test", "window", "--", "--nocapture", "screenshots"];
    sh(cargo(&test).env("RELAYSCOPE_SCREENSHOTS", &folder))?;
    for picture in README_PICTURES {
        let to = root().join("tests/window/screenshots").join(picture);
        fs::copy(folder.join(picture), &to).map_err(|error| format!("{}: {error}", to.display()))?;
    }
    eprintln!("Pictures are in {} and, for the README, in tests/window/screenshots", folder.display());
    Ok(())
}

/// How each step ended, for the table at the end.
#[derive(Default)]
struct Summary(Vec<(&'static str, Result<(), String>, Duration)>);

impl Summary {
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), String>) {
        eprintln!("── {name}");
        let started = Instant::now();
        let outcome = work();
        if let Err(problem) = &outcome {
            eprintln!("{problem}");
        }
        self.0.push((name, outcome, started.elapsed()));
    }

    fn finish(self) -> Result<(), String> {
        eprintln!("── summary");
        for (name, outcome, time) in &self.0 {
            let words = if outcome.is_ok() { "passed" } else { "FAILED" };
            eprintln!("{words}  {name:<12} {:>9}", seconds(*time));
        }
        let failed: Vec<String> = self.0.into_iter().filter_map(|(_, outcome, _)| outcome.err()).collect();
        if failed.is_empty() { Ok(()) } else { Err(failed.join("\n       ")) }
    }
}
