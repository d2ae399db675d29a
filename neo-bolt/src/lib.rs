//! An async [Bolt](https://neo4j.com/docs/bolt/current/) driver for Neo4j.
//!
//! ```no_run
//! use neo_bolt::{AuthToken, Driver, params};
//!
//! # async fn example() -> Result<(), neo_bolt::Error> {
//! let driver = Driver::new("neo4j://localhost:7687", AuthToken::basic("neo4j", "secret"))?;
//! let found = driver
//!     .execute_query("MATCH (p:Person {name: $name}) RETURN p.born", params! { "name" => "Ann" })
//!     .await?;
//! for record in &found.records {
//!     let (born,): (i64,) = record.decode()?;
//!     println!("{born}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Layers, top to bottom; each uses only what stands below it:
//!
//! | layer | modules |
//! |---|---|
//! | public API | `driver`, `session`, `transaction`, `result`, `record`, `summary` |
//! | exactly once | `receipt` |
//! | which member | `routing` |
//! | which connection | `pool` |
//! | socket and machine | `connection` |
//! | protocol, without I/O | `protocol` |
//! | bytes and values | [`packstream`], `convert` (types of others) |
//! | plain data | [`value`] |
//!
//! The driver tells what it does through [`tracing`], at the level DEBUG: a span for each
//! `execute_query` and each managed transaction, events for statements, commits, connections,
//! routing tables and retries. Statements are logged, so put what is secret into parameters: those,
//! logins and transaction metadata never get into the log.
//!
//! Leaves that all of them use: `error`, `config`, `auth`, `retry`, `bookmark`.

pub mod packstream;
#[cfg(feature = "server")]
pub mod server;
pub mod value;

#[cfg(all(feature = "server", any(test, feature = "fuzzing")))]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(feature = "arrow")]
mod arrow;
mod auth;
mod bookmark;
mod callback;
mod config;
mod connection;
mod convert;
mod driver;
mod error;
mod gql;
mod pool;
mod protocol;
mod receipt;
mod record;
mod resolver;
mod result;
mod retry;
mod routing;
mod session;
mod summary;
mod transaction;

#[cfg(feature = "arrow")]
pub use arrow_array;
pub use auth::{AuthManager, AuthManagers, AuthToken, ExpiringAuth};
pub use bookmark::{BookmarkManager, BookmarkManagerBuilder, Bookmarks};
pub use callback::{BoxError, BoxFuture};
pub use config::{
    AccessMode, FetchSize, NotificationConfig, NotificationMinimumSeverity, SessionConfig,
    TransactionConfig, TrustedCertificates,
};
pub use connection::{Address, AsyncStream, BoxedStream, Connector, ParseAddressError};
#[cfg(feature = "tls")]
pub use connection::{ClientCertificate, ClientCertificateProvider, RotatingClientCertificate};
pub use convert::{ConvertError, Serde};
pub use driver::{Driver, DriverBuilder, ExecuteQuery, Transform};
pub use error::{CommitOutcome, Error, ErrorKind};
pub use gql::{GqlError, GqlErrorClassification};
pub use pool::ConnectionPoolMetrics;
pub use protocol::Version;
pub use receipt::{RECEIPT_LABEL, ReceiptStatement};
pub use record::{Column, Record, Row};
pub use resolver::Resolver;
pub use result::{EagerResult, Graph, RecordStream, RecordsAs};
pub use retry::RetryPolicy;
pub use routing::RoutingTable;
pub use session::Session;
pub use summary::{
    GqlStatusObject, InputPosition, Notification, NotificationClassification, NotificationSeverity,
    Plan, ProfiledPlan, QueryType, ResultSummary, ServerInfo, SummaryCounters,
};
pub use transaction::{ManagedTransaction, Transaction};
