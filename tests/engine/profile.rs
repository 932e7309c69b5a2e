//! Relays that use one TagoIO profile share its minute: TagoIO counts per profile.

use crate::relay::roomy;
use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use crate::support::sink::{Reply, Sink};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// Two relays with one authorization, for `one/#` and `two/#`, both connected. The second has this plan as well or none.
async fn pair(broker: &Mosquitto, sink: &Sink, rules: &Value, second: &Value) -> App {
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let region = sink.region();
    let one = app.relay_with("One", &saved, &region, &[("one/#", 1)], rules.clone()).await;
    let network = app.token("Two network", "network", &region, &uuid::Uuid::new_v4().to_string()).await.token.id;
    let mut draft = serde_json::to_value(&one.draft).unwrap();
    draft["id"] = Value::Null;
    draft["name"] = json!("Two");
    draft["mappings"] = json!([{"filter": "two/#", "qos": 1, "enabled": true}]);
    draft["networkTokenId"] = json!(network);
    draft["rules"] = second.clone();
    let _: RelayView = app.call("relays.save", draft).await;
    eventually("both to be connected and to know of each other", async || {
        let relays = app.status().await.relays;
        let views: Vec<RelayView> = app.call("relays.list", ()).await;
        let up = relays.iter().all(|relay| relay.broker.words == "connected")
            && views.iter().all(|view| view.grants.len() == 1)
            && relays.iter().all(|relay| relay.quota.as_ref().is_some_and(|quota| quota.relays == 2));
        (relays.len() == 2 && up).then_some(())
    })
    .await;
    app
}

/// Publishes `count` messages, each on a topic of its own below `below`.
fn publish(broker: &Mosquitto, below: &str, count: usize) {
    for at in 0..count.min(4) {
        let args = ["-p", &broker.port.to_string(), "-q", "1", "-t", &format!("{below}/{at}"), "-l"];
        let mut child = Command::new("mosquitto_pub").args(args).stdin(Stdio::piped()).spawn().unwrap();
        let lines = (at..count).step_by(4).map(|number| format!("{number}\n")).collect::<String>();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

fn named(status: &StatusSnapshot, name: &str) -> RelayStatus {
    status.relays.iter().find(|relay| relay.name == name).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_of_one_profile_stay_below_its_plan_together() {
    let (broker, sink) = (roomy(), Sink::start().await);
    let rules = json!({"plan": "own", "ownLimit": "120", "reserve": "0"});
    // One of them does not know the plan: it is the profile's all the same.
    let app = pair(&broker, &sink, &rules, &json!({})).await;
    publish(&broker, "one", 300);
    publish(&broker, "two", 300);
    eventually("both to wait for their turns and to get some", async || {
        let status = app.status().await;
        let quotas = ["One", "Two"].map(|name| named(&status, name).quota.unwrap());
        for quota in &quotas {
            assert_eq!((quota.limit, quota.allowance), (120, 120));
            assert!(quota.used + quota.others <= 120, "{quota:?}");
        }
        let both = quotas.iter().all(|quota| quota.pacing && quota.used >= 3 && quota.others >= 3);
        both.then_some(())
    })
    .await;
    let words = named(&app.status().await, "One").quota.unwrap().words;
    assert!(words.contains("of 120") && words.contains("by this relay"), "{words}");
    // Each gets its turn: what the one took at once is not taken from the other later.
    let taken = eventually("some deliveries of both", async || {
        let taken = sink.taken();
        (taken.len() >= 30).then_some(taken)
    })
    .await;
    let ones = taken.iter().filter(|taken| taken.topic.starts_with("one/")).count();
    assert!((2..=taken.len() - 2).contains(&ones), "{ones} of {}", taken.len());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_relay_learns_of_the_limit_holds_the_other_back() {
    let (broker, sink) = (roomy(), Sink::start().await);
    sink.rule(|topic| match topic.starts_with("one/") {
        true => Reply::Answer(429, "too many requests", vec![("Retry-After", "600")]),
        false => Reply::Take,
    });
    let rules = json!({"plan": "own", "ownLimit": "6000", "reserve": "0"});
    let app = pair(&broker, &sink, &rules, &rules).await;
    publish(&broker, "one", 1);
    eventually("the first to be refused", async || {
        named(&app.status().await, "One").quota.is_some_and(|quota| quota.words.contains("429")).then_some(())
    })
    .await;
    publish(&broker, "two", 1);
    let words = eventually("the second to wait as well", async || {
        let two = named(&app.status().await, "Two");
        two.quota.filter(|quota| two.ledger.waiting == 1 && quota.pacing).map(|quota| quota.words)
    })
    .await;
    assert!(words.contains("every relay of the profile waits"), "{words}");
    let reason = eventually("the card to say why", async || named(&app.status().await, "Two").last_error).await;
    assert!(reason.current && reason.message.contains("same profile"), "{reason:?}");
    assert!(sink.taken().is_empty(), "nothing was sent against the refusal");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_of_the_minute_is_known_after_a_restart() {
    let (broker, sink) = (roomy(), Sink::start().await);
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let rules = json!({"plan": "own", "ownLimit": "6000", "reserve": "0"});
    app.relay_with("Plant", &saved, &sink.region(), &[("one/#", 1)], rules).await;
    app.connected(1).await;
    let quota = async |app: &App| eventually("the minute", async || app.relay_status().await.quota).await;
    let (mut app, mut sent) = (app, 0);
    for _ in 0..4 {
        publish(&broker, "one", 20);
        sent += 20;
        app.delivered(sent).await;
        // It is told a few times a second: up to what was just sent may be missing.
        let before = quota(&app).await;
        app = App::start_in(app.stop().await).await;
        let after = quota(&app).await;
        if (after.resets_at - before.resets_at).abs() < 5_000 {
            assert!((before.used..=before.used + 20).contains(&after.used), "{before:?}, then {after:?}");
            app.stop().await;
            return;
        }
    }
    panic!("four minutes ended while the engine was started again");
}
