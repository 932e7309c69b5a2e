//! Commands about the HTTP endpoint and downlinks.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::endpoint::test as hops;
use crate::runtime::UnitKey;
use relayscope_domain::endpoint::EndpointDraft;
use relayscope_domain::topic;

pub(super) async fn get(engine: &Engine, (): Nothing) -> Result<EndpointView, ApiError> {
    Ok(engine.endpoint_view().await?)
}

pub(super) async fn save(engine: &Engine, draft: EndpointDraft) -> Result<EndpointView, ApiError> {
    Ok(engine.save_endpoint(&draft).await?)
}

/// A person asked to see the token.
pub(super) async fn reveal(engine: &Engine, (): Nothing) -> Result<Revealed, ApiError> {
    match engine.store.endpoint().await?.secrets.token {
        Some(token) => Ok(Revealed { value: token.expose().to_owned() }),
        None => Err(error::failed("There is no token: the endpoint does not ask for one.")),
    }
}

pub(super) async fn renew_certificate(engine: &Engine, (): Nothing) -> Result<EndpointView, ApiError> {
    Ok(engine.renew_endpoint_certificate().await?)
}

pub(super) async fn downlink(engine: &Engine, request: RelayRequest) -> Result<DownlinkView, ApiError> {
    Ok(engine.downlink_view(request.id).await?)
}

/// Walks the way of a downlink over the real socket.
pub(super) async fn test(engine: &Engine, request: EndpointTestRequest) -> Result<EndpointTestReport, ApiError> {
    let EndpointTestRequest { relay_id, topic } = request;
    if let Err(message) = topic::check_topic(&topic) {
        return Err(crate::configuration::ChangeError::at("topic", message).into());
    }
    let relay = engine.store.relay(relay_id).await?;
    let record = engine.store.endpoint().await?;
    let Some(port) = relay.downlink_port else {
        return Err(error::failed("This relay has no downlink port; enter one and save the relay."));
    };
    let listening = engine.runtime.endpoint(port);
    let status = engine.runtime.status(UnitKey::Endpoint(port));
    Ok(hops::run(listening, &status, &record, relay_id, &topic).await)
}
