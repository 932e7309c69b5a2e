//! The log file.

use relayscope_engine::telemetry;
use tempfile::TempDir;

#[test]
fn what_is_logged_stands_in_a_file_of_the_day() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let guard = telemetry::init(Some(&data), false);
    assert_eq!(guard.problem, None);
    tracing::info!(relay_id = 7, "A sentence for the log.");
    tracing::debug!("A sentence for nobody.");
    drop(guard);
    let files: Vec<_> = std::fs::read_dir(data.join("logs")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("relayscope.20") && name.ends_with(".log"), "{name}");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert!(text.contains("A sentence for the log. relay_id=7"), "{text}");
    assert!(!text.contains("nobody") && !text.contains('\u{1b}'), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for folder in [data.clone(), data.join("logs")] {
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    // A log that can't be written is told, and stops nothing. In the same test: the first call in a process counts.
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let guard = telemetry::init(Some(&file), false);
    assert!(guard.problem.as_deref().is_some_and(|problem| problem.starts_with("No log is written")), "{guard:?}");
}

/// Libraries write to standard error past the log: what is seen there is looked at from outside.
#[test]
fn a_first_start_says_nothing_on_standard_error() {
    let folder = TempDir::new().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "telemetry::what_is_logged_stands_in_a_file_of_the_day", "--nocapture"])
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
