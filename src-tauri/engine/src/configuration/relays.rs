//! Relays: drafts to saved values and back, and what has to fit together.

use super::{ChangeError, problem};
use crate::Engine;
use crate::api::wire::{Grant, RelayView, Tone};
use crate::store::StoreError;
use relayscope_domain::delivery::{Rules, RulesDraft};
use relayscope_domain::id::{RelayId, TokenId};
use relayscope_domain::message::Qos;
use relayscope_domain::problem::{Problem, Problems};
use relayscope_domain::relay::{self, Mapping, Relay, RelayDraft};
use relayscope_domain::settings::Settings;
use relayscope_domain::token::{Region, TokenKind};

impl Engine {
    /// A new relay's form.
    pub(crate) fn blank_relay(&self) -> RelayDraft {
        RelayDraft {
            id: None,
            name: String::new(),
            broker_id: None,
            mappings: vec![Mapping { filter: String::new(), qos: Qos::AtLeastOnce, enabled: true }],
            region: Region::UsE1,
            network_token_id: None,
            authorization_id: None,
            downlink_port: String::new(),
            rules: RulesDraft::default(),
            enabled: true,
        }
    }

    /// All relays as lists and editors need them.
    pub(crate) async fn relay_views(&self) -> Result<Vec<RelayView>, StoreError> {
        Ok(self.store.relays().await?.into_iter().map(|relay| self.relay_view(relay)).collect())
    }

    fn relay_view(&self, relay: Relay) -> RelayView {
        let session = self.runtime.relay(relay.id).map(|at| at.handles.session.borrow().clone());
        let grants = session.map(|session| session.grants).unwrap_or_default();
        let grants = grants
            .into_iter()
            .map(|(filter, granted)| match granted {
                Ok(qos) => Grant {
                    filter: filter.to_string(),
                    words: format!("granted QoS {}", u8::from(qos)),
                    tone: Tone::Ok,
                },
                Err(reason) => {
                    Grant { filter: filter.to_string(), words: format!("refused: {reason}"), tone: Tone::Bad }
                }
            })
            .collect();
        let draft = RelayDraft {
            id: Some(relay.id),
            name: relay.name.clone(),
            broker_id: Some(relay.broker_id),
            mappings: relay.mappings.clone(),
            region: relay.region.clone(),
            network_token_id: Some(relay.network_token_id),
            authorization_id: Some(relay.authorization_id),
            downlink_port: relay.downlink_port.map(|port| port.to_string()).unwrap_or_default(),
            rules: (&relay.rules).into(),
            enabled: relay.enabled,
        };
        RelayView { relay, draft, grants }
    }

    /// Saves a draft.
    pub(crate) async fn save_relay(&self, draft: &RelayDraft) -> Result<RelayView, ChangeError> {
        let id = draft.id.unwrap_or_else(|| RelayId(uuid::Uuid::new_v4()));
        let relay = match relay::check(draft, id) {
            Ok(relay) => relay,
            Err(mut problems) => {
                problems.extend(self.misfits(&draft.region, draft.network_token_id, draft.authorization_id).await?);
                return Err(ChangeError::Invalid(problems));
            }
        };
        let mut misfits =
            self.misfits(&relay.region, Some(relay.network_token_id), Some(relay.authorization_id)).await?;
        misfits.extend(too_small(&relay.rules, &self.store.settings().await?));
        if !misfits.is_empty() {
            return Err(ChangeError::Invalid(misfits));
        }
        if self.store.broker(relay.broker_id).await.is_err() {
            return Err(problem("brokerId", "This broker was deleted meanwhile; choose another."));
        }
        self.store.save_relay(&relay).await?;
        Ok(self.relay_view(relay))
    }

    /// Tokens must be there, of the right kind, and of the relay's region.
    async fn misfits(
        &self,
        region: &Region,
        network: Option<TokenId>,
        authorization: Option<TokenId>,
    ) -> Result<Vec<Problem>, StoreError> {
        let tokens = self.store.tokens().await?;
        let mut problems = Problems::default();
        let wanted = [
            ("networkTokenId", network, TokenKind::Network),
            ("authorizationId", authorization, TokenKind::Authorization),
        ];
        for (field, id, kind) in wanted {
            let Some(id) = id else { continue };
            match tokens.iter().find(|token| token.id == id) {
                None => problems.add(field, "This token was deleted meanwhile; choose another."),
                Some(token) if token.kind != kind => {
                    problems.add(
                        field,
                        format!("“{}” is a {}; choose a {}.", token.name, token.kind.words(), kind.words()),
                    );
                }
                Some(token) if token.region != *region => problems.add(
                    field,
                    format!(
                        "“{}” is for {}; this relay sends to {}.",
                        token.name,
                        token.region.words(),
                        region.words()
                    ),
                ),
                Some(_) => {}
            }
        }
        Ok(problems.into_vec())
    }

    /// Deletes a relay, its queue and its dead letters, once it has stopped.
    pub(crate) async fn delete_relay(&self, id: RelayId) -> Result<(), ChangeError> {
        self.store.delete_relay(id).await?;
        self.until_relay_stopped(id).await;
        if let Err(error) = self.queue.forget(id).await {
            tracing::warn!(%error, relay = %id, "The queue of a deleted relay could not be cleared.");
        }
        self.runtime.forget_meter(id);
        Ok(())
    }

    /// Pauses or resumes a relay's delivery, now and after the next start.
    pub(crate) async fn pause_delivery(&self, id: RelayId, paused: bool) -> Result<(), StoreError> {
        self.store.relay(id).await?;
        self.store.set_value_quietly(&paused_key(id), &paused).await?;
        self.runtime.meter(id).pause(paused);
        Ok(())
    }

    /// Waits, for ten seconds at most, until nothing of the relay runs.
    pub(crate) async fn until_relay_stopped(&self, id: RelayId) {
        let gone = async {
            while self.runtime.relay(id).is_some() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), gone).await;
    }
}

/// Where it is kept whether a relay's delivery is paused.
pub(crate) fn paused_key(id: RelayId) -> String {
    format!("paused/{id}")
}

/// A budget below one message would stop the relay for ever.
fn too_small(rules: &Rules, settings: &Settings) -> Option<Problem> {
    (rules.queue_megabytes < settings.packet_megabytes).then(|| Problem {
        field: "rules.queueMegabytes".into(),
        message: format!(
            "One message may have {} megabytes (Settings); the queue's budget must hold at least one.",
            settings.packet_megabytes
        ),
    })
}
