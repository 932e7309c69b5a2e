//! Configuration from the official relay's file, added to what is there or in its place; and back into such a file.

use super::ChangeError;
use super::demo::free_name;
use crate::Engine;
use crate::store::StoreError;
use relayscope_domain::broker::{Broker, BrokerSpec};
use relayscope_domain::delivery::Rules;
use relayscope_domain::id::{BrokerId, RelayId, TokenId};
use relayscope_domain::import::{Imported, ImportedRelay};
use relayscope_domain::relay::Relay;
use relayscope_domain::secret::Secret;
use relayscope_domain::token::{Permission, Region, Token, TokenKind};
use std::collections::HashSet;
use uuid::Uuid;

// Ids of a replaced configuration come from its names, so that a restart finds its queue again.
const NAMESPACE: Uuid = Uuid::from_u128(0x5e1a_75c0_9e11_4a3b_8f6d_2d7e_1c0b_a94f);

impl Engine {
    /// Adds brokers, tokens and relays of a file. What is there already, equal but for its name, is used again.
    pub(crate) async fn add(&self, imported: &Imported) -> Result<(), ChangeError> {
        for relay in &imported.relays {
            let broker_id = self.broker_for(relay).await?;
            let network = self.token_for(TokenKind::Network, &relay.name, &relay.region, &relay.network_token).await?;
            let authorization =
                self.token_for(TokenKind::Authorization, &relay.name, &relay.region, &relay.authorization).await?;
            let relays = self.store.relays().await?;
            let name = free_name(&relay.name, |name| relays.iter().any(|other| other.name.eq_ignore_ascii_case(name)));
            let id = RelayId(Uuid::new_v4());
            self.store.save_relay(&relay_of(relay, id, name, broker_id, network, authorization)).await?;
        }
        Ok(())
    }

    async fn broker_for(&self, relay: &ImportedRelay) -> Result<BrokerId, StoreError> {
        let spec = BrokerSpec::External(Box::new(relay.connection.clone()));
        let brokers = self.store.brokers().await?;
        for broker in brokers.iter().filter(|broker| broker.spec == spec) {
            if self.store.broker_secrets(broker.id).await? == relay.secrets {
                return Ok(broker.id);
            }
        }
        let taken = |name: &str| brokers.iter().any(|broker| broker.name.eq_ignore_ascii_case(name));
        let broker = Broker { id: BrokerId(Uuid::new_v4()), name: free_name(&relay.broker_name, taken), spec };
        self.store.save_broker(&broker, &relay.secrets).await?;
        Ok(broker.id)
    }

    async fn token_for(
        &self,
        kind: TokenKind,
        name: &str,
        region: &Region,
        value: &Secret,
    ) -> Result<TokenId, StoreError> {
        let tokens = self.store.tokens_with_values().await?;
        let same = |stored: &&crate::store::StoredToken| {
            stored.token.kind == kind && stored.token.region == *region && stored.value == *value
        };
        if let Some(stored) = tokens.iter().find(same) {
            return Ok(stored.token.id);
        }
        let taken = |name: &str| {
            tokens.iter().any(|stored| stored.token.kind == kind && stored.token.name.eq_ignore_ascii_case(name))
        };
        let token = token_of(TokenId(Uuid::new_v4()), kind, free_name(name, taken), region, value);
        self.store.save_token(&token, value).await?;
        Ok(token.id)
    }

    /// Makes the whole configuration equal to a file. Ids come from names, so that queues survive a restart with the same
    /// file; a relay that the file no longer has is removed, unless messages of it wait.
    pub(crate) async fn replace_with(&self, imported: &Imported) -> Result<(), ChangeError> {
        let id =
            |what: &str, name: &str| Uuid::new_v5(&NAMESPACE, format!("{what}/{}", name.to_lowercase()).as_bytes());
        let mut kept = HashSet::new();
        for relay in &imported.relays {
            let broker = Broker {
                id: BrokerId(id("broker", &relay.broker_name)),
                name: relay.broker_name.clone(),
                spec: BrokerSpec::External(Box::new(relay.connection.clone())),
            };
            self.store.save_broker(&broker, &relay.secrets).await?;
            let mut ids = vec![];
            for (kind, value) in
                [(TokenKind::Network, &relay.network_token), (TokenKind::Authorization, &relay.authorization)]
            {
                let token_id = TokenId(id(kind.words(), &relay.name));
                self.store
                    .save_token(&token_of(token_id, kind, relay.name.clone(), &relay.region, value), value)
                    .await?;
                ids.push(token_id);
            }
            let relay_id = RelayId(id("relay", &relay.name));
            kept.insert(relay_id);
            self.store.save_relay(&relay_of(relay, relay_id, relay.name.clone(), broker.id, ids[0], ids[1])).await?;
        }
        for relay in self.store.relays().await?.into_iter().filter(|relay| !kept.contains(&relay.id)) {
            let (waiting, _) = self.queue.count(relay.id).await.unwrap_or((1, 0));
            if waiting > 0 {
                tracing::warn!(relay = %relay.name, waiting, "A relay is no longer in the file; it is stopped, and what waits is kept.");
                self.store.enable_relay(relay.id, false).await?;
            } else {
                self.delete_relay(relay.id).await?;
            }
        }
        Ok(())
    }

    /// The relays with external brokers, secrets included, for a file.
    pub(crate) async fn exported(&self) -> Result<Vec<ImportedRelay>, ChangeError> {
        let mut relays = vec![];
        for relay in self.store.relays().await? {
            let broker = self.store.broker(relay.broker_id).await?;
            let BrokerSpec::External(connection) = broker.spec else { continue };
            relays.push(ImportedRelay {
                name: relay.name,
                broker_name: broker.name,
                connection: *connection,
                secrets: self.store.broker_secrets(broker.id).await?,
                mappings: relay.mappings,
                region: relay.region,
                network_token: self.store.token(relay.network_token_id).await?.value,
                authorization: self.store.token(relay.authorization_id).await?.value,
                downlink_port: relay.downlink_port,
                enabled: relay.enabled,
            });
        }
        Ok(relays)
    }
}

fn relay_of(
    imported: &ImportedRelay,
    id: RelayId,
    name: String,
    broker_id: BrokerId,
    network_token_id: TokenId,
    authorization_id: TokenId,
) -> Relay {
    Relay {
        id,
        name,
        broker_id,
        mappings: imported.mappings.clone(),
        region: imported.region.clone(),
        network_token_id,
        authorization_id,
        downlink_port: imported.downlink_port,
        rules: Rules::default(),
        enabled: imported.enabled,
    }
}

fn token_of(id: TokenId, kind: TokenKind, name: String, region: &Region, value: &Secret) -> Token {
    Token {
        id,
        name,
        kind,
        region: region.clone(),
        last5: value.last5(),
        serial: None,
        permission: Permission::Full,
        expires_at: None,
        created_at: crate::feed::unix_millis(std::time::SystemTime::now()),
        last_used_at: None,
    }
}
