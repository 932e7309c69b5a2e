//! Broker, tokens and relay made through their forms; then one message on its whole way, seen at each station.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::steps::{build_relay, wait_stored};

#[test]
fn a_message_passes_from_mosquitto_into_the_bucket() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);

    mosquitto.publish("plant/3/telemetry/press-03", r#"[{"variable":"temperature","value":71.4}]"#);
    app.click("nav-inspector");
    let row = app.wait_text("feed-row", "plant/3/telemetry/press-03");
    assert!(!row.is_empty());
    app.wait_text("feed-row", "delivered");

    app.click_text("feed-row", "publish");
    app.wait_text("drawer-topic", "plant/3/telemetry/press-03");

    wait_stored(&app, "press-03", "71.4");
    app.click("nav-overview");
    app.wait_text("ledger-delivered", "1");
}
