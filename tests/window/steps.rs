//! What several tests do by clicking, in the words of a person.

use crate::app::App;
use crate::mosquitto::Mosquitto;

/// Passes the first-run doors without choosing one.
#[track_caller]
pub(crate) fn look_around(app: &App<'_>) {
    app.click("skip-welcome");
    app.wait_for("overview-counts");
}

/// Saves a broker through its form.
#[track_caller]
pub(crate) fn create_broker(app: &App<'_>, name: &str, mosquitto: &Mosquitto) {
    app.click("nav-brokers");
    app.click("broker-new");
    app.fill("field-name", name);
    app.fill("field-host", "127.0.0.1");
    app.fill("field-port", &mosquitto.port().to_string());
    app.click("broker-save");
    app.wait_text("broker-changes", "saved");
}

/// Saves a token for the local stand-in; the engine makes its value.
#[track_caller]
pub(crate) fn create_token(app: &App<'_>, name: &str, kind: &str) {
    app.click("nav-tokens");
    app.click("token-new");
    app.fill("field-name", name);
    app.choose("field-kind", kind);
    app.choose("field-region", "ocal");
    if !app.shows("token-generated") {
        app.click("token-generate");
    }
    app.click("token-save");
    app.wait_gone("token-dialog");
    app.wait_text("token-row", name);
}

/// Saves a running relay from a broker into the local stand-in.
#[track_caller]
pub(crate) fn create_relay(app: &App<'_>, name: &str, broker: &str, filter: &str, tokens: [&str; 2]) {
    app.click("nav-relays");
    app.click("relay-new");
    app.fill("field-name", name);
    app.choose("field-broker-id", broker);
    if !app.shows("mapping-row") {
        app.click("mapping-add");
    }
    app.fill("field-mappings-0-filter", filter);
    app.choose("field-region", "ocal");
    app.choose("field-network-token-id", tokens[0]);
    app.choose("field-authorization-id", tokens[1]);
    if app.wait_for("field-enabled").property("checked") == Ok(false.into()) {
        app.click("field-enabled");
    }
    app.click("relay-save");
    app.wait_text("relay-changes", "saved");
}

/// From nothing to a running relay.
#[track_caller]
pub(crate) fn build_relay(app: &App<'_>, mosquitto: &Mosquitto) {
    look_around(app);
    create_broker(app, "Plant broker", mosquitto);
    create_token(app, "Plant network", "etwork");
    create_token(app, "Plant authorization", "uthorization");
    create_relay(app, "Plant", "Plant broker", "plant/+/telemetry/#", ["Plant network", "Plant authorization"]);
    wait_running(app);
}

/// Opens the relay and waits until it runs: connected and subscribed.
#[track_caller]
pub(crate) fn wait_running(app: &App<'_>) {
    if !app.shows("relay-back") {
        app.click("nav-relays");
        app.click_text("relay-row", "Plant");
    }
    app.wait_text("relay-state", "running");
}

/// Opens the bucket of a device and waits for a value in it.
#[track_caller]
pub(crate) fn wait_stored(app: &App<'_>, serial: &str, value: &str) {
    app.click("nav-bucket");
    app.click_text("bucket-device", serial);
    app.wait_text("bucket-row", value);
}
