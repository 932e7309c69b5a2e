//! Replays whose broker goes away, comes back, or cuts the connection; and replays of the history.

use crate::history::{count, switch};
use crate::recordings::{done, import, recorded, rows, view};
use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::{Mosquitto, Setup};
use relayscope_engine::api::wire::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::process::Command;

fn line(topic: &str, payload: &str, qos: u8) -> String {
    let rest = json!({"kind": "publish", "topic": topic, "payload": payload, "qos": qos, "retain": true});
    format!("{{\"at\":\"2026-11-21T14:03:00Z\",{}\n", &rest.to_string()[1..])
}

/// Opens a recording of these lines and begins its replay; its number.
async fn replay(app: &App, broker: &BrokerView, lines: &str, pace: &str) -> u32 {
    let recording = import(app, lines.as_bytes()).await;
    assert_eq!(recording.broken, 0, "{recording:?}");
    let request = json!({"view": null, "line": "", "look": "feed", "recording": recording.number});
    let opened = app.call::<ViewOpened>("feed.open", request).await.frame.unwrap().view;
    let request = json!({"of": {"is": "view", "view": opened}, "brokerId": broker.broker.id, "pace": pace});
    let messages = lines.lines().count();
    app.call::<ReplayProgress>("replay.start", json!({"request": request, "messages": messages})).await.number
}

async fn progress(app: &App, number: u32) -> ReplayProgress {
    app.call("replay.progress", json!({"number": number})).await
}

async fn act(app: &App, number: u32, act: &str) {
    let _: ReplayProgress = app.call("replay.act", json!({"number": number, "act": act})).await;
}

async fn until(app: &App, number: u32, what: &str, is: impl Fn(&ReplayProgress) -> bool) -> ReplayProgress {
    eventually(what, async || Some(progress(app, number).await).filter(&is)).await
}

/// Topics of the messages that came to a broker since a part of its log, in their order.
fn came(broker: &Mosquitto, since: usize) -> Vec<String> {
    let log = broker.log();
    let lines = log[since..].lines().filter(|line| line.contains("Received PUBLISH from"));
    lines.filter_map(|line| line.split('\'').nth(1)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_on_where_it_was_when_its_broker_is_back() {
    let mut broker = Mosquitto::open();
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let lines: String = (1..=5).map(|at| line(&format!("m/{at}"), "x", 1 + at % 2)).collect();
    let number = replay(&app, &saved, &lines, "steps").await;
    until(&app, number, "the replay to wait", |now| now.words.starts_with("Waits for a step")).await;
    act(&app, number, "step").await;
    until(&app, number, "the first message", |now| now.taken == 1).await;

    // Three are on their way when the broker falls silent; that is said, and is no end.
    broker.freeze();
    for sent in 2..=4 {
        act(&app, number, "step").await;
        until(&app, number, "a step", |now| now.sent == sent).await;
    }
    let silent = until(&app, number, "the silence to be said", |now| now.words.contains("acknowledges nothing")).await;
    assert_eq!((silent.done, silent.taken, silent.tone), (false, 1, Tone::Warn), "{silent:?}");
    broker.kill();
    let fallen = until(&app, number, "the fall to be said", |now| now.words.starts_with("The connection fell")).await;
    assert!(fallen.words.ends_with("It goes on when the broker is back: 1 of 5 published."), "{fallen:?}");
    assert_eq!((fallen.done, fallen.tone), (false, Tone::Warn));

    let before = broker.log().len();
    broker.start_again();
    until(&app, number, "what was on its way", |now| now.taken == 4).await;
    assert_eq!(
        came(&broker, before),
        ["m/2", "m/3", "m/4"],
        "in their order, and nothing that a person did not let go"
    );
    act(&app, number, "step").await;
    let ended = done(&app, number).await;
    assert!(ended.words.starts_with("Done: 5 of 5 published"), "{}", ended.words);
    assert!(ended.words.ends_with(", 3 sent once more after the connection fell."), "{}", ended.words);
    assert_eq!((ended.sent, ended.taken, ended.refused), (5, 5, 0));
    app.stop().await;
}

/// What a broker retains, by topic.
fn retained(broker: &Mosquitto) -> BTreeMap<String, String> {
    let port = broker.port.to_string();
    let output = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &port, "-t", "m/#", "-F", "%t %p", "-W", "3", "-q", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(topic, payload)| (topic.into(), payload.into()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_loses_nothing_when_its_broker_is_restarted_under_it() {
    const ALL: u32 = 6_000;
    let extra = "persistence true\nmax_queued_messages 0\n".to_owned();
    let mut broker = Mosquitto::start(&Setup { extra, ..Setup::default() });
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    let lines: String = (0..ALL).map(|at| line(&format!("m/{at}"), &format!("p{at}"), 1 + (at % 2) as u8)).collect();
    let number = replay(&app, &saved, &lines, "most").await;
    for part in [1, ALL / 3, ALL / 3 * 2] {
        until(&app, number, "a part", |now| now.taken >= part || now.done).await;
        broker.stop();
        broker.start_again();
    }
    let ended = done(&app, number).await;
    assert_eq!((ended.taken, ended.refused, ended.tone), (ALL, 0, Tone::Ok), "{}", ended.words);
    let kept = retained(&broker);
    assert_eq!(kept.len() as u32, ALL);
    assert!(kept.iter().all(|(topic, payload)| topic[2..] == payload[1..]));
    // No more came twice than is said.
    let twice = came(&broker, 0).len() as u32 - ALL;
    let said = ended.words.split(", ").find(|part| part.contains("sent once more"));
    let said = said.map_or(0, |part| part.split(' ').next().unwrap().parse().unwrap());
    assert!(twice <= said, "{twice}: {}", ended.words);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_ends_when_nothing_can_bring_it_on() {
    let mut broker = Mosquitto::start(&Setup { extra: "max_packet_size 2000\n".into(), ..Setup::default() });
    let app = App::start().await;
    let saved = app.broker(broker.port, |draft| draft["version"] = json!("3.1.1")).await;
    // The broker cuts the connection for the second one, each time.
    let lines = line("m/1", "x", 1) + &line("m/large", &"x".repeat(5_000), 1) + &line("m/3", "x", 1);
    let number = replay(&app, &saved, &lines, "most").await;
    let ended = done(&app, number).await;
    assert!(ended.words.contains("3 times before the broker took “m/large” (message 2)"), "{}", ended.words);
    assert!(ended.words.ends_with("1 of 3 published.") && ended.tone == Tone::Bad, "{}", ended.words);

    // A person ends one whose broker is away.
    let number = replay(&app, &saved, &(line("m/1", "x", 1) + &line("m/2", "x", 1)), "steps").await;
    until(&app, number, "the replay to wait", |now| now.words.starts_with("Waits for a step")).await;
    broker.kill();
    until(&app, number, "the fall", |now| now.words.starts_with("The connection fell")).await;
    act(&app, number, "cancel").await;
    assert_eq!(done(&app, number).await.words, "Cancelled: 0 of 2 published.");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_replayed_as_a_filter_and_a_time_select_it() {
    let (one, other) = (Mosquitto::open(), Mosquitto::open());
    let app = App::start().await;
    let (from, to) = (app.broker(one.port, |_| {}).await, app.broker(other.port, |_| {}).await);
    switch(&app, true, 100).await;
    let live = recorded(&app, &from).await;
    eventually("everything to be recorded", async || (count(&app, "kind:downlink").await == 3).then_some(())).await;
    switch(&app, false, 100).await;
    // A restart: the feed has nothing of it any more.
    let newest = rows(&app, live).await.iter().filter(|row| row.kind == "downlink").map(|row| row.at).max().unwrap();
    let app = App::start_in(app.stop().await).await;
    assert!(rows(&app, view(&app, "kind:downlink").await).await.is_empty());

    let request = |line: &str| json!({"of": {"is": "history", "line": line}, "brokerId": to.broker.id, "pace": "most"});
    let plan: ReplayPlan = app.call("replay.plan", request("")).await;
    assert_eq!((plan.messages, plan.bytes), (3, 10), "{plan:?}");
    assert!(plan.left_out[0].ends_with("events that are no messages"), "{plan:?}");
    let before: ReplayPlan = app.call("replay.plan", request(&format!("until:@{newest}"))).await;
    assert_eq!(before.messages, 2);
    let nothing = app.try_call("replay.plan", request("topic:absent/#")).await.unwrap_err();
    assert!(nothing.message.starts_with("There is no message to publish"), "{nothing:?}");

    let chosen = request("topic:plant/1,plant/2");
    let begun: ReplayProgress = app.call("replay.start", json!({"request": chosen, "messages": 2})).await;
    let ended = done(&app, begun.number).await;
    assert_eq!((ended.taken, ended.refused), (2, 0), "{}", ended.words);
    assert_eq!(came(&other, 0), ["plant/1", "plant/2"]);
    let log = other.log();
    let published: Vec<&str> = log.lines().filter(|line| line.contains("Received PUBLISH from")).collect();
    assert!(published[0].contains("q1, r0") && published[0].ends_with("(8 bytes))"), "{published:?}");
    assert!(published[1].contains("q2, r1") && published[1].ends_with("(2 bytes))"), "{published:?}");

    app.stop().await;
}
