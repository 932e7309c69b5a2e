//! One engine per data folder.

use relayscope_engine::lock::{FolderLock, LockError};
use relayscope_engine::{Engine, EngineConfig};
use std::time::Duration;
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
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let error = std::thread::scope(|scope| {
        let take = || {
            // SAFETY: changes the identity that this thread, and no other, has towards files. Root may write anywhere.
            #[cfg(target_os = "linux")]
            unsafe {
                libc::setfsuid(65_534)
            };
            FolderLock::take(folder.path()).unwrap_err()
        };
        scope.spawn(take).join().unwrap()
    });
    let expected = format!(
        "failed to write to the data folder {}: permission denied; choose another folder with --data-dir",
        folder.path().display()
    );
    assert_eq!(error.to_string(), expected);
}

/// What the command line and the window show.
#[tokio::test]
async fn an_engine_that_can_not_have_its_folder_says_so_in_one_sentence() {
    let start = async |data_dir: &std::path::Path| {
        let config = EngineConfig { data_dir: data_dir.to_owned(), keychain: false, idle: false };
        Engine::start(config).await
    };
    let folder = TempDir::new().unwrap();
    let first = start(folder.path()).await.unwrap();
    let expected = format!(
        "Another Relayscope (process {}) uses this data folder: {}; close it or choose another folder with --data-dir",
        std::process::id(),
        folder.path().display()
    );
    assert_eq!(start(folder.path()).await.err().unwrap().to_string(), expected);
    first.shutdown(Duration::from_secs(20)).await;
    drop(first);
    start(folder.path()).await.unwrap().shutdown(Duration::from_secs(20)).await;

    let path = folder.path().join("file");
    std::fs::write(&path, "").unwrap();
    let expected = format!(
        "failed to write to the data folder {}: it is not a folder; choose another folder with --data-dir",
        path.display()
    );
    assert_eq!(start(&path).await.err().unwrap().to_string(), expected);
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
