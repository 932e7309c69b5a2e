//! The first minute: three doors, and the first event within five seconds of the first click.

use crate::app::App;
use crate::desk::Desk;
use std::time::{Duration, Instant};

const A_PUBLISH: &str = "[data-testid='feed-row'][data-group='publish']";

#[test]
fn the_first_event_is_seen_within_five_seconds() {
    let desk = Desk::new();
    let app = App::open(&desk);
    for door in ["try-it", "connect-broker", "import-config"] {
        app.wait_for(door);
    }
    let clicked = Instant::now();
    app.click("try-it");
    app.wait_for_css(A_PUBLISH, Duration::from_secs(5));
    println!("first event after {:?}", clicked.elapsed());
    app.wait_for_css("[data-testid='feed-row'][data-group='delivery']", Duration::from_secs(10));

    app.click("nav-overview");
    app.wait_text("demo-state", "running");
    app.click("demo-stop");
    app.wait_text("demo-state", "stopped");
    app.click("demo-remove");
    app.click("demo-remove-confirm-ok");
    app.wait_gone("demo-card");
    app.wait_for("overview-empty");
}

#[test]
fn doors_once_passed_stay_behind() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.click("skip-welcome");
    app.wait_for("overview-counts");
    drop(app);
    let app = App::open(&desk);
    app.wait_for("overview-counts");
    assert!(!app.shows("try-it"));
}
