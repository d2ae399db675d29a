//! Constraints and indexes, from the model to the database: apply, compare, drop.
//!
//! ```
//! use neo_ogm::prelude::*;
//!
//! #[derive(Node)]
//! #[node(index(title, pages))]
//! struct Book {
//!     #[node(key)]
//!     isbn: String,
//!     #[node(index = "text")]
//!     title: String,
//!     pages: Option<u32>,
//!     #[relationship(type = "WRITTEN_BY")]
//!     author: One<Person, WrittenBy>,
//! }
//!
//! #[derive(Node)]
//! struct Person {
//!     #[node(key)]
//!     name: String,
//! }
//!
//! #[relationship(type = "WRITTEN_BY")]
//! struct WrittenBy {
//!     #[relationship(index)]
//!     year: i32,
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), neo_ogm::Error> {
//! let graph = Graph::in_memory().await?;
//! let report = graph.apply_schema::<(Book, Person)>().await?;
//! assert_eq!(report.created().count(), 5);
//!
//! let again = graph.apply_schema::<(Book, Person)>().await?;
//! assert_eq!(again.created().count(), 0);
//! assert!(graph.schema_diff::<(Book, Person)>().await?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! ## Which options make what
//!
//! On a field of a node in `#[node(…)]`, and on a field of a relationship struct in
//! `#[relationship(…)]`:
//!
//! | option | what it makes | where |
//! |---|---|---|
//! | `key` (of a node) | a uniqueness constraint over all key fields | everywhere |
//! | `unique` | a uniqueness constraint | everywhere for nodes; Neo4j for relationships |
//! | `index` | a range index | everywhere |
//! | `index = "text"` | a text index; the field is a `String` | everywhere |
//! | `index = "point"` | a point index; the field is a `Point` | Neo4j |
//! | `fulltext`, `fulltext(analyzer = "english")` | a full-text index; the field is a `String` or a `Vec<String>` | Neo4j |
//! | `vector(dimensions = 384, similarity = "cosine")` | a vector index; the field is a `Vector`, `Vec<f32>` or `Vec<f64>` | Neo4j |
//! | `required` | an existence constraint | Neo4j Enterprise |
//! | `typed` | a constraint on the property's type, which is that of the field | Neo4j Enterprise |
//!
//! On a struct:
//!
//! | option | what it makes | where |
//! |---|---|---|
//! | `unique(a, b)` | a uniqueness constraint over these fields together | as `unique` |
//! | `index(a, b)` | a range index over these fields together | everywhere |
//! | `fulltext(a, b, analyzer = "english")` | one full-text index over these fields | Neo4j |
//! | `node_key` | a node key constraint over the key, instead of uniqueness | Neo4j Enterprise |
//! | `node_key(a, b)` | a node key constraint over these fields | Neo4j Enterprise |
//! | `relationship_key`, `relationship_key(a, b)` | the same for a relationship struct | Neo4j Enterprise |
//!
//! Where there are parentheses, `name = "…"` gives a name of your own; otherwise it is made of
//! label, properties and kind, and is the same each time: `Book_isbn_unique`, `Book_title_text`.

mod apply;
mod compare;
mod drop;
mod found;
mod parts;
mod report;
mod rule;

pub use apply::ApplySchema;
pub use compare::{SchemaDiff, SchemaDifference};
pub use drop::DropSchema;
pub use found::FoundRule;
pub use parts::{Part, SchemaPart, SchemaSet};
pub use report::{SchemaReport, Unsupported};
pub use rule::{Entity, Rule, Schema};

pub(crate) use drop::clear;
pub(crate) use found::labels_or_types;
