//! A transaction that the caller ends: `graph.begin()`.

use std::fmt;
use std::future::IntoFuture;
use std::ops::Deref;

use neo_bolt::{AccessMode, CommitOutcome};

use super::attempt::UnitOfWork;
use super::{BoxFuture, Executor, Graph, Target, Transaction};
use crate::error::Error;

impl Graph {
    /// Begins a transaction that you commit yourself, for work that does not fit a closure: one
    /// that goes on between two requests, or that a test rolls back.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct Book {
    ///     #[node(key)]
    ///     isbn: String,
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let tx = graph.begin().await?;
    /// Book::new("1").save(&tx).await?;
    /// assert!(Book::find_by_isbn("1").exists(&tx).await?);
    /// tx.rollback().await?;
    /// assert!(!Book::find_by_isbn("1").exists(&graph).await?);
    ///
    /// let tx = graph.begin().await?;
    /// tx.save(&Book::new("2")).await?;
    /// tx.commit().await?;
    /// assert!(Book::find_by_isbn("2").exists(&graph).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Nothing of it is tried again, since only you know what led to it: a deadlock, a lost
    /// connection or a change of the cluster's leader comes to you as an error. Prefer
    /// [`transaction`](Self::transaction) where the work fits one.
    ///
    /// Timeout, metadata, database, impersonation and bookmarks are the handle's:
    /// `graph.with_timeout(limit).begin()`. Neo4j knows no transaction within a transaction and
    /// no savepoint; what may fail by itself goes into a transaction of its own.
    ///
    /// Nodes that are read or saved in it belong to it until it ends; see
    /// [`Transaction`](Transaction#scope). The graph handle stays usable meanwhile.
    ///
    /// BEGIN leaves together with the first statement, so this waits for nothing, and a server
    /// that is not there shows at that statement.
    ///
    /// # Errors
    /// [`ErrorKind::GraphInTransaction`](crate::ErrorKind::GraphInTransaction) inside a unit of work
    /// on the same database.
    pub fn begin(&self) -> BeginTransaction {
        BeginTransaction {
            graph: self.clone(),
            mode: AccessMode::Write,
        }
    }

    /// As [`begin`](Self::begin), for reading only; a cluster serves it from any member.
    pub fn begin_read(&self) -> BeginTransaction {
        BeginTransaction {
            graph: self.clone(),
            mode: AccessMode::Read,
        }
    }
}

/// A transaction that waits to be begun.
#[derive(Debug)]
#[must_use = "nothing is begun before `.await`"]
pub struct BeginTransaction {
    graph: Graph,
    mode: AccessMode,
}

impl IntoFuture for BeginTransaction {
    type Output = Result<ExplicitTransaction, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.graph.check_unit()?;
            let session = self.graph.session(self.mode);
            let config = self.graph.transaction_config();
            let inner = session.into_transaction(config).await?;
            let unit = UnitOfWork::new(true);
            let handle = Transaction::new(inner.handle(), self.graph, self.mode, &unit);
            Ok(ExplicitTransaction {
                inner,
                handle,
                unit,
            })
        })
    }
}

/// A transaction that [`Graph::begin`] opened. Dropping it rolls back.
///
/// Operations take it by reference, as they do a [`Transaction`], which it dereferences to. Clones
/// of that handle end with it: what is run on them afterwards is an error.
#[must_use = "dropping it rolls back"]
pub struct ExplicitTransaction {
    inner: neo_bolt::Transaction<'static>,
    handle: Transaction,
    /// How it ends, for the values that wait for that.
    unit: UnitOfWork,
}

impl fmt::Debug for ExplicitTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExplicitTransaction")
            .field("graph", self.handle.graph())
            .finish_non_exhaustive()
    }
}

impl ExplicitTransaction {
    /// Makes what was done permanent.
    ///
    /// # Errors
    /// The database refused, or the connection was lost; then
    /// [`commit_outcome`](Error::commit_outcome) says whether the commit may have happened.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the commit took effect.
    pub async fn commit(self) -> Result<(), Error> {
        let committed = self.inner.commit().await;
        let outcome = committed.as_ref().map_err(|error| error.commit_outcome());
        // Something that comes after the commit may have failed.
        if matches!(outcome, Ok(()) | Err(CommitOutcome::Committed)) {
            self.unit.end(true);
        }
        Ok(committed?)
    }

    /// Undoes what was done, and waits until the database has.
    ///
    /// # Errors
    /// The connection was lost; the database rolls back then, too.
    ///
    /// # Cancel safety
    /// Dropping the future rolls back all the same.
    pub async fn rollback(self) -> Result<(), Error> {
        self.unit.end(false);
        Ok(self.inner.rollback().await?)
    }
}

impl Deref for ExplicitTransaction {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.handle
    }
}

impl Executor for ExplicitTransaction {
    fn target(&self) -> Target {
        self.handle.target()
    }
}
