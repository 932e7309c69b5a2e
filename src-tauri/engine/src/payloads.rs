//! The payload that a person looks at: read once by a decoder, then handed out line by line, copied and saved whole.
//!
//! One is kept, the last, so that scrolling through five megabytes decodes them once. Which decoder runs is for the
//! domain to say; schemas and bindings come from the store. Knows nothing of pages.

pub(crate) mod again;
mod command;
mod lines;

use lines::Lines;

use crate::Engine;
use crate::configuration::ChangeError;
use crate::feed::history::HistoryError;
use crate::feed::{Place, Published};
use crate::store::StoreError;
use lines::Form;
use relayscope_domain::decode::binding::{self, Choice, DecoderDraft};
use relayscope_domain::decode::sparkplug::Aliases;
use relayscope_domain::decode::{Context, DecodeError, Decoded, Decoder, Limits, decode};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWriteExt;

/// Bytes of names and values in a tree that a page is given at once.
const TREE_BYTES: usize = 512 << 10;
/// Bytes of the readable text, which a page is given by lines.
const TEXT_BYTES: usize = 16 << 20;

/// A payload, read.
#[derive(Debug)]
pub(crate) struct Looked {
    /// What was published.
    pub(crate) published: Published,
    /// What a person chose.
    chosen: Option<DecoderDraft>,
    /// The decoder, and why it is this one.
    pub(crate) choice: Choice,
    /// What it gave.
    pub(crate) read: Result<Decoded, DecodeError>,
    // The last ones asked for: scrolling asks for the same again and again.
    lines: Mutex<Option<Arc<Lines>>>,
}

/// The last payload that was looked at; nothing before the first.
#[derive(Debug, Default)]
pub(crate) struct LastLooked(Mutex<Option<Arc<Looked>>>);

impl LastLooked {
    fn get(&self) -> Option<Arc<Looked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, looked: Arc<Looked>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
    }
}

impl Looked {
    /// The payload's bytes, or its readable text, broken into lines of at most `columns` characters.
    pub(crate) fn lines(&self, form: Form, columns: usize) -> Arc<Lines> {
        let mut kept = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = kept.as_ref().filter(|lines| lines.is(form, columns)) {
            return lines.clone();
        }
        let lines = Arc::new(match (&self.read, form) {
            (Ok(decoded), Form::Pretty) => Lines::of_text(&decoded.text, columns),
            (Err(_), Form::Pretty) => Lines::of_text("", columns),
            (_, Form::Hex) => Lines::of_bytes(self.published.payload.clone(), columns),
        });
        *kept = Some(lines.clone());
        lines
    }
}

/// A decoder that did not come to its end.
fn broken(error: tokio::task::JoinError) -> StoreError {
    StoreError::Malformed("payload", error.into())
}

fn unread(error: HistoryError) -> StoreError {
    StoreError::Malformed("history", error.into())
}

impl Engine {
    /// Reads what was published, unless it is what was looked at last: with the decoder that was chosen, else with the
    /// one that is bound or certain.
    pub(crate) async fn look_again(
        &self,
        published: Published,
        chosen: Option<&DecoderDraft>,
    ) -> Result<Arc<Looked>, ChangeError> {
        let same = |it: &Arc<Looked>| {
            (it.published.place, it.published.seq) == (published.place, published.seq) && it.chosen.as_ref() == chosen
        };
        match self.looked.get().filter(same) {
            Some(looked) => Ok(looked),
            None => self.look_at(published, chosen).await,
        }
    }

    /// Reads what was published, anew, and keeps it for [`Engine::look_again`].
    pub(crate) async fn look_at(
        &self,
        published: Published,
        chosen: Option<&DecoderDraft>,
    ) -> Result<Arc<Looked>, ChangeError> {
        let looked = Arc::new(self.read_payload(published, chosen).await?);
        self.looked.set(looked.clone());
        Ok(looked)
    }

    /// Reads what was published.
    pub(crate) async fn read_payload(
        &self,
        published: Published,
        chosen: Option<&DecoderDraft>,
    ) -> Result<Looked, ChangeError> {
        let decoder = match chosen {
            Some(draft) => Some(self.drafted(draft).await?),
            None => None,
        };
        let bindings = self.store.bindings().await?;
        let seen = published.clone();
        // Up to tenths of a second for the largest payloads, as below.
        let choosing = move || match seen.cut_from {
            Some(whole) => binding::choose_for_part(decoder.as_ref(), &seen.payload, whole),
            None => binding::choose(decoder.as_ref(), &bindings, &seen.topic, &seen.payload),
        };
        let choice = tokio::task::spawn_blocking(choosing).await.map_err(broken)?;
        let schemas = self.schemas_of(&choice.decoder).await?;
        let of_history = match (&choice.decoder, published.place) {
            (Decoder::Sparkplug, Place::History) => Some(self.history.births(&published).await.map_err(unread)?),
            _ => None,
        };
        let (feed, chosen) = (self.feed_of_event(published.seq), chosen.cloned());
        let read = tokio::task::spawn_blocking(move || {
            let mut aliases = Aliases::default();
            if choice.decoder == Decoder::Sparkplug {
                for (topic, payload) in of_history.unwrap_or_else(|| feed.births(&published)) {
                    aliases.learn(&topic, &payload);
                }
            }
            let limits = Limits { values: TREE_BYTES, text: TEXT_BYTES, ..Limits::default() };
            let context = Context { topic: &published.topic, schemas: &schemas, aliases: &aliases, limits };
            let read = decode(&choice.decoder, &published.payload, &context);
            Looked { published, chosen, choice, read, lines: Mutex::default() }
        });
        Ok(read.await.map_err(broken)?)
    }

    /// Writes a payload, byte for byte, into the folder for downloads; returns where.
    pub(crate) async fn save_payload(&self, published: &Published) -> std::io::Result<PathBuf> {
        let folder = crate::exports::folder(&self.data_dir);
        tokio::fs::create_dir_all(&folder).await?;
        let ending = match std::str::from_utf8(&published.payload) {
            Ok(text) if text.trim_start().starts_with(['{', '[']) => "json",
            Ok(_) => "txt",
            Err(_) => "bin",
        };
        let topic: String = published.topic.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let stem = format!("payload-{}-{}", &topic[..topic.len().min(60)], published.seq);
        let mut number = 1;
        let (mut file, path) = loop {
            let name = if number == 1 { format!("{stem}.{ending}") } else { format!("{stem}-{number}.{ending}") };
            let path = folder.join(name);
            match tokio::fs::File::options().write(true).create_new(true).open(&path).await {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                other => break (other?, path),
            }
        };
        let written = async {
            file.write_all(&published.payload).await?;
            file.sync_all().await
        };
        if let Err(error) = written.await {
            let _ = tokio::fs::remove_file(&path).await;
            return Err(error);
        }
        Ok(path)
    }
}
