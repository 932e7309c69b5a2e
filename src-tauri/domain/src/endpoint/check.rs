//! Whether a draft of the endpoint's settings is in order: every problem at its field.

use super::{Acl, AclDraft, AclMode, EndpointAccess, EndpointDraft, EndpointSettings, EndpointTls, Listen, acl};
use crate::broker::{certificates, check_host, check_key, number};
use crate::problem::Problems;
use crate::secret::SecretDraft;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Checks a draft. `now` is in Unix seconds; `has_key` says whether the key of the own certificate is stored already.
pub fn check(draft: &EndpointDraft, now: i64, has_key: bool) -> Result<EndpointSettings, Vec<crate::problem::Problem>> {
    let mut problems = Problems::default();
    let address = problems.take("address", address(draft)).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let public = draft.public.trim().to_owned();
    if let Err(message) = check_public(&public) {
        problems.add("public", message);
    }
    check_protection(draft, address, &mut problems);
    if draft.tls == EndpointTls::Own {
        check_own(draft, now, has_key, &mut problems);
    }
    if draft.access == EndpointAccess::ClientCertificate {
        if draft.client_ca.trim().is_empty() {
            problems.add("clientCa", "Choose the certificate authority that issues the client certificates.");
        } else if let Err(message) = certificates(&draft.client_ca) {
            problems.add("clientCa", message);
        }
    }
    if matches!(&draft.token, SecretDraft::Set { value } if !good_token(value)) {
        problems.add("token", "A token has 20 to 256 characters: letters, digits and -._~+/=.");
    }
    let rate = problems.take("rate", number::<u32>(&draft.rate, "rate", 1, 1_000_000));
    let connections =
        problems.take("connections", number::<u32>(&draft.connections, "number of connections", 1, 10_000));
    let patience = problems.take("patience", number::<u32>(&draft.patience, "time limit", 1, 120));
    let acl = check_acl(&draft.acl, &mut problems);
    problems.finish(EndpointSettings {
        address,
        public,
        tls: draft.tls,
        certificate: (draft.tls == EndpointTls::Own).then(|| draft.certificate.clone()),
        access: draft.access,
        client_ca: (draft.access == EndpointAccess::ClientCertificate).then(|| draft.client_ca.clone()),
        unsafe_mode: draft.unsafe_mode,
        rate: rate.unwrap_or_default(),
        connections: connections.unwrap_or_default(),
        patience: patience.unwrap_or_default(),
        acl,
    })
}

fn address(draft: &EndpointDraft) -> Result<IpAddr, String> {
    match draft.listen {
        Listen::Loopback => Ok(Ipv4Addr::LOCALHOST.into()),
        Listen::All => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Listen::Address => own_address(&draft.address),
    }
}

/// An IP address that this computer may have, as typed.
pub(crate) fn own_address(text: &str) -> Result<IpAddr, String> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address: IpAddr =
        bare.parse().map_err(|_| "Enter an IP address of this computer, such as 192.168.1.20.".to_owned())?;
    if address.is_multicast() || address == Ipv4Addr::BROADCAST {
        return Err(format!("{address} is no address that one computer can have."));
    }
    Ok(address)
}

/// Whether only programs of this computer would reach what the draft describes.
pub fn listens_on_loopback(draft: &EndpointDraft) -> bool {
    address(draft).is_ok_and(|address| address.is_loopback())
}

/// Beyond this computer both TLS and access control are wanted, unless the person insists.
fn check_protection(draft: &EndpointDraft, address: IpAddr, problems: &mut Problems) {
    let exposed = !address.is_loopback() && !draft.unsafe_mode;
    if exposed && draft.tls == EndpointTls::Off {
        problems.add("tls", "Beyond this computer the endpoint speaks TLS only. Choose a certificate, or 127.0.0.1.");
    }
    if exposed && draft.access == EndpointAccess::Open {
        problems.add(
            "access",
            "Beyond this computer the endpoint answers only whom it knows. Choose a token or client certificates, or 127.0.0.1.",
        );
    }
    if draft.access == EndpointAccess::ClientCertificate && draft.tls == EndpointTls::Off {
        problems.add("access", "Client certificates are part of TLS. Choose a certificate for the endpoint too.");
    }
}

fn check_own(draft: &EndpointDraft, now: i64, has_key: bool, problems: &mut Problems) {
    if draft.certificate.trim().is_empty() {
        problems.add("certificate", "Choose the endpoint's certificate, or have one made here.");
    } else {
        match certificates(&draft.certificate) {
            Err(message) => problems.add("certificate", message),
            Ok(chain) => {
                if let Some(message) = chain.first().and_then(|leaf| leaf.refused_at(now)) {
                    problems.add("certificate", message);
                }
            }
        }
    }
    match &draft.key {
        SecretDraft::Set { value } => {
            if let Err(message) = check_key(value) {
                problems.add("key", message);
            }
        }
        SecretDraft::Keep if has_key => {}
        SecretDraft::Keep | SecretDraft::Clear | SecretDraft::Generate => {
            problems.add("key", "Choose the private key that belongs to the certificate.");
        }
    }
}

/// Checks a host name, an address, or a URL of a tunnel; nothing is in order, too.
pub fn check_public(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return check_host(text).map_err(|_| {
            "Enter a host name or an address without a port, or the whole URL of a tunnel, such as https://plant.example."
                .to_owned()
        });
    };
    if scheme != "https" && scheme != "http" {
        return Err("The URL begins with https:// or http://.".into());
    }
    let rest = rest.trim_end_matches('/');
    if rest.contains(['?', '#', '@']) || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("The URL has a host, and perhaps a port and a path; nothing else.".into());
    }
    if rest.ends_with("/publish") {
        return Err("Leave out /publish; it is added by itself.".into());
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Err("The port of the URL is a whole number from 1 to 65535.".into());
    }
    check_host(host).map_err(|_| format!("“{host}” is neither a host name nor an address."))
}

/// Characters of a bearer token (RFC 6750 section 2.1).
fn good_token(value: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (20..=256).contains(&value.len()) && value.bytes().all(known)
}

fn check_acl(draft: &AclDraft, problems: &mut Problems) -> Acl {
    match draft.mode {
        AclMode::All => Acl::All,
        AclMode::Patterns => {
            if draft.patterns.is_empty() {
                problems.add("acl.patterns", "Add at least one pattern, or allow every topic.");
            }
            if draft.patterns.len() > acl::MAX_PATTERNS {
                problems.add("acl.patterns", format!("At most {} patterns.", acl::MAX_PATTERNS));
            }
            for (at, pattern) in draft.patterns.iter().enumerate() {
                if let Err(message) = acl::check_pattern(&pattern.pattern) {
                    problems.add(format!("acl.patterns.{at}.pattern"), message);
                }
            }
            Acl::Patterns { patterns: draft.patterns.clone() }
        }
    }
}
