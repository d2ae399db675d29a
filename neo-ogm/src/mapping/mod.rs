//! What the derive macros implement, and the description of a model that they leave behind.

mod check;
mod decode;
mod entity;
mod foreign;
mod hooks;
#[cfg(feature = "json")]
mod json;
mod kept;
mod managed;
mod node;
mod properties;
mod property;
mod relationship;
mod rule;
mod schema;

pub use check::{HasLength, HasRange, HasText, Violation, Violations};
pub(crate) use decode::decode_carried;
pub use decode::{FromColumn, decode_node, decode_relationship, variant_of};
pub use entity::Entity;
pub use hooks::{HookContext, Hooks, NodeEvent, Operation, RelationshipEvent, RelationshipHooks};
pub use managed::{ElementId, Managed, Timestamp, Version};
pub use node::{KeyOf, Node};
pub use properties::{FlattenedSchema, Properties};
pub use property::{ListProperty, Operand, Property, kind};
pub use relationship::{DefaultProperties, Relationship};
pub use rule::{CypherType, RuleKind, RuleSchema, Similarity};
pub(crate) use schema::of_role;
pub use schema::{
    Cardinality, Direction, NodeSchema, OptionalLabel, PropertyRole, PropertySchema,
    RelationSchema, RelationshipSchema, same_text,
};

#[doc(hidden)]
pub use check::{check_email, check_length, check_range, check_regex, check_with};
#[doc(hidden)]
pub use hooks::{load_refused, node_hook, relationship_hook};
#[cfg(feature = "json")]
#[doc(hidden)]
pub use json::{decode_json, encode_json, missing_json};
#[doc(hidden)]
pub use properties::{
    distinct_names, joined, joined_bytes, joined_len, joined_names, joined_rules, joined_rules_len,
    part_of, requires, ruled_len, ruled_names, written,
};

pub(crate) use check::{check_node, check_relationship};
pub(crate) use kept::Kept;

/// How the names of the mapper's own properties begin.
pub(crate) const RESERVED: &str = "_neo_ogm_";

/// The error of a property that must be there.
pub(crate) fn missing(name: &str) -> neo_bolt::packstream::DecodeError {
    neo_bolt::packstream::DecodeError::custom(
        "there is no such property in the database; make the field an `Option`, or give it a \
         `default`",
    )
    .within(name)
}
