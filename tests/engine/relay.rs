//! The main job, end to end: messages of a real broker reach the destination, exactly once, in order, byte for byte, and
//! the ledger says so.

use crate::support::engine::{App, local};
use crate::support::eventually;
use crate::support::load::Load;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::sink::{Reply, Sink, check_order};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::process::Command;

/// Room for bursts at the publisher's full speed; what a stock broker drops is another matter.
const ROOM: &str = "max_queued_messages 0\nmax_inflight_messages 1000\n";

pub(crate) fn roomy() -> Mosquitto {
    Mosquitto::start(&Setup { extra: ROOM.into(), ..Setup::default() })
}

fn balanced(status: &RelayStatus, received: u64) {
    let ledger = status.ledger;
    assert_eq!(
        (ledger.received, ledger.delivered, ledger.waiting, ledger.in_flight),
        (received, received, 0, 0),
        "{ledger:?}"
    );
    assert_eq!((ledger.dead, ledger.dropped, status.ledger_difference), (0, 0, 0), "{ledger:?}");
}

async fn ten_thousand(version: &str) {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |draft| draft["version"] = json!(version)).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
    app.connected(1).await;
    Load::new(broker.port, 100, 100).run().await;
    let status = app.delivered(10_000).await;
    balanced(&status, 10_000);
    let taken = sink.taken();
    assert_eq!((taken.len(), check_order(&taken, 100, 100)), (10_000, 0));
    assert!(taken.iter().all(|one| one.qos == 1 && one.value.len() == 200));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_arrive_once_and_in_order_with_mqtt_5() {
    ten_thousand("5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_arrive_once_and_in_order_with_mqtt_3_1_1() {
    ten_thousand("3.1.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_reach_the_stand_in() {
    let broker = roomy();
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &local(), &[("load/#", 1)]).await;
    app.connected(1).await;
    Load::new(broker.port, 100, 100).run().await;
    balanced(&app.delivered(10_000).await, 10_000);
    in_the_bucket(&app).await;
    app.stop().await;
}

/// 100 devices with 100 values each, newest first.
async fn in_the_bucket(app: &App) {
    let devices: Vec<BucketDevice> = app.call("bucket.devices", ()).await;
    assert_eq!(devices.len(), 100);
    for device in devices {
        let rows: BucketRows = app.call("bucket.rows", json!({"serial": device.serial, "from": 0, "count": 500})).await;
        assert_eq!(rows.total, 100, "{}", device.serial);
        for (at, row) in rows.rows.iter().enumerate() {
            assert!(
                row.value.starts_with(&format!("{}-{}:", device.serial, 99 - at)),
                "{} row {at}: {}",
                device.serial,
                row.value
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_through_the_embedded_broker() {
    let app = App::start().await;
    let blank: Value = app.call("app.blank", ()).await;
    let mut draft = blank["broker"].clone();
    draft["name"] = json!("inside");
    draft["embedded"] = json!(true);
    draft["port"] = json!("18830");
    let saved: BrokerView = app.call("brokers.save", draft).await;
    let device = app.token("gateway", "device", &local(), "").await;
    let password: Revealed = app.call("tokens.reveal", json!({"id": device.token.id})).await;
    app.relay("Plant", &saved, &local(), &[("load/#", 1)]).await;
    app.connected(1).await;
    let address = app.status().await.brokers.remove(0).address;
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    let login = Some(("Token".to_owned(), password.value));
    Load { login, ..Load::new(port, 100, 100) }.run().await;
    balanced(&app.delivered(10_000).await, 10_000);
    in_the_bucket(&app).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_2_arrives_exactly_once() {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 2)]).await;
    app.connected(1).await;
    Load { qos: rumqttc::QoS::ExactlyOnce, ..Load::new(broker.port, 10, 50) }.run().await;
    balanced(&app.delivered(500).await, 500);
    assert_eq!(check_order(&sink.taken(), 10, 50), 0);
    assert!(sink.taken().iter().all(|one| one.qos == 2));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_arrive_byte_for_byte() {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
    app.connected(1).await;
    let binary: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..1_048_576).map(|at: usize| b'a' + (at % 26) as u8).collect();
    let large_binary: Vec<u8> = (0..1_000_000).map(|at: usize| (at * 7 % 251) as u8 | 0x80).collect();
    let payloads: [&[u8]; 6] = [&binary, b"", &large, "é \"q\" \\ \u{1f600}\n".as_bytes(), &large_binary, b"\0"];
    for (at, payload) in payloads.iter().enumerate() {
        let file = app.folder.path().join(format!("payload-{at}"));
        std::fs::write(&file, payload).unwrap();
        let mut publish = Command::new("mosquitto_pub");
        publish.args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "1", "-t", &format!("load/{at}")]);
        // An empty file publishes nothing; -n publishes nothing at all, as a message.
        if payload.is_empty() {
            publish.arg("-n")
        } else {
            publish.arg("-f").arg(&file)
        };
        assert!(publish.status().unwrap().success());
    }
    balanced(&app.delivered(payloads.len() as u64).await, payloads.len() as u64);
    for taken in sink.taken() {
        let at: usize = taken.topic.rsplit('/').next().unwrap().parse().unwrap();
        let expected = match std::str::from_utf8(payloads[at]) {
            Ok(text) => text.to_owned(),
            Err(_) => payloads[at].iter().map(|byte| format!("{byte:02X}")).collect(),
        };
        assert!(
            taken.value == expected,
            "payload {at} differs: {} against {} characters",
            taken.value.len(),
            expected.len()
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_carry_both_tokens_and_nothing_shows_them() {
    let broker = roomy();
    let sink = Sink::start().await;
    sink.rule(|topic| if topic == "load/bad" { Reply::Answer(400, "no such device", vec![]) } else { Reply::Take });
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
    app.connected(1).await;
    for topic in ["load/good", "load/bad", "load/good"] {
        publish(&broker, topic, "1");
    }
    app.delivered(2).await;
    let tokens: Vec<TokenView> = app.call("tokens.list", ()).await;
    let mut values = vec![];
    for token in &tokens {
        values.push(app.call::<Revealed>("tokens.reveal", json!({"id": token.token.id})).await.value);
    }
    let (path, header) = sink.asked().remove(0);
    assert_eq!(path, format!("/integration/network/data?authorization_token={}", values[1]));
    assert_eq!(header, values[0]);
    let all = json!({"relayId": null, "text": "", "status": null});
    let letters: Letters =
        app.call("queue.letters", json!({"filter": all, "before": null, "skip": 0, "count": 10})).await;
    assert_eq!(
        (letters.total, letters.letters[0].topic.as_str(), letters.letters[0].status),
        (1, "load/bad", Some(400))
    );
    assert!(letters.letters[0].reason.contains("no such device"), "{:?}", letters.letters[0].reason);
    let status = app.relay_status().await;
    assert_eq!((status.ledger.received, status.ledger.delivered, status.ledger.dead), (3, 2, 1));
    assert_eq!(status.ledger_difference, 0);
    let folder = app.folder.path().to_owned();
    let letter: LetterDetail = app.call("queue.letter", json!({"id": letters.letters[0].id})).await;
    let shown = format!("{:?} {status:?} {tokens:?} {letters:?} {letter:?}", app.rows());
    for value in &values {
        assert!(!shown.contains(value), "a token is shown");
    }
    let folder_kept = app.stop().await;
    for file in std::fs::read_dir(folder).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for value in &values {
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "a token stands in clear in {:?}", file.file_name());
        }
    }
    drop(folder_kept);
}

fn publish(broker: &Mosquitto, topic: &str, message: &str) {
    let status = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "1", "-t", topic, "-m", message])
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_a_messages_journey_in_order() {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1), ("other/+", 0)]).await;
    app.connected(2).await;
    publish(&broker, "load/1", "{\"temp\": 21.50}");
    app.delivered(1).await;
    let rows = app.rows();
    let find =
        |kind: &str| rows.iter().find(|row| row.kind == kind).unwrap_or_else(|| panic!("no {kind} in {rows:#?}"));
    assert!(find("connected").preview.starts_with("MQTT 5"), "{:?}", find("connected"));
    assert_eq!((find("subscribe").topic.as_str(), find("subscribe").preview.as_str()), ("load/#", "granted QoS 1"));
    let published = find("publish");
    assert_eq!((published.topic.as_str(), published.size, published.qos), ("load/1", Some(15), Some(1)));
    assert!(find("delivered").preview.starts_with("200 in "), "{:?}", find("delivered"));
    let detail: EventDetail = app.call("feed.event", json!({"seq": published.seq})).await;
    assert_eq!(detail.title, "[MQTT] Device publish");
    let shown = json!({"seq": published.seq, "decoder": null, "form": "shown"});
    assert_eq!(app.call::<Copied>("decode.copy", shown).await.text, "{\n  \"temp\": 21.50\n}");
    let steps: Vec<String> = detail.journey.into_iter().map(|step| step.words).collect();
    // It may have been delivered before it had to be written, and the disk may have been quicker.
    let posts: Vec<&String> = steps.iter().filter(|step| *step != "on disk, acknowledged").collect();
    assert_eq!(posts, ["received", "POST 1"]);
    sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
    publish(&broker, "load/2", "2");
    let row = eventually("it to be on disk", async || {
        app.rows().into_iter().find(|row| row.kind == "queued" && row.topic == "load/2")
    })
    .await;
    sink.rule(|_| Reply::Take);
    app.delivered(2).await;
    let detail: EventDetail = app.call("feed.event", json!({"seq": row.seq})).await;
    let steps: Vec<String> = detail.journey.into_iter().map(|step| step.words).collect();
    assert_eq!(steps[0], "received");
    assert!(steps.contains(&"on disk, acknowledged".to_owned()) && steps.contains(&"POST 1".to_owned()), "{steps:?}");
    app.stop().await;
    drop(broker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_filters_are_all_subscribed_and_overlaps_are_harmless() {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let filters: Vec<String> = (0..100).map(|at| format!("load/{at}")).collect();
    let filters: Vec<(&str, u8)> = filters.iter().map(|filter| (filter.as_str(), 1)).collect();
    app.relay("Plant", &saved, &sink.region(), &filters).await;
    app.connected(100).await;
    Load::new(broker.port, 100, 1).run().await;
    balanced(&app.delivered(100).await, 100);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn editing_a_running_relay_restarts_only_that_relay() {
    let broker = roomy();
    let sink = Sink::start().await;
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let first = app.relay("First", &saved, &sink.region(), &[("load/1", 1)]).await;
    app.relay("Second", &saved, &sink.region(), &[("load/2", 1)]).await;
    let running = |name: &'static str| {
        let app = &app;
        async move {
            eventually("both relays to be connected", async || {
                let relays: Vec<RelayView> = app.call("relays.list", ()).await;
                let status = app.status().await;
                let here = status.relays.iter().all(|relay| relay.broker.words == "connected");
                (here && relays.iter().all(|relay| relay.grants.len() == relay.relay.mappings.len())).then_some(())
            })
            .await;
            app.rows().iter().filter(|row| row.kind == "connected" && row.client == name).count()
        }
    };
    assert_eq!((running("First").await, running("Second").await), (1, 1));
    let mut draft = serde_json::to_value(&first.draft).unwrap();
    draft["mappings"] = json!([{"filter": "load/3", "qos": 1, "enabled": true}]);
    let _: RelayView = app.call("relays.save", draft).await;
    eventually("the first relay to come back", async || (running("First").await == 2).then_some(())).await;
    assert_eq!(running("Second").await, 1);
    // The old filter is given up at the broker, whose session was kept.
    publish(&broker, "load/1", "old");
    publish(&broker, "load/3", "new");
    eventually("the new filter's message", async || sink.taken().iter().any(|one| one.value == "new").then_some(()))
        .await;
    assert!(sink.taken().iter().all(|one| one.value != "old"), "{:?}", sink.taken());
    app.stop().await;
}
