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
use rmqtt::shared::RetainLoadCallback;
use rmqtt::types::{From, Id, MsgID, NodeId, Retain, TopicFilter, TopicName};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Messages that are loaded at once for a new subscription.
const PAGE: usize = 256;

/// Stands for a leading $: rmqtt takes no such level but the first.
const DOLLAR: char = '\u{1}';

/// Where a topic, or a filter, lies in a space.
fn key(space: &str, topic: &str) -> String {
    match topic.strip_prefix('$') {
        Some(rest) => format!("{space}/{DOLLAR}{rest}"),
        None => format!("{space}/{topic}"),
    }
}

/// The space and the topic of a key.
fn place(key: &str) -> Option<(&str, String)> {
    key.split_once('/').map(|(space, topic)| (space, topic.replacen(DOLLAR, "$", 1)))
}

/// Where retained messages stand: space and topic of each, and the key of the last one.
struct Page {
    last: Box<str>,
    places: Vec<(String, String)>,
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
    /// The keys in order, so that a long list can be read page by page.
    keys: Arc<RwLock<BTreeSet<Box<str>>>>,
    desk: Arc<Desk>,
}

impl Retained {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { tree: Arc::new(DefaultRetainStorage::new()), keys: Arc::default(), desk }
    }

    async fn put(&self, space: &str, topic: &str, mut retain: Retain, expiry: Option<Duration>) -> Result<()> {
        // The space travels where rmqtt carries a user name; nobody else reads it there.
        let from = Id::new(retain.from.id.node_id, 0, None, None, retain.from.id.client_id.clone(), Some(space.into()));
        retain.from = From::from_custom(from);
        // Zero is our setting for "never"; the storage would take it for "at once".
        let expiry = expiry.filter(|expiry| !expiry.is_zero());
        let key = key(space, topic);
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            match retain.publish.payload.is_empty() {
                true => keys.remove(&*key),
                false => keys.insert(key.as_str().into()),
            };
        }
        self.tree.set_with_timeout(&key.into(), retain, expiry).await
    }

    /// Hands what matches a new subscription to `receiver`, which may take its time: no more than a page is in memory for
    /// it meanwhile, however much there is.
    pub(super) async fn load(
        &self,
        filter: &str,
        receiver: &Arc<dyn RetainLoadCallback>,
    ) -> Result<Vec<(NodeId, MsgID)>> {
        let found = self.found("+", filter).await?;
        if found.len() <= PAGE {
            return receiver.on_retains(found).await;
        }
        drop(found);
        let (mut excluded, mut after) = (vec![], Bound::Unbounded);
        while let Some(Page { last, places }) = self.page(filter, after) {
            let mut page = vec![];
            for (space, topic) in places {
                page.extend(self.found(&space, &topic).await?);
            }
            excluded.extend(receiver.on_retains(page).await?);
            after = Bound::Excluded(last);
        }
        Ok(excluded)
    }

    /// The next spaces and topics that match a filter, and the key of the last one.
    fn page(&self, filter: &str, after: Bound<Box<str>>) -> Option<Page> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        let mut places = vec![];
        for key in keys.range((after, Bound::Unbounded)) {
            let Some((space, topic)) = place(key).filter(|(_, topic)| topic::matches(filter, topic)) else { continue };
            places.push((space.to_owned(), topic));
            last = Some(key);
            if places.len() == PAGE {
                break;
            }
        }
        Some(Page { last: last?.clone(), places })
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
        let found = self.found("+", filter).await.unwrap_or_default();
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

    /// What matches a filter in a space; `+` is every space.
    async fn found(&self, space: &str, filter: &str) -> Result<Vec<(TopicName, Retain)>> {
        let mut found = vec![];
        for (key, mut retain) in self.tree.get_message(&key(space, filter).into()).await? {
            let Some((_, topic)) = &place(&key) else { continue };
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
        self.found("+", filter).await
    }

    async fn count(&self) -> isize {
        self.tree.count().await
    }

    async fn max(&self) -> isize {
        self.tree.max().await
    }
}
