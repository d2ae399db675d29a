//! What generated code names; no part of the public API.

pub use std::sync::Arc;

pub use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};

pub use crate::executor::Graph;
pub use crate::mapping::{
    Cardinality, CypherType, DefaultProperties, Direction, FromColumn, Node, NodeSchema, Operand,
    Property, PropertySchema, RelationSchema, Relationship, RelationshipSchema, RuleKind,
    RuleSchema, Similarity, decode_node, decode_relationship, kind, same_text,
};
pub use crate::operation::Find;
pub use crate::query::{Field, LoadPlan, Relation};
pub use crate::relation::{Origin, RelationField};
pub use crate::schema::{Part, SchemaPart};

/// A new key of a node.
pub fn uuid_v7() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}

/// Writes one property.
///
/// # Errors
/// The value has no form in the dialect of the connection.
pub fn encode_property<T: Property>(
    value: &T,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    value.to_bolt(encoder)
}

/// Reads the property `name`.
///
/// # Errors
/// It is of another type.
pub fn decode_property<T: Property>(
    decoder: &mut Decoder<'_>,
    name: &'static str,
) -> Result<T, DecodeError> {
    <T as FromBolt<'_>>::from_bolt(decoder).map_err(|error| error.within(name))
}

/// What stands for the property `name` where the database has none.
///
/// # Errors
/// It must be there.
pub fn missing_property<T: Property>(name: &'static str) -> Result<T, DecodeError> {
    <T as FromBolt<'_>>::from_missing().map_err(|_| {
        DecodeError::custom(
            "there is no such property in the database; make the field an `Option`, or give it a \
             `default`",
        )
        .within(name)
    })
}
