//! Downlinks from the chair: the endpoint's settings with what is refused at its field, and a relay's downlink walked hop
//! by hop.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::steps::build_relay;

#[test]
fn the_endpoint_is_protected_and_its_way_is_tested() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    app.session().resize(1000, 700).expect("a new size");
    build_relay(&app, &mosquitto);

    app.click("nav-settings");
    app.click("field-listen-all");
    app.click("endpoint-save");
    app.wait_for("error-tls");
    app.wait_text("error-access", "answers only whom it knows");
    show(&app, "endpoint-card", "endpoint-refused");
    app.click("field-listen-loopback");
    app.click("field-tls-self-signed");
    app.click("field-access-bearer");
    app.click("endpoint-save");
    app.wait_for("endpoint-fingerprint");
    app.wait_text("endpoint-token", "rs");
    show(&app, "endpoint-card", "endpoint-protected");

    app.click("nav-relays");
    app.click_text("relay-row", "Plant");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    app.click("tab-downlink");
    app.fill("field-downlink-port", &port.to_string());
    app.click("relay-save");
    app.wait_text("downlink-listening", "Listens on");
    app.wait_text("downlink-url", &format!("https://127.0.0.1:{port}/publish"));
    app.wait_text("downlink-reach", "tunnel");
    app.click("downlink-test");
    app.wait_text("downlink-test-result", "goes through");
    show(&app, "downlink-panel", "downlink-tested");

    app.click("nav-settings");
    app.click("field-listen-all");
    app.click("field-access-open");
    app.click("field-unsafe");
    app.click("endpoint-save");
    app.wait_text("endpoint-unsafe", "Unsafe mode");
    show(&app, "endpoint-card", "endpoint-unsafe");
}

/// Takes a picture in both themes with an element at the top.
fn show(app: &App<'_>, id: &str, name: &str) {
    for theme in ["dark", "light"] {
        app.script(&format!(
            "document.documentElement.dataset.theme = '{theme}';
             document.querySelector('[data-testid={id}]').scrollIntoView();
             requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))"
        ));
        app.picture(&format!("{name}-1000x700-{theme}"));
    }
}
