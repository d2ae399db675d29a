//! Several operations in one retried transaction.

use std::fmt;
use std::sync::Arc;

use neo_bolt::packstream::ToBolt;
use neo_bolt::value::DateTime;
use neo_bolt::{AccessMode, EagerResult, ManagedTransaction};

use super::attempt::UnitOfWork;
use super::{Attempt, Graph, Records};
use crate::error::Error;

/// A transaction that [`Graph::transaction`] or [`Graph::begin`] opened: a handle, cheap to clone.
///
/// Operations take it by reference: `book.save(&tx)`, `Book::find().all(&tx)`.
///
/// # Scope
/// A node that is read or saved in a transaction belongs to it until the transaction ends, whether
/// a finder, eager loading or raw Cypher returned it. Operations on its relationship fields join
/// the transaction without [`on`](crate::relation::Connect::on):
///
/// ```
/// # use neo_ogm::prelude::*;
/// # #[derive(Node)]
/// # struct Book { #[node(key)] isbn: String, #[relationship(type = "WRITTEN_BY")] author: One<Person> }
/// # #[derive(Node)] struct Person { #[node(key)] name: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), neo_ogm::Error> {
/// # let graph = Graph::in_memory().await?;
/// let (book, author) = (Book::new("978-0-14-303500-8"), Person::new("Leo Tolstoy"));
/// graph
///     .transaction(async |tx| {
///         book.save(&tx).await?;
///         author.save(&tx).await?;
///         book.author.connect(&author).await // in the transaction
///     })
///     .await?;
/// assert_eq!(book.author.fetch().await?.name, "Leo Tolstoy"); // on the graph
/// # Ok(())
/// # }
/// ```
///
/// After a commit, the node belongs to the graph. After a rollback, it is as it was before the
/// transaction: a node that was first saved in it counts as not saved, and its
/// [`Version`](crate::Version), [`ElementId`](crate::ElementId) and
/// [`Timestamp`](crate::Timestamp) fields have their previous values. A node that was read in the
/// transaction belongs to the graph, and what was read into these fields is forgotten, since it may
/// never have been committed. A transaction that is dropped counts as rolled back.
///
/// A closure's transaction is joined by what the closure itself awaits. A task that the closure
/// spawns names it: `.on(&tx)`.
#[derive(Clone)]
pub struct Transaction {
    scope: Arc<Scope>,
    /// The handle that nodes of this transaction keep.
    scoped: Graph,
}

/// One attempt of a unit of work, or one explicit transaction: what its handles and its nodes
/// share.
pub(super) struct Scope {
    inner: ManagedTransaction,
    /// The graph that nodes belong to afterwards.
    graph: Graph,
    mode: AccessMode,
    /// Whether the caller ends it; otherwise it is a unit of work, whose closure is polled.
    is_explicit: bool,
    started: DateTime,
    attempt: Arc<Attempt>,
}

impl Scope {
    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn attempt(&self) -> &Arc<Attempt> {
        &self.attempt
    }

    pub(super) fn is_explicit(&self) -> bool {
        self.is_explicit
    }

    /// The attempt, if what is read in it may be undone by a rollback. A transaction that only
    /// reads sees nothing but what is committed.
    pub(super) fn written(&self) -> Option<&Arc<Attempt>> {
        (self.mode == AccessMode::Write).then_some(&self.attempt)
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("graph", self.graph())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

impl Transaction {
    pub(super) fn new(
        inner: ManagedTransaction,
        graph: Graph,
        mode: AccessMode,
        unit: &UnitOfWork,
    ) -> Self {
        Self::of(Arc::new(Scope {
            inner,
            graph,
            mode,
            is_explicit: unit.is_explicit,
            started: unit.started.clone(),
            attempt: unit.attempt(),
        }))
    }

    fn of(scope: Arc<Scope>) -> Self {
        let scoped = scope.graph.scoped(Arc::clone(&scope));
        Self { scope, scoped }
    }

    /// The transaction that `scoped` belongs to.
    pub(super) fn again(scope: &Arc<Scope>, scoped: &Graph) -> Self {
        Self {
            scope: Arc::clone(scope),
            scoped: scoped.clone(),
        }
    }

    /// The graph of the transaction. Operations on it are not part of the transaction.
    pub fn graph(&self) -> &Graph {
        &self.scope.graph
    }

    /// Which attempt of the unit of work this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.scope.inner.attempt()
    }

    pub(super) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// The handle that nodes keep which are read or saved in the transaction.
    pub(super) fn scoped(&self) -> &Graph {
        &self.scoped
    }

    pub(super) async fn execute(
        &self,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        let statement = self.graph().placed(statement);
        Ok(self.scope.inner.execute(statement, parameters).await?)
    }

    pub(super) async fn stream(
        &self,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<Records, Error> {
        let statement = self.graph().placed(statement);
        Ok(Records::new(
            self.scope.inner.run(statement, parameters).await?,
            None,
        ))
    }

    /// The attempt, of which values that are pending are.
    pub(super) fn attempt_state(&self) -> &Arc<Attempt> {
        &self.scope.attempt
    }

    pub(super) fn started(&self) -> &DateTime {
        &self.scope.started
    }
}
