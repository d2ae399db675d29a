//! Several operations in one retried transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neo_bolt::packstream::ToBolt;
use neo_bolt::value::DateTime;
use neo_bolt::{EagerResult, ManagedTransaction};
use uuid::Uuid;

use super::attempt::UnitOfWork;
use super::{Attempt, Graph, Records};
use crate::error::Error;

/// A transaction that [`Graph::transaction`] or [`Graph::begin`] opened: a handle, cheap to clone.
///
/// Operations take it by reference: `book.save(&tx)`, `book.author.connect(&author).on(&tx)`.
#[derive(Debug, Clone)]
pub struct Transaction {
    inner: ManagedTransaction,
    graph: Graph,
    unit: Arc<Unit>,
}

/// Names the operations of a unit of work alike in each attempt, so that an insert knows its own
/// earlier attempt from a stranger's node.
#[derive(Debug)]
struct Unit {
    id: Uuid,
    started: DateTime,
    attempt: Arc<Attempt>,
    operations: AtomicU64,
}

impl Transaction {
    pub(super) fn new(inner: ManagedTransaction, graph: Graph, unit: &UnitOfWork) -> Self {
        let unit = Arc::new(Unit {
            id: unit.id,
            started: unit.started.clone(),
            attempt: unit.attempt(),
            operations: AtomicU64::new(0),
        });
        Self { inner, graph, unit }
    }

    /// The graph that the transaction is of.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Which attempt of the unit of work this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.inner.attempt()
    }

    pub(super) async fn execute(
        &self,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        let statement = self.graph.placed(statement);
        Ok(self.inner.execute(statement, parameters).await?)
    }

    pub(super) async fn stream(
        &self,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<Records, Error> {
        let statement = self.graph.placed(statement);
        Ok(Records::new(
            self.inner.run(statement, parameters).await?,
            None,
        ))
    }

    /// See [`ManagedTransaction::not_idempotent`].
    pub(super) fn not_idempotent(&self) {
        self.inner.not_idempotent();
    }

    /// The attempt, of which values that are pending are.
    pub(super) fn attempt_state(&self) -> &Arc<Attempt> {
        &self.unit.attempt
    }

    pub(super) fn started(&self) -> &DateTime {
        &self.unit.started
    }

    pub(super) fn operation_token(&self) -> String {
        let operation = self.unit.operations.fetch_add(1, Ordering::Relaxed);
        format!("{}/{operation}", self.unit.id)
    }
}
