//! Code, written from a model in which nothing is invalid.

mod broken;
mod codec;
mod node;
mod nodes;
mod property;
mod relationship;
mod rules;
mod tokens;

pub(crate) use broken::{broken_node, broken_nodes, broken_property, broken_relationship};
pub(crate) use node::node;
pub(crate) use nodes::nodes;
pub(crate) use property::property;
pub(crate) use relationship::relationship;
