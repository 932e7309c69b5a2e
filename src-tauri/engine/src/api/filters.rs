//! Commands about the inspector's filter: reading its line, clicks, saved filters.

use super::error;
use super::wire::*;
use crate::Engine;
use relayscope_domain::filter::{Filter, Mistake, parse};
use relayscope_domain::problem::Problems;

/// Longest name of a saved filter, in characters.
const NAME: usize = 80;

/// What a line means, or what is wrong with it.
pub(super) fn reading(line: &str) -> FilterReading {
    match parse(line) {
        Ok(filter) => read(line.to_owned(), filter),
        Err(mistakes) => wrong(line, mistakes),
    }
}

fn read(line: String, filter: Filter) -> FilterReading {
    FilterReading { line, kinds: filter.kinds(), muted: filter.muted(), filter: Some(filter), mistakes: vec![] }
}

fn wrong(line: &str, mistakes: Vec<Mistake>) -> FilterReading {
    FilterReading { line: line.to_owned(), filter: None, kinds: vec![], muted: vec![], mistakes }
}

pub(super) async fn read_line(_engine: &Engine, request: TextRequest) -> Result<FilterReading, ApiError> {
    Ok(reading(&request.text))
}

pub(super) async fn edit(_engine: &Engine, request: FilterEditRequest) -> Result<FilterReading, ApiError> {
    let filter = match parse(&request.line) {
        Ok(filter) => filter,
        Err(mistakes) => return Ok(wrong(&request.line, mistakes)),
    };
    let filter = filter.edited(&request.edit).map_err(error::failed)?;
    Ok(read(filter.to_string(), filter))
}

pub(super) async fn list(engine: &Engine, (): Nothing) -> Result<Vec<SavedFilter>, ApiError> {
    Ok(engine.store.filters().await?)
}

pub(super) async fn save(engine: &Engine, draft: FilterDraft) -> Result<SavedFilter, ApiError> {
    let mut problems = Problems::default();
    let name = draft.name.trim();
    if name.is_empty() || name.chars().count() > NAME {
        problems.add("name", format!("The name has 1 to {NAME} characters."));
    }
    if let Err(mistakes) = parse(&draft.line) {
        for mistake in mistakes {
            problems.add("line", mistake.message);
        }
    }
    if !problems.is_empty() {
        return Err(crate::configuration::ChangeError::Invalid(problems.into_vec()).into());
    }
    Ok(engine.store.save_filter(draft.id, name, draft.line.trim()).await?)
}

pub(super) async fn delete(engine: &Engine, request: FilterRequest) -> Result<Nothing, ApiError> {
    Ok(engine.store.delete_filter(request.id).await?)
}
