//! A relay's delivery rules, each with a real broker and a real HTTP server.

use crate::relay::roomy;
use crate::support::engine::App;
use crate::support::eventually;
use crate::support::load::Load;
use crate::support::mosquitto::Mosquitto;
use crate::support::sink::{Reply, Sink, check_order};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::process::Command;

/// A relay with rules of its own, connected.
async fn ruled(broker: &Mosquitto, sink: &Sink, rules: Value) -> App {
    let app = App::start().await;
    let mut settings: SettingsView = app.call("settings.get", ()).await;
    settings.settings.packet_megabytes = 1;
    let _: SettingsView = app.call("settings.save", settings.settings).await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay_with("Plant", &saved, &sink.region(), &[("load/#", 1)], rules).await;
    app.connected(1).await;
    app
}

fn publish(broker: &Mosquitto, topic: &str, message: &str, retain: bool) {
    let port = broker.port.to_string();
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", message]);
    if retain {
        command.arg("-r");
    }
    assert!(command.status().unwrap().success());
}

async fn restart(app: &App) {
    let subscribed = || app.rows().iter().filter(|row| row.kind == "subscribe").count();
    let before = subscribed();
    let relay = app.relay_status().await.id;
    let _: Nothing = app.call("relays.act", json!({"id": relay, "action": "restart"})).await;
    eventually("the relay to come back", async || (subscribed() > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_carries_waiting_messages_of_one_topic() {
    let (broker, sink) = (roomy(), Sink::start().await);
    sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
    let app = ruled(&broker, &sink, json!({"batch": "20"})).await;
    Load::new(broker.port, 5, 100).run().await;
    eventually("all to wait", async || (app.relay_status().await.ledger.received == 500).then_some(())).await;
    let before = sink.asked().len();
    sink.rule(|_| Reply::Take);
    let status = app.delivered(500).await;
    assert_eq!((status.ledger.waiting, status.ledger_difference), (0, 0));
    assert_eq!(check_order(&sink.taken(), 5, 100), 0);
    let requests = sink.asked().len() - before;
    assert!(requests < 120, "{requests} requests for 500 messages");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_end_in_a_dead_letter_with_its_request_and_the_lane_moves_on() {
    let (broker, sink) = (roomy(), Sink::start().await);
    sink.rule(|_| Reply::Answer(500, "parser failed", vec![]));
    let app = ruled(&broker, &sink, json!({"attempts": "2"})).await;
    publish(&broker, "load/0", "0-0:first", false);
    let status = eventually("the dead letter", async || {
        let status = app.relay_status().await;
        (status.ledger.dead == 1).then_some(status)
    })
    .await;
    assert_eq!((status.ledger.waiting, status.ledger_difference), (0, 0));
    let filter = json!({"relayId": null, "text": "", "status": null});
    let all = json!({"filter": filter, "before": null, "skip": 0, "count": 10});
    let letters: Value = app.try_call("queue.letters", all).await.unwrap();
    let letter = &letters["letters"][0];
    assert!(letter["reason"].as_str().unwrap().contains("given up after 2 attempts"), "{letters}");
    let detail: Value = app.try_call("queue.letter", json!({"id": letter["id"]})).await.unwrap();
    let request = detail["request"].as_str().unwrap();
    assert!(request.starts_with("POST http://") && request.contains("0-0:first"), "{request}");
    sink.rule(|_| Reply::Take);
    publish(&broker, "load/0", "0-1:second", false);
    app.delivered(1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_budget_drops_what_the_rule_says_and_counts_it() {
    for (rule, first_kept) in [("dropNewest", true), ("dropOldest", false)] {
        let (broker, sink) = (roomy(), Sink::start().await);
        sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
        let app = ruled(&broker, &sink, json!({"queueMegabytes": "1", "whenFull": rule})).await;
        Load { size: 10_000, ..Load::new(broker.port, 4, 100) }.run().await;
        let status = eventually("the budget to be used up", async || {
            let status = app.relay_status().await;
            let all = status.ledger.received == 400 && status.ledger.dropped > 0 && status.queue.bytes < 1_200_000;
            all.then_some(status)
        })
        .await;
        assert_eq!(status.ledger_difference, 0, "{rule}: {:?}", status.ledger);
        // Later ones are taken when there is room, or dropped by the same rule.
        sink.rule(|_| Reply::Take);
        let status = eventually("the rest to be delivered", async || {
            let status = app.relay_status().await;
            (status.ledger.waiting + status.ledger.in_flight == 0).then_some(status)
        })
        .await;
        let ledger = status.ledger;
        assert_eq!((ledger.delivered + ledger.dropped, status.ledger_difference), (400, 0), "{rule}");
        assert_eq!(sink.count() as u64, ledger.delivered, "{rule}: none twice");
        let kept = sink.taken().iter().filter(|taken| taken.value.contains("-0:")).count() == 4;
        assert_eq!(kept, first_kept, "{rule}: the first of each topic");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_message_is_forwarded_again_only_as_the_rule_says() {
    for (rule, expected) in [("forward", 3), ("newer", 2), ("skip", 1)] {
        let (broker, sink) = (roomy(), Sink::start().await);
        publish(&broker, "load/kept", "0-0:old", true);
        let app = App::start().await;
        // A session that is not kept gets retained messages with each connection.
        let saved = app.broker(broker.port, |draft| draft["cleanStart"] = json!(true)).await;
        app.relay_with("Plant", &saved, &sink.region(), &[("load/#", 1)], json!({"retained": rule})).await;
        app.connected(1).await;
        publish(&broker, "load/live", "0-1:live", false);
        eventually("the live one", async || sink.taken().iter().any(|taken| taken.topic == "load/live").then_some(()))
            .await;
        let before = sink.taken().iter().filter(|taken| taken.topic == "load/kept").count();
        restart(&app).await;
        publish(&broker, "load/live", "0-2:live", false);
        eventually("the second live one", async || {
            sink.taken().iter().any(|taken| taken.value == "0-2:live").then_some(())
        })
        .await;
        let kept = sink.taken().iter().filter(|taken| taken.topic == "load/kept").count();
        match expected {
            1 => assert_eq!(kept, 0, "{rule}"),
            2 => assert_eq!((before, kept), (1, 1), "{rule}"),
            _ => assert!(kept > before && before >= 1, "{rule}: {before}, then {kept}"),
        }
        let status = app.relay_status().await;
        assert_eq!(status.ledger_difference, 0);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_request_and_sends_nothing() {
    let (broker, sink) = (roomy(), Sink::start().await);
    let metadata = json!({"receivedAt": true, "messageId": true, "encoding": true, "retain": true, "relay": true});
    let app = ruled(&broker, &sink, json!({"dryRun": true, "metadata": metadata})).await;
    publish(&broker, "load/1", "21.5", false);
    let row =
        eventually("the request to be shown", async || app.rows().into_iter().find(|row| row.kind == "dry run")).await;
    let detail: EventDetail = app.call("feed.event", json!({"seq": row.seq})).await;
    let request = &detail.fields.iter().find(|field| field.label == "Request").unwrap().value;
    for part in ["POST http://", "\"value\":\"21.5\"", "\"received_at\":\"", "\"message_id\":\"", "\"relay\":\"Plant\""]
    {
        assert!(request.contains(part), "{part}: {request}");
    }
    let status = app.relay_status().await;
    assert_eq!((status.ledger.filtered, status.ledger.waiting, status.ledger_difference), (1, 0, 0));
    assert!(sink.asked().is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_is_kept_and_told() {
    let (broker, sink) = (roomy(), Sink::start().await);
    let app = ruled(&broker, &sink, json!({"plan": "own", "ownLimit": "60", "reserve": "0"})).await;
    // Until then the relay may still be the one without rules.
    eventually("the plan to apply", async || app.relay_status().await.quota).await;
    Load::new(broker.port, 10, 10).run().await;
    let quota = eventually("the pace to hold requests back", async || {
        app.relay_status().await.quota.filter(|quota| quota.pacing && quota.used > 0)
    })
    .await;
    assert_eq!((quota.limit, quota.allowance), (60, 60));
    // A burst of a tenth, and one a second.
    assert!(sink.count() <= 40, "{} of 100 at once", sink.count());
    assert!(quota.words.contains("paced"), "{}", quota.words);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_topic_says_online_and_offline() {
    let (broker, sink) = (roomy(), Sink::start().await);
    let app = ruled(&broker, &sink, json!({"statusTopic": "relays/plant"})).await;
    let port = broker.port.to_string();
    let said = async || {
        let args = ["-p", &port, "-t", "relays/plant", "-C", "1", "-W", "5"];
        let output = Command::new("mosquitto_sub").args(args).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    eventually("online", async || (said().await == "online").then_some(())).await;
    app.stop().await;
    assert_eq!(said().await, "offline");
}
