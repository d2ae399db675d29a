#![doc = include_str!("../README.md")]
//!
//! ## Inside
//!
//! Layers, top to bottom; each uses only what stands below it:
//!
//! | layer | module | what it has |
//! |---|---|---|
//! | schema | [`schema`] | constraints and indexes: apply, compare, drop |
//! | operations | [`operation`] | save, find, delete, raw Cypher |
//! | relationship fields | [`relation`] | [`One`](relation::One), [`Many`](relation::Many), connect, disconnect |
//! | questions | [`query`] | typed tokens, filters, their Cypher |
//! | model | [`mapping`] | the traits that the derive macros implement |
//! | running | [`executor`] | [`Graph`], [`Transaction`] |
//! | the driver | [`neo_bolt`] | Bolt, pool, routing, retries |
//!
//! With a `tracing` subscriber you hear of each statement and unit of work, in spans of the target
//! `neo_ogm` at the level DEBUG: `RUST_LOG=neo_ogm=debug`. They have the text of the statement, whether
//! it reads or writes, and how many rows there were; never the value of a parameter. Raw Cypher is
//! told as you wrote it, so put values into parameters.

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod executor;
pub mod mapping;
pub mod operation;
pub mod prelude;
pub mod query;
pub mod relation;
pub mod schema;
pub mod testing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod error;
mod text;

pub use bytes::Bytes;
pub use error::{Error, ErrorKind};
pub use executor::{ExplicitTransaction, Graph, Transaction};
pub use mapping::{
    ElementId, Entity, Hooks, Node, Properties, Property, Relationship, RelationshipHooks,
    Timestamp, Version,
};
pub use neo_bolt;
pub use neo_bolt::AuthToken as Auth;
pub use neo_bolt::Bookmarks;
#[doc(hidden)]
pub use neo_ogm_derive::Relationship;
pub use neo_ogm_derive::{Node, Nodes, Projection, Properties, Property, relationship, test};
pub use uuid::Uuid;
