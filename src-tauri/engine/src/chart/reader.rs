//! Reads the number at a path of a payload, with the decoders that are bound as of now.

use crate::feed::event::Event;
use crate::store::{Store, StoreError};
use relayscope_domain::decode::binding::{self, Binding};
use relayscope_domain::decode::schema::{self, Schema, Schemas};
use relayscope_domain::decode::sparkplug::Aliases;
use relayscope_domain::decode::{Context, Decoded, Decoder, Limits, decode, path};

/// Bindings and schemas.
#[derive(Debug, Default)]
pub(super) struct Reader {
    bindings: Vec<Binding>,
    sources: Vec<Schema>,
    schemas: Schemas,
}

/// What was read of one payload: several numbers of it are charted more often than one.
#[derive(Default)]
pub(super) struct Read {
    kept: Vec<(Option<Decoder>, Result<Decoded, String>)>,
    /// Whether a decoder ran.
    pub(super) ran: bool,
}

/// A message as it is read.
pub(super) struct Message<'a> {
    pub(super) event: &'a Event,
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
}

impl Reader {
    /// Reads bindings and schemas; `None` when they are what they were.
    pub(super) async fn renewed(
        store: &Store,
        (bindings, sources): (Vec<Binding>, Vec<Schema>),
    ) -> Result<Option<Self>, StoreError> {
        let now = (store.bindings().await?, store.schemas().await?);
        if now == (bindings, sources) {
            return Ok(None);
        }
        let mut schemas = Schemas::default();
        for source in &now.1 {
            // One that no longer compiles reads nothing, and the decoder says so.
            if let Ok(compiled) = schema::compile(&source.source) {
                schemas.insert(source.id, compiled);
            }
        }
        Ok(Some(Self { bindings: now.0, sources: now.1, schemas }))
    }

    /// What it was made of.
    pub(super) fn made_of(&self) -> (Vec<Binding>, Vec<Schema>) {
        (self.bindings.clone(), self.sources.clone())
    }

    /// The number at a path, or why there is none.
    pub(super) fn number(
        &self,
        message: &Message<'_>,
        wanted: &str,
        chosen: Option<&Decoder>,
        aliases: &Aliases,
        read: &mut Read,
    ) -> Result<f64, String> {
        let known = read.kept.iter().position(|(by, _)| by.as_ref() == chosen);
        let at = match known {
            Some(at) => at,
            None => {
                read.ran = true;
                let choice = binding::choose(chosen, &self.bindings, message.topic, message.payload);
                // Nobody reads the text, but that of a payload that is a text and nothing else.
                let limits = Limits { text: 64, ..Limits::default() };
                let context = Context { topic: message.topic, schemas: &self.schemas, aliases, limits };
                let decoded = decode(&choice.decoder, message.payload, &context).map_err(|error| error.to_string());
                if choice.decoder == Decoder::Sparkplug {
                    // Names depend on the births that this series has seen.
                    return found(&decoded, wanted);
                }
                read.kept.push((chosen.cloned(), decoded));
                read.kept.len() - 1
            }
        };
        read.kept.get(at).map_or_else(|| Err(String::new()), |(_, decoded)| found(decoded, wanted))
    }
}

fn found(decoded: &Result<Decoded, String>, wanted: &str) -> Result<f64, String> {
    match decoded {
        Err(why) => Err(why.clone()),
        Ok(decoded) => path::number(&decoded.root, wanted).ok_or_else(|| match path::find(&decoded.root, wanted) {
            Some(_) => format!("{wanted} is no number."),
            None => format!("There is no {wanted} in the payload, read as {}.", decoded.decoder),
        }),
    }
}
