//! Commands about the inspector's sessions.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::inspect::SessionError;

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<SessionsFrame, ApiError> {
    Ok(engine.sessions().await?)
}

pub(super) async fn open(engine: &Engine, draft: SessionDraft) -> Result<SessionView, ApiError> {
    Ok(engine.open_session(&draft).await?)
}

pub(super) async fn add(engine: &Engine, request: SessionFilterRequest) -> Result<SessionView, ApiError> {
    Ok(engine.add_session_filter(&request).await?)
}

pub(super) async fn remove(engine: &Engine, request: SessionFilterRemoval) -> Result<SessionView, ApiError> {
    Ok(engine.remove_session_filter(request.number, &request.filter).await?)
}

pub(super) async fn close(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    Ok(engine.close_session(request.number)?)
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Invalid(error) => error.into(),
            error @ SessionError::Closed => Self { code: ErrorCode::NotFound, ..error::failed(error.to_string()) },
            error @ (SessionError::NoFilter
            | SessionError::TooMany
            | SessionError::Busy
            | SessionError::Replays
            | SessionError::Forgotten) => error::failed(error.to_string()),
        }
    }
}
