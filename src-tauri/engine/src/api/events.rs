//! Commands that look: the feed, the stand-in's bucket, status.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::status;

pub(super) async fn status(engine: &Engine, (): Nothing) -> Result<StatusSnapshot, ApiError> {
    let mut rates = status::Rates::default();
    let folder = &engine.data_dir;
    Ok(status::snapshot(&engine.store, &engine.queue, &engine.feed, &engine.runtime, folder, &mut rates).await?)
}

pub(super) async fn open(engine: &Engine, request: ViewRequest) -> Result<ViewFrame, ApiError> {
    Ok(engine.feed.open(request.view, &request.filter))
}

pub(super) async fn close(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    engine.feed.close(request.number);
    Ok(())
}

pub(super) async fn rows(engine: &Engine, request: RowsRequest) -> Result<Rows, ApiError> {
    let rows = engine.feed.rows(request.view, request.from as usize, request.count.min(1_000) as usize);
    rows.ok_or_else(|| error::not_found("view"))
}

pub(super) async fn pause(engine: &Engine, request: PauseRequest) -> Result<ViewFrame, ApiError> {
    engine.feed.pause(request.view, request.paused).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn clear(engine: &Engine, request: NumberRequest) -> Result<ViewFrame, ApiError> {
    engine.feed.clear(request.number).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn event(engine: &Engine, request: EventRequest) -> Result<EventDetail, ApiError> {
    engine.feed.event(request.seq).ok_or_else(|| {
        error::failed("This event is no longer kept: newer ones took its place in the memory budget (Settings).")
    })
}

pub(super) async fn bucket_devices(engine: &Engine, (): Nothing) -> Result<Vec<BucketDevice>, ApiError> {
    match engine.runtime.platform() {
        Some(platform) => Ok(platform.devices().await?),
        None => Ok(vec![]),
    }
}

pub(super) async fn bucket_rows(engine: &Engine, request: BucketRequest) -> Result<BucketRows, ApiError> {
    match engine.runtime.platform() {
        Some(platform) => Ok(platform.rows(&request.serial, request.from, request.count).await?),
        None => Ok(BucketRows { total: 0, rows: vec![] }),
    }
}
