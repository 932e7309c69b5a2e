//! A value that must not be seen: passwords, private keys, tokens.
//!
//! [`Secret`] has no `Serialize`, and its `Debug` and `Display` show the last five characters at most, so a secret can't
//! reach a log, an event or the page by accident. Only [`Secret::expose`] gives it out.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// A secret in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends or shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last five characters, as TagoIO's own Live Inspector shows a token; nothing of a value shorter than ten.
    pub fn last5(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        if chars.len() < 10 { String::new() } else { chars[chars.len() - 5..].iter().collect() }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(…{})", self.last5())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.last5())
    }
}

/// What a form does with a secret that the page never saw.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum SecretDraft {
    /// Leaves the stored value as it is.
    #[default]
    Keep,
    /// Replaces it.
    Set {
        /// The new value.
        value: String,
    },
    /// Removes it.
    Clear,
    /// Has the engine make a new one (tokens of the local stand-in and the embedded broker).
    Generate,
}

impl fmt::Debug for SecretDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Set { .. } => "Set(…)",
            Self::Clear => "Clear",
            Self::Generate => "Generate",
        })
    }
}
