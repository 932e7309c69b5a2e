//! The one command table (being written).
pub mod bindings;
pub mod wire;
use wire::{ApiError, ErrorCode};

/// Calls the command `name` with a JSON body.
pub async fn call(_engine: &crate::Engine, name: &str, _body: serde_json::Value) -> Result<serde_json::Value, ApiError> {
    Err(ApiError { code: ErrorCode::Failed, message: format!("{name} is not there yet"), problems: vec![], users: vec![] })
}

/// The page's TypeScript.
pub fn typescript() -> String {
    String::new()
}
