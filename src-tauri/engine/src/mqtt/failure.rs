//! A failure in words: what a connection's error means to a person.

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened: one sentence.
    pub words: String,
    /// What to do; empty when there is nothing but to wait.
    pub advice: String,
    /// Whether only a person can mend it, so that trying again is of no use.
    pub fatal: bool,
    /// The MQTT code that came, if one did.
    pub code: Option<u8>,
}

impl Failure {
    /// A failure without a code.
    pub fn new(words: impl Into<String>, advice: impl Into<String>, fatal: bool) -> Self {
        Self { words: words.into(), advice: advice.into(), fatal, code: None }
    }
}
