//! Commands for forms of listeners.

use super::wire::*;
use crate::Engine;
use relayscope_domain::broker::{LimitsChoice, listening_at};
use relayscope_domain::listener::LimitPreset;

pub(super) async fn presets(_engine: &Engine, (): Nothing) -> Result<Vec<PresetLines>, ApiError> {
    let lines = |preset: LimitPreset| PresetLines { choice: LimitsChoice::of(preset), lines: preset.words() };
    Ok(LimitPreset::ALL.map(lines).to_vec())
}

pub(super) async fn port(engine: &Engine, request: PortRequest) -> Result<PortLook, ApiError> {
    let PortRequest { broker_id, tap_id, listen, address, port } = request;
    let refusal = match listening_at(listen, &address, &port) {
        Some(address) => engine.port_refusal(address, broker_id, tap_id).await?,
        None => None,
    };
    Ok(match refusal {
        Some(refusal) => PortLook { problem: Some(refusal.sentence()), free: refusal.free },
        None => PortLook { problem: None, free: None },
    })
}
