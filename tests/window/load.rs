//! What the README says of the window under load: an ad-hoc session that takes everything, a person who clicks, types and
//! scrolls meanwhile. Run it with `cargo xtask measure load`.

use crate::app::App;
use crate::bench::Bench;
use crate::desk::Desk;
use crate::meter::{Meter, ask};
use crate::mosquitto::Mosquitto;
use crate::steps::begin_session;
use crate::wait::{PATIENCE, pause, until};
use serde_json::json;
use std::time::{Duration, Instant};

/// Listens to what a person does: from when an input was made until the frame after it, in milliseconds.
pub(crate) const LISTEN: &str = "
    window.answered = [];
    for (const kind of ['click', 'keydown']) addEventListener(kind, (event) => {
        requestAnimationFrame(() => setTimeout(() => window.answered.push(performance.now() - event.timeStamp)));
    }, true);
    done()";
/// Scrolls the list up and down for two seconds; gives frames a second.
pub(crate) const SCROLL: &str = "
    const list = document.querySelector('[data-testid=feed-list]');
    let frames = 0;
    const begun = performance.now();
    const step = (now) => {
        if (now - begun > 2000) return done(frames / ((now - begun) / 1000));
        list.scrollTop += Math.floor(frames / 40) % 2 ? -60 : 60;
        frames += 1;
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step)";
const USED: &str = "the feed, and is used without a pause";
const PERSON: &str = "the feed, and is used at a person's pace";
/// Between two things that a person does: to look at what came of it, and to move the hand. Typing has pauses of its own.
const LOOKS: Duration = Duration::from_millis(400);

#[test]
#[ignore = "measures the release app: cargo xtask measure load"]
fn load() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    // As people start it: the app chooses how the web view draws. The tests of the page have another way, for pictures.
    let app = App::launch(&desk, &[]);
    app.wait_for("nav-overview");
    begin_session(&app, &mosquitto, "bench/#");
    app.choose("field-filters-0-qos", "1");
    app.click("subscribe-save");
    app.wait_gone("subscribe-dialog");
    app.wait_text("session-state", "connected");
    app.script(LISTEN);
    println!(
        "\n| 200-byte messages | looking at | recorded of sent | answer p50, p95, max ms | frames/s scrolling | CPU page, app % | memory page, app MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    row(&app, &mosquitto, 10_000, 30, "the feed moves");
    row(&app, &mosquitto, 10_000, 60, PERSON);
    row(&app, &mosquitto, 10_000, 60, USED);
    row(&app, &mosquitto, 50_000, 10, USED);
    app.click("nav-settings");
    row(&app, &mosquitto, 10_000, 30, "another place");
}

fn row(app: &App<'_>, mosquitto: &Mosquitto, rate: u64, seconds: u64, looked_at: &str) {
    let sent = rate * seconds;
    let before = recorded(app);
    app.script("window.answered = []; done()");
    let (meter, begun) = (Meter::begin(app), Instant::now());
    let mut publisher = Bench::publisher(mosquitto.port(), 1, rate, sent);
    let mut frames: Vec<f64> = vec![];
    while publisher.runs() {
        if [USED, PERSON].contains(&looked_at) {
            let looks = if looked_at == PERSON { LOOKS } else { Duration::ZERO };
            use_it(app, looks);
            frames.extend(app.script(SCROLL).as_f64());
            pause(looks);
        } else {
            pause(Duration::from_millis(200));
        }
    }
    let lasted = begun.elapsed().as_secs_f64();
    let used = meter.words();
    let seen = until(PATIENCE, "every message", || Some(recorded(app) - before).filter(|seen| *seen >= sent));
    println!(
        "| {:.0}/s for {lasted:.0} s | {looked_at} | {seen} of {sent} | {} | {} | {used} |",
        sent as f64 / lasted,
        answers(app),
        scrolled(frames),
    );
}

/// A turn of what a person does: a row is opened, the filter typed into, the list paused and let go, looks changed; after
/// each of it they look for so long.
pub(crate) fn use_it(app: &App<'_>, looks: Duration) {
    // Scrolling had left the top, and the way back lies over the first rows.
    if app.shows("feed-newer") {
        app.click("feed-newer");
    }
    click_row(app);
    pause(looks);
    typed(app, "feed-search", "topic:bench/#", looks / 4);
    app.click("feed-pause");
    app.wait_text("feed-pause", "Resume");
    pause(looks);
    app.click("feed-pause");
    app.wait_text("feed-pause", "Pause");
    pause(looks);
    app.click("look-topics");
    app.wait_for("topic-row");
    pause(looks);
    app.click("look-feed");
    app.wait_for("feed-list");
    app.wait_for("feed-row");
}

/// Types one key after the other, with `rest` between them at least. Keys that are sent together are all made at once, and each
/// then waits for those before it, which no keyboard does.
fn typed(app: &App<'_>, id: &str, text: &str, rest: Duration) {
    let field = app.wait_for(id);
    app.script(&format!(
        "const field = document.querySelector('[data-testid={id}]'); field.focus(); field.select(); done()"
    ));
    for key in text.chars() {
        field.keys(&key.to_string()).expect("a key");
        pause(rest);
    }
}

/// Clicks a row in the middle of what is drawn: the first ones may be out of sight.
fn click_row(app: &App<'_>) {
    until(PATIENCE, "a row that can be clicked", || {
        let rows = app.session().elements("[data-testid='feed-row']").ok()?;
        rows.get(rows.len() / 2)?.click().ok()
    });
}

fn recorded(app: &App<'_>) -> u64 {
    let opened = ask(app, "feed.open", &json!({ "view": null, "line": "kind:note", "look": "feed" }));
    ask(app, "feed.close", &json!({ "number": opened["frame"]["view"] }));
    opened["frame"]["recorded"].as_u64().unwrap_or_else(|| panic!("what is recorded: {opened}"))
}

/// Frames a second: in the middle, and the least.
pub(crate) fn scrolled(mut frames: Vec<f64>) -> String {
    frames.sort_by(f64::total_cmp);
    frames.get(frames.len() / 2).map_or("–".into(), |middle| format!("{middle:.0} (least {:.0})", frames[0]))
}

pub(crate) fn answers(app: &App<'_>) -> String {
    let answer = app.script("done(window.answered)");
    let mut times: Vec<f64> = answer.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or_default();
    if times.is_empty() {
        return "–".into();
    }
    format!("{:.0}, {:.0}, {:.0} ({} inputs)", at(0.5), at(0.95), at(1.0), times.len())
}
