//! One engine per data folder.

use relayscope_engine::lock::{FolderLock, LockError};
use tempfile::TempDir;

#[test]
fn a_second_engine_is_told_who_has_the_folder() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("deep").join("data");
    let first = FolderLock::take(&data).unwrap();
    let error = FolderLock::take(&data).unwrap_err();
    assert!(matches!(error, LockError::Held { .. }));
    let expected = format!(
        "Another Relayscope (process {}) uses this data folder: {}; close it or choose another folder with --data-dir",
        std::process::id(),
        data.display()
    );
    assert_eq!(error.to_string(), expected);
    drop(first);
    FolderLock::take(&data).expect("the lock is free again");
}

#[test]
fn a_lock_left_by_a_dead_process_is_no_obstacle() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("lock"), "").unwrap();
    std::fs::write(folder.path().join("lock.pid"), "999999\n").unwrap();
    FolderLock::take(folder.path()).unwrap();
}

#[test]
fn a_folder_that_is_a_file_is_refused_in_words() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "").unwrap();
    let error = FolderLock::take(&path).unwrap_err().to_string();
    assert!(error.contains("it is not a folder") && error.contains("--data-dir"), "{error}");
}

#[cfg(unix)]
#[test]
fn an_unwritable_folder_is_refused_in_words() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    // Root may write anywhere; then another place that nobody can write to stands in.
    let unwritable = if std::fs::write(folder.path().join("probe"), "").is_ok() {
        std::path::Path::new("/proc")
    } else {
        folder.path()
    };
    let error = FolderLock::take(unwritable).unwrap_err().to_string();
    assert!(error.starts_with("failed to write to the data folder") && error.contains("--data-dir"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_new_data_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let _lock = FolderLock::take(&data).unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}
