//! Exports, recordings and replays, with real Mosquittos: as a page asks for them.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::path::Path;

fn message(topic: &str, payload: &[u8], qos: u8, retain: bool) -> Value {
    json!({
        "topic": topic, "source": "base64", "payload": STANDARD.encode(payload), "fileName": "", "qos": qos, "retain": retain,
        "properties": {
            "contentType": "a/b", "responseTopic": "", "correlation": "", "correlationForm": "text", "expiry": "",
            "utf8": false, "user": [{"name": "line", "value": "2"}],
        },
    })
}

/// Messages of three qualities, published to a broker and recorded as they were sent.
pub(crate) async fn recorded(app: &App, broker: &BrokerView) -> u32 {
    for (topic, payload, qos, retain) in
        [("plant/1", &b"{\"t\":21}"[..], 1, false), ("plant/2", b"\x00\xff", 2, true), ("plant/3", b"", 0, false)]
    {
        let request = json!({
            "brokerId": broker.broker.id, "session": null, "message": message(topic, payload, qos, retain), "repeat": null,
        });
        let number = app.call::<PublishProgress>("publish.start", request).await.number;
        eventually("the publication to end", async || {
            let progress: PublishProgress = app.call("publish.progress", json!({"number": number})).await;
            progress.done.then_some(())
        })
        .await;
    }
    view(app, "source:session").await
}

pub(crate) async fn view(app: &App, line: &str) -> u32 {
    let request = json!({"view": null, "line": line, "look": "feed"});
    app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view
}

pub(crate) async fn export(app: &App, of: Value, format: &str, folder: &Path) -> Exported {
    let request = json!({"number": 1, "of": of, "format": format, "folder": folder});
    app.call("capture.export", request).await
}

/// Reads a file as the page does, in parts.
pub(crate) async fn import(app: &App, file: &[u8]) -> RecordingView {
    let begun: RecordingView = app.call("recordings.begin", json!({"name": "a.ndjson", "size": file.len()})).await;
    for part in file.chunks(700) {
        let part = json!({"number": begun.number, "data": STANDARD.encode(part), "last": false});
        let _: RecordingView = app.call("recordings.add", part).await;
    }
    app.call("recordings.add", json!({"number": begun.number, "data": "", "last": true})).await
}

pub(crate) async fn rows(app: &App, view: u32) -> Vec<Row> {
    let rows: Rows = app.call("feed.rows", json!({"view": view, "from": 0, "count": 1_000})).await;
    rows.rows.into_iter().map(|row| Row { seq: 0, ..row }).collect()
}

pub(crate) fn told(rows: &[Row]) -> Value {
    serde_json::to_value(rows).unwrap()
}

pub(crate) async fn done(app: &App, number: u32) -> ReplayProgress {
    eventually("the replay to end", async || {
        let progress: ReplayProgress = app.call("replay.progress", json!({"number": number})).await;
        progress.done.then_some(progress)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_what_was_exported_and_is_replayed() {
    let (one, other) = (Mosquitto::open(), Mosquitto::open());
    let app = App::start().await;
    let (from, to) = (app.broker(one.port, |_| {}).await, app.broker(other.port, |_| {}).await);
    let live = recorded(&app, &from).await;
    let folder = tempfile::tempdir().unwrap();
    let of = json!({"is": "view", "view": live});
    let exported = export(&app, of.clone(), "ndjson", folder.path()).await;
    let recording = import(&app, &std::fs::read(&exported.path).unwrap()).await;
    assert_eq!((recording.broken, recording.events, recording.done), (0, exported.count, true));

    // The same rows, apart from the live feed.
    let request = json!({"view": null, "line": "", "look": "feed", "recording": recording.number});
    let opened = app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view;
    assert_eq!(told(&rows(&app, opened).await), told(&rows(&app, live).await));
    let before = app.rows().len();
    let shown: Rows = app.call("feed.rows", json!({"view": opened, "from": 0, "count": 1})).await;
    let detail: EventDetail = app.call("feed.event", json!({"seq": shown.rows[0].seq})).await;
    assert_eq!(told(&[detail.row]), told(&shown.rows));
    assert_eq!(app.rows().len(), before);

    // A second file of it has the same lines.
    let again = export(&app, json!({"is": "view", "view": opened}), "ndjson", folder.path()).await;
    assert_eq!(std::fs::read(&again.path).unwrap(), std::fs::read(&exported.path).unwrap());

    // To another broker, where a session listens.
    let listening: SessionView = app
        .call(
            "sessions.open",
            json!({"brokerId": to.broker.id, "filters": [{"filter": "plant/+", "qos": 2}], "everything": false}),
        )
        .await;
    eventually("the subscription", async || {
        let sessions: SessionsFrame = app.call("sessions.list", ()).await;
        let mut filters = sessions.sessions.iter().flat_map(|session| &session.filters);
        filters.any(|filter| filter.words == "granted QoS 2").then_some(())
    })
    .await;
    let request = json!({"of": {"is": "view", "view": opened}, "brokerId": to.broker.id, "pace": "most"});
    let plan: ReplayPlan = app.call("replay.plan", &request).await;
    assert_eq!(plan.question, format!("Publish 3 messages to “{}”?", to.broker.name));
    assert!(plan.left_out.iter().any(|words| words.ends_with("events that are no messages")), "{plan:?}");
    let begun: ReplayProgress = app.call("replay.start", json!({"request": request, "messages": plan.messages})).await;
    let ended = done(&app, begun.number).await;
    assert_eq!((ended.taken, ended.refused, ended.words.as_str()), (3, 0, "Done: 3 of 3 published."));
    let heard = view(&app, &format!("source:session dir:in topic:plant/+ name:\"{}\"", to.broker.name)).await;
    let heard = eventually("the messages", async || {
        let rows = rows(&app, heard).await;
        (rows.len() == 3).then_some(rows)
    })
    .await;
    let mut heard: Vec<_> = heard.iter().rev().map(|row| (row.topic.as_str(), row.qos, row.size)).collect();
    heard.sort_unstable();
    assert_eq!(heard, [("plant/1", Some(1), Some(8)), ("plant/2", Some(2), Some(2)), ("plant/3", Some(0), Some(0))]);
    let _: Value = app.call("sessions.close", json!({"number": listening.number})).await;

    // Step by step, and cancelled.
    let request = json!({"of": {"is": "view", "view": opened}, "brokerId": to.broker.id, "pace": "steps"});
    let begun: ReplayProgress = app.call("replay.start", json!({"request": request, "messages": 3})).await;
    for step in 1..=2 {
        eventually("the replay to wait", async || {
            let progress: ReplayProgress = app.call("replay.progress", json!({"number": begun.number})).await;
            progress.words.starts_with("Waits for a step").then_some(())
        })
        .await;
        let _: ReplayProgress = app.call("replay.act", json!({"number": begun.number, "act": "step"})).await;
        eventually("a step", async || {
            let progress: ReplayProgress = app.call("replay.progress", json!({"number": begun.number})).await;
            (progress.taken == step).then_some(())
        })
        .await;
    }
    let _: ReplayProgress = app.call("replay.act", json!({"number": begun.number, "act": "cancel"})).await;
    assert_eq!(done(&app, begun.number).await.words, "Cancelled: 2 of 3 published.");

    let _: Value = app.call("recordings.close", json!({"number": recording.number})).await;
    let gone = app.try_call("feed.rows", json!({"view": opened, "from": 0, "count": 1})).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
    drop(app.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_is_said_and_none_is_left_behind() {
    let broker = Mosquitto::open();
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let live = recorded(&app, &saved).await;
    let folder = tempfile::tempdir().unwrap();
    // A file stands where the folder should be.
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let request = json!({
        "number": 1, "of": {"is": "view", "view": live}, "format": "csv", "folder": blocked.join("exports"),
    });
    let error = app.try_call("capture.export", request).await.unwrap_err().message;
    assert!(error.contains("No file can be written to the folder") && error.contains("file/exports"), "{error}");
    // A range that has nothing, and a view that is gone.
    for (of, words) in [
        (json!({"is": "range", "view": live, "from": 0, "to": 0}), "nothing to write"),
        (json!({"is": "view", "view": 999}), "no longer open"),
        (json!({"is": "history", "line": "knd:x"}), "knd"),
        (json!({"is": "history", "line": ""}), "nothing to write"),
    ] {
        let request = json!({"number": 1, "of": of, "format": "txt", "folder": folder.path()});
        let error = app.try_call("capture.export", request).await.unwrap_err().message;
        assert!(error.contains(words), "{of}: {error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // A part of the rows.
    let rows: Rows = app.call("feed.rows", json!({"view": live, "from": 0, "count": 10})).await;
    let of = json!({"is": "range", "view": live, "from": rows.rows[0].seq, "to": rows.rows[1].seq});
    assert_eq!(export(&app, of, "ndjson", folder.path()).await.count, 2);
    drop(app.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_says_what_the_broker_refused() {
    let broker = Mosquitto::open();
    let app = App::start().await;
    let saved = app.broker(broker.port, |draft| draft["version"] = json!("3.1.1")).await;
    let lines = "{\"at\":\"2026-11-21T14:03:00Z\",\"kind\":\"publish\",\"topic\":\"a\",\"payload\":\"1\",\"qos\":1}\n\
                 {\"at\":\"2026-11-21T14:03:00.1Z\",\"kind\":\"publish\",\"topic\":\"b\",\"payload\":\"2\",\"properties\":[[\"Content type\",\"x\"]]}\n\
                 {\"at\":\"2026-11-21T14:03:00.2Z\",\"kind\":\"receive\",\"topic\":\"b\",\"payload\":\"2\"}\n\
                 nonsense\n\
                 {\"at\":\"2026-11-21T14:03:00.3Z\",\"kind\":\"publish\",\"topic\":\"c\",\"payload\":\"3\"}\n";
    let recording = import(&app, lines.as_bytes()).await;
    assert_eq!((recording.events, recording.broken, recording.broken_lines[0].line), (4, 1, 4));
    let request = json!({"view": null, "line": "", "look": "feed", "recording": recording.number});
    let opened = app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view;
    let request = json!({"of": {"is": "view", "view": opened}, "brokerId": saved.broker.id, "pace": "once"});
    let plan: ReplayPlan = app.call("replay.plan", &request).await;
    assert_eq!((plan.messages, plan.millis, plan.left_out.len()), (3, 300, 1));
    let begun: ReplayProgress = app.call("replay.start", json!({"request": request, "messages": plan.messages})).await;
    let ended = done(&app, begun.number).await;
    assert_eq!((ended.taken, ended.refused), (2, 1));
    assert_eq!(ended.refusals, ["b (message 2): The broker speaks MQTT 3.1.1, which has no properties."]);
    // Nobody there: the end is said in words.
    let nowhere = app.broker(1, |_| {}).await;
    let request = json!({"of": {"is": "view", "view": opened}, "brokerId": nowhere.broker.id, "pace": "most"});
    let begun: ReplayProgress = app.call("replay.start", json!({"request": request, "messages": 3})).await;
    let ended = done(&app, begun.number).await;
    assert!(ended.words.starts_with("There was no connection to the broker for 10 seconds"), "{}", ended.words);
    let nothing = json!({"of": {"is": "view", "view": opened}, "brokerId": null, "pace": "most"});
    assert_eq!(app.try_call("replay.plan", nothing).await.unwrap_err().problems[0].field, "brokerId");
    drop(app.stop().await);
}
