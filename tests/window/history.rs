//! The history on disk, switched on and searched from the inspector; it survives a restart.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::screenshots::pictures;
use crate::steps::build_relay;

const TOPIC: &str = "plant/3/telemetry/press-03";

#[test]
fn the_history_is_switched_on_survives_a_restart_and_is_searched() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    mosquitto.publish(TOPIC, r#"{"temperature": 71.4, "order": "needle-4711"}"#);
    mosquitto.publish(TOPIC, r#"{"temperature": 71.5, "order": "needle-4711"}"#);
    mosquitto.publish("plant/4/telemetry/press-04", r#"{"temperature": 12.0, "order": "hay"}"#);
    app.wait_text("feed-row", "hay");
    app.click("place-history");
    app.wait_for("history-off");
    pictures(&app, "history-off");
    app.click("history-on");
    // What the feed has already is recorded as well.
    app.wait_text("history-counts", "events");
    app.fill("feed-search", "needle-4711");
    app.wait_text("history-row", "71.5");
    app.wait_text("history-end", "2 events found");
    drop(app);

    let app = App::open(&desk);
    app.click("nav-inspector");
    app.click("place-history");
    app.wait_text("history-row", "press-03");
    pictures(&app, "history");
    app.fill("feed-search", "needle-4711 kind:publish");
    app.wait_text("history-end", "2 events found");
    app.click_text("history-row", "71.5");
    app.wait_text("decoder-why", "no rule: text is a valid JSON object");
    app.click("drawer-tab-diff");
    let line = app.wait_text("diff-line", "71.4");
    assert!(line.contains("$.temperature") && line.contains("71.5"), "{line}");
    app.click("drawer-tab-packet");
    app.wait_text("field-section", "MQTT 5.0");
    app.click("drawer-tab-journey");
    app.wait_text("journey-step", "received");
    pictures(&app, "history-drawer");
    app.click("drawer-close");

    // What is on disk is replayed as the filter selects it.
    app.click("replay-open");
    app.wait_text("replay-about", "What is on disk, as the filter selects it");
    app.choose("field-broker-id", "Plant broker");
    app.click("replay-most");
    pictures(&app, "history-replay");
    app.click("replay-ask");
    app.wait_text("replay-question", "Publish 2 messages to “Plant broker”?");
    app.click("replay-start");
    app.wait_gone("replay-dialog");
    app.wait_text("replay-words", "Done: 2 of 2 published");
    app.click("replay-dismiss");
    app.fill("feed-search", "topic:nowhere/#");
    app.wait_for("history-nothing-found");
    pictures(&app, "history-nothing");
    app.fill("feed-search", "topic:a/#/b");
    app.wait_for("filter-mistake");
    app.click("place-live");
    app.wait_for("feed-pause");
}
