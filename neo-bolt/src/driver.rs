//! The driver: one for each server or cluster that a program talks to.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::AuthToken;
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::config::{AccessMode, Config, SessionConfig, TrustedCertificates};
use crate::connection::{Connector, Opening, Target, TcpConnector};
use crate::error::{Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::Pool;
use crate::protocol::{Begin, Wanted};
use crate::retry::{Backoff, RetryPolicy, chance};
use crate::routing::{Provider, Purpose};
use crate::session::Session;
use crate::summary::ServerInfo;
use crate::transaction::{EagerResult, collect, server_info};
use crate::value::Map;

/// A pool of connections to a server or a cluster. Cheap to clone; make one and share it.
#[derive(Clone, Debug)]
pub struct Driver {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) provider: Arc<Provider>,
    pub(crate) config: Config,
    bookmarks: BookmarkManager,
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
        DriverBuilder {
            uri: uri.to_owned(),
            auth: AuthToken::none(),
            config: Config::default(),
            connector: Arc::new(TcpConnector),
        }
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
        let purpose = Purpose {
            mode: AccessMode::Read,
            database: None,
            impersonated_user: None,
            bookmarks: Bookmarks::default(),
        };
        let mut lease = self.shared.provider.acquire(&purpose).await?;
        lease.connection()?.machine().reset()?;
        lease.connection()?.drive(Wanted::Idle).await?;
        server_info(&mut lease)
    }

    /// A session: a chain of transactions.
    pub fn session(&self, config: SessionConfig) -> Session {
        Session::new(Arc::clone(&self.shared), config)
    }

    /// What [`execute_query`](Self::execute_query) reads its own writes by.
    pub fn bookmark_manager(&self) -> &BookmarkManager {
        &self.shared.bookmarks
    }

    /// Runs one statement as a retried transaction and takes its whole result, in one round
    /// trip: BEGIN, RUN, PULL and COMMIT leave together.
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
        ExecuteQuery {
            driver: Arc::clone(&self.shared),
            statement: statement.into(),
            parameters,
            manager: Some(self.shared.bookmarks.clone()),
            begin: Begin::default(),
            idempotent: false,
            of: PhantomData,
        }
    }

    /// Closes all connections; those in use when they come back.
    pub async fn close(&self) {
        self.shared.provider.pool().close().await;
    }
}

/// One statement as a retried transaction; made by [`Driver::execute_query`].
#[must_use = "nothing is sent before `.await`"]
pub struct ExecuteQuery<'p, P> {
    driver: Arc<Shared>,
    statement: Arc<str>,
    parameters: P,
    manager: Option<BookmarkManager>,
    begin: Begin,
    idempotent: bool,
    /// For how long the parameters last.
    of: PhantomData<&'p ()>,
}

impl<P> fmt::Debug for ExecuteQuery<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExecuteQuery")
            .field(&self.statement)
            .finish()
    }
}

impl<P: ToBolt + Send + Sync> ExecuteQuery<'_, P> {
    /// Whether it reads or writes; it writes unless told.
    pub fn routing(mut self, mode: AccessMode) -> Self {
        self.begin.read = mode == AccessMode::Read;
        self
    }

    /// The database; without it, the user's home database.
    pub fn database(mut self, name: impl Into<Arc<str>>) -> Self {
        self.begin.database = Some(name.into());
        self
    }

    /// Another bookmark manager than the driver's, or none.
    pub fn bookmark_manager(mut self, manager: Option<BookmarkManager>) -> Self {
        self.manager = manager;
        self
    }

    /// After how long the server ends the transaction.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.begin.timeout = Some(timeout);
        self
    }

    /// What the server's query log shows of it.
    pub fn metadata(mut self, metadata: Map) -> Self {
        self.begin.metadata = metadata;
        self
    }

    /// Says that the statement leaves the same behind however often it runs. Then it is also tried
    /// again where the connection was lost between COMMIT and its answer; otherwise that is an
    /// error with [`CommitOutcome::Unknown`](crate::CommitOutcome::Unknown).
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Runs with the rights of another user.
    pub fn impersonated_user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.begin.impersonated_user = Some(user.into());
        self
    }

    async fn run(mut self) -> Result<EagerResult, Error> {
        let mut backoff = Backoff::new(self.driver.config.retry_policy);
        let started = Instant::now();
        loop {
            if let Some(manager) = &self.manager {
                self.begin.bookmarks = manager.bookmarks();
            }
            let error = match self.attempt().await {
                Ok(result) => return Ok(result),
                Err(error) => error.with_attempts(backoff.attempt()),
            };
            // What only reads may always run twice.
            if !error.may_be_tried_again(self.idempotent || self.begin.read) {
                return Err(error);
            }
            let Some(delay) = backoff.next(started.elapsed(), chance()) else {
                return Err(error);
            };
            tracing::debug!(attempt = backoff.attempt(), ?delay, %error, "a query is tried again");
            tokio::time::sleep(delay).await;
        }
    }

    async fn attempt(&self) -> Result<EagerResult, Error> {
        let purpose = Purpose {
            mode: if self.begin.read {
                AccessMode::Read
            } else {
                AccessMode::Write
            },
            database: self.begin.database.clone(),
            impersonated_user: self.begin.impersonated_user.clone(),
            bookmarks: self.begin.bookmarks.clone(),
        };
        let provider = &self.driver.provider;
        let mut lease = provider.acquire(&purpose).await?;
        let connection = lease.connection()?;
        let machine = connection.machine();
        machine.begin(&self.begin)?;
        let stream = machine.run(&self.statement, &self.parameters, None)?;
        machine.pull(stream, -1)?;
        // A failure above makes the server ignore this.
        machine.commit()?;
        let driven = connection.drive(Wanted::Idle).await;
        if let Some(error) = driven.as_ref().err().or(connection.failure()) {
            provider.learn(error, connection.address());
        }
        driven?;
        let bookmark = connection
            .machine()
            .answer()
            .and_then(|answer| answer.get("bookmark"));
        let result = collect(&mut lease, stream)?;
        if let (Some(manager), Some(bookmark)) = (&self.manager, bookmark) {
            let bookmark: String = bookmark;
            manager.update(
                &self.begin.bookmarks,
                Bookmarks::from_raw_values([bookmark]),
            );
        }
        Ok(result)
    }
}

impl<'p, P: ToBolt + Send + Sync + 'p> IntoFuture for ExecuteQuery<'p, P> {
    type Output = Result<EagerResult, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'p>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The options of a driver, by their official names.
#[must_use = "a builder does nothing until `build`"]
pub struct DriverBuilder {
    uri: String,
    auth: AuthToken,
    config: Config,
    connector: Arc<dyn Connector>,
}

impl fmt::Debug for DriverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl DriverBuilder {
    /// The login; none unless told.
    pub fn auth(mut self, auth: AuthToken) -> Self {
        self.auth = auth;
        self
    }

    /// How many connections to each server there may be; 100, and at least 1.
    pub fn max_connection_pool_size(mut self, size: usize) -> Self {
        self.config.max_connection_pool_size = size.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How long to wait for a connection, whether one becomes free or is opened; 60 s.
    pub fn connection_acquisition_timeout(mut self, timeout: Duration) -> Self {
        self.config.connection_acquisition_timeout = timeout;
        self
    }

    /// How long opening a connection may take, the login included; 30 s.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.config.connection_timeout = timeout;
        self
    }

    /// After how long a connection is not used again; 1 h.
    pub fn max_connection_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.max_connection_lifetime = lifetime;
        self
    }

    /// After how long without use a connection is tried before it is used; never unless told.
    pub fn liveness_check_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.liveness_check_timeout = timeout;
        self
    }

    /// For how long transactions are tried again; 30 s.
    pub fn max_transaction_retry_time(mut self, time: Duration) -> Self {
        self.config.retry_policy.max_retry_time = time;
        self
    }

    /// All of how transactions are tried again.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.config.retry_policy = policy;
        self
    }

    /// How many records are asked for at a time; 1,000.
    pub fn fetch_size(mut self, records: u32) -> Self {
        self.config.fetch_size = records.max(1).into();
        self
    }

    /// What the program calls itself in the server's logs.
    pub fn user_agent(mut self, name: impl Into<Arc<str>>) -> Self {
        self.config.user_agent = name.into();
        self
    }

    /// Whose certificates are taken with `+s`; the system's unless told.
    pub fn trusted_certificates(mut self, trusted: TrustedCertificates) -> Self {
        self.config.trusted_certificates = trusted;
        self
    }

    /// How byte streams are made; TCP unless told.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = connector;
        self
    }

    /// Makes the driver. Nothing is sent yet.
    ///
    /// # Errors
    /// The URI can't be meant so, or TLS can't be set up.
    pub fn build(self) -> Result<Driver, Error> {
        let target = Target::parse(&self.uri)?;
        #[cfg(feature = "tls")]
        let tls =
            crate::connection::Tls::new(target.encryption, &self.config.trusted_certificates)?;
        if !cfg!(feature = "tls") && target.encryption != crate::connection::Encryption::Off {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the URI asks for TLS, and neo-bolt was built without its feature `tls`",
            ));
        }
        let opening = Opening {
            connector: self.connector,
            encryption: target.encryption,
            #[cfg(feature = "tls")]
            tls,
            auth: self.auth,
            user_agent: Arc::clone(&self.config.user_agent),
            routing: target.routing.clone(),
            timeout: self.config.connection_timeout,
        };
        let pool = Pool::new(opening, self.config.clone());
        let provider = Arc::new(Provider::new(pool, target.address, target.routing));
        let bookmarks = BookmarkManager::new();
        Ok(Driver {
            shared: Arc::new(Shared {
                provider,
                config: self.config,
                bookmarks,
            }),
        })
    }
}
