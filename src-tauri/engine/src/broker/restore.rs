//! The sessions of the last run, brought up again before the first client comes.

use super::disk::{Change, Found, MessageRow, SessionRow};
use super::hooks::Desk;
use super::keep;
use super::owners::Owner;
use rmqtt::context::ServerContext;
use rmqtt::inflight::OutInflightMessage;
use rmqtt::session::{Session, SessionState};
use rmqtt::types::{
    ConnectInfo, DisconnectInfo, From, Id, ListenerConfig, NodeId, SessionSubs, Subscribe, SubscriptionOptions,
    TopicFilter,
};
use std::collections::HashMap;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What of the last run is there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Sessions.
    pub sessions: usize,
    /// Their queued messages.
    pub messages: usize,
}

/// Brings up every session that did not expire and whose owner may still come; takes the others out of the file.
pub(super) async fn sessions(scx: &ServerContext, desk: &Arc<Desk>, listen: ListenerConfig, found: Found) -> Restored {
    let mut waiting: HashMap<String, Vec<MessageRow>> = HashMap::new();
    for message in found.messages {
        waiting.entry(message.client_id.clone()).or_default().push(message);
    }
    let mut restored = Restored::default();
    for row in found.sessions {
        let messages = waiting.remove(&row.client_id).unwrap_or_default();
        let (client_id, count) = (row.client_id.clone(), messages.len());
        match session(scx, desk, &listen, row, messages).await {
            Ok(true) => {
                restored.sessions += 1;
                restored.messages += count;
            }
            Ok(false) => gone(desk, &client_id).await,
            Err(error) => {
                tracing::error!(%error, %client_id, "A kept session could not be brought up; it is dropped.");
                gone(desk, &client_id).await;
            }
        }
    }
    for client_id in waiting.into_keys() {
        gone(desk, &client_id).await;
    }
    restored
}

async fn gone(desk: &Desk, client_id: &str) {
    desk.owners.forget(client_id);
    if let Some(disk) = &desk.disk {
        disk.session_gone(client_id).await;
    }
}

async fn session(
    scx: &ServerContext,
    desk: &Desk,
    listen: &ListenerConfig,
    row: SessionRow,
    messages: Vec<MessageRow>,
) -> rmqtt::Result<bool> {
    let owner: Owner = serde_json::from_str(&row.owner)?;
    let now = crate::feed::unix_millis(SystemTime::now());
    // Who was connected when the last run ended is away since now.
    let away_since = row.away_since.unwrap_or(now);
    let away = Duration::from_millis((now - away_since).max(0).unsigned_abs());
    let left = Duration::from_secs(row.expiry_seconds.into()).checked_sub(away).filter(|left| !left.is_zero());
    let Some(left) = left.filter(|_| desk.accepts(&owner)) else { return Ok(false) };

    let info: Arc<ConnectInfo> = Arc::new(serde_json::from_str(&row.connect)?);
    let subscriptions: Vec<(TopicFilter, SubscriptionOptions)> = serde_json::from_str(&row.subscriptions)?;
    let id: Id = info.id().clone();
    desk.owners.restore(&row.client_id, owner, true);
    let fitter = scx.extends.fitter_mgr().await.create(info.clone(), id.clone(), listen.clone());
    let goodbye = DisconnectInfo::new(away_since);
    let session = Session::new(
        id.clone(),
        scx.clone(),
        fitter.max_mqueue_len(),
        listen.clone(),
        fitter.clone(),
        None,
        fitter.max_inflight(),
        row.created_at,
        info,
        false,
        false,
        false,
        row.created_at,
        SessionSubs::new(),
        Some(goodbye),
        None,
    )
    .await?;
    refill(desk, scx.node.id(), &row.client_id, &session, messages).await;
    let tx = SessionState::offline_restart(session.clone(), left).await?;
    let mut entry = scx.extends.shared().await.entry(id).try_lock().await?;
    entry.set(session, tx).await?;
    for (topic_filter, opts) in subscriptions {
        entry.subscribe(&Subscribe { topic_filter, opts }).await?;
    }
    if let (None, Some(disk)) = (row.away_since, &desk.disk) {
        disk.change(Change::Away(row.client_id, Some(now), row.expiry_seconds)).await;
    }
    Ok(true)
}

/// Gives a session the messages it was promised: those under way with where they stand, the others to be sent.
async fn refill(desk: &Desk, node: NodeId, client_id: &str, session: &Session, messages: Vec<MessageRow>) {
    for message in messages {
        let from = From::from_custom(Id::from(node, message.head.from.as_str().into()));
        let mut publish = keep::publish(&message.head, message.payload, Some(message.ticket));
        match message.sent.and_then(|(packet_id, state)| Some((NonZeroU16::new(packet_id)?, state))) {
            Some((packet_id, state)) => {
                let status = keep::status(state);
                desk.promises.restore(client_id, from.clone(), publish.clone(), Some((packet_id, status)));
                publish.packet_id = Some(packet_id);
                let sent = OutInflightMessage::new(status, from, publish);
                session.out_inflight().write().await.push_back(sent);
            }
            None => {
                desk.promises.restore(client_id, from.clone(), publish.clone(), None);
                let _ = session.deliver_queue().push((from, publish));
            }
        }
    }
}
