//! The description of a model: constants that the derive macros write and everything else reads.

use super::rule::RuleSchema;
use std::borrow::Cow;

/// What a struct with `#[derive(Node)]`, or an enum with `#[derive(Nodes)]`, says of its nodes.
///
/// Literals end in `..NodeSchema::EMPTY`, so that what is added here later needs no change there.
#[derive(Debug)]
pub struct NodeSchema {
    /// The type's name, for messages.
    pub type_name: &'static str,
    /// The label that marks the nodes. Empty for an enum without a label of its own, whose nodes
    /// are known by the labels of its variants.
    pub label: &'static str,
    /// Further labels, which each save sets.
    pub labels: &'static [&'static str],
    /// Labels that stand for `bool` fields, in the order of the fields; at most 64.
    pub optional_labels: &'static [OptionalLabel],
    /// For an enum of nodes, what it is made of; a struct has none.
    pub variants: &'static [fn() -> &'static NodeSchema],
    /// The properties, in the order of the fields.
    pub properties: &'static [PropertySchema],
    /// Constraints and indexes, that of the key first.
    pub rules: &'static [RuleSchema],
    /// The relationships, in the order of the fields.
    pub relations: &'static [RelationSchema],
}

impl NodeSchema {
    /// Says nothing; the rest of a literal.
    pub const EMPTY: Self = Self {
        type_name: "",
        label: "",
        labels: &[],
        optional_labels: &[],
        variants: &[],
        properties: &[],
        rules: &[],
        relations: &[],
    };

    /// The properties that identify a node, in the order of the fields. Never empty for a struct;
    /// an enum has none, since each of its variants has its own.
    pub fn keys(&self) -> impl Iterator<Item = &'static PropertySchema> + Clone {
        self.properties.iter().filter(|property| property.key)
    }

    /// The labels of which a node must have one: the label of the struct, or those of an enum's
    /// variants where it has no label of its own.
    pub fn any_of(&self) -> Vec<&'static str> {
        if self.label.is_empty() {
            self.variants.iter().flat_map(|v| v().any_of()).collect()
        } else {
            vec![self.label]
        }
    }

    /// Whether a node that `other` describes is one that this describes, too.
    pub fn covers(&self, other: &Self) -> bool {
        self == other
            || (!self.label.is_empty() && self.label == other.label)
            || self.variants.iter().any(|variant| variant().covers(other))
    }
}

/// A label that a node has or has not, as a `bool` field says.
#[derive(Debug, Clone, Copy)]
pub struct OptionalLabel {
    /// The struct's field.
    pub field: &'static str,
    /// The label.
    pub label: &'static str,
}

/// One property of a node or a relationship.
///
/// Literals end in `..PropertySchema::PLAIN`, so that what is added here later needs no change
/// there.
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
    /// Who writes it.
    pub role: PropertyRole,
}

impl PropertySchema {
    /// A property without a name, and with nothing special about it; the rest of a literal.
    pub const PLAIN: Self = Self {
        field: "",
        name: "",
        key: false,
        unique: false,
        index: false,
        role: PropertyRole::Plain,
    };

    /// Whether `encode_properties` writes it.
    pub const fn is_written(&self) -> bool {
        !self.key && matches!(self.role, PropertyRole::Plain)
    }
}

/// The name of the property of a role.
pub(crate) fn of_role(properties: &[PropertySchema], role: PropertyRole) -> Option<&'static str> {
    let mut properties = properties.iter();
    properties
        .find(|property| property.role == role)
        .map(|property| property.name)
}

/// Who writes a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyRole {
    /// The struct's field says what it is.
    Plain,
    /// Somebody else; it is read and never written.
    ReadOnly,
    /// The mapper counts in it how often the node was written.
    Version,
    /// The mapper writes into it when the node was made.
    CreatedAt,
    /// The mapper writes into it when the node was last written.
    UpdatedAt,
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
    /// The struct, or the enum of structs, at the other end. A function, since two structs may
    /// name each other.
    pub target: fn() -> &'static NodeSchema,
    /// What the relationship carries.
    pub relationship: &'static RelationshipSchema,
}

impl RelationSchema {
    /// Whether both describe the same field. A constant has no address of its own, so addresses
    /// do not tell.
    pub fn is_same(&self, other: &Self) -> bool {
        self.field == other.field
            && self.relationship_type == other.relationship_type
            && self.direction == other.direction
            && self.cardinality == other.cardinality
            && (self.target)() == (other.target)()
            && self.relationship.type_name == other.relationship.type_name
    }
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
    /// Whether the struct has a field for the element id.
    pub identified: bool,
}

impl RelationshipSchema {
    /// What a query gives of the relationship `variable`: no more than the struct has fields for. A
    /// relationship as a whole comes with its ids and those of its nodes, which is more than most
    /// carry.
    pub(crate) fn asked(&self, variable: &str) -> Cow<'static, str> {
        if self.identified {
            variable.to_owned().into()
        } else if self.properties.is_empty() {
            "null".into()
        } else {
            format!("properties({variable})").into()
        }
    }

    /// Whether a relationship has properties that its struct writes, besides its keys.
    pub(crate) fn is_written(&self) -> bool {
        self.properties.iter().any(PropertySchema::is_written)
    }

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
