//! Tokens: what TagoIO and the embedded broker ask for, where they are valid, and how a draft is checked.

use crate::id::TokenId;
use crate::problem::{Problem, Problems};
use crate::secret::SecretDraft;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a token is for (TagoIO: Integrations › Network, Devices › Authorization, Device › Token).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TokenKind {
    /// Names the network whose parser takes the data; sent as header `Authorization`.
    Network,
    /// Lets a service act for a whole profile; sent as `authorization_token`.
    Authorization,
    /// Belongs to one device; password at the embedded broker.
    Device,
}

impl TokenKind {
    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Network => "network token",
            Self::Authorization => "authorization",
            Self::Device => "device token",
        }
    }
}

/// Where a token is valid, and with it the address of the API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Region {
    /// United States: `https://api.us-e1.tago.io`.
    UsE1,
    /// Europe: `https://api.eu-w1.tago.io`.
    EuW1,
    /// The classic address: `https://api.tago.io`.
    Classic,
    /// The stand-in inside Relayscope.
    Local,
    /// Another address (TagoDeploy, a proxy).
    Own {
        /// `http://` or `https://` and a host.
        url: String,
    },
}

impl Region {
    /// The base address without a trailing slash; `None` for [`Region::Local`], whose port is known at run time only.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::UsE1 => Some("https://api.us-e1.tago.io".into()),
            Self::EuW1 => Some("https://api.eu-w1.tago.io".into()),
            Self::Classic => Some("https://api.tago.io".into()),
            Self::Local => None,
            Self::Own { url } => Some(url.trim().trim_end_matches('/').to_owned()),
        }
    }

    /// The region that an address means: one of ours when it is known, else [`Region::Own`].
    pub fn from_url(url: &str) -> Self {
        let bare = url.trim().trim_end_matches('/');
        for region in [Self::UsE1, Self::EuW1, Self::Classic] {
            if region.url().as_deref() == Some(bare) {
                return region;
            }
        }
        Self::Own { url: bare.to_owned() }
    }

    /// The region in words.
    pub fn words(&self) -> String {
        match self {
            Self::UsE1 => "TagoIO us-e1".into(),
            Self::EuW1 => "TagoIO eu-w1".into(),
            Self::Classic => "TagoIO (api.tago.io)".into(),
            Self::Local => "local stand-in".into(),
            Self::Own { url } => url.clone(),
        }
    }
}

/// Checks a region's own address.
pub fn check_region(region: &Region) -> Result<(), String> {
    let Region::Own { url } = region else { return Ok(()) };
    let rest = url
        .trim()
        .strip_prefix("https://")
        .or_else(|| url.trim().strip_prefix("http://"))
        .ok_or("The address begins with https:// or http://.")?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("The address carries a user name or password; leave that out.".into());
    }
    if rest.contains(['?', '#']) {
        return Err("The address ends before any ? or #.".into());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port == "0") {
        return Err("The port in the address is a number from 1 to 65535.".into());
    }
    crate::broker::check_host(host).map_err(|_| "The address names no valid host.".to_owned())
}

/// What a device token allows at the embedded broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Permission {
    /// Subscribe only.
    Read,
    /// Publish only.
    Write,
    /// Both.
    #[default]
    Full,
}

/// A saved token without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Identity.
    pub id: TokenId,
    /// What people call it; unique among tokens of the kind.
    pub name: String,
    /// What it is for.
    pub kind: TokenKind,
    /// Where it is valid.
    pub region: Region,
    /// Last five characters of the value.
    pub last5: String,
    /// Device tokens: the device's serial.
    pub serial: Option<String>,
    /// Device tokens: what it allows.
    pub permission: Permission,
    /// Device tokens: when it stops being valid, Unix milliseconds.
    pub expires_at: Option<i64>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds of the last time it was sent or accepted.
    pub last_used_at: Option<i64>,
}

impl Token {
    /// Whether it stopped being valid before `now`, Unix milliseconds.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// What the token form holds.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TokenDraft {
    /// `None` makes a new token.
    pub id: Option<TokenId>,
    /// Name.
    pub name: String,
    /// Kind; can't be changed later.
    pub kind: TokenKind,
    /// Region.
    pub region: Region,
    /// Value.
    pub value: SecretDraft,
    /// Device tokens: the device's serial.
    pub serial: String,
    /// Device tokens: what it allows.
    pub permission: Permission,
    /// Device tokens: the local time at which it stops being valid, as `2026-12-31T18:00`; empty for never.
    #[serde(default)]
    pub expires: String,
}

/// Checks a draft; returns all problems.
pub fn check(draft: &TokenDraft) -> Result<(), Vec<Problem>> {
    let mut problems = Problems::default();
    let name = draft.name.trim();
    if name.is_empty() {
        problems.add("name", "Give the token a name.");
    } else if name.chars().count() > 80 {
        problems.add("name", "A name has at most 80 characters.");
    }
    if let Err(message) = check_region(&draft.region) {
        problems.add("region.url", message);
    }
    match &draft.value {
        SecretDraft::Set { value } => {
            if let Err(message) = check_value(draft.kind, value) {
                problems.add("value", message);
            }
        }
        SecretDraft::Generate if draft.region != Region::Local && draft.kind != TokenKind::Device => {
            problems.add("value", "Only TagoIO makes tokens for TagoIO; paste yours here.");
        }
        SecretDraft::Keep if draft.id.is_none() => problems.add("value", "Paste the token."),
        SecretDraft::Clear => problems.add("value", "A token has a value; delete the token instead."),
        SecretDraft::Keep | SecretDraft::Generate => {}
    }
    problems.finish(())
}

/// Checks the value of a token: printable ASCII without spaces, and not evidently of another kind (tokens of TagoIO are
/// UUIDs, authorizations are `at` and 32 hexadecimal digits; TagoTiP specification, section 2).
pub fn check_value(kind: TokenKind, value: &str) -> Result<(), String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("Paste the token.".into());
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "A token has no spaces and only ASCII characters; part of the copied text may be something else.".into()
        );
    }
    if value.len() > 256 {
        return Err("A token has at most 256 characters; more than the token may have been copied.".into());
    }
    let looks_authorization =
        value.len() == 34 && value.starts_with("at") && value[2..].bytes().all(|byte| byte.is_ascii_hexdigit());
    let looks_uuid = value.len() == 36 && uuid::Uuid::parse_str(value).is_ok();
    match kind {
        TokenKind::Network | TokenKind::Device if looks_authorization => {
            Err(format!("This looks like an authorization (at…), not a {}.", kind.words()))
        }
        TokenKind::Authorization if looks_uuid => {
            Err("This looks like a network or device token, not an authorization (at and 32 hexadecimal digits)."
                .into())
        }
        TokenKind::Network | TokenKind::Device | TokenKind::Authorization => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn own(url: &str) -> Region {
        Region::Own { url: url.to_owned() }
    }

    fn draft() -> TokenDraft {
        TokenDraft {
            id: None,
            name: "Plant".into(),
            kind: TokenKind::Network,
            region: Region::UsE1,
            value: SecretDraft::Set { value: "fd549ad2-0b1a-4a51-9e0b-7c2a8f0e1d2c".into() },
            serial: String::new(),
            permission: Permission::Full,
            expires: String::new(),
        }
    }

    fn fields(draft: &TokenDraft) -> Vec<String> {
        check(draft).err().unwrap_or_default().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn known_addresses_are_regions() {
        for region in [Region::UsE1, Region::EuW1, Region::Classic] {
            let url = region.url().unwrap();
            assert_eq!(Region::from_url(&url), region);
            assert_eq!(Region::from_url(&format!(" {url}/ ")), region);
        }
        assert_eq!(Region::from_url("https://api.plant.example/"), own("https://api.plant.example"));
        assert_eq!(own(" https://api.plant.example// ").url().unwrap(), "https://api.plant.example");
        assert_eq!(Region::Local.url(), None);
    }

    #[test]
    fn regions_are_checked() {
        for good in [
            "https://api.plant.example",
            " https://api.plant.example/ ",
            "http://127.0.0.1:8080",
            "https://[::1]:8443/base",
            "http://[::1]",
            "https://localhost",
        ] {
            assert_eq!(check_region(&own(good)), Ok(()), "{good}");
        }
        for bad in [
            "",
            "api.plant.example",
            "ftp://a.example",
            "https://",
            "https://user:secret@a.example",
            "https://a.example?x=1",
            "https://a.example/#x",
            "https://a.example:0",
            "https://a.example:99999",
            "https://a.example:",
            "https://a b",
            "https://::1",
            "https://[127.0.0.1]",
        ] {
            assert!(check_region(&own(bad)).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn values_of_another_kind_are_recognised() {
        let uuid = "fd549ad2-0b1a-4a51-9e0b-7c2a8f0e1d2c";
        let authorization = "at0123456789abcdef0123456789abcdef";
        for (kind, value, good) in [
            (TokenKind::Network, uuid, true),
            (TokenKind::Device, uuid, true),
            (TokenKind::Authorization, authorization, true),
            (TokenKind::Network, authorization, false),
            (TokenKind::Device, authorization, false),
            (TokenKind::Authorization, uuid, false),
            // TagoDeploy and stand-ins may have other forms.
            (TokenKind::Network, "my-own-token", true),
            (TokenKind::Authorization, "my-own-token", true),
            (TokenKind::Network, "  fd549ad2-0b1a-4a51-9e0b-7c2a8f0e1d2c\n", true),
            (TokenKind::Network, "", false),
            (TokenKind::Network, "two words", false),
            (TokenKind::Network, "tökén", false),
        ] {
            assert_eq!(check_value(kind, value).is_ok(), good, "{kind:?} {value:?}");
        }
        assert!(check_value(TokenKind::Device, &"x".repeat(257)).is_err());
    }

    #[test]
    fn drafts_show_every_problem_at_its_field() {
        assert!(fields(&draft()).is_empty());
        let bad = TokenDraft { name: " ".into(), region: own("x"), value: SecretDraft::Keep, ..draft() };
        assert_eq!(fields(&bad), ["name", "region.url", "value"]);
        assert_eq!(fields(&TokenDraft { name: "é".repeat(81), ..draft() }), ["name"]);
        assert_eq!(fields(&TokenDraft { value: SecretDraft::Clear, ..draft() }), ["value"]);
        // A saved token keeps its value.
        let saved = TokenDraft { id: Some(TokenId(uuid::Uuid::nil())), value: SecretDraft::Keep, ..draft() };
        assert!(fields(&saved).is_empty());
    }

    #[test]
    fn tokens_are_made_for_our_own_parts_only() {
        let generate = TokenDraft { value: SecretDraft::Generate, ..draft() };
        assert_eq!(fields(&generate), ["value"]);
        assert!(fields(&TokenDraft { region: Region::Local, ..generate.clone() }).is_empty());
        assert!(fields(&TokenDraft { kind: TokenKind::Device, ..generate }).is_empty());
    }

    #[test]
    fn names_in_json_are_the_pages() {
        assert_eq!(serde_json::to_string(&Region::UsE1).unwrap(), r#"{"kind":"usE1"}"#);
        assert_eq!(serde_json::to_string(&own("https://x")).unwrap(), r#"{"kind":"own","url":"https://x"}"#);
        assert_eq!(serde_json::to_string(&TokenKind::Authorization).unwrap(), r#""authorization""#);
    }
}
