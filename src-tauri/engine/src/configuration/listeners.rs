//! Listeners of an embedded broker: their keys, and what only the TLS library or the other brokers can say of them.

use super::ChangeError;
use super::brokers::joined;
use crate::Engine;
use crate::broker::tls::{self, ListenerTlsError};
use crate::store::StoreError;
use relayscope_domain::broker::{BrokerDraft, BrokerSpec, Embedded};
use relayscope_domain::id::{BrokerId, ListenerId};
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
        if let Err(error) = tls::server(listener, keys.get(&listener.id)) {
            let field = match &error {
                ListenerTlsError::Certificate(_) | ListenerTlsError::Rustls(_) => "certificate",
                ListenerTlsError::Key(_) | ListenerTlsError::KeyMismatch => "key",
                ListenerTlsError::ClientCa(_) => "clientCa",
            };
            problems.add(format!("inside.listeners.{at}.{field}"), crate::causes::chain(&error));
        }
    }
    problems.finish(()).map_err(ChangeError::Invalid)
}

impl Engine {
    /// No two embedded brokers and no downlink can share a port.
    pub(super) async fn refuse_taken_ports(&self, id: BrokerId, embedded: &Embedded) -> Result<(), ChangeError> {
        let taken = self.taken_ports(id).await?;
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

    async fn taken_ports(&self, id: BrokerId) -> Result<Vec<(u16, String)>, StoreError> {
        let mut taken = vec![];
        for broker in self.store.brokers().await?.into_iter().filter(|broker| broker.id != id) {
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
