//! Faults: broker and destination fall, refuse, fail or stay silent; a relay is stopped under load. Nothing is lost, the
//! order of a topic holds, the ledger balances, and people are told.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::load::Load;
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::sink::{Reply, Sink, check_order};
use relayscope_engine::api::wire::*;
use rumqttc::QoS;
use serde_json::json;
use std::time::{Duration, Instant};

const TOPICS: usize = 20;
const EACH: usize = 250;
const ALL: u64 = (TOPICS * EACH) as u64;

/// A broker whose sessions survive its restart.
pub(crate) fn persistent() -> Mosquitto {
    Mosquitto::start(&Setup {
        extra: "max_queued_messages 0\nmax_inflight_messages 1000\npersistence true\nautosave_interval 1\n".into(),
        ..Setup::default()
    })
}

/// About five seconds of messages.
pub(crate) fn load(port: u16) -> Load {
    Load { pause: Duration::from_millis(20), ..Load::new(port, TOPICS, EACH) }
}

pub(crate) async fn relayed(broker: &Mosquitto, sink: &Sink) -> App {
    let app = App::start().await;
    relay_in(&app, broker, sink, "5", 1).await;
    app
}

/// Saves the relay and waits until it runs.
pub(crate) async fn relay_in(app: &App, broker: &Mosquitto, sink: &Sink, version: &str, qos: u8) {
    let saved = app.broker(broker.port, |draft| draft["version"] = json!(version)).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", qos)]).await;
    app.connected(1).await;
}

/// Everything arrived, in order; returns how many came twice.
pub(crate) async fn all_arrived(app: &App, sink: &Sink) -> usize {
    eventually("every message at the destination", async || {
        let status = app.relay_status().await;
        let ledger = status.ledger;
        assert_eq!(status.ledger_difference, 0, "{ledger:?}");
        (ledger.received >= ALL && ledger.waiting + ledger.in_flight == 0).then_some(())
    })
    .await;
    let status = app.relay_status().await;
    let ledger = status.ledger;
    assert_eq!((ledger.delivered, ledger.dead, ledger.dropped), (ledger.received, 0, 0), "{ledger:?}");
    check_order(&sink.taken(), TOPICS, EACH)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_away_for_five_seconds_loses_nothing() {
    let (broker, mut sink) = (persistent(), Sink::start().await);
    let app = relayed(&broker, &sink).await;
    let publishing = tokio::spawn(load(broker.port).run());
    app.delivered(500).await;
    sink.go_away().await;
    let away = Instant::now();
    eventually("the card to say that it waits", async || {
        let status = app.relay_status().await;
        let told = status.last_error.is_some_and(|error| error.current && error.message.contains("wait on disk"));
        (status.destination.tone == Tone::Warn && told).then_some(())
    })
    .await;
    eventually("five seconds", async || (away.elapsed() > Duration::from_secs(5)).then_some(())).await;
    sink.come_back().await;
    let (back, before) = (Instant::now(), sink.count());
    eventually("the first delivery", async || (sink.count() > before).then_some(())).await;
    eprintln!("first delivery {:?} after the destination came back", back.elapsed());
    publishing.await.unwrap();
    // Requests whose answer was cut off are sent again.
    assert!(all_arrived(&app, &sink).await <= 50);
    assert!(app.rows().iter().any(|row| row.kind == "retry"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_for_five_seconds_loses_nothing() {
    let (mut broker, sink) = (persistent(), Sink::start().await);
    let app = relayed(&broker, &sink).await;
    let publishing = tokio::spawn(load(broker.port).run());
    app.delivered(500).await;
    broker.stop();
    let away = Instant::now();
    let status = eventually("the card to say that the broker is away", async || {
        let status = app.relay_status().await;
        (status.broker.tone == Tone::Warn).then_some(status)
    })
    .await;
    assert!(status.broker.words.starts_with("reconnecting: "), "{:?}", status.broker);
    eventually("five seconds", async || (away.elapsed() > Duration::from_secs(5)).then_some(())).await;
    broker.start_again();
    publishing.await.unwrap();
    // What the publisher could not know to be acknowledged it sends again: that is the publisher's.
    let twice = all_arrived(&app, &sink).await;
    eprintln!("{twice} came twice");
    assert!(app.rows().iter().any(|row| row.kind == "disconnected"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_2_over_a_broker_restart() {
    over_a_restart("5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qos_2_over_a_broker_restart_with_mqtt_3_1_1() {
    over_a_restart("3.1.1").await;
}

/// The broker has everything before it is restarted: what a publisher makes of the restart is not asked here.
async fn over_a_restart(version: &str) {
    let (mut broker, sink) = (persistent(), Sink::start().await);
    let app = App::start().await;
    relay_in(&app, &broker, &sink, version, 2).await;
    let relay = app.relay_status().await.id;
    let _: Nothing = app.call("relays.act", json!({"id": relay, "action": "stop"})).await;
    let stopped = async || app.rows().iter().any(|row| row.kind == "disconnected").then_some(());
    eventually("the relay to stop", stopped).await;
    // Large enough that the relay is not through with them when the broker goes.
    Load { qos: QoS::ExactlyOnce, pause: Duration::ZERO, size: 10_000, ..load(broker.port) }.run().await;
    let _: Nothing = app.call("relays.act", json!({"id": relay, "action": "start"})).await;
    eventually("some messages", async || (app.relay_status().await.ledger.received > 200).then_some(())).await;
    broker.stop();
    let received = app.relay_status().await.ledger.received;
    assert!(received < ALL, "all {received} messages came before the broker went");
    let away = Instant::now();
    eventually("a second", async || (away.elapsed() > Duration::from_secs(1)).then_some(())).await;
    broker.start_again();
    let twice = all_arrived(&app, &sink).await;
    let connections = app.rows().iter().filter(|row| row.kind == "connected").count();
    eprintln!("{received} came before the restart, {twice} came twice; connected {connections} times");
    assert_eq!(twice, 0, "QoS 2 is once");
    // First, when it was started again, and after the restart; again only when a busy machine made an answer come late.
    let late = |row: &&Row| row.kind == "disconnected" && row.preview.contains("did not answer");
    let late = app.rows().iter().filter(late).count();
    assert!((3..=3 + late).contains(&connections), "connected {connections} times, {late} answers came late");
    assert!(sink.taken().iter().all(|taken| taken.qos == 2));
    assert_eq!(app.relay_status().await.state.words, "running");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_answers_503_or_429_is_obeyed_and_loses_nothing() {
    let (broker, sink) = (persistent(), Sink::start().await);
    sink.rule(|_| Reply::Answer(503, "maintenance", vec![]));
    let app = relayed(&broker, &sink).await;
    let publishing = tokio::spawn(load(broker.port).run());
    eventually("a retry", async || app.rows().iter().any(|row| row.kind == "retry").then_some(())).await;
    sink.rule(|_| Reply::Answer(429, "Too many requests (Retry-After: 2)", vec![]));
    let row = eventually("a 429", async || {
        app.rows().into_iter().find(|row| row.kind == "retry" && row.preview.starts_with("429"))
    })
    .await;
    assert!(row.preview.contains("next try at"), "{}", row.preview);
    let asked = sink.asked().len();
    let limited = Instant::now();
    eventually("a second", async || (limited.elapsed() > Duration::from_secs(1)).then_some(())).await;
    // One request closes the gate for all: at most the ones already under way came since.
    assert!(sink.asked().len() - asked <= 50, "{} requests in a second", sink.asked().len() - asked);
    sink.rule(|_| Reply::Take);
    publishing.await.unwrap();
    assert_eq!(all_arrived(&app, &sink).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_topic_that_fails_for_ever_does_not_hold_the_others_up() {
    let (broker, sink) = (persistent(), Sink::start().await);
    sink.rule(|topic| if topic == "load/7" { Reply::Answer(500, "parser failed", vec![]) } else { Reply::Take });
    let app = relayed(&broker, &sink).await;
    load(broker.port).run().await;
    let others = ALL - EACH as u64;
    let status = app.delivered(others).await;
    assert_eq!((status.ledger.delivered, status.ledger_difference), (others, 0));
    sink.rule(|_| Reply::Take);
    assert_eq!(all_arrived(&app, &sink).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_stays_silent_is_given_up_waiting_for_and_asked_again() {
    let (broker, sink) = (persistent(), Sink::start().await);
    sink.rule(|topic| if topic == "load/0" { Reply::Swallow } else { Reply::Take });
    let app = relayed(&broker, &sink).await;
    Load { each: 1, ..load(broker.port) }.run().await;
    eventually("the time-out", async || {
        app.rows().iter().any(|row| row.kind == "retry" && row.topic == "load/0").then_some(())
    })
    .await;
    sink.rule(|_| Reply::Take);
    let status = app.delivered(TOPICS as u64).await;
    assert_eq!((status.ledger.waiting, status.ledger_difference), (0, 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_pauses_keeps_everything_and_goes_on_when_it_is_replaced() {
    let (broker, sink) = (persistent(), Sink::start().await);
    sink.rule(|_| Reply::Answer(401, "Authorization denied", vec![]));
    let app = relayed(&broker, &sink).await;
    Load { each: 5, pause: Duration::ZERO, ..load(broker.port) }.run().await;
    let status = eventually("the pause", async || {
        let status = app.relay_status().await;
        (status.state.words == "paused: token refused" && status.ledger.waiting == 100).then_some(status)
    })
    .await;
    assert_eq!(status.state.tone, Tone::Bad);
    assert!(status.last_error.unwrap().advice.contains("Replace the token"));
    sink.rule(|_| Reply::Take);
    let tokens: Vec<TokenView> = app.call("tokens.list", ()).await;
    let token = tokens.iter().find(|view| view.token.name == "Plant network").unwrap();
    let _: TokenView = app
        .call(
            "tokens.save",
            json!({"id": token.token.id, "name": token.token.name, "kind": "network", "region": sink.region(),
                   "value": {"kind": "set", "value": uuid::Uuid::new_v4()}, "serial": "", "permission": "full"}),
        )
        .await;
    let status = app.delivered(100).await;
    assert_eq!((status.ledger.waiting, status.ledger.dead, status.ledger_difference), (0, 0, 0));
    assert_eq!(check_order(&sink.taken(), TOPICS, 5), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_under_load_and_starting_again_loses_nothing() {
    let (broker, sink) = (persistent(), Sink::start().await);
    let mut app = relayed(&broker, &sink).await;
    let publishing = tokio::spawn(load(broker.port).run());
    for times in 1..=3 {
        app.delivered(times * 300).await;
        app = App::start_in(app.stop().await).await;
    }
    publishing.await.unwrap();
    assert_eq!(all_arrived(&app, &sink).await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_told_and_not_hammered() {
    let broker = Mosquitto::start(&Setup { login: Some(("relay", "right")), ..Setup::default() });
    let sink = Sink::start().await;
    for version in ["5", "3.1.1"] {
        let app = App::start().await;
        let saved = app
            .broker(broker.port, |draft| {
                draft["version"] = json!(version);
                draft["username"] = json!("relay");
                draft["password"] = json!({"kind": "set", "value": "wrong"});
            })
            .await;
        app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
        let status = eventually("the refusal", async || {
            let status = app.relay_status().await;
            (status.broker.tone == Tone::Bad).then_some(status)
        })
        .await;
        assert_eq!(status.broker.words, "refused by the broker");
        let error = status.last_error.unwrap();
        assert!(error.message.contains("0x") && !error.advice.is_empty(), "{error:?}");
        let refused: Vec<Row> = app.rows().into_iter().filter(|row| row.kind == "refused").collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        // The right password mends it.
        let mut draft = serde_json::to_value(&saved.draft).unwrap();
        draft["password"] = json!({"kind": "set", "value": "right"});
        let _: BrokerView = app.call("brokers.save", draft).await;
        app.connected(1).await;
        app.stop().await;
    }
}
