//! What can be wrong with bytes that are read, or values that are written.

use std::fmt;

/// A value did not decode: its bytes are broken, or it is of another type than was asked for.
///
/// It is one pointer wide, and remembers the way from the outermost value to the one at fault.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeError(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    kind: DecodeErrorKind,
    /// Innermost first.
    path: Vec<String>,
}

/// What was wrong with a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The value is of another type than the caller asked for.
    #[error("expected {expected}, found {found}")]
    UnexpectedType {
        /// What the caller's type takes.
        expected: &'static str,
        /// What the value is.
        found: String,
    },
    /// The value is of the right type and outside the range of the caller's.
    #[error("{found} does not fit {expected}")]
    OutOfRange {
        /// What the caller's type takes.
        expected: &'static str,
        /// The value.
        found: String,
    },
    /// A node has other labels than the caller's type takes.
    #[error(
        "expected a node with the label {}, found one with {}",
        labels(expected, " or "),
        labels(found, "")
    )]
    UnexpectedLabels {
        /// Labels of which the node should have one.
        expected: Vec<String>,
        /// Labels that the node has.
        found: Vec<String>,
    },
    /// A field that the caller's type needs is not there.
    #[error("it is missing")]
    Missing,
    /// The bytes end before the value does.
    #[error("the message ends in the middle of a value")]
    Truncated,
    /// A byte that opens no value.
    #[error("0x{0:02X} opens no PackStream value")]
    UnknownMarker(u8),
    /// Text that is not UTF-8.
    #[error("the text is not UTF-8")]
    InvalidUtf8,
    /// More levels of lists, maps and structures than a reader should follow.
    #[error("the value is nested more than {0} levels deep")]
    TooDeep(usize),
    /// A structure that has not the fields that its tag calls for, or has impossible ones.
    #[error("{0}")]
    Malformed(String),
    /// The caller's own reading failed.
    #[error("{0}")]
    Custom(String),
}

/// Writes `:A or :B`.
fn labels(labels: &[String], between: &str) -> String {
    if labels.is_empty() {
        return "no label".to_owned();
    }
    let labels: Vec<_> = labels.iter().map(|label| format!(":{label}")).collect();
    labels.join(between)
}

impl DecodeError {
    /// An error of a kind, at no particular place yet.
    pub fn new(kind: DecodeErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            path: Vec::new(),
        }))
    }

    /// The value was of another type.
    pub fn unexpected(expected: &'static str, found: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::UnexpectedType {
            expected,
            found: found.into(),
        })
    }

    /// The value did not fit.
    pub fn out_of_range(expected: &'static str, found: impl fmt::Display) -> Self {
        Self::new(DecodeErrorKind::OutOfRange {
            expected,
            found: found.to_string(),
        })
    }

    /// An error of the caller's own.
    pub fn custom(message: impl fmt::Display) -> Self {
        Self::new(DecodeErrorKind::Custom(message.to_string()))
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::Malformed(message.into()))
    }

    /// Says in which field, column or position the value stood; called on the way out.
    #[must_use]
    pub fn within(mut self, place: impl Into<String>) -> Self {
        self.0.path.push(place.into());
        self
    }

    /// What was wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// The places that lead to the value as one text: `a.b[2].c`; empty where there are none.
    pub fn place(&self) -> String {
        let mut text = String::new();
        for place in self.path() {
            if !text.is_empty() && !place.starts_with('[') {
                text.push('.');
            }
            text.push_str(place);
        }
        text
    }

    /// The places that lead to the value, outermost first.
    pub fn path(&self) -> impl Iterator<Item = &str> {
        self.0.path.iter().rev().map(String::as_str)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "{}: ", self.place())?;
        }
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for DecodeError {}

/// A value can't be written in the dialect that the connection speaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An integer beyond 64 signed bits.
    #[error("{0} does not fit Cypher's 64-bit signed INTEGER")]
    IntegerOutOfRange(String),
    /// Text, bytes, a list or a map of more than 4,294,967,295 parts.
    #[error("{0} parts are more than PackStream can count")]
    TooLong(usize),
    /// The value's type came with a later version of Bolt than the server speaks.
    #[error("{0}, and this server speaks an older version of Bolt")]
    Unsupported(&'static str),
    /// Nodes, relationships and paths are read, never sent.
    #[error("a {0} can't be sent as a parameter; send its properties or its element id")]
    NotAParameter(&'static str),
    /// Parameters must be a map.
    #[error("parameters must be a map with text keys, not {0}")]
    NotAMap(&'static str),
    /// The caller's own writing failed.
    #[error("{0}")]
    Custom(String),
}
