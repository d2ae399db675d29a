//! GQL status: what servers from Bolt 5.5 on say of results, and from 5.7 on of failures, in the
//! terms of the GQL standard (ISO/IEC 39075).

use std::fmt;

use crate::value::{Map, Value};

/// The status of failures that came without one.
const UNKNOWN_ERROR: &str = "50N42";
const UNKNOWN_ERROR_DESCRIPTION: &str = "error: general processing exception - unexpected error";

/// What every diagnostic record has, where the server left it out.
pub(crate) fn default_diagnostic_record() -> Map {
    crate::params! { "OPERATION" => "", "OPERATION_CODE" => "0", "CURRENT_SCHEMA" => "/" }
}

/// What a server says of a failure in the terms of the GQL standard, and of the failures that led
/// to it ([`source`](std::error::Error::source)).
///
/// Servers before Bolt 5.7 send none of this; what they send is put in its form then, with the
/// status `50N42`.
#[derive(Clone, PartialEq)]
pub struct GqlError {
    status: String,
    message: String,
    description: String,
    diagnostic_record: Map,
    cause: Option<Box<GqlError>>,
}

/// Who has to do something about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GqlErrorClassification {
    /// The client's request was wrong.
    ClientError,
    /// The server failed.
    DatabaseError,
    /// Nobody: another attempt may succeed.
    TransientError,
    /// The server did not say, or said something that this version of the driver does not know.
    Unknown,
}

impl GqlError {
    /// What a server said that knows nothing of GQL.
    pub(crate) fn unknown(message: &str) -> Self {
        Self {
            status: UNKNOWN_ERROR.to_owned(),
            message: message.to_owned(),
            description: format!("{UNKNOWN_ERROR_DESCRIPTION}. {message}"),
            diagnostic_record: default_diagnostic_record(),
            cause: None,
        }
    }

    /// Reads a FAILURE of Bolt 5.7 or later, or one of its causes.
    pub(crate) fn from_metadata(metadata: &mut Map) -> Self {
        let mut text = |key: &str| match metadata.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (status, description) = (text("gql_status"), text("description"));
        let message = text("message");
        let (status, message, description) = match (status, message, description) {
            (Some(status), Some(message), Some(description)) => (status, message, description),
            _ => (
                UNKNOWN_ERROR.to_owned(),
                format!(
                    "{UNKNOWN_ERROR}: Unexpected error has occurred. See debug log for details."
                ),
                UNKNOWN_ERROR_DESCRIPTION.to_owned(),
            ),
        };
        let diagnostic_record = match metadata.remove("diagnostic_record") {
            Some(Value::Map(record)) => with_defaults(record),
            _ => default_diagnostic_record(),
        };
        let cause = match metadata.remove("cause") {
            // No deeper than a message may be nested.
            Some(Value::Map(mut cause)) => Some(Box::new(Self::from_metadata(&mut cause))),
            _ => None,
        };
        Self {
            status,
            message,
            description,
            diagnostic_record,
            cause,
        }
    }

    /// The status code, five characters such as `42N62`.
    pub fn gql_status(&self) -> &str {
        &self.status
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the status code stands for.
    pub fn status_description(&self) -> &str {
        &self.description
    }

    /// Who has to do something about it.
    pub fn classification(&self) -> GqlErrorClassification {
        match self.raw_classification() {
            Some("CLIENT_ERROR") => GqlErrorClassification::ClientError,
            Some("DATABASE_ERROR") => GqlErrorClassification::DatabaseError,
            Some("TRANSIENT_ERROR") => GqlErrorClassification::TransientError,
            _ => GqlErrorClassification::Unknown,
        }
    }

    /// The classification as the server wrote it.
    pub fn raw_classification(&self) -> Option<&str> {
        match self.diagnostic_record.get("_classification") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Everything else that the server said of it.
    pub fn diagnostic_record(&self) -> &Map {
        &self.diagnostic_record
    }

    /// The failure that led to it.
    pub fn cause(&self) -> Option<&GqlError> {
        self.cause.as_deref()
    }
}

/// A server leaves out what is as always.
pub(crate) fn with_defaults(record: Map) -> Map {
    let mut whole = default_diagnostic_record();
    whole.extend(record);
    whole
}

impl fmt::Display for GqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl fmt::Debug for GqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GqlError")
            .field("gql_status", &self.status)
            .field("message", &self.message)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for GqlError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_form_a_chain_and_gaps_are_filled() {
        let mut metadata = crate::params! {
            "gql_status" => "42N62", "message" => "m", "description" => "d",
            "diagnostic_record" => crate::params! { "_classification" => "CLIENT_ERROR", "OPERATION" => "x" },
            "cause" => crate::params! { "message" => "alone" },
        };
        let error = GqlError::from_metadata(&mut metadata);
        assert_eq!(error.classification(), GqlErrorClassification::ClientError);
        let record = error.diagnostic_record();
        assert_eq!(record.get("OPERATION"), Some(&Value::from("x")));
        assert_eq!(record.get("CURRENT_SCHEMA"), Some(&Value::from("/")));
        let cause = error.cause().unwrap();
        assert_eq!(cause.gql_status(), "50N42");
        assert_eq!(cause.diagnostic_record(), &default_diagnostic_record());
        assert_eq!(cause.classification(), GqlErrorClassification::Unknown);
    }
}
