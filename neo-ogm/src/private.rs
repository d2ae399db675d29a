//! What generated code names; no part of the public API.

pub use std::sync::{Arc, OnceLock};

#[cfg(feature = "json")]
pub use crate::mapping::{decode_json, encode_json, missing_json};
pub use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};

pub use crate::error::Error;
pub use crate::executor::{BoxFuture, Graph};
pub use crate::mapping::{
    Cardinality, CypherType, DefaultProperties, Direction, ElementId, Entity, FlattenedSchema,
    FromColumn, HookContext, Hooks, KeyOf, Managed, Node, NodeEvent, NodeSchema, Operand,
    OptionalLabel, Properties, Property, PropertyRole, PropertySchema, RelationSchema,
    Relationship, RelationshipEvent, RelationshipHooks, RelationshipSchema, RuleKind, RuleSchema,
    Similarity, Timestamp, Version, Violations, check_email, check_length, check_range,
    check_regex, check_with, decode_node, decode_relationship, distinct_names, joined,
    joined_bytes, joined_len, joined_names, joined_rules, joined_rules_len, kind, load_refused,
    node_hook, part_of, relationship_hook, requires, ruled_len, ruled_names, same_text, variant_of,
    written,
};
pub use crate::operation::{Find, Projection};
pub use crate::query::{Columns, Field, Flattened, Label, LoadPlan, Relation, Variant};
pub use crate::relation::{Origin, RelationField, Visitor};
pub use crate::schema::{Part, SchemaPart, SchemaSet};
use neo_bolt::value::{Map, Value};

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

/// A regular expression that is compiled when it is first needed.
pub type Pattern = OnceLock<Result<regex_lite::Regex, String>>;

/// How many of the entries are written: those that are no property of the struct.
pub fn unmapped_count(rest: &Map, schema: &NodeSchema) -> usize {
    rest.keys().filter(|name| is_unmapped(name, schema)).count()
}

/// Writes the entries that are no property of the struct.
///
/// # Errors
/// A value has no form in the dialect of the connection.
pub fn encode_unmapped(
    rest: &Map,
    schema: &NodeSchema,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    for (name, value) in rest.iter().filter(|(name, _)| is_unmapped(name, schema)) {
        encoder.string(name)?;
        value.to_bolt(encoder)?;
    }
    Ok(())
}

fn is_unmapped(name: &str, schema: &NodeSchema) -> bool {
    !name.starts_with(crate::mapping::RESERVED)
        && schema
            .properties
            .iter()
            .all(|property| property.name != name)
}

/// Reads a property that the struct has no field for.
///
/// # Errors
/// Its bytes are broken.
pub fn decode_unmapped(
    rest: &mut Map,
    name: &[u8],
    decoder: &mut Decoder<'_>,
) -> Result<(), DecodeError> {
    let name = String::from_utf8_lossy(name);
    if name.starts_with(crate::mapping::RESERVED) {
        return decoder.skip();
    }
    let value = Value::from_bolt(decoder).map_err(|error| error.within(&*name))?;
    rest.insert(name.into_owned(), value);
    Ok(())
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
    <T as FromBolt<'_>>::from_missing().map_err(|_| crate::mapping::missing(name))
}

/// Adds the column of a projection's field.
pub fn project<O, T, S>(selection: S, name: &'static str, columns: &mut Columns)
where
    S: crate::query::Selection<O, Row = T>,
{
    crate::query::Selection::<O>::columns(crate::query::named(name, selection), columns);
}

/// Reads the column of a projection's field; the selection is there for its type.
///
/// # Errors
/// The value is of another type.
pub fn read_projected<O, T, S>(
    _: fn() -> S,
    name: &'static str,
    decoder: &mut Decoder<'_>,
    graph: &Graph,
) -> Result<T, DecodeError>
where
    S: crate::query::Selection<O, Row = T>,
{
    S::read(decoder, graph).map_err(|error| error.within(name))
}
