//! A whole engine in a temporary folder, spoken to as a page does: by the command table only.

use super::eventually;
use relayscope_engine::api::{self, wire::*};
use relayscope_engine::{Engine, EngineConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A running engine with its folder.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) folder: TempDir,
}

impl App {
    /// An engine in a new folder.
    pub(crate) async fn start() -> Self {
        Self::start_in(TempDir::with_prefix("relayscope-app-").unwrap()).await
    }

    /// An engine in a folder that may have been used before.
    pub(crate) async fn start_in(folder: TempDir) -> Self {
        Self { engine: engine_in(folder.path()).await, folder }
    }

    /// Stops in order and gives the folder back.
    pub(crate) async fn stop(self) -> TempDir {
        self.engine.shutdown(Duration::from_secs(20)).await;
        drop(self.engine);
        self.folder
    }

    /// Calls a command that must work.
    pub(crate) async fn call<T: DeserializeOwned>(&self, name: &str, request: impl Serialize) -> T {
        let answer = self.try_call(name, request).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        serde_json::from_value(answer).unwrap()
    }

    /// Calls a command.
    pub(crate) async fn try_call(&self, name: &str, request: impl Serialize) -> Result<Value, ApiError> {
        api::call(&self.engine, name, serde_json::to_value(request).unwrap()).await
    }

    /// Saves an external broker on 127.0.0.1; `change` adjusts the form.
    pub(crate) async fn broker(&self, port: u16, change: impl FnOnce(&mut Value)) -> BrokerView {
        let blank: Value = self.call("app.blank", ()).await;
        let mut draft = blank["broker"].clone();
        draft["name"] = json!(format!("broker on {port}"));
        draft["host"] = json!("127.0.0.1");
        draft["port"] = json!(port.to_string());
        change(&mut draft);
        self.call("brokers.save", draft).await
    }

    /// Saves a token; an empty value has the engine make one.
    pub(crate) async fn token(&self, name: &str, kind: &str, region: &Value, value: &str) -> TokenView {
        let value = if value.is_empty() { json!({"kind": "generate"}) } else { json!({"kind": "set", "value": value}) };
        let draft = json!({
            "id": null, "name": name, "kind": kind, "region": region, "value": value, "serial": "", "permission": "full", "expires": "",
        });
        self.call("tokens.save", draft).await
    }

    /// Saves a relay with two fresh tokens of `region`.
    pub(crate) async fn relay(
        &self,
        name: &str,
        broker: &BrokerView,
        region: &Value,
        filters: &[(&str, u8)],
    ) -> RelayView {
        self.relay_with(name, broker, region, filters, json!({})).await
    }

    /// As [`App::relay`], with these rules from its first connection on; the others are as shipped.
    pub(crate) async fn relay_with(
        &self,
        name: &str,
        broker: &BrokerView,
        region: &Value,
        filters: &[(&str, u8)],
        rules: Value,
    ) -> RelayView {
        let (uuid, hex) = (uuid::Uuid::new_v4(), format!("at{}", uuid::Uuid::new_v4().simple()));
        let network = self.token(&format!("{name} network"), "network", region, &uuid.to_string()).await.token.id;
        let authorization = self.token(&format!("{name} authorization"), "authorization", region, &hex).await.token.id;
        let mappings: Vec<Value> =
            filters.iter().map(|(filter, qos)| json!({"filter": filter, "qos": qos, "enabled": true})).collect();
        let draft = json!({
            "id": null, "name": name, "brokerId": broker.broker.id, "mappings": mappings, "region": region,
            "networkTokenId": network, "authorizationId": authorization, "downlinkPort": "", "enabled": true,
            "rules": rules,
        });
        self.call("relays.save", draft).await
    }

    /// The state of everything.
    pub(crate) async fn status(&self) -> StatusSnapshot {
        self.call("app.status", ()).await
    }

    /// The only relay's state.
    pub(crate) async fn relay_status(&self) -> RelayStatus {
        self.status().await.relays.remove(0)
    }

    /// Waits until the only relay is connected and every filter is answered.
    pub(crate) async fn connected(&self, filters: usize) {
        eventually("the relay to be connected", async || {
            let relays: Vec<RelayView> = self.call("relays.list", ()).await;
            let status = self.relay_status().await;
            (status.broker.words == "connected" && relays[0].grants.len() == filters).then_some(())
        })
        .await;
    }

    /// Waits until the only relay has delivered `count` messages and settled them.
    pub(crate) async fn delivered(&self, count: u64) -> RelayStatus {
        eventually(&format!("{count} deliveries"), async || {
            let status = self.relay_status().await;
            (status.ledger.delivered >= count).then_some(status)
        })
        .await
    }

    /// All rows of the feed, oldest first.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.engine.follow(0, usize::MAX).0
    }
}

/// An engine on a folder that the test keeps.
pub(crate) async fn engine_in(folder: &Path) -> Engine {
    let config = EngineConfig { data_dir: folder.to_owned(), keychain: false, idle: false };
    Engine::start(config).await.unwrap()
}

/// The region of the stand-in inside.
pub(crate) fn local() -> Value {
    json!({"kind": "local"})
}
