//! One engine per data folder: an exclusive lock that the operating system gives back when the process ends, however it
//! ends. The folder is made when it is missing. What lies in it is not known here.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Why the data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "Another Relayscope ({process}) uses this data folder: {}; close it or choose another folder with --data-dir", .folder.display()
    )]
    Held {
        /// `process 4711`, or `process unknown`.
        process: String,
        /// The folder.
        folder: PathBuf,
    },
    /// It can't be made or written to.
    #[error("failed to write to the data folder {}: {reason}; choose another folder with --data-dir", .folder.display())]
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// Why, in words.
        reason: String,
    },
}

impl FolderLock {
    /// Makes the folder if needed and takes its lock.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let unwritable =
            |error: io::Error| LockError::Unwritable { folder: data_dir.to_owned(), reason: reason(&error) };
        make_folder(data_dir).map_err(unwritable)?;
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(data_dir.join("lock")).map_err(unwritable)?;
        // Beside the lock, because Windows lets nobody read a locked file.
        let holder = data_dir.join("lock.pid");
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let process = fs::read_to_string(&holder).ok().and_then(|text| text.trim().parse::<u32>().ok());
                let process = process.map_or_else(|| "process unknown".to_owned(), |id| format!("process {id}"));
                return Err(LockError::Held { process, folder: data_dir.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        fs::write(&holder, format!("{}\n", std::process::id())).map_err(unwritable)?;
        Ok(Self { _file: file })
    }
}

/// Makes the data folder, readable by its owner only, when it is missing.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // Queue and history hold payloads: nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full",
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => "it is not a folder",
        io::ErrorKind::Unsupported => "this disk has no file locks",
        _ => return error.to_string(),
    };
    words.to_owned()
}
