//! Which servers are trusted: those that authorities vouch for, or the holder of one known certificate.
//!
//! With authorities it is rustls's own verifier with three additions: it may check another name than the host, it accepts a
//! self-signed server certificate that was chosen as authority itself, and its refusals carry the names and dates a person
//! needs ([`Distrust`](crate::mqtt::trust::Distrust)).

use super::{Presented, provider};
use crate::mqtt::trust::distrust;
use relayscope_domain::broker::Certificate;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use std::sync::Arc;

/// Which servers are trusted.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Those that authorities vouch for.
    Authorities {
        /// Checks against all authorities.
        inner: Arc<WebPkiServerVerifier>,
        /// The chosen authorities; empty when the system's are trusted.
        own: Vec<CertificateDer<'static>>,
        /// Whether they were chosen.
        own_ca: bool,
        /// The name to check against; `None` is the host.
        name: Option<ServerName<'static>>,
        /// Where what is presented is kept.
        presented: Option<Presented>,
    },
    /// The one with this certificate and no other.
    Exactly(CertificateDer<'static>),
}

/// The beginning of a configuration that trusts so; whether a client certificate is shown is open.
pub(crate) fn trusting(trust: Trust) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Verifier { trust, provider })))
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (inner, own, own_ca, name) = match &self.trust {
            Trust::Exactly(known) if end_entity == known => return Ok(ServerCertVerified::assertion()),
            Trust::Exactly(_) => {
                return Err(Error::General("another certificate than the configured one was shown".into()));
            }
            Trust::Authorities { inner, own, own_ca, name, presented } => {
                if let Some(presented) = presented {
                    let chain = std::iter::once(end_entity).chain(intermediates);
                    presented.keep(chain.map(|der| der.clone().into_owned()).collect());
                }
                (inner, own, *own_ca, name.as_ref().unwrap_or(server_name))
            }
        };
        let result = if own.iter().any(|der| der == end_entity) {
            verify_chosen(end_entity, name, now)
        } else {
            inner.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        result.map_err(|error| match error {
            Error::InvalidCertificate(why) => {
                let chain: Vec<Certificate> = std::iter::once(end_entity)
                    .chain(intermediates)
                    .filter_map(|der| Certificate::from_der(der).ok())
                    .collect();
                let distrust = distrust(&why, &name.to_str(), &chain, own_ca);
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(distrust))))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The server showed the very certificate that was chosen as authority: a self-signed one. That it holds the key is
/// proven by the handshake's signature; name and dates are checked here.
fn verify_chosen(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
    let parsed = rustls::server::ParsedCertificate::try_from(leaf)?;
    rustls::client::verify_server_name(&parsed, name)?;
    let Ok(certificate) = Certificate::from_der(leaf) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if seconds > certificate.not_after {
        return Err(CertificateError::Expired.into());
    }
    if seconds < certificate.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    Ok(ServerCertVerified::assertion())
}
