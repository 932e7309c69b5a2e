//! The clock of the relay's process is set a day on and a day back while messages flow and are tried again. Done with
//! libfaketime, which changes what the process reads of the wall clock and leaves the monotonic one alone, as a person
//! or NTP does.

use crate::namespace::skip;
use crate::scene::{PERSISTENT, Scene, Traffic, broker};
use crate::support::pause;
use crate::support::sink::{Reply, Sink};
use crate::table::{lengths, words};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where Debian, Fedora and Arch put it.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn set(file: &Path, offset: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, offset).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// Waits until an event of the feed bears a time about `offset` ms from the real one.
async fn until_it_shows(scene: &Scene, offset: i64) {
    let name = format!("the clock to be {offset} ms off");
    crate::support::eventually(&name, async || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64;
        let newest = scene.relay.rows().await.last().map_or(0, |row| row.at);
        ((newest - now - offset).abs() < DAY / 4).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_on_and_back_by_a_day_loses_nothing() {
    let Some(library) = LIBRARIES.iter().map(PathBuf::from).find(|path| path.exists()) else {
        return skip("the clock", "libfaketime is not installed");
    };
    let name = "clock set a day on and a day back";
    for length in lengths(name) {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("clock");
        set(&file, "+0");
        let preload = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let sink = Sink::start_on(Ipv4Addr::LOCALHOST).await;
        let scene = Scene::with(broker(PERSISTENT), sink, None, &preload).await;
        let traffic = Traffic::lasting(length * 3 + Duration::from_secs(4));
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        for (offset, millis) in [("+1d", DAY), ("-1d", -DAY), ("+0", 0)] {
            // Waiting for the next try is what a clock can spoil.
            scene.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
            pause(length / 4).await;
            set(&file, offset);
            until_it_shows(&scene, millis).await;
            pause(length / 4).await;
            scene.sink.rule(|_| Reply::Take);
            scene.heals().await;
        }
        let healed = scene.heals().await;
        publishing.await.unwrap();
        scene.ends(name, &words(length), traffic, healed, 0).await;
    }
}
