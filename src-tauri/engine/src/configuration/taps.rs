//! Taps: drafts to saved values and back, and what has to fit together.

use super::brokers::joined;
use super::listeners::check_one;
use super::{ChangeError, unix_seconds};
use crate::Engine;
use crate::api::wire::TapView;
use crate::store::StoreError;
use relayscope_domain::broker::{BrokerSpec, LimitsDraft, ListenerDraft, Transport, default_listener};
use relayscope_domain::endpoint::Listen;
use relayscope_domain::id::{BrokerId, ListenerId, TapId};
use relayscope_domain::problem::Problems;
use relayscope_domain::tap::{self, Tap, TapDraft};
use std::net::SocketAddr;

/// The port next to the usual one, which the broker behind it often has.
const PORT: u16 = 1884;

impl Engine {
    /// A new tap's form: plain TCP on this computer.
    pub(crate) fn blank_tap(&self) -> TapDraft {
        let listener = default_listener(ListenerId(uuid::Uuid::new_v4()));
        TapDraft {
            id: None,
            name: String::new(),
            broker_id: None,
            listener: ListenerDraft {
                transport: Transport::Tcp,
                listen: Listen::Loopback,
                port: PORT.to_string(),
                ..listener
            },
            proxy: false,
            limits: LimitsDraft::of(&Default::default()),
            enabled: true,
        }
    }

    /// All taps as lists and forms need them.
    pub(crate) async fn tap_views(&self) -> Result<Vec<TapView>, StoreError> {
        let brokers = self.store.brokers().await?;
        let view = |tap: Tap| {
            let broker = brokers.iter().find(|broker| broker.id == tap.broker_id);
            TapView {
                draft: TapDraft::of(&tap),
                broker_name: broker.map(|broker| broker.name.clone()).unwrap_or_default(),
                tap,
            }
        };
        Ok(self.store.taps().await?.into_iter().map(view).collect())
    }

    /// Saves a draft.
    pub(crate) async fn save_tap(&self, draft: &TapDraft) -> Result<TapView, ChangeError> {
        let id = draft.id.unwrap_or_else(|| TapId(uuid::Uuid::new_v4()));
        let stored = match draft.id {
            Some(id) => self.store.tap_key(id).await?,
            None => None,
        };
        let tap = tap::check(draft, id, unix_seconds(), stored.is_some()).map_err(ChangeError::Invalid)?;
        let key = joined(&draft.listener.key, stored).filter(|_| tap.listener.transport.is_tls());
        let mut problems = Problems::default();
        check_one(&tap.listener, key.as_ref(), "listener", &mut problems);
        self.check_tap_target(tap.broker_id, &tap, &mut problems).await?;
        self.check_tap_port(&tap, &mut problems).await?;
        problems.finish(()).map_err(ChangeError::Invalid)?;
        self.store.save_tap(&tap, key.as_ref()).await?;
        let broker_name = self.store.broker(tap.broker_id).await?.name;
        Ok(TapView { draft: TapDraft::of(&tap), broker_name, tap })
    }

    async fn check_tap_target(&self, id: BrokerId, tap: &Tap, problems: &mut Problems) -> Result<(), StoreError> {
        match self.store.broker(id).await {
            Err(StoreError::NotFound) => {
                problems.add("brokerId", "This broker was deleted meanwhile; choose another.");
            }
            Err(other) => return Err(other),
            Ok(broker) => match broker.spec {
                BrokerSpec::Embedded(_) => {
                    problems.add("brokerId", "The embedded broker shows its clients by itself; choose another.");
                }
                BrokerSpec::External(connection) => {
                    let here = matches!(connection.host.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]");
                    if here && connection.port == tap.listener.port {
                        let port = connection.port;
                        problems.add("listener.port", format!("Port {port} is the broker's own; choose another."));
                    }
                }
            },
        }
        Ok(())
    }

    async fn check_tap_port(&self, tap: &Tap, problems: &mut Problems) -> Result<(), StoreError> {
        if !problems.is_empty() {
            return Ok(());
        }
        let address = SocketAddr::new(tap.listener.address, tap.listener.port);
        let refusal = match tap.enabled {
            true => self.port_refusal(address, None, Some(tap.id)).await?,
            false => self.configured_refusal(address, None, Some(tap.id)).await?,
        };
        if let Some(refusal) = refusal {
            problems.add("listener.port", refusal.sentence());
        }
        Ok(())
    }
}
