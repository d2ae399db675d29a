//! What generated code names; no part of the public API.

pub use std::sync::Arc;

pub use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder, FromBolt, ToBolt};

pub use crate::executor::Graph;
pub use crate::mapping::{
    Cardinality, DefaultProperties, Direction, FromColumn, IndexSchema, Node, NodeSchema, Operand,
    Property, PropertySchema, RelationSchema, Relationship, RelationshipSchema, decode_node,
    decode_relationship, kind, same_text,
};
pub use crate::operation::Find;
pub use crate::query::{Field, LoadPlan, Relation};
pub use crate::relation::{Origin, RelationField};

/// A new key of a node.
pub fn uuid_v7() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}
