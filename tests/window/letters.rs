//! Dead letters from the chair: what the destination refused is looked at, mended and sent again; many are handled as one.

use crate::app::App;
use crate::desk::Desk;
use crate::destination::Destination;
use crate::mosquitto::Mosquitto;
use crate::screenshots::resize;
use crate::steps::look_around;
use crate::wait::{PATIENCE, until};
use serde_json::{Value, json};
use std::time::Duration;

/// Calls the engine as the page does: for what is not the subject of a test.
#[track_caller]
pub(crate) fn call(app: &App<'_>, name: &str, body: &Value) -> Value {
    let answer = app.script(&format!(
        "window.__TAURI_INTERNALS__.invoke('rpc', {{ name: '{name}', body: {body} }})
            .then((value) => done({{ value }}), (error) => done({{ error: JSON.stringify(error) }}))"
    ));
    assert!(answer["error"].is_null(), "{name}: {answer}");
    answer["value"].clone()
}

/// A running relay from Mosquitto to the destination.
#[track_caller]
fn relay(app: &App<'_>, mosquitto: &Mosquitto, destination: &Destination) {
    look_around(app);
    let mut broker = call(app, "app.blank", &Value::Null)["broker"].clone();
    broker["name"] = json!("Plant broker");
    broker["host"] = json!("127.0.0.1");
    broker["port"] = json!(mosquitto.port().to_string());
    let broker = call(app, "brokers.save", &broker)["broker"]["id"].clone();
    let region = json!({"kind": "own", "url": destination.url()});
    let token = |name: &str, kind: &str, value: &str| {
        let draft = json!({"id": null, "name": name, "kind": kind, "region": region, "serial": "", "permission": "full", "expires": "",
                           "value": {"kind": "set", "value": value}});
        call(app, "tokens.save", &draft)["token"]["id"].clone()
    };
    let network = token("Plant network", "network", "0f8fad5b-d9cb-469f-a165-70867728950e");
    let authorization = token("Plant authorization", "authorization", "at0123456789abcdef0123456789abcdef");
    let draft = json!({
        "id": null, "name": "Plant", "brokerId": broker, "region": region, "networkTokenId": network,
        "authorizationId": authorization, "downlinkPort": "", "enabled": true,
        "mappings": [{"filter": "plant/#", "qos": 1, "enabled": true}],
    });
    call(app, "relays.save", &draft);
    app.click("nav-relays");
    app.click_text("relay-row", "Plant");
    app.wait_text("relay-state", "running");
}

#[test]
fn a_dead_letter_is_edited_and_resent() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let destination = Destination::that_refuses("press-O3");
    let app = App::open(&desk);
    relay(&app, &mosquitto, &destination);
    app.click("nav-queue");
    app.wait_for("dead-letters-empty");
    mosquitto.publish("plant/3/telemetry/press-O3", r#"{"temperature": 71.4}"#);
    mosquitto.publish("plant/3/telemetry/press-O3", r#"{"temperature": 71.5}"#);

    app.wait_text("dead-letter-row", "plant/3/telemetry/press-O3");
    until(PATIENCE, "both letters", || (call(&app, "app.status", &Value::Null)["totals"]["dead"] == 2).then_some(()));
    app.wait_text("nav-queue-dead", "2");
    app.fill("dead-letters-search", "71.4");
    until(PATIENCE, "one row", || {
        (app.session().elements("[data-testid='dead-letter-row']").ok()?.len() == 1).then_some(())
    });
    app.click("dead-letter-row");
    app.wait_text("dead-letter-reason", "400");
    app.wait_text("drawer-payload", "71.4");
    app.click("dead-letter-tab-answer");
    app.wait_text("dead-letter-answer", "is not known");

    app.click("dead-letter-edit");
    app.fill("field-topic", "plant/+/telemetry/press-03");
    app.click("letter-form-hex");
    app.wait_text("letter-form", "Payload");
    app.fill("field-payload", "37 3");
    app.click("letter-save-resend");
    app.wait_text("error-topic", "wildcard");
    app.wait_text("error-payload", "two");
    app.fill("field-topic", "plant/3/telemetry/press-03");
    app.wait_gone("error-topic");
    app.fill("field-payload", "37 32");
    app.click("letter-save-resend");
    app.wait_text("toast", "sent again");
    app.wait_for("dead-letters-nothing-matches");
    let taken = until(PATIENCE, "the mended message", || destination.taken().first().cloned());
    assert!(taken.contains("plant/3/telemetry/press-03") && taken.contains(r#""72""#), "{taken}");

    // The other one goes, and comes back.
    app.click("dead-letters-reset");
    app.click("dead-letter-row");
    app.click("dead-letter-discard");
    app.wait_for("dead-letters-empty");
    app.click("toast-offer");
    app.wait_text("dead-letter-row", "press-O3");
    assert_eq!(call(&app, "app.status", &Value::Null)["relays"][0]["ledgerDifference"], 0);
}

#[test]
fn ten_thousand_dead_letters_are_listed_chosen_and_exported() {
    const TOPICS: usize = 20;
    const EACH: usize = 500;
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let destination = Destination::that_refuses("plant");
    let app = App::open(&desk);
    relay(&app, &mosquitto, &destination);
    app.click("nav-queue");
    for topic in 0..TOPICS {
        let long = if topic == 7 { "/a-long-branch-of-the-plant".repeat(8) } else { String::new() };
        let lines: String = (0..EACH)
            .map(|number| format!("{{\"temperature\": {}.{}, \"line\": {topic}}}\n", 20 + number % 9, number))
            .collect();
        mosquitto.publish_lines(&format!("plant/{topic}/telemetry{long}/press-{topic:02}"), &lines);
    }
    until(Duration::from_secs(120), "ten thousand dead letters", || {
        (call(&app, "app.status", &Value::Null)["totals"]["dead"] == TOPICS * EACH).then_some(())
    });
    app.wait_text("nav-queue-dead", "10,000");
    for size in [(1000, 700), (1600, 1000)] {
        resize(&app, size);
        for theme in ["dark", "light"] {
            app.script(&format!("document.documentElement.dataset.theme = '{theme}'; done()"));
            for (name, scroll) in [("top", 0), ("middle", 150_000), ("end", 300_000)] {
                app.script(&format!(
                    "document.querySelector(\"[data-testid='dead-letters']\").scrollTop = {scroll}; done()"
                ));
                // What is on the screen now is there, not only what was before.
                until(PATIENCE, "the rows of this place", || {
                    let first = scroll / 30 + 2;
                    let css = format!("[data-testid='dead-letter-row'][aria-rowindex='{}']", first.min(TOPICS * EACH));
                    (app.session().elements(&css).ok()?.len() == 1).then_some(())
                });
                let rows = app.script("done(document.querySelectorAll(\"[data-testid='dead-letter-row']\").length)");
                assert!(rows.as_u64().is_some_and(|rows| rows < 100), "{rows} rows at once");
                app.picture(&format!("letters-{name}-{}x{}-{theme}", size.0, size.1));
            }
            app.script("document.querySelector(\"[data-testid='dead-letters']\").scrollTop = 0; done()");
            // The rows of the end make way for those of the top first.
            let top = app.wait_for_css("[data-testid='dead-letter-row'][aria-rowindex='2']", PATIENCE);
            top.click().expect("a click on the newest letter");
            app.wait_for("dead-letter-reason");
            app.picture(&format!("letters-drawer-{}x{}-{theme}", size.0, size.1));
            app.click("dead-letter-edit");
            app.wait_for("letter-form");
            app.picture(&format!("letters-edit-{}x{}-{theme}", size.0, size.1));
            app.click("dead-letter-close");
            let wider = app.script("done(document.documentElement.scrollWidth - innerWidth)");
            assert!(wider.as_i64().is_some_and(|pixels| pixels <= 0), "{wider} too wide");
        }
    }
    app.click("dead-letters-tick-all");
    app.wait_text("dead-letters-discard", "10,000");
    app.click("dead-letters-export-csv");
    let path = app.wait_text("dead-letters-path", "relayscope-dead-letters-all");
    // A request has several lines; a record ends at a line's end outside of quotes.
    let mut quoted = false;
    let text = std::fs::read_to_string(&path).expect("the file");
    let records = text.chars().filter(|one| {
        quoted ^= *one == '"';
        *one == '\n' && !quoted
    });
    assert_eq!(records.count(), TOPICS * EACH + 1);
    app.picture("letters-exported");
    app.click("dead-letters-discard");
    app.wait_for("dead-letters-empty");
    app.picture("letters-discarded");
    app.click("toast-offer");
    app.wait_text("nav-queue-dead", "10,000");
}
