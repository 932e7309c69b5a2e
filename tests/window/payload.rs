//! A message looked at: its JSON as a tree, the difference to the one before, five megabytes, and the three looks.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::screenshots::pictures;
use crate::steps::build_relay;
use crate::wait::PATIENCE;
use std::time::Duration;

const TOPIC: &str = "plant/3/telemetry/press-03";

#[test]
fn a_message_s_json_is_a_tree_its_path_is_copied_its_difference_shown() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    mosquitto.publish(TOPIC, r#"{"temperature": 71.4, "unit": "C", "parts": [{"id": 4711, "ok": true}]}"#);
    mosquitto.publish(TOPIC, r#"{"temperature": 71.5, "unit": "C", "parts": [{"id": 4711, "ok": true}]}"#);
    app.click_text("feed-row", "71.5");
    app.wait_text("decoder-why", "no rule: text is a valid JSON object");
    let path = "[data-testid='payload-node'][data-path='$.parts[0].id']";
    app.wait_for_css(path, PATIENCE).click().expect("a click on the node");
    app.wait_text("toast", "Copied $.parts[0].id");
    pictures(&app, "payload-tree");

    app.click("drawer-tab-diff");
    let line = app.wait_text("diff-line", "71.4");
    assert!(line.contains("$.temperature") && line.contains("71.5"), "{line}");
    pictures(&app, "payload-diff");
    app.click("drawer-tab-packet");
    app.wait_text("field-section", "MQTT 5.0");
    pictures(&app, "packet");

    app.click("drawer-tab-payload");
    app.choose("decoder", "CBOR");
    app.wait_text("decode-error", "CBOR: At byte");
    app.fill("decoder-filter", "plant/+/telemetry/#");
    app.click("decoder-remember");
    app.wait_text("decoder-why", "bound to plant/+/telemetry/#");
    app.click("decoders-manage");
    app.wait_text("decoder-binding", "CBOR");
    pictures(&app, "decoders");
    app.click("decoder-binding-delete");
    app.wait_for("decoder-bindings-empty");
    app.click("decoders-done");
    app.wait_text("decoder-why", "no rule: text is a valid JSON object");
}

#[test]
fn five_megabytes_and_a_topic_of_200_characters_are_looked_at_by_topic_and_by_connection() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    let topic = format!("plant/3/telemetry/{}", "hall-7/".repeat(26));
    let items: Vec<String> = (0..290_000).map(|at| format!(r#"{{"v":{at},"t":0}}"#)).collect();
    let large = format!("[{}]\n", items.join(","));
    assert!(large.len() > 5_000_000, "{}", large.len());
    mosquitto.publish_lines(&topic, &large);
    let row = "[data-testid='feed-row'][data-kind='publish']";
    app.wait_for_css(row, Duration::from_secs(30)).click().expect("a click on the row");
    // Without optimization a decoder takes its time; the window answers meanwhile.
    app.wait_for_css("[data-testid='payload-notes']", Duration::from_secs(60));
    app.wait_text("payload-notes", "Shown 10,000 of 870,001 nodes.");
    app.wait_for("payload-node");
    pictures(&app, "payload-5mb-tree");
    app.click("payload-hex");
    app.wait_text("payload-line", "00000000");
    app.script("document.querySelector('[data-testid=payload-lines]').scrollTop = 1e9; done()");
    app.wait_text("payload-line", "00526168  30 7d 5d");
    app.click("payload-text");
    app.wait_text("payload-line", "\"v\": 0");
    pictures(&app, "payload-5mb-text");

    app.click("look-topics");
    app.wait_for("topic-row");
    for _ in 0..3 {
        app.script(
            "const turns = [...document.querySelectorAll('[data-testid=topic-turn]:not(.open)')];
             turns.at(-1)?.click(); setTimeout(done, 300)",
        );
    }
    pictures(&app, "by-topic");
    app.click("look-connections");
    app.wait_for("connection-row");
    app.click("connection-turn");
    app.wait_text("connection-event", "Dead letter");
    pictures(&app, "by-connection");
}
