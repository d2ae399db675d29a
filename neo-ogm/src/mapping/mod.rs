//! What the derive macros implement, and the description of a model that they leave behind.

mod decode;
mod node;
mod property;
mod relationship;
mod schema;

pub use decode::{FromColumn, decode_node, decode_relationship};
pub use node::{KeyOf, Node};
pub use property::{Operand, Property, kind};
pub use relationship::{DefaultProperties, Relationship};
pub use schema::{
    Cardinality, Direction, IndexSchema, NodeSchema, PropertySchema, RelationSchema,
    RelationshipSchema, same_text,
};
