//! SHA-256 of a token's value: what those who only compare tokens keep instead of the value.

use sha2::{Digest, Sha256};

/// SHA-256 of a token's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a token's value.
    pub fn of(value: &[u8]) -> Self {
        Self(Sha256::digest(value).into())
    }

    /// Its first eight bytes in hexadecimal: a name for what must not be named.
    pub fn short(&self) -> String {
        self.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
