//! What a request can end in instead of its answer.

use std::sync::Arc;

use neo_bolt::{CommitOutcome, GqlError, GqlErrorClassification};
use serde_json::{Value as Json, json};

use crate::context::Context;
use crate::values;
use crate::wire::response;

#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The driver failed.
    Driver(Arc<neo_bolt::Error>),
    /// The test does what Rust's types or ownership rule out: a driver's error elsewhere, with
    /// the class that it has there.
    RuledOut(&'static str, String),
    /// The test's own code failed.
    Frontend(String),
    /// The backend can't do what is asked.
    Backend(String),
}

impl From<neo_bolt::Error> for Failure {
    fn from(error: neo_bolt::Error) -> Self {
        Self::Driver(Arc::new(error))
    }
}

impl Failure {
    pub(crate) fn into_response(self, context: &Context) -> Json {
        match self {
            Self::Driver(error) => {
                let id = context.next_id();
                let data = driver_error(&id, &error);
                context.errors.put(&id, Self::Driver(error));
                response("DriverError", data)
            }
            Self::RuledOut(class, ref why) => {
                let id = context.next_id();
                let data = json!({
                    "id": id, "errorType": format!("<class '{class}'>"),
                    "msg": why, "retryable": false,
                });
                context.errors.put(&id, self);
                response("DriverError", data)
            }
            Self::Frontend(message) => response("FrontendError", json!({ "msg": message })),
            Self::Backend(message) => response("BackendError", json!({ "msg": message })),
        }
    }
}

/// The class that the Python driver has for such an error: TestKit knows the errors of the
/// official drivers only, by the names that these give them.
fn class(error: &neo_bolt::Error) -> String {
    use neo_bolt::ErrorKind as K;
    let name = match (error.kind(), error.code()) {
        (_, Some(code)) => return format!("<class 'neo4j.exceptions.{}'>", server_class(code)),
        (K::ServiceUnavailable, _) if error.commit_outcome() == CommitOutcome::Unknown => {
            "IncompleteCommit"
        }
        (K::Configuration, _) => "ConfigurationError",
        (K::SessionExpired, _) => "SessionExpired",
        (K::AcquisitionTimeout, _) => "ClientError",
        (K::UnsupportedServer, _) => "UnsupportedServerProduct",
        (K::ResultFailed, _) => "ResultFailedError",
        (K::NotSingle, _) => "ResultNotSingleError",
        (K::ResultConsumed, _) => "ResultConsumedError",
        (K::TransactionClosed, _) => "TransactionError",
        (K::Protocol, _) => return "<class 'neo4j._exceptions.BoltProtocolError'>".to_owned(),
        (K::Decode, _) => "BrokenRecordError",
        (K::ServiceUnavailable | K::Tls | K::NotBolt | K::UnsupportedVersion, _) => {
            "ServiceUnavailable"
        }
        _ => "DriverError",
    };
    format!("<class 'neo4j.exceptions.{name}'>")
}

fn server_class(code: &str) -> &'static str {
    match code {
        "Neo.ClientError.Security.AuthorizationExpired" => "TransientError",
        "Neo.ClientError.Security.TokenExpired" => "TokenExpired",
        "Neo.ClientError.Security.Unauthorized"
        | "Neo.ClientError.Security.AuthenticationRateLimit"
        | "Neo.ClientError.Security.CredentialsExpired" => "AuthError",
        "Neo.ClientError.Security.Forbidden" => "Forbidden",
        "Neo.ClientError.Statement.SyntaxError" => "CypherSyntaxError",
        "Neo.ClientError.Cluster.NotALeader" => "NotALeader",
        "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase" => "ForbiddenOnReadOnlyDatabase",
        "Neo.TransientError.General.DatabaseUnavailable" => "DatabaseUnavailable",
        _ if code.starts_with("Neo.ClientError.") => "ClientError",
        _ if code.starts_with("Neo.TransientError.") => "TransientError",
        _ => "DatabaseError",
    }
}

fn driver_error(id: &str, error: &neo_bolt::Error) -> Json {
    let mut data = json!({
        "id": id,
        "errorType": class(error),
        "msg": message(error),
        "retryable": error.is_retryable(),
    });
    if let (Some(code), Json::Object(data)) = (error.code(), &mut data) {
        data.insert("code".to_owned(), code.into());
    }
    if let (Some(gql), Json::Object(data)) = (error.gql(), &mut data) {
        data.extend(gql_fields(gql));
    }
    data
}

/// What failed a result of a transaction that failed is told, too.
fn message(error: &neo_bolt::Error) -> String {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<neo_bolt::Error>());
    match source {
        Some(cause) if error.kind() == neo_bolt::ErrorKind::ResultFailed => {
            format!("{}\nCaused by: {}", error.message(), class(cause))
        }
        _ if error.message().contains("login of its own") => {
            // TestKit looks for these words.
            let (_, version) = error.message().split_once("Bolt ").unwrap_or_default();
            let version: String = version.chars().take(3).collect();
            let version = version.replace('.', ", ");
            format!(
                "User switching is not supported for Bolt Protocol Version({version}): {}",
                error.message()
            )
        }
        _ => error.message().to_owned(),
    }
}

fn gql_fields(gql: &GqlError) -> serde_json::Map<String, Json> {
    let classification = match gql.classification() {
        GqlErrorClassification::ClientError => "CLIENT_ERROR",
        GqlErrorClassification::DatabaseError => "DATABASE_ERROR",
        GqlErrorClassification::TransientError => "TRANSIENT_ERROR",
        _ => "UNKNOWN",
    };
    let mut fields = serde_json::Map::new();
    fields.insert("gqlStatus".to_owned(), gql.gql_status().into());
    fields.insert(
        "statusDescription".to_owned(),
        gql.status_description().into(),
    );
    fields.insert("classification".to_owned(), classification.into());
    fields.insert(
        "rawClassification".to_owned(),
        gql.raw_classification().into(),
    );
    let record = gql.diagnostic_record().iter();
    let record: serde_json::Map<_, _> = record
        .map(|(key, value)| (key.clone(), values::to_json(value)))
        .collect();
    fields.insert("diagnosticRecord".to_owned(), record.into());
    if let Some(cause) = gql.cause() {
        let mut data = gql_fields(cause);
        data.insert("msg".to_owned(), cause.message().into());
        fields.insert("cause".to_owned(), response("GqlError", data.into()));
    }
    fields
}
