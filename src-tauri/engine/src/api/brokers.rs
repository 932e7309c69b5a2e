//! Commands about brokers.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::configuration::pem_words;
use crate::mqtt;
use relayscope_domain::broker::{BrokerDraft, BrokerSpec};
use std::sync::PoisonError;
use tokio_util::sync::CancellationToken;

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<BrokerView>, ApiError> {
    Ok(engine.broker_views().await?)
}

pub(super) async fn save(engine: &Engine, draft: BrokerDraft) -> Result<BrokerView, ApiError> {
    Ok(engine.save_broker(&draft).await?)
}

pub(super) async fn delete(engine: &Engine, request: BrokerRequest) -> Result<Nothing, ApiError> {
    Ok(engine.delete_broker(request.id).await?)
}

/// Tests what the form holds, saved or not. Each step is pushed as it ends.
pub(super) async fn test(engine: &Engine, request: TestRequest) -> Result<TestReport, ApiError> {
    let TestRequest { draft, test_id } = request;
    let (broker, secrets) = engine.broker_from_draft(&draft).await?;
    let BrokerSpec::External(connection) = broker.spec else {
        return Err(error::failed("The embedded broker needs no test: it runs inside."));
    };
    let cancel = CancellationToken::new();
    let tests = || engine.tests.lock().unwrap_or_else(PoisonError::into_inner);
    tests().insert(test_id, cancel.clone());
    let frames = engine.frames.clone();
    let report = mqtt::test::run(&connection, &secrets, cancel, |step| {
        // Nobody listening is no failure: the report has all steps.
        let _ = frames.send(Frame::TestStep(TestStepFrame { test_id, step }));
    })
    .await;
    tests().remove(&test_id);
    Ok(report)
}

pub(super) async fn test_cancel(engine: &Engine, request: NumberRequest) -> Result<Nothing, ApiError> {
    if let Some(cancel) = engine.tests.lock().unwrap_or_else(PoisonError::into_inner).get(&request.number) {
        cancel.cancel();
    }
    Ok(())
}

pub(super) async fn read_pem(_engine: &Engine, request: TextRequest) -> Result<PemSummary, ApiError> {
    if request.text.contains("PRIVATE KEY") && !request.text.contains("BEGIN CERTIFICATE") {
        let problem = relayscope_domain::broker::check_key(&request.text).err();
        let words = if problem.is_none() { "private key" } else { "" };
        return Ok(PemSummary { words: words.to_owned(), problem });
    }
    Ok(match pem_words(&request.text) {
        Ok(words) => PemSummary { words, problem: None },
        Err(problem) => PemSummary { words: String::new(), problem: Some(problem) },
    })
}
