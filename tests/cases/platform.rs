//! The platform refuses, fails, stays silent, cuts connections, or limits the rate.

use crate::scene::{Scene, Traffic, UNDER_WAY};
use crate::support::pause;
use crate::support::sink::Reply;
use crate::table::{lengths, words};
use relayscope_engine::api::wire::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const BEFORE: Duration = Duration::from_millis(500);

/// The card says that the platform does not take messages, that they are kept, and what to do.
fn tells(status: &RelayStatus) -> bool {
    let error = status.last_error.as_ref();
    status.destination.tone == Tone::Warn
        && error
            .is_some_and(|error| error.current && error.message.contains("wait on disk") && !error.advice.is_empty())
}

/// Messages flow, the rule holds for a time while more come, then all is well again.
async fn under(
    name: &str,
    rule: impl Fn(&str) -> Reply + Clone + Send + Sync + 'static,
    told: fn(&RelayStatus) -> bool,
) {
    for length in lengths(name) {
        let scene = Scene::start().await;
        let traffic = Traffic::lasting(length + BEFORE * 2);
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        scene.sink.rule(rule.clone());
        let lasts = tokio::time::Instant::now() + length;
        scene.relay.card("the platform's trouble on the card", told).await;
        pause(lasts.duration_since(tokio::time::Instant::now())).await;
        scene.sink.rule(|_| Reply::Take);
        let healed = scene.heals().await;
        publishing.await.unwrap();
        let cut = scene.sink.cut();
        scene.ends(name, &words(length), traffic, healed, cut).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_refuses_connections_loses_nothing() {
    let name = "platform refuses";
    for length in lengths(name) {
        let mut scene = Scene::start().await;
        let traffic = Traffic::lasting(length + BEFORE * 2);
        let publishing = traffic.start(&scene.broker);
        scene.taken(100).await;
        scene.sink.go_away().await;
        let lasts = tokio::time::Instant::now() + length;
        scene.relay.card("the refusal on the card", tells).await;
        pause(lasts.duration_since(tokio::time::Instant::now())).await;
        scene.sink.come_back().await;
        let healed = scene.heals().await;
        publishing.await.unwrap();
        scene.ends(name, &words(length), traffic, healed, UNDER_WAY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_answers_503_loses_nothing() {
    under("platform answers 503", |_| Reply::Answer(503, "maintenance", vec![]), tells).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_stays_silent_and_is_well_again_gets_everything() {
    // What was under way when it fell silent is never answered: it goes on after the time-out of a request.
    under("platform silent, then well", |_| Reply::Silence, |status| status.ledger.in_flight > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_cuts_connections_after_accepting_gets_only_those_twice() {
    let count = std::sync::Arc::new(AtomicU64::new(0));
    let rule = move |_: &str| match count.fetch_add(1, Ordering::Relaxed) % 100 {
        99 => Reply::Cut,
        _ => Reply::Take,
    };
    under("platform cuts 1 % of connections after accepting", rule, |status| status.ledger.delivered > 200).await;
}

/// The topics with an even number.
fn half(topic: &str) -> bool {
    topic.ends_with(['0', '2', '4', '6', '8'])
}

/// Limited: the feed shows the 429, and when it is tried again.
async fn limited(name: &str, text: &'static str, header: Option<&'static str>, which: fn(&str) -> bool) {
    let headers: Vec<_> = header.map(|seconds| ("retry-after", seconds)).into_iter().collect();
    let rule = move |topic: &str| if which(topic) { Reply::Answer(429, text, headers.clone()) } else { Reply::Take };
    // Whether the card warns while half of the topics go through is not asked: that changes from moment to moment.
    let told = if which("load/1") { tells } else { |status: &RelayStatus| status.last_error.is_some() };
    under(name, rule, told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_all_with_retry_after_loses_nothing() {
    limited("platform answers 429 to all, Retry-After", "Too many requests", Some("1"), |_| true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_half_with_retry_after_in_the_text_loses_nothing() {
    let text = "Too many requests (Retry-After: 1)";
    limited("platform answers 429 to half, Retry-After in the text", text, None, half).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_all_without_retry_after_loses_nothing() {
    limited("platform answers 429 to all, no Retry-After", "Too many requests", None, |_| true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_to_half_without_retry_after_loses_nothing() {
    limited("platform answers 429 to half, no Retry-After", "Too many requests", None, half).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_topic_of_a_hundred_that_fails_for_ever_holds_none_of_the_others_up() {
    let name = "one topic of 100 answered 500";
    for length in lengths(name) {
        let scene = Scene::start().await;
        scene.sink.rule(|topic| match topic {
            "load/7" => Reply::Answer(500, "parser failed", vec![]),
            _ => Reply::Take,
        });
        let traffic = Traffic::over(100, 1_000.0, length);
        traffic.publish(scene.broker.host, scene.broker.port).await;
        // All of the others, while it still fails.
        scene.taken(traffic.messages() - traffic.each).await;
        let status = scene
            .relay
            .card("only the failing topic to wait", |status| {
                status.ledger.waiting + status.ledger.in_flight == traffic.each as u64
            })
            .await;
        // Not the row of the retry: among so many it may no longer be kept.
        let error = status.last_error.as_ref().map_or("", |error| &error.message);
        assert!(error.contains("parser failed"), "{status:?}");
        scene.sink.rule(|_| Reply::Take);
        let healed = scene.heals().await;
        scene.ends(name, &words(length), traffic, healed, 0).await;
    }
}
