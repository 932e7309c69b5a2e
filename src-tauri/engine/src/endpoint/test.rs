//! *Test* of the way of a downlink: every hop from the socket to the broker's acknowledgement, with real requests over the
//! real socket, and at each what was found and what to do.
//!
//! The endpoint's certificate must be the very one that is configured; names are not looked at, because the test comes
//! from inside. With client certificates the test shows the one that lives in memory for it (see [`super::tls`]).

mod wire;

use crate::api::wire::{EndpointTestReport, HopName, HopStep, TestOutcome};
use crate::runtime::{EndpointAt, UnitStatus};
use crate::store::EndpointRecord;
use hyper::StatusCode;
use relayscope_domain::endpoint::{EndpointAccess, EndpointTls};
use relayscope_domain::id::RelayId;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wire::{As, Said, Way};

const ORDER: [HopName; 6] =
    [HopName::Listen, HopName::Tls, HopName::Access, HopName::Relay, HopName::Session, HopName::Publish];
// Beyond the endpoint's own limits.
const LIMIT: Duration = Duration::from_secs(15);

/// How a hop ended, with what was found and what to do.
struct Found {
    outcome: TestOutcome,
    detail: Vec<String>,
    advice: String,
}

fn found(outcome: TestOutcome, detail: impl Into<String>, advice: &str) -> Found {
    Found { outcome, detail: vec![detail.into()], advice: advice.to_owned() }
}

fn ok(detail: impl Into<String>) -> Found {
    found(TestOutcome::Ok, detail, "")
}

fn failed(detail: impl Into<String>, advice: &str) -> Found {
    found(TestOutcome::Failed, detail, advice)
}

/// Walks the way to a relay. The report has all six hops, those that were not reached included.
pub(crate) async fn run(
    at: Option<EndpointAt>,
    status: &UnitStatus,
    record: &EndpointRecord,
    relay: RelayId,
    topic: &str,
) -> EndpointTestReport {
    let mut walk = Walk { steps: vec![] };
    let Some(at) = at else {
        let why = match status {
            UnitStatus::Failed { reason } | UnitStatus::Backoff { reason, .. } => reason.clone(),
            UnitStatus::Stopped | UnitStatus::Starting | UnitStatus::Running { .. } => "It does not listen.".to_owned(),
        };
        walk.hop(HopName::Listen, async { failed(why, "Start the relay; its downlink port listens with it.") }).await;
        return walk.finish();
    };
    let way = Way::new(&at, record);
    // `None` means that a hop ended the walk; which, and why, stands in the steps.
    let _ended: Option<()> = walk.all(&way, record, relay, topic).await;
    walk.finish()
}

struct Walk {
    steps: Vec<HopStep>,
}

impl Walk {
    async fn all(&mut self, way: &Way, record: &EndpointRecord, relay: RelayId, topic: &str) -> Option<()> {
        self.hop(HopName::Listen, listens(way)).await?;
        self.hop(HopName::Tls, handshake(way, record)).await?;
        self.hop(HopName::Access, access(way, record)).await?;
        let mut known = None;
        self.hop(HopName::Relay, async {
            match way.get_status(As::Known).await {
                Ok(said) => {
                    known = relay_of(&said, relay);
                    match &known {
                        Some(known) => ok(format!("“{}”", known["name"].as_str().unwrap_or_default())),
                        None => failed(
                            format!("The endpoint answered {} and does not know this relay.", said.status.as_u16()),
                            "Start the relay, and test again in a moment.",
                        ),
                    }
                }
                Err(why) => failed(why, "Test again in a moment: the endpoint may be starting again."),
            }
        })
        .await?;
        let known = known.unwrap_or_default();
        self.hop(HopName::Session, async { session(&known) }).await?;
        self.hop(HopName::Publish, publish(way, relay, topic)).await
    }

    async fn hop(&mut self, name: HopName, work: impl Future<Output = Found>) -> Option<()> {
        let begun = Instant::now();
        let found = tokio::time::timeout(LIMIT, work)
            .await
            .unwrap_or_else(|_| failed("No answer in time.", "Look at the log page; test again."));
        let Found { outcome, detail, advice } = found;
        let passed = outcome != TestOutcome::Failed;
        self.note(HopStep { name, outcome, millis: millis(begun.elapsed()), detail, advice });
        passed.then_some(())
    }

    fn note(&mut self, step: HopStep) {
        self.steps.push(step);
    }

    fn finish(mut self) -> EndpointTestReport {
        let passed = self.steps.len() == ORDER.len() && self.steps.iter().all(|s| s.outcome != TestOutcome::Failed);
        for name in ORDER.into_iter().skip(self.steps.len()) {
            let outcome = TestOutcome::NotReached;
            self.note(HopStep { name, outcome, millis: 0, detail: vec![], advice: String::new() });
        }
        EndpointTestReport { steps: self.steps, passed }
    }
}

fn millis(took: Duration) -> u32 {
    u32::try_from(took.as_millis()).unwrap_or(u32::MAX)
}

async fn listens(way: &Way) -> Found {
    match way.connect().await {
        Ok(_) => ok(way.address.to_string()),
        Err(error) => failed(
            format!("{}: {error}", way.address),
            "Look whether too many connections are open, or choose another downlink port.",
        ),
    }
}

async fn handshake(way: &Way, record: &EndpointRecord) -> Found {
    if record.settings.tls == EndpointTls::Off {
        return found(TestOutcome::Skipped, "plain HTTP, without TLS", "");
    }
    match way.handshake().await {
        Ok(detail) => Found { outcome: TestOutcome::Ok, detail, advice: String::new() },
        Err(why) => failed(why, "Look at the endpoint's certificate in Settings."),
    }
}

/// Strangers must be refused, and who may ask must not be.
async fn access(way: &Way, record: &EndpointRecord) -> Found {
    let wide_open = failed(
        "Without token or certificate it answered all the same.",
        "Save the endpoint's settings again; if it stays so, tell us.",
    );
    match record.settings.access {
        EndpointAccess::Open if record.settings.is_unsafe() => found(
            TestOutcome::Warning,
            "open to everybody who reaches it",
            "Choose a token or client certificates in Settings.",
        ),
        EndpointAccess::Open => found(TestOutcome::Skipped, "open to everybody who reaches it", ""),
        EndpointAccess::Bearer => match (way.get_status(As::Stranger).await, way.get_status(As::Known).await) {
            (Ok(without), _) if without.status != StatusCode::UNAUTHORIZED => wide_open,
            (Ok(_), Ok(with)) if with.status != StatusCode::UNAUTHORIZED => {
                ok("refused without the token, answered with it")
            }
            (Ok(_), Ok(_)) => failed("The stored token is refused.", "Make a new token in Settings."),
            (Err(why), _) | (_, Err(why)) => failed(why, "Test again."),
        },
        EndpointAccess::ClientCertificate => {
            match (way.get_status(As::Stranger).await, way.get_status(As::Known).await) {
                (Ok(_), _) => wide_open,
                (Err(_), Ok(_)) => ok("refused without a certificate, answered with one"),
                (Err(_), Err(why)) => failed(why, "Save the endpoint's settings again."),
            }
        }
    }
}

fn relay_of(said: &Said, id: RelayId) -> Option<Value> {
    let status: Value = serde_json::from_slice(&said.body).ok()?;
    let relays = status["relays"].as_array()?;
    relays.iter().find(|relay| relay["id"] == json!(id)).cloned()
}

fn session(relay: &Value) -> Found {
    let state = relay["state"].as_str().unwrap_or_default();
    if relay["connected"] == json!(true) {
        ok(state)
    } else {
        failed(state, "Downlinks are answered 503 until the relay is connected. Test the broker's connection.")
    }
}

async fn publish(way: &Way, relay: RelayId, topic: &str) -> Found {
    let body = json!({
        "topic": topic, "message": "Relayscope's test of this downlink", "qos": 1, "retain": false, "relay_id": relay,
    });
    match way.publish(&body).await {
        Ok(said) if said.status == StatusCode::OK => ok(format!("{topic}: acknowledged by the broker")),
        Ok(said) => {
            let answer: Value = serde_json::from_slice(&said.body).unwrap_or_default();
            failed(
                format!("{}: {}", said.status.as_u16(), answer["error"].as_str().unwrap_or("no reason given")),
                "Allow the relay's user to publish to this topic at the broker, or choose another topic.",
            )
        }
        Err(why) => failed(why, "Test again."),
    }
}
