//! What an input means. Behind this step nothing is invalid any more.

mod errors;
mod fields;
mod names;
mod node;
mod nodes;
mod property;
mod relationship;
mod rules;

pub(crate) use fields::{DefaultValue, PropertyField, is_string};
pub(crate) use node::{BrokenNode, NodeModel, RelationField, node};
pub(crate) use nodes::{NodesModel, nodes};
pub(crate) use property::{PropertyModel, Variant, property};
pub(crate) use relationship::{RelationshipModel, relationship};
pub(crate) use rules::{Rule, RuleKind};
