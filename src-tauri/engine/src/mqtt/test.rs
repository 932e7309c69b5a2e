//! *Test connection*: goes the whole way to a broker once, step by step, and says at each what was found.
//!
//! Name lookup, TCP and TLS are probed on a connection of their own, because only then can each be shown alone; CONNECT
//! and SUBSCRIBE go over the link that relays use. The test connects under a client id of its own, with
//! a clean start and no will, so that it pushes nobody out and leaves nothing behind. Every step has a time limit and the
//! whole can be cancelled at any moment.

use crate::api::wire::{TestOutcome, TestReport, TestStep, TestStepName};
use crate::mqtt::words::Failure;
use relayscope_domain::broker::{BrokerSecrets, Connection};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

mod probe;
mod talk;

/// The filter that the test subscribes to.
pub const FILTER: &str = "relayscope/connection-test";

const ORDER: [TestStepName; 5] =
    [TestStepName::Name, TestStepName::Tcp, TestStepName::Tls, TestStepName::Connack, TestStepName::Suback];

/// Tests a connection. `on_step` hears of each step as it ends, those that were not reached included; the report has all
/// five. Takes 37 seconds at most.
pub async fn run(
    connection: &Connection,
    secrets: &BrokerSecrets,
    cancel: CancellationToken,
    on_step: impl FnMut(TestStep) + Send,
) -> TestReport {
    let mut run = Run { cancel, on_step, steps: Vec::with_capacity(ORDER.len()) };
    // Nothing means that a step ended the test; which, and why, stands in the steps.
    let _ended: Option<()> = run.all(connection, secrets).await;
    run.finish()
}

struct Run<F> {
    cancel: CancellationToken,
    on_step: F,
    steps: Vec<TestStep>,
}

/// What a passed step hands on, and what it found.
struct Found<T> {
    value: T,
    detail: Vec<String>,
    /// What to do about a warning; empty when there is none.
    warning: String,
}

impl<T> Found<T> {
    fn new(value: T, detail: Vec<String>) -> Self {
        Self { value, detail, warning: String::new() }
    }
}

/// Why a step failed, and what was found before.
struct Trouble {
    failure: Failure,
    detail: Vec<String>,
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self { failure, detail: Vec::new() }
    }
}

impl<F: FnMut(TestStep) + Send> Run<F> {
    async fn all(&mut self, connection: &Connection, secrets: &BrokerSecrets) -> Option<()> {
        let secs = Duration::from_secs;
        let late = "The name server did not answer in time.";
        let addresses = self.step(TestStepName::Name, secs(5), late, probe::name(connection)).await?;
        let late = "No address answered in time.";
        let stream = self.step(TestStepName::Tcp, secs(8), late, probe::tcp(&addresses)).await?;
        if connection.transport.is_tls() {
            let late = "The TLS handshake was not answered in time.";
            self.step(TestStepName::Tls, secs(8), late, probe::tls(connection, secrets, stream)).await?;
        } else {
            drop(stream);
            self.note(
                TestStepName::Tls,
                TestOutcome::Skipped,
                Duration::ZERO,
                vec!["plain, without TLS".into()],
                String::new(),
            );
        }
        let late = "The broker did not answer CONNECT in time.";
        let mut talk = self.step(TestStepName::Connack, secs(10), late, talk::connect(connection, secrets)).await?;
        let late = "The broker did not answer SUBSCRIBE in time.";
        let answered = self.step(TestStepName::Suback, secs(5), late, talk.subscribe()).await;
        // Also after a refusal: the broker is told that we leave. Best effort, at most a second.
        talk.disconnect().await;
        answered
    }

    async fn step<T>(
        &mut self,
        name: TestStepName,
        limit: Duration,
        late: &str,
        work: impl Future<Output = Result<Found<T>, Trouble>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let ended = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ended = tokio::time::timeout(limit, work) => Some(ended),
        };
        let took = begun.elapsed();
        match ended {
            None => self.note(name, TestOutcome::Cancelled, took, vec![], String::new()),
            Some(Ok(Ok(Found { value, detail, warning }))) => {
                let outcome = if warning.is_empty() { TestOutcome::Ok } else { TestOutcome::Warning };
                self.note(name, outcome, took, detail, warning);
                return Some(value);
            }
            Some(Ok(Err(Trouble { failure, mut detail }))) => {
                detail.insert(0, failure.words);
                self.note(name, TestOutcome::Failed, took, detail, failure.advice);
            }
            Some(Err(_)) => {
                let advice = "Check host and port, and whether a firewall stands between.";
                self.note(name, TestOutcome::Failed, took, vec![late.to_owned()], advice.to_owned());
            }
        }
        None
    }

    fn note(&mut self, name: TestStepName, outcome: TestOutcome, took: Duration, detail: Vec<String>, advice: String) {
        let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        let step = TestStep { name, outcome, millis, detail, advice };
        (self.on_step)(step.clone());
        self.steps.push(step);
    }

    fn finish(mut self) -> TestReport {
        for name in ORDER.into_iter().skip(self.steps.len()) {
            self.note(name, TestOutcome::NotReached, Duration::ZERO, vec![], String::new());
        }
        let passed = self.steps.iter().all(|step| match step.outcome {
            TestOutcome::Ok | TestOutcome::Warning | TestOutcome::Skipped => true,
            TestOutcome::Failed | TestOutcome::NotReached | TestOutcome::Cancelled => false,
        });
        TestReport { steps: self.steps, passed }
    }
}
