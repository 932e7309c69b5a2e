//! The downlink endpoint, as TagoIO and mosquitto-go-auth call it: a 200 means that the broker has the message.

use crate::support::engine::{App, local};
use crate::support::mosquitto::{Mosquitto, Setup};
use crate::support::{eventually, free_port};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

/// An engine with one relay that takes downlinks.
pub(crate) struct Downlink {
    pub(crate) app: App,
    pub(crate) relay: RelayView,
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
}

impl Downlink {
    pub(crate) async fn start(broker: &Mosquitto) -> Self {
        Self::start_with(broker.port, &local()).await
    }

    /// With a broker on a port, and another region than the stand-in inside.
    pub(crate) async fn start_with(broker: u16, region: &Value) -> Self {
        let app = App::start().await;
        let saved = app.broker(broker, |_| {}).await;
        let relay = app.relay("Plant", &saved, region, &[("up/#", 1)]).await;
        let mut draft = serde_json::to_value(&relay.draft).unwrap();
        let port = free_port();
        draft["downlinkPort"] = json!(port.to_string());
        let relay: RelayView = app.call("relays.save", draft).await;
        app.connected(1).await;
        let url = eventually("the endpoint", async || app.relay_status().await.downlink).await;
        assert_eq!(url, format!("http://127.0.0.1:{port}/publish"));
        Self {
            app,
            relay,
            port,
            url: url.trim_end_matches("/publish").to_owned(),
            http: relayscope_engine::destination::http::http_client().unwrap(),
        }
    }

    /// Saves the endpoint's settings; `change` adjusts the form.
    pub(crate) async fn save(&self, change: impl FnOnce(&mut Value)) -> EndpointView {
        self.try_save(change).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// As [`Self::save`], where a refusal is expected.
    pub(crate) async fn try_save(&self, change: impl FnOnce(&mut Value)) -> Result<EndpointView, ApiError> {
        let view: Value = self.app.call("endpoint.get", ()).await;
        let mut draft = view["draft"].clone();
        change(&mut draft);
        self.app.try_call("endpoint.save", draft).await.map(|saved| serde_json::from_value(saved).unwrap())
    }

    /// As [`Self::save`], and waits until the endpoint was started again: its count of answers begins anew. For settings
    /// with plain HTTP and open access.
    pub(crate) async fn save_and_wait(&self, change: impl FnOnce(&mut Value)) {
        let get = async |path: &str| -> Option<String> {
            self.http.get(format!("{}{path}", self.url)).send().await.ok()?.text().await.ok()
        };
        for _ in 0..5 {
            get("/status").await.unwrap();
        }
        self.save(change).await;
        eventually("the endpoint to start again", async || {
            let metrics = get("/metrics").await?;
            let count = metrics
                .lines()
                .find_map(|line| line.strip_prefix("relayscope_endpoint_requests_total{status=\"200\"} "));
            (count.map_or(0, |count| count.parse().unwrap()) < 5).then_some(())
        })
        .await;
    }

    /// Waits until the endpoint answers a request that shows nobody's name with this status.
    pub(crate) async fn answers(&self, status: u16) {
        eventually(&format!("the endpoint to answer {status}"), async || {
            let answer = self.http.get(format!("{}/status", self.url)).send().await.ok()?;
            (answer.status().as_u16() == status).then_some(())
        })
        .await;
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// What `mosquitto_sub` prints of the next message on `filter`: topic, QoS, retain flag, payload in hexadecimal.
fn listen(broker: &Mosquitto, filter: &str) -> std::process::Child {
    let child = Command::new("mosquitto_sub")
        .args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "2", "-t", filter, "-C", "1", "-W", "20"])
        .args(["-F", "%t %q %r %x"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    crate::support::wait_until("mosquitto_sub to subscribe", || {
        broker.log().contains(&format!("{filter} (QoS 2)")).then_some(())
    });
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downlink_reaches_the_broker_with_its_qos_and_bytes() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let cases = [
        (json!({"topic": "down/0", "message": "on", "qos": 0, "retain": false}), "down/0 0 0 6f6e\n"),
        (
            json!({"topic": "down/1", "message": "é", "qos": 1, "retain": false, "relay_id": "Plant"}),
            "down/1 1 0 c3a9\n",
        ),
        (
            json!({"topic": "down/2", "message": "AP8=", "qos": 2, "retain": false, "encoding": "base64"}),
            "down/2 2 0 00ff\n",
        ),
    ];
    for (body, expected) in cases {
        let listener = listen(&broker, body["topic"].as_str().unwrap());
        let answer = downlink.post("/publish", &body).await;
        assert_eq!(answer, (200, json!({"status": "Message published"})));
        assert_eq!(String::from_utf8(listener.wait_with_output().unwrap().stdout).unwrap(), expected);
    }
    let (code, _) =
        downlink.post("/publish", &json!({"topic": "kept", "message": "1", "qos": 1, "retain": true})).await;
    assert_eq!(code, 200);
    // A new subscriber gets the retained message from the broker.
    let listener = listen(&broker, "kept");
    assert_eq!(String::from_utf8(listener.wait_with_output().unwrap().stdout).unwrap(), "kept 1 1 31\n");
    let shown = downlink.app.rows().into_iter().filter(|row| row.kind == "downlink").count();
    assert_eq!(shown, 4);
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_downlinks_get_the_official_relays_codes() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let good = json!({"topic": "a", "message": "1", "qos": 1, "retain": false});
    for (field, value, code) in [
        ("qos", Value::Null, 422),
        ("qos", json!(3), 422),
        ("retain", Value::Null, 422),
        ("topic", json!("a/#"), 422),
        ("encoding", json!("rot13"), 422),
        ("relay_id", json!("nobody"), 404),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let (answered, body) = downlink.post("/publish", &body).await;
        assert_eq!(answered, code, "{field} {value}: {body}");
        assert!(body["error"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    }
    let raw = |kind: &'static str, body: &'static str| {
        downlink.http.post(format!("{}/publish", downlink.url)).header("content-type", kind).body(body).send()
    };
    assert_eq!(raw("application/json", "{").await.unwrap().status(), 400);
    assert_eq!(raw("text/plain", "{}").await.unwrap().status(), 400);
    let (code, body) = downlink.post("/nothing", &json!({})).await;
    assert_eq!((code, body), (404, json!({"error": "Not Found"})));
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downlink_that_the_broker_refuses_for_ever_is_not_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let acl = folder.path().join("acl");
    std::fs::write(&acl, "topic read up/#\ntopic readwrite open/#\n").unwrap();
    let broker = Mosquitto::start(&Setup { extra: format!("acl_file {}\n", acl.display()), ..Setup::default() });
    let downlink = Downlink::start(&broker).await;
    let ask = async |topic: &str, qos: u8| {
        let body = json!({"topic": topic, "message": "1", "qos": qos, "retain": false});
        let answer = downlink.http.post(format!("{}/publish", downlink.url)).json(&body).send().await.unwrap();
        let (status, again) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        (status, again, answer.json::<Value>().await.unwrap()["error"].as_str().unwrap_or_default().to_owned())
    };
    for qos in [1, 2] {
        let (status, again, words) = ask("closed/1", qos).await;
        assert_eq!((status, again), (403, false), "QoS {qos}: {words}");
        assert!(words.contains("0x87 not authorized") && words.contains("broker's rules"), "{words}");
        assert_eq!(ask("open/1", qos).await.0, 200, "the session is none the worse");
    }
    // MQTT 3.1.1 knows no such answer: Mosquitto acknowledges and drops, and nobody can tell.
    let brokers: Vec<BrokerView> = downlink.app.call("brokers.list", ()).await;
    let mut older = serde_json::to_value(&brokers[0].draft).unwrap();
    older["version"] = json!("3.1.1");
    let _: BrokerView = downlink.app.call("brokers.save", older).await;
    eventually("MQTT 3.1.1 to be spoken", async || (ask("closed/1", 1).await.0 == 200).then_some(())).await;
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_never_a_false_published() {
    let mut broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let status = async || {
        let answer = downlink.http.get(format!("{}/status", downlink.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(status().await.1["status"], "ok");
    broker.stop();
    eventually("the status to tell the truth", async || (status().await.0 == 503).then_some(())).await;
    let body = json!({"topic": "a", "message": "1", "qos": 1, "retain": false});
    let answer = downlink.http.post(format!("{}/publish", downlink.url)).json(&body).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    broker.start_again();
    eventually("the relay to be back", async || (status().await.0 == 200).then_some(())).await;
    assert_eq!(downlink.post("/publish", &body).await.0, 200);
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_of_the_network_may_sign_in_and_nobody_else() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let device = downlink.app.token("sensor", "device", &local(), "").await;
    let value: Revealed = downlink.app.call("tokens.reveal", json!({"id": device.token.id})).await;
    let good = json!({"username": "Token", "password": value.value});
    eventually("the device to be let in", async || {
        (downlink.post("/auth", &good).await == (200, json!({"ok": true}))).then_some(())
    })
    .await;
    let bad = json!({"username": "Token", "password": "0b0e6f2e-0000-4000-8000-000000000000"});
    assert_eq!(downlink.post("/auth", &bad).await, (401, json!({"ok": false})));
    assert_eq!(downlink.post("/superuser", &good).await, (401, json!({"ok": false})));
    assert_eq!(downlink.post("/acl", &good).await, (200, json!({"ok": true})));
    downlink.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_told_and_the_uplink_goes_on() {
    let broker = Mosquitto::open();
    let downlink = Downlink::start(&broker).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let relays: Vec<RelayView> = downlink.app.call("relays.list", ()).await;
    let mut draft = serde_json::to_value(&relays[0].draft).unwrap();
    draft["downlinkPort"] = json!(taken.local_addr().unwrap().port().to_string());
    let _: RelayView = downlink.app.call("relays.save", draft).await;
    let error = eventually("the card to say so", async || {
        let status = downlink.app.relay_status().await;
        status.last_error.filter(|error| error.current && status.broker.words == "connected")
    })
    .await;
    assert!(error.message.contains("choose another downlink port"), "{error:?}");
    downlink.app.stop().await;
}
