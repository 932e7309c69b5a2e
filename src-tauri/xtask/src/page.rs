//! The page under `ui/`: its packages, its build, its checks. Nothing is done twice when nothing changed.

use crate::shell::{npm, root, sh};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Installs the packages the lock file names, when they are older than it.
pub(crate) fn packages() -> Result<(), String> {
    let ui = root().join("ui");
    let installed = modified(&ui.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&ui.join("package-lock.json")) {
        return Ok(());
    }
    sh(&mut npm(&["ci", "--no-audit", "--no-fund"]))
}

/// Builds `ui/dist`, when a source is newer than it.
pub(crate) fn build() -> Result<(), String> {
    packages()?;
    let ui = root().join("ui");
    // A fresh clone's stand-in (see build.rs) has no assets.
    let built = modified(&ui.join("dist/index.html")).filter(|_| ui.join("dist/assets").exists());
    if built.is_some() && built >= newest(&ui) {
        return Ok(());
    }
    script("build")
}

/// Runs a script of `ui/package.json`.
pub(crate) fn script(name: &str) -> Result<(), String> {
    sh(&mut npm(&["run", "--silent", name]))
}

/// When the newest source of the page was written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let seen = entries.filter(|entry| !matches!(entry.file_name().to_str(), Some("dist" | "node_modules")));
    seen.filter_map(|entry| if entry.path().is_dir() { newest(&entry.path()) } else { modified(&entry.path()) }).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
