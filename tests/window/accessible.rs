//! Everything the window shows, checked by axe in both themes: every place with rows in it, every tab and dialog, forms
//! with mistakes, and names that are as long as names get.

use crate::app::App;
use crate::audit::Audit;
use crate::desk::{Desk, free_port};
use crate::destination::Destination;
use crate::letters::call;
use crate::mosquitto::Mosquitto;
use crate::steps::create_broker;
use crate::wait::PATIENCE;
use serde_json::{Value, json};

/// Opens the app with the demo running, and waits for messages that were delivered.
#[track_caller]
fn with_demo(app: &App<'_>) {
    app.click("try-it");
    app.wait_for_css("[data-testid='feed-row'][data-group='delivery']", PATIENCE);
}

#[track_caller]
fn go(app: &App<'_>, place: &str) {
    app.click(&format!("nav-{place}"));
    app.wait_for_css(&format!("[data-testid='nav-{place}'][aria-current='page']"), PATIENCE);
}

/// Opens each tab of an editor in turn.
#[track_caller]
fn tabs(app: &App<'_>, audit: &Audit<'_>, what: &str, tabs: &[&str]) {
    for tab in tabs {
        app.click(&format!("tab-{tab}"));
        app.wait_for_css(&format!("[data-testid='tab-{tab}'][aria-selected='true']"), PATIENCE);
        audit.check(&format!("{what}-{tab}"));
    }
}

#[test]
fn the_inspector_is_accessible() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.wait_for("welcome");
    let audit = Audit::begin(&app);
    audit.check("welcome");
    with_demo(&app);
    audit.check("feed");
    app.click("filter-more");
    app.wait_for("filter-form");
    audit.check("filter-form");
    app.click("filter-more");
    app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);
    app.fill("feed-search", "kind:publish dir:in");
    app.click_text("feed-row", "publish");
    for tab in ["payload", "diff", "packet", "journey"] {
        app.click(&format!("drawer-tab-{tab}"));
        app.wait_for_css(&format!("[data-testid='drawer-tab-{tab}'][aria-selected='true']"), PATIENCE);
        audit.check(&format!("drawer-{tab}"));
    }
    app.click("drawer-filter");
    app.wait_for("menu-only-topic");
    audit.check("row-menu");
    app.click("menu-mute-topic");
    app.wait_for("muted");
    audit.check("muted");
    app.fill("feed-search", "topic:a/#/b");
    app.wait_for("filter-mistake");
    audit.check("filter-mistake");
    app.fill("feed-search", "topic:nowhere/#");
    app.wait_for("feed-nothing-matches");
    audit.check("nothing-matches");
    app.click("feed-reset-filter");
    app.click("feed-pause");
    app.wait_text("feed-pause", "waiting");
    audit.check("paused");
    app.click("feed-pause");
    app.click("drawer-close");

    app.click("look-connections");
    app.wait_for("connection-row");
    app.click("connection-turn");
    app.wait_for("connection-event");
    audit.check("by-connection");
    app.click("look-topics");
    app.wait_for("topic-row");
    app.click("topic-turn");
    audit.check("by-topic");
    app.click("look-charts");
    app.wait_for("chart-empty");
    audit.check("charts-empty");
    app.click("chart-add");
    app.click("chart-add-save");
    app.wait_for("error-topic");
    audit.check("chart-add");
    app.fill("field-topic", "demo/greenhouse/#");
    app.fill("field-path", "$[0].value");
    app.click("chart-add-save");
    app.wait_gone("chart-add-dialog");
    app.wait_for("chart-line");
    audit.check("charts");
    app.click("look-feed");

    app.click("place-history");
    app.wait_for("history-off");
    audit.check("history-off");
    app.click("history-on");
    app.wait_for("history-row");
    audit.check("history");
    app.click("place-live");
    app.wait_for("feed-row");

    for (open, dialog) in
        [("export", "export-dialog"), ("replay-open", "replay-dialog"), ("subscribe", "subscribe-dialog")]
    {
        app.click(open);
        app.wait_for(dialog);
        audit.check(dialog);
        if open == "subscribe" {
            app.click("filter-add");
            app.click("subscribe-save");
            app.wait_for("error-filters-0-filter");
            audit.check("subscribe-refused");
            app.choose("field-broker-id", "emo");
            app.fill("field-filters-0-filter", "demo/#");
            app.click("filter-remove");
            app.click("subscribe-save");
            app.wait_gone(dialog);
            app.wait_text("session-filter", "QoS 0");
            audit.check("session");
        } else {
            app.click(&format!("{dialog}-close"));
            app.wait_gone(dialog);
        }
    }
    app.fill("feed-search", "kind:publish");
    app.wait_for("feed-row");
    app.click("filters-saved");
    app.fill("filter-name", "Messages");
    app.click("filter-save");
    app.wait_for("saved-filter");
    audit.check("saved-filters");
    app.click("saved-filter-rename");
    app.wait_for("saved-filter-name");
    audit.check("saved-filter-rename");
    app.click("saved-filters-close");
    app.click_text("feed-row", "publish");
    app.click("drawer-tab-payload");
    app.click("decoders-manage");
    app.wait_for("decoders-dialog");
    audit.check("decoders");
    app.click("decoders-done");
    app.wait_gone("decoders-dialog");
    app.click("open-palette");
    app.fill("palette-input", "o");
    audit.check("palette");
    app.fill("palette-input", "no such thing");
    audit.check("palette-nothing");
    app.fill("palette-input", "keys");
    app.click("palette-keys");
    app.wait_for("keys-sheet");
    audit.check("keys-sheet");
    audit.end();
}

#[test]
fn the_other_places_are_accessible() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    app.wait_for("welcome");
    let audit = Audit::begin(&app);
    with_demo(&app);

    go(&app, "overview");
    app.wait_for("relay-card");
    audit.check("overview");
    go(&app, "brokers");
    app.wait_for("broker-row");
    audit.check("brokers");
    app.click_text("broker-row", "Demo");
    app.wait_text("broker-state", "running");
    tabs(&app, &audit, "embedded", &["general", "listeners", "limits", "clients", "retained"]);
    app.click("broker-delete");
    app.wait_for("confirm");
    audit.check("delete-broker");
    app.click("confirm-cancel");
    app.click("broker-back");
    app.click("broker-new");
    app.fill("field-host", "mqtt://plant.example");
    app.fill("field-port", "70000");
    app.click("broker-save");
    app.wait_for("error-host");
    tabs(&app, &audit, "broker", &["general", "security", "session", "will", "advanced"]);
    app.click("broker-back");
    app.wait_for("confirm");
    audit.check("leave");
    app.click("confirm-ok");

    go(&app, "taps");
    app.wait_for("taps-empty");
    audit.check("taps-empty");
    create_broker(&app, "Plant broker", &mosquitto);
    go(&app, "taps");
    app.click("tap-new");
    app.fill("field-listener-port", "0");
    app.click("tap-save");
    app.wait_for("error-name");
    audit.check("tap-refused");
    app.fill("field-name", "Plant tap");
    app.choose("field-broker-id", "Plant broker");
    app.fill("field-listener-port", &free_port().to_string());
    app.click("tap-save");
    app.wait_text("tap-state", "running");
    tabs(&app, &audit, "tap", &["general", "limits", "clients", "findings"]);
    app.click("tap-back");
    app.wait_for("tap-row");
    audit.check("taps");

    go(&app, "relays");
    app.wait_for("relay-row");
    audit.check("relays");
    app.click_text("relay-row", "Demo");
    app.wait_text("relay-state", "running");
    tabs(&app, &audit, "relay", &["general", "delivery", "queue", "plan", "downlink", "messages"]);
    app.click("relay-back");
    app.click("relay-new");
    app.click("relay-save");
    app.wait_for("error-name");
    audit.check("relay-refused");
    app.click("relay-discard");

    go(&app, "tokens");
    app.wait_for("token-row");
    audit.check("tokens");
    app.click("token-reveal");
    app.wait_for("token-value");
    audit.check("token-shown");
    app.click("token-new");
    app.click("token-save");
    app.wait_for("error-name");
    audit.check("token-refused");
    app.click("token-cancel");

    go(&app, "queue");
    app.wait_for("queue-row");
    audit.check("queue");
    go(&app, "bucket");
    app.click_text("bucket-device", "climate");
    app.wait_for("bucket-row");
    audit.check("bucket");
    go(&app, "publish");
    app.click("publish-properties");
    app.click("user-property-add");
    app.click("field-source-json");
    app.fill("field-payload", "{\"on\": tru}");
    app.wait_text("payload-says", "column");
    app.click("publish");
    app.wait_for("error-topic");
    audit.check("publish-refused");
    app.click("field-source-file");
    audit.check("publish-file");
    app.click("message-keep");
    app.wait_for("keep-dialog");
    audit.check("keep");
    app.click("keep-cancel");
    go(&app, "settings");
    app.wait_for("endpoint-card");
    audit.check("settings");
    app.click("rail-toggle");
    audit.check("rail-folded");
    audit.end();
}

/// As long as a client id, a name and a topic get in practice.
fn long(words: &str, length: usize) -> String {
    words.chars().cycle().take(length).collect()
}

#[test]
fn long_names_and_dead_letters_are_accessible() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let destination = Destination::that_refuses("hall");
    let app = App::open(&desk);
    app.click("skip-welcome");
    let audit = Audit::begin(&app);
    for (place, empty) in [
        ("overview", "overview-empty"),
        ("inspector", "feed-empty"),
        ("brokers", "brokers-empty"),
        ("relays", "relays-empty"),
        ("tokens", "tokens-empty"),
        ("queue", "dead-letters-empty"),
        ("bucket", "bucket-empty"),
    ] {
        go(&app, place);
        app.wait_for(empty);
        audit.check(empty);
    }
    let name = long("Pressing plant of the northern works ", 80);
    let topic = format!("plant/{}", long("hall-seven/press-line/telemetry/", 194));
    let mut broker = call(&app, "app.blank", &Value::Null)["broker"].clone();
    broker["name"] = json!(name);
    broker["host"] = json!("127.0.0.1");
    broker["port"] = json!(mosquitto.port().to_string());
    broker["clientId"] = json!(long("relayscope-of-the-northern-works-", 100));
    let broker = call(&app, "brokers.save", &broker)["broker"]["id"].clone();
    let region = json!({"kind": "own", "url": destination.url()});
    let token = |kind: &str, value: &str| {
        let draft = json!({"id": null, "name": format!("{kind} {name}").chars().take(80).collect::<String>(), "kind": kind, "region": region, "serial": "",
                           "permission": "full", "expires": "", "value": {"kind": "set", "value": value}});
        call(&app, "tokens.save", &draft)["token"]["id"].clone()
    };
    let network = token("network", "0f8fad5b-d9cb-469f-a165-70867728950e");
    let authorization = token("authorization", "at0123456789abcdef0123456789abcdef");
    let draft = json!({
        "id": null, "name": name, "brokerId": broker, "region": region, "networkTokenId": network,
        "authorizationId": authorization, "downlinkPort": "", "enabled": true,
        "mappings": [{"filter": "plant/#", "qos": 1, "enabled": true}, {"filter": format!("{topic}/+"), "qos": 1, "enabled": false}],
    });
    call(&app, "relays.save", &draft);
    go(&app, "relays");
    app.click_text("relay-row", "Pressing");
    app.wait_text("relay-state", "running");
    audit.check("long-relay");
    mosquitto.publish(&topic, &format!("{{\"{}\": 71.4}}", long("temperature-of-the-oil-", 120)));
    mosquitto.publish(&topic, r#"{"temperature": 71.5}"#);

    go(&app, "queue");
    app.wait_for("dead-letter-row");
    audit.check("long-letters");
    app.click("dead-letter-row");
    app.wait_for("dead-letter-reason");
    audit.check("long-letter");
    for tab in ["request", "answer"] {
        app.click(&format!("dead-letter-tab-{tab}"));
        audit.check(&format!("long-letter-{tab}"));
    }
    app.click("dead-letter-edit");
    app.fill("field-topic", "plant/+");
    app.click("letter-save-resend");
    app.wait_for("error-topic");
    audit.check("letter-refused");
    go(&app, "overview");
    app.wait_for("relay-card");
    audit.check("long-overview");
    go(&app, "brokers");
    app.wait_for("broker-row");
    audit.check("long-brokers");
    app.click_text("broker-row", "Pressing");
    app.click("broker-test");
    app.wait_for("test-result");
    audit.check("long-broker");
    go(&app, "relays");
    app.wait_for("relay-row");
    audit.check("long-relays");
    go(&app, "tokens");
    app.wait_for("token-row");
    audit.check("long-tokens");
    go(&app, "inspector");
    app.wait_for("feed-row");
    app.fill("feed-search", "kind:publish");
    app.click_text("feed-row", "publish");
    app.wait_for("drawer-tab-packet");
    for tab in ["payload", "diff", "packet", "journey"] {
        app.click(&format!("drawer-tab-{tab}"));
        audit.check(&format!("long-{tab}"));
    }
    app.click("drawer-close");
    app.click("look-connections");
    app.wait_for("connection-row");
    app.click("connection-turn");
    app.wait_for("connection-event");
    audit.check("long-connections");
    app.click("look-topics");
    app.wait_for("topic-row");
    audit.check("long-topics");
    app.click("look-charts");
    app.click("chart-add");
    app.fill("field-topic", "plant/#");
    app.fill("field-path", "$.temperature");
    app.click("chart-add-save");
    app.wait_for("chart-line");
    audit.check("long-charts");
    go(&app, "publish");
    app.choose("field-broker-id", "Pressing");
    app.fill("field-topic", &topic);
    audit.check("long-publish");
    audit.end();
}
