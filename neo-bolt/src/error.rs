//! What can go wrong between a caller and a server.

use std::fmt;

use crate::gql::GqlError;
use crate::packstream::{DecodeError, EncodeError};

/// Why a call of the driver failed. One pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    code: Option<String>,
    gql: Option<GqlError>,
    retryable: bool,
    attempts: u32,
    commit_outcome: CommitOutcome,
    lacks_receipt_constraint: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failure, by what a caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A URI or an option that can't be meant so.
    Configuration,
    /// Nobody answers, or the connection was lost.
    ServiceUnavailable,
    /// The member of the cluster can't serve the session any more.
    SessionExpired,
    /// The TLS handshake failed, or one side speaks TLS and the other does not.
    Tls,
    /// Whatever answers at the address does not speak Bolt.
    NotBolt,
    /// The server speaks no version of Bolt that this driver does.
    UnsupportedVersion,
    /// Whatever answers speaks Bolt and is not Neo4j.
    UnsupportedServer,
    /// The server refused the login.
    Authentication,
    /// The server refused the statement, with a code.
    Server,
    /// The peer broke the protocol.
    Protocol,
    /// A value is not what the caller's type takes.
    Decode,
    /// A parameter can't be sent.
    Encode,
    /// A call that does not fit the state, such as a result that is used twice.
    Usage,
    /// There was not exactly one record.
    NotSingle,
    /// The result was consumed before, and its records are gone.
    ResultConsumed,
    /// Another result of the transaction failed, and this one can't go on.
    ResultFailed,
    /// A function of the caller's failed, such as one that gives out logins or bookmarks.
    Callback,
    /// No connection became free in time.
    AcquisitionTimeout,
    /// The transaction is over.
    TransactionClosed,
}

/// What is known of a transaction's commit when an operation has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitOutcome {
    /// Nothing was committed.
    NotSent,
    /// It was committed; what failed came after, such as reading the answer.
    Committed,
    /// The connection was lost between COMMIT and its answer, of this attempt or of an earlier one:
    /// it may have taken effect.
    Unknown,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retryable = matches!(
            kind,
            ErrorKind::ServiceUnavailable | ErrorKind::SessionExpired
        );
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            code: None,
            gql: None,
            retryable,
            attempts: 1,
            commit_outcome: CommitOutcome::NotSent,
            lacks_receipt_constraint: false,
            source: None,
        }))
    }

    /// What a server's FAILURE says.
    pub(crate) fn server(code: &str, message: &str, gql: Option<GqlError>) -> Self {
        // These two were filed under transient errors by mistake; a retry would undo what
        // somebody did on purpose.
        let code = match code {
            "Neo.TransientError.Transaction.Terminated" => "Neo.ClientError.Transaction.Terminated",
            "Neo.TransientError.Transaction.LockClientStopped" => {
                "Neo.ClientError.Transaction.LockClientStopped"
            }
            code => code,
        };
        let kind = match code {
            "Neo.ClientError.Security.Unauthorized"
            | "Neo.ClientError.Security.AuthenticationRateLimit"
            | "Neo.ClientError.Security.CredentialsExpired"
            | "Neo.ClientError.Security.TokenExpired" => ErrorKind::Authentication,
            _ => ErrorKind::Server,
        };
        let mut error = Self::new(kind, message);
        error.0.retryable = code.starts_with("Neo.TransientError.")
            || matches!(
                code,
                "Neo.ClientError.Cluster.NotALeader"
                    | "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase"
                    | "Neo.ClientError.Security.AuthorizationExpired"
            );
        error.0.code = Some(code.to_owned());
        error.0.gql = Some(gql.unwrap_or_else(|| GqlError::unknown(message)));
        error
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says where it happened.
    pub(crate) fn at(mut self, place: &impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// Whether the server takes the login of none of its connections any more, so that all must
    /// log in anew.
    pub(crate) fn is_expired_login(&self) -> bool {
        self.code() == Some("Neo.ClientError.Security.AuthorizationExpired")
    }

    /// Whether it is about the login, so that whoever gives out logins should hear of it.
    pub(crate) fn is_security(&self) -> bool {
        self.code()
            .is_some_and(|code| code.starts_with("Neo.ClientError.Security."))
    }

    /// Another attempt may succeed: there is another login now.
    pub(crate) fn with_new_login(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_unknown_commit(mut self) -> Self {
        // Where this attempt was committed, what became of others does not matter.
        if self.0.commit_outcome != CommitOutcome::Committed {
            self.0.commit_outcome = CommitOutcome::Unknown;
        }
        self.0.retryable = false;
        self
    }

    /// Whether the connection was lost, or there was none.
    pub(crate) fn is_lost_connection(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::ServiceUnavailable | ErrorKind::SessionExpired | ErrorKind::Protocol
        )
    }

    /// A handshake that was cut off is a lost connection, if handshakes with the server have succeeded
    /// before: it was stopped just then. Otherwise it is likely that the scheme does not fit.
    pub(crate) fn lost_while_opening(mut self) -> Self {
        use std::io::ErrorKind as Io;
        let cut = self.0.source.as_ref().and_then(|source| {
            let error = source.downcast_ref::<std::io::Error>()?;
            let lost = [
                Io::UnexpectedEof,
                Io::ConnectionReset,
                Io::ConnectionAborted,
                Io::BrokenPipe,
            ];
            Some(lost.contains(&error.kind()))
        });
        if cut == Some(true) && matches!(self.0.kind, ErrorKind::NotBolt | ErrorKind::Tls) {
            self.0.kind = ErrorKind::ServiceUnavailable;
            self.0.retryable = true;
        }
        self
    }

    /// Whether a transaction that failed so is rolled back, and its slot can be used again. The slot is
    /// of an earlier epoch if the receipt was refused, which ends in an arithmetic error.
    pub(crate) fn leaves_slot(&self) -> bool {
        !self.is_lost_connection()
            && self.code() != Some("Neo.ClientError.Statement.ArithmeticError")
    }

    /// A claim has shown that nothing was committed: another attempt does no harm.
    pub(crate) fn not_committed(mut self) -> Self {
        self.0.commit_outcome = CommitOutcome::NotSent;
        self.0.retryable = true;
        self
    }

    /// A claim could not decide what became of the commit.
    pub(crate) fn undecided(mut self, claim: &Self) -> Self {
        let claim_says = claim.message();
        self.0.message = format!(
            "{}; asking for its receipt failed: {claim_says}",
            self.0.message
        );
        self.0.commit_outcome = CommitOutcome::Unknown;
        self.0.retryable = false;
        self.0.lacks_receipt_constraint |= claim.0.lacks_receipt_constraint;
        self
    }

    /// The outcome could have been decided if the database had the constraint for receipts.
    pub(crate) fn without_receipts(mut self) -> Self {
        self.0.lacks_receipt_constraint |= self.0.commit_outcome == CommitOutcome::Unknown;
        self
    }

    /// Whether the outcome of the commit is unknown because the database has no constraint for
    /// receipts, though the transaction was to be delivered exactly once.
    pub fn lacks_receipt_constraint(&self) -> bool {
        self.0.lacks_receipt_constraint
    }

    /// Says that the commit had taken effect when this happened.
    pub(crate) fn after_commit(mut self) -> Self {
        self.0.commit_outcome = CommitOutcome::Committed;
        self.0.retryable = false;
        self
    }

    /// The same failure again, for another caller who waits for it; the source stays with the
    /// first.
    pub(crate) fn again(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            code: self.0.code.clone(),
            gql: self.0.gql.clone(),
            retryable: self.0.retryable,
            attempts: self.0.attempts,
            commit_outcome: self.0.commit_outcome,
            lacks_receipt_constraint: self.0.lacks_receipt_constraint,
            source: None,
        }))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without the code.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's code, such as `Neo.ClientError.Statement.SyntaxError`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The GQL status of a failure that the server told, such as `42N62`; `50N42` where the
    /// server is older than Bolt 5.7 and sent none.
    pub fn gql_status(&self) -> Option<&str> {
        self.0.gql.as_ref().map(GqlError::gql_status)
    }

    /// All that the server said of its failure in the terms of the GQL standard.
    pub fn gql(&self) -> Option<&GqlError> {
        self.0.gql.as_ref()
    }

    /// Whether running the whole transaction again may succeed, and does not do anything twice:
    /// the rule of the official drivers. So it is not where the outcome of a commit is
    /// [unknown](CommitOutcome::Unknown).
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether another attempt may succeed, and does no harm.
    pub(crate) fn may_be_tried_again(&self, idempotent: bool) -> bool {
        let lost_commit = self.0.kind == ErrorKind::ServiceUnavailable
            && self.0.commit_outcome == CommitOutcome::Unknown;
        self.0.retryable || (idempotent && lost_commit)
    }

    /// How often the transaction was tried when this error was made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the transaction has been committed all the same, or may have been.
    pub fn commit_outcome(&self) -> CommitOutcome {
        self.0.commit_outcome
    }

    /// What did not decode, where that is the failure.
    pub fn decode_error(&self) -> Option<&DecodeError> {
        self.0.source.as_ref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(code) = &self.0.code {
            write!(f, " ({code})")?;
        }
        if self.0.attempts > 1 {
            write!(f, "; tried {} times", self.0.attempts)?;
        }
        match self.0.commit_outcome {
            CommitOutcome::NotSent => {}
            CommitOutcome::Committed => f.write_str("; the transaction is committed")?,
            CommitOutcome::Unknown => {
                f.write_str("; it is unknown whether the commit took effect")?;
                if self.0.lacks_receipt_constraint {
                    f.write_str(
                        ", because the database has no receipt constraint: create it once with \
                         `Driver::create_receipt_constraint` (neo-ogm: `Graph::apply_schema`)",
                    )?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref().map(|source| source as _);
        source.or_else(|| self.0.gql.as_ref()?.cause().map(|cause| cause as _))
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::new(ErrorKind::Decode, error.to_string()).with_source(error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::new(ErrorKind::Encode, error.to_string()).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again() {
        for (code, retryable) in [
            ("Neo.TransientError.Transaction.DeadlockDetected", true),
            ("Neo.TransientError.Transaction.Terminated", false),
            ("Neo.TransientError.Transaction.LockClientStopped", false),
            ("Neo.ClientError.Cluster.NotALeader", true),
            ("Neo.ClientError.Security.AuthorizationExpired", true),
            ("Neo.ClientError.Statement.SyntaxError", false),
            ("Neo.DatabaseError.General.UnknownError", false),
        ] {
            assert_eq!(
                Error::server(code, "", None).is_retryable(),
                retryable,
                "{code}"
            );
        }
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
