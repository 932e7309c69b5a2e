//! Uploaded Protobuf schemas: `.proto` texts or a descriptor set, checked and compiled. Where they are kept is not
//! known here.

use super::{Fault, encode, words};
use crate::id::SchemaId;
use crate::problem::{Problem, Problems};
use miette::Diagnostic;
use prost_reflect::{DescriptorPool, MessageDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Bytes of one text or descriptor set.
pub const MAX_BYTES: usize = 4 << 20;

/// Files of one schema.
pub const MAX_FILES: usize = 200;

/// Blocks that may stand in each other in a text: the compiler follows each with a call.
const MAX_BLOCKS: usize = 100;

/// A saved schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// Identity; bindings name it.
    pub id: SchemaId,
    /// What people call it.
    pub name: String,
    /// What was uploaded.
    pub source: Source,
}

/// What the schema form holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SchemaDraft {
    /// `None` makes a new schema.
    pub id: Option<SchemaId>,
    /// Name.
    pub name: String,
    /// What was uploaded.
    pub source: Source,
}

/// What was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[ts(rename = "SchemaSource")]
pub enum Source {
    /// Texts that may import each other by name, and `google/protobuf/…`.
    Proto {
        /// The texts.
        files: Vec<ProtoFile>,
    },
    /// A `FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` writes it.
    Descriptors {
        /// Its bytes in Base64.
        data: String,
    },
}

/// One `.proto` text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ProtoFile {
    /// Name that imports give: `plant/reading.proto`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Checks a draft and compiles it; problems in a text say its line and column.
pub fn check(draft: &SchemaDraft, id: SchemaId) -> Result<(Schema, Compiled), Vec<Problem>> {
    let mut problems = Problems::default();
    let name = draft.name.trim().to_owned();
    if name.is_empty() {
        problems.add("name", "Give the schema a name.");
    } else if name.chars().count() > 80 {
        problems.add("name", "A name has at most 80 characters.");
    }
    match compile(&draft.source) {
        Ok(compiled) => problems.finish((Schema { id, name, source: draft.source.clone() }, compiled)),
        Err(found) => {
            let mut all = problems.into_vec();
            all.extend(found);
            Err(all)
        }
    }
}

/// A schema that payloads can be read with.
#[derive(Clone, Debug)]
pub struct Compiled(DescriptorPool);

impl Compiled {
    /// Full names of the message types to choose from, sorted; those of `google.protobuf` last.
    pub fn messages(&self) -> Vec<String> {
        let all = self.0.all_messages().filter(|message| !message.is_map_entry());
        let mut names: Vec<String> = all.map(|message| message.full_name().to_owned()).collect();
        names.sort_by_key(|name| (name.starts_with("google.protobuf."), name.clone()));
        names
    }

    /// A message type by its full name.
    pub(super) fn message(&self, name: &str) -> Option<MessageDescriptor> {
        self.0.get_message_by_name(name.trim_start_matches('.'))
    }
}

/// The schemas that decoders may name.
#[derive(Clone, Debug, Default)]
pub struct Schemas(BTreeMap<SchemaId, Compiled>);

impl Schemas {
    /// Adds or replaces a schema.
    pub fn insert(&mut self, id: SchemaId, compiled: Compiled) {
        self.0.insert(id, compiled);
    }

    /// Takes a schema away.
    pub fn remove(&mut self, id: SchemaId) {
        self.0.remove(&id);
    }

    /// A schema.
    pub fn get(&self, id: SchemaId) -> Option<&Compiled> {
        self.0.get(&id)
    }

    pub(super) fn message(&self, id: SchemaId, name: &str) -> Result<MessageDescriptor, Fault> {
        let Some(schema) = self.get(id) else {
            return Err(Fault::all("The schema of this binding was deleted; choose another."));
        };
        schema.message(name).ok_or_else(|| Fault::all(format!("The schema has no message type “{name}”.")))
    }
}

/// Compiles what was uploaded. Fields of problems begin with `source`.
pub fn compile(source: &Source) -> Result<Compiled, Vec<Problem>> {
    match source {
        Source::Proto { files } => proto(files),
        Source::Descriptors { data } => {
            let field = "source.data";
            let bytes = encode::encode(encode::Form::Base64, data)
                .map_err(|mistake| vec![Problem { field: field.into(), message: mistake.message }])?;
            let problem = |message: String| vec![Problem { field: field.into(), message }];
            if bytes.is_empty() || bytes.len() > MAX_BYTES {
                let most = words::count(MAX_BYTES as u64);
                return Err(problem(format!("A descriptor set has between 1 and {most} bytes.")));
            }
            let mut pool = DescriptorPool::global();
            pool.decode_file_descriptor_set(bytes.as_slice()).map_err(|error| {
                problem(format!("This is no complete descriptor set (protoc --include_imports): {error}."))
            })?;
            Ok(Compiled(pool))
        }
    }
}

/// The uploaded texts, for imports.
struct Uploaded(BTreeMap<String, String>);

impl FileResolver for Uploaded {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}

fn proto(files: &[ProtoFile]) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Problems::default();
    if files.is_empty() || files.len() > MAX_FILES {
        problems.add("source.files", format!("A schema has between 1 and {MAX_FILES} files."));
        return Err(problems.into_vec());
    }
    for (at, file) in files.iter().enumerate() {
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if file.name.split('/').any(odd) || file.name.contains(['\\', '\0', ':']) {
            problems.add(format!("source.files.{at}.name"), "A name is written as imports do: plant/reading.proto.");
        } else if files[..at].iter().any(|earlier| earlier.name == file.name) {
            problems.add(format!("source.files.{at}.name"), "A file of this name stands above already.");
        }
        if file.text.len() > MAX_BYTES {
            let most = words::count(MAX_BYTES as u64);
            problems.add(format!("source.files.{at}.text"), format!("A file has at most {most} bytes."));
        } else if let Some((line, column)) = too_deep(&file.text) {
            let message = format!("Line {line}, column {column}: more than {MAX_BLOCKS} blocks stand in each other.");
            problems.add(format!("source.files.{at}.text"), message);
        }
    }
    problems.finish(())?;
    let uploaded = Uploaded(files.iter().map(|file| (file.name.clone(), file.text.clone())).collect());
    let mut resolver = ChainFileResolver::new();
    resolver.add(uploaded);
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    let mut problems = Problems::default();
    for (at, file) in files.iter().enumerate() {
        if let Err(error) = compiler.open_file(&file.name) {
            tell(&error, at, files, &mut problems);
        }
    }
    problems.finish(Compiled(compiler.descriptor_pool()))
}

/// Notes what the compiler says, once each, at the file it is of.
fn tell(error: &protox::Error, opened: usize, files: &[ProtoFile], problems: &mut Problems) {
    let at = error.file().and_then(|name| files.iter().position(|file| file.name == name)).unwrap_or(opened);
    if at != opened {
        // An import: told when it is opened itself.
        return;
    }
    let field = format!("source.files.{at}.text");
    let mut say = |of: &dyn Diagnostic| {
        let offset = of.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
        let place = offset.map(|offset| {
            let (line, column) = place(&files[at].text, offset);
            format!("Line {line}, column {column}: ")
        });
        problems.add(field.clone(), format!("{}{of}.", place.unwrap_or_default()));
    };
    say(error);
    if let Some(related) = error.related() {
        related.take(20).for_each(say);
    }
}

/// Line and column, from 1, of a byte.
fn place(text: &str, mut offset: usize) -> (usize, usize) {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// Where more blocks are open than the compiler should follow. Braces in comments and strings count too.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let mut open = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' | '[' | '(' | '<' => open += 1,
            '}' | ']' | ')' | '>' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_BLOCKS {
            return Some(place(text, at));
        }
    }
    None
}
