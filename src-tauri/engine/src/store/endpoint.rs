//! The endpoint's record: one value of the table `meta`, its secrets sealed inside it.

use super::{Store, StoreError, malformed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use relayscope_domain::endpoint::{EndpointSecrets, EndpointSettings};
use relayscope_domain::secret::Secret;
use serde::{Deserialize, Serialize};

/// Everything that is kept of the endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointRecord {
    /// Settings.
    pub settings: EndpointSettings,
    /// The certificate made here (PEM), once there is one.
    pub self_signed: Option<String>,
    /// Secrets.
    pub secrets: EndpointSecrets,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kept {
    settings: EndpointSettings,
    self_signed: Option<String>,
    // Sealed values, as Base64.
    token: Option<String>,
    key: Option<String>,
    self_signed_key: Option<String>,
}

const KEY: &str = "endpoint";

fn aad(what: &str) -> Vec<u8> {
    format!("endpoint/{what}").into_bytes()
}

impl Store {
    /// The endpoint's record, or its defaults.
    pub async fn endpoint(&self) -> Result<EndpointRecord, StoreError> {
        let kept: Kept = self.value(KEY).await?.unwrap_or_default();
        let unseal = |text: Option<String>, what: &str| -> Result<Option<Secret>, StoreError> {
            let Some(text) = text else { return Ok(None) };
            let sealed = STANDARD.decode(text).map_err(malformed("endpoint"))?;
            Ok(Some(self.vault.open_sealed(&sealed, &aad(what))?))
        };
        Ok(EndpointRecord {
            settings: kept.settings,
            self_signed: kept.self_signed,
            secrets: EndpointSecrets {
                token: unseal(kept.token, "token")?,
                key: unseal(kept.key, "key")?,
                self_signed_key: unseal(kept.self_signed_key, "self-signed-key")?,
            },
        })
    }

    /// Replaces the endpoint's record.
    pub async fn save_endpoint(&self, record: &EndpointRecord) -> Result<(), StoreError> {
        let seal = |secret: &Option<Secret>, what: &str| -> Result<Option<String>, StoreError> {
            Ok(match secret {
                Some(secret) => Some(STANDARD.encode(self.vault.seal(secret, &aad(what))?)),
                None => None,
            })
        };
        let kept = Kept {
            settings: record.settings.clone(),
            self_signed: record.self_signed.clone(),
            token: seal(&record.secrets.token, "token")?,
            key: seal(&record.secrets.key, "key")?,
            self_signed_key: seal(&record.secrets.self_signed_key, "self-signed-key")?,
        };
        self.set_value(KEY, Some(&kept)).await
    }
}
