//! The benchmark itself: a small run through the minimal relay, with every process it is made of.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

const BENCH: &str = env!("CARGO_BIN_EXE_relayscope-bench");

/// Runs scenarios with the minimal relay and returns the runs; the folder must be empty again afterwards.
fn measured(args: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let json = tempfile::NamedTempFile::new().expect("a file");
    let mut command = Command::new(BENCH);
    command.arg("run").args(args).args(["--relay", "null", "--rounds", "1"]);
    command.arg("--folder").arg(folder.path()).arg("--json").arg(json.path());
    let output = command.output().expect("the benchmark runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(left(folder.path()), 0, "temporary folders were left");
    let text = std::fs::read_to_string(json.path()).expect("the figures");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    report["rows"].as_array().expect("rows").clone()
}

fn left(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("the folder").count()
}

fn figure(row: &Value, name: &str) -> f64 {
    let figures = row["figures"].as_array().expect("figures");
    let found = figures.iter().find(|figure| figure[0] == name);
    found.and_then(|figure| figure[1].as_f64()).unwrap_or_else(|| panic!("no {name} in {row}"))
}

#[test]
fn the_minimal_relay_delivers_everything_once_and_in_order() {
    let rows = measured(&["throughput", "--messages", "2000"]);
    assert_eq!(rows.len(), 6);
    for row in &rows {
        assert_eq!(["lost", "dup", "out of order", "corrupt"].map(|name| figure(row, name)), [0.0; 4], "{row}");
        assert!(figure(row, "msg/s") > 0.0 && figure(row, "peak RSS MiB") > 0.0, "{row}");
    }
}

#[test]
fn the_limits_of_the_machine_are_measured_without_a_relay() {
    let rows = measured(&["limits", "--messages", "2000"]);
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| figure(row, "msg/s") > 0.0), "{rows:?}");
}

#[test]
fn the_front_is_measured_beside_the_direct_way() {
    let rows = measured(&["front", "--messages", "2000"]);
    assert_eq!(rows.len(), 9);
    for row in &rows {
        assert_eq!(["lost", "out of order"].map(|name| figure(row, name)), [0.0; 2], "{row}");
    }
}

#[test]
fn the_embedded_broker_is_measured_beside_mosquitto() {
    let rows = measured(&["broker", "--quick", "--messages", "2000"]);
    assert_eq!(rows.len(), 6);
    for row in &rows[..4] {
        assert_eq!(["lost", "out of order"].map(|name| figure(row, name)), [0.0; 2], "{row}");
    }
    assert!(rows[4..].iter().all(|row| figure(row, "KiB each") > 0.0), "{rows:?}");
}

#[test]
fn the_inspector_without_a_page_takes_everything_that_comes() {
    let rows = measured(&["inspect", "--quick"]);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(["not received", "not kept"].map(|name| figure(row, name)), [0.0; 2], "{row}");
        assert!(figure(row, "CPU s") > 0.0 && figure(row, "feed MiB") < figure(row, "its budget MiB"), "{row}");
    }
}

#[test]
fn an_adapter_that_is_not_there_is_named() {
    let output = Command::new(BENCH).args(["run", "--relay", "no-such-relay"]).output().expect("the benchmark runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("“no-such-relay”"), "{said}");
}
