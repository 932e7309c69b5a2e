//! SHA-256 of a token's value: what those who only compare tokens keep instead of the value.

use sha2::{Digest, Sha256};

/// SHA-256 of a token's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a token's value.
    pub fn of(value: &[u8]) -> Self {
        Self(Sha256::digest(value).into())
    }
}
