//! `import` and `export`: configuration into and out of a data folder.

use crate::config::{self, Plan};
use crate::run::{GRACE, refused, start};
use crate::{Failure, on_runtime, say};
use relayscope_domain::endpoint::EndpointSettings;
use relayscope_domain::import;
use relayscope_engine::api;
use relayscope_engine::api::wire::ImportRequest;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Shows what the file creates, asks, and creates it.
pub(crate) fn import(file: &Path, data_dir: Option<PathBuf>, yes: bool) -> Result<(), Failure> {
    let imported = config::read(file)?;
    let mut lines = vec!["This will be created:".to_owned()];
    lines.extend(import::preview_lines(&imported).into_iter().map(|line| format!("  {line}")));
    lines.extend(imported.notes.iter().map(|note| format!("Note: {note}")));
    print(&(lines.join("\n") + "\n"))?;
    if !yes && !confirmed()? {
        say("Nothing was changed.");
        return Ok(());
    }
    // The file once more, with the environment and certificate files worked into it.
    let name = file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    let request = ImportRequest { file_name: name, text: import::export(&imported.relays, true) };
    let request = serde_json::to_value(request)
        .map_err(|error| Failure::runtime(format!("The import cannot be handed over: {error}.")))?;
    let plan = plan(data_dir)?;
    on_runtime(async {
        let engine = start(&plan, true).await?;
        let result = api::call(&engine, "import.apply", request).await;
        engine.shutdown(GRACE).await;
        result.map_err(refused)
    })?;
    say(&format!("Created in {}.", plan.data_dir.display()));
    Ok(())
}

/// Prints the folder's relays as a file.
pub(crate) fn export(data_dir: Option<PathBuf>, with_secrets: bool) -> Result<(), Failure> {
    let plan = plan(data_dir)?;
    if !plan.data_dir.is_dir() {
        return Err(Failure::usage(format!("There is no data folder {}.", plan.data_dir.display())));
    }
    let relays = on_runtime(async {
        let engine = start(&plan, true).await?;
        let relays = engine.export().await;
        engine.shutdown(GRACE).await;
        relays.map_err(refused)
    })?;
    if relays.is_empty() {
        return Err(Failure::runtime(format!("There are no relays in {}.", plan.data_dir.display())));
    }
    print(&import::export(&relays, with_secrets))
}

fn plan(data_dir: Option<PathBuf>) -> Result<Plan, Failure> {
    let keychain = data_dir.is_none();
    let data_dir = data_dir.map_or_else(config::default_dir, Ok)?;
    Ok(Plan { data_dir, keychain, imported: None, demo: false, endpoint: EndpointSettings::default() })
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::runtime(format!("stdout cannot be written: {error}.")))
}

fn confirmed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("There is nobody to ask; add --yes to import without asking."));
    }
    let mut err = io::stderr().lock();
    drop(write!(err, "Create it? [y/N] ").and_then(|()| err.flush()));
    drop(err);
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::runtime(format!("The answer cannot be read: {error}.")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
