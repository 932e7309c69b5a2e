//! Commands about decoders: an event's payload read, two compared, schemas and bindings kept.

use super::error;
use super::wire::*;
use crate::Engine;
use crate::feed::{Place, Published};
use relayscope_domain::decode::binding::{Binding, BindingDraft, DecoderDraft, DecoderKind};
use relayscope_domain::decode::diff::{self, Diff, Part};
use relayscope_domain::decode::encode::{self, Form};
use relayscope_domain::decode::path;
use relayscope_domain::decode::schema::{Schema, SchemaDraft};

/// Numbers of a payload that are told.
const NUMBERS: usize = 200;
/// Lines that are given at once.
const MOST_LINES: u32 = 1_000;
/// Why a message can't be published again.
pub(super) const NOT_WHOLE: &str = "Only the beginning of the payload was kept; it can't be published again.";

pub(super) async fn published(engine: &Engine, seq: u64, history: bool) -> Result<Published, ApiError> {
    let (found, gone) = if history {
        (engine.history.published(seq).await?, "This event is no longer in the history: it was too old, or made room.")
    } else {
        let gone = "This event is no longer kept: newer ones took its place in the memory budget (Settings).";
        (engine.feed_of_event(seq).published(seq), gone)
    };
    found.ok_or_else(|| error::failed(gone))?.ok_or_else(|| error::failed("This event has no payload."))
}

/// The number of the message before it of the same topic.
async fn previous(engine: &Engine, place: Place, seq: u64) -> Result<Option<u64>, ApiError> {
    match place {
        Place::History => Ok(engine.history.previous(seq).await?),
        Place::Feed => {
            let feed = engine.feed_of_event(seq);
            // Looks through everything kept when there is none.
            let previous = tokio::task::spawn_blocking(move || feed.previous(seq)).await;
            previous.map_err(|error| error::failed(error.to_string()))
        }
    }
}

pub(super) async fn event(engine: &Engine, request: DecodeRequest) -> Result<DecodedEvent, ApiError> {
    let published = published(engine, request.seq, request.history).await?;
    let looked = engine.look_at(published, request.decoder.as_ref()).await?;
    let previous = previous(engine, looked.published.place, request.seq).await?;
    let (decoded, error) = match &looked.read {
        Ok(decoded) => (Some(decoded), None),
        Err(error) => (None, Some(error.clone())),
    };
    Ok(DecodedEvent {
        choice: looked.choice.clone(),
        error,
        numbers: decoded.map(|decoded| path::numbers(&decoded.root, NUMBERS)).unwrap_or_default(),
        decoded: decoded.map(|decoded| DecodedView {
            decoder: decoded.decoder.clone(),
            layers: decoded.layers.clone(),
            root: decoded.root.clone(),
            shown: decoded.shown,
            total: decoded.total,
            notes: decoded.notes.clone(),
        }),
        previous,
        kept: looked.published.cut_from.map(|_| looked.published.payload.len() as u64),
    })
}

pub(super) async fn lines(engine: &Engine, request: PayloadLinesRequest) -> Result<PayloadLines, ApiError> {
    let looked =
        engine.look_again(published(engine, request.seq, request.history).await?, request.decoder.as_ref()).await?;
    let columns = request.columns.clamp(20, 2_000) as usize;
    let form = request.form;
    let lines = tokio::task::spawn_blocking(move || looked.lines(form, columns)).await;
    let lines = lines.map_err(|error| error::failed(error.to_string()))?;
    let count = request.count.min(MOST_LINES) as usize;
    Ok(PayloadLines { total: lines.len() as u32, lines: lines.get(request.from as usize, count) })
}

pub(super) async fn copy(engine: &Engine, request: CopyRequest) -> Result<Copied, ApiError> {
    let published = published(engine, request.seq, request.history).await?;
    let size = published.payload.len();
    let written = |form: Form| {
        let text = encode::show(form, &published.payload);
        text.ok_or_else(|| error::failed("The payload is no UTF-8 text; it can be copied as hexadecimal or Base64."))
    };
    let bytes = match published.cut_from {
        Some(whole) => format!("the first {size} of {whole} bytes, which are all that was kept"),
        None => format!("{size} bytes"),
    };
    let (text, words) = match request.form {
        CopyForm::Text => (written(Form::Text)?, bytes),
        CopyForm::Hex => (written(Form::Hex)?, format!("{bytes} as hexadecimal")),
        CopyForm::Base64 => (written(Form::Base64)?, format!("{bytes} as Base64")),
        CopyForm::MosquittoPub if published.cut_from.is_some() => {
            return Err(error::failed(NOT_WHOLE));
        }
        CopyForm::MosquittoPub => match engine.command(&published).await? {
            Some(command) => (command, "the mosquitto_pub command".to_owned()),
            None => return Err(error::failed("The payload is too long for a command line; save it as a file.")),
        },
        CopyForm::Shown => {
            let looked = engine.look_again(published, request.decoder.as_ref()).await?;
            match &looked.read {
                Ok(decoded) => (decoded.text.clone(), format!("what is shown, as {}", decoded.decoder)),
                Err(error) => return Err(error::failed(error.to_string())),
            }
        }
    };
    Ok(Copied { text, words: format!("Copied {words}.") })
}

pub(super) async fn save(engine: &Engine, request: PayloadRequest) -> Result<Exported, ApiError> {
    let published = published(engine, request.seq, request.history).await?;
    let size = published.payload.len();
    let path = engine.save_payload(&published).await;
    let path = path.map_err(|source| error::failed(format!("The payload could not be saved: {source}.")))?;
    Ok(Exported { path: path.display().to_string(), count: 1, words: format!("{size} bytes were written.") })
}

fn part(published: &Published) -> Part<'_> {
    Part { kept: &published.payload, whole: published.cut_from.unwrap_or(published.payload.len()) }
}

/// Compares what the decoders give; where one cannot read its side, the bytes. Of cut payloads what is known of both.
pub(super) async fn diff(engine: &Engine, request: DiffRequest) -> Result<Diff, ApiError> {
    let left = published(engine, request.left, request.history).await?;
    let right = published(engine, request.right, request.history).await?;
    let draft: Option<&DecoderDraft> = request.decoder.as_ref();
    if left.cut_from.is_some() || right.cut_from.is_some() {
        let as_text = draft.is_none_or(|draft| draft.kind != DecoderKind::Hex);
        let compared = tokio::task::spawn_blocking(move || diff::parts(part(&left), part(&right), as_text));
        return compared.await.map_err(|error| error::failed(error.to_string()));
    }
    let left = engine.read_payload(left, draft).await?;
    let right = engine.look_again(right, draft).await?;
    // Up to tenths of a second for long and different texts.
    let compared = tokio::task::spawn_blocking(move || match (&left.read, &right.read) {
        (Ok(one), Ok(other)) if one.decoder != "hex" && one.decoder == other.decoder => diff::decoded(one, other),
        _ => diff::bytes(&left.published.payload, &right.published.payload),
    });
    compared.await.map_err(|error| error::failed(error.to_string()))
}

pub(super) async fn bindings(engine: &Engine, (): Nothing) -> Result<Vec<Binding>, ApiError> {
    Ok(engine.store.bindings().await?)
}

pub(super) async fn save_binding(engine: &Engine, draft: BindingDraft) -> Result<Binding, ApiError> {
    Ok(engine.save_binding(&draft).await?)
}

pub(super) async fn delete_binding(engine: &Engine, request: BindingRequest) -> Result<Nothing, ApiError> {
    Ok(engine.store.delete_binding(request.id).await?)
}

fn view(schema: Schema) -> SchemaView {
    SchemaView { messages: Engine::messages_of(&schema), id: schema.id, name: schema.name }
}

pub(super) async fn schemas(engine: &Engine, (): Nothing) -> Result<Vec<SchemaView>, ApiError> {
    Ok(engine.store.schemas().await?.into_iter().map(view).collect())
}

pub(super) async fn schema(engine: &Engine, request: SchemaRequest) -> Result<Schema, ApiError> {
    let found = engine.store.schemas().await?.into_iter().find(|schema| schema.id == request.id);
    found.ok_or_else(|| error::not_found("schema"))
}

pub(super) async fn save_schema(engine: &Engine, draft: SchemaDraft) -> Result<SchemaView, ApiError> {
    Ok(view(engine.save_schema(&draft).await?))
}

pub(super) async fn delete_schema(engine: &Engine, request: SchemaRequest) -> Result<Nothing, ApiError> {
    Ok(engine.delete_schema(request.id).await?)
}
