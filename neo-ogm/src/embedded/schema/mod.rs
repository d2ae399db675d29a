//! Constraints and indexes in Neo4j's syntax, kept in the database file beside the engine's data.

pub(super) mod catalogue;
pub(super) mod command;
pub(super) mod run;
pub(super) mod unique;
