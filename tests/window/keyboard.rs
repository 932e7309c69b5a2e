//! The window with keys alone: the way from the first door to a message and back, windows that keep the focus and give it
//! back, and a ring around everything that Tab reaches.

use crate::app::App;
use crate::desk::Desk;
use crate::wait::{PATIENCE, until};
use serde_json::Value;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const RIGHT: &str = "\u{e014}";
const DOWN: &str = "\u{e015}";
const CONTROL: &str = "\u{e009}";
const SHIFT: &str = "\u{e008}";

/// More stops than any place has.
const STOPS: usize = 150;

/// Presses keys together, as one hand does.
#[track_caller]
fn press(app: &App<'_>, keys: &[&str]) {
    app.session().press(keys).unwrap_or_else(|error| panic!("{keys:?}: {error}"));
}

/// Types a text into what has the focus.
#[track_caller]
fn write(app: &App<'_>, text: &str) {
    for one in text.chars() {
        press(app, &[&one.to_string()]);
    }
}

/// What has the focus: its name in the tests, else its name for ears.
fn focused(app: &App<'_>) -> String {
    let name = app.script(
        "const at = document.activeElement;
         done(at === document.body ? '' : at.dataset.testid ?? at.getAttribute('aria-label') ?? at.outerHTML.slice(0, 200))",
    );
    name.as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn wait_focus(app: &App<'_>, id: &str) {
    until(PATIENCE, &format!("the focus on {id}"), || (focused(app) == id).then_some(()));
}

/// Presses Tab until something has the focus.
#[track_caller]
fn tab_to(app: &App<'_>, id: &str) {
    app.wait_for(id);
    let mut seen = Vec::new();
    for _ in 0..STOPS {
        press(app, &[TAB]);
        let now = focused(app);
        if now == id {
            return;
        }
        seen.push(now);
    }
    panic!("Tab never reaches {id}: {seen:?}");
}

/// Whether something has a state, as a screen reader is told.
#[track_caller]
fn wait_state(app: &App<'_>, id: &str, state: &str) {
    app.wait_for_css(&format!("[data-testid='{id}'][{state}]"), PATIENCE);
}

/// The row that the keyboard is on.
fn active(app: &App<'_>) -> Option<String> {
    let row = app.script(
        "const list = document.querySelector('[data-testid=feed-list]');
         const row = document.getElementById(list.getAttribute('aria-activedescendant') ?? '');
         done(row?.ariaSelected === 'true' ? row.id : null)",
    );
    row.as_str().map(str::to_owned)
}

/// Goes to another row and waits until the list says so.
#[track_caller]
fn step(app: &App<'_>, key: &str) -> String {
    let before = active(app);
    press(app, &[key]);
    until(PATIENCE, &format!("another row by {key}"), || active(app).filter(|now| Some(now) != before.as_ref()))
}

#[test]
fn from_the_first_door_to_a_message_and_back_with_keys_alone() {
    let desk = Desk::new();
    let app = App::open(&desk);
    tab_to(&app, "try-it");
    press(&app, &[ENTER]);
    app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);

    press(&app, &["/"]);
    wait_focus(&app, "feed-search");
    // Of QoS 0: nothing but messages.
    write(&app, "kind:publish topic:demo/camera/#");
    press(&app, &[ENTER]);
    until(PATIENCE, "the focus leaves the search", || (focused(&app) != "feed-search").then_some(()));
    until(PATIENCE, "only messages", || {
        let others = app.session().elements("[data-testid='feed-row']:not([data-group='publish'])").ok()?;
        let rows = app.session().elements("[data-testid='feed-row']").ok()?;
        (others.is_empty() && rows.len() > 2).then_some(())
    });
    press(&app, &[" "]);
    wait_state(&app, "feed-pause", "aria-pressed='true'");
    let first = step(&app, "j");
    let second = step(&app, "j");
    assert_ne!(first, second);
    assert_eq!(step(&app, "k"), first);
    assert_eq!(step(&app, DOWN), second);
    press(&app, &[ENTER]);
    app.wait_for("drawer-tab-payload");

    tab_to(&app, "drawer-tab-payload");
    for tab in ["diff", "packet", "journey", "payload"] {
        press(&app, &[RIGHT]);
        wait_focus(&app, &format!("drawer-tab-{tab}"));
        wait_state(&app, &format!("drawer-tab-{tab}"), "aria-selected='true'");
    }
    press(&app, &[SHIFT, TAB]);
    wait_focus(&app, "drawer-close");
    press(&app, &[SHIFT, TAB]);
    wait_focus(&app, "drawer-filter");
    press(&app, &[ENTER]);
    wait_focus(&app, "menu-only-topic");
    press(&app, &[DOWN]);
    wait_focus(&app, "menu-mute-topic");
    press(&app, &[ESCAPE]);
    app.wait_gone("menu");
    wait_focus(&app, "drawer-filter");
    press(&app, &[ESCAPE]);
    app.wait_gone("drawer");
    wait_focus(&app, "feed-list");
    assert_eq!(active(&app), Some(second), "the list is where it was left");

    press(&app, &["?"]);
    keeps_the_focus(&app, "keys-sheet");
    wait_focus(&app, "feed-list");
    press(&app, &[CONTROL, "k"]);
    wait_focus(&app, "palette-input");
    write(&app, "taps");
    press(&app, &[ENTER]);
    wait_state(&app, "nav-taps", "aria-current='page'");
    press(&app, &[CONTROL, "2"]);
    wait_state(&app, "nav-inspector", "aria-current='page'");
    for (button, dialog) in
        [("subscribe", "subscribe-dialog"), ("export", "export-dialog"), ("filters-saved", "saved-filters")]
    {
        tab_to(&app, button);
        press(&app, &[ENTER]);
        keeps_the_focus(&app, dialog);
        wait_focus(&app, button);
    }
}

/// Tab goes round in an open window; Escape closes it.
#[track_caller]
fn keeps_the_focus(app: &App<'_>, dialog: &str) {
    app.wait_for(dialog);
    let inside = || {
        app.script(&format!(
            "done(document.querySelector(`[data-testid='{dialog}']`).contains(document.activeElement))"
        ))
    };
    until(PATIENCE, &format!("the focus in {dialog}"), || (inside() == true).then_some(()));
    for _ in 0..20 {
        press(app, &[TAB]);
        assert_eq!(inside(), Value::Bool(true), "{dialog}: the focus left it for {}", focused(app));
    }
    press(app, &[ESCAPE]);
    app.wait_gone(dialog);
}

/// Goes from something on to the last stop of the window; gives the stops without a ring.
#[track_caller]
fn walk(app: &App<'_>, what: &str, from: &str) -> Vec<String> {
    app.script(&format!(
        "const from = document.querySelector(`[data-testid='{from}']`); from.focus(); window.stops = [from]; done()"
    ));
    let mut without = Vec::new();
    for _ in 0..STOPS {
        press(app, &[TAB]);
        // A ring is an outline of the element, or of the frame that stands for it.
        let stop = app.script(
            "const at = document.activeElement;
             if (at === document.body || window.stops.includes(at)) return done(null);
             window.stops.push(at);
             const ringed = (one) => {
               const { outlineStyle, outlineWidth } = getComputedStyle(one);
               return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
             };
             const seen = (one) => {
               const { width, height } = one.getBoundingClientRect();
               return one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && width * height > 1;
             };
             done([at, at.parentElement].some((one) => ringed(one) && seen(one)) ? '' : at.outerHTML.slice(0, 200))",
        );
        match stop.as_str() {
            None => return without,
            Some("") => {}
            Some(stop) => without.push(format!("{what}: {stop}")),
        }
    }
    panic!("{what}: more than {STOPS} stops");
}

#[test]
fn whatever_tab_reaches_is_seen_to_have_the_focus() {
    let desk = Desk::new();
    let app = App::open(&desk);
    app.wait_for("welcome");
    let mut without = walk(&app, "welcome", "nav-overview");
    app.click("try-it");
    app.wait_for_css("[data-testid='feed-row'][data-kind='publish']", PATIENCE);
    app.fill("feed-search", "kind:publish dir:in");
    app.click_text("feed-row", "publish");
    app.wait_for("drawer-tab-diff");
    without.extend(walk(&app, "inspector", "rail-toggle"));
    for (place, row) in [("brokers", "broker-row"), ("relays", "relay-row"), ("bucket", "bucket-device")] {
        app.click(&format!("nav-{place}"));
        app.wait_for(row);
        without.extend(walk(&app, place, "rail-toggle"));
        app.click_text(row, if place == "bucket" { "climate" } else { "Demo" });
        without.extend(walk(&app, row, "rail-toggle"));
    }
    for place in ["overview", "taps", "tokens", "queue", "publish", "settings"] {
        app.click(&format!("nav-{place}"));
        app.wait_for_css(&format!("[data-testid='nav-{place}'][aria-current='page']"), PATIENCE);
        without.extend(walk(&app, place, "rail-toggle"));
    }
    assert!(without.is_empty(), "without a ring:\n{}", without.join("\n"));
}
