//! What the README says of a thousand clients before the window's own broker: each publishes once a second, while a
//! person clicks, types and scrolls. Run it with `cargo xtask measure crowd`.

use crate::app::App;
use crate::bench::Bench;
use crate::desk::{Desk, free_port};
use crate::embedded::{create_device_token, create_embedded, line};
use crate::load::{LISTEN, SCROLL, answers, scrolled, use_it};
use crate::meter::{Meter, ask};
use crate::steps::look_around;
use crate::wait::{PATIENCE, pause};
use serde_json::json;
use std::time::{Duration, Instant};

const CLIENTS: u64 = 1_000;
const SECONDS: u64 = 60;

#[test]
#[ignore = "measures the release app: cargo xtask measure crowd"]
fn crowd() {
    let desk = Desk::new();
    // As people start it: the app chooses how the web view draws.
    let app = App::launch(&desk, &[]);
    app.wait_for("nav-overview");
    look_around(&app);
    create_device_token(&app, "Crowd");
    let port = free_port();
    create_embedded(&app, port);
    let reach = line(&app, "Crowd");
    let token = reach.split_once("-P ").and_then(|(_, rest)| rest.split(' ').next()).expect("a line with a password");
    app.click("nav-inspector");
    app.script(LISTEN);

    let args = [
        ("--broker-port", port.to_string()),
        ("--clients", CLIENTS.to_string()),
        ("--seconds", SECONDS.to_string()),
        ("--token", token.trim_matches('\'').to_owned()),
    ];
    let mut crowd = Bench::start("crowd", &args);
    assert_eq!(crowd.line(), "ready", "the clients are connected");
    app.script("window.answered = []; done()");
    let meter = Meter::begin(&app);
    let begun = Instant::now();
    let mut frames: Vec<f64> = vec![];
    while crowd.runs() {
        use_it(&app, Duration::ZERO);
        frames.extend(app.script(SCROLL).as_f64());
    }
    let (lasted, used) = (begun.elapsed().as_secs_f64(), meter.words());
    crowd.finish();
    let sent = CLIENTS * SECONDS;
    let published = events(&app, "kind:publish topic:bench/#", sent);
    let connected = events(&app, "kind:connected bench-crowd-", CLIENTS);
    let disconnected = events(&app, "kind:disconnect bench-crowd-", CLIENTS);
    println!(
        "\n| {CLIENTS} clients | published: events of sent | connected, disconnected | answer p50, p95, max ms | frames/s scrolling | CPU page, app % | memory page, app MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| once a second for {lasted:.0} s | {published} of {sent} | {connected}, {disconnected} | {} | {} | {used} |\n",
        answers(&app),
        scrolled(frames),
    );
}

/// How many events the feed has of a filter; waits a while for those that are expected.
fn events(app: &App<'_>, filter: &str, expected: u64) -> u64 {
    let opened = ask(app, "feed.open", &json!({ "view": null, "line": filter, "look": "feed" }));
    let view = opened["frame"]["view"].as_u64().unwrap_or_else(|| panic!("{filter}: {opened}"));
    let begun = Instant::now();
    loop {
        let rows = ask(app, "feed.rows", &json!({ "view": view, "from": 0, "count": 1 }));
        let total = rows["total"].as_u64().expect("how many rows");
        if total >= expected || begun.elapsed() > PATIENCE {
            ask(app, "feed.close", &json!({ "number": view }));
            return total;
        }
        pause(Duration::from_millis(100));
    }
}
