//! What lists and forms of brokers, tokens and relays need.

use super::Tone;
use relayscope_domain::broker::{Broker, BrokerDraft};
use relayscope_domain::id::RelayId;
use relayscope_domain::relay::{Relay, RelayDraft};
use relayscope_domain::token::Token;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A broker as the list and the form need it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct BrokerView {
    /// Saved values, without secrets.
    pub broker: Broker,
    /// A draft with the same values, for the form.
    pub draft: BrokerDraft,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Whether a client key is stored.
    pub has_client_key: bool,
    /// Certificates of the stored PEM texts in words, such as `Plant Root CA · until 2031-04-02`.
    pub ca_summary: Option<String>,
    /// The same for the client certificate.
    pub client_cert_summary: Option<String>,
    /// Names of the relays that use it.
    pub users: Vec<String>,
}

/// Asks for a connection test of what the form holds.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestRequest {
    /// The form.
    pub draft: BrokerDraft,
    /// A number made by the page; [`Frame::TestStep`] carries it, and `brokers.testCancel` takes it.
    pub test_id: u32,
}

/// Steps of a connection test, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TestStepName {
    /// Name lookup.
    Name,
    /// TCP connection.
    Tcp,
    /// TLS handshake, chain and expiry.
    Tls,
    /// CONNECT and CONNACK.
    Connack,
    /// SUBSCRIBE and SUBACK.
    Suback,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum TestOutcome {
    /// Passed.
    Ok,
    /// Passed with a warning.
    Warning,
    /// Failed; later steps were not reached.
    Failed,
    /// Not part of this transport.
    Skipped,
    /// A step before failed.
    NotReached,
    /// The person cancelled.
    Cancelled,
}

/// One step of a connection test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// Which.
    pub name: TestStepName,
    /// How it ended.
    pub outcome: TestOutcome,
    /// How long it took.
    pub millis: u32,
    /// What was found: addresses, certificates, the broker's limits.
    pub detail: Vec<String>,
    /// For a failure: what to do.
    pub advice: String,
}

/// All steps of a test.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// All five, in order.
    pub steps: Vec<TestStep>,
    /// Whether the broker can be used as it is.
    pub passed: bool,
}

/// A step that just ended.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TestStepFrame {
    /// The test.
    pub test_id: u32,
    /// The step.
    pub step: TestStep,
}

/// A token as the list needs it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    /// Saved values, without the secret.
    pub token: Token,
    /// The region in words.
    pub region_words: String,
    /// Device tokens: when it stops being valid, as the form holds it (local time); empty for never.
    pub expires: String,
    /// Whether that time is past.
    pub expired: bool,
    /// Names of the relays that use it.
    pub users: Vec<String>,
}

/// What `GET /info` said of a token.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Which of the cases it is.
    pub outcome: VerifyOutcome,
    /// In words, with what to do.
    pub message: String,
    /// HTTP status, when one came.
    pub status: Option<u16>,
    /// How long it took.
    pub millis: u32,
}

/// Cases of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum VerifyOutcome {
    /// Valid, and of the kind it says.
    Ok,
    /// Valid in another region.
    WrongRegion,
    /// Valid, but of another kind.
    WrongKind,
    /// Refused by the API.
    Refused,
    /// No answer.
    Unreachable,
    /// The API has no way to ask about this kind alone (an authorization).
    NotCheckable,
}

/// A relay as the list and the editor need it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayView {
    /// Saved values.
    pub relay: Relay,
    /// A draft with the same values, for the editor.
    pub draft: RelayDraft,
    /// Each filter with what the broker last answered, in words: `granted QoS 1`, `refused: not authorized`.
    pub grants: Vec<Grant>,
}

/// What the broker answered to one filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The filter.
    pub filter: String,
    /// In words.
    pub words: String,
    /// Colour.
    pub tone: Tone,
}

/// What comes of a relay's rules while they are edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayPreview {
    /// How fast it may deliver: `At most 4,500 requests a minute: …`; nothing while a number can't be read.
    pub pace: Option<String>,
    /// What to think of when choosing the plan; nothing when all is said.
    pub plan_advice: Option<String>,
    /// What TagoIO gets for one message, as indented JSON.
    pub example: String,
}

/// What is done to a relay by a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RelayAction {
    /// Enables it.
    Start,
    /// Disables it.
    Stop,
    /// Stops and starts it.
    Restart,
    /// Stops delivering; messages are still taken in and kept.
    Pause,
    /// Delivers again.
    Resume,
}

/// Asks for an action on a relay.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct RelayActionRequest {
    /// Which relay.
    pub id: RelayId,
    /// What.
    pub action: RelayAction,
}
