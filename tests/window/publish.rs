//! A message written and published by hand, and seen in the feed through a session that was opened without a relay.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::screenshots::{pictures, resize, until_painted};
use crate::steps::begin_session;
use crate::wait::{PATIENCE, until};

#[test]
fn a_message_is_published_and_seen_through_a_session() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    begin_session(&app, &mosquitto, "#");
    app.click("subscribe-save");
    app.wait_text("error-filters-0-filter", "everything");
    app.fill("field-filters-0-filter", "hand/#");
    app.click("subscribe-save");
    app.wait_gone("subscribe-dialog");
    app.wait_text("session-state", "connected");
    app.wait_text("session-filter", "QoS 0");

    app.click("nav-publish");
    app.fill("field-topic", "hand/+");
    app.click("field-source-json");
    app.fill("field-payload", "{\"on\": tru}");
    app.wait_text("payload-says", "column");
    app.click("publish");
    app.wait_text("error-topic", "wildcard");
    app.fill("field-topic", "hand/lamp");
    app.fill("field-payload", "{\"on\": true}");
    app.wait_text("payload-says", "12 B");
    app.click("publish");
    app.wait_text("publication-words", "0x00 success");

    app.click("publish-properties");
    app.fill("field-properties-response-topic", "hand/answer");
    for (size, name) in [((1000, 700), "1000x700"), ((1600, 1000), "1600x1000")] {
        resize(&app, size);
        for theme in ["dark", "light"] {
            app.script(&format!("document.documentElement.dataset.theme = '{theme}'; done()"));
            for place in ["publish", "inspector"] {
                app.click(&format!("nav-{place}"));
                if place == "publish" && !app.shows("field-properties-content-type") {
                    app.click("publish-properties");
                }
                until_painted(&app);
                let wider = app.script("done(document.documentElement.scrollWidth - innerWidth)");
                assert!(wider.as_i64().is_some_and(|pixels| pixels <= 0), "{place}: {wider} too wide");
                app.picture(&format!("{place}-session-{name}-{theme}"));
            }
        }
    }
    app.wait_text("feed-row", "hand/lamp");
    app.click("session-filter-remove");
    app.wait_gone("session-filter");
    app.click("session-close");
    app.wait_gone("session");
}

#[test]
fn a_message_is_found_by_the_fields_of_the_filter_and_published_again() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    begin_session(&app, &mosquitto, "hand/#");
    app.click("subscribe-save");
    app.wait_gone("subscribe-dialog");
    app.wait_text("session-filter", "QoS 0");
    mosquitto.publish("hand/lamp", "{\"on\": true}");
    mosquitto.publish("hand/fan/speed", "3");
    app.wait_text("feed-row", "hand/fan");

    app.click("filter-more");
    app.click("chip-source-session");
    app.fill("filter-topic", "hand/+");
    // The click leaves the field: both changes are in the line.
    app.click("chip-dir-in");
    until(PATIENCE, "the line", || {
        let line = app.script("done(document.querySelector('[data-testid=feed-search]').value)");
        (line == "source:session topic:hand/+ dir:in").then_some(())
    });
    app.wait_for_css("[data-testid='chip-source-session'][aria-pressed='true']", PATIENCE);
    until(PATIENCE, "one row", || (app.session().elements("[data-testid='feed-row']").ok()?.len() == 1).then_some(()));
    app.fill("filter-since", "yesterday");
    app.click("feed-search");
    app.wait_text("filter-form-problem", "Since: “yesterday” is no time");
    app.fill("filter-since", "1h");
    app.click("feed-search");
    until(PATIENCE, "the line", || {
        let line = app.script("done(document.querySelector('[data-testid=feed-search]').value)");
        (line == "source:session topic:hand/+ dir:in since:1h").then_some(())
    });
    app.wait_gone("filter-form-problem");
    pictures(&app, "filter-form");
    app.click("feed-row");
    app.click("drawer-republish");
    app.wait_text("payload-says", "12 B");
    assert_eq!(app.wait_for("field-topic").property("value"), Ok("hand/lamp".into()));
    app.click("publish");
    app.wait_text("publication-words", "Published");
}
