//! Tokens: saved, revealed, deleted when nobody uses them.

use super::{ChangeError, problem};
use crate::Engine;
use crate::api::wire::TokenView;
use crate::secrets;
use crate::store::{StoreError, StoredToken};
use relayscope_domain::id::TokenId;
use relayscope_domain::secret::{Secret, SecretDraft};
use relayscope_domain::token::{self, Region, Token, TokenDraft, TokenKind};

impl Engine {
    /// A new token's form.
    pub(crate) fn blank_token(&self) -> TokenDraft {
        TokenDraft {
            id: None,
            name: String::new(),
            kind: TokenKind::Network,
            region: Region::UsE1,
            value: SecretDraft::Keep,
            serial: String::new(),
            permission: Default::default(),
            expires: String::new(),
        }
    }

    /// All tokens as lists need them.
    pub(crate) async fn token_views(&self) -> Result<Vec<TokenView>, StoreError> {
        let relays = self.store.relays().await?;
        let view = |token: Token| TokenView {
            region_words: token.region.words(),
            expires: expires_words(token.expires_at),
            expired: token.is_expired(crate::feed::unix_millis(std::time::SystemTime::now())),
            users: relays
                .iter()
                .filter(|relay| relay.network_token_id == token.id || relay.authorization_id == token.id)
                .map(|relay| relay.name.clone())
                .collect(),
            token,
        };
        Ok(self.store.tokens().await?.into_iter().map(view).collect())
    }

    async fn users_of_token(&self, id: TokenId) -> Result<Vec<String>, StoreError> {
        let relays = self.store.relays().await?;
        let uses =
            |relay: &relayscope_domain::relay::Relay| relay.network_token_id == id || relay.authorization_id == id;
        Ok(relays.into_iter().filter(uses).map(|relay| relay.name).collect())
    }

    /// Saves a draft.
    pub(crate) async fn save_token(&self, draft: &TokenDraft) -> Result<TokenView, ChangeError> {
        token::check(draft).map_err(ChangeError::Invalid)?;
        let stored = match draft.id {
            Some(id) => Some(self.store.token(id).await?),
            None => None,
        };
        if stored.as_ref().is_some_and(|stored| stored.token.kind != draft.kind) {
            return Err(problem("kind", "The kind of a saved token can't be changed; make another one."));
        }
        let value = match (&draft.value, &stored) {
            (SecretDraft::Set { value }, _) => Secret::new(value.trim()),
            (SecretDraft::Generate, _) => secrets::generate_token(draft.kind),
            (SecretDraft::Keep, Some(stored)) => stored.value.clone(),
            (SecretDraft::Keep | SecretDraft::Clear, _) => return Err(problem("value", "Paste the token.")),
        };
        self.refuse_twin(draft, &value).await?;
        if let Some(stored) = stored.as_ref().filter(|stored| stored.token.region != draft.region) {
            let users = self.users_of_token(stored.token.id).await?;
            if !users.is_empty() {
                return Err(problem(
                    "region",
                    format!("The region is used by {}; change it there first.", users.join(", ")),
                ));
            }
        }
        let expires_at = if draft.kind == TokenKind::Device { expires_at(draft, stored.as_ref())? } else { None };
        let token = Token {
            id: draft.id.unwrap_or_else(|| TokenId(uuid::Uuid::new_v4())),
            name: draft.name.trim().to_owned(),
            kind: draft.kind,
            region: draft.region.clone(),
            last5: value.last5(),
            serial: Some(draft.serial.trim().to_owned())
                .filter(|serial| !serial.is_empty() && draft.kind == TokenKind::Device),
            permission: draft.permission,
            expires_at,
            created_at: stored.as_ref().map_or_else(
                || crate::feed::unix_millis(std::time::SystemTime::now()),
                |stored| stored.token.created_at,
            ),
            last_used_at: stored.and_then(|stored| stored.token.last_used_at),
        };
        self.store.save_token(&token, &value).await?;
        let users = self.users_of_token(token.id).await?;
        Ok(TokenView {
            region_words: token.region.words(),
            expires: expires_words(token.expires_at),
            expired: false,
            users,
            token,
        })
    }

    /// The same device token twice would leave open whose client it is.
    async fn refuse_twin(&self, draft: &TokenDraft, value: &Secret) -> Result<(), ChangeError> {
        let others = self.store.tokens_with_values().await?;
        let twin = others
            .iter()
            .find(|other| Some(other.token.id) != draft.id && other.token.kind == draft.kind && other.value == *value);
        match twin {
            Some(twin) => Err(problem("value", format!("This token is saved already, as “{}”.", twin.token.name))),
            None => Ok(()),
        }
    }

    /// Deletes a token that no relay uses. Clients that used a device token are disconnected by their broker.
    pub(crate) async fn delete_token(&self, id: TokenId) -> Result<(), ChangeError> {
        let users = self.users_of_token(id).await?;
        if !users.is_empty() {
            return Err(ChangeError::InUse(users));
        }
        Ok(self.store.delete_token(id).await?)
    }
}

/// The form's text of an expiry: local time to the minute, or nothing.
fn expires_words(at: Option<i64>) -> String {
    let local = at.and_then(chrono::DateTime::from_timestamp_millis).map(|at| at.with_timezone(&chrono::Local));
    local.map(|at| at.format("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// When a token of this form expires. A time that is past is refused, unless it was saved already.
fn expires_at(draft: &TokenDraft, stored: Option<&StoredToken>) -> Result<Option<i64>, ChangeError> {
    let text = draft.expires.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let kept = stored.and_then(|stored| stored.token.expires_at);
    if kept.is_some() && expires_words(kept) == text {
        return Ok(kept);
    }
    let at = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(text, format).ok());
    let at = at.or_else(|| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(23, 59, 59));
    let at = at.and_then(|at| at.and_local_timezone(chrono::Local).earliest());
    let Some(at) = at else {
        return Err(problem("expires", "Enter a date and a time, such as 2026-12-31 18:00, or nothing for never."));
    };
    if at < chrono::Local::now() {
        return Err(problem("expires", "This time is past; choose a later one, or delete the token."));
    }
    Ok(Some(at.timestamp_millis()))
}
