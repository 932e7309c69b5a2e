//! A field of a payload charted, written to files, and looked at closer; a part of time selected over the feed.

use crate::app::App;
use crate::desk::Desk;
use crate::mosquitto::Mosquitto;
use crate::screenshots::pictures;
use crate::steps::build_relay;
use crate::wait::{PATIENCE, until};

const TOPIC: &str = "plant/3/telemetry/press-03";

/// Messages of a press: temperature, pressure, and whether it runs.
fn readings(from: u32, count: u32) -> String {
    let line = |at: u32| {
        let (wave, spike) = (f64::from(at) * 0.2, if at == 30 { 12.0 } else { 0.0 });
        let temperature = (71.0 + 4.0 * wave.sin() + spike) * 10.0;
        let pressure = 10_130.0 + 20.0 * (wave * 0.7).cos();
        let on = (at / 10).is_multiple_of(2);
        format!(
            r#"{{"temperature": {}, "pressure": {}, "on": {on}, "unit": "C"}}"#,
            temperature.round() / 10.0,
            pressure.round() / 10.0
        )
    };
    (from..from + count).map(|at| line(at) + "\n").collect()
}

/// Charts a number of the message that is open.
#[track_caller]
fn chart_this(app: &App<'_>, path: &str) {
    let button = format!("[data-testid='payload-node'][data-path='{path}'] [data-testid='chart-this']");
    until(PATIENCE, &format!("{path} is charted"), || {
        let element = app.wait_for_css(&button, PATIENCE);
        let on = app.session().elements(&format!("{button}[aria-pressed='true']")).ok()?;
        if on.is_empty() {
            element.click().ok()?;
            return None;
        }
        Some(())
    });
}

/// Waits until a line of the legend counts at least so many values.
#[track_caller]
fn wait_values(app: &App<'_>, count: u64) {
    until(PATIENCE, &format!("{count} values"), || {
        let counts = app.script(
            "done([...document.querySelectorAll('[data-testid=chart-line]')].map((line) => +line.dataset.count))",
        );
        counts.as_array()?.first()?.as_u64().filter(|seen| *seen >= count)
    });
}

/// The file that a notice names.
#[track_caller]
fn saved(app: &App<'_>, ending: &str) -> Vec<u8> {
    let notice = app.wait_text("toast", &format!(".{ending}"));
    let path = notice.split("Saved as ").nth(1).and_then(|rest| rest.lines().next()).expect("a path");
    std::fs::read(path.trim()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Pixels of the plot that have a colour: lines, and axes of one line.
fn coloured(app: &App<'_>) -> u64 {
    let count = app.script(
        "const canvas = document.querySelector('[data-testid=chart-plot] canvas');
         if (!canvas?.width) return done(0);
         const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
         let count = 0;
         for (let at = 0; at < data.length; at += 4) {
             const part = [data[at], data[at + 1], data[at + 2]];
             if (data[at + 3] > 200 && Math.max(...part) - Math.min(...part) > 60) count++;
         }
         done(count)",
    );
    count.as_u64().unwrap_or_default()
}

#[test]
fn a_field_is_charted_with_its_history_zoomed_paused_and_written_to_files() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    app.click("look-charts");
    app.wait_text("chart-empty", "No field is charted yet");
    pictures(&app, "charts-empty");
    app.click("chart-to-feed");
    app.click("chip-publish");
    mosquitto.publish_lines(TOPIC, &readings(0, 40));
    app.click_text("feed-row", "temperature");
    chart_this(&app, "$.temperature");
    app.click("look-charts");
    wait_values(&app, 40);
    until(PATIENCE, "a line is drawn", || (coloured(&app) > 100).then_some(()));

    mosquitto.publish_lines(TOPIC, &readings(40, 40));
    wait_values(&app, 80);
    mosquitto.publish(TOPIC, r#"{"temperature": 75.5, "pressure": 1011, "on": true}"#);
    app.wait_text("chart-last", "75.5");
    // The drawer is open: further fields come from it.
    chart_this(&app, "$.pressure");
    chart_this(&app, "$.on");
    app.wait_text("chart-last", "1,011");
    pictures(&app, "charts");
    app.click("drawer-close");
    pictures(&app, "charts-wide");

    app.click("chart-csv");
    let csv = String::from_utf8(saved(&app, "csv")).expect("text");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!((rows[0], rows.len()), ("at,source,topic,path,value", 1 + 3 * 81), "{csv}");
    assert!(rows[81].ends_with(&format!("Z,Plant broker,{TOPIC},$.temperature,75.5")), "{}", rows[81]);
    app.click("chart-png");
    assert!(saved(&app, "png").starts_with(b"\x89PNG"), "a picture");

    app.drag("[data-testid='chart-plot'] .u-over", 0.5, 0.99);
    app.wait_for("chart-reset");
    pictures(&app, "charts-zoom");
    app.click("chart-reset");
    app.wait_gone("chart-reset");
    app.click("chart-pause");
    mosquitto.publish(TOPIC, r#"{"temperature": 76.5}"#);
    app.wait_text("chart-pause", "Resume");
    app.click("chart-pause");
    app.wait_text("chart-last", "76.5");

    // A filter gives each topic a line of its own; a mistake is told at its field.
    app.click("chart-add");
    app.fill("field-topic", "plant/#/x");
    app.click("chart-add-save");
    app.wait_text("error-topic", "#");
    app.fill("field-topic", "plant/+/telemetry/+");
    app.fill("field-path", "$.speed");
    app.click("chart-add-save");
    app.wait_gone("chart-add-dialog");
    app.wait_text("chart-waiting", "without such a number");
    mosquitto.publish("plant/3/telemetry/press-04", r#"{"speed": 1480}"#);
    app.wait_text("chart-last", "1,480");
    app.click("look-feed");
    app.wait_for("feed-row");
}

#[test]
fn a_part_of_time_over_the_feed_is_a_filter() {
    let desk = Desk::new();
    let mosquitto = Mosquitto::start(&desk);
    let app = App::open(&desk);
    build_relay(&app, &mosquitto);
    app.click("nav-inspector");
    app.click("chip-publish");
    mosquitto.publish_lines(TOPIC, &readings(0, 20));
    app.wait_text("feed-row", "temperature");
    until(PATIENCE, "bars", || {
        let bars = app.script("done(document.querySelector('[data-testid=rate-bars] .good').getAttribute('d').length)");
        bars.as_u64().filter(|length| *length > 0)
    });
    pictures(&app, "rate");
    app.drag("[data-testid='rate-bars']", 0.01, 0.999);
    app.wait_for("rate-clear");
    let line = app.wait_for("feed-search").property("value").expect("the filter");
    let line = line.as_str().expect("a text");
    assert!(line.contains("since:@") && line.contains("until:@"), "{line}");
    app.wait_text("feed-row", "temperature");
    pictures(&app, "rate-selected");
    // Of a time when nothing happened, such as now, there is nothing, and the bars around it stay.
    until(PATIENCE, "a time without events", || {
        app.drag("[data-testid='rate-bars']", 0.99, 0.999);
        app.wait_for("rate-clear");
        app.shows("feed-nothing-matches").then_some(())
    });
    app.click("rate-clear");
    app.wait_text("feed-row", "temperature");
    assert_eq!(app.wait_for("feed-search").property("value"), Ok("kind:publish".into()));
}
