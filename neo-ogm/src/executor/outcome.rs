//! What is known of the commits of an operation that ends in an error of the mapper's own.

use std::cell::Cell;
use std::future::Future;

use neo_bolt::{CommitOutcome, EagerResult, QueryType};

use super::BoxFuture;
use crate::error::{Error, ErrorKind};

tokio::task_local! {
    /// What the statements of the running operation came to, on a graph handle. It is no part of the
    /// handle, since that would cost an allocation for each operation.
    static OUTCOME: Cell<CommitOutcome>;
}

/// The future of an operation that writes. Its error says what is known of the commits of its
/// statements, also where it is not the driver's: after a lost commit, "there is no such node"
/// does not tell that nothing was written.
pub(crate) fn operation<'a, T: 'a>(
    run: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> BoxFuture<'a, Result<T, Error>> {
    Box::pin(told(run))
}

/// As [`operation`], where it is not boxed.
pub(crate) fn told<T>(
    run: impl Future<Output = Result<T, Error>> + Send,
) -> impl Future<Output = Result<T, Error>> + Send {
    let run = async move {
        let error = match run.await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        Err(match OUTCOME.with(Cell::get) {
            CommitOutcome::NotSent => error,
            // Other errors explain why a statement that was committed wrote nothing.
            CommitOutcome::Committed if !is_unreadable(&error) => error,
            outcome => error.with_commit_outcome(outcome),
        })
    };
    OUTCOME.scope(Cell::new(CommitOutcome::NotSent), run)
}

/// Remembers a statement that was committed by itself, for the error that may follow.
pub(super) fn committed(result: &EagerResult) {
    // Operations that only read have no outcome.
    let _ = OUTCOME.try_with(|outcome| {
        if !writes(result) {
            // It makes no difference whether it was committed.
        } else if result.follows_lost_commit() {
            outcome.set(CommitOutcome::Unknown);
        } else if outcome.get() == CommitOutcome::NotSent {
            outcome.set(CommitOutcome::Committed);
        }
    });
}

fn writes(result: &EagerResult) -> bool {
    // What a caller's own statement does, only the database knows. A recovered result has the summary
    // of the statement that read it.
    result.is_recovered() || !matches!(result.summary.query_type(), Some(QueryType::Read))
}

fn is_unreadable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Decode { .. } | ErrorKind::UnexpectedLabels { .. } | ErrorKind::Rows { .. } => {
            true
        }
        ErrorKind::Driver(error) => error.kind() == neo_bolt::ErrorKind::Decode,
        ErrorKind::Row { error, .. } => is_unreadable(error),
        _ => false,
    }
}
