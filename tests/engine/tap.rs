//! Taps before a real Mosquitto: another client's life is seen through one, faults do what they say and are events,
//! findings name theirs, and a broker that is away is told.

use crate::support::certs::Authority;
use crate::support::engine::App;
use crate::support::mosquitto::Mosquitto;
use crate::support::wire::{self, Connect};
use crate::support::{eventually, free_port, soon};
use relayscope_domain::findings::Finding;
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

/// An engine with a tap before a broker.
struct Rig {
    app: App,
    tap: TapView,
}

fn hello(level: u8, client_id: &str) -> Connect<'_> {
    Connect { level, client_id, keep_alive: 60, ..Connect::default() }
}

/// PUBLISH with QoS 1 and packet identifier 7, for MQTT 3.1.1.
const PUBLISH: &[u8] = b"\x32\x07\0\x01t\0\x07hi";

impl Rig {
    async fn before(port: u16) -> Self {
        let app = App::start().await;
        let broker = app.broker(port, |_| {}).await;
        let blank: Value = app.call("app.blank", ()).await;
        let mut draft = blank["tap"].clone();
        draft["name"] = json!("plant");
        draft["brokerId"] = json!(broker.broker.id);
        draft["listener"]["port"] = json!(free_port().to_string());
        let tap: TapView = app.call("taps.save", draft).await;
        let rig = Self { app, tap };
        eventually("the tap to run", async || (rig.status().await.state.words == "running").then_some(())).await;
        rig
    }

    fn addr(&self) -> SocketAddr {
        SocketAddr::new(self.tap.tap.listener.address, self.tap.tap.listener.port)
    }

    async fn status(&self) -> TapStatus {
        self.app.status().await.taps.remove(0)
    }

    async fn live(&self) -> TapLive {
        self.app.call("taps.live", json!({"id": self.tap.tap.id})).await
    }

    async fn press(&self, client: &str, kind: &str, text: &str) {
        let fault = json!({"client": client, "kind": kind, "code": text, "amount": text});
        self.app.call::<()>("taps.press", json!({"id": self.tap.tap.id, "fault": fault})).await;
    }

    /// Waits for a row of the tap that says this.
    async fn row(&self, words: &str) -> Row {
        let find = || self.app.rows().into_iter().find(|row| format!("{row:?}").contains(words));
        eventually(words, async || find()).await
    }
}

async fn read_exactly(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    soon("an answer", stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(bytes, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_life_of_another_client_is_seen() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    let port = rig.addr().port().to_string();
    let arguments = ["-p", &port, "-i", "somebody", "-t", "hall/4", "-q", "1", "-m", "21.5"];
    let published = Command::new("mosquitto_pub").args(["-h", "127.0.0.1"]).args(arguments).status().await.unwrap();
    assert!(published.success());
    rig.row("DISCONNECT").await;
    let rows: Vec<_> = rig.app.rows().into_iter().filter(|row| row.source == "plant").collect();
    let told = format!("{rows:?}");
    for word in ["somebody", "hall/4", "21.5", "acknowledged"] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    let (_client, answer) = hello(5, "stays").send(rig.addr()).await;
    assert_eq!(answer[3], 0);
    let status = eventually("a client", async || Some(rig.status().await).filter(|status| status.clients == 1)).await;
    assert_eq!((status.target.words.as_str(), status.target_name.starts_with("broker on")), ("reached", true));
    eventually("its name", async || {
        rig.live().await.clients.first().filter(|client| client.client_id == "stays").map(drop)
    })
    .await;

    // Stopped and started like a relay.
    rig.app.call::<()>("taps.act", json!({"id": rig.tap.tap.id, "action": "stop"})).await;
    eventually("the end", async || (rig.status().await.state.words == "stopped").then_some(())).await;
    assert!(TcpStream::connect(rig.addr()).await.is_err());
    rig.app.call::<()>("taps.act", json!({"id": rig.tap.tap.id, "action": "start"})).await;
    eventually("a new start", async || TcpStream::connect(rig.addr()).await.ok().map(drop)).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_does_what_it_says_and_is_an_event() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;

    rig.press("", "refuse", "0x88").await;
    let (_gone, answer) = hello(5, "pump").send(rig.addr()).await;
    assert_eq!(answer[3], 0x88);
    rig.row("fault: this CONNECT was refused with 0x88").await;
    let (mut pump, answer) = hello(4, "pump").send(rig.addr()).await;
    assert_eq!(answer, [0x20, 2, 0, 0], "only the next one");

    rig.press("pump", "dropPubAck", "").await;
    pump.write_all(PUBLISH).await.unwrap();
    pump.write_all(&[0xc0, 0]).await.unwrap();
    read_exactly(&mut pump, &[0xd0, 0]).await;
    rig.row("fault: the PUBACK of packet 7 was dropped").await;
    pump.write_all(PUBLISH).await.unwrap();
    read_exactly(&mut pump, &[0x40, 2, 0, 7]).await;

    rig.press("pump", "delay", "200").await;
    assert_eq!(rig.live().await.faults[0].words, "delay by 200 ms");
    let begin = Instant::now();
    pump.write_all(&[0xc0, 0]).await.unwrap();
    read_exactly(&mut pump, &[0xd0, 0]).await;
    assert!(begin.elapsed() >= Duration::from_millis(400), "200 ms each way");
    rig.row("fault pressed: delay by 200 ms").await;
    rig.app.call::<()>("taps.lift", json!({"id": rig.tap.tap.id, "number": null})).await;
    assert!(rig.live().await.faults.is_empty());
    rig.row("fault lifted: delay by 200 ms").await;

    let begin = Instant::now();
    rig.press("", "stall", "1").await;
    pump.write_all(&[0xc0, 0]).await.unwrap();
    read_exactly(&mut pump, &[0xd0, 0]).await;
    assert!(begin.elapsed() >= Duration::from_secs(1), "nothing passes while it is stalled");

    rig.press("pump", "bandwidth", "1000").await;
    let begin = Instant::now();
    pump.write_all(&b"\xc0\0".repeat(250)).await.unwrap();
    read_exactly(&mut pump, &b"\xd0\0".repeat(250)).await;
    assert!(begin.elapsed() >= Duration::from_millis(500), "500 B at 1,000 B/s");

    let (mut fan, _) = hello(5, "fan").send(rig.addr()).await;
    eventually("its name", async || {
        rig.live().await.clients.iter().any(|client| client.client_id == "fan").then_some(())
    })
    .await;
    rig.press("fan", "cut", "").await;
    let mut rest = vec![];
    soon("the cut", fan.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty(), "no goodbye: {rest:?}");
    rig.row("fault: the connection was cut").await;
    pump.write_all(&[0xc0, 0]).await.unwrap();
    read_exactly(&mut pump, &[0xd0, 0]).await;

    // What is typed wrong is told at its field, and nothing is pressed.
    let fault = json!({"client": "", "kind": "delay", "code": "", "amount": "soon"});
    let error = rig.app.try_call("taps.press", json!({"id": rig.tap.tap.id, "fault": fault})).await.unwrap_err();
    assert_eq!(error.problems[0].field, "amount");

    // None is active after a restart.
    let folder = rig.app.stop().await;
    let app = App::start_in(folder).await;
    let live = eventually("the tap", async || {
        let live: TapLive = app.call("taps.live", json!({"id": rig.tap.tap.id})).await;
        live.running.then_some(live)
    })
    .await;
    assert!(live.faults.is_empty());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_is_told_to_each_client() {
    let mut broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    broker.stop();
    for (level, code) in [(4, 3), (5, 0x88)] {
        let (mut client, answer) = hello(level, "pump").send(rig.addr()).await;
        assert_eq!(answer[3], code);
        soon("the end", client.read_to_end(&mut vec![])).await.unwrap();
    }
    let row = rig.row("refused").await;
    assert_eq!(row.client, "pump");
    let status = rig.status().await;
    assert!(status.target.words.starts_with("can't be reached: "), "{}", status.target.words);
    broker.start_again();
    let (_client, answer) = hello(4, "pump").send(rig.addr()).await;
    assert_eq!(answer, [0x20, 2, 0, 0]);
    assert_eq!(rig.status().await.target.words, "reached");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_with_one_id_and_a_greedy_one_are_found() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    let mut clients = vec![];
    for _ in 0..5 {
        clients.push(hello(4, "twin").send(rig.addr()).await);
    }
    let (mut greedy, _) = hello(4, "greedy").send(rig.addr()).await;
    greedy.write_all(&wire::subscribe("#", 0)).await.unwrap();
    let found = eventually("both findings", async || {
        let found: Vec<Finding> = rig.app.call("findings.list", json!({"source": "tap", "name": "plant"})).await;
        (found.len() == 2).then_some(found)
    })
    .await;
    let told: Vec<_> = found.iter().map(|finding| format!("{:?} {}", finding.kind, finding.client)).collect();
    assert!(told.contains(&"ClientIdTwice twin".into()) && told.contains(&"SubscribesAll greedy".into()), "{told:?}");
    let event = found.iter().find(|finding| finding.client == "greedy").unwrap().events[0];
    assert!(rig.app.rows().iter().any(|row| row.seq == event && row.client == "greedy"), "evidence is in the feed");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_do_on_the_wire_is_found() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    for turn in 1..=7 {
        let (mut restless, _) = hello(4, "restless").send(rig.addr()).await;
        restless.write_all(&[0xe0, 0]).await.unwrap();
        soon("the end", restless.read_to_end(&mut vec![])).await.unwrap();
        // The next one is no takeover.
        let closed = || rig.app.rows().iter().filter(|row| row.client == "restless" && row.kind == "closed").count();
        eventually("its last event", async || (closed() == turn).then_some(())).await;
    }
    let (mut repeats, _) = hello(4, "repeats").send(rig.addr()).await;
    repeats.write_all(&[&[0x3a], &PUBLISH[1..]].concat()).await.unwrap();
    // MQTT 3.1.1 has no reason codes, MQTT 5 has: both are found.
    for (level, client_id) in [(4, "silent-4"), (5, "silent-5")] {
        let (mut silent, _) = Connect { keep_alive: 1, ..hello(level, client_id) }.send(rig.addr()).await;
        let _ = soon("the end of a silent client", silent.read_to_end(&mut vec![])).await;
    }
    let expected =
        ["ReconnectLoop restless", "Retransmission repeats", "ShortKeepAlive silent-4", "ShortKeepAlive silent-5"];
    eventually("all findings", async || {
        let found: Vec<Finding> = rig.app.call("findings.list", json!({"source": "tap", "name": "plant"})).await;
        let mut told: Vec<_> = found.iter().map(|finding| format!("{:?} {}", finding.kind, finding.client)).collect();
        told.sort();
        (told == expected).then_some(())
    })
    .await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_told_at_its_field() {
    let app = App::start().await;
    let broker = app.broker(1, |_| {}).await;
    let taken = Mosquitto::open();
    let port = taken.port;
    let blank: Value = app.call("app.blank", ()).await;
    let mut draft = blank["tap"].clone();
    draft["name"] = json!("plant");
    draft["brokerId"] = json!(broker.broker.id);
    let problem = async |change: &dyn Fn(&mut Value)| {
        let mut draft = draft.clone();
        change(&mut draft);
        let problem = app.try_call("taps.save", draft).await.unwrap_err().problems.remove(0);
        (problem.field, problem.message)
    };
    let (field, message) = problem(&|draft| draft["listener"]["port"] = json!(port.to_string())).await;
    let owner = if cfg!(target_os = "linux") { "mosquitto (process " } else { "another program" };
    assert!(field == "listener.port" && message.contains(owner) && message.contains("free"), "{message}");
    let (field, _) = problem(&|draft| draft["listener"]["port"] = json!("1")).await;
    assert_eq!(field, "listener.port", "the broker's own");
    let (field, _) = problem(&|draft| draft["listener"]["listen"] = json!("all")).await;
    assert_eq!(field, "listener.exposed");
    let (field, _) = problem(&|draft| draft["listener"]["transport"] = json!("tls")).await;
    assert_eq!(field, "listener.certificate");

    let authority = Authority::new("Plant CA");
    let names = ["localhost"];
    let (pair, other) = (authority.server(&names), authority.server(&names));
    let expired = authority.expired_server(&names);
    let cases = [
        ("nonsense", &pair.key, "certificate", ""),
        (&pair.cert, &"nonsense".to_owned(), "key", ""),
        (&pair.cert, &other.key, "key", "does not belong"),
        (&expired.cert, &expired.key, "certificate", "Expired on 2021-03-01"),
    ];
    for (certificate, key, expected, words) in cases {
        let (field, message) = problem(&|draft| {
            draft["listener"]["transport"] = json!("tls");
            draft["listener"]["port"] = json!(free_port().to_string());
            draft["listener"]["certificate"] = json!(certificate);
            draft["listener"]["key"] = json!({"kind": "set", "value": key});
        })
        .await;
        assert_eq!(field, format!("listener.{expected}"));
        assert!(message.contains(words), "{message}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_was_taken_meanwhile_is_told_and_tried_again() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    let act =
        async |action: &str| -> () { rig.app.call("taps.act", json!({"id": rig.tap.tap.id, "action": action})).await };
    act("stop").await;
    eventually("the end", async || (rig.status().await.state.words == "stopped").then_some(())).await;
    // Another program takes the port: a Mosquitto that is moved there.
    let taker = Mosquitto::at(rig.addr().port());
    act("start").await;
    let words = eventually("the reason", async || {
        Some(rig.status().await.state.words).filter(|words| words.contains("is taken by"))
    })
    .await;
    let owner = if cfg!(target_os = "linux") { "mosquitto (process " } else { "another program" };
    assert!(words.contains(owner) && words.contains("is free"), "{words}");
    let request = json!({
        "brokerId": null, "tapId": rig.tap.tap.id, "listen": "loopback", "address": "", "port": rig.addr().port().to_string(),
    });
    let look: PortLook = rig.app.call("listeners.port", &request).await;
    assert!(look.problem.unwrap().contains(owner));
    assert!(look.free.unwrap() > rig.addr().port());
    drop(taker);
    let look: PortLook = rig.app.call("listeners.port", &request).await;
    assert_eq!((look.problem, look.free), (None, None));
    eventually("the tap to run", async || (rig.status().await.state.words == "running").then_some(())).await;
    let look: PortLook = rig.app.call("listeners.port", &request).await;
    assert_eq!(look.problem, None, "its own port is no trouble");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_its_limits_turn_away_is_counted() {
    let broker = Mosquitto::open();
    let rig = Rig::before(broker.port).await;
    let mut draft = serde_json::to_value(&rig.tap.draft).unwrap();
    draft["limits"] = json!({
        "choice": "own", "connections": "1", "connectionsPerMinute": "", "firstPacketSeconds": "10",
        "publishesPerMinute": "1", "receivesPerMinute": "", "packetBytes": "1000", "subscriptions": "",
        "slowReaderBytes": "",
    });
    rig.app.call::<()>("taps.act", json!({"id": rig.tap.tap.id, "action": "stop"})).await;
    eventually("the end", async || (rig.status().await.state.words == "stopped").then_some(())).await;
    let _: TapView = rig.app.call("taps.save", draft).await;
    eventually("the tap to run", async || (rig.status().await.state.words == "running").then_some(())).await;
    let (mut first, answer) = hello(5, "first").send(rig.addr()).await;
    let (_second, refused) = hello(5, "second").send(rig.addr()).await;
    assert_eq!((answer[3], refused[3]), (0, 0x97));
    first.write_all(&[0x30, 4, 0, 1, b'a', 0, 0x30, 4, 0, 1, b'a', 0]).await.unwrap();
    read_exactly(&mut first, &[0xe0, 2, 0x96, 0]).await;
    let live = eventually("the counts", async || Some(rig.live().await).filter(|live| live.cut > 0)).await;
    assert_eq!((live.refused, live.cut), (1, 1));
    rig.app.stop().await;
}
