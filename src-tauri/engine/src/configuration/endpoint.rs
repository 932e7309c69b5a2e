//! The HTTP endpoint: draft to saved record and back, its token, its certificate, and what a relay's page says of it.

use super::{ChangeError, pem_words, problem, unix_seconds};
use crate::Engine;
use crate::api::wire::{DownlinkView, EndpointCertificate, EndpointView, Tone};
use crate::causes::chain;
use crate::endpoint::{EndpointTlsError, tls, words};
use crate::mqtt::tls::ders;
use crate::runtime::{UnitKey, UnitStatus};
use crate::store::{EndpointRecord, StoreError};
use relayscope_domain::broker::Certificate;
use relayscope_domain::endpoint::{
    self, EndpointAccess, EndpointDraft, EndpointSecrets, EndpointSettings, EndpointTls,
};
use relayscope_domain::id::RelayId;
use relayscope_domain::secret::{Secret, SecretDraft};

// A certificate that ends sooner is worth a word.
const SOON_SECONDS: i64 = 30 * 86_400;

impl Engine {
    /// The endpoint as its form needs it.
    pub(crate) async fn endpoint_view(&self) -> Result<EndpointView, StoreError> {
        Ok(view(&self.store.endpoint().await?))
    }

    /// Saves a draft; endpoints that listen start again with it.
    pub(crate) async fn save_endpoint(&self, draft: &EndpointDraft) -> Result<EndpointView, ChangeError> {
        let stored = self.store.endpoint().await?;
        let token_before = stored.secrets.token.clone();
        let has_key = stored.settings.tls == EndpointTls::Own && stored.secrets.key.is_some();
        let settings = endpoint::check(draft, unix_seconds(), has_key).map_err(ChangeError::Invalid)?;
        let mut record = EndpointRecord {
            secrets: secrets(draft, &settings, stored.secrets),
            self_signed: stored.self_signed,
            settings,
        };
        if record.settings.tls == EndpointTls::SelfSigned && record.secrets.self_signed_key.is_none() {
            make_certificate(&mut record)?;
        }
        tls::server(&record).map_err(|error| refused(&error))?;
        self.store.save_endpoint(&record).await?;
        let made = record.secrets.token.as_ref().filter(|token| token_before.as_ref() != Some(token));
        let new_token = made.map(|token| token.expose().to_owned());
        Ok(EndpointView { new_token, ..view(&record) })
    }

    /// Makes a new self-signed certificate for the names that are saved now.
    pub(crate) async fn renew_endpoint_certificate(&self) -> Result<EndpointView, ChangeError> {
        let mut record = self.store.endpoint().await?;
        make_certificate(&mut record)?;
        self.store.save_endpoint(&record).await?;
        Ok(view(&record))
    }

    /// The way of downlinks to a relay, in words.
    pub(crate) async fn downlink_view(&self, id: RelayId) -> Result<DownlinkView, StoreError> {
        let relay = self.store.relay(id).await?;
        let settings = self.store.endpoint().await?.settings;
        let (listening, listening_tone) = match relay.downlink_port {
            None => ("It has no port: no downlinks.".to_owned(), Tone::Idle),
            Some(_) if !relay.enabled => ("It listens while the relay runs.".to_owned(), Tone::Idle),
            Some(port) => match (self.runtime.endpoint(port), self.runtime.status(UnitKey::Endpoint(port))) {
                (Some(at), _) => (format!("Listens on {}.", at.address), Tone::Ok),
                (None, UnitStatus::Failed { reason } | UnitStatus::Backoff { reason, .. }) => (reason, Tone::Bad),
                (None, UnitStatus::Stopped | UnitStatus::Starting | UnitStatus::Running { .. }) => {
                    ("It starts.".to_owned(), Tone::Warn)
                }
            },
        };
        let (reach, reach_tone) = reach(&settings, relay.downlink_port);
        Ok(DownlinkView {
            url: relay.downlink_port.map(|port| format!("{}/publish", settings.base_url(port, tls::own_address()))),
            listening,
            listening_tone,
            reach,
            reach_tone,
            protection: words::protection(&settings),
            asks_token: settings.access == EndpointAccess::Bearer,
            unsafe_words: settings.is_unsafe().then(|| words::UNSAFE.to_owned()),
            test_topic: format!("relayscope/test/{}", &uuid::Uuid::new_v4().simple().to_string()[..8]),
        })
    }
}

/// Whether TagoIO can reach it, in words.
fn reach(settings: &EndpointSettings, port: Option<u16>) -> (String, Tone) {
    let port = port.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
    match (settings.is_loopback(), settings.public.is_empty()) {
        (true, true) => (
            format!(
                "Only programs on this computer reach it: TagoIO's cloud does not. Run a tunnel to port {port} and enter its URL in Settings, or listen on another address there."
            ),
            Tone::Warn,
        ),
        (true, false) if settings.access == EndpointAccess::Open => (
            "Reached through your tunnel, by everybody who learns its URL: no token is asked for. Choose a token in Settings."
                .to_owned(),
            Tone::Warn,
        ),
        (true, false) => ("Reached through your tunnel, while it runs.".to_owned(), Tone::Ok),
        (false, _) => (
            format!("TagoIO reaches it when your router and firewall let TCP port {port} through to this computer."),
            Tone::Ok,
        ),
    }
}

fn secrets(draft: &EndpointDraft, settings: &EndpointSettings, stored: EndpointSecrets) -> EndpointSecrets {
    let token = match (settings.access, &draft.token) {
        (EndpointAccess::Open | EndpointAccess::ClientCertificate, _) => None,
        (EndpointAccess::Bearer, SecretDraft::Set { value }) => Some(Secret::new(value)),
        (EndpointAccess::Bearer, SecretDraft::Keep) => stored.token.or_else(|| Some(new_token())),
        (EndpointAccess::Bearer, SecretDraft::Generate | SecretDraft::Clear) => Some(new_token()),
    };
    let key = match (settings.tls, &draft.key) {
        (EndpointTls::Off | EndpointTls::SelfSigned, _) => None,
        (EndpointTls::Own, SecretDraft::Set { value }) => Some(Secret::new(value)),
        (EndpointTls::Own, SecretDraft::Keep | SecretDraft::Generate | SecretDraft::Clear) => stored.key,
    };
    EndpointSecrets { token, key, self_signed_key: stored.self_signed_key }
}

/// 244 random bits.
fn new_token() -> Secret {
    Secret::new(format!("rs{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))
}

fn make_certificate(record: &mut EndpointRecord) -> Result<(), ChangeError> {
    let made = tls::self_signed(&record.settings).map_err(|error| refused(&error))?;
    record.self_signed = Some(made.certificate);
    record.secrets.self_signed_key = Some(made.key);
    Ok(())
}

/// What only the TLS library can say, at its field.
fn refused(error: &EndpointTlsError) -> ChangeError {
    let field = match error {
        EndpointTlsError::Certificate(_) => "certificate",
        EndpointTlsError::Key(_) | EndpointTlsError::KeyMismatch => "key",
        EndpointTlsError::ClientCa(_) => "clientCa",
        EndpointTlsError::Make(_) | EndpointTlsError::Rustls(_) => "tls",
    };
    problem(field, chain(error))
}

fn view(record: &EndpointRecord) -> EndpointView {
    let EndpointRecord { settings, secrets, .. } = record;
    let words = |pem: &Option<String>| pem.as_deref().and_then(|pem| pem_words(pem).ok());
    EndpointView {
        draft: EndpointDraft::of(settings),
        has_token: secrets.token.is_some(),
        new_token: None,
        has_key: secrets.key.is_some(),
        certificate_summary: words(&settings.certificate),
        client_ca_summary: words(&settings.client_ca),
        certificate: certificate(record),
        protection: words::protection(settings),
        unsafe_words: settings.is_unsafe().then(|| words::UNSAFE.to_owned()),
    }
}

/// The certificate in use, as clients see it.
fn certificate(record: &EndpointRecord) -> Option<EndpointCertificate> {
    let (pem, _) = tls::in_use(record)?;
    let der = ders(pem).ok()?.into_iter().next()?;
    let leaf = Certificate::from_der(&der).ok()?;
    Some(EndpointCertificate {
        from: leaf.not_before_date(),
        until: leaf.not_after_date(),
        fingerprint: tls::fingerprint(&der),
        pem: pem.to_owned(),
        warning: warning(&record.settings, &leaf),
        subject: leaf.subject,
        names: leaf.names,
    })
}

fn warning(settings: &EndpointSettings, leaf: &Certificate) -> Option<String> {
    let what = if settings.tls == EndpointTls::SelfSigned { "Make a new one." } else { "Choose a newer one." };
    let now = unix_seconds();
    if leaf.not_after < now {
        return Some(format!("It expired on {}: clients refuse it. {what}", leaf.not_after_date()));
    }
    if leaf.not_after < now + SOON_SECONDS {
        return Some(format!("It ends on {}. {what}", leaf.not_after_date()));
    }
    // A tunnel shows its own certificate.
    let public = if settings.public.contains("://") { String::new() } else { settings.public.clone() };
    let unnamed = |name: &String| !leaf.names.iter().any(|known| covers(known, name));
    let missing = if settings.tls == EndpointTls::SelfSigned {
        tls::names(&EndpointSettings { public, ..settings.clone() }).into_iter().find(unnamed)
    } else {
        Some(public).filter(|name| !name.is_empty() && unnamed(name))
    }?;
    Some(format!("It does not name {missing}: clients that check names refuse it. {what}"))
}

/// Whether a name of a certificate stands for a host (RFC 9525 section 6.3).
fn covers(known: &str, name: &str) -> bool {
    let wildcard = known.strip_prefix("*.").zip(name.split_once('.'));
    known.eq_ignore_ascii_case(name) || wildcard.is_some_and(|(domain, (_, rest))| rest.eq_ignore_ascii_case(domain))
}
