//! What the derive macros implement, and the description of a model that they leave behind.

mod decode;
mod entity;
mod foreign;
mod node;
mod property;
mod relationship;
mod rule;
mod schema;

pub use decode::{FromColumn, decode_node, decode_relationship, variant_of};
pub use entity::Entity;
pub use node::{KeyOf, Node};
pub use property::{ListProperty, Operand, Property, kind};
pub use relationship::{DefaultProperties, Relationship};
pub use rule::{CypherType, RuleKind, RuleSchema, Similarity};
pub use schema::{
    Cardinality, Direction, NodeSchema, OptionalLabel, PropertyRole, PropertySchema,
    RelationSchema, RelationshipSchema, same_text,
};
