//! The trait behind `#[relationship]`.

use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder};

use super::{HookContext, Managed, RelationshipEvent, RelationshipSchema, Violations};
use crate::error::Error;
use crate::executor::BoxFuture;

/// A struct whose values are what a relationship carries. `#[relationship]` implements it; `()`
/// carries nothing and goes with any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship struct",
    label = "no `#[relationship]` on this type",
    note = "put `#[relationship(type = \"…\")]` on the struct, or leave the type out for relationships without properties"
)]
pub trait Relationship: Sized + Send + Sync + 'static {
    /// What the struct says of its relationships.
    const SCHEMA: &'static RelationshipSchema;

    /// Writes the value of the `index`-th key property.
    ///
    /// # Errors
    /// The value has no form in the dialect of the connection.
    fn encode_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Writes a map of every property that is not part of the key.
    ///
    /// # Errors
    /// A value has no form in the dialect of the connection.
    fn encode_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Reads a property map.
    ///
    /// # Errors
    /// A property that is due is missing, or of another type.
    fn decode_properties(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// The fields that the mapper fills.
    fn managed(&self) -> Managed<'_> {
        Managed::default()
    }

    /// Remembers the element id that was read with the relationship.
    fn set_element_id(&mut self, id: &str) {
        let _ = id;
    }

    /// Adds the rules of validation that the struct breaks.
    fn check(&self, violations: &mut Violations) {
        let _ = violations;
    }

    /// Whether the struct has [`RelationshipHooks`](super::RelationshipHooks); without, nothing
    /// below is ever called.
    const HOOKS: bool = false;

    /// Calls a hook; those about a connect need what the relationship `carried`.
    fn hook<'a>(
        carried: Option<&'a Self>,
        event: RelationshipEvent,
        cx: &'a HookContext,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let _ = (carried, event, cx);
        Box::pin(std::future::ready(Ok(())))
    }

    /// Calls the hook that follows a read.
    ///
    /// # Errors
    /// The hook refused.
    fn loaded(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
}

impl Relationship for () {
    const SCHEMA: &'static RelationshipSchema = &RelationshipSchema {
        type_name: "()",
        relationship_type: "",
        properties: &[],
        rules: &[],
        identified: false,
    };

    fn encode_key(&self, _: usize, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn encode_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(0)
    }

    fn decode_properties(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.skip()
    }
}

/// What a relationship carries when a connect says nothing of it.
///
/// `#[relationship]` implements it for structs whose fields all are optional or have a default.
#[diagnostic::on_unimplemented(
    message = "a connect must say what a `{Self}` carries",
    label = "call `.properties(…)` before `.await`",
    note = "or make each field of `{Self}` an `Option`, or give it `#[relationship(default = …)]`"
)]
pub trait DefaultProperties: Relationship {
    /// The properties of a relationship of which nothing was said.
    fn default_properties() -> Self;
}

impl DefaultProperties for () {
    fn default_properties() -> Self {}
}
