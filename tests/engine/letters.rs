//! Dead letters: listed, filtered, edited, sent again, discarded, taken back, exported. The ledger balances throughout.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::load::Load;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::sink::{Reply, Sink, check_order};
use relayscope_engine::api::wire::*;
use relayscope_engine::queue::Queue;
use serde_json::{Value, json};
use sqlx::SqlitePool;
use std::path::Path;
use std::time::Duration;

fn everything() -> Value {
    json!({"relayId": null, "text": "", "status": null})
}

fn with_text(text: &str) -> Value {
    json!({"relayId": null, "text": text, "status": null})
}

async fn list(app: &App, filter: &Value, before: Option<i64>, skip: u32, count: u32) -> Letters {
    let request = json!({"filter": filter, "before": before, "skip": skip, "count": count});
    app.call("queue.letters", request).await
}

/// All letters of a filter that are there now.
async fn all_of(app: &App, filter: &Value) -> Value {
    let upto = list(app, filter, None, 0, 0).await.newest;
    json!({"kind": "matching", "filter": filter, "upto": upto, "except": []})
}

fn broker() -> Mosquitto {
    Mosquitto::start(&Setup { extra: "max_queued_messages 0\nmax_inflight_messages 1000\n".into(), ..Setup::default() })
}

/// A running relay whose destination refuses everything for good: `topics` × `each` dead letters.
async fn refused(broker: &Mosquitto, sink: &Sink, topics: usize, each: usize) -> App {
    sink.rule(|topic| match topic {
        "load/1" => Reply::Answer(422, "No parser for this device", vec![]),
        _ => Reply::Answer(400, "Fehler: ungültiges Gerät", vec![]),
    });
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
    app.connected(1).await;
    Load { size: 20, ..Load::new(broker.port, topics, each) }.run().await;
    dead(&app, (topics * each) as u64).await;
    app
}

/// Waits until the only relay has this many dead letters and nothing else on its way; the ledger balances.
async fn dead(app: &App, count: u64) -> RelayStatus {
    eventually(&format!("{count} dead letters"), async || {
        let status = app.relay_status().await;
        assert_eq!(status.ledger_difference, 0, "{:?}", status.ledger);
        let ledger = status.ledger;
        (ledger.dead == count && ledger.waiting + ledger.in_flight == 0).then_some(status)
    })
    .await
}

async fn database(folder: &Path) -> SqlitePool {
    SqlitePool::connect(&format!("sqlite://{}", folder.join("queue.db").display())).await.unwrap()
}

/// The ledger as the database has it agrees with the rows.
async fn check_ledger(folder: &Path) {
    let pool = database(folder).await;
    let row: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT l.received - l.delivered - l.waiting - l.dead - l.dropped - l.filtered,
                l.waiting - (SELECT count(*) FROM queue q WHERE q.relay_id = l.relay_id),
                l.dead - (SELECT count(*) FROM dead_letters d WHERE d.relay_id = l.relay_id AND d.discarded_at IS NULL),
                (SELECT count(*) FROM ledger)
         FROM ledger l",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(row, (0, 0, 0, 1));
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_by_key_and_filtered_by_relay_text_and_status() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 3, 10).await;
    let page = list(&app, &everything(), None, 0, 7).await;
    assert_eq!((page.total, page.length, page.letters.len()), (30, 30, 7));
    assert_eq!(page.newest, page.letters[0].id);
    let (mut seen, mut before) = (vec![], None);
    loop {
        let page = list(&app, &everything(), before, 0, 7).await;
        let Some(last) = page.letters.last() else { break };
        before = Some(last.id);
        seen.extend(page.letters.iter().map(|row| row.id));
    }
    assert_eq!(seen.len(), 30);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    let skipped = list(&app, &everything(), Some(seen[3]), 5, 2).await;
    assert_eq!((skipped.length, skipped.letters[0].id, skipped.letters.len()), (26, seen[9], 2));

    let row = &page.letters[0];
    assert_eq!((row.relay.as_str(), row.attempts, row.edited, row.size), ("Plant", 1, false, 20));
    assert!(row.died_at >= row.received_at && row.preview.ends_with("xxxx"), "{row:?}");
    let statuses: Vec<_> = page.statuses.iter().map(|count| (count.status, count.count)).collect();
    assert_eq!(statuses, [(LetterStatus::Code { code: 400 }, 20), (LetterStatus::Code { code: 422 }, 10)]);

    for (text, count) in [("LOAD/2", 10), ("ungültiges GERÄT", 20), ("0-7:XX", 1), ("no parser", 10), ("load/?", 0)] {
        let page = list(&app, &with_text(text), None, 0, 50).await;
        assert_eq!((page.total, page.letters.len()), (count, count as usize), "{text}");
    }
    let status = json!({"relayId": null, "text": "load", "status": {"kind": "code", "code": 422}});
    let page = list(&app, &status, None, 0, 50).await;
    assert_eq!(page.total, 10);
    assert!(page.letters.iter().all(|row| row.topic == "load/1" && row.status == Some(422)));
    assert_eq!(page.statuses.len(), 2, "the choice of statuses stays");
    let none = json!({"relayId": null, "text": "", "status": {"kind": "noAnswer"}});
    assert_eq!(list(&app, &none, None, 0, 50).await.total, 0);
    let relay = app.relay_status().await.id;
    let of = json!({"relayId": relay, "text": "", "status": null});
    assert_eq!(list(&app, &of, None, 0, 50).await.total, 30);
    let other = json!({"relayId": uuid::Uuid::new_v4(), "text": "", "status": null});
    assert_eq!(list(&app, &other, None, 0, 50).await.total, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_edited_with_problems_at_its_fields_and_sent_again() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 1, 2).await;
    let row = list(&app, &everything(), None, 0, 1).await.letters.remove(0);
    let letter: LetterDetail = app.call("queue.letter", json!({"id": row.id})).await;
    assert!(letter.relay_exists && letter.answer.contains("ungültiges"), "{letter:?}");
    assert_eq!(letter.draft.topic, "load/0");
    let draft = letter.draft.payload.unwrap();
    assert_eq!((draft.form, draft.text.as_str()), (PayloadForm::Text, letter.payload.text.as_deref().unwrap()));

    let hex: PayloadDraft = app.call("queue.rewritePayload", json!({"payload": draft, "form": "hex"})).await;
    assert!(hex.text.starts_with("30 2d 31 3a"), "{hex:?}");
    let wrong = json!({"id": row.id, "topic": "load/+", "payload": {"form": "hex", "text": "0a f"}});
    let error = app.try_call("queue.editLetter", wrong).await.unwrap_err();
    let fields: Vec<_> = error.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!((error.code, fields), (ErrorCode::Invalid, vec!["topic", "payload"]));
    let bad = json!({"id": row.id, "topic": "load/0", "payload": {"form": "base64", "text": "Y!"}});
    assert_eq!(app.try_call("queue.editLetter", bad).await.unwrap_err().problems[0].field, "payload");

    let right = json!({"id": row.id, "topic": "load/mended", "payload": {"form": "hex", "text": "34 32"}});
    let edited: LetterDetail = app.call("queue.editLetter", right).await;
    assert!(edited.row.edited && edited.payload.text.as_deref() == Some("42"), "{edited:?}");
    let kept = json!({"id": row.id, "topic": "load/mended", "payload": null});
    let edited: LetterDetail = app.call("queue.editLetter", kept).await;
    assert_eq!(edited.payload.text.as_deref(), Some("42"));

    sink.rule(|_| Reply::Take);
    let moved: LettersMoved = app.call("queue.resend", json!({"kind": "these", "ids": [row.id]})).await;
    assert_eq!((moved.count, moved.tone), (1, Tone::Ok));
    let status = app.delivered(1).await;
    assert_eq!((status.ledger.dead, status.ledger.delivered, status.ledger_difference), (1, 1, 0));
    let taken = sink.taken();
    assert_eq!((taken[0].topic.as_str(), taken[0].value.as_str()), ("load/mended", "42"));
    // One message, one journey: what a person did stands in it, and attempts begin anew.
    let rows = app.rows();
    let delivered = rows.iter().find(|row| row.kind == "delivered").unwrap();
    assert_eq!(delivered.message_id, Some(letter.message_id));
    let event: EventDetail = app.call("feed.event", json!({"seq": delivered.seq})).await;
    let steps: Vec<String> = event.journey.iter().map(|step| format!("{}: {}", step.words, step.detail)).collect();
    let at = |text: &str| steps.iter().position(|step| step.contains(text)).unwrap_or_else(|| panic!("{steps:?}"));
    assert!(at("dead letter") < at("Edited by you") && at("Edited by you") < at("Sent again by you"), "{steps:?}");
    assert!(steps.last().unwrap().starts_with("POST 1: 200"), "{steps:?}");

    let gone = app.try_call("queue.letter", json!({"id": row.id})).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
    let gone = app.try_call("queue.resend", json!({"kind": "these", "ids": [row.id]})).await.unwrap_err();
    assert!(gone.message.contains("sent again or discarded"), "{gone:?}");
    check_ledger(app.stop().await.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_letters_of_a_filter_are_sent_again_in_their_order() {
    const TOPICS: usize = 8;
    const EACH: usize = 150;
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, TOPICS, EACH).await;
    sink.rule(|_| Reply::Take);
    // First one topic, which also has messages that died later than the choice was made.
    let chosen = all_of(&app, &with_text("load/3")).await;
    let moved: LettersMoved = app.call("queue.resend", &chosen).await;
    assert_eq!(moved.count, EACH as u64);
    app.delivered(EACH as u64).await;
    assert!(sink.taken().iter().all(|taken| taken.topic == "load/3"));
    let moved: LettersMoved = app.call("queue.resend", all_of(&app, &everything()).await).await;
    assert_eq!(moved.count, (EACH * (TOPICS - 1)) as u64);
    let status = app.delivered((TOPICS * EACH) as u64).await;
    assert_eq!((status.ledger.dead, status.ledger.waiting, status.ledger_difference), (0, 0, 0));
    assert_eq!(check_order(&sink.taken(), TOPICS, EACH), 0);
    check_ledger(app.stop().await.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_relay_s_letters_wait_for_it() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 1, 5).await;
    let relay = app.relay_status().await.id;
    let _: Nothing = app.call("relays.act", json!({"id": relay, "action": "stop"})).await;
    eventually("the relay to stop", async || (app.relay_status().await.state.words == "stopped").then_some(())).await;
    sink.rule(|_| Reply::Take);
    let moved: LettersMoved = app.call("queue.resend", all_of(&app, &everything()).await).await;
    assert!(moved.count == 5 && moved.words.contains("They wait until Plant runs"), "{moved:?}");
    let status = app.relay_status().await;
    assert_eq!((status.ledger.waiting, status.ledger.dead, status.ledger_difference), (5, 0, 0));
    let page: Waiting =
        app.call("queue.waiting", json!({"relayId": relay, "after": null, "before": null, "count": 3})).await;
    assert_eq!((page.total, page.entries.len()), (5, 3));
    assert!(page.entries[0].preview.starts_with("0-0:") && page.entries[0].attempts == 0, "{page:?}");
    let key = page.entries[2].id;
    let next: Waiting =
        app.call("queue.waiting", json!({"relayId": relay, "after": key, "before": null, "count": 3})).await;
    assert_eq!(next.entries.len(), 2);
    let back: Waiting = app
        .call("queue.waiting", json!({"relayId": relay, "after": null, "before": next.entries[0].id, "count": 2}))
        .await;
    let ids: Vec<_> = back.entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [page.entries[1].id, page.entries[2].id]);
    let _: Nothing = app.call("relays.act", json!({"id": relay, "action": "start"})).await;
    app.delivered(5).await;
    assert_eq!(check_order(&sink.taken(), 1, 5), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discarded_letters_can_be_taken_back_for_a_while_and_are_purged_then() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 2, 10).await;
    let newest = list(&app, &with_text("load/1"), None, 0, 1).await.letters;
    let mut chosen = all_of(&app, &with_text("load/1")).await;
    let except = newest[0].id;
    chosen["except"] = json!([except]);
    let first: Discarded = app.call("queue.discard", &chosen).await;
    assert_eq!((first.count, first.until - first.undo), (9, 600_000));
    let second: Discarded = app.call("queue.discard", json!({"kind": "these", "ids": [except]})).await;
    assert!(second.undo > first.undo);
    let status = dead(&app, 10).await;
    assert_eq!((status.ledger.dropped, status.ledger_difference), (10, 0));
    assert_eq!(list(&app, &everything(), None, 0, 50).await.total, 10);
    assert!(app.rows().iter().any(|row| row.preview == "Discarded by you" && row.message_id.is_some()));

    let back: LettersMoved = app.call("queue.undoDiscard", json!({"undo": first.undo})).await;
    assert_eq!(back.count, 9);
    let status = dead(&app, 19).await;
    assert_eq!((status.ledger.dropped, status.ledger_difference), (1, 0));
    let error = app.try_call("queue.undoDiscard", json!({"undo": first.undo})).await.unwrap_err();
    assert!(error.message.contains("ten minutes"), "{error:?}");

    // What was discarded long ago is purged at the next start; the ledger does not change by that.
    let folder = app.stop().await;
    let pool = database(folder.path()).await;
    let rows = async || -> (i64, i64) {
        let sql = "SELECT count(*), count(discarded_at) FROM dead_letters";
        sqlx::query_as(sql).fetch_one(&pool).await.unwrap()
    };
    assert_eq!(rows().await, (20, 1));
    sqlx::query("UPDATE dead_letters SET discarded_at = discarded_at - 700000 WHERE discarded_at IS NOT NULL")
        .execute(&pool)
        .await
        .unwrap();
    let app = App::start_in(folder).await;
    eventually("the purge", async || (rows().await == (19, 0)).then_some(())).await;
    pool.close().await;
    let error = app.try_call("queue.undoDiscard", json!({"undo": second.undo})).await.unwrap_err();
    assert!(error.message.contains("ten minutes"), "{error:?}");
    let status = dead(&app, 19).await;
    assert_eq!((status.ledger.dropped, status.ledger_difference), (1, 0));
    check_ledger(app.stop().await.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_exported_as_they_are_and_no_file_is_overwritten() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 2, 400).await;
    let relay = app.relay_status().await.id;
    let choice = all_of(&app, &json!({"relayId": relay, "text": "", "status": null})).await;
    let export = async |format: &str| -> Exported {
        app.call("queue.export", json!({"choice": choice, "format": format})).await
    };
    let (first, second, csv) = (export("ndjson").await, export("ndjson").await, export("csv").await);
    assert_ne!(first.path, second.path);
    assert_eq!((first.count, csv.count), (800, 800));
    assert!(first.path.contains("relayscope-dead-letters-plant-2"), "{}", first.path);
    let text = std::fs::read_to_string(&first.path).unwrap();
    assert_eq!(text, std::fs::read_to_string(&second.path).unwrap());
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 800);
    assert!(objects.is_sorted_by_key(|object| object["id"].as_i64().unwrap()));
    let one = objects.iter().find(|object| object["topic"] == "load/1").unwrap();
    assert_eq!((&one["status"], &one["encoding"], &one["relay"]), (&json!(422), &json!("utf-8"), &json!("Plant")));
    assert!(one["received_at"].as_str().unwrap().ends_with('Z') && one["payload"] == "1-0:xxxxxxxxxxxxxxxx");
    let csv_text = std::fs::read_to_string(&csv.path).unwrap();
    let mut lines = csv_text.split_terminator("\r\n");
    assert!(lines.next().unwrap().starts_with("id,relay,message_id,topic,qos,"));
    assert_eq!(lines.count(), 800);
    let tokens: Vec<TokenView> = app.call("tokens.list", ()).await;
    for token in tokens {
        let value = app.call::<Revealed>("tokens.reveal", json!({"id": token.token.id})).await.value;
        assert!(!text.contains(&value) && !csv_text.contains(&value), "a token is in a file");
    }
    for file in [first, second, csv] {
        std::fs::remove_file(file.path).unwrap();
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_a_deleted_relay_stay_and_a_full_budget_lets_no_more_in() {
    let (broker, sink) = (broker(), Sink::start().await);
    let app = refused(&broker, &sink, 1, 6).await;
    let relay = app.relay_status().await.id;
    let folder = app.stop().await;
    let pool = database(folder.path()).await;
    let orphan = uuid::Uuid::new_v4();
    sqlx::query("UPDATE dead_letters SET relay_id = ? WHERE id = (SELECT min(id) FROM dead_letters)")
        .bind(orphan.as_bytes().as_slice())
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("INSERT INTO ledger (relay_id, received, dead) VALUES (?, 1, 1)")
        .bind(orphan.as_bytes().as_slice())
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("UPDATE ledger SET received = 5, dead = 5 WHERE relay_id = ?")
        .bind(relay.0.as_bytes().as_slice())
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;

    // Each costs 6 + 20 + 128 bytes: two fit, and nothing overtakes the third.
    let (queue, notices) = Queue::open(&folder.path().join("queue.db"), "test").await.unwrap();
    assert!(notices.is_empty(), "{notices:?}");
    let ids: Vec<i64> = (1..=6).collect();
    let resent = queue.resend(&ids, &[(relay, 2 * 154)].into()).await.unwrap();
    assert_eq!((resent.moved[0].messages.len(), resent.full, resent.orphans), (2, 3, 1));
    let ledger = queue.ledger(relay).await.unwrap();
    assert_eq!((ledger.waiting, ledger.dead, ledger.difference()), (2, 3, 0));
    assert_eq!(queue.count(relay).await.unwrap(), (2, 3));
    queue.close().await;

    sink.rule(|_| Reply::Take);
    let app = App::start_in(folder).await;
    app.delivered(2).await;
    let error = app.try_call("queue.resend", json!({"kind": "these", "ids": [1]})).await.unwrap_err();
    assert!(error.message.contains("the relay was deleted"), "{error:?}");
    let moved: LettersMoved = app.call("queue.resend", all_of(&app, &everything()).await).await;
    assert!(moved.count == 3 && moved.tone == Tone::Warn, "{moved:?}");
    assert!(moved.words.contains("1 letter stays here: the relay was deleted"), "{moved:?}");
    app.delivered(5).await;
    let page = list(&app, &everything(), None, 0, 10).await;
    assert_eq!((page.total, page.letters[0].relay.as_str()), (1, "(deleted relay)"));
    app.engine.shutdown(Duration::from_secs(20)).await;
}
