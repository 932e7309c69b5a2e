//! Commands about taps, their faults and what was found.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::configuration::ChangeError;
use crate::feed::unix_millis;
use crate::front::{ActiveFault, ConnectionInfo};
use crate::runtime::UnitKey;
use crate::tap::TapAt;
use relayscope_domain::fault;
use relayscope_domain::findings::Finding;
use relayscope_domain::id::TapId;
use relayscope_domain::message::MqttVersion;
use relayscope_domain::tap::TapDraft;

/// Clients of one answer.
const MOST: usize = 500;

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<TapView>, ApiError> {
    Ok(engine.tap_views().await?)
}

pub(super) async fn save(engine: &Engine, draft: TapDraft) -> Result<TapView, ApiError> {
    Ok(engine.save_tap(&draft).await?)
}

pub(super) async fn delete(engine: &Engine, request: TapRequest) -> Result<Nothing, ApiError> {
    Ok(engine.store.delete_tap(request.id).await?)
}

pub(super) async fn act(
    engine: &Engine,
    TapActionRequest { id, action }: TapActionRequest,
) -> Result<Nothing, ApiError> {
    engine.store.enable_tap(id, action != TapAction::Stop).await?;
    if action == TapAction::Restart {
        engine.runtime.restart(UnitKey::Tap(id));
    }
    Ok(())
}

pub(super) async fn live(engine: &Engine, request: TapRequest) -> Result<TapLive, ApiError> {
    let at = engine.runtime.tap(request.id);
    let clients = at.iter().flat_map(|at| at.connections.list()).take(MOST);
    let turned = at.as_ref().map(|at| at.turns.read()).unwrap_or_default();
    Ok(TapLive {
        running: at.is_some(),
        clients: clients.map(client).collect(),
        faults: at.iter().flat_map(TapAt::faults).map(view).collect(),
        refused: turned.refused,
        cut: turned.cut,
    })
}

pub(super) async fn press(engine: &Engine, request: FaultRequest) -> Result<Nothing, ApiError> {
    let (client, fault) = fault::check(&request.fault).map_err(ChangeError::Invalid)?;
    running(engine, request.id)?.press(fault, client);
    Ok(())
}

pub(super) async fn lift(engine: &Engine, request: LiftRequest) -> Result<Nothing, ApiError> {
    running(engine, request.id)?.lift(request.number);
    Ok(())
}

pub(super) async fn findings(engine: &Engine, request: FindingsRequest) -> Result<Vec<Finding>, ApiError> {
    Ok(engine.runtime.findings.of(request.source, &request.name))
}

fn running(engine: &Engine, id: TapId) -> Result<TapAt, ApiError> {
    engine.runtime.tap(id).ok_or_else(|| error::failed("This tap does not run. Start it first."))
}

fn client(info: ConnectionInfo) -> TapClient {
    TapClient {
        version: match info.version() {
            Some(MqttVersion::V5) => "5",
            Some(MqttVersion::V311) => "3.1.1",
            None if info.level.is_some() => "3.1",
            Some(MqttVersion::Auto) | None => "",
        }
        .to_owned(),
        id: info.id.number(),
        client_id: info.client_id,
        username: info.username,
        address: info.address.to_string(),
        since: unix_millis(info.since),
        messages_in: info.received.0,
        messages_out: info.sent.0,
        subscriptions: info.subscriptions.len() as u32,
    }
}

fn view(active: ActiveFault) -> FaultView {
    FaultView {
        number: active.number,
        words: active.fault.words(),
        client: active.client.unwrap_or_default(),
        since: unix_millis(active.since),
    }
}
