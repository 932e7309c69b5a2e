//! The rule behind `/acl`: which topics a client of the user's own broker may use.
//!
//! A pattern is a topic filter in which `%u` stands for the user name and `%c` for the client id, as in Mosquitto's own
//! pattern ACLs. As there, a name that could widen the pattern (`/`, `+`, `#`) is allowed nothing by it.

use crate::topic;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Most patterns a rule has.
pub(super) const MAX_PATTERNS: usize = 200;

/// What `/acl` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Acl {
    /// Every topic, as in the official relay.
    #[default]
    All,
    /// What one of the patterns allows.
    Patterns {
        /// The patterns.
        patterns: Vec<AclPattern>,
    },
}

/// Topics, and what may be done with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AclPattern {
    /// Topic filter with `%u` and `%c`.
    pub pattern: String,
    /// What it allows.
    pub access: AclAccess,
}

/// What a pattern allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AclAccess {
    /// Subscribe and receive.
    Read,
    /// Publish.
    Write,
    /// Both.
    #[default]
    ReadWrite,
}

/// What mosquitto-go-auth asks.
#[derive(Clone, Copy, Debug)]
pub struct AclRequest<'a> {
    /// User name; may be empty.
    pub user: &'a str,
    /// Client id.
    pub client: &'a str,
    /// Topic, or the filter of a subscription.
    pub topic: &'a str,
    /// 1 read, 2 write, 3 read and write, 4 subscribe (mosquitto_plugin.h, `MOSQ_ACL_*`).
    pub access: u8,
}

/// Checks a pattern.
pub(super) fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        if !rest.starts_with(['u', 'c']) {
            return Err("After % stands u for the user name or c for the client id.".into());
        }
    }
    if pattern.starts_with("$share") {
        return Err("A pattern names topics; a shared subscription is allowed by the filter inside it.".into());
    }
    let filled = pattern.replace("%u", "u").replace("%c", "c");
    topic::check_filter(&filled).map_err(|message| message.replace("The filter", "The pattern"))
}

/// Whether the rule allows what is asked.
pub fn allows(acl: &Acl, asked: &AclRequest<'_>) -> bool {
    let patterns = match acl {
        Acl::All => return true,
        Acl::Patterns { patterns } => patterns,
    };
    let one = |right: Right| {
        patterns.iter().any(|pattern| pattern.access.includes(right) && reaches(&pattern.pattern, asked, right))
    };
    match asked.access {
        1 => one(Right::Read),
        2 => one(Right::Write),
        3 => one(Right::Read) && one(Right::Write),
        4 => one(Right::Subscribe),
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Read,
    Write,
    Subscribe,
}

impl AclAccess {
    fn includes(self, right: Right) -> bool {
        match self {
            Self::Read => right != Right::Write,
            Self::Write => right == Right::Write,
            Self::ReadWrite => true,
        }
    }
}

fn reaches(pattern: &str, asked: &AclRequest<'_>, right: Right) -> bool {
    let unfit = |name: &str| name.is_empty() || name.contains(['/', '+', '#']);
    if pattern.contains("%u") && unfit(asked.user) || pattern.contains("%c") && unfit(asked.client) {
        return false;
    }
    let filter = fill(pattern, asked);
    if right == Right::Subscribe {
        let plain = asked.topic.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        return covers(&filter, plain.map_or(asked.topic, |(_, inner)| inner));
    }
    topic::check_topic(asked.topic).is_ok() && topic::matches(&filter, asked.topic)
}

/// The pattern with the names in it; one pass, so that a name with a `%` in it stays a name.
fn fill(pattern: &str, asked: &AclRequest<'_>) -> String {
    let mut filled = String::with_capacity(pattern.len() + asked.user.len() + asked.client.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        filled.push_str(&rest[..at]);
        filled.push_str(if rest[at + 1..].starts_with('u') { asked.user } else { asked.client });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    filled.push_str(rest);
    filled
}

/// Whether every topic that `filter` matches is matched by `allowed`.
fn covers(allowed: &str, filter: &str) -> bool {
    if topic::check_filter(filter).is_err() || filter.starts_with('$') && allowed.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = filter.split('/');
    for wanted in allowed.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some("#") | None => return false,
            Some(level) if wanted == "+" || wanted == level => {}
            Some(_) => return false,
        }
    }
    levels.next().is_none()
}
