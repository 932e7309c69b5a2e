//! The disk is full for a while: a real, small one, mounted in a namespace of its own.

use crate::namespace;
use crate::process::prints;
use crate::scene::{PERSISTENT, Scene, Traffic, broker};
use crate::support::pause;
use crate::support::sink::{Reply, Sink};
use crate::table::{lengths, words};
use relayscope_engine::api::wire::*;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_for_a_while_pauses_the_intake_and_loses_nothing() {
    namespace::run("-Urm", "disk::on_a_disk_of_its_own").await;
}

/// Writes until nothing fits any more.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = std::fs::File::create(&path).unwrap();
    for block in [65_536, 4_096, 512] {
        while file.write_all(&vec![0; block]).is_ok() {}
    }
    path
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test"]
async fn on_a_disk_of_its_own() {
    if !namespace::inside() {
        return;
    }
    let name = "disk full";
    for length in lengths(name) {
        let disk = tempfile::TempDir::with_prefix("relayscope-disk-").unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=48m", "none"];
        prints(Command::new("mount").args(mount).arg(disk.path())).await.unwrap();
        let sink = Sink::start_on(Ipv4Addr::LOCALHOST).await;
        let scene = Scene::with(broker(PERSISTENT), sink, Some(disk.path()), &[]).await;
        let traffic = Traffic::lasting(length + Duration::from_secs(2));
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        // What the platform takes at once need not be stored: it is away meanwhile.
        scene.sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
        let ballast = fill(disk.path());
        let paused = |status: &RelayStatus| {
            let error = status.last_error.as_ref();
            status.state.words == "paused: messages can't be stored"
                && error.is_some_and(|error| error.current && error.advice.contains("Free space"))
        };
        scene.relay.card("the full disk on the card", paused).await;
        pause(length).await;
        let status = scene.relay.status().await;
        assert!(paused(&status) && status.ledger_difference == 0, "{status:?}");
        std::fs::remove_file(ballast).unwrap();
        scene.sink.rule(|_| Reply::Take);
        let healed = scene.heals().await;
        publishing.await.unwrap();
        scene.ends(name, &words(length), traffic, healed, 0).await;
        prints(Command::new("umount").arg(disk.path())).await.unwrap();
    }
}
