//! Commands that look: the feed, the stand-in's bucket, status.

use super::wire::*;
use super::{error, filters};
use crate::Engine;
use crate::status;
use std::time::{Duration, Instant};

pub(super) async fn status(engine: &Engine, (): Nothing) -> Result<StatusSnapshot, ApiError> {
    Ok(status::snapshot(&engine.world(), &mut status::Rates::default()).await?)
}

/// How long the first look at a new filter's rows may take; the rest is looked at while the page shows those.
pub const FIRST_LOOK: Duration = Duration::from_millis(50);

pub(super) async fn open(engine: &Engine, request: ViewRequest) -> Result<ViewOpened, ApiError> {
    let reading = filters::reading(&request.line);
    let Some(filter) = &reading.filter else { return Ok(ViewOpened { frame: None, reading }) };
    let feed = match (request.view, request.recording) {
        (Some(view), _) => engine.feed_of_view(view),
        (None, Some(recording)) => {
            engine.runtime.recordings.feed(recording).ok_or_else(|| error::not_found("recording"))?
        }
        (None, None) => engine.feed.clone(),
    };
    let view = feed.open(request.view, filter, request.look).view;
    let first_look = move || {
        let done = feed.look_behind(view, Some(Instant::now() + FIRST_LOOK));
        if !done {
            // Ends with the view, with its next filter, or when it has looked at everything.
            let feed = feed.clone();
            tokio::task::spawn_blocking(move || feed.look_behind(view, None));
        }
        feed.frame(view)
    };
    let frame = tokio::task::spawn_blocking(first_look).await.map_err(|error| error::failed(error.to_string()))?;
    Ok(ViewOpened { frame, reading })
}

pub(super) async fn close(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    engine.feed_of_view(request.number).close(request.number);
    Ok(())
}

pub(super) async fn rows(engine: &Engine, request: RowsRequest) -> Result<Rows, ApiError> {
    let RowsRequest { view, from, count, anchor } = request;
    let rows = engine.feed_of_view(view).rows(view, anchor, from as usize, count as usize);
    rows.ok_or_else(|| error::not_found("view"))
}

pub(super) async fn step(engine: &Engine, request: StepRequest) -> Result<Option<Stepped>, ApiError> {
    Ok(engine.feed_of_view(request.view).step(&request))
}

pub(super) async fn pause(engine: &Engine, request: PauseRequest) -> Result<ViewFrame, ApiError> {
    engine.feed_of_view(request.view).pause(request.view, request.paused).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn clear(engine: &Engine, request: NumberRequest) -> Result<ViewFrame, ApiError> {
    engine.feed_of_view(request.number).clear(request.number).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn rate(engine: &Engine, request: RateRequest) -> Result<RateChart, ApiError> {
    engine.feed_of_view(request.view).rate(&request).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn topics(engine: &Engine, request: TopicsRequest) -> Result<TopicRows, ApiError> {
    engine.feed_of_view(request.view).topics(&request).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn connections(engine: &Engine, request: ConnectionsRequest) -> Result<ConnectionRows, ApiError> {
    engine.feed_of_view(request.view).connections(&request).ok_or_else(|| error::not_found("view"))
}

pub(super) async fn connection_rows(engine: &Engine, request: ConnectionRowsRequest) -> Result<TitledRows, ApiError> {
    engine.feed_of_view(request.view).connection_rows(&request).ok_or_else(|| error::not_found("connection"))
}

pub(super) async fn event(engine: &Engine, request: EventRequest) -> Result<EventDetail, ApiError> {
    engine.feed_of_event(request.seq).event(request.seq).ok_or_else(|| {
        error::failed("This event is no longer kept: newer ones took its place in the memory budget (Settings).")
    })
}

pub(super) async fn history_status(engine: &Engine, (): Nothing) -> Result<HistoryStatus, ApiError> {
    Ok(engine.history.status(&engine.store.settings().await?.history).await?)
}

pub(super) async fn history_search(engine: &Engine, request: HistoryRequest) -> Result<HistoryRows, ApiError> {
    let reading = filters::reading(&request.line);
    let Some(filter) = &reading.filter else {
        let mistakes: Vec<String> = reading.mistakes.into_iter().map(|mistake| mistake.message).collect();
        return Err(error::failed(mistakes.join(" ")));
    };
    Ok(engine.history.search(filter, request.before, request.count.clamp(1, 1_000) as usize).await?)
}

pub(super) async fn history_event(engine: &Engine, request: EventRequest) -> Result<EventDetail, ApiError> {
    let found = engine.history.event(request.seq).await?;
    found.ok_or_else(|| error::failed("This event is no longer in the history: it was too old, or made room."))
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
