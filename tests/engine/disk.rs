//! A disk that takes no more. The limit of file sizes stands for it: it holds for a whole process and can be lifted again,
//! so each scene is a process of its own.

use crate::faults::{all_arrived, load, persistent, relayed};
use crate::support::mosquitto::Mosquitto;
use crate::support::sink::{Reply, Sink};
use crate::support::{eventually, pause};
use relayscope_engine::api::wire::*;
use serde_json::json;
use std::process::Command;
use std::time::Duration;

pub(crate) const SCENE: &str = "RELAYSCOPE_TEST_SCENE";

/// Bytes that a file may have from now on; `None` is as many as it likes.
pub(crate) fn limit(bytes: Option<u64>) {
    let size = libc::rlimit { rlim_cur: bytes.unwrap_or(libc::RLIM_INFINITY), rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the signal's default action would end the process; ignored, the write fails with EFBIG instead. The
    // structure lives until the call returns.
    let done = unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const size)
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

/// Messages that the broker knows to be stored: those the relay acknowledged to it.
fn acknowledged(broker: &Mosquitto) -> u64 {
    broker.log().matches("Received PUBACK from ").count() as u64
}

/// Messages that the broker sent to the relay.
fn sent(broker: &Mosquitto) -> u64 {
    broker.log().matches("Sending PUBLISH to relayscope").count() as u64
}

/// Run by the test below, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test"]
async fn a_full_disk_under_load() {
    if std::env::var_os(SCENE).is_none() {
        return;
    }
    let (broker, sink) = (persistent(), Sink::start().await);
    let app = relayed(&broker, &sink).await;
    let publishing = tokio::spawn(load(broker.port).run());
    app.delivered(500).await;
    // What is delivered needs no disk: only with the destination away as well does everything depend on it.
    limit(Some(1_024));
    eventually("the card to say that messages can't be stored", async || {
        (app.relay_status().await.state.words == "delivering, but messages can't be stored").then_some(())
    })
    .await;
    sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
    let status = eventually("the card to say that messages can't be stored", async || {
        let status = app.relay_status().await;
        (status.state.words == "paused: messages can't be stored").then_some(status)
    })
    .await;
    assert_eq!(status.state.tone, Tone::Bad);
    let error = status.last_error.unwrap();
    assert!(error.current && error.message.starts_with("The disk "), "{error:?}");
    assert!(error.advice.contains("Free space"), "{error:?}");

    // What was delivered is acknowledged, and nothing else, however long it lasts.
    let acked = eventually("what was delivered to be acknowledged", async || {
        let acked = acknowledged(&broker);
        pause(Duration::from_millis(200)).await;
        (acknowledged(&broker) == acked && sent(&broker) > acked).then_some(acked)
    })
    .await;
    pause(Duration::from_secs(3)).await;
    let status = app.relay_status().await;
    assert_eq!((acknowledged(&broker), status.ledger_difference), (acked, 0));
    assert_eq!(status.state.words, "paused: messages can't be stored");
    assert_eq!(status.broker.words, "connected");
    let told = app.rows().iter().filter(|row| row.kind == "failure" && row.preview.contains("The disk")).count();
    assert!((1..=2).contains(&told), "told {told} times");
    // The rest of the app works; what it can't keep it says.
    let _: Vec<RelayView> = app.call("relays.list", ()).await;
    let token = json!({
        "id": null, "name": "Spare", "kind": "network", "region": {"kind": "local"},
        "value": {"kind": "generate"}, "serial": "", "permission": "full",
    });
    let refusal = app.try_call("tokens.save", &token).await.unwrap_err();
    assert!(refusal.message.contains("the change was not kept. Free some space"), "{refusal:?}");

    sink.rule(|_| Reply::Take);
    limit(None);
    publishing.await.unwrap();
    assert_eq!(all_arrived(&app, &sink).await, 0, "a disk that fails is no reason to deliver twice");
    assert_eq!(app.relay_status().await.state.words, "running");
    assert!(app.rows().iter().any(|row| row.preview.contains("Messages are stored again")));
    let _: TokenView = app.call("tokens.save", &token).await;
    // The rows themselves, counted at a start, are what the ledger says.
    let app = crate::support::engine::App::start_in(app.stop().await).await;
    app.connected(1).await;
    let status = app.relay_status().await;
    assert_eq!((status.ledger.waiting, status.ledger_difference), (0, 0));
    app.stop().await;
}

#[test]
fn a_full_disk_pauses_a_relay_and_loses_nothing() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk::a_full_disk_under_load", "--ignored", "--nocapture"])
        .env(SCENE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
