//! The MQTT clients of other people that the tests run against the embedded broker: paho-mqtt in a Python environment of
//! its own, and MQTT.js. Both lie in `clients` in the target folder; nothing is done twice when nothing changed.

use crate::shell::{npm, root, sh, target};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Installs what `tests/conformance/clients` names.
pub(crate) fn install() -> Result<(), String> {
    if !cfg!(unix) {
        return Ok(());
    }
    let (wishes, folder) = (root().join("tests/conformance/clients"), target().join("clients"));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let requirements = wishes.join("requirements.txt");
    if !same(&requirements, &folder.join("requirements.txt")) {
        let python = folder.join("venv");
        sh(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&python))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
        sh(Command::new(python.join("bin/python")).args(install).arg(&requirements))?;
        copy(&requirements, &folder)?;
    }
    if !same(&wishes.join("package-lock.json"), &folder.join("node_modules/installed.json")) {
        copy(&wishes.join("package.json"), &folder)?;
        copy(&wishes.join("package-lock.json"), &folder)?;
        sh(npm(&["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        let done = folder.join("node_modules/installed.json");
        fs::copy(wishes.join("package-lock.json"), &done).map_err(|error| format!("{}: {error}", done.display()))?;
    }
    Ok(())
}

/// Whether both are there with the same content.
fn same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).map(drop).map_err(|error| format!("{}: {error}", to.display()))
}
