//! A crash in the middle of work: the next start finds everything, and goes on.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::steps::{build_relay, wait_running, wait_stored};
use crate::wait::{PATIENCE, until};

#[test]
fn a_killed_app_comes_back_and_goes_on() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    mosquitto.publish("plant/3/telemetry/press-03", r#"[{"variable":"temperature","value":71.4}]"#);
    wait_stored(&app, "press-03", "71.4");
    app.crash();

    let app = App::open(&desk);
    app.click("nav-brokers");
    app.wait_text("broker-row", "Plant broker");
    app.click("nav-tokens");
    app.wait_text("token-row", "Plant network");
    app.wait_text("token-row", "Plant authorization");
    wait_running(&app);
    mosquitto.publish("plant/3/telemetry/press-03", r#"[{"variable":"temperature","value":72.8}]"#);
    wait_stored(&app, "press-03", "72.8");
    app.wait_text("bucket-row", "71.4");
}

#[test]
fn a_second_app_on_the_same_folder_says_why_it_can_t() {
    let desk = Desk::new();
    let first = App::open(&desk);
    first.wait_for("skip-welcome");
    let second = App::open(&desk);
    until(PATIENCE, "the second app names the first", || {
        let text = second.script("done(document.body.innerText)");
        text.as_str()?.contains("uses this data folder").then_some(())
    });
}
