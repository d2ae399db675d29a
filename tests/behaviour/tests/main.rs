//! Whole behaviours, on every backend. One binary, so that each server starts once.

#![allow(clippy::unwrap_used)] // a test that unwraps is a test that fails

#[path = "behaviour/bulk.rs"]
mod bulk;
#[path = "behaviour/bulk_managed.rs"]
mod bulk_managed;
#[path = "behaviour/cardinality.rs"]
mod cardinality;
#[path = "behaviour/cardinality_races.rs"]
mod cardinality_races;
#[path = "behaviour/changes.rs"]
mod changes;
mod common;
#[path = "behaviour/cypher.rs"]
mod cypher;
#[path = "behaviour/errors.rs"]
mod errors;
#[path = "behaviour/exactly_once/mod.rs"]
mod exactly_once;
#[path = "behaviour/faults.rs"]
mod faults;
#[path = "behaviour/find.rs"]
mod find;
#[path = "behaviour/flattened_schema.rs"]
mod flattened_schema;
#[path = "behaviour/foreign.rs"]
mod foreign;
#[path = "behaviour/graph_save.rs"]
mod graph_save;
#[path = "behaviour/hooks.rs"]
mod hooks;
#[path = "behaviour/labels.rs"]
mod labels;
#[path = "behaviour/managed.rs"]
mod managed;
#[path = "behaviour/nodes.rs"]
mod nodes;
#[path = "behaviour/polymorphic_ends.rs"]
mod polymorphic_ends;
#[path = "behaviour/properties.rs"]
mod properties;
#[path = "behaviour/query/mod.rs"]
mod query;
#[path = "behaviour/relation_find.rs"]
mod relation_find;
#[path = "behaviour/relation_operations.rs"]
mod relation_operations;
#[path = "behaviour/relationship_managed.rs"]
mod relationship_managed;
#[path = "behaviour/relationships.rs"]
mod relationships;
#[path = "behaviour/scenarios/mod.rs"]
mod scenarios;
#[path = "behaviour/schema.rs"]
mod schema;
#[path = "behaviour/streams.rs"]
mod streams;
#[path = "behaviour/testing.rs"]
mod testing;
#[path = "behaviour/transaction_scope.rs"]
mod transaction_scope;
#[path = "behaviour/transactions.rs"]
mod transactions;
#[path = "behaviour/update_found.rs"]
mod update_found;
#[path = "behaviour/validation.rs"]
mod validation;
#[path = "behaviour/values.rs"]
mod values;
#[path = "behaviour/versions.rs"]
mod versions;
#[path = "behaviour/writes.rs"]
mod writes;
