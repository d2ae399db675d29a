//! What a server tells a client when it can't do what was asked.

use std::fmt;

/// A failure as Bolt carries it: one of Neo4j's status codes, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// A code such as `Neo.ClientError.Statement.SyntaxError`; clients decide by it whether to
    /// try again.
    pub code: String,
    /// What happened, to what, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure of a code.
    pub fn new(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            code: code.into(),
            message: message.to_string(),
        }
    }

    /// The client sent something that Bolt does not allow there.
    pub fn invalid_request(message: impl fmt::Display) -> Self {
        Self::new("Neo.ClientError.Request.Invalid", message)
    }

    /// The client asked for its work to be dropped while it ran.
    pub(super) fn interrupted() -> Self {
        Self::new(
            "Neo.TransientError.Transaction.Terminated",
            "the client reset the connection while the statement ran; its transaction was rolled \
             back",
        )
    }
}
