//! Commands that take in the official relay's configuration file. In the window no environment and no further files are
//! read: what counts is what the person chose.

use super::wire::*;
use crate::Engine;
use relayscope_domain::import::{self, ImportProblem, Imported, ImportedRelay};
use relayscope_domain::problem::Problem;

fn parse(request: &ImportRequest) -> Result<Imported, ApiError> {
    import::parse(&request.file_name, &request.text, &[]).map_err(|problems| refused(&problems))
}

fn refused(problems: &[ImportProblem]) -> ApiError {
    let problem = |problem: &ImportProblem| Problem {
        field: problem.key.clone().unwrap_or_default(),
        message: problem.to_string(),
    };
    ApiError {
        code: ErrorCode::Invalid,
        message: "The file can't be imported as it is; nothing was changed.".into(),
        problems: problems.iter().map(problem).collect(),
        users: vec![],
    }
}

fn described(imported: &Imported) -> ImportPreview {
    ImportPreview { creates: import::preview_lines(imported), notes: imported.notes.clone() }
}

pub(super) async fn preview(_engine: &Engine, request: ImportRequest) -> Result<ImportPreview, ApiError> {
    Ok(described(&parse(&request)?))
}

pub(super) async fn apply(engine: &Engine, request: ImportRequest) -> Result<ImportPreview, ApiError> {
    let imported = parse(&request)?;
    engine.add(&imported).await?;
    engine.welcome().await?;
    Ok(described(&imported))
}

impl Engine {
    /// Makes the folder's whole configuration equal to a file's.
    pub async fn replace_configuration(&self, imported: &Imported) -> Result<(), ApiError> {
        Ok(self.replace_with(imported).await?)
    }

    /// The relays with external brokers, secrets included, for a file.
    pub async fn export(&self) -> Result<Vec<ImportedRelay>, ApiError> {
        Ok(self.exported().await?)
    }
}
