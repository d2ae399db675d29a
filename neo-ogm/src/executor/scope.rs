//! The unit of work that a task is running, so that a graph handle of the same database can refuse
//! to work outside of it.

use std::future::Future;
use std::sync::Arc;

use tokio::task::futures::TaskLocalFuture;

use super::transaction::Scope;
use super::{Attempt, Graph, Transaction};
use crate::error::{Error, ErrorKind};

tokio::task_local! {
    /// The innermost unit of work whose closure this task is polling.
    static UNIT: Arc<Unit>;
}

/// One attempt of a unit of work, and the units of other graphs that it is nested in.
pub(super) struct Unit {
    scope: Arc<Scope>,
    outer: Option<Arc<Unit>>,
}

impl Unit {
    /// The unit of work of `transaction`, inside of those that this task is polling.
    pub(super) fn of(transaction: &Transaction) -> Arc<Self> {
        Arc::new(Self {
            scope: Arc::clone(transaction.scope()),
            outer: current(),
        })
    }

    /// The future of the unit's closure, marked as this unit while it is polled.
    pub(super) fn mark<F: Future>(self: Arc<Self>, work: F) -> TaskLocalFuture<Arc<Self>, F> {
        UNIT.scope(self, work)
    }

    /// Whether the unit, or one that it is nested in, is on the database of `graph`.
    fn is_on(&self, graph: &Graph) -> bool {
        self.scope.graph().is_same_database(graph)
            || self.outer.as_ref().is_some_and(|outer| outer.is_on(graph))
    }
}

fn current() -> Option<Arc<Unit>> {
    UNIT.try_with(Arc::clone).ok()
}

/// The attempt on which the outcome of what this task reads and writes depends: that of the
/// innermost unit of work, if it may write.
pub(crate) fn current_attempt() -> Option<Arc<Attempt>> {
    current()?.scope.written().cloned()
}

impl Graph {
    /// Fails if this task is polling a unit of work on the same database, unless the handle is
    /// [detached](Self::detached).
    pub(super) fn check_unit(&self) -> Result<(), Error> {
        let inside = |unit: &Arc<Unit>| unit.is_on(self);
        if !self.settings().detached && UNIT.try_with(inside).unwrap_or(false) {
            return Err(Error::new(ErrorKind::GraphInTransaction));
        }
        Ok(())
    }
}
