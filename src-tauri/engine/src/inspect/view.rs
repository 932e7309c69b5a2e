//! Sessions and publications as pages show them, in words.

use super::Wanted;
use super::job::{Job, JobState, Pair};
use super::shared::{Filter, FilterState};
use crate::api::wire::{PublishPair, PublishProgress, SessionFilterView, SessionView, SessionsFrame, StateWords, Tone};
use crate::feed::{payload_preview, unix_millis};
use crate::mqtt::session::Standing;
use crate::runtime::{Runtime, UnitKey, UnitStatus};
use crate::status::unit_words;
use crate::store::{Store, StoreError};
use relayscope_domain::message::{MqttVersion, Qos};
use std::time::SystemTime;

/// Characters of an answer in its line.
const PREVIEW: usize = 200;

pub(crate) async fn sessions(store: &Store, runtime: &Runtime) -> Result<SessionsFrame, StoreError> {
    let wanted = runtime.sessions.wanted();
    let open = wanted.into_iter().filter(|(_, wanted)| !wanted.fleeting);
    let mut sessions = vec![];
    let mut brokers = None;
    for (number, wanted) in open {
        let brokers = match &mut brokers {
            Some(brokers) => brokers,
            none => none.insert(store.brokers().await?),
        };
        let name = brokers.iter().find(|broker| broker.id == wanted.broker_id).map(|broker| broker.name.as_str());
        let status = runtime.status(UnitKey::Session(number));
        sessions.push(session(number, &wanted, name.unwrap_or_default(), &status));
    }
    Ok(SessionsFrame { sessions })
}

pub(super) fn session(number: u32, wanted: &Wanted, broker: &str, status: &UnitStatus) -> SessionView {
    let inner = wanted.shared.inner();
    let (state, advice) = match status {
        UnitStatus::Running { .. } => standing(&inner.standing, inner.since, inner.version),
        UnitStatus::Stopped if broker.is_empty() => (words("its broker was deleted", Tone::Bad, None), String::new()),
        UnitStatus::Stopped => (words("waits for its broker to run", Tone::Warn, None), String::new()),
        other => (unit_words(other, ""), String::new()),
    };
    let (received, lost) = wanted.shared.counts();
    SessionView {
        number,
        broker_id: wanted.broker_id,
        broker: broker.to_owned(),
        client_id: inner.client_id.clone(),
        state,
        advice,
        filters: inner.filters.iter().filter(|filter| filter.asked).map(filter_view).collect(),
        received,
        lost,
    }
}

fn words(text: impl Into<String>, tone: Tone, since: Option<SystemTime>) -> StateWords {
    StateWords { words: text.into(), tone, since: since.map(unix_millis) }
}

fn standing(standing: &Standing, since: SystemTime, version: Option<MqttVersion>) -> (StateWords, String) {
    match standing {
        Standing::Connecting | Standing::Blocked => (words("connecting", Tone::Warn, Some(since)), String::new()),
        Standing::Connected => {
            let spoken =
                if version == Some(MqttVersion::V5) { "connected · MQTT 5" } else { "connected · MQTT 3.1.1" };
            (words(spoken, Tone::Ok, Some(since)), String::new())
        }
        Standing::Retrying(failure) => {
            (words(format!("tries again: {}", failure.words), Tone::Warn, Some(since)), failure.advice.clone())
        }
        Standing::Refused(failure) => {
            (words(format!("refused: {}", failure.words), Tone::Bad, Some(since)), failure.advice.clone())
        }
    }
}

fn filter_view(filter: &Filter) -> SessionFilterView {
    let (words, tone) = match &filter.state {
        FilterState::Wanted => ("not subscribed yet".to_owned(), Tone::Idle),
        FilterState::Asked => ("waits for the broker's answer".to_owned(), Tone::Idle),
        FilterState::Granted(qos) if *qos < filter.qos => {
            let (granted, asked) = (u8::from(*qos), u8::from(filter.qos));
            (format!("granted QoS {granted}; QoS {asked} was asked for"), Tone::Warn)
        }
        FilterState::Granted(qos) => (format!("granted QoS {}", u8::from(*qos)), Tone::Ok),
        FilterState::Refused(why) => (format!("refused: {why}"), Tone::Bad),
        FilterState::Leaving => ("being given up".to_owned(), Tone::Idle),
    };
    SessionFilterView { filter: filter.filter.to_string(), qos: filter.qos, words, tone }
}

pub(crate) fn progress(job: &Job) -> PublishProgress {
    let state = job.state();
    let (words, tone) = outcome(job, &state);
    PublishProgress {
        number: job.number,
        broker: job.broker.clone(),
        topic: job.message.topic.clone(),
        count: job.repeat.count,
        sent: state.sent,
        taken: state.taken,
        done: state.done,
        words,
        tone,
        response_topic: job.message.properties.response_topic.clone(),
        pairs: state.pairs.iter().map(pair).collect(),
    }
}

fn pair(pair: &Pair) -> PublishPair {
    let answer = pair.answer.as_ref();
    PublishPair {
        correlation: payload_preview(&pair.correlation, PREVIEW),
        at: unix_millis(pair.at),
        took: answer.map(|answer| answer.took.as_secs_f64() * 1_000.0),
        answer: answer.map(|answer| payload_preview(&answer.payload, PREVIEW)),
        size: answer.map(|answer| answer.payload.len() as u64),
        correlated: answer.is_some_and(|answer| answer.correlated),
    }
}

fn outcome(job: &Job, state: &JobState) -> (String, Tone) {
    let count = job.repeat.count;
    let so_far = match (count, state.sent) {
        (1, 0) => "Nothing was published.".to_owned(),
        (1, _) => "The message was sent.".to_owned(),
        (_, sent) => format!("{sent} of {count} were sent."),
    };
    if let Some(why) = &state.failure {
        return (if count == 1 { why.clone() } else { format!("{why} {so_far}") }, Tone::Bad);
    }
    if state.cancelled {
        return (format!("Cancelled. {so_far}"), Tone::Warn);
    }
    if !state.done {
        return match (state.v5, state.sent) {
            (None, _) => ("Connecting.".to_owned(), Tone::Idle),
            (_, sent) if sent == count && state.taken < sent => ("Sent; waits for the broker.".to_owned(), Tone::Idle),
            (_, sent) if sent == count => ("Published; waits for answers.".to_owned(), Tone::Idle),
            (_, sent) => (format!("{sent} of {count} sent."), Tone::Idle),
        };
    }
    let mut text = if count == 1 { "Published. ".to_owned() } else { format!("{count} published. ") };
    let ack = if job.message.qos == Qos::ExactlyOnce { "PUBREC" } else { "PUBACK" };
    text.push_str(&match (job.message.qos, state.unheard) {
        (Qos::AtMostOnce, _) => "Written to the connection; QoS 0 is not acknowledged.".to_owned(),
        (_, 0) if state.v5 == Some(true) => "The broker acknowledged it: 0x00 success.".to_owned(),
        (_, 0) => "The broker acknowledged it.".to_owned(),
        (_, all) if all == count => format!("{ack} says: 0x10 no matching subscribers."),
        (_, some) => format!("{ack} said 0x10 no matching subscribers to {some} of them."),
    });
    let silent = state.pairs.iter().filter(|pair| pair.answer.is_none()).count();
    if job.message.properties.response_topic.is_some() {
        text.push_str(&match (state.pairs.len() - silent, silent) {
            (0, _) => " No answer came.".to_owned(),
            (1, 0) => " The answer came.".to_owned(),
            (some, 0) => format!(" {some} answers came."),
            (some, none) => format!(" {some} answers came, {none} did not."),
        });
    }
    let tone = if state.unheard > 0 || silent > 0 { Tone::Warn } else { Tone::Ok };
    (text, tone)
}
