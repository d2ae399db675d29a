//! What an input means. Behind this step nothing is invalid any more.

mod errors;
mod extras;
mod fields;
mod names;
mod node;
mod nodes;
mod projection;
mod properties;
mod property;
mod relationship;
mod rules;
mod validate;

pub(crate) use extras::{Extras, FlattenField};
pub(crate) use fields::{DefaultValue, PropertyField, Role, is_option, is_string, is_timestamp};
pub(crate) use node::{BrokenNode, NodeModel, RelationField, node};
pub(crate) use nodes::{NodesModel, nodes};
pub(crate) use projection::{BrokenProjection, ProjectedField, ProjectionModel, projection};
pub(crate) use properties::{PropertiesModel, properties};
pub(crate) use property::{PropertyModel, Variant, property};
pub(crate) use relationship::{RelationshipModel, relationship};
pub(crate) use rules::{Rule, RuleKind};
pub(crate) use validate::{Bounds, Check, CheckKind};
