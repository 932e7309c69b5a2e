//! What the tests share: waiting for a condition, a broker with two accounts, and clients of different makes.

pub mod broker;
pub mod certs;
pub mod engine;
pub mod front;
pub mod load;
pub mod mosquitto;
pub mod scripted;
pub mod sink;
pub mod tally;
pub mod tap;
pub mod wire;

use std::future::Future;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for something that should come soon. On a loaded machine that may be long; only a test that fails waits for
/// its end.
pub const SOON: Duration = Duration::from_secs(120);

/// Waits until `look` finds something; fails with `what` when it does not come soon.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + SOON;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A moment in which nothing is expected to happen, or that a person takes.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// As [`eventually`], without a runtime; gives up when `look` says so.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Ends a wait that never comes.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A port on which nothing listens. It lies below those that the system gives out by itself (32768 and up; RFC 6335's begin
/// higher still), so that no connection of another test takes it before its user does.
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static TRIED: AtomicU16 = AtomicU16::new(0);
    // Tests are processes: each begins elsewhere.
    let begin = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
    let next = || FIRST + (begin + TRIED.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
    (0..COUNT).map(|_| next()).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// Resident memory of this process in bytes.
pub fn resident() -> u64 {
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Threads of this process with this name.
pub fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // Thread names are cut at 15 bytes.
    let cut = &name[..name.len().min(15)];
    tasks
        .filter(|task| {
            std::fs::read_to_string(task.as_ref().unwrap().path().join("comm")).is_ok_and(|comm| comm.trim() == cut)
        })
        .count()
}
