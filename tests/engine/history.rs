//! The feed's history beside a relay: a restart, and a disk that takes no more.

use crate::disk::{SCENE, limit};
use crate::faults::{load, persistent, relayed};
use crate::support::engine::App;
use crate::support::eventually;
use crate::support::sink::Sink;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::process::Command;

pub(crate) async fn switch(app: &App, enabled: bool, megabytes: u32) {
    let view: Value = app.call("settings.get", ()).await;
    let mut settings = view["settings"].clone();
    settings["history"] = json!({"enabled": enabled, "megabytes": megabytes, "days": 1});
    let _: Value = app.call("settings.save", settings).await;
}

async fn status(app: &App) -> HistoryStatus {
    app.call("history.status", ()).await
}

pub(crate) async fn count(app: &App, line: &str) -> usize {
    let mut found = 0;
    let mut before = None;
    loop {
        let request = json!({"line": line, "before": before, "count": 1_000});
        let page: HistoryRows = app.call("history.search", request).await;
        found += page.rows.len();
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_relay_survives_a_restart() {
    let (broker, sink) = (persistent(), Sink::start().await);
    let app = relayed(&broker, &sink).await;
    switch(&app, true, 100).await;
    load(broker.port).run().await;
    let delivered = app.delivered(500).await.ledger.delivered as usize;
    eventually("the deliveries to be recorded", async || {
        (count(&app, "kind:delivered").await >= delivered).then_some(())
    })
    .await;
    assert_eq!(status(&app).await.missed, 0);
    switch(&app, false, 100).await;
    eventually("recording to end", async || (!status(&app).await.recording).then_some(())).await;
    let kept = count(&app, "kind:delivered").await;

    let app = App::start_in(app.stop().await).await;
    assert_eq!(count(&app, "kind:delivered").await, kept);
    let request = json!({"line": "kind:delivered", "before": null, "count": 1});
    let page: HistoryRows = app.call("history.search", request).await;
    let detail: EventDetail = app.call("history.event", json!({"seq": page.rows[0].seq})).await;
    assert!(detail.journey.len() >= 2 && detail.journey[0].words == "received", "{detail:?}");
    let seq = async |line: &str| {
        let request = json!({"line": line, "before": null, "count": 1});
        app.call::<HistoryRows>("history.search", request).await.rows[0].seq
    };
    let published = seq("kind:publish").await;
    let asked = json!({"seq": published, "decoder": null, "history": true});
    let read: DecodedEvent = app.call("decode.event", asked).await;
    assert!(read.decoded.is_some() && read.previous.is_some() && read.kept.is_none(), "{read:?}");
    let diff = json!({"left": read.previous, "right": published, "decoder": null, "history": true});
    let _: Value = app.call("decode.diff", diff).await;
    let gone = json!({"seq": 99_999_999, "decoder": null, "history": true});
    let gone = app.try_call("decode.event", gone).await.unwrap_err();
    assert!(gone.message.contains("no longer in the history"), "{gone:?}");
    let refusal =
        app.try_call("history.search", json!({"line": "knd:x", "before": null, "count": 1})).await.unwrap_err();
    assert!(refusal.message.contains("There is no field"), "{refusal:?}");
    app.stop().await;
}

/// Run by the test below, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test"]
async fn a_full_disk_while_recording() {
    if std::env::var_os(SCENE).is_none() {
        return;
    }
    let (broker, sink) = (persistent(), Sink::start().await);
    let app = relayed(&broker, &sink).await;
    switch(&app, true, 100).await;
    let publishing = tokio::spawn(load(broker.port).run());
    app.delivered(100).await;
    eventually("something to be recorded", async || (count(&app, "").await > 0).then_some(())).await;
    limit(Some(1_024));
    let stopped = eventually("recording to end", async || {
        let status = status(&app).await;
        (!status.recording).then_some(status)
    })
    .await;
    assert!(
        stopped.notice.as_ref().is_some_and(|notice| notice.contains("recording to the history has stopped")),
        "{stopped:?}"
    );
    let before = app.relay_status().await.ledger.delivered;
    app.delivered(before + 100).await;
    assert!(app.rows().iter().any(|row| row.kind == "failure" && row.preview.contains("history has stopped")));
    limit(None);
    publishing.await.unwrap();
    // Another plan, so that it is tried again.
    switch(&app, true, 101).await;
    eventually("recording to go on", async || (status(&app).await.recording).then_some(())).await;
    eventually("what came meanwhile to be recorded", async || {
        (count(&app, "kind:delivered").await as u64 >= before + 100).then_some(())
    })
    .await;
    app.stop().await;
}

#[test]
fn a_full_disk_ends_recording_and_nothing_else() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "history::a_full_disk_while_recording", "--ignored", "--nocapture"])
        .env(SCENE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
