//! What is kept: configuration over restarts, refusals of bad input with every problem at its field, damaged and newer
//! files, a queue that goes on after a restart.

use crate::support::engine::{App, local};
use crate::support::eventually;
use crate::support::load::Load;
use crate::support::mosquitto::Mosquitto;
use crate::support::sink::{Reply, Sink, check_order};
use relayscope_engine::api::wire::*;
use relayscope_engine::{Engine, EngineConfig};
use serde_json::{Value, json};
use std::path::Path;

fn fields(error: &ApiError) -> Vec<&str> {
    error.problems.iter().map(|problem| problem.field.as_str()).collect()
}

async fn start(folder: &Path) -> Result<Engine, String> {
    let config = EngineConfig { data_dir: folder.to_owned(), keychain: false, idle: false };
    Engine::start(config).await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_restart_and_enabled_relays_start_by_themselves() {
    let (broker, sink) = (Mosquitto::open(), Sink::start().await);
    let app = App::start().await;
    let saved = app
        .broker(broker.port, |draft| {
            draft["username"] = json!("plant");
            draft["password"] = json!({"kind": "set", "value": "s3cret-s3cret"});
            draft["will"] = json!({"topic": "relay/state", "payload": "gone", "qos": 1, "retain": true});
        })
        .await;
    assert!(saved.has_password && !saved.has_client_key);
    app.relay("Plant", &saved, &sink.region(), &[("load/+", 1), ("other", 2)]).await;
    app.connected(2).await;
    let lists = async |app: &App| -> (Value, Value, Value) {
        let mut relays: Value = app.call("relays.list", ()).await;
        relays[0]["grants"] = Value::Null;
        (app.call("brokers.list", ()).await, app.call("tokens.list", ()).await, relays)
    };
    let before = lists(&app).await;
    let app = App::start_in(app.stop().await).await;
    assert_eq!(lists(&app).await, before);
    app.connected(2).await;
    Load::new(broker.port, 1, 3).run().await;
    app.delivered(3).await;
    let _: () = app.call("relays.act", json!({"id": before.2[0]["relay"]["id"], "action": "stop"})).await;
    let app = App::start_in(app.stop().await).await;
    let status = app.relay_status().await;
    assert_eq!((status.state.words.as_str(), status.ledger.delivered, status.ledger_difference), ("stopped", 3, 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_delivered_after_a_restart_in_order() {
    let (broker, sink) = (Mosquitto::open(), Sink::start().await);
    sink.rule(|_| Reply::Answer(503, "", vec![]));
    let app = App::start().await;
    let saved = app.broker(broker.port, |_| {}).await;
    app.relay("Plant", &saved, &sink.region(), &[("load/#", 1)]).await;
    app.connected(1).await;
    Load { size: 20, ..Load::new(broker.port, 10, 20) }.run().await;
    eventually("all to wait", async || (app.relay_status().await.ledger.received == 200).then_some(())).await;
    let folder = app.stop().await;
    drop(broker);
    sink.rule(|_| Reply::Take);
    let app = App::start_in(folder).await;
    let status = app.delivered(200).await;
    assert_eq!((status.ledger.waiting, status.ledger_difference), (0, 0));
    assert_eq!(check_order(&sink.taken(), 10, 20), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_every_problem_at_its_field_and_saves_nothing() {
    let app = App::start().await;
    let blank: Value = app.call("app.blank", ()).await;
    let mut draft = blank["broker"].clone();
    for (field, value) in [
        ("host", json!("tcp://x")),
        ("port", json!("70000")),
        ("transport", json!("wss")),
        ("path", json!("mqtt")),
        ("clientId", json!("")),
        ("keepAlive", json!("soon")),
        ("sessionExpiry", json!("-1")),
        ("will", json!({"topic": "a/#", "payload": "", "qos": 1, "retain": false})),
        (
            "tls",
            json!({"ownCa": true, "ca": "x", "clientCert": "y", "clientKey": {"kind": "set", "value": "z"},
                       "alpn": "", "serverName": "a b"}),
        ),
    ] {
        draft[field] = value;
    }
    let error = app.try_call("brokers.save", draft).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Invalid);
    let mut found = fields(&error);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "clientId",
            "host",
            "keepAlive",
            "name",
            "path",
            "port",
            "sessionExpiry",
            "tls.ca",
            "tls.clientCert",
            "tls.clientKey",
            "tls.serverName",
            "will.topic"
        ]
    );
    assert!(app.call::<Vec<BrokerView>>("brokers.list", ()).await.is_empty());

    let mut relay = blank["relay"].clone();
    relay["mappings"] = json!([{"filter": "a/#/b", "qos": 1, "enabled": true}, {"filter": "a", "qos": 0, "enabled": true},
                               {"filter": "a", "qos": 1, "enabled": true}]);
    relay["downlinkPort"] = json!("0");
    let error = app.try_call("relays.save", relay).await.unwrap_err();
    let mut found = fields(&error);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "authorizationId",
            "brokerId",
            "downlinkPort",
            "mappings.0.filter",
            "mappings.2.filter",
            "name",
            "networkTokenId"
        ]
    );

    let mut token = blank["token"].clone();
    token["name"] = json!("x");
    token["region"] = json!({"kind": "own", "url": "ftp://x"});
    token["value"] = json!({"kind": "set", "value": "at0123456789abcdef0123456789abcdef"});
    let error = app.try_call("tokens.save", token).await.unwrap_err();
    assert_eq!(fields(&error), ["region.url", "value"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_unique_and_what_is_used_can_not_be_deleted() {
    let app = App::start().await;
    let saved = app.broker(18_999, |draft| draft["name"] = json!("Plant")).await;
    let mut twin = serde_json::to_value(&saved.draft).unwrap();
    twin["id"] = Value::Null;
    twin["name"] = json!("plant");
    let error = app.try_call("brokers.save", twin).await.unwrap_err();
    assert_eq!(fields(&error), ["name"]);
    let relay = app.relay("Line 1", &saved, &local(), &[("a", 1)]).await;
    let error = app.try_call("brokers.delete", json!({"id": saved.broker.id})).await.unwrap_err();
    assert_eq!((error.code, error.users), (ErrorCode::InUse, vec!["Line 1".to_owned()]));
    let error = app.try_call("tokens.delete", json!({"id": relay.relay.network_token_id})).await.unwrap_err();
    assert_eq!((error.code, error.users), (ErrorCode::InUse, vec!["Line 1".to_owned()]));
    let mut wrong = serde_json::to_value(&relay.draft).unwrap();
    wrong["region"] = json!({"kind": "euW1"});
    wrong["networkTokenId"] = json!(relay.relay.authorization_id);
    let error = app.try_call("relays.save", wrong).await.unwrap_err();
    assert_eq!(fields(&error), ["networkTokenId", "authorizationId"]);
    let _: () = app.call("relays.delete", json!({"id": relay.relay.id})).await;
    let _: () = app.call("brokers.delete", json!({"id": saved.broker.id})).await;
    let error = app.try_call("brokers.delete", json!({"id": saved.broker.id})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_and_left_untouched() {
    for file in ["app.db", "queue.db"] {
        let folder = App::start().await.stop().await;
        let path = folder.path().join(file);
        let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
        )
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
        let before = std::fs::read(&path).unwrap();
        let error = start(folder.path()).await.err().unwrap();
        assert!(
            error.contains("newer Relayscope") && error.contains(file) && error.contains("left untouched"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_configuration_is_set_aside_and_the_last_good_copy_taken() {
    let app = App::start().await;
    app.broker(18_998, |draft| draft["name"] = json!("Plant")).await;
    // The copy is made at a start: it holds what was there then.
    let folder = App::start_in(app.stop().await).await.stop().await;
    std::fs::write(folder.path().join("app.db"), b"this is no database, and long enough to be looked at as one")
        .unwrap();
    std::fs::write(folder.path().join("queue.db"), vec![0x5a; 8_192]).unwrap();
    let app = App::start_in(folder).await;
    let brokers: Vec<BrokerView> = app.call("brokers.list", ()).await;
    assert_eq!(brokers[0].broker.name, "Plant");
    let info: AppInfo = app.call("app.info", ()).await;
    assert_eq!(info.notices.len(), 2, "{:?}", info.notices);
    assert!(info.notices[0].contains("the copy of the last good start was taken"), "{:?}", info.notices);
    assert!(info.notices[1].contains("a new one was begun"), "{:?}", info.notices);
    let names: Vec<String> = std::fs::read_dir(app.folder.path())
        .unwrap()
        .flatten()
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.iter().filter(|name| name.contains("damaged-")).count(), 2, "{names:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_events_and_is_stopped_and_removed_as_one() {
    let app = App::start().await;
    assert!(app.call::<AppInfo>("app.info", ()).await.first_run);
    let demo: DemoStatus = app.call("demo.start", ()).await;
    assert!(demo.present && demo.running);
    eventually("an event of the demo", async || {
        app.rows().iter().any(|row| row.kind == "publish" && row.topic.starts_with("demo/")).then_some(())
    })
    .await;
    let status = app.delivered(3).await;
    assert_eq!(status.ledger_difference, 0);
    let devices: Vec<BucketDevice> = eventually("three devices", async || {
        let devices: Vec<BucketDevice> = app.call("bucket.devices", ()).await;
        (devices.len() == 3).then_some(devices)
    })
    .await;
    assert!(devices.iter().all(|device| device.count > 0));
    assert!(!app.call::<AppInfo>("app.info", ()).await.first_run);
    let stopped: DemoStatus = app.call("demo.stop", ()).await;
    assert!(stopped.present && !stopped.running);
    eventually("everything to stop", async || {
        let status = app.status().await;
        (status.relays[0].state.words == "stopped" && status.brokers[0].state.words == "stopped").then_some(())
    })
    .await;
    let _: DemoStatus = app.call("demo.start", ()).await;
    let before = app.relay_status().await.ledger.delivered;
    app.delivered(before + 1).await;
    let _: () = app.call("demo.remove", ()).await;
    assert!(app.call::<Vec<Value>>("relays.list", ()).await.is_empty());
    assert!(app.call::<Vec<Value>>("brokers.list", ()).await.is_empty());
    assert!(app.call::<Vec<Value>>("tokens.list", ()).await.is_empty());
    app.stop().await;
}
