//! What of a session goes to the disk, and when: rmqtt's values to rows and back, on the broker's side of [`super::disk`].
//!
//! While a client is connected nothing is written. When it goes, all it was promised ([`super::promises`]) is; from then on
//! each message is on the disk before its publisher is answered, until the client acknowledged it.

use super::disk::{Change, Disk, MessageHead, MessageRow, SessionRow};
use super::hooks::Desk;
use super::owners::Owner;
use super::promises::{Promise, Sent, ticket};
use bytes::Bytes;
use rmqtt::codec::types::Publish as Packet;
use rmqtt::inflight::MomentStatus;
use rmqtt::session::Session;
use rmqtt::types::{ClientId, ConnectInfo, From, Publish, QoS, SubscriptionOptions, Subscriptions, TopicFilter};
use std::collections::HashMap;
use std::time::SystemTime;

/// Receivers of one message that are connected, and kept when they go.
#[derive(Default)]
pub(super) struct Kept {
    connected: Vec<(ClientId, i64)>,
    /// Whether something was handed to the disk.
    written: bool,
}

/// All of a message but its payload.
pub(super) fn head(from: &From, publish: &Publish) -> MessageHead {
    MessageHead {
        topic: publish.topic.to_string(),
        qos: publish.qos.value(),
        retain: publish.retain,
        from: from.id.client_id.to_string(),
        created_at: publish.create_time,
        properties: publish.properties.clone(),
    }
}

/// A kept message as rmqtt takes it.
pub(super) fn publish(head: &MessageHead, payload: Bytes, ticket: Option<i64>) -> Publish {
    let packet = Packet {
        dup: false,
        retain: head.retain,
        qos: QoS::try_from(head.qos).unwrap_or(QoS::AtLeastOnce),
        topic: head.topic.as_str().into(),
        packet_id: None,
        payload,
        properties: head.properties.clone(),
    };
    let target = ticket.map(|ticket| ticket.to_string().into());
    Publish::new(Box::new(packet), target, None, head.created_at)
}

/// How far a sent message is, as a number of the file.
fn state(status: MomentStatus) -> u8 {
    match status {
        MomentStatus::UnAck => 0,
        MomentStatus::UnReceived => 1,
        MomentStatus::UnComplete => 2,
    }
}

/// The reverse of [`state`].
pub(super) fn status(state: u8) -> MomentStatus {
    match state {
        0 => MomentStatus::UnAck,
        1 => MomentStatus::UnReceived,
        _ => MomentStatus::UnComplete,
    }
}

fn now() -> i64 {
    crate::feed::unix_millis(SystemTime::now())
}

impl Desk {
    /// The disk, when the session of a client is kept on it.
    fn disk_of(&self, client_id: &str) -> Option<&Disk> {
        self.disk.as_ref().filter(|_| self.owners.is_kept(client_id))
    }

    /// Gives a message to one receiver its number, when the receiver's session is kept.
    pub(super) fn number(&self, receiver: &str, publish: &mut Publish) -> Option<i64> {
        let promised = publish.qos != QoS::AtMostOnce && self.owners.is_kept(receiver);
        promised.then(|| self.promises.number(publish))
    }

    /// Numbers the copy for one receiver, and writes it when the receiver is away.
    pub(super) async fn keep_copy(&self, kept: &mut Kept, from: &From, copy: &mut Publish, receiver: &ClientId) {
        let Some(ticket) = self.number(receiver, copy) else { return };
        if self.clients.by_name(receiver).is_some() {
            kept.connected.push((receiver.clone(), ticket));
        } else {
            self.keep_queued(receiver, from, copy).await;
            kept.written = true;
        }
    }

    /// After a message was handed over: writes it for those who went meanwhile, and waits for the disk.
    pub(super) async fn keep_rest(&self, kept: Kept) {
        let mut written = kept.written;
        for (receiver, ticket) in &kept.connected {
            if self.clients.by_name(receiver).is_none()
                && let Some(promise) = self.promises.get(receiver, *ticket)
            {
                self.keep_queued(receiver, &promise.from, &promise.publish).await;
                written = true;
            }
        }
        if let Some(disk) = self.disk.as_ref().filter(|_| written) {
            disk.synced().await;
        }
    }

    /// A message reached the queue of a client that is away.
    pub(super) async fn keep_queued(&self, client_id: &str, from: &From, publish: &Publish) {
        let (Some(disk), Some(ticket)) = (self.disk_of(client_id), ticket(publish)) else { return };
        if publish.qos != QoS::AtMostOnce {
            let (head, payload) = (head(from, publish), publish.payload.clone());
            disk.message(MessageRow { client_id: client_id.to_owned(), ticket, head, payload, sent: None }).await;
        }
    }

    /// Writes all that a session was promised; `sent` says how far what was sent on its last connection is.
    async fn keep_promises(&self, disk: &Disk, client_id: &str, sent: &HashMap<i64, Sent>) {
        for (ticket, Promise { from, publish, sent: before, .. }) in self.promises.owed(client_id) {
            let sent =
                sent.get(&ticket).copied().or(before).map(|(packet_id, status)| (packet_id.get(), state(status)));
            let (head, payload) = (head(&from, &publish), publish.payload.clone());
            disk.message(MessageRow { client_id: client_id.to_owned(), ticket, head, payload, sent }).await;
        }
    }

    /// A message needs to be kept no longer.
    pub(super) async fn let_go(&self, client_id: &str, publish: &Publish) {
        let Some(ticket) = ticket(publish) else { return };
        self.promises.done(client_id, ticket);
        if let Some(disk) = &self.disk {
            disk.message_gone(client_id, ticket).await;
        }
    }

    /// A client connected: its session begins, goes on, or is no longer one to keep.
    pub(super) async fn keep_session(&self, session: &Session, info: &ConnectInfo, resumed: bool) {
        let Some(disk) = &self.disk else { return };
        let client_id = &session.id.client_id;
        if !resumed || !self.owners.is_kept(client_id) {
            disk.session_gone(client_id).await;
        }
        if let Some(row) = self.session_row(session, info, None).await {
            disk.change(Change::Session(Box::new(row))).await;
        }
    }

    /// A session subscribed or unsubscribed. What is published for it comes after this on the same way to the disk.
    pub(super) async fn keep_subscriptions(&self, session: &Session) {
        let Some(disk) = self.disk_of(&session.id.client_id) else { return };
        let Ok(info) = session.connect_info().await else { return };
        if let Some(row) = self.session_row(session, &info, None).await {
            disk.change(Change::Session(Box::new(row))).await;
        }
    }

    async fn session_row(&self, session: &Session, info: &ConnectInfo, away: Option<i64>) -> Option<SessionRow> {
        let client_id = &session.id.client_id;
        let owner = self.owners.of(client_id).filter(|_| self.owners.is_kept(client_id))?;
        let own: Subscriptions = match session.subscriptions().await {
            Ok(all) => all.read().await.iter().map(|(filter, options)| (filter.clone(), options.clone())).collect(),
            Err(_) => vec![],
        };
        let subscriptions = self.promises.subscriptions(client_id, own);
        session_row(info, &owner, &subscriptions, session.created_at().await.unwrap_or_else(|_| now()), away)
            .inspect_err(|error| tracing::error!(%error, %client_id, "A session can't be kept."))
            .ok()
            .map(|row| SessionRow { expiry_seconds: expiry(session, None), ..row })
    }

    /// A client went and its session stays: what it was promised goes to the disk.
    pub(super) async fn keep_queue(&self, session: &Session) {
        let client_id = &session.id.client_id;
        let Some(disk) = self.disk_of(client_id) else { return };
        let goodbye = session.disconnect().await.ok().flatten();
        let expiry = expiry(session, goodbye.as_ref());
        disk.change(Change::Away(client_id.to_string(), Some(now()), expiry)).await;
        let inflight = session.out_inflight().write().await.clone_inflight_messages();
        let sent = inflight
            .iter()
            .filter_map(|message| Some((ticket(&message.publish)?, (message.publish.packet_id?, message.status))));
        self.keep_promises(disk, client_id, &sent.collect()).await;
    }

    /// The broker stops, and took the session from its connection: what it leaves goes to the disk.
    pub(super) async fn keep_left(&self, session: &Session) {
        let client_id = &session.id.client_id;
        let Some(disk) = self.disk_of(client_id) else { return };
        let Ok(info) = session.connect_info().await else { return };
        if let Some(row) = self.session_row(session, &info, Some(now())).await {
            let expiry_seconds = expiry(session, session.disconnect().await.ok().flatten().as_ref());
            disk.change(Change::Session(Box::new(SessionRow { expiry_seconds, ..row }))).await;
        }
        self.keep_promises(disk, client_id, &HashMap::new()).await;
    }
}

/// How long a session is kept after its client went.
fn expiry(session: &Session, goodbye: Option<&rmqtt::types::Disconnect>) -> u32 {
    u32::try_from(session.fitter.session_expiry_interval(goodbye).as_secs()).unwrap_or(u32::MAX)
}

/// A session's row; the CONNECT is kept without will, password and certificate.
fn session_row(
    info: &ConnectInfo,
    owner: &Owner,
    subscriptions: &[(TopicFilter, SubscriptionOptions)],
    created_at: i64,
    away_since: Option<i64>,
) -> Result<SessionRow, serde_json::Error> {
    let mut bare = info.clone();
    match &mut bare {
        ConnectInfo::V3(_, connect) => {
            (connect.password, connect.last_will, connect.cert) = (None, None, None);
        }
        ConnectInfo::V5(_, connect) => {
            (connect.password, connect.last_will, connect.cert) = (None, None, None);
            connect.auth_data = None;
        }
    }
    Ok(SessionRow {
        client_id: info.id().client_id.to_string(),
        owner: serde_json::to_string(owner)?,
        connect: serde_json::to_string(&bare)?,
        subscriptions: serde_json::to_string(subscriptions)?,
        created_at,
        expiry_seconds: 0,
        away_since,
    })
}
