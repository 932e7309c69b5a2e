//! Changes of the configuration, as people make them: a draft is checked as a whole, joined with the secrets the page
//! never saw, and saved; or nothing is. What runs afterwards is the supervisor's business.

mod brokers;
mod decoders;
mod demo;
mod endpoint;
mod import;
mod listeners;
mod ports;
mod relays;
mod taps;
mod tokens;

pub(crate) use brokers::pem_words;
pub(crate) use demo::DemoRecord;
pub(crate) use relays::paused_key;

use crate::secrets::SecretError;
use crate::store::StoreError;
use relayscope_domain::problem::Problem;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// What was entered is not valid: every problem at its field.
    #[error("{} must be corrected.", if .0.len() == 1 { "One field".to_owned() } else { format!("{} fields", .0.len()) })]
    Invalid(Vec<Problem>),
    /// It is used by these.
    #[error("It is in use by {}.", .0.join(", "))]
    InUse(Vec<String>),
    /// Reading or writing failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken(name) => Self::Invalid(vec![Problem {
                field: "name".into(),
                message: format!("The name “{name}” is taken; choose another."),
            }]),
            other @ (StoreError::InUse
            | StoreError::NotFound
            | StoreError::Malformed(..)
            | StoreError::Secret(_)
            | StoreError::Disk(_)
            | StoreError::Sql(..)) => Self::Store(other),
        }
    }
}

impl From<SecretError> for ChangeError {
    fn from(error: SecretError) -> Self {
        Self::Store(error.into())
    }
}

impl ChangeError {
    /// One problem at its field.
    pub(crate) fn at(field: &str, message: impl Into<String>) -> Self {
        problem(field, message)
    }
}

fn problem(field: &str, message: impl Into<String>) -> ChangeError {
    ChangeError::Invalid(vec![Problem { field: field.to_owned(), message: message.into() }])
}

/// Unix seconds of now.
pub(crate) fn unix_seconds() -> i64 {
    crate::feed::unix_millis(std::time::SystemTime::now()).div_euclid(1_000)
}
