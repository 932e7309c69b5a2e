//! What the README says of a relay beside the inspector: the same relay in the same window without and with an ad-hoc
//! session that takes 10,000 messages a second. Run it with `cargo xtask measure beside`.

use crate::app::App;
use crate::bench::Bench;
use crate::desk::Desk;
use crate::meter::{Meter, ask};
use crate::mosquitto::Mosquitto;
use crate::steps::build_relay_of;
use crate::wait::{PATIENCE, pause, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOKEN: &str = "1f0a6c1e-55d3-4f0b-9a51-0c2ad3f6b7e1";
/// What the session gets a second.
const LOOKED_AT: u64 = 10_000;
/// The relay's load: messages a second (0: as fast as the broker takes them), messages, and seconds of the session's
/// load, which lasts longer.
const CASES: [(u64, u64, u64); 3] = [(2_000, 60_000, 35), (0, 60_000, 20), (0, 60_000, 20)];

/// A relay's run.
struct Relayed {
    rate: f64,
    lost: u64,
    p50: f64,
    p99: f64,
}

#[test]
#[ignore = "measures the release app: cargo xtask measure beside"]
fn beside() {
    let desk = Desk::new();
    let (plant, other) = (Mosquitto::start(&desk), Mosquitto::start(&desk));
    let mut sink = Bench::start("sink", &[]);
    let url = format!("http://127.0.0.1:{}", sink.line());
    // As people start it: the app chooses how the web view draws.
    let app = App::launch(&desk, &[]);
    app.wait_for("nav-overview");
    build_relay_of(&app, &plant, "bench/#", &url, TOKEN);
    let broker = save_broker(&app, other.port());
    app.click("nav-inspector");
    println!(
        "\n| Relay's load | session | relayed/s | lost | publish to POST p50, p99 ms | session: received of sent | CPU page, app % | memory page, app MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut run = 0;
    let mut ratios = vec![];
    for (rate, messages, seconds) in CASES {
        let case = if rate == 0 { format!("{messages} at once") } else { format!("{rate}/s, {messages}") };
        run += 1;
        let meter = Meter::begin(&app);
        let alone = relay(&mut sink, &plant, run, rate, messages);
        row(&case, "none", &alone, "–", &meter.words());

        let session = open_session(&app, &broker);
        let sent = LOOKED_AT * seconds;
        let mut looked_at = Bench::publisher(other.port(), run, LOOKED_AT, sent);
        until(PATIENCE, "the session's first messages", || (received(&app, session) > LOOKED_AT).then_some(()));
        run += 1;
        let meter = Meter::begin(&app);
        let beside = relay(&mut sink, &plant, run, rate, messages);
        let whole = if looked_at.runs() { "" } else { " (ended before the relay's load)" };
        let used = meter.words();
        looked_at.finish();
        let begun = Instant::now();
        while received(&app, session) < sent && begun.elapsed() < PATIENCE {
            pause(Duration::from_millis(100));
        }
        let seen = format!("{} of {sent}{whole}", received(&app, session));
        row(&case, "10,000/s", &beside, &seen, &used);
        ask(&app, "sessions.close", &json!({ "number": session }));
        ratios.push(format!("{case}: {:.3}", beside.rate / alone.rate));
    }
    println!("\nRate beside the session to the rate without: {}\n", ratios.join("; "));
}

fn row(case: &str, session: &str, relayed: &Relayed, seen: &str, used: &str) {
    let Relayed { rate, lost, p50, p99 } = relayed;
    println!("| {case} | {session} | {rate:.0} | {lost} | {p50:.2}, {p99:.2} | {seen} | {used} |");
}

/// Publishes for the relay, and waits until all of it is at the sink or nothing more comes.
fn relay(sink: &mut Bench, plant: &Mosquitto, run: u32, rate: u64, messages: u64) -> Relayed {
    sink.begin(run);
    let mut publisher = Bench::publisher(plant.port(), run, rate, messages);
    let (mut count, mut moved) = (0, Instant::now());
    let seen = loop {
        pause(Duration::from_millis(50));
        let seen = sink.seen();
        let now = number(&seen, "distinct");
        if now != count || publisher.runs() {
            (count, moved) = (now, Instant::now());
        }
        if now >= messages || moved.elapsed() > PATIENCE {
            break seen;
        }
    };
    publisher.finish();
    let time = (number(&seen, "last") - number(&seen, "first")) as f64 / 1e9;
    let millis = |name: &str| number(&seen, name) as f64 / 1e6;
    let rate = count.saturating_sub(1) as f64 / time.max(1e-9);
    Relayed { rate, lost: messages - count, p50: millis("p50"), p99: millis("p99") }
}

fn number(seen: &Value, name: &str) -> u64 {
    seen[name].as_u64().unwrap_or_else(|| panic!("{name} in {seen}"))
}

/// Saves a broker; gives its id.
fn save_broker(app: &App<'_>, port: u16) -> Value {
    let mut draft = ask(app, "app.blank", &Value::Null)["broker"].take();
    draft["name"] = json!("Other broker");
    draft["host"] = json!("127.0.0.1");
    draft["port"] = json!(port.to_string());
    ask(app, "brokers.save", &draft)["broker"]["id"].take()
}

/// Opens a session and waits until it is subscribed; gives its number.
fn open_session(app: &App<'_>, broker: &Value) -> u64 {
    let filters = json!([{ "filter": "bench/#", "qos": 1 }]);
    let draft = json!({ "brokerId": broker, "filters": filters, "everything": false });
    let session = number(&ask(app, "sessions.open", &draft), "number");
    until(PATIENCE, "the session's filter", || {
        let words = view(app, session)["filters"][0]["words"].take();
        words.as_str().is_some_and(|words| words.starts_with("granted")).then_some(())
    });
    session
}

fn received(app: &App<'_>, session: u64) -> u64 {
    number(&view(app, session), "received")
}

fn view(app: &App<'_>, session: u64) -> Value {
    let frame = ask(app, "sessions.list", &Value::Null);
    let view = frame["sessions"].as_array().into_iter().flatten().find(|view| view["number"] == json!(session));
    view.unwrap_or_else(|| panic!("session {session} in {frame}")).clone()
}
