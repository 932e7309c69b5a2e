//! Commands about a running embedded broker.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::broker::{ClientInfo, RetainedMessage};
use crate::embedded::{EmbeddedError, Look};
use crate::feed::{payload_preview, payload_view, unix_millis};
use relayscope_domain::broker::BrokerDraft;
use relayscope_domain::id::ListenerId;
use relayscope_domain::message::MqttVersion;
use relayscope_domain::topic;

/// Rows of one answer.
const MOST: u32 = 500;
/// Events on a client's page.
const EVENTS: usize = 50;
/// Characters of a payload in a line.
const PREVIEW: usize = 160;

pub(super) async fn live(engine: &Engine, request: BrokerRequest) -> Result<EmbeddedLive, ApiError> {
    let Look {
        running,
        listeners,
        clients,
        away,
        retained,
        traffic,
        rates,
        connects,
        refusals,
        turned,
        dropped,
        restored,
    } = engine.look_at_broker(request.id).await?;
    let [messages_in, bytes_in, messages_out, bytes_out] = traffic;
    Ok(EmbeddedLive {
        running,
        listeners,
        clients,
        away,
        retained,
        messages_in,
        bytes_in,
        messages_out,
        bytes_out,
        rate_in: rates.0,
        rate_out: rates.1,
        connects,
        refusals,
        limit_refusals: turned.refused,
        limit_cuts: turned.cut,
        dropped,
        restored,
    })
}

pub(super) async fn clients(engine: &Engine, request: ClientsRequest) -> Result<Clients, ApiError> {
    let broker = engine.running_broker(request.id)?;
    let (total, infos) =
        broker.clients_page(&request.text, request.from as usize, request.count.min(MOST) as usize).await;
    Ok(Clients { total: total as u32, rows: infos.into_iter().map(client_row).collect() })
}

pub(super) async fn client(engine: &Engine, request: ClientRequest) -> Result<ClientDetail, ApiError> {
    let name = engine.store.broker(request.id).await?.name;
    let events = engine.feed.of_client(&name, &request.client_id, EVENTS);
    let info = match engine.running_broker(request.id) {
        Ok(broker) => broker.client(&request.client_id).await,
        Err(_) => None,
    };
    let subscriptions = info.iter().flat_map(|info| info.subscriptions.iter());
    let subscriptions =
        subscriptions.map(|(filter, qos)| ClientSubscription { filter: filter.clone(), qos: *qos }).collect();
    Ok(ClientDetail { client: info.map(client_row), subscriptions, events })
}

pub(super) async fn disconnect(engine: &Engine, request: ClientRequest) -> Result<Nothing, ApiError> {
    if engine.running_broker(request.id)?.kick(&request.client_id).await {
        return Ok(());
    }
    Err(error::failed(format!("{} is not connected any more.", request.client_id)))
}

pub(super) async fn lines(engine: &Engine, request: LinesRequest) -> Result<Vec<CommandLine>, ApiError> {
    Ok(engine.broker_lines(request.id, request.token_id, request.reveal).await?)
}

pub(super) async fn blank_listener(_engine: &Engine, (): Nothing) -> Result<BlankListener, ApiError> {
    let listener = relayscope_domain::broker::default_listener(ListenerId(uuid::Uuid::new_v4()));
    Ok(BlankListener { listener })
}

pub(super) async fn preview(engine: &Engine, draft: BrokerDraft) -> Result<EmbeddedPreview, ApiError> {
    Ok(engine.preview_embedded(&draft))
}

pub(super) async fn retained(engine: &Engine, request: RetainedRequest) -> Result<RetainedPage, ApiError> {
    let filter = whole(&request.filter);
    if let Err(problem) = topic::check_filter(filter) {
        return Ok(RetainedPage { total: 0, problem: Some(problem), rows: vec![] });
    }
    let messages = engine.running_broker(request.id)?.retained(filter).await;
    let total = messages.len() as u32;
    let page = messages.into_iter().skip(request.from as usize).take(request.count.min(MOST) as usize);
    Ok(RetainedPage { total, problem: None, rows: page.map(|message| retained_line(&message)).collect() })
}

pub(super) async fn look_retained(engine: &Engine, request: RetainedChoice) -> Result<RetainedLook, ApiError> {
    let found = engine.running_broker(request.id)?.retained(&request.topic).await;
    let message = found.into_iter().find(|message| message.space == request.space);
    Ok(RetainedLook { payload: message.map(|message| payload_view(&message.payload)) })
}

pub(super) async fn clear(engine: &Engine, request: ClearRequest) -> Result<Cleared, ApiError> {
    Ok(engine.clear_retained(request.id, whole(&request.filter), request.space.as_deref()).await?)
}

pub(super) async fn undo_clear(engine: &Engine, request: UndoClearRequest) -> Result<LettersMoved, ApiError> {
    let count = engine.undo_clear(request.id, &request.undo).await?;
    let words = match count {
        1 => "1 retained message is back.".to_owned(),
        more => format!("{more} retained messages are back."),
    };
    Ok(LettersMoved { count: count as u64, words, tone: Tone::Ok })
}

/// No filter is every one.
fn whole(filter: &str) -> &str {
    if filter.trim().is_empty() { "#" } else { filter.trim() }
}

fn client_row(info: ClientInfo) -> ClientRow {
    let [messages_in, bytes_in, messages_out, bytes_out] = info.traffic;
    let version = match info.version {
        Some(MqttVersion::V5) => "MQTT 5",
        Some(MqttVersion::V311) => "MQTT 3.1.1",
        Some(MqttVersion::Auto) | None => "MQTT 3.1",
    };
    ClientRow {
        client_id: info.client_id,
        token: info.token_name,
        address: info.address.map(|address| address.to_string()).unwrap_or_default(),
        version: version.to_owned(),
        since: unix_millis(info.since),
        messages_in,
        bytes_in,
        messages_out,
        bytes_out,
        subscriptions: info.subscriptions.len() as u32,
        inflight: info.inflight as u32,
        queue: info.queue as u32,
        keep_alive: info.keep_alive.into(),
        will: info.will,
        kept: info.kept,
    }
}

fn retained_line(message: &RetainedMessage) -> RetainedLine {
    RetainedLine {
        space: message.space.clone(),
        topic: message.topic.clone(),
        preview: payload_preview(&message.payload, PREVIEW),
        size: message.payload.len() as u64,
        qos: message.qos,
        from: message.from.clone(),
        at: message.at,
    }
}

impl From<EmbeddedError> for ApiError {
    fn from(error: EmbeddedError) -> Self {
        match error {
            EmbeddedError::Store(error) => error.into(),
            error @ (EmbeddedError::Stopped
            | EmbeddedError::Nothing
            | EmbeddedError::Undo
            | EmbeddedError::File { .. }) => error::failed(crate::causes::chain(&error)),
        }
    }
}
