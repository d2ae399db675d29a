//! Typed questions: tokens that name fields, what is asked of them, and its Cypher.

mod aggregate;
mod assign;
mod expression;
mod field;
mod filter;
mod flattened;
mod hop;
mod label;
mod operators;
mod order;
mod plan;
mod raise;
mod render;
mod select;
mod token;

pub use aggregate::{Aggregate, Aggregates, GroupOrder, Having, Summary, count};
pub use expression::{Comparand, Expression};
pub use field::Field;
pub use filter::Filter;
pub use flattened::Flattened;
pub use hop::{Follow, Hops, Step};
pub use label::{Label, Variant, VariantLoad};
pub use order::{Order, random};
pub use plan::{Load, LoadPlan, Loadable};
pub use select::{Columns, First, Named, Selection, This, To, named, this};
pub use token::Relation;

pub(crate) use assign::Assignments;
pub(crate) use expression::{End, Expr};
pub(crate) use filter::{Comparison, Condition, Parameter};
pub(crate) use hop::Hop;
pub(crate) use order::OrderStep;
pub(crate) use plan::{ReadAny, read_any};
pub(crate) use raise::{raise, raised};
pub(crate) use render::{Cypher, Parameters, arrows, escape, write_node, write_one_of};
