//! Retained messages: in memory, and on the disk when the broker keeps things.
//!
//! With a topic scope per device each device has a space of its own, the first level of the key; whether a receiver sees
//! a space is decided where the message is handed over. Without retained messages (TagoIO) nothing is stored, and MQTT 5
//! clients are told so.

use super::disk::{Change, RetainedRow};
use super::hooks::Desk;
use super::keep;
use super::owners::COMMON;
use async_trait::async_trait;
use relayscope_domain::broker::RetainMode;
use relayscope_domain::topic;
use rmqtt::Result;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::types::{From, Id, Retain, TopicFilter, TopicName};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Stands for a leading $: rmqtt takes no such level but the first.
const DOLLAR: char = '\u{1}';

/// Where a topic, or a filter, lies in a space.
fn key(space: &str, topic: &str) -> String {
    match topic.strip_prefix('$') {
        Some(rest) => format!("{space}/{DOLLAR}{rest}"),
        None => format!("{space}/{topic}"),
    }
}

/// A retained message as people see it.
#[derive(Clone, Debug)]
pub struct RetainedMessage {
    /// Whose it is, with a topic scope per device; opaque.
    pub space: String,
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: bytes::Bytes,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// Client id of the publisher.
    pub from: String,
    /// When it was published, Unix milliseconds.
    pub at: i64,
}

/// The retained messages of a broker.
#[derive(Clone)]
pub(super) struct Retained {
    /// By space and topic.
    tree: Arc<DefaultRetainStorage>,
    desk: Arc<Desk>,
}

impl Retained {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { tree: Arc::new(DefaultRetainStorage::new()), desk }
    }

    async fn put(&self, space: &str, topic: &str, mut retain: Retain, expiry: Option<Duration>) -> Result<()> {
        // The space travels where rmqtt carries a user name; nobody else reads it there.
        let from = Id::new(retain.from.id.node_id, 0, None, None, retain.from.id.client_id.clone(), Some(space.into()));
        retain.from = From::from_custom(from);
        // Zero is our setting for "never"; the storage would take it for "at once".
        let expiry = expiry.filter(|expiry| !expiry.is_zero());
        self.tree.set_with_timeout(&key(space, topic).into(), retain, expiry).await
    }

    /// Takes what stood on the disk.
    pub(super) async fn restore(&self, rows: Vec<RetainedRow>) -> Result<()> {
        for row in rows {
            let Some((head, payload)) = row.message else { continue };
            let from = From::from_custom(Id::from(1, head.from.as_str().into()));
            let publish = keep::publish(&head, payload, None);
            let Some(left) = remaining(&publish) else { continue };
            // They may have been kept under another topic scope.
            let space = if self.desk.owners.is_shared() { COMMON } else { &row.space };
            self.put(space, &row.topic, Retain { msg_id: None, from, publish }, Some(left)).await?;
        }
        Ok(())
    }

    /// All that match a filter, by topic.
    pub(super) async fn list(&self, filter: &str) -> Vec<RetainedMessage> {
        let found = self.found(filter).await.unwrap_or_default();
        let mut messages: Vec<RetainedMessage> = found
            .into_iter()
            .map(|(topic, retain)| RetainedMessage {
                space: retain.from.id.username_ref().to_owned(),
                topic: topic.to_string(),
                qos: retain.publish.qos.value(),
                from: retain.from.id.client_id.to_string(),
                at: retain.publish.create_time.unwrap_or_default(),
                payload: retain.publish.payload.clone(),
            })
            .collect();
        messages.sort_by(|one, other| (&one.topic, &one.space).cmp(&(&other.topic, &other.space)));
        messages
    }

    /// Takes one away; nobody is sent anything.
    pub(super) async fn clear(&self, space: &str, topic: &str) -> Result<()> {
        let empty = keep::publish(&Default::default(), bytes::Bytes::new(), None);
        let from = From::from_custom(Id::from(1, "".into()));
        self.put(space, topic, Retain { msg_id: None, from, publish: empty }, None).await?;
        self.note(space, topic, None).await;
        Ok(())
    }

    /// Puts one back that was taken away.
    pub(super) async fn put_back(&self, message: &RetainedMessage) -> Result<()> {
        let head = super::disk::MessageHead {
            topic: message.topic.clone(),
            qos: message.qos,
            retain: true,
            from: message.from.clone(),
            created_at: Some(message.at),
            properties: None,
        };
        let publish = keep::publish(&head, message.payload.clone(), None);
        let from = From::from_custom(Id::from(1, message.from.as_str().into()));
        self.put(&message.space, &message.topic, Retain { msg_id: None, from, publish }, None).await?;
        self.note(&message.space, &message.topic, Some((head, message.payload.clone()))).await;
        Ok(())
    }

    async fn note(&self, space: &str, topic: &str, message: Option<(super::disk::MessageHead, bytes::Bytes)>) {
        let Some(disk) = &self.desk.disk else { return };
        let row = RetainedRow { space: space.to_owned(), topic: topic.to_owned(), message };
        disk.change(Change::Retained(Box::new(row))).await;
        disk.synced().await;
    }

    async fn found(&self, filter: &str) -> Result<Vec<(TopicName, Retain)>> {
        let mut found = vec![];
        for (key, mut retain) in self.tree.get_message(&key("+", filter).into()).await? {
            let Some((_, topic)) = key.split_once('/') else { continue };
            let topic = &topic.replacen(DOLLAR, "$", 1);
            // A wildcard at the beginning does not match topics that begin with $ (MQTT 5.0 section 4.7.2).
            if !topic::matches(filter, topic) {
                continue;
            }
            // rmqtt counts the expiry from now on; what passed already counts, too (section 3.3.2.3.3).
            let Some(left) = remaining(&retain.publish) else { continue };
            let left = u32::try_from(left.as_millis().div_ceil(1_000)).ok().and_then(NonZeroU32::new);
            if let Some(properties) = &mut retain.publish.properties
                && properties.message_expiry_interval.is_some()
            {
                properties.message_expiry_interval = left;
            }
            found.push((topic.as_str().into(), retain));
        }
        Ok(found)
    }
}

/// How long a message has to live: nothing when that is over, zero for ever.
fn remaining(publish: &rmqtt::types::Publish) -> Option<Duration> {
    let Some(expiry) = publish.properties.as_ref().and_then(|given| given.message_expiry_interval) else {
        return Some(Duration::ZERO);
    };
    let now = crate::feed::unix_millis(std::time::SystemTime::now());
    let passed = Duration::from_millis((now - publish.create_time.unwrap_or(now)).max(0).unsigned_abs());
    Duration::from_secs(expiry.get().into()).checked_sub(passed).filter(|left| !left.is_zero())
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        self.desk.retain == RetainMode::On
    }

    async fn set(&self, topic: &TopicName, retain: Retain, expiry: Option<Duration>) -> Result<()> {
        let space = self.desk.owners.space(&retain.from.id.client_id);
        let message = (!retain.publish.payload.is_empty())
            .then(|| (keep::head(&retain.from, &retain.publish), retain.publish.payload.clone()));
        self.put(&space, topic, retain, expiry).await?;
        self.note(&space, topic, message).await;
        Ok(())
    }

    async fn get(&self, filter: &TopicFilter) -> Result<Vec<(TopicName, Retain)>> {
        self.found(filter).await
    }

    async fn count(&self) -> isize {
        self.tree.count().await
    }

    async fn max(&self) -> isize {
        self.tree.max().await
    }
}
