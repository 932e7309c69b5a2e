//! What is wrong is said at the field where it is wrong, and nothing is saved.

use crate::app::App;
use crate::desk::Desk;
use crate::steps::look_around;

#[test]
fn a_broker_s_problems_stand_at_their_fields() {
    let desk = Desk::new();
    let app = App::open(&desk);
    look_around(&app);
    app.click("nav-brokers");
    app.click("broker-new");
    app.fill("field-name", "");
    app.fill("field-host", "mqtt://plant.example");
    app.fill("field-port", "70000");
    app.click("broker-save");
    app.wait_text("error-name", "name");
    app.wait_text("error-host", "host only");
    app.wait_text("error-port", "65535");
    app.wait_text("broker-problems", "3 problems");

    app.fill("field-host", "plant.example");
    app.wait_gone("error-host");
    app.click("broker-discard");
    assert!(!app.shows("broker-row"), "nothing was saved");
}

#[test]
fn a_relay_s_problems_stand_at_their_fields() {
    let desk = Desk::new();
    let app = App::open(&desk);
    look_around(&app);
    app.click("nav-relays");
    app.click("relay-new");
    app.fill("field-name", "");
    if !app.shows("mapping-row") {
        app.click("mapping-add");
    }
    app.fill("field-mappings-0-filter", "plant/#/temp");
    app.click("relay-save");
    for field in ["name", "broker-id", "mappings-0-filter", "network-token-id", "authorization-id"] {
        app.wait_for(&format!("error-{field}"));
    }
    app.fill("field-mappings-0-filter", "plant/+/temp");
    app.wait_gone("error-mappings-0-filter");
}
