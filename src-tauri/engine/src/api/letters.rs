//! Commands about dead letters and what waits.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::configuration::ChangeError;
use crate::feed::{payload_preview, payload_view};
use crate::letters::{LettersError, NO_RELAY, draft};
use crate::queue::{Chosen, DeadLetter, LetterFilter, LetterLine, WaitingFrom};
use relayscope_domain::problem::Problem;

// Characters of a payload in a list.
const PREVIEW: usize = 160;
const MOST: u32 = 500;

pub(super) async fn list(engine: &Engine, request: LettersRequest) -> Result<Letters, ApiError> {
    let names = engine.relay_names().await?;
    let LettersRequest { filter, before, skip, count } = request;
    let page = engine.queue.letters(&filter.into(), before, skip, count.min(MOST)).await?;
    let row = |line: LetterLine| LetterRow {
        id: line.id,
        relay: names.get(&line.relay).map_or(NO_RELAY, |name| name).to_owned(),
        topic: line.topic,
        qos: line.qos,
        retain: line.retain,
        size: line.size,
        received_at: line.received_at,
        died_at: line.died_at,
        reason: line.reason,
        status: line.status,
        attempts: line.attempts,
        edited: line.edited,
        preview: payload_preview(&line.head, PREVIEW),
    };
    Ok(Letters {
        total: page.total,
        length: page.below,
        newest: page.newest,
        statuses: page
            .statuses
            .into_iter()
            .map(|(status, count)| StatusCount {
                status: status.map_or(LetterStatus::NoAnswer, |code| LetterStatus::Code { code }),
                count,
            })
            .collect(),
        letters: page.lines.into_iter().map(row).collect(),
    })
}

pub(super) async fn detail(engine: &Engine, request: LetterRequest) -> Result<LetterDetail, ApiError> {
    let names = engine.relay_names().await?;
    let DeadLetter { id, relay, message, died_at, attempts, reason, status, answer, request, edited } =
        engine.queue.letter(request.id).await?.ok_or(LettersError::Gone)?;
    Ok(LetterDetail {
        message_id: message.message_id,
        relay_exists: names.contains_key(&relay),
        request,
        answer,
        payload: payload_view(&message.payload),
        draft: LetterDraft { id, topic: message.topic.to_string(), payload: draft::of(&message.payload) },
        row: LetterRow {
            id,
            relay: names.get(&relay).map_or(NO_RELAY, |name| name).to_owned(),
            topic: message.topic.to_string(),
            qos: message.qos,
            retain: message.retain,
            size: message.payload.len() as u64,
            received_at: message.received_at,
            died_at,
            reason,
            status,
            attempts,
            edited,
            preview: payload_preview(&message.payload, PREVIEW),
        },
    })
}

pub(super) async fn edit(engine: &Engine, request: LetterDraft) -> Result<LetterDetail, ApiError> {
    let LetterDraft { id, topic, payload } = request;
    engine.edit_letter(id, &topic, payload.as_ref().map(draft::decode)).await?;
    detail(engine, LetterRequest { id }).await
}

pub(super) async fn rewrite(_engine: &Engine, request: RewriteRequest) -> Result<PayloadDraft, ApiError> {
    let problem = |message: String| LettersError::Invalid(vec![Problem { field: "payload".into(), message }]);
    let bytes = draft::decode(&request.payload).map_err(problem)?;
    let no_words = match request.form {
        PayloadForm::Json => "These bytes are no JSON; they can be written as text, hexadecimal or base64.",
        _ => "These bytes are no UTF-8 text; they can be written as hexadecimal or base64.",
    };
    Ok(draft::written(&bytes, request.form).ok_or_else(|| problem(no_words.into()))?)
}

pub(super) async fn resend(engine: &Engine, choice: LetterChoice) -> Result<LettersMoved, ApiError> {
    let outcome = engine.resend_letters(&choice.into()).await?;
    let tone = if outcome.some_stayed { Tone::Warn } else { Tone::Ok };
    Ok(LettersMoved { count: outcome.count, words: outcome.words, tone })
}

pub(super) async fn discard(engine: &Engine, choice: LetterChoice) -> Result<Discarded, ApiError> {
    let discard = engine.discard_letters(&choice.into()).await?;
    let words = match discard.count {
        1 => "1 dead letter was discarded.".to_owned(),
        more => format!("{more} dead letters were discarded."),
    };
    Ok(Discarded { count: discard.count, words, undo: discard.undo, until: discard.until })
}

pub(super) async fn undo_discard(engine: &Engine, request: UndoRequest) -> Result<LettersMoved, ApiError> {
    let count = engine.undo_discard(request.undo).await?;
    let words =
        if count == 1 { "1 dead letter is back.".to_owned() } else { format!("{count} dead letters are back.") };
    Ok(LettersMoved { count, words, tone: Tone::Ok })
}

pub(super) async fn export(engine: &Engine, request: ExportRequest) -> Result<Exported, ApiError> {
    let (path, count) = engine.export_letters(&request.choice.into(), request.format).await?;
    let words = if count == 1 {
        "1 dead letter was written.".to_owned()
    } else {
        format!("{count} dead letters were written.")
    };
    Ok(Exported { path: path.display().to_string(), count, words })
}

pub(super) async fn waiting(engine: &Engine, request: WaitingRequest) -> Result<Waiting, ApiError> {
    let WaitingRequest { relay_id, after, before, count } = request;
    let from = match before {
        Some(before) => WaitingFrom::Before(before),
        None => WaitingFrom::After(after.unwrap_or(i64::MIN)),
    };
    let ledger = engine.queue.ledger(relay_id).await?;
    let lines = engine.queue.waiting(relay_id, from, count.min(MOST)).await?;
    let entries = lines
        .into_iter()
        .map(|line| WaitingRow {
            id: line.id,
            topic: line.topic,
            qos: line.qos,
            retain: line.retain,
            size: line.size,
            received_at: line.received_at,
            attempts: line.attempts,
            preview: payload_preview(&line.head, PREVIEW),
        })
        .collect();
    Ok(Waiting { total: ledger.waiting, entries })
}

impl From<LettersFilter> for LetterFilter {
    fn from(filter: LettersFilter) -> Self {
        let status = filter.status.map(|status| match status {
            LetterStatus::Code { code } => Some(code),
            LetterStatus::NoAnswer => None,
        });
        Self { relay: filter.relay_id, text: filter.text, status }
    }
}

impl From<LetterChoice> for Chosen {
    fn from(choice: LetterChoice) -> Self {
        match choice {
            LetterChoice::These { ids } => Self::These(ids),
            LetterChoice::Matching { filter, upto, except } => Self::Matching { filter: filter.into(), upto, except },
        }
    }
}

impl From<LettersError> for ApiError {
    fn from(error: LettersError) -> Self {
        match error {
            LettersError::Store(error) => error.into(),
            LettersError::Queue(error) => error.into(),
            LettersError::Invalid(problems) => ChangeError::Invalid(problems).into(),
            LettersError::Gone => Self { code: ErrorCode::NotFound, ..error::failed(error.to_string()) },
            error @ (LettersError::Refused(_) | LettersError::File { .. }) => {
                error::failed(crate::causes::chain(&error))
            }
        }
    }
}
