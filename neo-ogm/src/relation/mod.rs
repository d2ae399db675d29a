//! Relationship fields: [`One`], [`ZeroOrOne`], [`OneOrMore`] and [`Many`].
//!
//! A field knows which node it belongs to once that node was saved or found; from then on
//! `book.author.connect(&author)` needs nothing else. Its contents are there when the query that
//! found the node loaded them.

mod connect;
mod disconnect;
mod ends;
mod fetch;
mod field;
mod said;

pub use connect::Connect;
pub use disconnect::Disconnect;
pub use fetch::Fetch;
pub use field::{Many, One, OneOrMore, Related, RelationField, ZeroOrOne};
pub use said::{PropertiesGiven, PropertiesMissing, Said};

pub(crate) use ends::{key_parameters, keyed};

use crate::executor::Graph;
use crate::mapping::KeyOf;

/// The node that a relationship field belongs to, and the graph where it is.
#[derive(Debug, Clone)]
pub struct Origin {
    pub(crate) graph: Graph,
    pub(crate) key: KeyOf,
}

impl Origin {
    /// The node `key` of `graph`.
    pub fn new(graph: Graph, key: KeyOf) -> Self {
        Self { graph, key }
    }
}
