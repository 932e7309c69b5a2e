//! The embedded broker as a page sees it: saved as a whole or not at all, looked at, its clients and retained messages.

use crate::support::broker::connect;
use crate::support::certs::{Authority, Pair};
use crate::support::engine::{App, local};
use crate::support::mosquitto::Mosquitto;
use crate::support::{eventually, free_port, soon, wire};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Instant;

const TOKEN: &str = "11111111-2222-4333-8444-5555555aaaaa";

fn fields(error: &ApiError) -> Vec<&str> {
    error.problems.iter().map(|problem| problem.field.as_str()).collect()
}

async fn blank(app: &App) -> Value {
    let blank: Value = app.call("app.blank", ()).await;
    let mut draft = blank["broker"].clone();
    draft["name"] = json!("Inside");
    draft["embedded"] = json!(true);
    draft["port"] = json!(free_port().to_string());
    draft
}

async fn listener(app: &App, pair: &Pair) -> Value {
    let blank: Value = app.call("embedded.blankListener", ()).await;
    let mut listener = blank["listener"].clone();
    listener["exposed"] = json!(true);
    listener["port"] = json!(free_port().to_string());
    listener["certificate"] = json!(pair.cert);
    listener["key"] = json!({"kind": "set", "value": pair.key});
    listener
}

/// Waits until the only broker runs; its address.
async fn running(app: &App) -> SocketAddr {
    eventually("the broker to run", async || {
        let status = app.status().await.brokers.remove(0);
        (status.clients.is_some() && status.state.words == "running").then(|| status.address.parse().unwrap())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_saved_with_sealed_keys_or_every_problem_is_named() {
    let app = App::start().await;
    let authority = Authority::new("Plant CA");
    let (one, other) = (authority.server(&["localhost"]), authority.server(&["localhost"]));
    let mut draft = blank(&app).await;
    draft["inside"]["listeners"] = json!([listener(&app, &Pair { cert: one.cert.clone(), key: other.key }).await]);
    let error = app.try_call("brokers.save", &draft).await.unwrap_err();
    assert_eq!(fields(&error), ["inside.listeners.0.key"]);
    assert!(error.problems[0].message.contains("does not belong"), "{}", error.problems[0].message);

    draft["inside"]["listeners"][0]["key"] = json!({"kind": "set", "value": one.key});
    let expired = authority.expired_server(&["localhost"]);
    let taken = Mosquitto::open();
    for (field, change, words) in [
        ("certificate", json!({"certificate": "nonsense"}), ""),
        ("certificate", json!({"certificate": expired.cert}), "Expired on 2021-03-01"),
        ("key", json!({"key": {"kind": "set", "value": "nonsense"}}), ""),
        ("port", json!({"port": taken.port.to_string()}), "is free."),
    ] {
        let mut wrong = draft.clone();
        for (name, value) in change.as_object().unwrap() {
            wrong["inside"]["listeners"][0][name] = value.clone();
        }
        let error = app.try_call("brokers.save", &wrong).await.unwrap_err();
        assert!(fields(&error).contains(&&*format!("inside.listeners.0.{field}")), "{error:?}");
        let problem = &error.problems[0].message;
        let owner = field == "port" && cfg!(target_os = "linux");
        assert!(problem.contains(words) && (!owner || problem.contains("mosquitto (process ")), "{problem}");
    }
    let saved: BrokerView = app.call("brokers.save", &draft).await;
    let text = serde_json::to_string(&saved).unwrap();
    assert!(!text.contains("PRIVATE KEY"), "the key came back");
    // Saved again as the page holds it: the key stays.
    let again: BrokerView = app.call("brokers.save", &saved.draft).await;
    assert_eq!(again.broker, saved.broker);

    // Another broker's listener, and a relay's downlink, have their ports.
    let mut second = blank(&app).await;
    second["name"] = json!("Second");
    second["inside"]["listeners"] = json!([listener(&app, &one).await]);
    second["inside"]["listeners"][0]["port"] = draft["inside"]["listeners"][0]["port"].clone();
    let error = app.try_call("brokers.save", &second).await.unwrap_err();
    assert_eq!(fields(&error), ["inside.listeners.0.port"]);
    assert!(error.problems[0].message.contains("Inside"), "{}", error.problems[0].message);

    let app = App::start_in(app.stop().await).await;
    let brokers: Vec<BrokerView> = app.call("brokers.list", ()).await;
    assert_eq!(brokers[0].broker, saved.broker);
    let kept: BrokerView = app.call("brokers.save", &brokers[0].draft).await;
    assert_eq!(kept.broker, saved.broker, "the key is there after a restart");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_fails_is_shown_while_the_broker_runs() {
    let app = App::start().await;
    let mut draft = blank(&app).await;
    let blank: Value = app.call("embedded.blankListener", ()).await;
    let mut plain = blank["listener"].clone();
    let port = free_port();
    for (name, value) in [("transport", "tcp"), ("listen", "loopback"), ("port", &*port.to_string())] {
        plain[name] = json!(value);
    }
    draft["inside"]["listeners"] = json!([plain]);
    let saved: BrokerView = app.call("brokers.save", &draft).await;
    running(&app).await;
    // Its own port is no trouble; it is saved again as it is.
    let again: BrokerView = app.call("brokers.save", &saved.draft).await;
    assert_eq!(again.broker, saved.broker);
    // While it is away, another program takes the port.
    let folder = app.stop().await;
    let taker = Mosquitto::at(port);
    let app = App::start_in(folder).await;
    let live = eventually("the failed listener", async || {
        let live: EmbeddedLive = app.call("embedded.live", json!({"id": saved.broker.id})).await;
        live.running.then_some(live)
    })
    .await;
    let problem = live.listeners[1].problem.clone().unwrap();
    let owner = if cfg!(target_os = "linux") { "mosquitto (process " } else { "another program" };
    assert!(problem.starts_with(&format!("Port {port} is taken by {owner}")), "{problem}");
    assert!(live.listeners[1].free.unwrap() > port && live.listeners[0].problem.is_none());
    let status = app.status().await.brokers.remove(0);
    let words = format!("running, but the listener on port {port} is not in order. {problem}");
    assert_eq!((status.state.words, status.state.tone), (words, Tone::Warn));
    assert_eq!(connect(4, "pump", None).send(status.address.parse().unwrap()).await.1[0], 0x20, "the broker answers");
    drop(taker);
    running(&app).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_show_their_numbers() {
    let app = App::start().await;
    let presets: Vec<PresetLines> = app.call("listeners.presets", ()).await;
    assert_eq!(presets.len(), 4);
    assert!(presets[1].lines.contains(&"250 publishes a minute".to_owned()), "{presets:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_token_cuts_its_client_at_once() {
    let app = App::start().await;
    let draft = blank(&app).await;
    let _: BrokerView = app.call("brokers.save", &draft).await;
    let address = running(&app).await;
    let token = app.token("Pump", "device", &local(), TOKEN).await;
    let (mut stream, answer) = eventually("the token to count", async || {
        let (stream, answer) = connect(5, "pump", Some(TOKEN)).send(address).await;
        (answer[3] == 0).then_some((stream, answer))
    })
    .await;
    assert_eq!(answer[0], 0x20);
    let since = Instant::now();
    let _: () = app.call("tokens.delete", json!({"id": token.token.id})).await;
    // An MQTT 5 client may be told why before the end.
    while !wire::read(&mut stream).await.is_empty() {}
    eprintln!("the client was cut {:?} after the click", since.elapsed());
    eventually("an event", async || {
        app.rows().into_iter().find(|row| row.client == "pump" && row.preview == "its token was removed")
    })
    .await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_expire_at_a_time_that_is_still_to_come() {
    let app = App::start().await;
    let draft = |expires: &str| {
        json!({
            "id": null, "name": "Pump", "kind": "device", "region": local(), "value": {"kind": "generate"},
            "serial": "", "permission": "full", "expires": expires,
        })
    };
    for (text, words) in [("2020-01-01T00:00", "past"), ("soon", "Enter a date")] {
        let error = app.try_call("tokens.save", draft(text)).await.unwrap_err();
        assert_eq!(fields(&error), ["expires"]);
        assert!(error.problems[0].message.contains(words), "{}", error.problems[0].message);
    }
    let saved: TokenView = app.call("tokens.save", draft("2199-12-31 18:00")).await;
    assert_eq!((saved.expires.as_str(), saved.expired), ("2199-12-31T18:00", false));
    assert!(saved.token.expires_at.is_some());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_broker_is_looked_at_and_its_retained_messages_are_cleared_and_brought_back() {
    let app = App::start().await;
    let saved: BrokerView = app.call("brokers.save", &blank(&app).await).await;
    let id = saved.broker.id;
    let address = running(&app).await;
    let token = app.token("Pump", "device", &local(), TOKEN).await;
    let (mut stream, _) = eventually("the token to count", async || {
        let (stream, answer) = connect(4, "pump", Some(TOKEN)).send(address).await;
        (answer[3] == 0).then_some((stream, answer))
    })
    .await;
    for number in 0..20_u8 {
        // QoS 1, retained.
        wire::write(&mut stream, &[0x33, 8, 0, 3, b'r', b'/', b'a' + number, 0, number + 1, b'x']).await;
        wire::read(&mut stream).await;
    }
    // An edit says whom it cuts before it applies.
    let preview: EmbeddedPreview = app.call("embedded.preview", &saved.draft).await;
    assert_eq!(preview.consequence.unwrap(), "Saving restarts the broker: 1 client is disconnected.");
    let live: EmbeddedLive = app.call("embedded.live", json!({"id": id})).await;
    assert_eq!((live.running, live.clients, live.retained, live.messages_in), (true, 1, 20, 20));
    let page: RetainedPage =
        app.call("embedded.retained", json!({"id": id, "filter": "", "from": 5, "count": 3})).await;
    let topics: Vec<_> = page.rows.iter().map(|row| row.topic.as_str()).collect();
    assert_eq!((page.total, topics), (20, vec!["r/f", "r/g", "r/h"]));

    let one: Cleared =
        app.call("embedded.clearRetained", json!({"id": id, "filter": "r/a", "space": page.rows[0].space})).await;
    let rest: Cleared = app.call("embedded.clearRetained", json!({"id": id, "filter": "r/#", "space": null})).await;
    assert_eq!((one.count, rest.count), (1, 19));
    let error =
        app.try_call("embedded.clearRetained", json!({"id": id, "filter": "r/#", "space": null})).await.unwrap_err();
    assert!(error.message.contains("No retained message"), "{}", error.message);
    let back: LettersMoved = app.call("embedded.undoClear", json!({"id": id, "undo": rest.undo})).await;
    assert_eq!(back.count, 19);
    assert!(app.try_call("embedded.undoClear", json!({"id": id, "undo": "../app.db"})).await.is_err());
    for undo in [one.path, rest.path] {
        std::fs::remove_file(undo).unwrap();
    }

    // A token stands in a line only when a person asks for it.
    let lines = async |reveal: bool| -> Vec<CommandLine> {
        app.call("embedded.lines", json!({"id": id, "tokenId": token.token.id, "reveal": reveal})).await
    };
    assert!(lines(false).await.iter().all(|line| !line.text.contains(TOKEN)));
    assert!(lines(true).await.iter().all(|line| line.text.contains(TOKEN)));
    let detail: ClientDetail = app.call("embedded.client", json!({"id": id, "clientId": "pump"})).await;
    assert_eq!(detail.client.unwrap().messages_in, 20);
    assert!(!detail.events.is_empty());
    let _: () = app.call("embedded.disconnect", json!({"id": id, "clientId": "pump"})).await;
    assert!(wire::read(&mut stream).await.is_empty());

    // What was kept goes with the broker.
    let database = std::fs::read_dir(app.folder.path()).unwrap().flatten().map(|entry| entry.path());
    let database = database.into_iter().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("broker-"))
            && path.extension() == Some("db".as_ref())
    });
    let database = database.expect("a file for what is kept");
    let _: () = app.call("brokers.delete", json!({"id": id})).await;
    eventually("the file to go", async || (!database.exists()).then_some(())).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_say_when_they_were_used_last_and_pages_hear_of_it() {
    let app = App::start().await;
    let mut frames = app.engine.frames();
    // Asked for as a page does: when it is told that its lists are old.
    let mut told = async |what: &str, enough: &dyn Fn(&[TokenView]) -> bool| {
        let list = async {
            loop {
                if matches!(frames.recv().await.unwrap(), Frame::Config) {
                    let tokens: Vec<TokenView> = app.call("tokens.list", ()).await;
                    if enough(&tokens) {
                        return tokens;
                    }
                }
            }
        };
        soon(what, list).await
    };
    let _: DemoStatus = app.call("demo.start", ()).await;
    let used = |token: &TokenView| token.token.last_used_at;
    let all = |tokens: &[TokenView]| tokens.len() == 5 && tokens.iter().all(|token| used(token).is_some());
    let before = told("all tokens of the demo to be used", &all).await;
    let _: DemoStatus = app.call("demo.stop", ()).await;
    // The end of a connection is a use of its token, too.
    let later = |tokens: &[TokenView]| {
        tokens.iter().zip(&before).all(|(now, then)| then.token.serial.is_none() || used(now) > used(then))
    };
    told("the last use of the devices' tokens", &later).await;
    app.stop().await;
}
