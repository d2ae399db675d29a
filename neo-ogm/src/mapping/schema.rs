//! The description of a model: constants that the derive macros write and everything else reads.

use super::rule::RuleSchema;

/// What a struct with `#[derive(Node)]` says of its nodes.
#[derive(Debug)]
pub struct NodeSchema {
    /// The struct's name, for messages.
    pub type_name: &'static str,
    /// The label that marks the nodes.
    pub label: &'static str,
    /// The properties, in the order of the fields.
    pub properties: &'static [PropertySchema],
    /// Constraints and indexes, that of the key first.
    pub rules: &'static [RuleSchema],
    /// The relationships, in the order of the fields.
    pub relations: &'static [RelationSchema],
}

impl NodeSchema {
    /// The properties that identify a node, in the order of the fields; never empty.
    pub fn keys(&self) -> impl Iterator<Item = &'static PropertySchema> + Clone {
        self.properties.iter().filter(|property| property.key)
    }
}

/// One property of a node or a relationship.
#[derive(Debug, Clone, Copy)]
pub struct PropertySchema {
    /// The struct's field.
    pub field: &'static str,
    /// The property's name in the database.
    pub name: &'static str,
    /// It is part of the key.
    pub key: bool,
    /// No two nodes of the label share a value.
    pub unique: bool,
    /// It has an index of its own.
    pub index: bool,
}

/// One relationship field of a node struct.
#[derive(Debug)]
pub struct RelationSchema {
    /// The struct's field.
    pub field: &'static str,
    /// The relationship's type in the database.
    pub relationship_type: &'static str,
    /// Which way it points, seen from the struct.
    pub direction: Direction,
    /// How many there may be.
    pub cardinality: Cardinality,
    /// The struct at the other end. A function, since two structs may name each other.
    pub target: fn() -> &'static NodeSchema,
    /// What the relationship carries.
    pub relationship: &'static RelationshipSchema,
}

/// What a struct with `#[relationship]` says of its relationships.
#[derive(Debug)]
pub struct RelationshipSchema {
    /// The struct's name, for messages.
    pub type_name: &'static str,
    /// The relationship's type in the database; empty for `()`, which goes with any.
    pub relationship_type: &'static str,
    /// The properties, in the order of the fields; those marked `key` tell parallel
    /// relationships between the same two nodes apart.
    pub properties: &'static [PropertySchema],
    /// Constraints and indexes.
    pub rules: &'static [RuleSchema],
}

impl RelationshipSchema {
    /// The properties that tell parallel relationships apart; often none.
    pub fn keys(&self) -> impl Iterator<Item = &'static PropertySchema> + Clone {
        self.properties.iter().filter(|property| property.key)
    }
}

/// Which way a relationship points, seen from the struct that has the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From this node to the other.
    Out,
    /// From the other node to this one.
    In,
    /// Either way; written from this node to the other.
    Both,
}

/// How many relationships of a field a node may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// Exactly one, once it is connected.
    One,
    /// None or one.
    ZeroOrOne,
    /// One or more, once one is connected.
    OneOrMore,
    /// Any number.
    Many,
}

impl Cardinality {
    /// Whether a second relationship is refused.
    pub const fn is_bounded(self) -> bool {
        matches!(self, Self::One | Self::ZeroOrOne)
    }
}

/// Compares texts in a constant; the derive macros check with it that a field and a relationship
/// struct name the same type.
pub const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}
