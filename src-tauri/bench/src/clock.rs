//! One clock for all processes of a run: the machine's monotonic one.

/// Nanoseconds of `CLOCK_MONOTONIC`: comparable between processes of one machine, never set back.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec of ours; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds as seconds.
pub fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// Nanoseconds as milliseconds.
pub fn millis(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
