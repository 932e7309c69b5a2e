//! Where relays deliver to: requests are built and answers classified here, one file per destination.
//! Knows nothing of queues, lanes and retries' timing.

mod connection;
pub mod http;
pub mod tagoio;
pub mod verify;

use std::sync::Arc;
use std::time::Duration;

/// One attempt to deliver a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What came of it.
    pub outcome: Outcome,
    /// HTTP status, when an answer came.
    pub status: Option<u16>,
    /// From sending to the end of the answer.
    pub took: Duration,
    /// What the destination said: its message, cut, without secrets.
    pub answer: Arc<str>,
}

/// What comes of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Taken.
    Delivered,
    /// Not taken now; worth another try.
    Retry {
        /// How long the destination asks to wait.
        after: Option<Duration>,
        /// Why, in words.
        reason: String,
        /// Whether others would fare the same: no answer, 429, 503.
        everyone: bool,
    },
    /// Will never be taken as it is.
    Reject {
        /// Why, in words.
        reason: String,
    },
    /// The credentials are refused: nothing will be taken until a person mends them.
    Refused {
        /// Why, in words.
        reason: String,
    },
}
