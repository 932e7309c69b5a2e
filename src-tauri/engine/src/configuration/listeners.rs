//! Listeners: their keys, and what only the TLS library can say of them.

use super::ChangeError;
use super::brokers::joined;
use crate::front::{self, ListenerTlsError};
use relayscope_domain::broker::{BrokerDraft, Embedded};
use relayscope_domain::id::ListenerId;
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
