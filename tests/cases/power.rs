//! The power fails: whatever was written and not synced is gone. A library that is loaded before all others keeps, after
//! each `fsync` and `fdatasync` of the process, a copy of the file as it was then; the process is killed and started again
//! on these copies.
//!
//! It shows that nothing acknowledged to the broker depends on a write that was not synced. It does not show what disks do
//! that lie about a sync; that names (new, changed, removed) are on disk is taken for granted, as ext4 and others order
//! them before a later sync.

use crate::kill::{End, House};
use crate::process::{data, prints};
use crate::scene::{Traffic, WINDOW, heals, taken};
use crate::support::pause;
use crate::support::sink::Reply;
use crate::table::{lengths, words};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::process::Command;

/// Times that the power fails.
const CUTS: u32 = 3;

/// Builds the library.
async fn library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/synced.rs");
    let built = folder.join("libsynced.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let arguments = ["--edition", "2024", "-O", "--crate-type", "cdylib", "-o"];
    prints(Command::new(rustc).args(arguments).arg(&built).arg(source)).await.unwrap();
    built
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let name = "power cut";
    for length in lengths(name) {
        let house = House::build().await;
        let home = house.home.path();
        let (live, synced) = (data(home), home.join("synced"));
        let preload = [
            ("LD_PRELOAD", library(home).await.display().to_string()),
            ("RELAYSCOPE_LIVE", live.display().to_string()),
            ("RELAYSCOPE_SYNCED", synced.display().to_string()),
        ];
        let traffic = Traffic::lasting((length + Duration::from_secs(1)) * CUTS);
        let mut publishing = None;
        for cut in 0..CUTS {
            std::fs::create_dir_all(&synced).unwrap();
            let mut cli = house.start(&preload).await;
            publishing.get_or_insert_with(|| traffic.start(&house.broker));
            taken(&house.sink, house.sink.count() + 50).await;
            // What waits on disk is what a power cut can lose.
            house.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
            pause(length.mul_f64(rand::random_range(0.5..1.0))).await;
            cli.process.kill().await;
            let log = live.join("queue.db-wal");
            let (whole, kept) = (size(&log), size(&synced.join(key(&log))));
            println!("power cut {cut}: the log of the queue had {whole} bytes, {kept} of them synced");
            assert!(kept > 0, "nothing was synced while messages were acknowledged");
            let lost = home.join(format!("lost-{cut}"));
            std::fs::rename(&live, &lost).unwrap();
            as_synced(&lost, &synced, &live);
            house.sink.rule(|_| Reply::Take);
        }
        let cli = house.start(&[]).await;
        let healed = heals(&house.sink).await;
        publishing.unwrap().await.unwrap();
        let note = format!("{CUTS} cuts of {}", words(length));
        // Copying makes a sync slow and what is committed at once large: as much as the broker hands out may be stored
        // and not yet acknowledged.
        let end = End { cli, back: healed.at, first: healed.first, note };
        house.ends(name, length, traffic, end, WINDOW * CUTS as usize).await;
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len())
}

/// The name under which the library keeps a file.
fn key(path: &Path) -> String {
    let found = path.metadata().unwrap();
    let born = found.created().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    format!("{}-{born}", found.ino())
}

/// Makes `to` what the disk holds of `from`: every name, and of every file what was synced of it. What was never synced
/// is empty.
fn as_synced(from: &Path, synced: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            as_synced(&entry.path(), synced, &to);
            continue;
        }
        let kept = synced.join(key(&entry.path()));
        if kept.exists() {
            std::fs::copy(&kept, &to).unwrap();
        } else {
            std::fs::write(&to, []).unwrap();
        }
        // The new file is on disk as it is.
        std::fs::copy(&to, synced.join(key(&to))).unwrap();
    }
}
