//! Reads Neo4j's Cypher just far enough to lay around the engine what it lacks.

pub(super) use crate::text::{place, token};

pub(super) mod clauses;
pub(super) mod columns;
pub(super) mod gaps;
pub(super) mod rewrite;
