//! How a relay is started: a TOML file with placeholders. Knows nothing of what the relay does.
//!
//! Placeholders in `program`, `arguments`, `environment`, `downlink` and in paths and texts of `files`: {broker_host},
//! {broker_port}, {sink_url}, {folder}, {network_token}, {authorization}, {qos}, {downlink_port}, {filters} (a list in
//! TOML and JSON), {connections}, {bench}, {bench_folder} and {env:NAME}.

use crate::Outcome;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The adapters that come with the benchmark, name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("null", include_str!("../adapters/null.toml")),
    ("relayscope", include_str!("../adapters/relayscope.toml")),
    ("tagoio-relay", include_str!("../adapters/tagoio-relay.toml")),
];

/// A relay as its file describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// What tables call it.
    pub name: String,
    /// The program to run.
    pub program: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Variables it gets beside those of the benchmark.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files in its folder, written once before its first start.
    #[serde(default)]
    pub files: Vec<Written>,
    /// Signal that stops it cleanly.
    #[serde(default)]
    pub stop: Stop,
    /// Where it takes messages for devices; nothing when it does not, or not over plain HTTP.
    pub downlink: Option<String>,
}

/// A file to be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Within the relay's folder.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// How it is asked to stop.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stop {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT.
    Int,
}

impl Stop {
    /// The signal's number.
    pub fn signal(self) -> i32 {
        match self {
            Self::Term => libc::SIGTERM,
            Self::Int => libc::SIGINT,
        }
    }
}

/// Values of the placeholders, in a run.
pub type Values = BTreeMap<&'static str, String>;

impl Adapter {
    /// A shipped adapter by its name, or the file at a path.
    pub fn find(wanted: &str) -> Outcome<Self> {
        let shipped = SHIPPED.iter().find(|(name, _)| *name == wanted).map(|(_, text)| (*text).to_owned());
        let text = match shipped {
            Some(text) => text,
            None => fs::read_to_string(wanted).map_err(|error| {
                let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
                format!("“{wanted}” is neither an adapter that comes along ({}) nor a file: {error}.", names.join(", "))
            })?,
        };
        toml::from_str(&text).map_err(|error| format!("The adapter {wanted} cannot be read: {error}"))
    }

    /// Writes its files.
    pub fn prepare(&self, folder: &Path, values: &Values) -> Outcome<()> {
        for file in &self.files {
            let path = folder.join(fill(&file.path, values)?);
            fs::write(&path, fill(&file.text, values)?).map_err(|error| format!("{}: {error}.", path.display()))?;
        }
        Ok(())
    }

    /// The command that starts it.
    pub fn command(&self, folder: &Path, values: &Values) -> Outcome<Command> {
        let mut command = Command::new(fill(&self.program, values)?);
        command.current_dir(folder);
        for argument in &self.arguments {
            command.arg(fill(argument, values)?);
        }
        for (name, value) in &self.environment {
            command.env(name, fill(value, values)?);
        }
        Ok(command)
    }

    /// Where it takes messages for devices.
    pub fn downlink(&self, values: &Values) -> Outcome<Option<String>> {
        self.downlink.as_ref().map(|url| fill(url, values)).transpose()
    }

    /// Whether its program can be named: an adapter may ask for it in a variable.
    pub fn check(&self, bench: &Path) -> Outcome<()> {
        let program = fill(&self.program, &programs(bench))?;
        if Path::new(&program).is_file() || !program.contains('/') {
            return Ok(());
        }
        Err(format!("The program of {} is not there: {program}. Build it first.", self.name))
    }
}

/// The placeholders that name programs.
pub fn programs(bench: &Path) -> Values {
    let folder = bench.parent().unwrap_or(Path::new("."));
    [("bench", bench.display().to_string()), ("bench_folder", folder.display().to_string())].into()
}

/// Replaces every placeholder; other braces stay, as JSON and TOML have them.
fn fill(text: &str, values: &Values) -> Outcome<String> {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    while let Some((before, rest)) = text.split_once("{env:") {
        let Some((name, after)) = rest.split_once('}') else { break };
        let value =
            std::env::var(name).map_err(|_| format!("The variable {name} is wanted by the adapter; set it."))?;
        text = format!("{before}{value}{after}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_adapter_is_read_and_its_files_are_filled() {
        let values: Values = [("qos", "1".to_owned()), ("folder", "/x".to_owned())].into();
        for (name, _) in SHIPPED {
            assert_eq!(Adapter::find(name).map(|adapter| adapter.name), Ok((*name).to_owned()));
        }
        let text = r#"qos = { "bench/#" = {qos} } in {folder}"#;
        assert_eq!(fill(text, &values), Ok(r#"qos = { "bench/#" = 1 } in /x"#.to_owned()));
        assert!(fill("{env:RELAYSCOPE_BENCH_UNSET}", &values).is_err());
        assert!(Adapter::find("nothing-of-that-name").is_err());
    }
}
