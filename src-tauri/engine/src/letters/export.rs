//! Dead letters as a file for people and programs: one JSON object a line, or CSV. Never overwrites a file, and leaves
//! none behind that is not complete.
//!
//! Columns, the same in both: `id`, `relay`, `message_id`, `topic`, `qos`, `retain`, `received_at`, `died_at` (RFC 3339,
//! UTC), `attempts`, `status` (empty when no answer came), `reason`, `answer`, `request` (secrets masked), `edited`,
//! `encoding` (`utf-8` or `base64`) and `payload`. CSV follows RFC 4180; a text that a spreadsheet would take for a
//! formula begins with an apostrophe there.

use super::{LettersError, NO_RELAY, Names};
use crate::Engine;
use crate::api::wire::ExportFormat;
use crate::queue::{Chosen, DeadLetter};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

const COLUMNS: [&str; 16] = [
    "id",
    "relay",
    "message_id",
    "topic",
    "qos",
    "retain",
    "received_at",
    "died_at",
    "attempts",
    "status",
    "reason",
    "answer",
    "request",
    "edited",
    "encoding",
    "payload",
];

impl Engine {
    /// Writes the chosen letters, oldest first; returns where, and how many.
    pub(crate) async fn export_letters(
        &self,
        chosen: &Chosen,
        format: ExportFormat,
    ) -> Result<(PathBuf, u64), LettersError> {
        let names = self.relay_names().await?;
        let first = self.queue.chosen_letters(chosen, 0).await?;
        if first.is_empty() {
            return Err(LettersError::Gone);
        }
        let of = match chosen {
            Chosen::Matching { filter, .. } => filter.relay.map(|relay| name_of(&names, relay)),
            Chosen::These(_) => {
                let same = first.iter().all(|letter| letter.relay == first[0].relay);
                same.then(|| name_of(&names, first[0].relay))
            }
        };
        let folder = folder(&self.data_dir);
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| LettersError::File { path, source }
        };
        tokio::fs::create_dir_all(&folder).await.map_err(failed(&folder))?;
        let (file, path) = new_file(&folder, of.as_deref(), format).await.map_err(failed(&folder))?;
        match self.write_letters(file, chosen, first, &names, format, &path).await {
            Ok(count) => Ok((path, count)),
            Err(error) => {
                let _ = tokio::fs::remove_file(&path).await;
                Err(error)
            }
        }
    }

    async fn write_letters(
        &self,
        file: File,
        chosen: &Chosen,
        mut letters: Vec<DeadLetter>,
        names: &Names,
        format: ExportFormat,
        path: &Path,
    ) -> Result<u64, LettersError> {
        let failed = |source| LettersError::File { path: path.display().to_string(), source };
        let mut out = BufWriter::new(file);
        if format == ExportFormat::Csv {
            out.write_all(format!("{}\r\n", COLUMNS.join(",")).as_bytes()).await.map_err(failed)?;
        }
        let mut count = 0;
        while let Some(last) = letters.last().map(|letter| letter.id) {
            for letter in &letters {
                let values = values(letter, &name_of(names, letter.relay));
                let line = match format {
                    ExportFormat::Ndjson => ndjson(&values),
                    ExportFormat::Csv => csv(&values),
                };
                out.write_all(line.as_bytes()).await.map_err(failed)?;
                count += 1;
            }
            letters = self.queue.chosen_letters(chosen, last).await?;
        }
        out.flush().await.map_err(failed)?;
        out.into_inner().sync_all().await.map_err(failed)?;
        Ok(count)
    }
}

fn name_of(names: &Names, relay: relayscope_domain::id::RelayId) -> String {
    names.get(&relay).map_or_else(|| NO_RELAY.to_owned(), |name| name.to_string())
}

/// The person's folder for downloads, or one beside the databases.
pub(crate) fn folder(data_dir: &Path) -> PathBuf {
    let downloads = directories::UserDirs::new().and_then(|dirs| {
        let named = dirs.download_dir().map(Path::to_owned);
        named.or_else(|| Some(dirs.home_dir().join("Downloads"))).filter(|folder| folder.is_dir())
    });
    downloads.unwrap_or_else(|| data_dir.join("exports"))
}

/// A file that was not there before: `relayscope-dead-letters-plant-2026-11-21-140300.csv`, with a number when needed.
async fn new_file(folder: &Path, relay: Option<&str>, format: ExportFormat) -> io::Result<(File, PathBuf)> {
    let relay: String = relay.map_or_else(|| "all".to_owned(), plain);
    let stem = format!("relayscope-dead-letters-{relay}-{}", Local::now().format("%Y-%m-%d-%H%M%S"));
    let ending = match format {
        ExportFormat::Ndjson => "ndjson",
        ExportFormat::Csv => "csv",
    };
    let mut number = 1;
    loop {
        let name = if number == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{number}.{ending}") };
        let path = folder.join(name);
        match File::options().write(true).create_new(true).open(&path).await {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            other => return other.map(|file| (file, path)),
        }
    }
}

/// A name that every file system takes.
fn plain(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_lowercase().chars().take(60) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { "relay".into() } else { out.into() }
}

/// In the order of [`COLUMNS`].
fn values(letter: &DeadLetter, relay: &str) -> [Value; 16] {
    let time = |millis: i64| {
        DateTime::<Utc>::from_timestamp_millis(millis)
            .map_or(Value::Null, |time| time.to_rfc3339_opts(SecondsFormat::Millis, true).into())
    };
    let message = &letter.message;
    let (encoding, payload) = match std::str::from_utf8(&message.payload) {
        Ok(text) => ("utf-8", text.to_owned()),
        Err(_) => ("base64", STANDARD.encode(&message.payload)),
    };
    [
        letter.id.into(),
        relay.into(),
        message.message_id.to_string().into(),
        (*message.topic).into(),
        u8::from(message.qos).into(),
        message.retain.into(),
        time(message.received_at),
        time(letter.died_at),
        letter.attempts.into(),
        json!(letter.status),
        letter.reason.as_str().into(),
        letter.answer.as_str().into(),
        letter.request.as_str().into(),
        letter.edited.into(),
        encoding.into(),
        payload.into(),
    ]
}

fn ndjson(values: &[Value; 16]) -> String {
    let members: Vec<String> = COLUMNS.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", members.join(","))
}

fn csv(values: &[Value; 16]) -> String {
    let fields: Vec<String> = values
        .iter()
        .map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => field(text),
            other => other.to_string(),
        })
        .collect();
    format!("{}\r\n", fields.join(","))
}

fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_names() {
        for (text, expected) in
            [("a", "a"), ("a,\"b\"\n", "\"a,\"\"b\"\"\n\""), ("=1+1", "'=1+1"), ("-21.5", "-21.5"), ("-x", "'-x")]
        {
            assert_eq!(field(text), expected);
        }
        for (name, expected) in
            [("Plant 1 / Süd", "plant-1-süd"), ("../..", "relay"), ("a", "a"), (NO_RELAY, "deleted-relay")]
        {
            assert_eq!(plain(name), expected);
        }
    }
}
