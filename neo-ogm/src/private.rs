//! What generated code names; no part of the public API.

pub use std::sync::Arc;

pub use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};

pub use crate::executor::Graph;
pub use crate::mapping::{
    Cardinality, CypherType, DefaultProperties, Direction, Entity, FromColumn, KeyOf, Node,
    NodeSchema, Operand, OptionalLabel, Property, PropertyRole, PropertySchema, RelationSchema,
    Relationship, RelationshipSchema, RuleKind, RuleSchema, Similarity, decode_node,
    decode_relationship, kind, same_text, variant_of,
};
pub use crate::operation::Find;
pub use crate::query::{Field, Label, LoadPlan, Relation, Variant};
pub use crate::relation::{Origin, RelationField};
pub use crate::schema::{Part, SchemaPart, SchemaSet};

/// An eager load of one variant of an enum of nodes: nothing where it belongs to another.
///
/// # Errors
/// A related node does not decode.
pub fn load_of_variant<N: Node>(
    node: &mut N,
    plan: &LoadPlan,
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<(), DecodeError> {
    let own = N::SCHEMA.relations.get(plan.index);
    if own.is_some_and(|own| own.is_same(plan.relation)) {
        node.load_relation(plan, decoder, graph)
    } else {
        decoder.skip()
    }
}

/// Whether each of the structs has `label`.
pub const fn share_label(schemas: &[&NodeSchema], label: &str) -> bool {
    let mut index = 0;
    while index < schemas.len() {
        let of = schemas[index];
        let mut found = same_text(of.label, label);
        let mut further = 0;
        while further < of.labels.len() {
            found = found || same_text(of.labels[further], label);
            further += 1;
        }
        if !found {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether no two of the structs have the same label.
pub const fn distinct_labels(schemas: &[&NodeSchema]) -> bool {
    let mut index = 0;
    while index < schemas.len() {
        let mut other = 0;
        while other < index {
            if same_text(schemas[index].label, schemas[other].label) {
                return false;
            }
            other += 1;
        }
        index += 1;
    }
    true
}

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
