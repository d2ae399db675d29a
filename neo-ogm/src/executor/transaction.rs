//! Several operations in one retried transaction.

use std::sync::Arc;

use neo_bolt::packstream::ToBolt;
use neo_bolt::value::DateTime;
use neo_bolt::{EagerResult, ManagedTransaction};

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

/// What the operations of one attempt share.
#[derive(Debug)]
struct Unit {
    started: DateTime,
    attempt: Arc<Attempt>,
}

impl Transaction {
    pub(super) fn new(inner: ManagedTransaction, graph: Graph, unit: &UnitOfWork) -> Self {
        let unit = Arc::new(Unit {
            started: unit.started.clone(),
            attempt: unit.attempt(),
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

    /// The attempt, of which values that are pending are.
    pub(super) fn attempt_state(&self) -> &Arc<Attempt> {
        &self.unit.attempt
    }

    pub(super) fn started(&self) -> &DateTime {
        &self.unit.started
    }
}
