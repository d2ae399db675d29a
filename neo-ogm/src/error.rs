//! What can go wrong, said so that the reader knows what happened, to what, and what to do.

use std::fmt;

use neo_bolt::CommitOutcome;
use neo_bolt::packstream::{DecodeError, DecodeErrorKind, EncodeError};
use neo_bolt::value::OutOfRange;

use crate::mapping::{KeyOf, Violation};
use crate::schema::SchemaReport;

/// Why an operation failed. One pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// What is known of commits besides what an error of the driver's says of its own.
    commit_outcome: CommitOutcome,
}

/// The kinds of failure, with what is known of each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The driver or the database: connection, authentication, a statement that was refused.
    #[error("{0}")]
    Driver(neo_bolt::Error),
    /// A node that the operation needs is not in the database.
    #[error("no node {key} in the database: {operation} needs it; save it first")]
    NodeNotFound {
        /// The node looked for.
        key: KeyOf,
        /// What was to be done.
        operation: &'static str,
    },
    /// No node answers a question that must have an answer.
    #[error("no {label} answers the question `{question}`; use `one` where there may be none")]
    NothingFound {
        /// The label that was asked for.
        label: &'static str,
        /// The question's Cypher, without its values.
        question: String,
    },
    /// A cursor can't be used: it is none, it is another question's, or the order has no places.
    #[error("the page can't be found by its cursor: {reason}")]
    BadCursor {
        /// What is wrong, and what to do.
        reason: &'static str,
    },
    /// A search was to begin at nodes that another question leads to.
    #[error(
        "a search begins at its index, so it can't follow a relationship or another search; \
         begin with `find().search(…)`, and filter or follow from there"
    )]
    NotASearch,
    /// A search needs an index that the model does not have.
    #[error(
        "`{node}` has no {kind} index over {properties}; say so in its `#[node(…)]` and call \
         `apply_schema`"
    )]
    NoIndex {
        /// The node struct.
        node: &'static str,
        /// What kind of index.
        kind: &'static str,
        /// The properties that were to be searched.
        properties: String,
    },
    /// An insert met a node that was there before.
    #[error("a node {key} is in the database already; use `save` to update it")]
    AlreadyExists {
        /// The key that both have.
        key: KeyOf,
    },
    /// A node or a relationship that breaks its own rules; nothing was sent.
    #[error("{node} is not valid: {}", joined(violations))]
    Invalid {
        /// The node, or the relationship struct.
        node: String,
        /// All rules that it breaks.
        violations: Vec<Violation>,
    },
    /// A node was written, or deleted, by somebody else since the struct was read; nothing was
    /// written.
    #[error(
        "{node} was changed by somebody else: it was read as version {}, and the database has {}; \
         read it again and repeat the change",
        version(*expected, "none (never saved)"),
        version(*found, "none (it was deleted)")
    )]
    VersionConflict {
        /// The node.
        node: KeyOf,
        /// The version that the struct has; `None` where it was neither saved nor found.
        expected: Option<i64>,
        /// The version that the database has; `None` where the node is gone.
        found: Option<i64>,
    },
    /// A relationship too many, or one too few.
    #[error("{node}: `{field}` is {cardinality}, and {reason}")]
    Cardinality {
        /// The node whose relationship is bounded.
        node: KeyOf,
        /// The relationship field.
        field: &'static str,
        /// The bound, as the field's type is called.
        cardinality: &'static str,
        /// What stood against it, and what to do.
        reason: &'static str,
    },
    /// A relationship that is to be moved, changed or taken along is not there.
    #[error("{node}: `{field}` does not lead to {other}; connect them first")]
    NotConnected {
        /// The node that the relationship field belongs to.
        node: KeyOf,
        /// The relationship field.
        field: &'static str,
        /// The node that it was to lead to.
        other: KeyOf,
    },
    /// A node, or a relationship, stands twice in what is to be saved, with different values.
    #[error(
        "{what} stands twice in what is to be saved, with different values; make them equal, or \
         say `nearest_wins()`"
    )]
    Conflicting {
        /// The node, or the relationship.
        what: String,
    },
    /// A node that was to be deleted only without relationships.
    #[error("{node} has relationships; end them first, or leave `restrict` out")]
    HasRelationships {
        /// The node.
        node: KeyOf,
    },
    /// Two things that do not go together.
    #[error("{operation}: {reason}")]
    NotSupported {
        /// What was to be done.
        operation: &'static str,
        /// Why it can't be, and what to do instead.
        reason: &'static str,
    },
    /// An update that was to change what identifies.
    #[error(
        "`{field}` is part of the key, which stays as it is; delete what has the old key and save \
         it with the new one"
    )]
    KeyAssigned {
        /// The field.
        field: &'static str,
    },
    /// One of many rows stood in the way; none of its batch was written.
    #[error("row {index}: {error}")]
    Row {
        /// Which of the nodes or pairs, in the order in which they were given, from 0.
        index: usize,
        /// What was wrong with it.
        error: Error,
    },
    /// The relationship was not loaded with its node.
    #[error(
        "`{field}` is not loaded; add `.load(…)` to the query that finds the node, or use \
         `.fetch()`"
    )]
    NotLoaded {
        /// The relationship field.
        field: &'static str,
    },
    /// The node was neither saved nor found, so no database is known for it.
    #[error(
        "{field} belongs to a node that was neither saved nor found, so it is not known which one; \
         save the node first"
    )]
    NotSaved {
        /// The relationship field, where it is known.
        field: &'static str,
    },
    /// More nodes than the one that was asked for.
    #[error(
        "more than one {label} matches; use `first` for any of them or `all` for every one, or \
         call `apply_schema` so that keys are unique"
    )]
    NotUnique {
        /// The label that was asked for.
        label: &'static str,
    },
    /// A statement of the caller's own gave more or fewer rows than were asked for.
    #[error("expected {expected}, and the statement gave {found}")]
    Rows {
        /// What was asked for.
        expected: &'static str,
        /// How many there were.
        found: usize,
    },
    /// What the database has does not fit the struct.
    #[error("{what}{error}")]
    Decode {
        /// What was read, with a colon behind it; empty where the error itself begins with it.
        what: String,
        /// Which field, what was expected and what was found.
        error: DecodeError,
    },
    /// A node has other labels than the struct, or the variants of the enum, that it was read as.
    #[error(
        "{what}expected a node with the label {}, found one with {}",
        shown(expected, " or "),
        shown(found, "")
    )]
    UnexpectedLabels {
        /// Where the node stood, with a colon behind it; empty where nothing is known of that.
        what: String,
        /// Labels of which the node should have one.
        expected: Vec<String>,
        /// Labels that the node has.
        found: Vec<String>,
    },
    /// A value can't be sent.
    #[error("{0}")]
    Encode(EncodeError),
    /// A schema could not be applied as a whole: something can't be had on this database, or
    /// something else has its name or place.
    #[error(
        "the schema is not as the model has it; `skip_unsupported` goes on without what the \
         database can't have, `replace_changed` makes anew what is different\n{0}"
    )]
    Schema(SchemaReport),
    /// An index was not filled in time, or can't be filled at all.
    #[error("the {index} is {state}; wait longer, or see `SHOW INDEXES` for why")]
    IndexNotOnline {
        /// The index.
        index: String,
        /// How far it is, in the database's word.
        state: String,
    },
    /// An operation on a graph handle inside a unit of work on the same database, where it would not
    /// be part of the transaction and could wait for the transaction's own locks. Nothing was sent.
    #[error(
        "a graph handle can't be used inside a transaction of the same graph, which the operation \
         would not be part of; pass `&tx`, or `.on(&tx)` to an operation on a relationship field of \
         a node from outside, or use `graph.detached()` for a separate transaction that is committed \
         even if this one rolls back"
    )]
    GraphInTransaction,
    /// The embedded engine could not be opened or served.
    #[error("{0}")]
    Embedded(String),
    /// The caller's own error, by which a transaction was rolled back.
    #[error("{0}")]
    Aborted(Box<dyn std::error::Error + Send + Sync>),
}

fn joined(violations: &[Violation]) -> String {
    let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
    violations.join("; ")
}

fn version(version: Option<i64>, none: &str) -> String {
    version.map_or_else(|| none.to_owned(), |version| version.to_string())
}

/// Writes `:A or :B`.
fn shown(labels: &[String], between: &str) -> String {
    if labels.is_empty() {
        return "no label".to_owned();
    }
    let labels: Vec<_> = labels.iter().map(|label| format!(":{label}")).collect();
    labels.join(between)
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            commit_outcome: CommitOutcome::NotSent,
        }))
    }

    pub(crate) fn decode(what: &str, error: DecodeError) -> Self {
        let what = if what.is_empty() {
            String::new()
        } else {
            format!("{what}: ")
        };
        if let DecodeErrorKind::UnexpectedLabels { expected, found } = error.kind() {
            let (expected, found) = (expected.clone(), found.clone());
            let place = error.place();
            let place = if place.is_empty() {
                place
            } else {
                place + ": "
            };
            return Self::new(ErrorKind::UnexpectedLabels {
                what: what + &place,
                expected,
                found,
            });
        }
        Self::new(ErrorKind::Decode { what, error })
    }

    /// Wraps an error of the caller's own, so that `?` in a transaction rolls it back:
    /// `read_file().map_err(Error::abort)?`.
    pub fn abort(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Aborted(error.into()))
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The driver's error, where it is one.
    pub fn driver_error(&self) -> Option<&neo_bolt::Error> {
        match self.kind() {
            ErrorKind::Driver(error) => Some(error),
            ErrorKind::Row { error, .. } => error.driver_error(),
            _ => None,
        }
    }

    /// The server's error code, such as `Neo.ClientError.Schema.ConstraintValidationFailed`.
    pub fn code(&self) -> Option<&str> {
        self.driver_error().and_then(neo_bolt::Error::code)
    }

    /// Whether a constraint of the database stood against it, such as a `unique` field whose value
    /// another node has; [`code`](Self::code) and the text say which.
    ///
    /// ```
    /// use neo_ogm::prelude::*;
    ///
    /// #[derive(Node)]
    /// struct User {
    ///     #[node(key)]
    ///     email: String,
    ///     #[node(unique)]
    ///     handle: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// graph.apply_schema::<User>().await?;
    /// User::new("ann@example.com", "ann").save(&graph).await?;
    /// match User::new("anna@example.com", "ann").save(&graph).await {
    ///     Err(error) if error.is_constraint_violation() => println!("that handle is taken"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_constraint_violation(&self) -> bool {
        self.code() == Some("Neo.ClientError.Schema.ConstraintValidationFailed")
    }

    /// How often the operation was tried; 1 where it was not tried again.
    pub fn attempts(&self) -> u32 {
        self.driver_error().map_or(1, neo_bolt::Error::attempts)
    }

    /// Whether the operation has taken effect all the same, or may have: the answer to its COMMIT was
    /// lost, of the attempt that ended so or of an earlier one, or what failed came after its
    /// transaction was committed, such as a hook or reading what came back.
    pub fn commit_outcome(&self) -> CommitOutcome {
        match (self.0.commit_outcome, self.kind()) {
            (CommitOutcome::NotSent, ErrorKind::Driver(error)) => error.commit_outcome(),
            (CommitOutcome::NotSent, ErrorKind::Row { error, .. }) => error.commit_outcome(),
            (outcome, _) => outcome,
        }
    }

    /// Says what is known of the commits of the operation that ended so, where that is more than the
    /// error says by itself.
    pub(crate) fn with_commit_outcome(mut self, outcome: CommitOutcome) -> Self {
        if self.commit_outcome() == CommitOutcome::NotSent {
            self.0.commit_outcome = outcome;
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.kind.fmt(f)?;
        f.write_str(match self.0.commit_outcome {
            CommitOutcome::NotSent => "",
            CommitOutcome::Committed => "; what was written before is committed",
            CommitOutcome::Unknown => {
                "; the answer to an earlier commit was lost, so it is unknown whether that took effect"
            }
        })
    }
}

impl fmt::Debug for Error {
    /// As the text: what `main` prints of an error that it returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            ErrorKind::Driver(error) => error.source(),
            ErrorKind::Decode { error, .. } => Some(error),
            ErrorKind::Encode(error) => Some(error),
            ErrorKind::Aborted(error) => Some(error.as_ref()),
            ErrorKind::Row { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<neo_bolt::Error> for Error {
    fn from(error: neo_bolt::Error) -> Self {
        Self::new(ErrorKind::Driver(error))
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::new(ErrorKind::Encode(error))
    }
}

impl From<OutOfRange> for Error {
    /// So that `?` takes `Date::from_ymd(…)` and its like.
    fn from(error: OutOfRange) -> Self {
        Self::abort(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_travel_between_tasks_and_are_one_pointer_wide() {
        fn travels<T: Send + Sync + 'static>() {}
        travels::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn an_error_of_ones_own_is_kept() {
        let error = Error::abort(std::io::Error::other("disk full"));
        assert_eq!(error.to_string(), "disk full");
        let source = std::error::Error::source(&error).and_then(|e| e.downcast_ref());
        assert_eq!(
            source.map(std::io::Error::kind),
            Some(std::io::ErrorKind::Other)
        );
        assert_eq!((error.attempts(), error.code()), (1, None));
    }
}
