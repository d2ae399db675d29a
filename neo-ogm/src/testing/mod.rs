//! For the tests of programs: a graph for each test, which no other test sees.
//!
//! ```
//! use neo_ogm::prelude::*;
//!
//! #[derive(Node)]
//! struct Book {
//!     #[node(key)]
//!     isbn: String,
//! }
//!
//! #[neo_ogm::test(schema = Book)]
//! async fn a_book_is_found_again(graph: Graph) -> Result<(), neo_ogm::Error> {
//!     Book::new("978-0-14-303500-8").save(&graph).await?;
//!     assert_eq!(Book::find().count(&graph).await?, 1);
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! [`#[neo_ogm::test]`](crate::test) is a `#[test]` with a Tokio runtime and a graph of its own:
//!
//! * On the embedded engine, which is what it takes unless told: an empty one in memory.
//! * On a server, where the environment names one by `NEO4J_TEST_URI`: a *label space* of its own.
//!   Every label and relationship type of the test begins with the same letters in the database,
//!   unlike those of any other test, and so do the names of its constraints and indexes. When the
//!   test is over, also by a panic, its nodes, constraints and indexes are deleted. So tests run
//!   side by side, on a server that others use, too, with the same keys in each.
//!
//! | variable | meaning |
//! |---|---|
//! | `NEO4J_TEST_URI` | the server, such as `bolt://localhost:7687` |
//! | `NEO4J_TEST_USER`, `NEO4J_TEST_PASSWORD` | the login; without a password there is none. The user is `neo4j` unless told |
//! | `NEO4J_TEST_DATABASE` | the database; the user's home database unless told |
//!
//! | option | meaning |
//! |---|---|
//! | `schema = Book`, `schema = (Book, Person)` | applies the schema first; what the database can't have is left out |
//! | `on = "embedded"` | always the embedded engine |
//! | `on = "server"` | always the server; without `NEO4J_TEST_URI` the test fails |
//!
//! For a harness of your own there are [`isolated`] and [`Space`].
//!
//! ## How far a label space reaches
//!
//! It holds for all that the mapper does, and for raw Cypher as far as labels and types stand in
//! its text: `MATCH (b:Book)`, `SET b:New`, `[:WRITTEN_BY|READ]`. It does not hold for
//!
//! * patterns without a label: `MATCH (n) RETURN n` sees the whole database, and a node that is
//!   made without a label stays behind;
//! * what Cypher computes or is given as a value: `labels(n)`, `type(r)`, `$(label)`, and the labels
//!   of a `neo_bolt::value::Node`, which are those of the database;
//! * the names of constraints and indexes that raw Cypher makes: they are shared with all others.
//!
//! Neo4j remembers the name of each label that ever was, so a server for tests gathers names; they
//! take a few bytes each.

mod run;
mod space;

pub use run::{On, run};
pub use space::{Space, isolated, sweep};
