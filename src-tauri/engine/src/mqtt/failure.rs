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
    /// One that only a person can mend.
    pub fn fatal(words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(words, advice, true)
    }

    /// One that may be gone the next time.
    pub fn passing(words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(words, advice, false)
    }

    /// A failure without a code; `fatal` when only a person can mend it.
    pub fn new(words: impl Into<String>, advice: impl Into<String>, fatal: bool) -> Self {
        Self { words: words.into(), advice: advice.into(), fatal, code: None }
    }
}
