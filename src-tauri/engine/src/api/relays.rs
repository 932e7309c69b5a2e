//! Commands about relays, filters and the demo.

use super::wire::*;
use crate::Engine;
use crate::runtime::UnitKey;
use relayscope_domain::relay::RelayDraft;
use relayscope_domain::topic::{self, FilterCheck};

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<RelayView>, ApiError> {
    Ok(engine.relay_views().await?)
}

pub(super) async fn save(engine: &Engine, draft: RelayDraft) -> Result<RelayView, ApiError> {
    Ok(engine.save_relay(&draft).await?)
}

pub(super) async fn delete(engine: &Engine, request: RelayRequest) -> Result<Nothing, ApiError> {
    Ok(engine.delete_relay(request.id).await?)
}

pub(super) async fn act(engine: &Engine, request: RelayActionRequest) -> Result<Nothing, ApiError> {
    let RelayActionRequest { id, action } = request;
    match action {
        RelayAction::Start => engine.store.enable_relay(id, true).await?,
        RelayAction::Stop => engine.store.enable_relay(id, false).await?,
        RelayAction::Restart => {
            engine.store.enable_relay(id, true).await?;
            engine.runtime.restart(UnitKey::Relay(id));
        }
        RelayAction::Pause => engine.pause_delivery(id, true).await?,
        RelayAction::Resume => engine.pause_delivery(id, false).await?,
    }
    Ok(())
}

pub(super) async fn check_filter(_engine: &Engine, request: TextRequest) -> Result<FilterCheck, ApiError> {
    Ok(topic::explain(&request.text))
}

pub(super) async fn demo_start(engine: &Engine, (): Nothing) -> Result<DemoStatus, ApiError> {
    let status = engine.demo_start().await?;
    engine.welcome().await?;
    Ok(status)
}

pub(super) async fn demo_stop(engine: &Engine, (): Nothing) -> Result<DemoStatus, ApiError> {
    Ok(engine.demo_stop().await?)
}

pub(super) async fn demo_remove(engine: &Engine, (): Nothing) -> Result<Nothing, ApiError> {
    Ok(engine.demo_remove().await?)
}
