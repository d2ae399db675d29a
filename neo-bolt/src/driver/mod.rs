//! The driver: one for each server or cluster that a program talks to.

mod builder;
mod execute_query;
mod transform;

pub use builder::DriverBuilder;
pub use execute_query::ExecuteQuery;
pub use transform::Transform;

use std::fmt;
use std::sync::Arc;

use crate::auth::AuthToken;
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::config::{AccessMode, Config, SessionConfig};
use crate::error::{Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::{ConnectionPoolMetrics, Lease, no_other_logins};
use crate::protocol::{Begin, Wanted};
use crate::receipt::{
    Claimant, Delivery, RECEIPT_CONSTRAINT, Receipts, SlotKey, Slots, create_names, sweep,
};
use crate::result::server_info;
use crate::routing::{Provider, Purpose, RoutingTable};
use crate::session::Session;
use crate::summary::ServerInfo;

/// A pool of connections to a server or a cluster. Cheap to clone; make one and share it.
#[derive(Clone, Debug)]
pub struct Driver {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) provider: Arc<Provider>,
    pub(crate) config: Config,
    pub(crate) receipts: Arc<Receipts>,
    bookmarks: BookmarkManager,
    encrypted: bool,
}

impl Shared {
    /// How transactions that begin like this are delivered exactly once.
    pub(crate) async fn delivery(
        &self,
        begin: &Begin,
        auth: Option<&AuthToken>,
    ) -> Result<Delivery, Error> {
        let slots = self.slots(begin, auth);
        let claimant = || self.claimant(begin, auth);
        Ok(match slots.available(claimant).await? {
            true => Delivery::ExactlyOnce(slots),
            false => Delivery::WithoutConstraint,
        })
    }

    fn slots(&self, begin: &Begin, auth: Option<&AuthToken>) -> Arc<Slots> {
        let principal = auth.map(|auth| auth.principal().unwrap_or_default());
        self.receipts.slots(&SlotKey {
            database: begin.database.clone(),
            impersonated_user: begin.impersonated_user.clone(),
            principal: principal.map(Into::into),
        })
    }

    /// Who asks what became of a transaction that began like this.
    pub(crate) fn claimant(&self, begin: &Begin, auth: Option<&AuthToken>) -> Claimant {
        let purpose = Purpose {
            mode: AccessMode::Write,
            database: begin.database.clone(),
            impersonated_user: begin.impersonated_user.clone(),
            auth: auth.cloned(),
            bookmarks: begin.bookmarks.clone(),
            checked: false,
        };
        Claimant::new(&self.provider, purpose, begin, self.config.retry_policy)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("server", self.provider.seed())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Driver {
    /// Names the server, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.shared.provider.is_routed() {
            "neo4j"
        } else {
            "bolt"
        };
        write!(f, "{scheme}://{}", self.shared.provider.seed())
    }
}

impl Driver {
    /// A driver for a URI, such as `neo4j://localhost:7687`. Nothing is sent yet.
    ///
    /// # Errors
    /// The URI can't be meant so.
    pub fn new(uri: &str, auth: AuthToken) -> Result<Self, Error> {
        Self::builder(uri).auth(auth).build()
    }

    /// A driver with more than a URI and a login to say.
    pub fn builder(uri: &str) -> DriverBuilder {
        DriverBuilder::new(uri)
    }

    /// Sees that a server answers and takes the login. It is asked once, not retried.
    ///
    /// # Errors
    /// Nobody answers, or the login is refused.
    pub async fn verify_connectivity(&self) -> Result<(), Error> {
        self.server_info().await.map(|_| ())
    }

    /// Which server answers.
    ///
    /// # Errors
    /// As [`verify_connectivity`](Self::verify_connectivity).
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let mut lease = self.any(None, None).await?;
        // A login that was changed on the way must have been taken.
        let connection = lease.connection()?;
        connection.drive(Wanted::Idle).await?;
        if let Some(failure) = connection.failure() {
            return Err(failure.again());
        }
        server_info(&mut lease)
    }

    /// A connection to whoever reads `database`, with the login `auth` or the driver's.
    async fn any(&self, auth: Option<AuthToken>, database: Option<&str>) -> Result<Lease, Error> {
        let purpose = Purpose {
            mode: AccessMode::Read,
            // A login is asked about, which shows whether the connection lives.
            checked: auth.is_none(),
            auth,
            database: database.map(Into::into),
            ..Purpose::default()
        };
        Ok(self.shared.provider.acquire(&purpose).await?.lease)
    }

    /// Whether the server takes a login (Bolt 5.1 and later).
    ///
    /// # Errors
    /// Nobody answers, or the server is too old to be asked.
    pub async fn verify_authentication(&self, auth: AuthToken) -> Result<bool, Error> {
        let refused = |error: Error| match error.code() {
            Some(
                "Neo.ClientError.Security.CredentialsExpired"
                | "Neo.ClientError.Security.Forbidden"
                | "Neo.ClientError.Security.TokenExpired"
                | "Neo.ClientError.Security.Unauthorized",
            ) => Ok(false),
            _ => Err(error),
        };
        let mut lease = match self.any(Some(auth.clone()), Some("system")).await {
            Ok(lease) => lease,
            Err(error) => return refused(error),
        };
        let is_new = lease.is_new();
        let connection = lease.connection()?;
        if !connection.takes_other_logins() {
            return Err(no_other_logins(connection));
        }
        if !is_new {
            // That it had this login before does not mean that it is still good.
            if connection.machine().owes_nothing() {
                connection.log_on_anew(&auth)?;
            }
            connection.drive(Wanted::Idle).await?;
        }
        match connection.failure() {
            None => Ok(true),
            Some(failure) => refused(failure.again()),
        }
    }

    /// Whether sessions may have logins of their own with the server that answers.
    ///
    /// # Errors
    /// As [`verify_connectivity`](Self::verify_connectivity).
    pub async fn supports_session_auth(&self) -> Result<bool, Error> {
        let mut lease = self.any(None, None).await?;
        Ok(lease.connection()?.takes_other_logins())
    }

    /// Whether the server that answers has several databases.
    ///
    /// # Errors
    /// As [`verify_connectivity`](Self::verify_connectivity).
    pub async fn supports_multi_db(&self) -> Result<bool, Error> {
        let mut lease = self.any(None, None).await?;
        let version = lease.connection()?.machine().version();
        Ok(version.has_databases())
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.shared.encrypted
    }

    /// How many connections there are to each server, and how many of them are in use.
    pub fn connection_pool_metrics(&self) -> Vec<ConnectionPoolMetrics> {
        self.shared.provider.pool().metrics()
    }

    /// What is known of who serves a database (or the driver's home database) in a cluster;
    /// nothing before it was used first, nor behind a `bolt` URI. For monitoring: the driver asks
    /// for tables by itself.
    pub fn routing_table(&self, database: Option<&str>) -> Option<RoutingTable> {
        self.shared.provider.routing_table(database.map(Into::into))
    }

    /// Asks a router of the cluster who serves a database (or the driver's home database), though
    /// what is known may still be good. Does nothing behind a `bolt` URI.
    ///
    /// # Errors
    /// No router answers, or there is no such database.
    pub async fn update_routing_table(
        &self,
        database: Option<&str>,
        bookmarks: Bookmarks,
    ) -> Result<(), Error> {
        let purpose = Purpose {
            database: database.map(Into::into),
            bookmarks,
            ..Purpose::default()
        };
        self.shared.provider.update_routing_table(&purpose).await
    }

    /// A session: a chain of transactions.
    pub fn session(&self, config: SessionConfig) -> Session {
        Session::new(Arc::clone(&self.shared), config)
    }

    /// What [`execute_query`](Self::execute_query) reads its own writes by.
    pub fn bookmark_manager(&self) -> &BookmarkManager {
        &self.shared.bookmarks
    }

    /// Runs one statement as a retried transaction and receives its whole result.
    ///
    /// One round trip for a statement that reads ([`routing`](ExecuteQuery::routing)) or that is
    /// [`idempotent`](ExecuteQuery::idempotent): BEGIN, RUN, PULL and COMMIT leave together. Two for
    /// any other, because COMMIT is sent when the statement has succeeded.
    ///
    /// ```no_run
    /// # async fn example(driver: neo_bolt::Driver) -> Result<(), neo_bolt::Error> {
    /// let parameters = neo_bolt::params! { "name" => "Alice" };
    /// let found = driver
    ///     .execute_query("MATCH (p:Person {name: $name}) RETURN p.born", parameters)
    ///     .await?;
    /// for record in &found.records {
    ///     println!("{}", record.get::<i64>("p.born")?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn execute_query<'p, P: ToBolt + Send + Sync + 'p>(
        &self,
        statement: impl Into<Arc<str>>,
        parameters: P,
    ) -> ExecuteQuery<'p, P> {
        ExecuteQuery::new(&self.shared, statement.into(), parameters)
    }

    /// Creates the constraint that delivery [exactly once](crate::TransactionConfig::exactly_once)
    /// takes, unless the database has it, and deletes receipts that are older than a day. Run it once
    /// for each database, with the right to create constraints; `None` is the home database.
    ///
    /// ```no_run
    /// # async fn example(driver: neo_bolt::Driver) -> Result<(), neo_bolt::Error> {
    /// driver.create_receipt_constraint(None).await?;
    /// driver
    ///     .execute_query("CREATE (:Visit)", ())
    ///     .exactly_once(true)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Receipts are nodes of the label `_NeoOgmReceipt`, one for each concurrent writer. A user who
    /// writes needs the right to match, create, set and delete them, and to show constraints. Leave
    /// them alone while programs that wrote them run.
    ///
    /// # Errors
    /// The server refused, for example because the user may not create constraints, or could not be
    /// reached; [`ErrorKind::Configuration`] if another constraint has the name `neo_ogm_receipt`.
    pub async fn create_receipt_constraint(&self, database: Option<&str>) -> Result<(), Error> {
        let begin = Begin {
            database: database.map(Into::into),
            ..Begin::default()
        };
        let slots = self.shared.slots(&begin, None);
        let claimant = self.shared.claimant(&begin, None);
        if !slots.check(&claimant).await? {
            let mut query = self.execute_query(RECEIPT_CONSTRAINT, ()).idempotent(true);
            if let Some(database) = database {
                query = query.database(database);
            }
            // `IF NOT EXISTS` looks before it waits for its turn, so of two that create the
            // constraint at once, one may be refused.
            let created = query.await;
            if !slots.check(&claimant).await? {
                created?;
                return Err(Error::new(
                    ErrorKind::Configuration,
                    "another constraint or index has the name `neo_ogm_receipt`, so the constraint \
                     for receipts was not created: rename or drop it",
                ));
            }
            create_names(&claimant).await?;
        }
        sweep(&claimant).await
    }

    /// Whether writes on a database can be delivered
    /// [exactly once](crate::TransactionConfig::exactly_once): whether it has the constraint. The
    /// answer is remembered, so this costs a round trip only the first time; a constraint that is
    /// missing is looked for again after a minute.
    ///
    /// # Errors
    /// The server could not be reached within the retry time.
    pub async fn has_receipt_constraint(&self, database: Option<&str>) -> Result<bool, Error> {
        let begin = Begin {
            database: database.map(Into::into),
            ..Begin::default()
        };
        let slots = self.shared.slots(&begin, None);
        slots.available(|| self.shared.claimant(&begin, None)).await
    }

    /// Closes all connections; those in use when they come back. Receipts of this driver that no
    /// transaction needs are deleted first.
    pub async fn close(&self) {
        let claimant = |database| {
            let begin = Begin {
                database,
                ..Begin::default()
            };
            self.shared.claimant(&begin, None)
        };
        self.shared.receipts.delete_unused(claimant).await;
        self.shared.provider.pool().close().await;
    }
}
