//! What the embedded broker keeps: over a restart, over `kill -9`, and not for those who may come no longer.

use crate::support::broker::{FULL, READ, Rig, accounts, connect};
use crate::support::wire::{self, Connect};
use crate::support::{eventually, soon};
use relayscope_domain::broker::Embedded;
use relayscope_engine::broker::{BrokerConfig, EmbeddedBroker, Restored};
use relayscope_engine::feed::Feed;
use relayscope_engine::feed::event::Kind;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

const DATABASE: &str = "RELAYSCOPE_TEST_BROKER_DB";

fn settings() -> Embedded {
    Embedded { port: 0, ..Embedded::default() }
}

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broker.db");
    (folder, path)
}

async fn run(program: &str, port: u16, token: &str, arguments: &[&str]) -> String {
    let port = port.to_string();
    let base = ["-h", "127.0.0.1", "-p", &port, "-u", "Token", "-P", token];
    let child = Command::new(program).args(base).args(arguments).kill_on_drop(true).output();
    let output = soon(program, child).await.unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A session with a subscription, whose client went.
async fn subscribe_and_go(port: u16, version: &str, client_id: &str, filter: &str, qos: &str) {
    let mut arguments = vec!["-V", version, "-i", client_id, "-c", "-q", qos, "-t", filter, "-E"];
    if version == "mqttv5" {
        arguments.extend(["-x", "3600"]);
    }
    run("mosquitto_sub", port, READ, &arguments).await;
}

#[tokio::test]
async fn sessions_their_messages_and_retained_ones_survive_a_restart() {
    let (_folder, path) = file();
    let rig = Rig::with(settings(), Some(&path)).await;
    let port = rig.addr().port();
    subscribe_and_go(port, "mqttv311", "old", "k/#", "1").await;
    subscribe_and_go(port, "mqttv5", "new", "k/#", "2").await;
    for number in 0..20 {
        let (topic, payload) = (format!("k/{}", number % 3), number.to_string());
        run("mosquitto_pub", port, FULL, &["-q", "2", "-t", &topic, "-m", &payload]).await;
    }
    run("mosquitto_pub", port, FULL, &["-q", "1", "-r", "-t", "$set/state", "-m", "on"]).await;
    run("mosquitto_pub", port, FULL, &["-q", "1", "-r", "-t", "gone", "-m", "x"]).await;
    run("mosquitto_pub", port, FULL, &["-q", "1", "-r", "-t", "gone", "-n"]).await;

    let rig = rig.restart(&path).await;
    assert_eq!(rig.broker.restored(), Restored { sessions: 2, messages: 40 });
    let port = rig.addr().port();
    let wanted: String = (0..20).map(|number| format!("{number}\n")).collect();
    for (version, client_id, qos) in [("mqttv311", "old", "1"), ("mqttv5", "new", "2")] {
        // No subscription again: the one of the kept session counts.
        let arguments = ["-V", version, "-i", client_id, "-c", "-q", qos, "-t", "other", "-C", "20"];
        let expiry: &[&str] = if version == "mqttv5" { &["-x", "3600"] } else { &[] };
        assert_eq!(run("mosquitto_sub", port, READ, &[&arguments[..], expiry].concat()).await, wanted, "{client_id}");
    }
    let retained: Vec<_> = rig.broker.retained("#").await.into_iter().map(|message| message.topic).collect();
    assert!(retained.is_empty(), "# does not reach topics with $: {retained:?}");
    assert_eq!(run("mosquitto_sub", port, READ, &["-t", "$set/#", "-C", "1"]).await, "on\n");

    // What was delivered is not kept any longer.
    eventually("both gone", async || (rig.broker.client_count() == 0).then_some(())).await;
    let rig = rig.restart(&path).await;
    assert_eq!(rig.broker.restored(), Restored { sessions: 2, messages: 0 });
    rig.broker.stop().await;
}

#[tokio::test]
async fn what_was_sent_and_not_acknowledged_goes_on_where_it_was() {
    let (_folder, path) = file();
    let rig = Rig::with(settings(), Some(&path)).await;
    let hello = |client_id| Connect { keep_session: true, ..connect(4, client_id, Some(FULL)) };
    let (mut stream, _) = hello("unfinished").send(rig.addr()).await;
    wire::write(&mut stream, &wire::subscribe("u", 2)).await;
    wire::read(&mut stream).await;
    let port = rig.addr().port();
    run("mosquitto_pub", port, FULL, &["-q", "2", "-t", "u", "-m", "first"]).await;
    let first = wire::read(&mut stream).await;
    assert_eq!(first[0], 0x34, "{first:02x?}");
    // PUBREC, PUBREL; then the second one is left unanswered altogether.
    wire::write(&mut stream, &[0x50, 2, first[5], first[6]]).await;
    assert_eq!(wire::read(&mut stream).await, [0x62, 2, first[5], first[6]]);
    run("mosquitto_pub", port, FULL, &["-q", "1", "-t", "u", "-m", "second"]).await;
    let second = wire::read(&mut stream).await;
    assert_eq!(second[0], 0x32, "{second:02x?}");

    let rig = rig.restart(&path).await;
    assert_eq!(rig.broker.restored(), Restored { sessions: 1, messages: 2 });
    let (mut stream, answer) = hello("unfinished").send(rig.addr()).await;
    assert_eq!(answer, [0x20, 2, 1, 0], "the session is present");
    let again = [wire::read(&mut stream).await, wire::read(&mut stream).await];
    assert!(again.contains(&vec![0x62, 2, first[5], first[6]]), "PUBREL again: {again:02x?}");
    let dup = [&[0x3a], &second[1..]].concat();
    assert!(again.contains(&dup), "PUBLISH again with DUP and the same id: {again:02x?}, wanted {dup:02x?}");
    wire::write(&mut stream, &[0x70, 2, first[5], first[6]]).await;
    wire::write(&mut stream, &[0x40, 2, second[5], second[6]]).await;
    wire::write(&mut stream, &[0xC0, 0]).await;
    assert_eq!(wire::read(&mut stream).await, [0xD0, 0]);
    let rig = rig.restart(&path).await;
    assert_eq!(rig.broker.restored(), Restored { sessions: 1, messages: 0 });
    rig.broker.stop().await;
}

#[tokio::test]
async fn sessions_end_with_their_token_and_with_a_clean_start() {
    let (_folder, path) = file();
    let rig = Rig::with(settings(), Some(&path)).await;
    let port = rig.addr().port();
    subscribe_and_go(port, "mqttv311", "tokenless", "a", "1").await;
    let (mut stream, _) = Connect { keep_session: true, ..connect(4, "cleaned", Some(FULL)) }.send(rig.addr()).await;
    wire::write(&mut stream, &wire::subscribe("a", 1)).await;
    wire::read(&mut stream).await;
    stream.shutdown().await.unwrap();
    rig.goodbye("cleaned").await;
    run("mosquitto_pub", port, FULL, &["-q", "1", "-t", "a", "-m", "x"]).await;
    let (stream, answer) = connect(4, "cleaned", Some(FULL)).send(rig.addr()).await;
    assert_eq!(answer, [0x20, 2, 0, 0]);
    drop(stream);
    eventually("its end", async || (rig.broker.client_count() == 0).then_some(())).await;
    // READ goes while the broker is down.
    let (feed, accounts) = (rig.feed.clone(), rig.accounts.clone());
    rig.broker.stop().await;
    accounts.replace([crate::support::broker::account("all", FULL, relayscope_domain::token::Permission::Full)]);
    let config = BrokerConfig::forgetful("test", settings(), feed, accounts);
    let broker = EmbeddedBroker::start(BrokerConfig { database: Some(path), ..config }).await.unwrap();
    assert_eq!(broker.restored(), Restored::default());
    broker.stop().await;
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_said_so() {
    let (folder, path) = file();
    std::fs::write(&path, b"this is no database, whatever its name says".repeat(200)).unwrap();
    let rig = Rig::with(settings(), Some(&path)).await;
    let said = |kind: &Kind| match kind {
        Kind::Note { failure: true, text } => Some(text.clone()),
        _ => None,
    };
    let text = rig.event("a note", "", said).await;
    assert!(text.contains("damaged") && text.contains("set aside") && text.contains("new one was begun"), "{text}");
    let aside = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert_eq!(aside.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count(), 1);
    subscribe_and_go(rig.addr().port(), "mqttv311", "after", "a", "1").await;
    let rig = rig.restart(&path).await;
    assert_eq!(rig.broker.restored(), Restored { sessions: 1, messages: 0 });
    rig.broker.stop().await;
}

/// The broker that [`a_killed_broker_loses_nothing_it_acknowledged`] kills; ends with its standard input.
#[tokio::test]
#[ignore = "a process of its own, started by the test that kills it"]
async fn the_broker_that_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let config = BrokerConfig::forgetful("killed", settings(), Feed::new(16 << 20), accounts());
    let broker = EmbeddedBroker::start(BrokerConfig { database: Some(path.into()), ..config }).await.unwrap();
    println!("\nport {}", broker.addr().port());
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
}

async fn process(path: &Path) -> (Child, u16) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["broker_kept::the_broker_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(DATABASE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = soon("the port", async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the broker says its port");
            if let Some(port) = line.strip_prefix("port ") {
                return port.parse().unwrap();
            }
        }
    });
    (child, port.await)
}

#[tokio::test]
async fn a_killed_broker_loses_nothing_it_acknowledged() {
    let (_folder, path) = file();
    let (mut broker, port) = process(&path).await;
    subscribe_and_go(port, "mqttv311", "patient", "k/#", "1").await;
    run("mosquitto_pub", port, FULL, &["-q", "1", "-r", "-t", "state", "-m", "on"]).await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let (mut stream, _) = connect(4, "publisher", Some(FULL)).send(address).await;
    let mut acknowledged = 0_u16;
    for number in 1..=400_u16 {
        let [high, low] = number.to_be_bytes();
        wire::write(&mut stream, &[0x32, 9, 0, 3, b'k', b'/', b'n', high, low, high, low]).await;
        if number >= 300 {
            // From here on the kill comes between a publish and its answer.
            continue;
        }
        let answer = wire::read(&mut stream).await;
        assert_eq!(answer, [0x40, 2, high, low]);
        acknowledged = number;
    }
    while acknowledged < 340 {
        let answer = wire::read(&mut stream).await;
        acknowledged = u16::from_be_bytes([answer[2], answer[3]]);
    }
    broker.kill().await.unwrap();
    // What was acknowledged before the end of the process counts, too.
    while let [0x40, 2, high, low] = wire::read(&mut stream).await[..] {
        acknowledged = u16::from_be_bytes([high, low]);
    }
    eprintln!("{acknowledged} of 400 were acknowledged before the kill");

    let (mut broker, port) = process(&path).await;
    let arguments = ["-i", "patient", "-c", "-q", "1", "-t", "other", "-F", "%x", "-C", &acknowledged.to_string()];
    let got = run("mosquitto_sub", port, READ, &arguments).await;
    let got: Vec<u16> = got.lines().map(|line| u16::from_str_radix(line, 16).unwrap()).collect();
    assert_eq!(got, (1..=acknowledged).collect::<Vec<_>>());
    assert_eq!(run("mosquitto_sub", port, READ, &["-t", "state", "-C", "1"]).await, "on\n");
    broker.kill().await.unwrap();
}
