//! Payloads of events are read by bound and chosen decoders; schemas and bindings are kept over a restart.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::sink::Sink;
use relayscope_domain::decode::binding::Binding;
use relayscope_domain::decode::diff::Diff;
use relayscope_domain::decode::path;
use relayscope_domain::decode::schema::Schema;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// A relay on a broker, whose events are looked at.
async fn watched() -> (Mosquitto, App) {
    let broker = Mosquitto::start(&Setup::default());
    let (sink, app) = (Sink::start().await, App::start().await);
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("plant/#", 1), ("spBv1.0/#", 1)]).await;
    app.connected(2).await;
    (broker, app)
}

/// Publishes and waits for the event; its number.
async fn publish(broker: &Mosquitto, app: &App, topic: &str, payload: &[u8]) -> u64 {
    let seen = |app: &App| app.rows().into_iter().filter(|row| row.kind == "publish").map(|row| row.seq).max();
    let before = seen(app);
    let mut child = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "1", "-t", topic, "-s"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(payload).unwrap();
    assert!(child.wait().unwrap().success());
    eventually("the event", async || seen(app).filter(|seq| Some(*seq) != before)).await
}

async fn read(app: &App, seq: u64, decoder: Value) -> DecodedEvent {
    app.call("decode.event", json!({"seq": seq, "decoder": decoder})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_and_schemas_read_payloads_and_are_kept() {
    let (broker, app) = watched().await;
    let temp = publish(&broker, &app, "plant/1/temp", b"{\"temp\":21.5,\"id\":12345678901234567890123}").await;
    let plain = read(&app, temp, Value::Null).await;
    assert_eq!(plain.choice.words, "no rule: text is a valid JSON object");
    assert_eq!((plain.numbers[0].path.as_str(), plain.numbers[0].number), ("$.temp", 21.5));
    assert_eq!(path::find(&plain.decoded.unwrap().root, "$.id").unwrap().value, "12345678901234567890123");
    let chosen = read(&app, temp, json!({"kind": "cbor"})).await;
    assert_eq!((chosen.choice.words.as_str(), chosen.decoded.is_none()), ("chosen by you", true));

    let text = "syntax = \"proto3\";\nmessage Reading { double temp = 1; string unit = 2; }\n";
    let draft = |text: &str| json!({"id": null, "name": "Plant", "source": {"kind": "proto", "files": [{"name": "plant.proto", "text": text}]}});
    let wrong = app.try_call("decode.saveSchema", draft(&text.replace("= 2", "2"))).await.unwrap_err();
    assert_eq!(wrong.problems[0].field, "source.files.0.text");
    assert!(wrong.problems[0].message.starts_with("Line 2, column 48: "), "{:?}", wrong.problems);
    let schema: SchemaView = app.call("decode.saveSchema", draft(text)).await;
    assert_eq!(schema.messages, ["Reading"]);
    let twin = app.try_call("decode.saveSchema", draft(text)).await.unwrap_err();
    assert_eq!(twin.problems[0].field, "name");

    let bind = |filter: &str, message: &str| json!({"id": null, "filter": filter, "decoder": {"kind": "protobuf", "schema": schema.id, "message": message}});
    let wrong = app.try_call("decode.saveBinding", bind("plant/#/x", "Other")).await.unwrap_err();
    let fields: Vec<&str> = wrong.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["filter", "decoder.message"]);
    let bound: Binding = app.call("decode.saveBinding", bind("plant/+/raw", "Reading")).await;
    let _: Binding =
        app.call("decode.saveBinding", json!({"id": null, "filter": "plant/#", "decoder": {"kind": "hex"}})).await;
    let used = app.try_call("decode.deleteSchema", json!({"id": schema.id})).await.unwrap_err();
    assert_eq!(used.users, ["plant/+/raw"]);

    let raw = publish(&broker, &app, "plant/1/raw", b"\x09\x00\x00\x00\x00\x00\x80\x35\x40\x12\x01C").await;
    let later = publish(&broker, &app, "plant/1/raw", b"\x09\x00\x00\x00\x00\x00\x80\x36\x40\x12\x01C").await;
    let read_raw = read(&app, raw, Value::Null).await;
    assert_eq!(read_raw.choice.words, "bound to plant/+/raw");
    assert_eq!(path::number(&read_raw.decoded.unwrap().root, "$.temp"), Some(21.5));
    assert_eq!(read(&app, temp, Value::Null).await.choice.words, "bound to plant/#");
    let broken = read(&app, temp, json!({"kind": "gzip"})).await;
    assert_eq!(broken.error.unwrap().message, "At byte 0: neither gzip (1f 8b) nor zlib (78 …) begins here.");

    let diff: Diff = app.call("decode.diff", json!({"left": raw, "right": later, "decoder": null})).await;
    let changed: Vec<&str> =
        diff.lines.iter().filter(|line| line.left != line.right).map(|line| &*line.place).collect();
    assert_eq!(changed, ["$.temp"]);
    let connected = app.rows().into_iter().find(|row| row.kind == "connected").unwrap().seq;
    let none = app.try_call("decode.event", json!({"seq": connected, "decoder": null})).await.unwrap_err();
    assert_eq!(none.message, "This event has no payload.");

    // Other files in the same place: what is bound goes on with them, and must be in them.
    let replaced = |text: &str| {
        let mut draft = draft(text);
        draft["id"] = json!(schema.id);
        draft
    };
    let other = "syntax = \"proto3\"; message Other { double temp = 1; }";
    let lacking = app.try_call("decode.saveSchema", replaced(other)).await.unwrap_err();
    assert!(lacking.problems[0].message.contains("plant/+/raw is bound to “Reading”"), "{lacking:?}");
    let renamed = "syntax = \"proto3\"; message Reading { double degrees = 1; string unit = 2; }";
    let _: SchemaView = app.call("decode.saveSchema", replaced(renamed)).await;
    let read_raw = read(&app, raw, Value::Null).await;
    assert_eq!(path::number(&read_raw.decoded.unwrap().root, "$.degrees"), Some(21.5));

    let app = App::start_in(app.stop().await).await;
    let kept: Vec<Binding> = app.call("decode.bindings", ()).await;
    assert_eq!(kept.iter().map(|binding| binding.filter.as_str()).collect::<Vec<_>>(), ["plant/#", "plant/+/raw"]);
    let stored: Schema = app.call("decode.schema", json!({"id": schema.id})).await;
    assert_eq!(stored.name, "Plant");
    let _: Value = app.call("decode.deleteBinding", json!({"id": bound.id})).await;
    let _: Value = app.call("decode.deleteSchema", json!({"id": schema.id})).await;
    assert!(app.call::<Vec<SchemaView>>("decode.schemas", ()).await.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_payloads_are_given_by_lines_copied_and_saved_whole() {
    let (broker, app) = watched().await;
    let first = publish(&broker, &app, "plant/1/log", b"[1,2]").await;
    let items: Vec<String> = (0..400_000).map(|at| format!("\"v{at:07}\"")).collect();
    let large = format!("[{}]", items.join(","));
    assert!(large.len() > 4_000_000);
    let seq = publish(&broker, &app, "plant/1/log", large.as_bytes()).await;
    let event = read(&app, seq, Value::Null).await;
    let decoded = event.decoded.unwrap();
    assert_eq!((event.previous, decoded.shown, decoded.total), (Some(first), 10_000, 400_001));
    assert!(!decoded.notes.is_empty(), "what was cut is said");

    let lines = |form: &str, from: u32| json!({"seq": seq, "decoder": null, "form": form, "columns": 80, "from": from, "count": 3});
    let pretty: PayloadLines = app.call("decode.lines", lines("pretty", 1_000)).await;
    assert_eq!(pretty.lines[0], "  \"v0000999\",");
    let hex: PayloadLines = app.call("decode.lines", lines("hex", large.len() as u32 / 16)).await;
    assert_eq!(
        (hex.total as usize, hex.lines.len()),
        (large.len().div_ceil(16), hex.total as usize - large.len() / 16)
    );

    let copy = |seq: u64, form: &str| json!({"seq": seq, "decoder": null, "form": form});
    let copied: Copied = app.call("decode.copy", copy(seq, "text")).await;
    assert_eq!(copied.text, large);
    let none = app.try_call("decode.copy", copy(seq, "mosquittoPub")).await.unwrap_err();
    assert!(none.message.contains("save it as a file"), "{}", none.message);
    let command: Copied = app.call("decode.copy", copy(first, "mosquittoPub")).await;
    let expected = format!("mosquitto_pub -h 127.0.0.1 -p {} -t plant/1/log -q 1 -m '[1,2]'", broker.port);
    assert_eq!(command.text, expected);
    let base64: Copied = app.call("decode.copy", copy(first, "base64")).await;
    assert_eq!((base64.text.as_str(), base64.words.as_str()), ("WzEsMl0=", "Copied 5 bytes as Base64."));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sparkplug_data_has_the_names_of_the_births_before() {
    let (broker, app) = watched().await;
    // Metrics: alias 2 with a value; the birth tells its name and type.
    let data = b"\x12\x07\x10\x02\x65\x00\x00\xac\x41";
    let birth = b"\x12\x0f\x0a\x04Temp\x10\x02\x20\x09\x65\x00\x00\xa4\x41";
    let before = publish(&broker, &app, "spBv1.0/G/NDATA/E", data).await;
    publish(&broker, &app, "spBv1.0/G/NBIRTH/E", birth).await;
    let after = publish(&broker, &app, "spBv1.0/G/NDATA/E", data).await;
    let (before, after) = (read(&app, before, Value::Null).await, read(&app, after, Value::Null).await);
    assert_eq!(after.choice.words, "no rule: the topic is one of Sparkplug B");
    assert_eq!(path::number(&after.decoded.unwrap().root, "$.metrics.Temp"), Some(21.5));
    assert_eq!(path::number(&before.decoded.unwrap().root, "$.metrics{alias 2}"), Some(21.5));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_were_cut_are_compared_as_far_as_both_are_known() {
    let app = App::start().await;
    let line = |payload: &str, size: usize| {
        let at = "2026-11-21T14:03:00Z";
        json!({"at": at, "kind": "publish", "topic": "plant/1", "payload": payload, "size": size}).to_string() + "\n"
    };
    let lines = line("{\"t\":21,", 9_000) + &line("{\"t\":21,\"u\":2}", 14) + &line("{\"t\":22,", 9_000);
    let recording = crate::recordings::import(&app, lines.as_bytes()).await;
    let request = json!({"view": null, "line": "", "look": "feed", "recording": recording.number});
    let view = app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view;
    let rows: Rows = app.call("feed.rows", json!({"view": view, "from": 0, "count": 3})).await;
    let [third, second, first] = [0, 1, 2].map(|at: usize| rows.rows[at].seq);
    let diff = async |left: u64, right: u64, decoder: Value| -> Diff {
        app.call("decode.diff", json!({"left": left, "right": right, "decoder": decoder})).await
    };
    let shorter = diff(first, second, Value::Null).await;
    assert!(
        shorter.lines.iter().all(|line| line.left == line.right),
        "what was not kept is no difference: {shorter:?}"
    );
    let said = [
        "Of the message it is compared with, only the first 8 of 9,000 bytes were kept.",
        "Compared: the first 8 bytes, undecoded. What follows is not known.",
        "They differ in size: 9,000 bytes and 14 bytes.",
    ];
    assert_eq!((shorter.same, &shorter.notes[..]), (false, &said.map(str::to_owned)[..]));
    let cut = diff(first, third, json!({"kind": "hex"})).await;
    assert!(!cut.same && cut.notes.len() == 3 && cut.lines[0].place == "00000000", "{cut:?}");
    app.stop().await;
}
