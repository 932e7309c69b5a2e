//! A tap made by clicking, before a broker that knows nothing of it: another client's life is seen in the feed.

use crate::app::App;
use crate::desk::{Desk, free_port};
use crate::mosquitto::Mosquitto;
use crate::steps::{create_broker, look_around};
use std::process::Command;

#[test]
fn another_client_is_seen_through_a_tap() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    look_around(&app);
    create_broker(&app, "Plant broker", &mosquitto);
    let port = free_port();
    app.click("nav-taps");
    app.click("tap-new");
    app.fill("field-name", "Plant tap");
    app.choose("field-broker-id", "Plant broker");
    // The broker's own port is refused at its field.
    app.fill("field-listener-port", &mosquitto.port().to_string());
    app.click("tap-save");
    app.wait_text("error-listener-port", "the broker's own");
    // Whose it is was told before, with one that is free.
    app.wait_text("listener-problem", "is taken by mosquitto");
    app.click("listener-free-port");
    app.wait_gone("listener-problem");
    app.click("tab-limits");
    app.click("field-limits-choice-starter");
    app.wait_text("limits-words", "5000 publishes a minute");
    app.click("tab-general");
    app.fill("field-listener-port", &port.to_string());
    app.click("tap-save");
    app.wait_text("tap-state", "running");

    let status = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-i", "stranger", "-t", "hall/4", "-q", "1", "-m", "21.5"])
        .status()
        .expect("mosquitto_pub runs");
    assert!(status.success());
    app.click("nav-overview");
    app.wait_text("tap-card", "Plant broker");
    app.click("nav-inspector");
    for words in ["stranger", "hall/4", "21.5"] {
        app.wait_text("feed-row", words);
    }

    // A fault, pressed and seen.
    app.click("nav-taps");
    app.click_text("tap-row", "Plant tap");
    app.click("tab-clients");
    app.choose("field-kind", "elay");
    app.click("fault-press");
    app.wait_text("fault-active", "delay by 500 ms");
    app.click("fault-lift");
    app.wait_gone("fault-active");
    app.click("nav-inspector");
    app.wait_text("feed-row", "fault pressed: delay by 500 ms");
}
