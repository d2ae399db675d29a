//! Keys as parameters of a statement that is rendered like a question.

use std::sync::Arc;

use bytes::BytesMut;
use neo_bolt::packstream::{Decoder, Dialect, EncodeError, Encoder, FromBolt};
use neo_bolt::value::Value;

use crate::mapping::{KeyOf, NodeSchema, Relationship, RelationshipSchema};
use crate::query::{Cypher, Parameter, escape};

/// The values of a node's key.
pub(crate) fn of_node(key: &KeyOf) -> Vec<Parameter> {
    let values = key.values.iter();
    values
        .map(|value| Arc::new(value.clone()) as Parameter)
        .collect()
}

/// The values of a relationship's key fields.
pub(super) fn of_relationship<R: Relationship>(
    relationship: &R,
) -> Result<Vec<Parameter>, EncodeError> {
    let mut buffer = BytesMut::new();
    let mut encoder = Encoder::new(&mut buffer, Dialect::NEWEST);
    let keys = R::SCHEMA.keys().count();
    (0..keys).try_for_each(|index| relationship.encode_key(index, &mut encoder))?;
    let mut decoder = Decoder::new(&buffer);
    (0..keys)
        .map(|_| {
            let value = Value::from_bolt(&mut decoder)
                .map_err(|error| EncodeError::Custom(error.to_string()))?;
            Ok(Arc::new(value) as Parameter)
        })
        .collect()
}

/// Writes `(a:Book {isbn: $p0})`.
pub(crate) fn node<'c>(
    cypher: &mut Cypher<'_, 'c>,
    variable: &str,
    schema: &NodeSchema,
    key: &'c [Parameter],
) {
    cypher.push(&format!("({variable}:{}", escape(schema.label)));
    let mut word = " {";
    for (property, value) in schema.keys().zip(key) {
        cypher.push(&format!("{word}{}: ", escape(property.name)));
        cypher.value(value);
        word = ", ";
    }
    cypher.push("})");
}

/// Writes ` AND r.day = $p1` for each key field.
pub(super) fn same_key<'c>(
    cypher: &mut Cypher<'_, 'c>,
    schema: &RelationshipSchema,
    key: &'c [Parameter],
) {
    for (property, value) in schema.keys().zip(key) {
        cypher.push(&format!(" AND r.{} = ", escape(property.name)));
        cypher.value(value);
    }
}
