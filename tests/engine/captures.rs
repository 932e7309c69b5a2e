//! Exports of the history, exports that are cancelled or can't be written, and a recording that is larger than the memory
//! for it.

use crate::disk::{SCENE, limit};
use crate::history::{count, switch};
use crate::recordings::{export, import, recorded, rows, told};
use crate::support::engine::App;
use crate::support::mosquitto::Mosquitto;
use crate::support::{eventually, resident, soon};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// All rows of the history that a filter selects, oldest first.
async fn kept(app: &App, line: &str) -> Vec<Row> {
    let request = json!({"line": line, "before": null, "count": 1_000});
    let page: HistoryRows = app.call("history.search", request).await;
    assert_eq!(page.next, None);
    page.rows.into_iter().rev().map(|row| Row { seq: 0, ..row }).collect()
}

/// A view of a recording.
async fn look(app: &App, recording: u32) -> u32 {
    let request = json!({"view": null, "line": "", "look": "feed", "recording": recording});
    app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view
}

fn tshark(path: &str) -> Vec<String> {
    let output = Command::new("tshark")
        .args(["-r", path, "-Y", "mqtt.msgtype == 3", "-T", "fields", "-e", "mqtt.topic", "-e", "mqtt.msg"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_of_an_exported_history_has_what_the_history_holds() {
    let broker = Mosquitto::open();
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    switch(&app, true, 100).await;
    recorded(&app, &saved).await;
    eventually("everything to be recorded", async || (count(&app, "kind:downlink").await == 3).then_some(())).await;
    switch(&app, false, 100).await;
    eventually("recording to end", async || {
        (!app.call::<HistoryStatus>("history.status", ()).await.recording).then_some(())
    })
    .await;
    // Not what the feed has: another start has nothing in its feed.
    let app = App::start_in(app.stop().await).await;
    let folder = tempfile::tempdir().unwrap();
    let of = |line: &str| json!({"is": "history", "line": line});
    let all = kept(&app, "").await;
    assert!(all.len() > 6, "connections and messages");

    let written = export(&app, of(""), "ndjson", folder.path()).await;
    assert_eq!(written.count, all.len() as u64);
    let recording = import(&app, &std::fs::read(&written.path).unwrap()).await;
    assert_eq!((recording.events, recording.broken), (written.count, 0));
    let mut read = rows(&app, look(&app, recording.number).await).await;
    read.reverse();
    assert_eq!(told(&read), told(&all));
    let part = export(&app, of("kind:downlink qos:1,2"), "ndjson", folder.path()).await;
    assert_eq!(part.count, 2, "as the filter selects them");

    let written = export(&app, of(""), "csv", folder.path()).await;
    let text = std::fs::read_to_string(&written.path).unwrap();
    let columns = |line: &str| line.split(',').skip(4).map(str::to_owned).collect::<Vec<_>>().join(",");
    let lines: Vec<String> = text.lines().skip(1).map(|line| columns(&line.replace("\"\"", "'"))).collect();
    let expected = [
        "plant/1,1,false,false,,8,utf-8,\"{'t':21}\"",
        "plant/2,2,true,false,,2,base64,AP8=",
        "plant/3,0,false,false,,0,utf-8,",
    ];
    assert_eq!((written.count, &lines[..]), (3, &expected.map(str::to_owned)[..]));

    let written = export(&app, of(""), "txt", folder.path()).await;
    assert_eq!(written.count, all.len() as u64);
    let text = std::fs::read_to_string(&written.path).unwrap();
    let raw: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("]: Raw payload: ")).map(|(_, raw)| raw).collect();
    assert_eq!(raw, ["{\"t\":21}", "AP8=", ""]);
    let titles = text.lines().filter(|line| line.starts_with('[') && !line.contains("]: Raw payload")).count();
    assert_eq!(titles, all.len());

    let written = export(&app, of(""), "pcapng", folder.path()).await;
    assert_eq!(tshark(&written.path), ["plant/1\t7b2274223a32317d", "plant/2\t00ff", "plant/3\t<MISSING>"]);
    app.stop().await;
}

/// Lines of a large recording, `from..to`, of 330 bytes each; every thousandth is broken.
fn lines(from: usize, to: usize) -> String {
    let mut text = String::new();
    for at in from..to {
        if at % 1_000 == 999 {
            text.push_str("{\"at\":\"2026-11-21T14:03:00Z\",\"kind\":\"publish\"");
        } else {
            text += &json!({
                "at": "2026-11-21T14:03:00Z", "kind": "publish", "topic": format!("plant/{}/temp", at % 500),
                "payload": format!("{at:0220}"), "qos": at % 3, "source": "Plant broker", "client": "press-03",
            })
            .to_string();
        }
        text.push('\n');
    }
    text
}

async fn add(app: &App, number: u32, text: &str, last: bool) -> RecordingView {
    app.call("recordings.add", json!({"number": number, "data": STANDARD.encode(text), "last": last})).await
}

/// Opens a recording of so many lines, in parts as large as the page's; with what memory grew by at most, in bytes.
async fn opened(app: &App, all: usize) -> (RecordingView, u64) {
    const PART: usize = 2_400;
    let size = lines(0, 1_000).len() * all / 1_000;
    let begun: RecordingView = app.call("recordings.begin", json!({"name": "large.ndjson", "size": size})).await;
    let (before, mut most, mut sent) = (resident(), 0, 0);
    for from in (0..all).step_by(PART) {
        let part = lines(from, (from + PART).min(all));
        sent += part.len() as u64;
        let view = add(app, begun.number, &part, false).await;
        assert_eq!((view.read, view.lines, view.done), (sent, (from + PART).min(all) as u64, false), "progress");
        most = most.max(resident().saturating_sub(before));
    }
    (add(app, begun.number, "", true).await, most)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_larger_than_its_memory_is_read_to_its_end() {
    const ALL: usize = 300_000;
    let app = App::start().await;
    let view: Value = app.call("settings.get", ()).await;
    let mut settings = view["settings"].clone();
    settings["feedMegabytes"] = json!(32);
    let _: Value = app.call("settings.save", settings).await;
    let budget = eventually("the budget", async || {
        let budget = app.call::<StatusSnapshot>("app.status", ()).await.totals.feed_budget;
        (budget == 32_000_000).then_some(budget)
    })
    .await;
    let (view, grown) = opened(&app, ALL).await;
    eprintln!("{} MB read, {} MB more in memory at most", view.read / 1_000_000, grown / 1_000_000);
    assert!(view.done && view.read > 90_000_000);
    assert_eq!((view.lines, view.broken), (ALL as u64, 300));
    assert_eq!(view.events + view.given_up, ALL as u64 - 300);
    assert!(view.given_up > view.events, "{view:?}");
    // Twice the budget: the parts themselves, and what the allocator does not give back.
    assert!(grown < 2 * budget, "{grown}");
    let named: Vec<u64> = view.broken_lines.iter().map(|broken| broken.line).collect();
    assert_eq!(named, (1..=100).map(|at| at * 1_000).collect::<Vec<_>>());
    // The newest are there, the good ones only.
    let opened = look(&app, view.number).await;
    let newest: Rows = app.call("feed.rows", json!({"view": opened, "from": 0, "count": 1})).await;
    assert!(newest.rows[0].preview.ends_with("299998"), "{newest:?}");

    // Cancelled halfway: the page closes it, and nothing of it is left.
    let begun: RecordingView = app.call("recordings.begin", json!({"name": "b.ndjson", "size": 2_000})).await;
    let half = add(&app, begun.number, &lines(0, 10), false).await;
    assert_eq!((half.events, half.done), (10, false));
    let _: Value = app.call("recordings.close", json!({"number": begun.number})).await;
    let late = json!({"number": begun.number, "data": "", "last": true});
    assert_eq!(app.try_call("recordings.add", late).await.unwrap_err().code, ErrorCode::NotFound);
    let gone = app.try_call("feed.rows", json!({"view": opened, "from": 0, "count": 1})).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound, "the one before had made room");
    app.stop().await;
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_export_leaves_no_file_and_nothing_else_suffers() {
    let app = App::start().await;
    let (recording, _) = opened(&app, 60_000).await;
    let view = look(&app, recording.number).await;
    let live = crate::recordings::view(&app, "").await;
    let folder = tempfile::tempdir().unwrap();
    for format in ["ndjson", "csv", "txt", "pcapng"] {
        let mut frames = app.engine.frames();
        let request =
            json!({"number": 7, "of": {"is": "view", "view": view}, "format": format, "folder": folder.path()});
        let cancelled = async {
            let at = soon("progress", async {
                loop {
                    match frames.recv().await.unwrap() {
                        Frame::Capture(frame) if frame.number == 7 && frame.words == "Writing" => break frame,
                        _ => {}
                    }
                }
            })
            .await;
            assert!(at.done > 0 && at.done < at.total && at.total == recording.events, "{at:?}");
            assert_eq!(files(folder.path()), 1, "it is being written");
            let _: Value = app.call("capture.cancel", json!({"number": 7})).await;
        };
        let (ended, ()) = tokio::join!(app.try_call("capture.export", request), cancelled);
        assert_eq!(ended.unwrap_err().message, "Cancelled. No file was left behind.", "{format}");
        assert_eq!(files(folder.path()), 0, "{format}");
    }
    // The views are as they were, cancelling nothing is nothing, and the next export is whole.
    assert!(!rows(&app, view).await.is_empty());
    rows(&app, live).await;
    let _: Value = app.call("capture.cancel", json!({"number": 7})).await;
    let whole = export(&app, json!({"is": "view", "view": view}), "ndjson", folder.path()).await;
    assert_eq!(whole.count, recording.events);
    app.stop().await;
}

/// Run by the test below, in a process of its own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test"]
async fn an_export_to_a_full_disk() {
    if std::env::var_os(SCENE).is_none() {
        return;
    }
    let app = App::start().await;
    let (recording, _) = opened(&app, 3_000).await;
    let view = look(&app, recording.number).await;
    let folder = tempfile::tempdir().unwrap();
    for format in ["ndjson", "csv", "txt", "pcapng"] {
        limit(Some(200_000));
        let request =
            json!({"number": 1, "of": {"is": "view", "view": view}, "format": format, "folder": folder.path()});
        let error = app.try_call("capture.export", request).await.unwrap_err().message;
        limit(None);
        assert!(error.contains("could not be written to") && error.contains("Free some space"), "{format}: {error}");
        assert_eq!(files(folder.path()), 0, "{format}");
    }
    let whole = export(&app, json!({"is": "view", "view": view}), "csv", folder.path()).await;
    assert_eq!(whole.count, recording.events);
    app.stop().await;
}

#[test]
fn a_full_disk_leaves_no_half_written_export() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "captures::an_export_to_a_full_disk", "--ignored", "--nocapture"])
        .env(SCENE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_read_only_is_said() {
    let app = App::start().await;
    let (recording, _) = opened(&app, 10).await;
    let view = look(&app, recording.number).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
    // Root may write there all the same; into this one nobody may.
    let root = std::fs::File::create(folder.path().join("probe")).is_ok();
    let path = if root { Path::new("/sys/kernel") } else { folder.path() };
    for folder in [path.to_owned(), path.join("new")] {
        let request = json!({"number": 1, "of": {"is": "view", "view": view}, "format": "csv", "folder": folder});
        let error = app.try_call("capture.export", request).await.unwrap_err().message;
        let said = format!("No file can be written to the folder {}: ", folder.display());
        assert!(error.starts_with(&said) && error.contains("Choose another folder"), "{error}");
    }
    app.stop().await;
}
