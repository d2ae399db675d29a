//! Where statements run: on a graph handle, each in a transaction of its own, or within a
//! transaction of the caller's.

mod attempt;
mod explicit;
mod graph;
mod outcome;
mod records;
mod scope;
mod space;
mod statement;
mod trace;
mod transaction;

pub use explicit::{BeginTransaction, ExplicitTransaction};
pub use graph::{Graph, GraphBuilder};
pub use transaction::Transaction;

pub(crate) use attempt::Attempt;
pub(crate) use outcome::{operation, told};
pub(crate) use records::Records;
pub(crate) use scope::current_attempt;
pub(crate) use statement::WriteStatement;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use neo_bolt::packstream::ToBolt;
use neo_bolt::value::DateTime;
use neo_bolt::{AccessMode, EagerResult};
use tracing::Instrument as _;

use crate::error::Error;

/// The future of an operation.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where an operation runs: a [`Graph`] or a [`Transaction`], by reference or by value.
#[diagnostic::on_unimplemented(
    message = "an operation runs on a `Graph` or a `Transaction`, not on `{Self}`",
    label = "expected `&graph` or `&tx`"
)]
pub trait Executor {
    /// A handle of it to keep.
    fn target(&self) -> Target;
}

impl<E: Executor + ?Sized> Executor for &E {
    fn target(&self) -> Target {
        (**self).target()
    }
}

impl<E: Executor + ?Sized> Executor for &mut E {
    fn target(&self) -> Target {
        (**self).target()
    }
}

impl Executor for Graph {
    fn target(&self) -> Target {
        match self.scope() {
            None => Target::Graph(self.clone()),
            Some(scope) if self.is_joined() => Target::Transaction(Transaction::again(scope, self)),
            Some(scope) => Target::Graph(scope.graph().clone()),
        }
    }
}

impl Executor for Transaction {
    fn target(&self) -> Target {
        Target::Transaction(self.clone())
    }
}

/// A kept handle of an [`Executor`].
#[derive(Debug, Clone)]
pub enum Target {
    /// Each statement in a retried transaction of its own.
    Graph(Graph),
    /// Within a transaction.
    Transaction(Transaction),
}

impl Target {
    /// The handle for nodes that are read or saved here: the graph, or a handle of it that belongs
    /// to the transaction until that ends.
    pub fn graph(&self) -> &Graph {
        match self {
            Self::Graph(graph) => graph,
            Self::Transaction(transaction) => transaction.scoped(),
        }
    }

    /// Runs one statement that reads, or that leaves the same behind if it is repeated, to its end
    /// in one round trip.
    pub(crate) async fn execute(
        &self,
        mode: AccessMode,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        self.run(mode, true, statement, parameters).await
    }

    /// Runs one of the mapper's own statements that write to its end, in one round trip, or two if it
    /// returns several rows.
    pub(crate) async fn write(
        &self,
        statement: &WriteStatement,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        let mode = AccessMode::Write;
        let plain: Arc<str> = statement.to_string().into();
        let span = trace::statement(&plain, mode, self.is_transaction());
        let run = async {
            match self {
                Self::Graph(graph) => {
                    let done = graph.write(plain, statement, parameters).await?;
                    outcome::committed(&done);
                    Ok::<_, Error>(done)
                }
                Self::Transaction(transaction) => transaction.execute(plain, parameters).await,
            }
        };
        let done = run.instrument(span.clone()).await?;
        span.record("rows", done.records.len());
        Ok(done)
    }

    /// Runs one statement to its end. On a graph handle, one that is `idempotent` takes one round
    /// trip and is repeated after a lost commit; another one takes two.
    pub(crate) async fn run(
        &self,
        mode: AccessMode,
        idempotent: bool,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        let span = trace::statement(&statement, mode, self.is_transaction());
        let run = async {
            match self {
                Self::Graph(graph) => {
                    let done = graph
                        .execute(mode, idempotent, statement, parameters)
                        .await?;
                    if mode == AccessMode::Write {
                        outcome::committed(&done);
                    }
                    Ok::<_, Error>(done)
                }
                Self::Transaction(transaction) => transaction.execute(statement, parameters).await,
            }
        };
        let done = run.instrument(span.clone()).await?;
        span.record("rows", done.records.len());
        Ok(done)
    }

    /// Runs one statement whose records are taken one by one. On a graph handle that is an
    /// auto-commit transaction, which is not tried again.
    pub(crate) async fn stream(
        &self,
        mode: AccessMode,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<Records, Error> {
        let span = trace::statement(&statement, mode, self.is_transaction());
        let run = async {
            match self {
                Self::Graph(graph) => graph.stream(mode, statement, parameters).await,
                Self::Transaction(transaction) => transaction.stream(statement, parameters).await,
            }
        };
        run.instrument(span).await
    }

    fn is_transaction(&self) -> bool {
        matches!(self, Self::Transaction(_))
    }

    /// The attempt of a unit of work that the operation is part of; none on a graph handle.
    pub(crate) fn attempt(&self) -> Option<&Arc<Attempt>> {
        match self {
            Self::Graph(_) => None,
            Self::Transaction(transaction) => Some(transaction.attempt_state()),
        }
    }

    /// The time that an operation writes: its own, or that of the unit of work.
    pub(crate) fn time(&self) -> DateTime {
        match self {
            Self::Graph(_) => DateTime::now(),
            Self::Transaction(transaction) => transaction.started().clone(),
        }
    }
}
