//! The power fails: whatever was written and not synced is gone. A library that is loaded before all others keeps, after
//! each `fsync` and `fdatasync` of the process, a copy of the file as it was then; the process is killed and started again
//! on these copies.
//!
//! It shows that nothing acknowledged to the broker depends on a write that was not synced. It does not show what disks do
//! that lie about a sync, nor that names of new files are on disk (a folder's own sync is taken for granted).

use crate::kill::{End, House};
use crate::process::{data, prints};
use crate::scene::{Traffic, UNDER_WAY, heals, taken};
use crate::support::pause;
use crate::support::sink::Reply;
use crate::table::{lengths, words};
use std::path::{Path, PathBuf};
use std::time::Duration;
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
            let (whole, kept) = (size(&live, "queue.db-wal"), size(&synced, "queue.db-wal"));
            println!("power cut {cut}: the log of the queue had {whole} bytes, {kept} of them synced");
            assert!(kept > 0, "nothing was synced while messages were acknowledged");
            std::fs::rename(&live, home.join(format!("lost-{cut}"))).unwrap();
            copy(&synced, &live);
            house.sink.rule(|_| Reply::Take);
        }
        let cli = house.start(&[]).await;
        let healed = heals(&house.sink).await;
        publishing.unwrap().await.unwrap();
        let note = format!("{CUTS} cuts of {}", words(length));
        let end = End { cli, back: healed.at, first: healed.first, note };
        house.ends(name, length, traffic, end, UNDER_WAY * CUTS as usize).await;
    }
}

fn size(folder: &Path, name: &str) -> u64 {
    folder.join(name).metadata().map_or(0, |found| found.len())
}

/// The copies become the folder; the next run goes on copying over them.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() { copy(&from, &to) } else { drop(std::fs::copy(from, to).unwrap()) }
    }
}
