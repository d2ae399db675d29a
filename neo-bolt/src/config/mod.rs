//! Options, by their official names.

mod notifications;

pub use notifications::{NotificationConfig, NotificationMinimumSeverity};

use std::sync::Arc;
use std::time::Duration;

use crate::auth::AuthToken;
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::retry::RetryPolicy;
use crate::value::{Map, Value};

/// Whose certificates a TLS connection of `+s` takes.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum TrustedCertificates {
    /// Those that the operating system trusts.
    #[default]
    System,
    /// Those of these authorities only, in PEM form.
    Custom(Arc<[u8]>),
    /// Any: the connection is encrypted, and the peer may be anybody.
    Any,
}

/// Whether a transaction reads or writes; a cluster serves reads from any member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AccessMode {
    /// It only reads.
    Read,
    /// It may write.
    #[default]
    Write,
}

/// How many records are asked for at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FetchSize {
    /// All at once: what is not read yet is kept in memory.
    All,
    /// So many, and at least one.
    Records(u32),
}

impl FetchSize {
    /// What sessions take where nothing is said.
    pub(crate) const DEFAULT: Self = Self::Records(1000);

    /// As requests name it.
    pub(crate) fn count(self) -> i64 {
        match self {
            Self::All => -1,
            Self::Records(records) => records.max(1).into(),
        }
    }
}

impl From<u32> for FetchSize {
    fn from(records: u32) -> Self {
        Self::Records(records)
    }
}

/// The options of a driver.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) max_connection_pool_size: usize,
    pub(crate) connection_acquisition_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    pub(crate) max_connection_lifetime: Duration,
    pub(crate) liveness_check_timeout: Option<Duration>,
    pub(crate) retry_policy: RetryPolicy,
    /// Where nothing is said, sessions take batches and `execute_query` takes all at once.
    pub(crate) fetch_size: Option<FetchSize>,
    pub(crate) user_agent: Arc<str>,
    pub(crate) trusted_certificates: TrustedCertificates,
    pub(crate) notifications: NotificationConfig,
    pub(crate) telemetry: bool,
    pub(crate) keep_alive: bool,
    pub(crate) manifest: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connection_pool_size: 100,
            connection_acquisition_timeout: Duration::from_secs(60),
            connection_timeout: Duration::from_secs(30),
            max_connection_lifetime: Duration::from_secs(3600),
            liveness_check_timeout: None,
            retry_policy: RetryPolicy::default(),
            fetch_size: None,
            user_agent: concat!("neo-bolt/", env!("CARGO_PKG_VERSION")).into(),
            trusted_certificates: TrustedCertificates::System,
            notifications: NotificationConfig::default(),
            telemetry: true,
            keep_alive: true,
            manifest: true,
        }
    }
}

/// The options of a session.
#[derive(Debug, Clone, Default)]
#[must_use = "it does nothing until a session is made with it"]
pub struct SessionConfig {
    pub(crate) database: Option<Arc<str>>,
    pub(crate) access_mode: AccessMode,
    pub(crate) bookmarks: Bookmarks,
    pub(crate) bookmark_manager: Option<BookmarkManager>,
    pub(crate) fetch_size: Option<FetchSize>,
    pub(crate) impersonated_user: Option<Arc<str>>,
    pub(crate) auth: Option<AuthToken>,
    pub(crate) notifications: NotificationConfig,
    pub(crate) pipelined_begin: bool,
    pub(crate) exactly_once: bool,
}

impl SessionConfig {
    /// The database; without it, the user's home database.
    pub fn database(mut self, name: impl Into<Arc<str>>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// Whether auto-commit and explicit transactions read or write; they write unless told.
    pub fn default_access_mode(mut self, mode: AccessMode) -> Self {
        self.access_mode = mode;
        self
    }

    /// What the first transaction must have seen.
    pub fn bookmarks(mut self, bookmarks: Bookmarks) -> Self {
        self.bookmarks = bookmarks;
        self
    }

    /// Shares bookmarks with everything that uses the same manager.
    pub fn bookmark_manager(mut self, manager: BookmarkManager) -> Self {
        self.bookmark_manager = Some(manager);
        self
    }

    /// How many records are asked for at a time; the driver's own setting unless told.
    pub fn fetch_size(mut self, size: impl Into<FetchSize>) -> Self {
        self.fetch_size = Some(size.into());
        self
    }

    /// Runs with the rights of another user (Bolt 4.4 and later).
    pub fn impersonated_user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.impersonated_user = Some(user.into());
        self
    }

    /// Another login than the driver's (Bolt 5.1 and later): pooled connections are logged in
    /// anew when they go from one login to another, which costs no round trip.
    pub fn auth(mut self, auth: AuthToken) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Which notifications the server sends; the driver's own setting where nothing is said.
    pub fn notifications(mut self, notifications: NotificationConfig) -> Self {
        self.notifications = notifications;
        self
    }

    /// Sends BEGIN together with a transaction's first statement: one round trip less. What is
    /// wrong with the connection shows at that statement then, and the work of a managed
    /// transaction begins before it is known that there is a server. Off unless told, as in the
    /// official drivers.
    pub fn pipelined_begin(mut self, pipelined: bool) -> Self {
        self.pipelined_begin = pipelined;
        self
    }

    /// Commits a receipt with each managed and explicit transaction that writes, so that a lost
    /// commit is decided instead of reported as unknown; see
    /// [`TransactionConfig::exactly_once`]. Default: off.
    pub fn exactly_once(mut self, exactly_once: bool) -> Self {
        self.exactly_once = exactly_once;
        self
    }
}

/// The options of one transaction.
#[derive(Debug, Clone, Default)]
#[must_use = "it does nothing until a transaction is begun with it"]
pub struct TransactionConfig {
    pub(crate) timeout: Option<Duration>,
    pub(crate) metadata: Map,
    pub(crate) idempotent: bool,
    pub(crate) exactly_once: Option<bool>,
}

impl TransactionConfig {
    /// Says that the work of a managed transaction leaves the same behind however often it is
    /// done. Then it is also tried again where the connection was lost between COMMIT and its
    /// answer; otherwise that is an error with
    /// [`CommitOutcome::Unknown`](crate::CommitOutcome::Unknown).
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Commits a receipt together with the work, if the transaction writes.
    ///
    /// If the connection is lost between COMMIT and its answer, the receipt decides: a managed
    /// transaction that was committed returns the value of that attempt, one that was not committed
    /// runs again, and an explicit transaction knows which of the two its commit was. So the work
    /// takes effect exactly once, even if other clients write to the same data in between. The
    /// receipt leaves with COMMIT and costs no round trip.
    ///
    /// This takes the constraint that
    /// [`Driver::create_receipt_constraint`](crate::Driver::create_receipt_constraint) creates.
    /// Without it, or if the transaction changes the schema, the outcome of a lost commit is
    /// [`CommitOutcome::Unknown`](crate::CommitOutcome::Unknown).
    ///
    /// Default: the setting of the session.
    pub fn exactly_once(mut self, exactly_once: bool) -> Self {
        self.exactly_once = Some(exactly_once);
        self
    }

    /// After how long the server ends the transaction; rounded up to milliseconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What the server's query log and `SHOW TRANSACTIONS` show of it.
    pub fn metadata(mut self, metadata: impl IntoIterator<Item = (String, Value)>) -> Self {
        self.metadata = metadata.into_iter().collect();
        self
    }
}
