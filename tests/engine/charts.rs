//! What is charted outlives a restart, with what a person took out of it.

use crate::faults::persistent;
use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::Mosquitto;
use crate::support::sink::Sink;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::process::Command;

fn publish(broker: &Mosquitto, topic: &str, payload: &str) {
    let port = broker.port.to_string();
    let sent = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-m", payload])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// The chart's series, once their lines have these topics and last values.
async fn drawn(app: &App, expected: &[&[(&str, f64)]]) -> Vec<ChartSeries> {
    eventually("the lines", async || {
        let asked = json!({"span": {"is": "all"}, "steps": 100, "known": null});
        let series = app.call::<ChartPoints>("chart.points", asked).await.series;
        let lines: Vec<Vec<(&str, f64)>> =
            series.iter().map(|one| one.lines.iter().map(|line| (line.topic.as_str(), line.last)).collect()).collect();
        (lines == expected).then(|| series.clone())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_charted_outlives_a_restart() {
    let (broker, sink) = (persistent(), Sink::start().await);
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("plant/#", 1)]).await;
    app.connected(1).await;
    let _pages = app.engine.frames();
    publish(&broker, "plant/1", "{\"temp\": 21.5}");
    publish(&broker, "plant/2", "{\"temp\": 5}");
    let picked = eventually("the events", async || {
        let rows = app.rows();
        let of = |topic: &str| rows.iter().find(|row| row.kind == "publish" && row.topic == topic).map(|row| row.seq);
        of("plant/2").and(of("plant/1"))
    })
    .await;
    let pick = |path: &str, decoder: Value| json!({"seq": picked, "path": path, "decoder": decoder});
    let _: Value = app.call("chart.pick", pick("$.temp", json!({"kind": "json"}))).await;
    let _: Value = app.call("chart.add", json!({"topic": "plant/+", "path": "$.temp"})).await;
    let _: Value = app.call("chart.add", json!({"topic": "other/#", "path": "$"})).await;
    let series = drawn(&app, &[&[("plant/1", 21.5)], &[("plant/1", 21.5), ("plant/2", 5.0)], &[]]).await;
    // One line of two is taken out, and a series.
    let out = json!({"series": series[1].number, "line": series[1].lines[1].number});
    let _: Value = app.call("chart.remove", out).await;
    let _: Value = app.call("chart.remove", json!({"series": series[2].number, "line": null})).await;

    let app = App::start_in(app.stop().await).await;
    app.connected(1).await;
    let _pages = app.engine.frames();
    publish(&broker, "plant/1", "{\"temp\": 22.5}");
    publish(&broker, "plant/2", "{\"temp\": 6}");
    publish(&broker, "plant/3", "{\"temp\": 7}");
    let series = drawn(&app, &[&[("plant/1", 22.5)], &[("plant/1", 22.5), ("plant/3", 7.0)]]).await;
    let about: Vec<_> =
        series.iter().map(|one| (one.topic.as_str(), one.path.as_str(), one.source.is_some())).collect();
    assert_eq!(about, [("plant/1", "$.temp", true), ("plant/+", "$.temp", false)]);
    let _: Value = app.call("chart.remove", json!({"series": null, "line": null})).await;

    let app = App::start_in(app.stop().await).await;
    drawn(&app, &[]).await;
    app.stop().await;
}
