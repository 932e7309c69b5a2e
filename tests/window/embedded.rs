//! The broker inside, used by clicking: a token, a line that reaches it, its clients, its retained messages, and the
//! settings that are refused before they are saved.

use crate::app::App;
use crate::desk::{Desk, free_port};
use crate::process::Process;
use crate::screenshots::pictures;
use crate::steps::look_around;
use crate::wait::{PATIENCE, until};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// Saves a device token; the engine makes its value.
pub(crate) fn create_device_token(app: &App<'_>, name: &str) {
    app.click("nav-tokens");
    app.click("token-new");
    app.fill("field-name", name);
    app.choose("field-kind", "evice");
    if !app.shows("token-generated") {
        app.click("token-generate");
    }
    app.click("token-save");
    app.wait_gone("token-dialog");
    app.wait_text("token-row", name);
}

/// Saves an embedded broker and waits until it runs.
pub(crate) fn create_embedded(app: &App<'_>, port: u16) {
    app.click("nav-brokers");
    app.click("broker-new-embedded");
    app.fill("field-name", "Inside");
    app.fill("field-port", &port.to_string());
    app.click("broker-save");
    app.wait_text("broker-state", "running");
}

/// The line to copy, with the token in it.
pub(crate) fn line(app: &App<'_>, token: &str) -> String {
    app.choose("field-line-token", token);
    app.click("broker-line-reveal");
    until(PATIENCE, "the token in the line", || {
        let line = app.wait_for("broker-publish-line").text().ok()?;
        (!line.contains('…') && !line.contains('<')).then_some(line)
    })
}

fn sh(line: &str) {
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    assert!(output.status.success(), "{line}: {output:?}");
}

#[test]
fn clients_and_retained_messages_of_the_broker_inside() {
    let desk = Desk::new();
    let app = App::open(&desk);
    look_around(&app);
    create_device_token(&app, "Pump 7");
    create_embedded(&app, free_port());
    let publish = line(&app, "Pump 7");
    // As it stands there, and with other words at its end.
    sh(&publish);
    let reach = publish.strip_prefix("mosquitto_pub ").and_then(|rest| rest.split(" -t ").next()).expect("a line");
    for (topic, payload) in [("plant/pump/state", "{\"on\":true}"), ("plant/pump/speed", "1480"), ("hall/light", "off")]
    {
        sh(&format!("mosquitto_pub {reach} -q 1 -r -t {topic} -m '{payload}'"));
    }
    let mut subscriber = Command::new("sh");
    let will = "--will-topic plant/gone --will-payload bye";
    subscriber.args(["-c", &format!("exec mosquitto_sub {reach} -i display-1 -c -q 1 -t 'plant/#' -t news {will}")]);
    let subscriber = Process::start(subscriber.stdout(Stdio::null()).stderr(Stdio::null()));

    app.click("tab-clients");
    app.click_text("client-row", "display-1");
    app.wait_text("client-state", "connected");
    let subscriptions = app.wait_text("client-subscriptions", "plant/#");
    assert!(subscriptions.contains("news") && subscriptions.contains("QoS 1"), "{subscriptions}");
    app.wait_text("client-events", "subscribe");
    app.wait_text("client-panel", "plant/gone");
    pictures(&app, "embedded-clients");
    app.click("client-disconnect");
    app.click("client-disconnect-confirm-ok");
    app.wait_text("client-events", "disconnected by a click");
    drop(subscriber);

    app.click("tab-retained");
    app.wait_text("retained-total", "3 messages");
    app.click_text("retained-row", "plant/pump/state");
    app.wait_text("drawer-payload", "\"on\": true");
    app.fill("retained-filter", "plant/#");
    app.wait_text("retained-total", "2 messages");
    pictures(&app, "embedded-retained");
    app.click("retained-clear-all");
    let named = app.wait_text("retained-preview", "plant/pump/speed");
    assert!(named.contains("plant/pump/state") && !named.contains("hall/light"), "{named}");
    app.click("retained-confirm-ok");
    app.wait_text("retained-cleared", "2 retained messages were cleared.");
    app.wait_text("retained-total", "0 messages");
    app.click("retained-undo");
    app.wait_text("retained-total", "2 messages");
    app.fill("retained-filter", "plant/#/x");
    app.wait_for("retained-problem");
}

#[test]
fn listeners_and_limits_are_checked_before_they_are_saved() {
    let desk = Desk::new();
    let app = App::open(&desk);
    look_around(&app);
    create_embedded(&app, free_port());
    pictures(&app, "embedded-general");
    app.click("tab-listeners");
    app.click("listener-add");
    pictures(&app, "embedded-listener");
    app.click("broker-save");
    app.wait_text("error-inside-listeners-0-exposed", "Other computers will reach this listener");
    app.wait_text("error-inside-listeners-0-certificate", "Choose the certificate");
    app.wait_text("error-inside-listeners-0-key", "private key");
    pictures(&app, "embedded-refused");

    // A port that another program has is told while it is typed, and the next one is a click away.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    app.click("field-inside-listeners-0-transport-tcp");
    app.click("field-inside-listeners-0-listen-loopback");
    app.fill("field-inside-listeners-0-port", &port.to_string());
    app.wait_text("listener-problem", &format!("Port {port} is taken by"));
    pictures(&app, "embedded-taken");
    app.click("listener-free-port");
    app.wait_gone("listener-problem");
    app.click("field-inside-listeners-0-own-limits");
    app.click("field-inside-listeners-0-limits-choice-free");
    app.wait_text("limits-words", "250 publishes a minute");
    pictures(&app, "embedded-own-limits");
    app.click("broker-save");
    app.wait_text("broker-changes", "is saved");
    app.wait_text("broker-state", "running");
    app.click("listener-remove");
    app.click("tab-limits");
    app.click("field-inside-limits-choice-starter");
    app.wait_text("limits-words", "5000 publishes a minute");
    app.click("broker-save");
    app.wait_text("broker-changes", "is saved");
    app.wait_text("broker-state", "running");
    pictures(&app, "embedded-limits");
}
