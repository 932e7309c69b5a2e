//! What of a session goes to the disk, and when: rmqtt's values to rows and back, on the broker's side of [`super::disk`].
//!
//! Every QoS 1 or 2 message for a session that is kept has a number, its ticket, which rmqtt carries through its queues in
//! a field that has no meaning after routing. While the client is connected nothing is written. When it goes, its queue is;
//! from then on each message is on the disk before its publisher is answered, until the client acknowledged it.

use super::disk::{Change, Disk, MessageHead, MessageRow, SessionRow};
use super::hooks::Desk;
use super::owners::Owner;
use bytes::Bytes;
use rmqtt::codec::types::Publish as Packet;
use rmqtt::inflight::{MomentStatus, OutInflightMessage};
use rmqtt::session::{OfflineInfo, Session};
use rmqtt::types::{ConnectInfo, From, Publish, QoS, SubRelation, SubscriptionOptions, TopicFilter};
use std::time::SystemTime;

/// Receivers of one message that are connected, and kept when they go.
#[derive(Default)]
pub(super) struct Kept {
    connected: Vec<(SubRelation, i64)>,
    /// Whether something was handed to the disk.
    written: bool,
}

/// The number a message carries, once it has one.
pub(super) fn ticket(publish: &Publish) -> Option<i64> {
    publish.target_clientid.as_ref()?.parse().ok()
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

    /// Gives a message to one receiver its number, when it may have to be written.
    pub(super) fn number(&self, receiver: &str, publish: &mut Publish) -> Option<i64> {
        let disk = self.disk_of(receiver).filter(|_| publish.qos != QoS::AtMostOnce)?;
        let ticket = disk.ticket();
        publish.target_clientid = Some(ticket.to_string().into());
        Some(ticket)
    }

    /// Numbers the copy for one receiver, and writes it when the receiver is away.
    pub(super) async fn keep_copy(&self, kept: &mut Kept, from: &From, copy: &mut Publish, relation: &SubRelation) {
        if copy.qos.less_value(relation.2.qos()) == QoS::AtMostOnce {
            return;
        }
        let Some(ticket) = self.number(&relation.1, copy) else { return };
        if self.clients.by_name(&relation.1).is_some() {
            kept.connected.push((relation.clone(), ticket));
        } else {
            self.write_copy(from, copy, relation, ticket).await;
            kept.written = true;
        }
    }

    /// After a message was handed over: writes it for those who went meanwhile, and waits for the disk.
    pub(super) async fn keep_rest(&self, kept: Kept, from: &From, publish: &Publish) {
        let mut written = kept.written;
        for (relation, ticket) in &kept.connected {
            if self.clients.by_name(&relation.1).is_none() {
                self.write_copy(from, publish, relation, *ticket).await;
                written = true;
            }
        }
        if let Some(disk) = self.disk.as_ref().filter(|_| written) {
            disk.synced().await;
        }
    }

    async fn write_copy(&self, from: &From, publish: &Publish, relation: &SubRelation, ticket: i64) {
        let Some(disk) = self.disk_of(&relation.1) else { return };
        let mut head = head(from, publish);
        head.qos = publish.qos.less_value(relation.2.qos()).value();
        head.retain = publish.retain && relation.2.retain_as_published() == Some(true);
        if let (Some(properties), Some(ids)) = (&mut head.properties, &relation.3) {
            properties.subscription_ids.clone_from(ids);
        }
        let payload = publish.payload.clone();
        disk.message(MessageRow { client_id: relation.1.to_string(), ticket, head, payload, sent: None }).await;
    }

    /// A message reached the queue of a client that is away.
    pub(super) async fn keep_queued(&self, client_id: &str, from: &From, publish: &Publish) {
        let (Some(disk), Some(ticket)) = (self.disk_of(client_id), ticket(publish)) else { return };
        if publish.qos != QoS::AtMostOnce {
            let (head, payload) = (head(from, publish), publish.payload.clone());
            disk.message(MessageRow { client_id: client_id.to_owned(), ticket, head, payload, sent: None }).await;
        }
    }

    async fn keep_sent(&self, disk: &Disk, client_id: &str, message: &OutInflightMessage) {
        let publish = &message.publish;
        let ticket = ticket(publish).unwrap_or_else(|| disk.ticket());
        let (head, payload) = (head(&message.from, publish), publish.payload.clone());
        let sent = publish.packet_id.map(|packet_id| (packet_id.get(), state(message.status)));
        disk.message(MessageRow { client_id: client_id.to_owned(), ticket, head, payload, sent }).await;
    }

    /// A message needs to be kept no longer.
    pub(super) async fn let_go(&self, client_id: &str, publish: &Publish) {
        if let (Some(disk), Some(ticket)) = (&self.disk, ticket(publish)) {
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
        let subscriptions: Vec<(TopicFilter, SubscriptionOptions)> = match session.subscriptions().await {
            Ok(all) => all.read().await.iter().map(|(filter, options)| (filter.clone(), options.clone())).collect(),
            Err(_) => vec![],
        };
        session_row(info, &owner, &subscriptions, session.created_at().await.unwrap_or_else(|_| now()), away)
            .inspect_err(|error| tracing::error!(%error, %client_id, "A session can't be kept."))
            .ok()
            .map(|row| SessionRow { expiry_seconds: expiry(session, None), ..row })
    }

    /// A client went and its session stays: its queue goes to the disk. The queue is this session's alone just now.
    pub(super) async fn keep_queue(&self, session: &Session) {
        let client_id = &session.id.client_id;
        let Some(disk) = self.disk_of(client_id) else { return };
        let goodbye = session.disconnect().await.ok().flatten();
        let expiry = expiry(session, goodbye.as_ref());
        disk.change(Change::Away(client_id.to_string(), Some(now()), expiry)).await;
        for message in session.out_inflight().write().await.clone_inflight_messages() {
            self.keep_sent(disk, client_id, &message).await;
        }
        let queue = session.deliver_queue();
        let waiting: Vec<(From, Publish)> = std::iter::from_fn(|| queue.pop()).collect();
        for (from, publish) in waiting {
            self.keep_queued(client_id, &from, &publish).await;
            // It was in there, so there is room.
            let _ = queue.push((from, publish));
        }
    }

    /// The broker stops: what a session leaves goes to the disk.
    pub(super) async fn keep_left(&self, session: &Session, left: OfflineInfo) {
        let client_id = &session.id.client_id;
        let Some(disk) = self.disk_of(client_id) else { return };
        let (Ok(info), Some(owner)) = (session.connect_info().await, self.owners.of(client_id)) else { return };
        let row = session_row(&info, &owner, &left.subscriptions, left.created_at, Some(now()));
        let expiry_seconds = expiry(session, session.disconnect().await.ok().flatten().as_ref());
        match row {
            Ok(row) => disk.change(Change::Session(Box::new(SessionRow { expiry_seconds, ..row }))).await,
            Err(error) => tracing::error!(%error, %client_id, "A session can't be kept."),
        }
        for message in &left.inflight_messages {
            self.keep_sent(disk, client_id, message).await;
        }
        for (from, publish) in &left.offline_messages {
            self.keep_queued(client_id, from, publish).await;
        }
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
