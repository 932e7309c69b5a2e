//! What is wrong with something a person entered: all problems at once, each with the path of its field.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One problem of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// The field's path in the draft, in the page's spelling: `host`, `tls.ca`, `mappings.2.filter`.
    pub field: String,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

/// Collects problems while a draft is looked through, so that none hides another.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem of `field`.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { field: field.into(), message: message.into() });
    }

    /// Takes the value, or notes the message at `field`.
    pub fn take<T>(&mut self, field: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(field, message);
                None
            }
        }
    }

    /// `value` when nothing was noted, else everything that was.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Whether nothing was noted so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that was noted.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
