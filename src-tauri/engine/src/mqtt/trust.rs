//! TLS failures in words: why a broker's certificate is not trusted, and why a broker refused us.

use crate::mqtt::failure::Failure;
use relayscope_domain::broker::Certificate;
use rustls::{AlertDescription, CertificateError, Error};

/// Why a server's certificate is not trusted, in words. Travels inside [`CertificateError::Other`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Distrust {
    /// What is wrong.
    pub words: String,
    /// What to do.
    pub advice: String,
    /// Whether only a person can mend it.
    pub fatal: bool,
}

/// What stays wrong until a person mends it.
fn known(words: String, advice: &str) -> Distrust {
    Distrust { words, advice: advice.to_owned(), fatal: true }
}

/// A refusal of a certificate in words; `chain` is what was shown, `asked` the name it was checked against, and `own_ca`
/// whether authorities were chosen.
pub(super) fn distrust(why: &CertificateError, asked: &str, chain: &[Certificate], own_ca: bool) -> Distrust {
    let Some(leaf) = chain.first() else {
        return known(
            "The broker's certificate is not readable.".into(),
            "Look at the broker's certificate file; it may be damaged.",
        );
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let old = chain.iter().find(|certificate| certificate.not_after < now).unwrap_or(leaf);
            known(
                format!("The certificate “{}” expired on {}.", old.subject, old.not_after_date()),
                "Have it renewed on the broker. If the date looks right, check this computer's clock.",
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let young = chain.iter().find(|certificate| certificate.not_before > now).unwrap_or(leaf);
            // A clock that is not set yet mends itself.
            Distrust {
                words: format!("The certificate “{}” is valid from {} only.", young.subject, young.not_before_date()),
                advice: "Check the clock of this computer and of the broker.".into(),
                fatal: false,
            }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = names(leaf);
            known(
                format!("The certificate is not for “{asked}”; it names {names}."),
                "Connect by a name the certificate carries, or enter that name as server name.",
            )
        }
        CertificateError::UnknownIssuer => unknown_issuer(leaf, chain.last().unwrap_or(leaf), own_ca),
        CertificateError::Revoked => {
            known(format!("The certificate “{}” was revoked.", leaf.subject), "Have it replaced on the broker.")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => known(
            format!("The certificate “{}” is not made for servers.", leaf.subject),
            "Have the broker's certificate made anew, with the purpose “server authentication”.",
        ),
        CertificateError::BadSignature => known(
            format!("The signature of the certificate “{}” is wrong.", leaf.subject),
            "The chain on the broker may mix certificates that do not belong together, or the authority was made anew.",
        ),
        other if other_is_ca(other) => known(
            format!("The broker shows the certificate of an authority, “{}”, as its own.", leaf.subject),
            "If it is self-signed and meant so, choose its file under own certificate authority.",
        ),
        other => known(
            format!("The broker's certificate can't be accepted: {}.", Error::InvalidCertificate(other.clone())),
            "Look at the broker's certificate; it may have to be made anew.",
        ),
    }
}

/// The names a certificate is for, eight at most.
fn names(leaf: &Certificate) -> String {
    match leaf.names.as_slice() {
        [] => format!("no host (its subject is “{}”)", leaf.subject),
        [some @ .., _] if some.len() >= 8 => format!("{}, …", some[..8].join(", ")),
        all => all.join(", "),
    }
}

fn unknown_issuer(leaf: &Certificate, top: &Certificate, own_ca: bool) -> Distrust {
    if leaf.subject == leaf.issuer {
        known(
            format!("The broker's certificate “{}” is self-signed, so nobody vouches for it.", leaf.subject),
            "If it is the broker's own, choose its file under own certificate authority.",
        )
    } else if own_ca {
        known(
            format!("The certificate was issued by “{}”, which the chosen authority does not vouch for.", top.issuer),
            "Choose the file of the authority that issued the broker's certificate.",
        )
    } else {
        known(
            format!("The certificate was issued by “{}”, which this system does not know.", top.issuer),
            "If it is a private authority, choose its file under own certificate authority.",
        )
    }
}

fn other_is_ca(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(inner) if inner.0.to_string().contains("CaUsedAsEndEntity"))
}

/// A failed handshake in words.
pub fn explain(error: &Error) -> Failure {
    let (words, advice, fatal): (String, &str, bool) = match error {
        Error::InvalidCertificate(CertificateError::Other(inner)) => match inner.0.downcast_ref::<Distrust>() {
            Some(found) => return Failure::new(&found.words, &found.advice, found.fatal),
            None => (
                format!("The broker's certificate can't be accepted: {inner}."),
                "Look at the broker's certificate.",
                true,
            ),
        },
        Error::InvalidCertificate(_) => (
            format!("The broker's certificate can't be accepted: {error}."),
            "Check the clock of this computer, and the broker's certificate.",
            true,
        ),
        Error::AlertReceived(alert) => return refused(*alert),
        Error::InvalidMessage(_) => (
            "The answer is not TLS.".into(),
            "This port speaks plain text. Choose a transport without TLS, or the TLS port (often 8883, or 443 for WebSocket).",
            false,
        ),
        Error::PeerIncompatible(why) => (
            format!("The broker and Relayscope have no TLS version or cipher in common ({why:?})."),
            "Have TLS 1.2 or 1.3 switched on at the broker.",
            true,
        ),
        Error::NoApplicationProtocol => (
            "The broker speaks none of the offered protocols (ALPN).".into(),
            "Correct the ALPN field, or leave it empty.",
            true,
        ),
        other => (format!("TLS failed: {other}."), "Look at the broker's log.", false),
    };
    Failure::new(words, advice, fatal)
}

fn refused(alert: AlertDescription) -> Failure {
    let (words, advice, fatal) = match alert {
        AlertDescription::CertificateRequired => {
            ("The broker asks for a client certificate.", "Choose a client certificate and its key.", true)
        }
        AlertDescription::CertificateExpired => {
            ("The broker says that our client certificate has expired.", "Choose a newer client certificate.", true)
        }
        AlertDescription::CertificateRevoked => {
            ("The broker says that our client certificate was revoked.", "Choose another client certificate.", true)
        }
        AlertDescription::UnknownCA => (
            "The broker does not know the authority of our client certificate.",
            "Choose a client certificate that the broker's authority issued.",
            true,
        ),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => (
            "The broker does not accept our client certificate.",
            "Choose the client certificate that belongs to this broker. Its log says more.",
            true,
        ),
        AlertDescription::HandshakeFailure => (
            "The broker refused the TLS handshake.",
            "It may ask for a client certificate, or for another TLS version. Its log says more.",
            true,
        ),
        AlertDescription::ProtocolVersion => {
            ("The broker speaks no TLS version that is safe.", "Have TLS 1.2 or 1.3 switched on at the broker.", true)
        }
        AlertDescription::NoApplicationProtocol => (
            "The broker speaks none of the offered protocols (ALPN).",
            "Correct the ALPN field, or leave it empty.",
            true,
        ),
        AlertDescription::UnrecognisedName => {
            ("The broker serves no such host name.", "Check the host; the broker chooses its certificate by it.", true)
        }
        other => {
            return Failure::new(
                format!("The broker ended the TLS handshake ({other:?})."),
                "Look at the broker's log.",
                false,
            );
        }
    };
    Failure::new(words, advice, fatal)
}
