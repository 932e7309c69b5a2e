//! The HTTP server that TagoIO and mosquitto-go-auth call: `/publish`, `/status`, `/metrics`, `/auth`, `/superuser`,
//! `/acl`, with the routes, status codes and bodies of the official relay (tago-io/mqtt-relay).
//!
//! It listens on 127.0.0.1 in plain HTTP unless the settings say otherwise; beyond this computer it speaks TLS and answers
//! only whom it knows, or says loudly that it does not. `200` to `/publish` means that the broker acknowledged the message;
//! a broker that is away is `503` with `Retry-After`, one that does not answer in time is `504`. It knows relays by what the
//! registry offers of them. Slow senders are cut, and everything it keeps is bounded.

mod access;
mod answer;
mod auth;
mod cache;
mod desk;
mod limits;
mod linger;
mod listener;
mod metrics;
mod properties;
mod publish;
mod state;
pub(crate) mod test;
pub(crate) mod tls;
mod worded;
pub(crate) mod words;

pub use tls::EndpointTlsError;
pub(crate) use tls::own_address;

use crate::feed::Feed;
use crate::queue::Queue;
use crate::runtime::Runtime;
use crate::store::EndpointRecord;
use relayscope_domain::endpoint::EndpointAccess;
use relayscope_domain::id::RelayId;
use relayscope_domain::secret::Secret;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Why an endpoint does not run.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The port can't be listened on.
    #[error("failed to listen on {address} for downlinks; choose another downlink port in the relay")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// This computer does not have the address.
    #[error("failed to listen on {address} for downlinks: this computer has no such address; correct it in Settings")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A token is asked for, and there is none.
    #[error("The endpoint asks for a token, but none is stored; make one in Settings.")]
    NoToken,
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] EndpointTlsError),
}

/// A relay behind an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndpointRelay {
    pub(crate) id: RelayId,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) network_token: Option<Secret>,
}

/// Everything one endpoint depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EndpointPlan {
    pub(crate) record: EndpointRecord,
    pub(crate) relays: Vec<EndpointRelay>,
}

/// What an endpoint reaches of the engine.
pub(crate) struct Reach {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) queue: Queue,
    pub(crate) feed: Feed,
    pub(crate) http: reqwest::Client,
}

/// Serves the relays behind one port until `stop`.
pub(crate) async fn serve(
    port: u16,
    plan: EndpointPlan,
    reach: Reach,
    stop: CancellationToken,
) -> Result<(), EndpointError> {
    let tls = tls::server(&plan.record)?;
    let settings = &plan.record.settings;
    if settings.access == EndpointAccess::Bearer && plan.record.secrets.token.is_none() {
        return Err(EndpointError::NoToken);
    }
    let (listener, address) = listener::bind(settings.address, port).await?;
    if settings.is_unsafe() {
        tracing::warn!(%address, "{}", words::UNSAFE);
    }
    let (config, probe) = tls.map(|tls| (tls.config, tls.probe)).unzip();
    let at =
        crate::runtime::EndpointAt { address, url: settings.base_url(port, own_address()), probe: probe.flatten() };
    let runtime = reach.runtime.clone();
    let desk = Arc::new(desk::Desk::new(plan, reach));
    runtime.endpoint_runs(port, at);
    listener::accept(listener, config, desk, stop).await;
    Ok(())
}
