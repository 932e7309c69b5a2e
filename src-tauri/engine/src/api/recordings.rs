//! Commands about exports, recordings and replays.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::recordings::{ExportError, ReplayError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) async fn folder(engine: &Engine, (): Nothing) -> Result<CaptureFolder, ApiError> {
    Ok(CaptureFolder { folder: engine.export_folder().display().to_string() })
}

pub(super) async fn export(engine: &Engine, request: CaptureRequest) -> Result<Exported, ApiError> {
    Ok(engine.export_events(&request).await?)
}

pub(super) async fn cancel(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    engine.runtime.recordings.cancel(request.number);
    Ok(())
}

pub(super) async fn begin(engine: &Engine, draft: RecordingDraft) -> Result<RecordingView, ApiError> {
    let begun = engine.runtime.recordings.begin(&draft.name, draft.size, engine.feed.usage().budget);
    let too_many = || error::failed("So many files were opened that no other can be: start Relayscope anew.");
    Ok(begun.ok_or_else(too_many)?.view())
}

pub(super) async fn add(engine: &Engine, part: RecordingPart) -> Result<RecordingView, ApiError> {
    let recording = engine.runtime.recordings.one(part.number).ok_or_else(|| error::not_found("recording"))?;
    let read = move || {
        let bytes = STANDARD.decode(&part.data).map_err(|error| format!("A part of the file is damaged: {error}."))?;
        recording.add(&bytes, part.last);
        Ok::<_, String>(recording.view())
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(|error| error::failed(error.to_string()))?;
    read.map_err(error::failed)
}

pub(super) async fn close(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    engine.runtime.recordings.close(request.number);
    Ok(())
}

pub(super) async fn plan(engine: &Engine, request: ReplayRequest) -> Result<ReplayPlan, ApiError> {
    Ok(engine.plan_replay(&request.of, request.broker_id).await?)
}

pub(super) async fn replay(engine: &Engine, request: ReplayStart) -> Result<ReplayProgress, ApiError> {
    Ok(engine.start_replay(&request).await?)
}

pub(super) async fn act(engine: &Engine, request: ReplayActRequest) -> Result<ReplayProgress, ApiError> {
    Ok(engine.act_on_replay(request.number, request.act)?)
}

pub(super) async fn progress(engine: &Engine, request: NumberRequest) -> Result<ReplayProgress, ApiError> {
    Ok(engine.replay_progress(request.number)?)
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        error::failed(error.to_string())
    }
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Session(error) => error.into(),
            other => error::failed(other.to_string()),
        }
    }
}
