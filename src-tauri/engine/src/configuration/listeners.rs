//! Listeners of an embedded broker: their keys, and what only the TLS library or the other brokers can say of them.

use super::ChangeError;
use super::brokers::joined;
use crate::Engine;
use crate::front::{self, ListenerTlsError};
use crate::store::StoreError;
use relayscope_domain::broker::{BrokerDraft, BrokerSpec, Embedded};
use relayscope_domain::id::{BrokerId, ListenerId, TapId};
use relayscope_domain::listener::Listener;
use relayscope_domain::problem::Problems;
use relayscope_domain::secret::Secret;
use std::collections::BTreeMap;

/// The keys of the TLS listeners, from the form or as stored; keys of others go.
pub(super) fn keys(
    draft: &BrokerDraft,
    embedded: &Embedded,
    mut stored: BTreeMap<ListenerId, Secret>,
) -> BTreeMap<ListenerId, Secret> {
    let tls = embedded.listeners.iter().filter(|listener| listener.transport.is_tls());
    tls.filter_map(|listener| {
        let form = draft.inside.listeners.iter().find(|form| form.id == listener.id)?;
        Some((listener.id, joined(&form.key, stored.remove(&listener.id))?))
    })
    .collect()
}

/// Whether TLS can be spoken with what was chosen: every problem at its field.
pub(super) fn check(embedded: &Embedded, keys: &BTreeMap<ListenerId, Secret>) -> Result<(), ChangeError> {
    let mut problems = Problems::default();
    for (at, listener) in embedded.listeners.iter().enumerate() {
        check_one(listener, keys.get(&listener.id), &format!("inside.listeners.{at}"), &mut problems);
    }
    problems.finish(()).map_err(ChangeError::Invalid)
}

/// As [`check`], for the listener whose fields lie at `path`.
pub(super) fn check_one(listener: &Listener, key: Option<&Secret>, path: &str, problems: &mut Problems) {
    if let Err(error) = front::listen(listener, key) {
        let field = match &error {
            ListenerTlsError::Certificate(_) | ListenerTlsError::Rustls(_) => "certificate",
            ListenerTlsError::Key(_) | ListenerTlsError::KeyMismatch => "key",
            ListenerTlsError::ClientCa(_) => "clientCa",
        };
        problems.add(format!("{path}.{field}"), crate::causes::chain(&error));
    }
}

impl Engine {
    /// No two embedded brokers, no tap and no downlink can share a port.
    pub(super) async fn refuse_taken_ports(&self, id: BrokerId, embedded: &Embedded) -> Result<(), ChangeError> {
        let taken = self.taken_ports(Some(id), None).await?;
        let mut problems = Problems::default();
        let own = embedded.listeners.iter().enumerate();
        let own = own.map(|(at, listener)| (format!("inside.listeners.{at}.port"), listener.port));
        for (field, port) in own.chain([("port".to_owned(), embedded.port)]) {
            if let Some((_, by)) = taken.iter().find(|(other, _)| *other == port) {
                problems.add(field, format!("Port {port} is taken by {by}; choose another."));
            }
        }
        problems.finish(()).map_err(ChangeError::Invalid)
    }

    /// Ports of everything but a broker and a tap, and whose they are.
    pub(super) async fn taken_ports(
        &self,
        broker: Option<BrokerId>,
        tap: Option<TapId>,
    ) -> Result<Vec<(u16, String)>, StoreError> {
        let mut taken = vec![];
        for other in self.store.taps().await?.into_iter().filter(|other| Some(other.id) != tap) {
            taken.push((other.listener.port, format!("the tap “{}”", other.name)));
        }
        for broker in self.store.brokers().await?.into_iter().filter(|other| Some(other.id) != broker) {
            if let BrokerSpec::Embedded(embedded) = &broker.spec {
                let ports = embedded.listeners.iter().map(|listener| listener.port);
                taken.extend(ports.map(|port| (port, format!("the broker “{}”", broker.name))));
            }
        }
        for relay in self.store.relays().await? {
            taken.extend(relay.downlink_port.map(|port| (port, format!("the downlink of “{}”", relay.name))));
        }
        Ok(taken)
    }
}
