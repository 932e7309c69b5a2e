//! A damaged queue.db: set aside, and what stands on intact pages is taken over and delivered.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::sink::{Reply, Sink};
use relayscope_domain::id::RelayId;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use sqlx::SqlitePool;
use std::collections::HashSet;
use std::path::Path;

const MESSAGES: usize = 6_000;
const LETTERS: usize = 3_000;
const PAGE: usize = 4_096;

async fn database(folder: &Path) -> SqlitePool {
    SqlitePool::connect(&format!("sqlite://{}", folder.join("queue.db").display())).await.unwrap()
}

/// A stopped engine's folder with a relay for which messages wait and letters lie.
async fn filled(sink: &Sink) -> (tempfile::TempDir, RelayId) {
    let app = App::start().await;
    // Nobody listens there: only what waits already is delivered.
    let saved = app.broker(1, |_| {}).await;
    let relay = app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await.relay.id;
    let folder = app.stop().await;
    let pool = database(folder.path()).await;
    let mut transaction = pool.begin().await.unwrap();
    let padding = "x".repeat(180);
    for number in 0..MESSAGES {
        sqlx::query(
            "INSERT INTO queue (id, relay_id, message_id, topic, payload, qos, retain, received_at)
             VALUES (?, ?, ?, ?, ?, 1, 0, 1700000000000)",
        )
        // As after long use: the first numbers are gone.
        .bind(1_000_000 + number as i64)
        .bind(relay.0.as_bytes().as_slice())
        .bind(uuid::Uuid::now_v7().as_bytes().as_slice())
        .bind(format!("load/{}", number % 20))
        .bind(format!("{number}:{padding}").into_bytes())
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    for number in 0..LETTERS {
        sqlx::query(
            "INSERT INTO dead_letters (relay_id, message_id, topic, payload, qos, retain, received_at, died_at, attempts,
             reason, status, answer) VALUES (?, ?, 'load/x', ?, 1, 0, 1700000000000, 1700000000001, 3, 'refused', 400, 'no')",
        )
        .bind(relay.0.as_bytes().as_slice())
        .bind(uuid::Uuid::now_v7().as_bytes().as_slice())
        .bind(format!("{number}:{padding}").into_bytes())
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    sqlx::query("INSERT OR REPLACE INTO ledger (relay_id, received, delivered, waiting, dead) VALUES (?, ?, 5, ?, ?)")
        .bind(relay.0.as_bytes().as_slice())
        .bind((MESSAGES + LETTERS + 5) as i64)
        .bind(MESSAGES as i64)
        .bind(LETTERS as i64)
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&pool).await.unwrap();
    pool.close().await;
    (folder, relay)
}

/// Overwrites every `nth` leaf page of tables that holds messages; returns the numbers of those that stood there.
fn damage(path: &Path, nth: usize) -> HashSet<usize> {
    const TABLE_LEAF: u8 = 0x0d;
    let mut file = std::fs::read(path).unwrap();
    let (mut lost, mut leaves) = (HashSet::new(), 0);
    for page in file.chunks_mut(PAGE).skip(1) {
        let numbers = numbers_in(page);
        if page[0] != TABLE_LEAF || numbers.is_empty() {
            continue;
        }
        leaves += 1;
        if leaves % nth == 1 {
            lost.extend(numbers);
            page.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 % 251) as u8 | 0x80);
        }
    }
    assert!(leaves > 100 && !lost.is_empty(), "{leaves} leaves");
    std::fs::write(path, file).unwrap();
    lost
}

/// The numbers of messages on a page: they stand before the padding.
fn numbers_in(page: &[u8]) -> Vec<usize> {
    let mark = b":xxxxxxxx";
    page.windows(mark.len())
        .enumerate()
        .filter(|(_, window)| window == mark)
        .map(|(at, _)| {
            let digits = page[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(&page[at - digits..at]).unwrap().parse().unwrap()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_on_intact_pages_of_a_damaged_queue_are_delivered() {
    let sink = Sink::start().await;
    let (folder, _) = filled(&sink).await;
    let path = folder.path().join("queue.db");
    let before = std::fs::read(&path).unwrap();
    damage(&path, 12);
    let damaged = std::fs::read(&path).unwrap();
    assert_ne!(before, damaged);
    // Which messages and letters stand on the pages left is read from the bytes, not from SQLite.
    let pages = damaged.chunks(PAGE).filter(|page| page[0] == 0x0d);
    let intact: Vec<usize> = pages.flat_map(numbers_in).collect();

    let app = App::start_in(folder).await;
    let info: AppInfo = app.call("app.info", ()).await;
    let notice = info.notices.iter().find(|notice| notice.contains("queue")).unwrap();
    assert!(notice.contains("set aside as") && notice.contains("were taken over"), "{notice}");
    assert!(notice.contains("could not be read and count as dropped"), "{notice}");
    let status = eventually("everything to be delivered", async || {
        let status = app.relay_status().await;
        assert_eq!(status.ledger_difference, 0, "{:?}", status.ledger);
        (status.ledger.delivered > 5 && status.ledger.waiting + status.ledger.in_flight == 0).then_some(status)
    })
    .await;
    let ledger = status.ledger;
    let (delivered, dead) = (ledger.delivered as usize - 5, ledger.dead as usize);
    assert_eq!(delivered + dead, intact.len(), "{ledger:?}");
    assert_eq!(ledger.received as usize, MESSAGES + LETTERS + 5);
    assert_eq!(ledger.dropped as usize, MESSAGES + LETTERS - intact.len());
    assert!(notice.contains(&format!("{delivered} waiting messages and {dead} dead letters")), "{notice}");

    // Each once, each topic in order, whole.
    let mut last = [None; 20];
    for taken in sink.taken() {
        let number: usize = taken.value.split(':').next().unwrap().parse().unwrap();
        assert_eq!(taken.value.len(), number.to_string().len() + 181);
        assert_eq!(taken.topic, format!("load/{}", number % 20));
        assert!(last[number % 20] < Some(number), "{number} came out of order");
        last[number % 20] = Some(number);
    }
    assert_eq!(sink.count(), delivered);

    let all = json!({"relayId": null, "text": "", "status": null});
    let letters: Letters =
        app.call("queue.letters", json!({"filter": all, "before": null, "skip": 0, "count": 1})).await;
    assert_eq!((letters.total as usize, letters.letters[0].reason.as_str()), (dead, "refused"));
    let aside: Vec<_> = std::fs::read_dir(app.folder.path())
        .unwrap()
        .flatten()
        .filter(|file| {
            file.file_name().to_string_lossy().ends_with(".db")
                && file.file_name().to_string_lossy().contains("damaged")
        })
        .collect();
    assert_eq!(std::fs::read(aside[0].path()).unwrap(), damaged, "the damaged file is kept as it was");

    // The new file is whole: the next start has nothing to say.
    let app = App::start_in(app.stop().await).await;
    let info: AppInfo = app.call("app.info", ()).await;
    assert!(info.notices.is_empty(), "{:?}", info.notices);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_queue_without_a_header_nothing_can_be_read_and_relaying_goes_on() {
    let sink = Sink::start().await;
    sink.rule(|_| Reply::Take);
    let (folder, _) = filled(&sink).await;
    let path = folder.path().join("queue.db");
    let mut file = std::fs::read(&path).unwrap();
    file[..PAGE].fill(0x5a);
    std::fs::write(&path, &file).unwrap();
    let app = App::start_in(folder).await;
    let info: AppInfo = app.call("app.info", ()).await;
    assert!(info.notices.iter().any(|notice| notice.contains("Nothing could be read of it")), "{:?}", info.notices);
    let relays: Vec<Value> = app.call("relays.list", ()).await;
    assert_eq!(relays.len(), 1);
    assert_eq!(app.relay_status().await.ledger_difference, 0);
    app.stop().await;
}
