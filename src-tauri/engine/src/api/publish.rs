//! Commands about messages that a person publishes, and about those that were kept.

use super::decoders::{self, NOT_WHOLE};
use super::error;
use super::wire::*;
use crate::Engine;
use crate::configuration::ChangeError;
use crate::inspect;
use crate::payloads;
use relayscope_domain::problem::Problems;
use relayscope_domain::publish::MessageDraft;

/// Longest name of a saved message or of a folder, in characters.
const NAME: usize = 80;

pub(super) async fn check_message(_engine: &Engine, draft: MessageDraft) -> Result<MessageCheck, ApiError> {
    Ok(inspect::check_message(&draft))
}

/// A message that was seen, as the form has it.
pub(super) async fn again(engine: &Engine, request: PayloadRequest) -> Result<MessageDraft, ApiError> {
    let published = decoders::published(engine, request.seq, request.history).await?;
    payloads::again::draft(&published).ok_or_else(|| error::failed(NOT_WHOLE))
}

pub(super) async fn start(engine: &Engine, request: PublishRequest) -> Result<PublishProgress, ApiError> {
    Ok(engine.publish(&request).await?)
}

pub(super) async fn progress(engine: &Engine, request: NumberRequest) -> Result<PublishProgress, ApiError> {
    Ok(engine.publication(request.number)?)
}

pub(super) async fn cancel(engine: &Engine, request: NumberRequest) -> Result<PublishProgress, ApiError> {
    Ok(engine.cancel_publication(request.number)?)
}

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<SavedMessage>, ApiError> {
    Ok(engine.store.messages().await?)
}

pub(super) async fn save(engine: &Engine, draft: SavedMessageDraft) -> Result<SavedMessage, ApiError> {
    let (folder, name) = named(&draft.folder, &draft.name)?;
    let saved = engine.store.save_message(draft.id, folder, name, &draft.message).await;
    Ok(saved.map_err(ChangeError::from)?)
}

pub(super) async fn place(engine: &Engine, request: MessagePlace) -> Result<SavedMessage, ApiError> {
    let (folder, name) = named(&request.folder, &request.name)?;
    Ok(engine.store.place_message(request.id, folder, name).await.map_err(ChangeError::from)?)
}

pub(super) async fn rename_folder(engine: &Engine, request: FolderRename) -> Result<Nothing, ApiError> {
    let (folder, _) = named(&request.to, "any")?;
    Ok(engine.store.rename_folder(&request.from, folder).await.map_err(ChangeError::from)?)
}

pub(super) async fn delete(engine: &Engine, request: MessageRequest) -> Result<Nothing, ApiError> {
    Ok(engine.store.delete_message(request.id).await?)
}

fn named<'a>(folder: &'a str, name: &'a str) -> Result<(&'a str, &'a str), ChangeError> {
    let (folder, name) = (folder.trim(), name.trim());
    let mut problems = Problems::default();
    if folder.chars().count() > NAME {
        problems.add("folder", format!("The folder's name has at most {NAME} characters."));
    }
    if name.is_empty() || name.chars().count() > NAME {
        problems.add("name", format!("The name has 1 to {NAME} characters."));
    }
    problems.finish((folder, name)).map_err(ChangeError::Invalid)
}
