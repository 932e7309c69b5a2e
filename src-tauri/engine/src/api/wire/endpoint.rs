//! What the pages of the HTTP endpoint and of downlinks need.

use super::{TestOutcome, Tone};
use relayscope_domain::endpoint::EndpointDraft;
use relayscope_domain::id::RelayId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The endpoint as its form needs it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EndpointView {
    /// A draft with the saved values.
    pub draft: EndpointDraft,
    /// Whether a token is stored.
    pub has_token: bool,
    /// The token, right after it was made; otherwise it is revealed when asked for.
    pub new_token: Option<String>,
    /// Whether the key of the own certificate is stored.
    pub has_key: bool,
    /// The stored own certificate in words.
    pub certificate_summary: Option<String>,
    /// The stored authority of client certificates in words.
    pub client_ca_summary: Option<String>,
    /// The certificate in use.
    pub certificate: Option<EndpointCertificate>,
    /// What protects it, in words.
    pub protection: String,
    /// What the unsafe mode means, while it is on and counts.
    pub unsafe_words: Option<String>,
}

/// A certificate as clients see it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EndpointCertificate {
    /// Common name.
    pub subject: String,
    /// Host names and addresses it is for.
    pub names: Vec<String>,
    /// First day, as `2026-11-01`.
    pub from: String,
    /// Last day.
    pub until: String,
    /// SHA-256 of the certificate, in pairs of hexadecimal digits.
    pub fingerprint: String,
    /// The certificate itself (PEM), for clients that are to trust it.
    pub pem: String,
    /// What will make clients refuse it, and what to do.
    pub warning: Option<String>,
}

/// The way of downlinks to one relay.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DownlinkView {
    /// The URL to paste into TagoIO; `None` without a downlink port.
    pub url: Option<String>,
    /// Whether it listens, in words.
    pub listening: String,
    /// Colour of it.
    pub listening_tone: Tone,
    /// Who can reach it, in words, and what to do when TagoIO can't.
    pub reach: String,
    /// Colour of it.
    pub reach_tone: Tone,
    /// What protects it, in words.
    pub protection: String,
    /// Whether a bearer token is asked for.
    pub asks_token: bool,
    /// What the unsafe mode means, while it is on and counts.
    pub unsafe_words: Option<String>,
    /// A topic that nobody uses, for the test.
    pub test_topic: String,
}

/// Asks for a test of the way of downlinks.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EndpointTestRequest {
    /// The relay.
    pub relay_id: RelayId,
    /// The topic that is published to.
    pub topic: String,
}

/// Hops of a downlink, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum HopName {
    /// The port takes connections.
    Listen,
    /// TLS handshake and certificate.
    Tls,
    /// Strangers are refused, who may ask is answered.
    Access,
    /// The endpoint knows the relay.
    Relay,
    /// The relay is connected to its broker.
    Session,
    /// The broker acknowledged a message.
    Publish,
}

/// One hop of the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct HopStep {
    /// Which.
    pub name: HopName,
    /// How it ended.
    pub outcome: TestOutcome,
    /// How long it took.
    pub millis: u32,
    /// What was found.
    pub detail: Vec<String>,
    /// For a failure or a warning: what to do.
    pub advice: String,
}

/// All hops of a test.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct EndpointTestReport {
    /// All six, in order.
    pub steps: Vec<HopStep>,
    /// Whether a downlink goes through.
    pub passed: bool,
}
