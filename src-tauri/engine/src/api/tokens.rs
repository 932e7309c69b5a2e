//! Commands about tokens.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::destination::verify as check;
use crate::feed::unix_millis;
use relayscope_domain::token::{Region, TokenDraft};
use std::time::SystemTime;

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<TokenView>, ApiError> {
    Ok(engine.token_views().await?)
}

pub(super) async fn save(engine: &Engine, draft: TokenDraft) -> Result<TokenView, ApiError> {
    Ok(engine.save_token(&draft).await?)
}

pub(super) async fn delete(engine: &Engine, request: TokenRequest) -> Result<Nothing, ApiError> {
    Ok(engine.delete_token(request.id).await?)
}

/// The one way a secret leaves the engine: a person asked to see it.
pub(super) async fn reveal(engine: &Engine, request: TokenRequest) -> Result<Revealed, ApiError> {
    Ok(Revealed { value: engine.store.token(request.id).await?.value.expose().to_owned() })
}

pub(super) async fn verify(engine: &Engine, request: TokenRequest) -> Result<VerifyReport, ApiError> {
    let stored = engine.store.token(request.id).await?;
    let url = match stored.token.region.url() {
        Some(url) => url,
        None => match engine.runtime.platform() {
            Some(platform) => platform.url(),
            None => {
                return Err(error::failed(
                    "The local stand-in does not run yet: it starts with the first relay that delivers to it.",
                ));
            }
        },
    };
    let others = match stored.token.region {
        Region::Local | Region::Own { .. } => vec![],
        ref region => check::other_regions(region),
    };
    let report = check::verify(&engine.http, &url, stored.token.kind, &stored.value, &others).await;
    if report.outcome == VerifyOutcome::Ok {
        engine.store.touch_tokens(&[(request.id, unix_millis(SystemTime::now()))]).await?;
    }
    Ok(report)
}
