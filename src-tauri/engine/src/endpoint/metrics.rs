//! `GET /metrics` in OpenMetrics text 1.0.0: the relays behind the port, the feed, the endpoint itself.
//!
//! Dead letters are a gauge and not a counter, because they become fewer when they are sent again or discarded.

use super::answer::{Answer, typed};
use super::desk::{Desk, Place};
use super::state;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use relayscope_domain::relay::Ledger;
use std::fmt::Write;
use std::sync::atomic::Ordering;

const KIND: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// One family of a relay's numbers.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    of: fn(&Numbers) -> f64,
}

/// A relay's numbers at this moment.
struct Numbers {
    ledger: Ledger,
    oldest_age: Option<f64>,
    connected: bool,
}

const FAMILIES: [Family; 9] = [
    counter("relayscope_messages_received", "Messages taken from the broker.", |n| n.ledger.received as f64),
    counter("relayscope_messages_delivered", "Messages accepted by the destination.", |n| n.ledger.delivered as f64),
    counter("relayscope_messages_dropped", "Messages given up by a rule or a person.", |n| n.ledger.dropped as f64),
    counter("relayscope_messages_filtered", "Messages left out by a rule of the mapping.", |n| {
        n.ledger.filtered as f64
    }),
    gauge("relayscope_messages_dead", "Messages in the dead-letter box.", |n| n.ledger.dead as f64),
    gauge("relayscope_messages_waiting", "Messages in the queue.", |n| n.ledger.waiting as f64),
    gauge("relayscope_messages_in_flight", "Messages being sent.", |n| n.ledger.in_flight as f64),
    gauge("relayscope_queue_oldest_age_seconds", "Age of the oldest waiting message; 0 when none waits.", |n| {
        n.oldest_age.unwrap_or_default()
    }),
    gauge("relayscope_relay_connected", "Whether the relay is connected to its broker.", |n| {
        f64::from(u8::from(n.connected))
    }),
];

const fn counter(name: &'static str, help: &'static str, of: fn(&Numbers) -> f64) -> Family {
    Family { name, kind: "counter", help, of }
}

const fn gauge(name: &'static str, help: &'static str, of: fn(&Numbers) -> f64) -> Family {
    Family { name, kind: "gauge", help, of }
}

pub(super) async fn metrics(desk: &Desk) -> Answer {
    let mut relays = vec![];
    for place in &desk.places {
        let meter = desk.reach.runtime.meter(place.relay.id);
        let (ledger, _) = meter.ledger();
        let oldest_age = state::oldest_age(desk, place, ledger.waiting + ledger.in_flight).await;
        let connected = state::standing(desk, place, &meter).connected;
        relays.push((labels(place), Numbers { ledger, oldest_age, connected }));
    }
    let mut text = String::with_capacity(4_096);
    for family in &FAMILIES {
        head(&mut text, family.name, family.kind, family.help);
        let total = if family.kind == "counter" { "_total" } else { "" };
        for (labels, numbers) in &relays {
            line(&mut text, &format!("{}{total}{{{labels}}}", family.name), (family.of)(numbers));
        }
    }
    endpoint(desk, &mut text);
    text.push_str("# EOF\n");
    typed(StatusCode::OK, KIND, text)
}

/// The feed's and the endpoint's own numbers.
fn endpoint(desk: &Desk, text: &mut String) {
    let load = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed) as f64;
    let usage = desk.reach.feed.usage();
    head(text, "relayscope_feed_bytes", "gauge", "Memory of the live feed.");
    line(text, "relayscope_feed_bytes", usage.bytes as f64);
    head(text, "relayscope_endpoint_requests", "counter", "Requests answered, by status.");
    for (status, count) in desk.tally.answers() {
        line(text, &format!("relayscope_endpoint_requests_total{{status=\"{status}\"}}"), count as f64);
    }
    head(text, "relayscope_endpoint_connections", "gauge", "Connections that are open.");
    line(text, "relayscope_endpoint_connections", load(&desk.tally.open));
    head(text, "relayscope_endpoint_connections_refused", "counter", "Connections refused: too many were open.");
    line(text, "relayscope_endpoint_connections_refused_total", load(&desk.tally.refused));
    head(text, "relayscope_endpoint_connections_cut", "counter", "Connections cut: too slow, or a failed handshake.");
    line(text, "relayscope_endpoint_connections_cut_total", load(&desk.tally.cut));
    head(text, "relayscope_build", "info", "The running version.");
    line(text, concat!("relayscope_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0);
}

// Writing into a String does not fail.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
}

fn line(text: &mut String, sample: &str, value: f64) {
    let _ = writeln!(text, "{sample} {value}");
}

fn labels(place: &Place) -> String {
    let name = place.relay.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("relay=\"{name}\",relay_id=\"{}\"", place.id)
}
