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
    app.wait_text("broker-changes", "is saved");
}

/// From nothing to a look at a broker: the dialog is open, its first filter written.
#[track_caller]
pub(crate) fn begin_session(app: &App<'_>, mosquitto: &Mosquitto, filter: &str) {
    look_around(app);
    create_broker(app, "Plant broker", mosquitto);
    app.click("nav-inspector");
    app.click("subscribe");
    app.fill("field-filters-0-filter", filter);
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

/// Saves a token for an address of one's own.
#[track_caller]
pub(crate) fn create_token_of(app: &App<'_>, url: &str, name: &str, kind: &str, value: &str) {
    app.click("nav-tokens");
    app.click("token-new");
    app.fill("field-name", name);
    app.choose("field-kind", kind);
    app.choose("field-region", "wn address");
    app.fill("field-region-url", url);
    app.fill("field-value", value);
    app.click("token-save");
    app.wait_gone("token-dialog");
    app.wait_text("token-row", name);
}

/// Begins a relay: its name, its broker, its topics.
#[track_caller]
fn begin_relay(app: &App<'_>, name: &str, broker: &str, filter: &str) {
    app.click("nav-relays");
    app.click("relay-new");
    app.fill("field-name", name);
    app.choose("field-broker-id", broker);
    if !app.shows("mapping-row") {
        app.click("mapping-add");
    }
    app.fill("field-mappings-0-filter", filter);
}

/// Chooses the tokens and saves the relay, running.
#[track_caller]
fn finish_relay(app: &App<'_>, tokens: [&str; 2]) {
    app.choose("field-network-token-id", tokens[0]);
    app.choose("field-authorization-id", tokens[1]);
    if app.wait_for("field-enabled").property("checked") == Ok(false.into()) {
        app.click("field-enabled");
    }
    app.click("relay-save");
    app.wait_text("relay-changes", "is saved");
}

/// Saves a running relay from a broker into the local stand-in.
#[track_caller]
pub(crate) fn create_relay(app: &App<'_>, name: &str, broker: &str, filter: &str, tokens: [&str; 2]) {
    begin_relay(app, name, broker, filter);
    app.choose("field-region", "ocal");
    finish_relay(app, tokens);
}

/// From nothing to a running relay into the local stand-in.
#[track_caller]
pub(crate) fn build_relay(app: &App<'_>, mosquitto: &Mosquitto) {
    look_around(app);
    create_broker(app, "Plant broker", mosquitto);
    create_token(app, "Plant network", "etwork");
    create_token(app, "Plant authorization", "uthorization");
    create_relay(app, "Plant", "Plant broker", "plant/+/telemetry/#", ["Plant network", "Plant authorization"]);
    wait_running(app);
}

/// From nothing to a relay that is connected and delivers to `url`; its editor is open.
#[track_caller]
pub(crate) fn build_relay_to(app: &App<'_>, mosquitto: &Mosquitto, url: &str, network_token: &str) {
    build_relay_of(app, mosquitto, "plant/+/telemetry/#", url, network_token);
}

/// The same with topics of one's own.
#[track_caller]
pub(crate) fn build_relay_of(app: &App<'_>, mosquitto: &Mosquitto, filter: &str, url: &str, network_token: &str) {
    look_around(app);
    create_broker(app, "Plant broker", mosquitto);
    create_token_of(app, url, "Plant network", "etwork", network_token);
    create_token_of(app, url, "Plant authorization", "uthorization", "at0123456789abcdef0123456789abcdef");
    begin_relay(app, "Plant", "Plant broker", filter);
    app.choose("field-region", "wn address");
    app.fill("field-region-url", url);
    finish_relay(app, ["Plant network", "Plant authorization"]);
    wait_running(app);
}

/// Opens the relay in its editor.
#[track_caller]
pub(crate) fn open_relay(app: &App<'_>) {
    if !app.shows("relay-back") {
        app.click("nav-relays");
        app.click_text("relay-row", "Plant");
    }
}

/// Opens the relay and waits until it runs: connected and subscribed.
#[track_caller]
pub(crate) fn wait_running(app: &App<'_>) {
    open_relay(app);
    app.wait_text("relay-state", "running");
}

/// Opens the bucket of a device and waits for a value in it.
#[track_caller]
pub(crate) fn wait_stored(app: &App<'_>, serial: &str, value: &str) {
    app.click("nav-bucket");
    app.click_text("bucket-device", serial);
    app.wait_text("bucket-row", value);
}
