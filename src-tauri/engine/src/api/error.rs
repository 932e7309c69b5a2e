//! Failures of the engine as pages and command lines get them.

use super::wire::{ApiError, ErrorCode};
use crate::causes::chain;
use crate::configuration::ChangeError;
use crate::feed::history::HistoryError;
use crate::platform::PlatformError;
use crate::queue::QueueError;
use crate::store::StoreError;

pub(super) fn failed(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::Failed, message: message.into(), problems: vec![], users: vec![] }
}

pub(super) fn not_found(what: &str) -> ApiError {
    ApiError { code: ErrorCode::NotFound, ..failed(format!("The {what} was deleted meanwhile.")) }
}

pub(super) fn malformed(name: &str, error: &serde_json::Error) -> ApiError {
    failed(format!("The call {name} is malformed: {error}."))
}

pub(super) fn unknown(name: &str) -> ApiError {
    failed(format!("There is no command {name}."))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self { code: ErrorCode::NotFound, ..failed("It was deleted meanwhile.") },
            other => failed(chain(&other)),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let message = error.to_string();
        match error {
            ChangeError::Invalid(problems) => Self { code: ErrorCode::Invalid, problems, ..failed(message) },
            ChangeError::InUse(users) => Self { code: ErrorCode::InUse, users, ..failed(message) },
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        failed(chain(&error))
    }
}

impl From<PlatformError> for ApiError {
    fn from(error: PlatformError) -> Self {
        failed(chain(&error))
    }
}

impl From<HistoryError> for ApiError {
    fn from(error: HistoryError) -> Self {
        failed(chain(&error))
    }
}
