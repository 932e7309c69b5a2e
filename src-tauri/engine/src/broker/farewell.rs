//! Clients that are disconnected by us: because their token went, changed or expired, by a click, or because the broker
//! stops. Whoever is disconnected for good leaves no session; when the broker stops, sessions that are kept stay.

use super::clients::{Client, Right};
use super::hooks::Desk;
use rmqtt::context::ServerContext;
use rmqtt::session::{Session, SessionState};
use rmqtt::types::{From, OfflineSession, Publish};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The longest sleep before the clock is looked at again: people set clocks.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

const STOPPED: &str = "the broker was stopped";

/// Disconnects clients whose token is gone or expired, or allows something else than when they connected.
pub(super) async fn revoked(scx: ServerContext, desk: Arc<Desk>, mut replaced: watch::Receiver<u64>) {
    loop {
        let expiry = desk.accounts.next_expiry().map_or(LOOK_AGAIN, |until| until.min(LOOK_AGAIN));
        tokio::select! {
            changed = replaced.changed() => if changed.is_err() { return },
            () = desk.revoked.notified() => {}
            () = tokio::time::sleep(expiry) => {}
        }
        let mut cuts = JoinSet::new();
        for client in desk.clients.all() {
            if let Some(because) = unwanted(&desk, &client) {
                cuts.spawn(cut(scx.clone(), client, because));
            }
        }
        while cuts.join_next().await.is_some() {}
        end_kept_sessions(&scx, &desk).await;
    }
}

/// Why a client may stay no longer.
fn unwanted(desk: &Desk, client: &Client) -> Option<&'static str> {
    let Right::Token { fingerprint, account } = &client.right else {
        return matches!(client.right, Right::Gone).then_some("its token was removed");
    };
    match desk.accounts.find(fingerprint) {
        None if desk.accounts.by_id(account.token_id).is_some() => Some("its token was replaced"),
        None => Some("its token was removed"),
        Some(now) if now.is_expired() => Some("its token expired"),
        Some(now) if now.permission != account.permission => Some("the permission of its token was changed"),
        Some(now) if now.device() != account.device() => Some("its token was given to another device"),
        Some(_) => None,
    }
}

/// Ends sessions that are kept for clients who are away and whose token is gone: they would only collect messages.
async fn end_kept_sessions(scx: &ServerContext, desk: &Desk) {
    let entries: Vec<_> = scx.extends.shared().await.iter().collect();
    for entry in entries {
        let Some(session) = entry.session() else { continue };
        let wanted = desk.owners.of(&session.id.client_id).is_some_and(|owner| desk.accepts(&owner));
        if wanted || session.connected().await.unwrap_or(true) {
            continue;
        }
        let Ok(mut locked) = entry.try_lock().await else { continue };
        // rmqtt says nothing of what such a session leaves behind.
        desk.session_ended(&session.id).await;
        if let Err(error) = locked.kick(true, true, true).await {
            tracing::warn!(client_id = %session.id.client_id, %error, "A kept session could not be ended.");
        }
    }
}

/// Disconnects a client for good; `because` stands in its event.
pub(super) async fn cut(scx: ServerContext, client: Arc<Client>, because: &'static str) -> bool {
    let _ = client.cut_because.set(because);
    let entry = scx.extends.shared().await.entry(client.id.clone());
    let Ok(mut entry) = entry.try_lock().await else { return false };
    if entry.id_same() != Some(true) {
        // Another connection took over in between; it was let in by what holds now.
        return false;
    }
    entry.kick(true, true, true).await.is_ok()
}

/// Disconnects everybody; what is kept of their sessions goes to the disk.
pub(super) async fn all(scx: &ServerContext, desk: &Arc<Desk>) {
    let mut goodbyes = JoinSet::new();
    let entries: Vec<_> = scx.extends.shared().await.iter().collect();
    for session in entries.iter().filter_map(|entry| entry.session()) {
        let client = desk.clients.get(&session.id);
        if desk.disk.is_some() && desk.owners.is_kept(&session.id.client_id) {
            goodbyes.spawn(leave(scx.clone(), desk.clone(), session, client));
        } else if let Some(client) = client {
            let scx = session.scx.clone();
            goodbyes.spawn(async move {
                cut(scx, client, STOPPED).await;
            });
        }
    }
    while goodbyes.join_next().await.is_some() {}
}

/// Takes a session out of rmqtt and keeps what it leaves. Its last will is published now: nobody else will.
async fn leave(scx: ServerContext, desk: Arc<Desk>, session: Session, client: Option<Arc<Client>>) {
    let connected = client.is_some();
    if let Some(client) = client {
        let _ = client.cut_because.set(STOPPED);
    }
    let entry = scx.extends.shared().await.entry(session.id.clone());
    let Ok(mut entry) = entry.try_lock().await else { return };
    if let Ok(OfflineSession::Exist(Some(left))) = entry.kick(false, false, false).await {
        desk.keep_left(&session, left).await;
    }
    drop(entry);
    if connected
        && let Ok(info) = session.connect_info().await
        && let Some(will) = info.last_will()
        && let Ok(publish) = Publish::try_from(will)
    {
        let from = From::from_lastwill(session.id.clone());
        desk.published(&from, &publish);
        let expiry = publish.retain.then(|| session.fitter.message_expiry_interval(&publish));
        if let Err(error) = SessionState::forwards(&scx, from, publish, false, expiry).await {
            tracing::warn!(%error, "A last will could not be published.");
        }
    }
}
