//! What was last seen as retained on each topic, so that a broker's repetition upon subscribing is recognised.

use super::{Queue, QueueError, failed};
use relayscope_domain::id::RelayId;
use sqlx::Row;

impl Queue {
    /// The digest of the last retained message of a topic, if one was seen.
    pub async fn last_retained(&self, relay: RelayId, topic: &str) -> Result<Option<u64>, QueueError> {
        let row = sqlx::query("SELECT digest FROM retained WHERE relay_id = ? AND topic = ?")
            .bind(relay.0.as_bytes().as_slice())
            .bind(topic)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read"))?;
        let digest = row.and_then(|row| row.get::<Vec<u8>, _>(0).try_into().ok());
        Ok(digest.map(u64::from_be_bytes))
    }
}
