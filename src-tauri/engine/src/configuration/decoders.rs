//! Schemas and bindings of decoders: saved, deleted when nobody uses them, and compiled for use.

use super::ChangeError;
use crate::Engine;
use crate::store::StoreError;
use relayscope_domain::decode::Decoder;
use relayscope_domain::decode::binding::{self, Binding, BindingDraft, DecoderDraft};
use relayscope_domain::decode::schema::{self, Schema, SchemaDraft, Schemas};
use relayscope_domain::id::{BindingId, SchemaId};
use relayscope_domain::problem::Problems;

impl Engine {
    /// A schema with the message types it has; none when it no longer compiles.
    pub(crate) fn messages_of(schema: &Schema) -> Vec<String> {
        schema::compile(&schema.source).map(|compiled| compiled.messages()).unwrap_or_default()
    }

    /// Saves a draft of a schema. Bindings to message types that it no longer has stay, and say so when they are used.
    pub(crate) async fn save_schema(&self, draft: &SchemaDraft) -> Result<Schema, ChangeError> {
        let id = draft.id.unwrap_or_else(|| SchemaId(uuid::Uuid::new_v4()));
        let (schema, compiled) = schema::check(draft, id).map_err(ChangeError::Invalid)?;
        // In the place of another it has what bindings read by it.
        let (mut problems, messages) = (Problems::default(), compiled.messages());
        for binding in self.store.bindings().await? {
            if let Some((_, message)) = protobuf_of(&binding.decoder).filter(|(schema, _)| *schema == id)
                && !messages.iter().any(|one| one == message)
            {
                let filter = &binding.filter;
                let words = "which these files don't have. Bind the topics otherwise first.";
                problems.add("source", format!("{filter} is bound to “{message}”, {words}"));
            }
        }
        let schema = problems.finish(schema).map_err(ChangeError::Invalid)?;
        self.store.save_schema(&schema).await?;
        Ok(schema)
    }

    /// Deletes a schema that no binding uses.
    pub(crate) async fn delete_schema(&self, id: SchemaId) -> Result<(), ChangeError> {
        let uses = |binding: &Binding| schema_of(&binding.decoder) == Some(id);
        let users: Vec<String> =
            self.store.bindings().await?.into_iter().filter(uses).map(|binding| binding.filter).collect();
        if users.is_empty() { Ok(self.store.delete_schema(id).await?) } else { Err(ChangeError::InUse(users)) }
    }

    /// Saves a draft of a binding.
    pub(crate) async fn save_binding(&self, draft: &BindingDraft) -> Result<Binding, ChangeError> {
        let id = draft.id.unwrap_or_else(|| BindingId(uuid::Uuid::new_v4()));
        let schemas = self.compiled(drafted_schema(&draft.decoder)).await?;
        let others = self.store.bindings().await?;
        let binding = binding::check(draft, id, &others, &schemas).map_err(ChangeError::Invalid)?;
        self.store.save_binding(&binding).await?;
        Ok(binding)
    }

    /// A decoder as it was put together, checked.
    pub(crate) async fn drafted(&self, draft: &DecoderDraft) -> Result<Decoder, ChangeError> {
        let schemas = self.compiled(drafted_schema(draft)).await?;
        binding::check_decoder(draft, &schemas).map_err(ChangeError::Invalid)
    }

    /// The schema that a decoder needs, ready for use.
    pub(crate) async fn schemas_of(&self, decoder: &Decoder) -> Result<Schemas, StoreError> {
        self.compiled(schema_of(decoder)).await
    }

    /// The schema that is named, ready for use.
    async fn compiled(&self, id: Option<SchemaId>) -> Result<Schemas, StoreError> {
        let mut schemas = Schemas::default();
        if let Some(id) = id
            && let Some(found) = self.store.schemas().await?.into_iter().find(|schema| schema.id == id)
            && let Ok(compiled) = schema::compile(&found.source)
        {
            schemas.insert(id, compiled);
        }
        Ok(schemas)
    }
}

fn schema_of(decoder: &Decoder) -> Option<SchemaId> {
    protobuf_of(decoder).map(|(schema, _)| schema)
}

/// The schema and the message type that a decoder reads by.
fn protobuf_of(decoder: &Decoder) -> Option<(SchemaId, &str)> {
    match decoder {
        Decoder::Protobuf { schema, message } => Some((*schema, message)),
        other => other.inner().and_then(protobuf_of),
    }
}

fn drafted_schema(draft: &DecoderDraft) -> Option<SchemaId> {
    draft.schema.or_else(|| draft.inner.as_ref().and_then(|inner| drafted_schema(inner)))
}
