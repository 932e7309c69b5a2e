//! Every place at two sizes in both themes, with the demo running: pictures to look at, and a check that nothing
//! sticks out of the window.

use crate::app::App;
use crate::desk::Desk;
use crate::wait::{PATIENCE, until};
use serde_json::json;
use std::time::Duration;

const PLACES: [&str; 10] =
    ["overview", "inspector", "brokers", "taps", "relays", "tokens", "queue", "bucket", "publish", "settings"];
const SIZES: [(u32, u32); 2] = [(1000, 700), (1600, 1000)];

#[test]
fn screenshots_of_every_place() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.wait_for("welcome");
    resize(&app, SIZES[0]);
    app.picture("welcome-1000x700");
    app.click("try-it");
    app.wait_for_css("[data-testid='feed-row'][data-group='delivery']", Duration::from_secs(15));
    for (width, height) in SIZES {
        resize(&app, (width, height));
        for theme in ["dark", "light"] {
            app.script(&format!("document.documentElement.dataset.theme = '{theme}'; done()"));
            for place in PLACES {
                app.click(&format!("nav-{place}"));
                app.wait_for_css(&format!("[data-testid='nav-{place}'][aria-current='page']"), PATIENCE);
                until_painted(&app);
                if place == "inspector" {
                    app.wait_for("feed-row");
                }
                let wider = app.script("done(document.documentElement.scrollWidth - innerWidth)");
                assert!(wider.as_i64().is_some_and(|pixels| pixels <= 0), "{place} at {width}: {wider} too wide");
                app.picture(&format!("{place}-{width}x{height}-{theme}"));
            }
        }
    }
    app.click("nav-inspector");
    app.click("look-charts");
    for (topic, path) in
        [("demo/greenhouse/#", "$[0].value"), ("demo/greenhouse/#", "$[1].value"), ("demo/line-2/counter-02", "$")]
    {
        app.click("chart-add");
        app.fill("field-topic", topic);
        app.fill("field-path", path);
        app.click("chart-add-save");
        app.wait_gone("chart-add-dialog");
    }
    app.wait_for_css("[data-testid='chart-line']:nth-child(3)", PATIENCE);
    app.click("chart-reach-all");
    // More values came: they were asked for with the new reach.
    let values = || app.script("done(document.querySelector('[data-testid=chart-line]').dataset.count)");
    let before = values();
    until(PATIENCE, "more values", || (values() != before).then_some(()));
    app.script("document.documentElement.dataset.theme = 'dark'; done()");
    until_painted(&app);
    app.picture("charts-1600x1000-dark");
}

/// Waits for two frames: the page shows the new place from the second on at the latest.
pub(crate) fn until_painted(app: &App<'_>) {
    app.script("requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))");
}

/// At both sizes and in both themes nothing sticks out of the window, and a picture is taken.
#[track_caller]
pub(crate) fn pictures(app: &App<'_>, name: &str) {
    for (width, height) in [(1000, 700), (1600, 1000)] {
        resize(app, (width, height));
        for theme in ["dark", "light"] {
            app.script(&format!(
                "document.documentElement.dataset.theme = '{theme}';
                 const painted = () => document.getAnimations().map((one) => one.finished);
                 requestAnimationFrame(() => Promise.allSettled(painted()).then(done))"
            ));
            let wider = app.script("done(document.documentElement.scrollWidth - innerWidth)");
            assert!(wider.as_i64().is_some_and(|pixels| pixels <= 0), "{name} at {width}: {wider} too wide");
            app.picture(&format!("{name}-{width}x{height}-{theme}"));
        }
    }
}

/// Without a window manager the frame is the window.
#[track_caller]
pub(crate) fn resize(app: &App<'_>, (width, height): (u32, u32)) {
    app.session().resize(width, height).expect("a new size");
    until(PATIENCE, "the new size", || {
        (app.script("done([innerWidth, innerHeight])") == json!([width, height])).then_some(())
    });
    until_painted(app);
}
