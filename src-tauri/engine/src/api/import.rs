//! Commands that take in files.

use super::error;
use super::wire::*;
use crate::Engine;

pub(super) async fn preview(engine: &Engine, request: ImportRequest) -> Result<ImportPreview, ApiError> {
    let _ = (engine, &request);
    Err(error::failed("Import is not there yet."))
}

pub(super) async fn apply(engine: &Engine, request: ImportRequest) -> Result<ImportPreview, ApiError> {
    preview(engine, request).await
}
