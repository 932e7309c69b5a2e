//! The demo behind *Try it*: an embedded broker, three devices with their tokens, and a relay to the local stand-in;
//! made, stopped and removed as one.

use super::ChangeError;
use crate::Engine;
use crate::api::wire::DemoStatus;
use crate::runtime::Runtime;
use crate::secrets;
use crate::store::StoreError;
use relayscope_domain::broker::{Broker, BrokerSecrets, BrokerSpec, Embedded};
use relayscope_domain::delivery::Rules;
use relayscope_domain::id::{BrokerId, RelayId, TokenId};
use relayscope_domain::message::Qos;
use relayscope_domain::relay::{Mapping, Relay};
use relayscope_domain::token::{Permission, Region, Token, TokenKind};
use serde::{Deserialize, Serialize};

/// What the demo made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DemoRecord {
    pub(crate) running: bool,
    pub(crate) broker_id: BrokerId,
    pub(crate) relay_id: RelayId,
    /// Climate, counter, camera.
    pub(crate) devices: Vec<TokenId>,
    pub(crate) network: TokenId,
    pub(crate) authorization: TokenId,
}

const KEY: &str = "demo";
const PORT: u16 = 1883;
const DEVICES: [&str; 3] = ["climate-01", "counter-02", "frame-03"];

impl DemoRecord {
    pub(crate) fn status(record: Option<&Self>, runtime: &Runtime) -> DemoStatus {
        DemoStatus {
            present: record.is_some(),
            running: record.is_some_and(|record| record.running),
            relay_id: record.map(|record| record.relay_id),
            address: record.and_then(|record| runtime.broker(record.broker_id)).map(|at| at.address.to_string()),
        }
    }
}

impl Engine {
    /// Makes the demo, or starts it again.
    pub(crate) async fn demo_start(&self) -> Result<DemoStatus, ChangeError> {
        let record = match self.store.value::<DemoRecord>(KEY).await? {
            // Somebody may have deleted part of it by hand.
            Some(record) if self.store.relay(record.relay_id).await.is_ok() => {
                self.demo_switch(record.clone(), true).await?;
                record
            }
            Some(record) => {
                self.demo_forget(&record).await?;
                self.demo_make().await?
            }
            None => self.demo_make().await?,
        };
        let record = DemoRecord { running: true, ..record };
        Ok(DemoRecord::status(Some(&record), &self.runtime))
    }

    /// Stops its devices, its relay and its broker.
    pub(crate) async fn demo_stop(&self) -> Result<DemoStatus, ChangeError> {
        let record = self.store.value::<DemoRecord>(KEY).await?;
        if let Some(record) = record.clone() {
            self.demo_switch(record, false).await?;
        }
        let record = record.map(|record| DemoRecord { running: false, ..record });
        Ok(DemoRecord::status(record.as_ref(), &self.runtime))
    }

    /// Removes everything it made, its queue included. Values in the local stand-in stay.
    pub(crate) async fn demo_remove(&self) -> Result<(), ChangeError> {
        let Some(record) = self.store.value::<DemoRecord>(KEY).await? else { return Ok(()) };
        self.demo_forget(&record).await
    }

    async fn demo_forget(&self, record: &DemoRecord) -> Result<(), ChangeError> {
        self.store.set_value(KEY, None::<&DemoRecord>).await?;
        ignore_missing(self.delete_relay(record.relay_id).await)?;
        for id in record.devices.iter().chain([&record.network, &record.authorization]) {
            ignore_missing(self.delete_token(*id).await)?;
        }
        ignore_missing(self.delete_broker(record.broker_id).await)
    }

    async fn demo_switch(&self, record: DemoRecord, running: bool) -> Result<(), ChangeError> {
        let mut broker = self.store.broker(record.broker_id).await?;
        if let BrokerSpec::Embedded(embedded) = &mut broker.spec {
            embedded.enabled = running;
        }
        let secrets = self.store.broker_secrets(record.broker_id).await?;
        let relay = record.relay_id;
        // The devices go first and come last, so that what they publish finds its relay.
        if running {
            self.store.save_broker(&broker, &secrets).await?;
            self.store.enable_relay(relay, true).await?;
            self.store.set_value(KEY, Some(&DemoRecord { running, ..record })).await?;
        } else {
            self.store.set_value(KEY, Some(&DemoRecord { running, ..record })).await?;
            self.store.enable_relay(relay, false).await?;
            self.until_relay_stopped(relay).await;
            self.store.save_broker(&broker, &secrets).await?;
        }
        Ok(())
    }

    async fn demo_make(&self) -> Result<DemoRecord, ChangeError> {
        let brokers = self.store.brokers().await?;
        let name = free_name("Demo broker", |name| brokers.iter().any(|broker| broker.name.eq_ignore_ascii_case(name)));
        let spec = BrokerSpec::Embedded(Embedded { port: PORT, ..Embedded::default() });
        let broker = Broker { id: BrokerId(uuid::Uuid::new_v4()), name, spec };
        self.store.save_broker(&broker, &BrokerSecrets::default()).await?;
        let network = self.demo_token(TokenKind::Network, "Demo network", None).await?;
        let authorization = self.demo_token(TokenKind::Authorization, "Demo authorization", None).await?;
        let mut devices = vec![];
        for device in DEVICES {
            devices.push(self.demo_token(TokenKind::Device, device, Some(device)).await?);
        }
        let relays = self.store.relays().await?;
        let relay = Relay {
            id: RelayId(uuid::Uuid::new_v4()),
            name: free_name("Demo", |name| relays.iter().any(|relay| relay.name.eq_ignore_ascii_case(name))),
            broker_id: broker.id,
            mappings: vec![Mapping { filter: "demo/#".into(), qos: Qos::AtLeastOnce, enabled: true }],
            region: Region::Local,
            network_token_id: network,
            authorization_id: authorization,
            downlink_port: None,
            rules: Rules::default(),
            enabled: true,
        };
        self.store.save_relay(&relay).await?;
        let record =
            DemoRecord { running: true, broker_id: broker.id, relay_id: relay.id, devices, network, authorization };
        self.store.set_value(KEY, Some(&record)).await?;
        Ok(record)
    }

    async fn demo_token(&self, kind: TokenKind, name: &str, serial: Option<&str>) -> Result<TokenId, StoreError> {
        let tokens = self.store.tokens().await?;
        let taken = |name: &str| tokens.iter().any(|token| token.kind == kind && token.name.eq_ignore_ascii_case(name));
        let value = secrets::generate_token(kind);
        let token = Token {
            id: TokenId(uuid::Uuid::new_v4()),
            name: free_name(name, taken),
            kind,
            region: Region::Local,
            last5: value.last5(),
            serial: serial.map(str::to_owned),
            permission: Permission::Full,
            expires_at: None,
            created_at: crate::feed::unix_millis(std::time::SystemTime::now()),
            last_used_at: None,
        };
        self.store.save_token(&token, &value).await?;
        Ok(token.id)
    }
}

fn ignore_missing(result: Result<(), ChangeError>) -> Result<(), ChangeError> {
    match result {
        Err(ChangeError::Store(StoreError::NotFound)) => Ok(()),
        // Somebody made use of it: it is theirs now.
        Err(ChangeError::InUse(_)) => Ok(()),
        other => other,
    }
}

/// `base`, or `base 2`, `base 3` … when it is taken.
pub(super) fn free_name(base: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(base) {
        return base.to_owned();
    }
    (2..).map(|number| format!("{base} {number}")).find(|name| !taken(name)).unwrap_or_else(|| base.to_owned())
}
