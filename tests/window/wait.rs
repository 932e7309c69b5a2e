//! The one place where tests wait.

use std::time::{Duration, Instant};

/// Long enough for a slow machine under load; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer; fails with what was awaited.
#[track_caller]
pub(crate) fn until<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        pause(Duration::from_millis(40));
    }
}

/// Lets time pass, where the passing of time is what is measured.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
