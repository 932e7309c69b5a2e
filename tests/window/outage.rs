//! Trouble at the destination as the person in front sees it: what the cards say, what grows, and how it ends.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::sink::Sink;
use crate::steps::{build_relay_to, open_relay};
use crate::wait::{PATIENCE, until};
use std::time::Instant;

/// Network tokens of TagoIO are UUIDs.
const TOKEN: &str = "1f0a6c1e-55d3-4f0b-9a51-0c2ad3f6b7e1";
const WRONG: &str = "9d7e1b52-0f1c-4b8e-8a44-6f5de2c3b4a0";

#[test]
fn an_outage_is_told_and_its_backlog_goes_when_it_is_over() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let mut sink = Sink::start(TOKEN);
    let app = App::open(&desk);
    build_relay_to(&app, &mosquitto, &sink.url(), TOKEN);
    app.click("nav-overview");
    mosquitto.publish("plant/1/telemetry/press", "1");
    app.wait_text("ledger-delivered", "1");

    sink.go_away();
    mosquitto.publish_many("plant/1/telemetry/press", 300);
    app.wait_text("relay-state", "waiting for");
    app.wait_text("relay-error", "300 wait on disk, nothing is lost");
    app.wait_text("relay-error", "tried again by itself");
    app.wait_text("ledger-waiting", "300");
    app.wait_for("relay-oldest");
    app.wait_text("relay-drain-words", "nothing is delivered right now");
    app.wait_text("status-queue", "300");

    sink.come_back();
    app.wait_text("ledger-delivered", "301");
    app.wait_text("relay-state", "running");
    app.wait_gone("relay-drain");
    app.wait_text("relay-error", "Earlier");
    assert_eq!(sink.taken(), 301, "each message once");
}

#[test]
fn a_backlog_can_be_paused_and_resumed() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let sink = Sink::start(TOKEN);
    let app = App::open(&desk);
    build_relay_to(&app, &mosquitto, &sink.url(), TOKEN);
    app.click("nav-overview");
    app.click("relay-pause");
    app.wait_text("relay-state", "paused by you");
    mosquitto.publish_many("plant/1/telemetry/press", 50);
    app.wait_text("ledger-waiting", "50");
    assert_eq!(sink.taken(), 0, "nothing is sent while paused");
    app.click("relay-resume");
    app.wait_text("ledger-delivered", "50");
    app.wait_text("relay-state", "running");
}

#[test]
fn a_refused_token_is_replaced_and_the_relay_goes_on() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let sink = Sink::start(TOKEN);
    let app = App::open(&desk);
    build_relay_to(&app, &mosquitto, &sink.url(), WRONG);
    app.click("nav-overview");
    mosquitto.publish_many("plant/1/telemetry/press", 5);
    app.wait_text("relay-state", "token refused");
    app.wait_text("relay-error", "401");
    app.wait_text("ledger-waiting", "5");
    app.wait_text("relay-error", "Replace the token");

    open_relay(&app);
    app.click("network-token-replace");
    app.fill("field-value", TOKEN);
    app.click("token-save");
    app.wait_gone("token-dialog");

    app.wait_text("relay-state", "running");
    app.click("nav-overview");
    app.wait_text("ledger-delivered", "5");
    until(PATIENCE, "all five are there", || (sink.taken() == 5).then_some(()));
}

#[test]
fn the_quota_bar_moves_with_the_minute() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let sink = Sink::start(TOKEN);
    let app = App::open(&desk);
    build_relay_to(&app, &mosquitto, &sink.url(), TOKEN);

    app.click("tab-plan");
    app.wait_text("relay-pace", "As many requests");
    app.click("field-rules-plan-own");
    app.fill("field-rules-own-limit", "60");
    app.wait_text("relay-pace", "At most 54 requests a minute");
    // An impossible pace comes back to its field, and to this tab from any other.
    app.fill("field-rules-pace", "61");
    app.click("tab-general");
    app.click("relay-save");
    app.wait_text("error-rules-pace", "60 requests a minute");
    app.wait_for("tab-plan-problems");
    app.fill("field-rules-pace", "");
    app.click("relay-save");
    app.wait_text("relay-changes", "is saved");

    let began = Instant::now();
    app.click("nav-overview");
    app.wait_text("quota-words", "of 54");
    mosquitto.publish_many("plant/1/telemetry/press", 200);
    app.wait_text("quota-words", "paced:");
    app.wait_text("relay-drain-words", "backlog");
    let before = used_part(&app);
    let after = until(PATIENCE, "the bar moves", || Some(used_part(&app)).filter(|now| *now != before));
    for part in [before, after] {
        assert!((0.0..=0.901).contains(&part), "54 of the plan's 60 are nine tenths of the bar, not {part}");
    }
    // However long it took: each minute that was touched has no more than 54.
    let minutes = began.elapsed().as_secs() / 60 + 2;
    assert!(sink.taken() <= 54 * minutes, "{} in {minutes} minutes", sink.taken());
}

/// How much of the quota bar is filled.
fn used_part(app: &App<'_>) -> f64 {
    app.script(
        "const used = document.querySelector(`[data-testid='quota-used']`);
         done(used.getBoundingClientRect().width / used.parentElement.getBoundingClientRect().width)",
    )
    .as_f64()
    .expect("the bar's width")
}
