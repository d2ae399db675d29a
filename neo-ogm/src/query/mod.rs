//! Typed questions: tokens that name fields, filters made of them, and their Cypher.

mod field;
mod filter;
mod label;
mod plan;
mod render;
mod token;

pub use field::{Field, Order};
pub use filter::Filter;
pub use label::{Label, Variant};
pub use plan::{Load, LoadPlan};
pub use token::Relation;

pub(crate) use filter::Condition;
pub(crate) use render::{Cypher, Parameters, arrows, escape, write_node, write_one_of};
