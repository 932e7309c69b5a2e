//! The inspector's sessions and what people publish, with a real Mosquitto: as a page asks for them.

use crate::support::engine::App;
use crate::support::eventually;
use crate::support::mosquitto::{Mosquitto, Setup};
use relayscope_domain::publish::{MessageDraft, PayloadSource};
use relayscope_engine::api::wire::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// `mosquitto_sub -V 5`, whose lines are what was on the wire.
struct Ear {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Ear {
    fn start(broker: &Mosquitto, filter: &str, format: &str) -> Self {
        // Line by line although it writes to a pipe.
        let mut child = Command::new("stdbuf")
            .args([
                "-oL",
                "mosquitto_sub",
                "-V",
                "5",
                "-d",
                "-h",
                "127.0.0.1",
                "-p",
                &broker.port.to_string(),
                "-q",
                "2",
                "-t",
                filter,
            ])
            .args(["-F", &format!("heard {format}")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, lines) = std::sync::mpsc::channel();
        let read = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in read.lines().map_while(Result::ok) {
                drop(told.send(line));
            }
        });
        let ear = Self { child, lines };
        ear.until("Subscribed (mid");
        ear
    }

    fn until(&self, begins: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(crate::support::SOON).unwrap_or_else(|_| panic!("no line {begins}"));
            if let Some(rest) = line.strip_prefix(begins) {
                return rest.trim().to_owned();
            }
        }
    }

    fn next(&self) -> String {
        self.until("heard ")
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn message(topic: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut message = json!({
        "topic": topic, "source": "text", "payload": "", "fileName": "", "qos": 1, "retain": false,
        "properties": {
            "contentType": "", "responseTopic": "", "correlation": "", "correlationForm": "text", "expiry": "",
            "utf8": false, "user": [],
        },
    });
    change(&mut message);
    message
}

async fn publish(app: &App, broker: &BrokerView, session: Option<u32>, message: Value, repeat: Value) -> u32 {
    let request = json!({"brokerId": broker.broker.id, "session": session, "message": message, "repeat": repeat});
    app.call::<PublishProgress>("publish.start", request).await.number
}

async fn ended(app: &App, number: u32) -> PublishProgress {
    eventually("the publication to end", async || {
        let progress: PublishProgress = app.call("publish.progress", json!({"number": number})).await;
        progress.done.then_some(progress)
    })
    .await
}

async fn session(app: &App, broker: &BrokerView, filters: &[(&str, u8)]) -> u32 {
    let filters: Vec<Value> = filters.iter().map(|(filter, qos)| json!({"filter": filter, "qos": qos})).collect();
    let draft = json!({"brokerId": broker.broker.id, "filters": filters, "everything": false});
    app.call::<SessionView>("sessions.open", draft).await.number
}

/// Waits until a session's filters stand like this.
async fn filters(app: &App, number: u32, expected: &[(&str, &str)]) -> SessionView {
    eventually(&format!("the filters {expected:?}"), async || {
        let frame: SessionsFrame = app.call("sessions.list", ()).await;
        let view = frame.sessions.into_iter().find(|view| view.number == number)?;
        let now: Vec<_> = view.filters.iter().map(|one| (one.filter.as_str(), one.words.as_str())).collect();
        let fits = now.len() == expected.len()
            && now.iter().zip(expected).all(|(now, want)| now.0 == want.0 && now.1.starts_with(want.1));
        fits.then_some(view)
    })
    .await
}

fn times(broker: &Mosquitto, what: &str) -> usize {
    broker.log().lines().filter(|line| line.contains(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_come_and_go_over_one_connection() {
    let mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |draft| draft["clientId"] = json!("plant-7")).await;
    let number = session(&app, &broker, &[("a/+", 1)]).await;
    let view = filters(&app, number, &[("a/+", "granted QoS 1")]).await;
    assert!(view.client_id.starts_with("plant-7-look-") && view.state.words.starts_with("connected"), "{view:?}");

    let add = json!({"number": number, "filter": "b/#", "qos": 0, "everything": false});
    let _: SessionView = app.call("sessions.add", add).await;
    filters(&app, number, &[("a/+", "granted QoS 1"), ("b/#", "granted QoS 0")]).await;
    let done = ended(&app, publish(&app, &broker, Some(number), message("b/1/2", |_| ()), Value::Null).await).await;
    assert!(done.words.contains("0x00 success"), "{done:?}");
    let came = |topic: &'static str| {
        let rows = app.rows();
        rows.iter().filter(|row| row.topic == topic && row.kind == "publish").count()
    };
    eventually("the message to be in the feed", async || (came("b/1/2") == 1).then_some(())).await;

    let _: SessionView = app.call("sessions.remove", json!({"number": number, "filter": "b/#"})).await;
    filters(&app, number, &[("a/+", "granted QoS 1")]).await;
    eventually("UNSUBACK", async || app.rows().iter().any(|row| row.kind == "unsubscribe").then_some(())).await;
    let gone = ended(&app, publish(&app, &broker, Some(number), message("b/1/2", |_| ()), Value::Null).await).await;
    assert!(gone.words.contains("0x10 no matching subscribers"), "{gone:?}");
    let twice = app.try_call("sessions.remove", json!({"number": number, "filter": "b/#"})).await.unwrap_err();
    assert!(twice.message.contains("does not have this filter"), "{twice:?}");
    assert_eq!(times(&mosquitto, "as plant-7-look-"), 1, "one connection, a clean session:\n{}", mosquitto.log());

    let _: () = app.call("sessions.close", json!({"number": number})).await;
    eventually("a clean end", async || {
        (times(&mosquitto, "Received DISCONNECT from plant-7-look-") == 1).then_some(())
    })
    .await;
    let late = app.try_call("sessions.close", json!({"number": number})).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::NotFound);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_must_be_meant_and_refusals_are_explained() {
    let mosquitto = Mosquitto::start(&Setup { login: Some(("meter", "right")), ..Setup::default() });
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |draft| draft["username"] = json!("meter")).await;
    let draft = |filters: Value, everything: bool| json!({"brokerId": broker.broker.id, "filters": filters, "everything": everything});
    let wrong = json!([{"filter": "#", "qos": 0}, {"filter": "a/#/b", "qos": 0}, {"filter": "x", "qos": 0}, {"filter": "x", "qos": 1}]);
    let refusal = app.try_call("sessions.open", draft(wrong, false)).await.unwrap_err();
    let fields: Vec<&str> = refusal.problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["filters.0.filter", "filters.1.filter", "filters.3.filter"], "{refusal:?}");
    let nothing = app.try_call("sessions.open", json!({"brokerId": null, "filters": [], "everything": false})).await;
    assert_eq!(nothing.unwrap_err().problems.len(), 2);

    let open: SessionView = app.call("sessions.open", draft(json!([{"filter": "#", "qos": 0}]), true)).await;
    let refused = eventually("the refusal", async || {
        let frame: SessionsFrame = app.call("sessions.list", ()).await;
        frame.sessions.into_iter().find(|one| one.state.tone == Tone::Bad)
    })
    .await;
    assert_eq!(refused.number, open.number);
    assert!(refused.state.words.contains("not authorized") && !refused.advice.is_empty(), "{refused:?}");
    // A message gets the same answer.
    let done = ended(&app, publish(&app, &broker, None, message("a", |_| ()), Value::Null).await).await;
    assert!(done.words.contains("not authorized") && done.tone == Tone::Bad, "{done:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_broker_forbids_is_refused_in_words() {
    let folder = tempfile::TempDir::new().unwrap();
    let acl = folder.path().join("acl");
    std::fs::write(&acl, "topic readwrite open/#\n").unwrap();
    let mosquitto = Mosquitto::start(&Setup { extra: format!("acl_file {}\n", acl.display()), ..Setup::default() });
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let done = ended(&app, publish(&app, &broker, None, message("secret/a", |_| ()), Value::Null).await).await;
    assert!(done.words.contains("0x87 not authorized"), "{done:?}");
    let number = session(&app, &broker, &[("open/a", 1)]).await;
    filters(&app, number, &[("open/a", "granted QoS 1")]).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payload_forms_and_properties_are_on_the_wire_as_typed() {
    let mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let ear = Ear::start(&mosquitto, "forms/#", "%t|%q|%r|%x|%C|%R|%D|%E|%F|%P");
    for (form, typed, hex) in [
        ("text", "é\n", "c3a90a"),
        ("json", "{ \"a\" : 1.0 }", "7b20226122203a20312e30207d"),
        ("hex", "00 FF\n10:0d", "00ff100d"),
        ("base64", "AP8Q", "00ff10"),
        ("file", "AP8QDQ==", "00ff100d"),
        ("text", "", ""),
    ] {
        let typed = message(&format!("forms/{form}"), |message| {
            (message["source"], message["payload"]) = (json!(form), json!(typed));
        });
        ended(&app, publish(&app, &broker, None, typed, Value::Null).await).await;
        assert_eq!(ear.next(), format!("forms/{form}|1|0|{hex}||||||"));
    }
    let whole = message("forms/all", |message| {
        message["payload"] = json!("hi");
        message["qos"] = json!(2);
        message["retain"] = json!(true);
        message["properties"] = json!({
            "contentType": "text/plain", "responseTopic": "answers/1", "correlation": "61 62", "correlationForm": "hex",
            "expiry": "60", "utf8": true, "user": [{"name": "b", "value": "1"}, {"name": "a", "value": "2"}],
        });
    });
    let number = publish(&app, &broker, None, whole, Value::Null).await;
    let heard = ear.next();
    assert!(heard.starts_with("forms/all|2|0|6869|text/plain|answers/1|ab|"), "{heard}");
    assert!(heard.contains("|60|1|") && heard.ends_with("b:1 a:2"), "{heard}");
    let _: PublishProgress = app.call("publish.cancel", json!({"number": number})).await;

    let wrong = message("forms/+", |message| {
        (message["source"], message["payload"]) = (json!("json"), json!("{\n  x"));
        message["properties"]["expiry"] = json!("soon");
    });
    let check: MessageCheck = app.call("publish.check", &wrong).await;
    let mistake = check.mistake.unwrap();
    assert_eq!((mistake.line, mistake.column, check.problems.len()), (2, 3, 3), "{mistake:?}");
    let request = json!({"brokerId": broker.broker.id, "session": null, "message": wrong, "repeat": null});
    assert_eq!(app.try_call("publish.start", request).await.unwrap_err().problems.len(), 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_seen_is_published_again_with_all_that_belongs_to_it() {
    let mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let number = session(&app, &broker, &[("again/#", 2)]).await;
    filters(&app, number, &[("again/#", "granted QoS 2")]).await;
    let ear = Ear::start(&mosquitto, "again/#", "%t|%q|%x|%C|%R|%D|%F|%P");
    for (at, payload) in ["21.5", "two\r\nlines"].into_iter().enumerate() {
        let topic = format!("again/{at}");
        let properties = "-D publish content-type text/plain -D publish response-topic it/s -D publish correlation-data 7 \
                          -D publish payload-format-indicator 1 -D publish message-expiry-interval 600";
        let mut pub_ = Command::new("mosquitto_pub");
        pub_.args(["-p", &mosquitto.port.to_string(), "-V", "5", "-q", "2", "-t", &topic, "-m", payload]);
        pub_.args(properties.split_whitespace());
        pub_.args(["-D", "publish", "user-property", "site", "it's 1", "-D", "publish", "user-property", "site", "2"]);
        assert!(pub_.status().unwrap().success());
        let heard = ear.next();
        assert!(heard.contains("|text/plain|it/s|7|1|site:it's 1 site:2"), "{heard}");

        let row = eventually("the message", async || app.rows().into_iter().find(|row| row.topic == topic)).await;
        let seen: MessageDraft = app.call("publish.again", json!({"seq": row.seq})).await;
        let source = if at == 0 { PayloadSource::Text } else { PayloadSource::Base64 };
        assert_eq!((seen.source, seen.properties.user.len()), (source, 2));
        let number = publish(&app, &broker, None, json!(seen), Value::Null).await;
        assert_eq!(ear.next(), heard);
        // It waits for an answer.
        let _: PublishProgress = app.call("publish.cancel", json!({"number": number})).await;

        let command = json!({"seq": row.seq, "decoder": null, "form": "mosquittoPub"});
        let command: Copied = app.call("decode.copy", command).await;
        assert!(Command::new("sh").args(["-c", &command.text]).status().unwrap().success(), "{}", command.text);
        assert_eq!(ear.next(), heard);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_sends_as_many_as_asked_for_and_can_be_cancelled() {
    let mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let number = session(&app, &broker, &[("many/#", 2)]).await;
    filters(&app, number, &[("many/#", "granted QoS 2")]).await;
    let counted = |topic: &'static str| {
        let rows = app.rows();
        rows.iter().filter(|row| row.topic == topic && row.kind == "publish").count()
    };
    for (topic, qos) in [("many/0", 0), ("many/1", 1), ("many/2", 2)] {
        let typed = message(topic, |message| message["qos"] = json!(qos));
        let done = ended(&app, publish(&app, &broker, None, typed, json!({"count": "300", "every": "1"})).await).await;
        assert_eq!((done.sent, done.taken, done.tone), (300, 300, Tone::Ok), "{done:?}");
        eventually("all of them", async || (counted(topic) >= 300).then_some(())).await;
        assert_eq!(counted(topic), 300);
    }
    let typed = message("many/3", |_| ());
    let job = publish(&app, &broker, Some(number), typed, json!({"count": "100000", "every": "5"})).await;
    eventually("some of them", async || {
        (app.call::<PublishProgress>("publish.progress", json!({"number": job})).await.sent > 3).then_some(())
    })
    .await;
    let _: PublishProgress = app.call("publish.cancel", json!({"number": job})).await;
    let end = ended(&app, job).await;
    assert!(end.words.starts_with("Cancelled.") && end.sent < 100_000, "{end:?}");
    let frame: SessionsFrame = app.call("sessions.list", ()).await;
    assert_eq!((frame.sessions.len(), frame.sessions[0].lost), (1, 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_shown_with_their_requests() {
    let mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let ear = Ear::start(&mosquitto, "ask", "%R|%D|%p");
    let asked = message("ask", |message| {
        message["payload"] = json!("?");
        message["properties"]["responseTopic"] = json!("answers/me");
    });
    let number = publish(&app, &broker, None, asked, json!({"count": "2", "every": "1"})).await;
    for answer in ["one", "two"] {
        let heard = ear.next();
        let (topic, rest) = heard.split_once('|').unwrap();
        let (correlation, _) = rest.split_once('|').unwrap();
        assert_eq!((topic, correlation.len()), ("answers/me", 8), "{heard}");
        let sent = Command::new("mosquitto_pub")
            .args(["-V", "5", "-p", &mosquitto.port.to_string(), "-t", topic, "-m", answer])
            .args(["-D", "publish", "correlation-data", correlation])
            .status();
        assert!(sent.unwrap().success());
    }
    let done = ended(&app, number).await;
    assert!(done.words.ends_with("2 answers came."), "{done:?}");
    let answers: Vec<_> = done.pairs.iter().map(|pair| pair.answer.as_deref().unwrap()).collect();
    assert_eq!(answers, ["one", "two"]);
    assert!(done.pairs.iter().all(|pair| pair.correlated && pair.took.is_some_and(|took| took > 0.0)));
    assert_eq!(done.response_topic.as_deref(), Some("answers/me"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_comes_back_with_its_filters_and_messages_are_kept() {
    let mut mosquitto = Mosquitto::open();
    let app = App::start().await;
    let broker = app.broker(mosquitto.port, |_| ()).await;
    let number = session(&app, &broker, &[("a", 1)]).await;
    filters(&app, number, &[("a", "granted QoS 1")]).await;
    mosquitto.stop();
    filters(&app, number, &[("a", "not subscribed yet")]).await;
    mosquitto.start_again();
    filters(&app, number, &[("a", "granted QoS 1")]).await;

    let kept = json!({"id": null, "folder": " plant ", "name": "start", "message": message("a", |_| ())});
    let saved: SavedMessage = app.call("messages.save", &kept).await;
    assert_eq!((saved.folder.as_str(), saved.name.as_str()), ("plant", "start"));
    let taken = app.try_call("messages.save", &kept).await.unwrap_err();
    assert_eq!(taken.problems[0].field, "name");
    let moved: SavedMessage = app.call("messages.move", json!({"id": saved.id, "folder": "line", "name": "go"})).await;
    assert_eq!((moved.folder.as_str(), moved.name.as_str()), ("line", "go"));
    let _: () = app.call("messages.renameFolder", json!({"from": "line", "to": "lines"})).await;
    let app = App::start_in(app.stop().await).await;
    let list: Vec<SavedMessage> = app.call("messages.list", ()).await;
    assert_eq!((list.len(), list[0].folder.as_str(), list[0].message.topic.as_str()), (1, "lines", "a"));
    let _: () = app.call("messages.delete", json!({"id": saved.id})).await;
    assert!(app.call::<Vec<SavedMessage>>("messages.list", ()).await.is_empty());
    let none: SessionsFrame = app.call("sessions.list", ()).await;
    assert!(none.sessions.is_empty(), "a session ends with the app");
    app.stop().await;
}
