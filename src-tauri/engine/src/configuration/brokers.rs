//! Brokers: drafts to saved values and back.

use super::{ChangeError, unix_seconds};
use crate::Engine;
use crate::api::wire::BrokerView;
use crate::mqtt::tls::TlsError;
use crate::store::StoreError;
use relayscope_domain::broker::{
    self, Broker, BrokerDraft, BrokerSecrets, BrokerSpec, Connection, Embedded, EmbeddedDraft, TlsDraft,
};
use relayscope_domain::id::BrokerId;
use relayscope_domain::secret::{Secret, SecretDraft};

impl Engine {
    /// A new broker's form, with a client id of its own.
    pub(crate) fn blank_broker(&self) -> BrokerDraft {
        BrokerDraft { client_id: broker::default_client_id(rand::random()), ..form() }
    }

    /// All brokers as lists and forms need them.
    pub(crate) async fn broker_views(&self) -> Result<Vec<BrokerView>, StoreError> {
        let mut views = vec![];
        for broker in self.store.brokers().await? {
            views.push(self.broker_view(broker).await?);
        }
        Ok(views)
    }

    async fn broker_view(&self, broker: Broker) -> Result<BrokerView, StoreError> {
        let (has_password, has_client_key) = self.store.broker_has_secrets(broker.id).await?;
        let users = self.users_of_broker(broker.id).await?;
        let (ca, cert) = match &broker.spec {
            BrokerSpec::External(connection) => (connection.tls.ca.as_deref(), connection.tls.client_cert.as_deref()),
            BrokerSpec::Embedded(_) => (None, None),
        };
        Ok(BrokerView {
            draft: draft(&broker),
            has_password,
            has_client_key,
            ca_summary: ca.and_then(|pem| pem_words(pem).ok()),
            client_cert_summary: cert.and_then(|pem| pem_words(pem).ok()),
            users,
            broker,
        })
    }

    async fn users_of_broker(&self, id: BrokerId) -> Result<Vec<String>, StoreError> {
        let relays =
            self.store.relays().await?.into_iter().filter(|relay| relay.broker_id == id).map(|relay| relay.name);
        let taps = self.store.taps().await?.into_iter().filter(|tap| tap.broker_id == id).map(|tap| tap.name);
        Ok(relays.chain(taps).collect())
    }

    /// Checks and joins a draft with the stored secrets, without saving.
    pub(crate) async fn broker_from_draft(&self, draft: &BrokerDraft) -> Result<(Broker, BrokerSecrets), ChangeError> {
        let id = draft.id.unwrap_or_else(|| BrokerId(uuid::Uuid::new_v4()));
        let stored = match draft.id {
            Some(id) => self.store.broker_secrets(id).await?,
            None => BrokerSecrets::default(),
        };
        let broker = broker::check(draft, id, unix_seconds(), &stored).map_err(ChangeError::Invalid)?;
        if let BrokerSpec::Embedded(embedded) = &broker.spec {
            let keys = super::listeners::keys(draft, embedded, stored.listener_keys);
            super::listeners::check(embedded, &keys)?;
            self.refuse_taken_ports(id, embedded).await?;
            return Ok((broker, BrokerSecrets { listener_keys: keys, ..Default::default() }));
        }
        let mut secrets = BrokerSecrets {
            password: joined(&draft.password, stored.password),
            client_key: joined(&draft.tls.client_key, stored.client_key),
            ..Default::default()
        };
        if let BrokerSpec::External(connection) = &broker.spec {
            if !connection.transport.is_tls() || connection.tls.client_cert.is_none() {
                secrets.client_key = None;
            }
            check_tls(connection, &secrets)?;
        }
        Ok((broker, secrets))
    }

    /// Saves a draft.
    pub(crate) async fn save_broker(&self, draft: &BrokerDraft) -> Result<BrokerView, ChangeError> {
        let (broker, secrets) = self.broker_from_draft(draft).await?;
        self.store.save_broker(&broker, &secrets).await?;
        Ok(self.broker_view(broker).await?)
    }

    /// Deletes a broker that no relay and no tap uses.
    pub(crate) async fn delete_broker(&self, id: BrokerId) -> Result<(), ChangeError> {
        let users = self.users_of_broker(id).await?;
        if !users.is_empty() {
            return Err(ChangeError::InUse(users));
        }
        self.store.delete_broker(id).await?;
        // One that runs removes what it kept when it has stopped.
        if self.runtime.broker(id).is_none() {
            crate::broker::forget_kept(&crate::broker::broker_db(&self.data_dir, id));
        }
        Ok(())
    }
}

/// What only the TLS library can say: that key and certificate belong together, that the authorities can be read.
fn check_tls(connection: &Connection, secrets: &BrokerSecrets) -> Result<(), ChangeError> {
    if !connection.transport.is_tls() {
        return Ok(());
    }
    match crate::mqtt::tls::client_config(&connection.tls, secrets.client_key.as_ref()) {
        Ok(_) => Ok(()),
        Err(error) => Err(super::problem(field_of(&error), crate::causes::chain(&error))),
    }
}

fn field_of(error: &TlsError) -> &'static str {
    match error {
        TlsError::NoRoots(_) | TlsError::Ca(_) => "tls.ca",
        TlsError::ClientCert(_) => "tls.clientCert",
        TlsError::ClientKey(_) | TlsError::KeyMismatch => "tls.clientKey",
        TlsError::ServerName(_) => "tls.serverName",
        TlsError::Rustls(_) => "transport",
    }
}

pub(super) fn joined(draft: &SecretDraft, stored: Option<Secret>) -> Option<Secret> {
    match draft {
        SecretDraft::Keep | SecretDraft::Generate => stored,
        SecretDraft::Set { value } if value.is_empty() => None,
        SecretDraft::Set { value } => Some(Secret::new(value)),
        SecretDraft::Clear => None,
    }
}

/// A form for a connection as most are.
fn form() -> BrokerDraft {
    BrokerDraft {
        id: None,
        name: String::new(),
        embedded: false,
        inside: EmbeddedDraft::of(&Embedded::default()),
        enabled: true,
        host: String::new(),
        port: "1883".into(),
        transport: Default::default(),
        path: "/mqtt".into(),
        version: Default::default(),
        client_id: String::new(),
        username: String::new(),
        password: SecretDraft::Keep,
        keep_alive: "30".into(),
        clean_start: false,
        session_expiry: "86400".into(),
        will: None,
        tls: TlsDraft::default(),
    }
}

fn draft(broker: &Broker) -> BrokerDraft {
    let form = BrokerDraft { id: Some(broker.id), name: broker.name.clone(), ..form() };
    match &broker.spec {
        BrokerSpec::Embedded(embedded) => BrokerDraft {
            embedded: true,
            inside: EmbeddedDraft::of(embedded),
            enabled: embedded.enabled,
            host: "127.0.0.1".into(),
            port: embedded.port.to_string(),
            path: String::new(),
            ..form
        },
        BrokerSpec::External(connection) => BrokerDraft {
            host: connection.host.clone(),
            port: connection.port.to_string(),
            transport: connection.transport,
            path: if connection.path.is_empty() { form.path } else { connection.path.clone() },
            version: connection.version,
            client_id: connection.client_id.clone(),
            username: connection.username.clone().unwrap_or_default(),
            keep_alive: connection.keep_alive.to_string(),
            clean_start: connection.clean_start,
            session_expiry: connection.session_expiry.to_string(),
            will: connection.will.clone(),
            tls: TlsDraft {
                own_ca: connection.tls.ca.is_some(),
                ca: connection.tls.ca.clone().unwrap_or_default(),
                client_cert: connection.tls.client_cert.clone().unwrap_or_default(),
                client_key: SecretDraft::Keep,
                alpn: connection.tls.alpn.join(", "),
                server_name: connection.tls.server_name.clone().unwrap_or_default(),
            },
            ..form
        },
    }
}

/// Certificates of a PEM text in words: `Plant Root CA · until 2031-04-02`.
pub(crate) fn pem_words(pem: &str) -> Result<String, String> {
    let certificates = broker::certificates(pem)?;
    let Some(first) = certificates.first() else { return Err("This file holds no certificate.".into()) };
    let more = if certificates.len() > 1 { format!(" · and {} more", certificates.len() - 1) } else { String::new() };
    Ok(format!("{} · until {}{more}", first.subject, first.not_after_date()))
}
