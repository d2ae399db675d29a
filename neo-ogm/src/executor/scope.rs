//! Which unit of work a task is polling: operations on its nodes join it, and a graph handle of the
//! same database refuses to work beside it.

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

    /// Whether `holds` is true of the unit's transaction, or of one that it is nested in.
    fn any(&self, holds: &impl Fn(&Arc<Scope>) -> bool) -> bool {
        holds(&self.scope) || self.outer.as_ref().is_some_and(|outer| outer.any(holds))
    }
}

/// Whether this task is polling a unit of work of which `holds` is true.
fn is_within(holds: &impl Fn(&Arc<Scope>) -> bool) -> bool {
    UNIT.try_with(|unit| unit.any(holds)).unwrap_or(false)
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
        let inside = || is_within(&|scope| scope.graph().is_same_database(self));
        if !self.settings().detached && inside() {
            return Err(Error::new(ErrorKind::GraphInTransaction));
        }
        Ok(())
    }

    /// Whether an operation on a node with this handle joins the node's transaction: it goes on,
    /// and if it is a unit of work, this task is polling its closure. A node may be shared with
    /// tasks that have nothing to do with the unit.
    pub(crate) fn is_joined(&self) -> bool {
        self.scope().is_some_and(|scope| {
            scope.attempt().is_running()
                && (scope.is_explicit() || is_within(&|unit| Arc::ptr_eq(unit, scope)))
        })
    }
}
