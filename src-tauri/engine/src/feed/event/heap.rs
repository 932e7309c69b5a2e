//! What an event's parts take in memory, as an allocator gives it out: the feed's budget counts it. Knows sizes, nothing of
//! what the parts mean.

use super::Kind;
use bytes::Bytes;
use std::sync::Arc;

impl Kind {
    pub(super) fn heap(&self) -> usize {
        // Shared texts are counted as if owned: the budget errs on the safe side.
        match self {
            Self::Accepted { listener } => shared(listener),
            Self::Secured { result: Ok(facts) } => words(facts),
            Self::Secured { result: Err(reason) } => string(reason),
            Self::Connect { facts, detail, will, .. } => words(facts) + shared(detail) + will.as_ref().map_or(0, bytes),
            Self::Connected { token_last5, detail, facts, .. } => string(token_last5) + string(detail) + words(facts),
            Self::Acknowledged { topic, reason, .. } => shared(topic) + string(reason),
            Self::Malformed { bytes: first, reason, .. } => bytes(first) + string(reason),
            Self::Ping { .. } | Self::OverLimit { .. } => 0,
            Self::Closed { cause, .. } => string(cause),
            Self::Refused { reason, .. } | Self::Disconnected { reason, .. } => string(reason),
            Self::Subscribed { filter, granted, .. } => shared(filter) + granted.as_ref().err().map_or(0, string),
            Self::Unsubscribed { filter } => shared(filter),
            Self::Publish { topic, payload, properties, .. } => shared(topic) + bytes(payload) + words(properties),
            Self::Queued { topic, .. } => shared(topic),
            Self::Delivered { topic, answer, .. } => shared(topic) + shared(answer),
            Self::DryRun { topic, request } => shared(topic) + string(request),
            Self::Retry { topic, reason, .. }
            | Self::DeadLetter { topic, reason, .. }
            | Self::Dropped { topic, reason, .. } => shared(topic) + string(reason),
            Self::Note { text, .. } => string(text),
        }
    }
}

/// What an allocation of `bytes` takes: a word beside it, in steps of 16 bytes (glibc's malloc).
fn given(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

fn string(text: &String) -> usize {
    given(text.capacity())
}

// Two counts stand before the text.
fn shared(text: &Arc<str>) -> usize {
    given(text.len() + 16)
}

// 24: what `Bytes` keeps beside shared bytes.
fn bytes(bytes: &Bytes) -> usize {
    given(bytes.len()) + given(24)
}

fn words(facts: &[(String, String)]) -> usize {
    facts.iter().map(|(name, value)| string(name) + string(value) + size_of::<(String, String)>()).sum()
}
