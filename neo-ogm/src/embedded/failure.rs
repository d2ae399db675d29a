//! What the engine's errors are called in Neo4j.

use graphdblite::{ErrorCode, GraphError, QueryError};
use neo_bolt::server::Failure;

use super::names;

/// SQLite's primary codes that have an answer of their own.
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_FULL: i32 = 13;

/// How the engine's sentence about a parameter begins that was not sent.
const MISSING: &str = "missing parameter";

/// The failure that a client is told of, with names as the client wrote them.
pub(super) fn failure(error: GraphError) -> Failure {
    let mut failure = coded(error);
    failure.message = names::decode_all(&failure.message);
    failure
}

fn coded(error: GraphError) -> Failure {
    match error {
        GraphError::Query(error) => query(&error),
        GraphError::Storage { source, .. } => storage(&source),
        GraphError::HasEdges { id, .. } => Failure::new(
            "Neo.ClientError.Schema.ConstraintValidationFailed",
            format_args!(
                "Cannot delete node<{}>, because it still has relationships. To delete this node, \
                 you must first delete its relationships.",
                id.0
            ),
        ),
        error @ (GraphError::NodeNotFound { .. } | GraphError::EdgeNotFound { .. }) => {
            Failure::new("Neo.ClientError.Statement.EntityNotFound", error)
        }
        GraphError::Transaction { message, .. } if message.contains("not permitted inside") => {
            Failure::new(
                "Neo.ClientError.Statement.AccessMode",
                "Writing in read access mode not allowed.",
            )
        }
        error @ GraphError::SizeLimit { .. } => Failure::new(
            "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
            format_args!("a limit of the embedded engine was reached: {error}"),
        ),
        error @ GraphError::InvalidName { .. } => {
            Failure::new("Neo.ClientError.Statement.SyntaxError", error)
        }
        error @ (GraphError::IndexAlreadyExists { .. }
        | GraphError::InvalidIndexDefinition { .. }) => {
            Failure::new("Neo.ClientError.Schema.IndexAlreadyExists", error)
        }
        error @ GraphError::IndexNotFound { .. } => {
            Failure::new("Neo.ClientError.Schema.IndexNotFound", error)
        }
        error => Failure::new("Neo.DatabaseError.General.UnknownError", error),
    }
}

fn query(error: &QueryError) -> Failure {
    let code = match (error, error.code()) {
        (_, ErrorCode::MissingParameter) => "Neo.ClientError.Statement.ParameterMissing",
        (_, ErrorCode::ProcedureNotFound) => "Neo.ClientError.Procedure.ProcedureNotFound",
        (_, ErrorCode::DeleteConnectedNode) => "Neo.ClientError.Schema.ConstraintValidationFailed",
        (_, ErrorCode::DeletedEntityAccess) => "Neo.ClientError.Statement.EntityNotFound",
        (QueryError::SyntaxError { .. } | QueryError::SemanticError { .. }, _) => {
            "Neo.ClientError.Statement.SyntaxError"
        }
        (QueryError::ArgumentError { .. }, _) if error.message().starts_with(MISSING) => {
            "Neo.ClientError.Statement.ParameterMissing"
        }
        (QueryError::TypeError { .. }, _) => "Neo.ClientError.Statement.TypeError",
        (QueryError::EntityNotFound { .. }, _) => "Neo.ClientError.Statement.EntityNotFound",
        (QueryError::ArgumentError { .. }, _) => "Neo.ClientError.Statement.ArgumentError",
        (QueryError::ArithmeticError { .. }, _) => "Neo.ClientError.Statement.ArithmeticError",
        (QueryError::ConstraintViolation { .. }, _) => {
            "Neo.ClientError.Schema.ConstraintValidationFailed"
        }
        (QueryError::ProcedureError { .. }, _) => "Neo.ClientError.Procedure.ProcedureCallFailed",
        _ => "Neo.DatabaseError.Statement.ExecutionFailed",
    };
    let place = error
        .span()
        .map(|span| format!(" ({span})"))
        .unwrap_or_default();
    let hint = error
        .hint()
        .map(|hint| format!("; {hint}"))
        .unwrap_or_default();
    Failure::new(code, format_args!("{}{place}{hint}", error.message()))
}

/// What SQLite says.
pub(super) fn storage(error: &rusqlite::Error) -> Failure {
    let code = match error.sqlite_error().map(|error| error.extended_code & 0xFF) {
        Some(SQLITE_BUSY | SQLITE_LOCKED) => {
            return Failure::new(
                "Neo.TransientError.Transaction.LockAcquisitionTimeout",
                "another process holds the database file for writing",
            );
        }
        Some(SQLITE_READONLY) => "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
        Some(SQLITE_FULL) => "Neo.TransientError.General.DatabaseUnavailable",
        _ => "Neo.DatabaseError.General.UnknownError",
    };
    Failure::new(code, format_args!("the database file: {error}"))
}
