//! Clients that are disconnected by us: because their token went, changed or expired, by a click, or because the broker
//! stops. Whoever is disconnected for good leaves no session; when the broker stops, sessions that are kept stay.

use super::clients::{Client, Right};
use super::hooks::Desk;
use crate::front::Goodbye;
use rmqtt::context::ServerContext;
use rmqtt::session::{Session, SessionState};
use rmqtt::types::{From, OfflineSession, Publish};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The longest sleep before the clock is looked at again: people set clocks.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What clients are told when the broker stops.
pub(super) fn stopped() -> Goodbye {
    Goodbye::stopped("the broker was stopped")
}

/// Disconnects clients whose token is gone or expired, or allows something else than when they connected. Those that stay
/// are using theirs.
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
            match unwanted(&desk, &client) {
                Some(goodbye) => _ = cuts.spawn(cut(scx.clone(), desk.clone(), client, goodbye)),
                None => desk.uses_token(&client),
            }
        }
        while cuts.join_next().await.is_some() {}
        end_kept_sessions(&scx, &desk).await;
    }
}

/// Why a client may stay no longer: its token lets it in no more (0x87), or somebody decided something else for it.
fn unwanted(desk: &Desk, client: &Client) -> Option<Goodbye> {
    let not_authorized = |words| Some(Goodbye::new(0x87, words));
    let Right::Token { fingerprint, account } = &client.right else {
        return not_authorized("its token was removed").filter(|_| matches!(client.right, Right::Gone));
    };
    match desk.accounts.find(fingerprint) {
        None if desk.accounts.by_id(account.token_id).is_some() => not_authorized("its token was replaced"),
        None => not_authorized("its token was removed"),
        Some(now) if now.is_expired() => not_authorized("its token expired"),
        Some(now) if now.permission != account.permission => {
            Some(Goodbye::by_hand("the permission of its token was changed"))
        }
        Some(now) if now.device() != account.device() => {
            Some(Goodbye::by_hand("its token was given to another device"))
        }
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

/// Disconnects a client for good. The front tells it why, and rmqtt ends its session.
pub(super) async fn cut(scx: ServerContext, desk: Arc<Desk>, client: Arc<Client>, goodbye: Goodbye) -> bool {
    let said = client.id.remote_addr.is_some_and(|peer| desk.connections.cut_peer(peer, goodbye));
    let entry = scx.extends.shared().await.entry(client.id.clone());
    let Ok(mut entry) = entry.try_lock().await else { return said };
    if entry.id_same() != Some(true) {
        // Another connection took over in between, which was let in by what holds now, or the session ended already.
        return said;
    }
    let ended = entry.kick(true, true, true).await.is_ok();
    if ended {
        // rmqtt says nothing of it when the connection was closed before the session.
        desk.session_ended(&client.id).await;
    }
    ended || said
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
            let cut = cut(scx.clone(), desk.clone(), client, stopped());
            goodbyes.spawn(async move {
                cut.await;
            });
        }
    }
    while goodbyes.join_next().await.is_some() {}
}

/// Takes a session out of rmqtt and keeps what it leaves. Its last will is published now: nobody else will.
async fn leave(scx: ServerContext, desk: Arc<Desk>, session: Session, client: Option<Arc<Client>>) {
    let connected = client.is_some();
    // Its connection is rmqtt's to close, with the session in one piece; the front then says why.
    desk.tell(&session.id, |connections, peer| connections.ends(peer, stopped()));
    let entry = scx.extends.shared().await.entry(session.id.clone());
    let Ok(mut entry) = entry.try_lock().await else { return };
    if let Ok(OfflineSession::Exist(Some(_))) = entry.kick(false, false, false).await {
        desk.keep_left(&session).await;
    }
    drop(entry);
    if connected
        && let Ok(info) = session.connect_info().await
        && let Some(will) = info.last_will()
        && let Ok(publish) = Publish::try_from(will)
    {
        let from = From::from_lastwill(session.id.clone());
        desk.will(&from, &publish);
        let expiry = publish.retain.then(|| session.fitter.message_expiry_interval(&publish));
        if let Err(error) = SessionState::forwards(&scx, from, publish, false, expiry).await {
            tracing::warn!(%error, "A last will could not be published.");
        }
    }
}
