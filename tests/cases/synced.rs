//! A library to be loaded before others (`LD_PRELOAD`): after each successful `fsync` or `fdatasync` of a file under
//! `$RELAYSCOPE_LIVE` it puts a copy of the file, as a whole, under `$RELAYSCOPE_SYNCED`; only then the call returns.
//!
//! SQLite syncs its write-ahead log while it holds the write lock, and its database before the log begins anew: nobody
//! writes to a file while it is copied.

use std::ffi::{c_int, c_long};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::SystemTime;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

#[cfg(target_arch = "x86_64")]
const NUMBERS: (c_long, c_long) = (74, 75);
#[cfg(not(target_arch = "x86_64"))]
const NUMBERS: (c_long, c_long) = (82, 83);

/// # Safety
/// As `fsync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(file: c_int) -> c_int {
    // SAFETY: the system call takes a plain number.
    unsafe { done(file, syscall(NUMBERS.0, file) as c_int) }
}

/// # Safety
/// As `fdatasync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    // SAFETY: the system call takes a plain number.
    unsafe { done(file, syscall(NUMBERS.1, file) as c_int) }
}

unsafe fn done(file: c_int, result: c_int) -> c_int {
    if result == 0 {
        drop(keep(file));
    }
    result
}

/// The copy bears the number and the birth of the file: names change, and numbers are given again.
fn keep(file: c_int) -> Option<()> {
    let path = fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
    let found = fs::metadata(&path).ok()?;
    if !found.is_file() || !path.starts_with(std::env::var_os("RELAYSCOPE_LIVE")?) {
        return None;
    }
    let born = found.created().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
    let to = PathBuf::from(std::env::var_os("RELAYSCOPE_SYNCED")?).join(format!("{}-{born}", found.ino()));
    let part = to.with_extension(format!("part{file}"));
    fs::copy(&path, &part).ok()?;
    fs::rename(part, to).ok()
}
