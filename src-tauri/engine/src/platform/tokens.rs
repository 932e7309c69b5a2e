//! Which tokens the stand-in takes: a handle whose table is replaced as a whole by whoever keeps the tokens.

use crate::fingerprint::Fingerprint;
use relayscope_domain::id::TokenId;
use relayscope_domain::token::TokenKind;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A token the stand-in takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformToken {
    /// What it is for.
    pub kind: TokenKind,
    /// The saved token.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
}

/// The table of tokens; clones share it.
#[derive(Clone, Default)]
pub struct PlatformTokens {
    table: Arc<RwLock<HashMap<Fingerprint, PlatformToken>>>,
}

impl PlatformTokens {
    /// Replaces the whole table; it holds from the next request on.
    pub fn replace(&self, tokens: impl IntoIterator<Item = (Fingerprint, PlatformToken)>) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = tokens.into_iter().collect();
    }

    /// The token with this value.
    pub(super) fn find(&self, value: &str) -> Option<PlatformToken> {
        let fingerprint = Fingerprint::of(value.trim().as_bytes());
        self.table.read().unwrap_or_else(PoisonError::into_inner).get(&fingerprint).cloned()
    }
}
