//! The driver: one for each server or cluster that a program talks to.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::{AuthManager, AuthToken, Logins};
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::config::{
    AccessMode, Config, FetchSize, NotificationConfig, SessionConfig, TrustedCertificates,
};
use crate::connection::{Connection, Connector, Encryption, Opening, Target, TcpConnector};
use crate::error::{Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::{ConnectionPoolMetrics, Lease, Pool, no_other_logins};
use crate::protocol::{Api, Begin, StreamId, Wanted};
use crate::resolver::Resolver;
use crate::retry::{Backoff, RetryPolicy, chance};
use crate::routing::{Acquired, Provider, Purpose, RoutingTable};
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
    encrypted: bool,
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
            logins: Logins::Fixed(AuthToken::none()),
            config: Config::default(),
            connector: None,
            resolver: None,
            encrypted: None,
            #[cfg(feature = "tls")]
            client_certificate: None,
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
            auth: None,
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
    auth: Option<AuthToken>,
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

    /// Runs with the rights of another user (Bolt 4.4 and later).
    pub fn impersonated_user(mut self, user: impl Into<Arc<str>>) -> Self {
        self.begin.impersonated_user = Some(user.into());
        self
    }

    /// Another login than the driver's (Bolt 5.1 and later).
    pub fn auth(mut self, auth: AuthToken) -> Self {
        self.auth = Some(auth);
        self
    }

    async fn run(mut self) -> Result<EagerResult, Error> {
        let mut backoff = Backoff::new(self.driver.config.retry_policy);
        let started = Instant::now();
        let mut api_told = false;
        loop {
            if let Some(manager) = &self.manager {
                self.begin.bookmarks = manager.get_bookmarks().await?;
            }
            let error = match self.attempt(&mut api_told).await {
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

    async fn attempt(&mut self, api_told: &mut bool) -> Result<EagerResult, Error> {
        let purpose = Purpose {
            mode: if self.begin.read {
                AccessMode::Read
            } else {
                AccessMode::Write
            },
            database: self.begin.database.clone(),
            impersonated_user: self.begin.impersonated_user.clone(),
            auth: self.auth.clone(),
            bookmarks: self.begin.bookmarks.clone(),
            checked: false,
        };
        let provider = &self.driver.provider;
        let Acquired { mut lease, home } = provider.acquire(&purpose).await?;
        if let Some(manager) = self
            .manager
            .as_ref()
            .filter(|manager| manager.has_supplier())
        {
            // Finding a member may have taken a while.
            self.begin.bookmarks = manager.get_bookmarks().await?;
        }
        let connection = lease.connection()?;
        connection.tell_usage((!*api_told).then_some(Api::ExecuteQuery))?;
        let machine = connection.machine();
        match home {
            None => machine.begin(&self.begin)?,
            Some(ref home) => machine.begin(&Begin {
                database: Some(Arc::clone(home)),
                ..self.begin.clone()
            })?,
        }
        let stream = machine.run(&self.statement, &self.parameters, None)?;
        let size = self.driver.config.fetch_size.unwrap_or(FetchSize::All);
        machine.pull(stream, size.count())?;
        let driven = if size == FetchSize::All {
            // A failure above makes the server ignore this.
            machine.commit()?;
            connection.drive(Wanted::Idle).await
        } else {
            read_and_commit(connection, stream, size).await
        };
        *api_told |= connection.machine().telemetry_taken();
        if let Some(error) = driven.as_ref().err().or(connection.failure()) {
            let database = purpose.database.as_ref().or(home.as_ref());
            provider.learn(error, connection.address(), database);
            let (login, error) = (connection.auth().clone(), error.again());
            return Err(provider
                .pool()
                .refused(self.auth.as_ref(), &login, error)
                .await);
        }
        if let Some(database) = connection.machine().take_database()
            && purpose.database.is_none()
            && provider.is_routed()
        {
            provider.learn_home(&purpose, &database);
        }
        let bookmark = connection
            .machine()
            .answer()
            .and_then(|answer| answer.get("bookmark"));
        let result = collect(&mut lease, stream)?;
        if let (Some(manager), Some(bookmark)) = (&self.manager, bookmark) {
            let bookmark: String = bookmark;
            let new = Bookmarks::from_raw_values([bookmark]);
            manager.update_bookmarks(&self.begin.bookmarks, new).await?;
        }
        Ok(result)
    }
}

/// Reads a result batch by batch, and commits behind it.
async fn read_and_commit(
    connection: &mut Connection,
    stream: StreamId,
    size: FetchSize,
) -> Result<(), Error> {
    connection.drive(Wanted::Idle).await?;
    while connection.machine().wants_pull(stream) {
        connection.machine().pull(stream, size.count())?;
        connection.drive(Wanted::Idle).await?;
    }
    if connection.failure().is_some() {
        return Ok(());
    }
    connection.machine().commit()?;
    connection.drive(Wanted::Idle).await
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
    logins: Logins,
    config: Config,
    connector: Option<Arc<dyn Connector>>,
    resolver: Option<Arc<dyn Resolver>>,
    encrypted: Option<bool>,
    #[cfg(feature = "tls")]
    client_certificate: Option<Arc<dyn crate::connection::ClientCertificateProvider>>,
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
        self.logins = Logins::Fixed(auth);
        self
    }

    /// Where logins come from that change while the driver is in use.
    pub fn auth_manager(mut self, manager: Arc<dyn AuthManager>) -> Self {
        self.logins = Logins::Managed(manager);
        self
    }

    /// Which addresses the one in the URI stands for; itself unless told.
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Whether connections are encrypted, where the URI's scheme leaves that open (it has neither
    /// `+s` nor `+ssc`). Certificates are checked against
    /// [`trusted_certificates`](Self::trusted_certificates).
    pub fn encrypted(mut self, encrypted: bool) -> Self {
        self.encrypted = Some(encrypted);
        self
    }

    /// The certificate that the driver shows to servers, beside its login (mutual TLS).
    #[cfg(feature = "tls")]
    pub fn client_certificate(self, certificate: crate::ClientCertificate) -> Self {
        self.client_certificate_provider(crate::RotatingClientCertificate::new(certificate))
    }

    /// Where certificates come from that change while the driver is in use.
    #[cfg(feature = "tls")]
    pub fn client_certificate_provider(
        mut self,
        provider: Arc<dyn crate::ClientCertificateProvider>,
    ) -> Self {
        self.client_certificate = Some(provider);
        self
    }

    /// Which notifications servers send; all unless told.
    pub fn notifications(mut self, notifications: NotificationConfig) -> Self {
        self.config.notifications = notifications;
        self
    }

    /// Whether servers that want to know are not told which parts of the driver are used: the
    /// kind of call, once a call (Bolt 5.4 and later). They are told unless switched off here.
    pub fn telemetry_disabled(mut self, disabled: bool) -> Self {
        self.config.telemetry = !disabled;
        self
    }

    /// Whether the manifest handshake is offered, by which a server's versions from Bolt 6 on are
    /// found; it is unless told. Without it, servers that know nothing newer than Bolt 4.2 are
    /// offered each of its versions.
    pub fn manifest_handshake(mut self, offered: bool) -> Self {
        self.config.manifest = offered;
        self
    }

    /// Whether the system looks after idle connections by TCP keep-alive; it does unless told.
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.config.keep_alive = keep_alive;
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

    /// How long it may take until a server answers, TLS included; 30 s. What follows, such as the
    /// login, is limited by [`connection_acquisition_timeout`](Self::connection_acquisition_timeout).
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

    /// How many records are asked for at a time. Unless told, sessions ask for 1,000, and
    /// [`execute_query`](Driver::execute_query), which keeps all of them anyway, for all at once:
    /// then COMMIT need not wait for them, which is one round trip less.
    pub fn fetch_size(mut self, size: impl Into<FetchSize>) -> Self {
        self.config.fetch_size = Some(size.into());
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
        self.connector = Some(connector);
        self
    }

    /// Makes the driver. Nothing is sent yet.
    ///
    /// # Errors
    /// The URI can't be meant so, or TLS can't be set up.
    pub fn build(self) -> Result<Driver, Error> {
        let mut target = Target::parse(&self.uri)?;
        target.encryption = encryption(target.encryption, self.encrypted, &self.uri)?;
        #[cfg(feature = "tls")]
        let tls = crate::connection::Tls::new(
            target.encryption,
            &self.config.trusted_certificates,
            self.client_certificate,
        )?;
        if !cfg!(feature = "tls") && target.encryption != Encryption::Off {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the URI asks for TLS, and neo-bolt was built without its feature `tls`",
            ));
        }
        let opening = Opening {
            connector: self.connector.unwrap_or_else(|| {
                Arc::new(TcpConnector {
                    keep_alive: self.config.keep_alive,
                })
            }),
            encryption: target.encryption,
            #[cfg(feature = "tls")]
            tls,
            user_agent: Arc::clone(&self.config.user_agent),
            routing: target.routing.clone(),
            notifications: self.config.notifications.clone(),
            telemetry: self.config.telemetry,
            census: Arc::default(),
            manifest: self.config.manifest,
            timeout: self.config.connection_timeout,
        };
        let encrypted = opening.encryption != Encryption::Off;
        let pool = Pool::new(opening, self.logins, self.config.clone());
        let provider = Provider::new(pool, target.address, target.routing, self.resolver);
        let provider = Arc::new(provider);
        let bookmarks = BookmarkManager::new();
        Ok(Driver {
            shared: Arc::new(Shared {
                provider,
                config: self.config,
                bookmarks,
                encrypted,
            }),
        })
    }
}

/// What the URI's scheme and the option come to.
fn encryption(scheme: Encryption, option: Option<bool>, uri: &str) -> Result<Encryption, Error> {
    match (scheme, option) {
        (scheme, None) => Ok(scheme),
        (Encryption::Off, Some(false)) => Ok(Encryption::Off),
        (Encryption::Off, Some(true)) => Ok(Encryption::Trusted),
        (_, Some(_)) => Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "the scheme of {uri:?} settles encryption and whom to trust; leave out the option \
                 `encrypted`"
            ),
        )),
    }
}
