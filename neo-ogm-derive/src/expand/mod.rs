//! Code, written from a model in which nothing is invalid.

mod broken;
mod codec;
mod extras;
mod node;
mod nodes;
mod projection;
mod properties;
mod property;
mod relationship;
mod rules;
mod tokens;

pub(crate) use broken::{
    broken_node, broken_nodes, broken_properties, broken_property, broken_relationship,
};
pub(crate) use node::node;
pub(crate) use nodes::nodes;
pub(crate) use projection::{broken_projection, projection};
pub(crate) use properties::properties;
pub(crate) use property::property;
pub(crate) use relationship::relationship;

/// Where `span` is, for messages, with names that mean what they mean in this crate's own code: a
/// struct may come out of a macro of the user's, in which `self` would be another.
fn at(span: proc_macro2::Span) -> proc_macro2::Span {
    span.resolved_at(proc_macro2::Span::call_site())
}
