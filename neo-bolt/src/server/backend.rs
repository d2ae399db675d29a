//! What a server needs of whatever holds the data.

use std::future::Future;
use std::time::Duration;

use super::Failure;
use crate::value::{Map, Value};

/// Holds data, and opens a [`Session`] for each connection.
pub trait Backend: Send + Sync {
    /// What answers one connection.
    type Session: Session;

    /// How the server introduces itself, such as `Neo4j/5.26.0`; drivers look at the part before
    /// the slash.
    fn agent(&self) -> String;

    /// Checks a client's credentials: the map that `HELLO` or `LOGON` carried, with `scheme`,
    /// `principal` and `credentials` as the client sent them.
    ///
    /// # Errors
    /// A [`Failure`] with a `Neo.ClientError.Security` code; the connection is closed then.
    fn authenticate(&self, auth: &Map) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Opens the session of a new connection.
    fn session(&self) -> Self::Session;
}

/// Answers one connection, one call at a time.
///
/// The server keeps to the protocol: `commit` and `rollback` come only after a `begin`, and no
/// second `begin` before them. When a client interrupts, the future of `begin`, `run` or
/// [`Results::next`] is dropped where it stands and [`reset`](Self::reset) is called next.
pub trait Session: Send {
    /// The open result of a statement.
    type Results: Results;

    /// Opens an explicit transaction.
    ///
    /// # Errors
    /// The transaction can't be opened.
    fn begin(
        &mut self,
        options: TransactionOptions,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Runs a statement: in the open transaction when `auto_commit` is `None`, else in a
    /// transaction of its own, which ends with the result's [`finish`](Results::finish).
    ///
    /// # Errors
    /// The statement failed; the server rolls the transaction back by [`reset`](Self::reset).
    fn run(
        &mut self,
        query: Query,
        auto_commit: Option<TransactionOptions>,
    ) -> impl Future<Output = Result<Self::Results, Failure>> + Send;

    /// Commits the open transaction and gives its bookmark. It is never interrupted.
    ///
    /// # Errors
    /// The commit failed; the transaction is over.
    fn commit(&mut self) -> impl Future<Output = Result<Option<String>, Failure>> + Send;

    /// Rolls the open transaction back.
    ///
    /// # Errors
    /// The rollback failed; the transaction is over.
    fn rollback(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Rolls back whatever is open, an unfinished auto-commit included.
    ///
    /// # Errors
    /// The session is of no more use; the connection is closed.
    fn reset(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The records of one statement, given as they are asked for.
pub trait Results: Send {
    /// The columns' names, known before any record.
    fn columns(&self) -> &[String];

    /// The next record, one value for each column; `None` behind the last.
    ///
    /// # Errors
    /// The statement failed on the way.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Value>>, Failure>> + Send;

    /// Ends the statement, whether or not all its records were taken; commits an auto-commit
    /// transaction. It is never interrupted, and nothing is asked of the result after it.
    ///
    /// # Errors
    /// The statement, or its commit, failed.
    fn finish(&mut self) -> impl Future<Output = Result<Summary, Failure>> + Send;
}

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The statement's text.
    pub text: String,
    /// The values of its `$parameters`.
    pub parameters: Map,
}

/// What a client asks of a transaction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransactionOptions {
    /// Transactions whose effects this one must see.
    pub bookmarks: Vec<String>,
    /// How long the transaction may take; the server's own limit where there is none.
    pub timeout: Option<Duration>,
    /// The client's own notes on the transaction.
    pub metadata: Map,
    /// The client says that it will only read.
    pub read_only: bool,
    /// The database by name; the default one where there is none.
    pub database: Option<String>,
    /// The user in whose name the transaction runs.
    pub impersonated_user: Option<String>,
}

/// What is told of a statement behind its last record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    /// `r`, `w`, `rw` or `s` (schema).
    pub query_type: String,
    /// Counters by their wire names, such as `nodes-created`; those not known are left out.
    pub counters: Map,
    /// The database that answered.
    pub database: Option<String>,
    /// The bookmark of an auto-commit transaction.
    pub bookmark: Option<String>,
    /// Further metadata, such as `notifications` or `plan`, sent as they are.
    pub extra: Map,
}
