//! The command line as people and service managers use it: the real binary, a real mosquitto, and a small HTTP server in
//! TagoIO's place. Every port is free at the time it is taken, every folder temporary.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test says what it expects")]

use harness::{
    AUTHORIZATION, NETWORK, PATIENCE, Running, cli, configured, ends, fixtures, free_port, mosquitto, platform,
    publish, text,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::Command;
use std::time::Duration;

#[path = "cli/kill.rs"]
mod kill;

#[path = "cli/harness.rs"]
mod harness;

#[test]
fn every_broken_file_is_refused_in_clear_words_and_nothing_starts() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut seen = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("broken-") || !name.ends_with(".toml") {
            continue;
        }
        seen += 1;
        // The domain's own test has a shorter reason for a missing file than the system has.
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let expected: Vec<&str> =
            expected.lines().map(|line| line.split(": it does not exist").next().unwrap()).collect();
        for args in [vec!["start", "--config-path"], vec!["watch", "--json", "--config-path"], vec!["import"]] {
            let mut args = args;
            args.extend([name.as_str(), "--data-dir", data.to_str().unwrap()]);
            let mut command = cli(home.path(), &args);
            command.current_dir(fixtures());
            let output = ends(command, 2);
            let stderr = text(&output.stderr);
            let lines: Vec<&str> = stderr.lines().collect();
            assert_eq!(lines.len(), expected.len(), "{name}: {stderr}");
            for (line, expected) in lines.iter().zip(&expected) {
                assert!(line.starts_with(expected), "{name}: {line}\nwanted: {expected}");
            }
            assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        }
        assert!(!data.exists(), "{name} made a data folder");
    }
    assert!(seen >= 10);
}

#[test]
fn init_writes_once() {
    let home = tempfile::tempdir().unwrap();
    ends(cli(home.path(), &["init"]), 0);
    let path = home.path().join(".tagoio-mqtt-relay.toml");
    let sample = fs::read_to_string(&path).unwrap();
    assert!(sample.contains("[relay.mqtt]"));
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);

    fs::write(&path, "mine").unwrap();
    let output = ends(cli(home.path(), &["init"]), 2);
    assert_eq!(text(&output.stderr), ".tagoio-mqtt-relay.toml exists already and was left as it is.\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");

    ends(cli(home.path(), &["init", "--config-path", "other.toml"]), 0);
    assert_eq!(fs::read_to_string(home.path().join("other.toml")).unwrap(), sample);
    let output = ends(cli(home.path(), &["init", "no/such/folder.toml"]), 2);
    assert!(text(&output.stderr).starts_with("no/such/folder.toml cannot be written"), "{}", text(&output.stderr));
}

#[test]
fn wrong_usage_ends_with_two() {
    let home = tempfile::tempdir().unwrap();
    ends(cli(home.path(), &["--help"]), 0);
    ends(cli(home.path(), &["--version"]), 0);
    for args in [
        &["nonsense"][..],
        &[],
        &["start", "--seconds", "soon"],
        &["watch", "--demo", "--config-path", "x"],
        &["import"],
    ] {
        ends(cli(home.path(), args), 2);
    }
    let output = ends(cli(home.path(), &["start", "--config-path", "nowhere.toml"]), 2);
    assert!(text(&output.stderr).starts_with("nowhere.toml: The file cannot be read: "), "{}", text(&output.stderr));
    let mut by_variable = cli(home.path(), &["start"]);
    by_variable.env("TAGOIO__RELAY__CONFIG_PATH", "elsewhere.toml");
    assert!(text(&ends(by_variable, 2).stderr).starts_with("elsewhere.toml: The file cannot be read: "));
    let output = ends(cli(home.path(), &["export", "--data-dir", "none"]), 2);
    assert_eq!(text(&output.stderr), "There is no data folder none.\n");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was written");
}

#[test]
fn the_apps_own_folder_is_not_overwritten_by_a_file() {
    let home = tempfile::tempdir().unwrap();
    if !cfg!(target_os = "linux") {
        return; // The folder below is Linux's.
    }
    let own = home.path().join("share/relayscope");
    let file = fixtures().join("good.toml");
    let output = ends(
        cli(home.path(), &["start", "--config-path", file.to_str().unwrap(), "--data-dir", own.to_str().unwrap()]),
        2,
    );
    assert!(text(&output.stderr).contains("is the app's own data folder"), "{}", text(&output.stderr));
    assert!(!own.exists());
}

#[test]
fn an_import_shows_what_it_would_do_and_asks() {
    let home = tempfile::tempdir().unwrap();
    let file = fixtures().join("good.toml");
    let output = ends(cli(home.path(), &["import", file.to_str().unwrap()]), 2);
    let stdout = text(&output.stdout);
    for part in ["Broker “localhost” · no TLS · port 1883", "Network token …a9e10", "Relay “TagoIO relay”", "Note: "]
    {
        assert!(stdout.contains(part), "{part} is missing in:\n{stdout}");
    }
    assert!(!stdout.contains(NETWORK) && !stdout.contains("correct-horse"), "a secret in:\n{stdout}");
    assert_eq!(text(&output.stderr), "There is nobody to ask; add --yes to import without asking.\n");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "something was written");
}

#[cfg(unix)]
#[test]
fn a_started_relay_forwards_and_stops_cleanly_on_sigterm() {
    let home = tempfile::tempdir().unwrap();
    let (_broker, port) = mosquitto();
    let (url, requests) = platform();
    let config = configured(home.path(), port, &url);
    let mut relay = Running::spawn(cli(home.path(), &["start", "--config-path", config.to_str().unwrap()]));
    relay.until_it_runs();
    publish(port, "/tago/serial-7", "21.5");
    let request = requests.recv_timeout(PATIENCE).expect("the message is posted");
    assert_eq!(request.line, format!("POST /integration/network/data?authorization_token={AUTHORIZATION} HTTP/1.1"));
    assert_eq!(request.authorization, NETWORK);
    assert_eq!(request.body[0]["variable"], "payload");
    assert_eq!(request.body[0]["value"], "21.5");
    assert_eq!(request.body[0]["metadata"]["topic"], "/tago/serial-7");
    let (code, took) = relay.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "stopping took {took:?}");
    let mut stdout = String::new();
    relay.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout, "", "start prints to stderr only");
    assert!(home.path().join("share/relayscope/headless").is_dir() || !cfg!(target_os = "linux"));
}

#[test]
fn watch_prints_one_json_object_a_line() {
    let home = tempfile::tempdir().unwrap();
    let (_broker, port) = mosquitto();
    let (url, _requests) = platform();
    let config = configured(home.path(), port, &url);
    publish(port, "/tago/serial-8", "{\"a\":\"\u{1b}[2J\"}");
    let data = home.path().join("data");
    let args = [
        "watch",
        "--json",
        "--seconds",
        "5",
        "--config-path",
        config.to_str().unwrap(),
        "--data-dir",
        data.to_str().unwrap(),
    ];
    let output = ends(cli(home.path(), &args), 0);
    let stdout = text(&output.stdout);
    let rows: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let kinds: BTreeSet<&str> = rows.iter().filter_map(|row| row["kind"].as_str()).collect();
    for kind in ["connected", "subscribe", "publish", "delivered"] {
        assert!(kinds.contains(kind), "no {kind} among {kinds:?}\n{}", text(&output.stderr));
    }
    let numbers: Vec<u64> = rows.iter().filter_map(|row| row["seq"].as_u64()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");

    // The same for people, and what was published meanwhile: no escape sequence of a payload reaches the terminal.
    publish(port, "/tago/serial-8", "\u{1b}[31mred");
    let args =
        ["watch", "--seconds", "3", "--config-path", config.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
    let stdout = text(&ends(cli(home.path(), &args), 0).stdout);
    assert!(stdout.contains("publish") && !stdout.contains('\u{1b}'), "{stdout}");
}

#[test]
fn the_demo_runs_without_a_display() {
    let home = tempfile::tempdir().unwrap();
    let mut command = cli(home.path(), &["watch", "--demo", "--json", "--seconds", "8"]);
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let output = ends(command, 0);
    let stdout = text(&output.stdout);
    let kinds: BTreeSet<String> = stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["kind"].as_str().map(str::to_owned))
        .collect();
    assert!(kinds.contains("publish") && kinds.contains("delivered"), "{kinds:?}\n{}", text(&output.stderr));
}

#[test]
fn one_data_folder_has_one_engine() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let args = ["start", "--data-dir", data.to_str().unwrap()];
    let mut first = Running::spawn(cli(home.path(), &args));
    first.until_it_runs();
    let mut second = args.to_vec();
    second.extend(["--seconds", "1"]);
    let output = ends(cli(home.path(), &second), 1);
    let stderr = text(&output.stderr);
    let sentence = stderr.lines().last().unwrap_or_default();
    assert!(sentence.contains("data"), "the folder is not named: {stderr}");
    assert!(!stderr.contains("Running, "), "{stderr}");
    assert!(first.0.try_wait().unwrap().is_none(), "the first one ended");
}

#[test]
fn what_is_imported_can_be_exported() {
    let home = tempfile::tempdir().unwrap();
    // The broker is a port where nobody listens: nothing needs to connect.
    let config = configured(home.path(), free_port(), "http://127.0.0.1:9");
    let (one, two) = (home.path().join("one"), home.path().join("two"));
    ends(cli(home.path(), &["import", config.to_str().unwrap(), "--yes", "--data-dir", one.to_str().unwrap()]), 0);
    let blank = text(&ends(cli(home.path(), &["export", "--data-dir", one.to_str().unwrap()]), 0).stdout);
    assert!(
        blank.contains("Your-Network-Token") && !blank.contains(NETWORK) && !blank.contains(AUTHORIZATION),
        "{blank}"
    );
    let whole =
        text(&ends(cli(home.path(), &["export", "--with-secrets", "--data-dir", one.to_str().unwrap()]), 0).stdout);
    assert!(whole.contains(NETWORK) && whole.contains(AUTHORIZATION), "{whole}");
    let again = home.path().join("again.toml");
    fs::write(&again, &whole).unwrap();
    ends(cli(home.path(), &["import", again.to_str().unwrap(), "-y", "--data-dir", two.to_str().unwrap()]), 0);
    let second =
        text(&ends(cli(home.path(), &["export", "--with-secrets", "--data-dir", two.to_str().unwrap()]), 0).stdout);
    assert_eq!(second, whole);
}

#[cfg(target_os = "linux")]
#[test]
fn the_binary_needs_no_web_view() {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_relayscope-cli")).output().expect("ldd is installed");
    let libraries = text(&output.stdout);
    assert!(!libraries.contains("webkit") && !libraries.contains("libgtk"), "{libraries}");
}
