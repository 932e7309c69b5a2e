//! Ports: whether what is configured, or another program, stands in the way of a listener.

use super::ChangeError;
use crate::Engine;
use crate::bind::{Refusal, bind, free_port, refusal};
use crate::store::StoreError;
use relayscope_domain::broker::{BrokerSpec, Embedded};
use relayscope_domain::id::{BrokerId, TapId};
use relayscope_domain::problem::Problems;
use std::net::SocketAddr;

impl Engine {
    /// Every problem of a broker's ports at its field: no two embedded brokers, no tap and no downlink can share one, and
    /// what other programs have can't be had. The plain port makes way by itself.
    pub(super) async fn refuse_taken_ports(&self, id: BrokerId, embedded: &Embedded) -> Result<(), ChangeError> {
        let mut problems = Problems::default();
        for (at, listener) in embedded.listeners.iter().enumerate() {
            let address = SocketAddr::new(listener.address, listener.port);
            let refusal = match embedded.enabled {
                true => self.port_refusal(address, Some(id), None).await?,
                false => self.configured_refusal(address, Some(id), None).await?,
            };
            if let Some(refusal) = refusal {
                problems.add(format!("inside.listeners.{at}.port"), refusal.sentence());
            }
        }
        let taken = self.taken_ports(Some(id), None).await?;
        if let Some((port, by)) = taken.iter().find(|(port, _)| *port == embedded.port) {
            problems.add("port", format!("Port {port} is taken by {by}; choose another."));
        }
        problems.finish(()).map_err(ChangeError::Invalid)
    }

    /// Why a listener of this broker or tap can't have an address; what that has now counts as free.
    pub(crate) async fn port_refusal(
        &self,
        address: SocketAddr,
        broker: Option<BrokerId>,
        tap: Option<TapId>,
    ) -> Result<Option<Refusal>, StoreError> {
        if let Some(refusal) = self.configured_refusal(address, broker, tap).await? {
            return Ok(Some(refusal));
        }
        let own = broker.and_then(|id| self.runtime.broker(id)).is_some_and(|at| at.broker.has_port(address.port()))
            || tap.and_then(|id| self.runtime.tap(id)).is_some_and(|at| at.address.port() == address.port());
        if own {
            return Ok(None);
        }
        match bind(address.ip(), address.port()).await {
            Ok(_) => Ok(None),
            Err(error) => Ok(Some(refusal(address, &error).await)),
        }
    }

    /// Why it can't, by what is configured.
    pub(super) async fn configured_refusal(
        &self,
        address: SocketAddr,
        broker: Option<BrokerId>,
        tap: Option<TapId>,
    ) -> Result<Option<Refusal>, StoreError> {
        let port = address.port();
        let taken = self.taken_ports(broker, tap).await?;
        let Some((_, by)) = taken.iter().find(|(other, _)| *other == port) else { return Ok(None) };
        let free = free_port(address).await.filter(|free| taken.iter().all(|(other, _)| other != free));
        let more = free.map_or_else(|| "choose another".to_owned(), |free| format!("{free} is free"));
        Ok(Some(Refusal { words: format!("port {port} is taken by {by}; {more}"), free }))
    }

    /// Ports of everything but a broker and a tap, and whose they are.
    async fn taken_ports(
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
