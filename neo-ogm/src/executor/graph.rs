//! The handle of a graph: a driver, a database, and how transactions on it are run.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use neo_bolt::packstream::ToBolt;
use neo_bolt::value::{Map, Value};
use neo_bolt::{
    AccessMode, AuthToken, BookmarkManager, Bookmarks, Driver, DriverBuilder, EagerResult,
    ExecuteQuery, ManagedTransaction, Session, SessionConfig, TransactionConfig,
};
use tracing::Instrument as _;

use super::attempt::UnitOfWork;
use super::scope::Unit;
use super::transaction::Scope;
use super::{Attempt, Records, Transaction, WriteStatement, trace};
use crate::error::Error;

/// A graph database: cheap to clone, shared between tasks, several of them in one process.
///
/// Every operation on it runs as a retried transaction of its own, unless it is given a
/// [`Transaction`]. Inside the closure of [`transaction`](Self::transaction), it has to be given
/// that. All handles that come from one [`connect`](Self::connect) share a pool and read their own
/// writes, on whatever member of a cluster.
#[derive(Clone)]
pub struct Graph {
    inner: Arc<Inner>,
}

/// Behind one pointer, since each node that is read has a handle.
struct Inner {
    shared: Arc<Shared>,
    settings: Settings,
    /// The transaction that a node's handle belongs to until it ends; handles of the program have
    /// none.
    scope: Option<Arc<Scope>>,
}

struct Shared {
    driver: Driver,
    bookmarks: BookmarkManager,
    description: String,
    /// Whether receipts decide lost commits. In the same process no commit can be lost.
    exactly_once: bool,
    /// The engine, where it is in this process.
    #[cfg(feature = "embedded")]
    engine: Option<crate::embedded::EmbeddedServer>,
}

#[derive(Clone, Default)]
pub(super) struct Settings {
    database: Option<Arc<str>>,
    impersonated_user: Option<Arc<str>>,
    timeout: Option<Duration>,
    metadata: Map,
    bookmarks: Chain,
    /// What begins the names of the labels and relationship types in the database.
    pub(super) label_prefix: Option<Arc<str>>,
    /// Whether the handle may be used inside a unit of work on the same database.
    pub(super) detached: bool,
}

/// Which bookmarks a handle's transactions wait for, and add to.
#[derive(Clone, Default)]
enum Chain {
    /// Those of all handles that come from one `connect`.
    #[default]
    Shared,
    /// Those of this handle, and of those made of it.
    Own(BookmarkManager),
    /// None.
    Nobodys,
}

impl Graph {
    /// Connects to a Neo4j server or cluster, and sees that it answers.
    ///
    /// # Errors
    /// The URI is wrong, nobody answers there, or the login is refused.
    pub async fn connect(uri: &str, auth: AuthToken) -> Result<Self, Error> {
        Self::builder(uri).auth(auth).connect().await
    }

    /// Connects with more than a URI and a login to say.
    pub fn builder(uri: &str) -> GraphBuilder {
        GraphBuilder {
            driver: Driver::builder(uri),
            database: None,
            exactly_once: true,
        }
    }

    /// A graph on a driver that is there already.
    pub fn from_driver(driver: Driver) -> Self {
        Self::on_driver(driver, true)
    }

    fn on_driver(driver: Driver, exactly_once: bool) -> Self {
        let description = driver.to_string();
        let shared = Shared {
            bookmarks: driver.bookmark_manager().clone(),
            driver,
            description,
            exactly_once,
            #[cfg(feature = "embedded")]
            engine: None,
        };
        Self::new(Arc::new(shared), Settings::default())
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn of_engine(driver: Driver, engine: crate::embedded::EmbeddedServer) -> Self {
        let shared = Shared {
            bookmarks: driver.bookmark_manager().clone(),
            driver,
            description: engine.to_string(),
            exactly_once: false,
            engine: Some(engine),
        };
        Self::new(Arc::new(shared), Settings::default())
    }

    #[cfg(feature = "embedded")]
    pub(crate) fn engine(&self) -> Option<&crate::embedded::EmbeddedServer> {
        self.inner.shared.engine.as_ref()
    }

    /// Whether the database is the embedded engine: for programs that go without what it can't do.
    pub fn is_embedded(&self) -> bool {
        #[cfg(feature = "embedded")]
        return self.inner.shared.engine.is_some();
        #[cfg(not(feature = "embedded"))]
        false
    }

    /// The driver below, for what the mapper does not cover.
    pub fn driver(&self) -> &Driver {
        &self.inner.shared.driver
    }

    fn new(shared: Arc<Shared>, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared,
                settings,
                scope: None,
            }),
        }
    }

    /// The handle for nodes of a transaction of this graph.
    pub(super) fn scoped(&self, scope: Arc<Scope>) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared: Arc::clone(&self.inner.shared),
                settings: self.inner.settings.clone(),
                scope: Some(scope),
            }),
        }
    }

    pub(super) fn scope(&self) -> Option<&Arc<Scope>> {
        self.inner.scope.as_ref()
    }

    /// The attempt of the transaction that the handle belongs to.
    pub(crate) fn attempt(&self) -> Option<&Arc<Attempt>> {
        self.scope().map(|scope| scope.attempt())
    }

    /// The attempt of which values are pending that are read through this handle; `None` if they
    /// are known to be committed.
    pub(crate) fn pending(&self) -> Option<&Arc<Attempt>> {
        self.scope()?.written()
    }

    /// The graph after the transaction that the handle belongs to; `None` if it belongs to none.
    pub(crate) fn afterwards(&self) -> Option<&Self> {
        self.scope().map(|scope| scope.graph())
    }

    /// Whether both handles lead to the same database by the same driver.
    pub(super) fn is_same_database(&self, other: &Self) -> bool {
        let (one, two) = (&self.inner, &other.inner);
        Arc::ptr_eq(&one.shared, &two.shared)
            && (self.is_embedded() || one.settings.database == two.settings.database)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.inner.settings);
        change(&mut settings);
        Self::new(Arc::clone(&self.inner.shared), settings)
    }

    /// A handle of the same pool whose operations run on the database `name`. Neo4j Community and
    /// the embedded engine have one, `neo4j`.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn with_database(&self, name: impl Into<String>) -> Self {
        let name: Arc<str> = name.into().into();
        self.with(|settings| settings.database = Some(name))
    }

    /// A handle whose transactions the server ends after `timeout`, also while they wait for what
    /// another transaction has locked. Neo4j looks every few seconds, so it may take a little longer.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        self.with(|settings| settings.timeout = Some(timeout))
    }

    /// A handle whose transactions carry `key` in the server's query log and in `SHOW TRANSACTIONS`.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn with_metadata(&self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let (key, value) = (key.into(), value.into());
        self.with(|settings| {
            settings.metadata.insert(key, value);
        })
    }

    /// A handle whose transactions run with the rights of another user: Neo4j Enterprise has that.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn with_impersonated_user(&self, user: impl Into<String>) -> Self {
        let user: Arc<str> = user.into().into();
        self.with(|settings| settings.impersonated_user = Some(user))
    }

    /// Returns a handle for transactions that are separate from the unit of work that uses it.
    ///
    /// Inside the closure of [`transaction`](Self::transaction) or
    /// [`read_transaction`](Self::read_transaction), an operation on a handle of the same database
    /// fails with [`GraphInTransaction`](crate::ErrorKind::GraphInTransaction): nearly always `&tx`
    /// is meant. On a detached handle it runs in a transaction of its own, which is committed even
    /// if the unit of work rolls back, and again in each attempt of the unit. It does not see what
    /// the unit has written, and waits for the unit's locks, which end only after the closure has
    /// returned: do not write to the same nodes.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # use neo_ogm::Error;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// # let graph = Graph::in_memory().await?;
    /// let audit = graph.detached();
    /// let refused = graph
    ///     .read_transaction(async |_| {
    ///         audit.cypher("CREATE (:Attempt {what: 'order'})").execute(&audit).await?;
    ///         Err::<(), _>(Error::abort("out of stock"))
    ///     })
    ///     .await;
    /// assert!(refused.is_err());
    /// let attempts: i64 = graph.cypher("MATCH (a:Attempt) RETURN count(a)").get(&graph).await?;
    /// assert_eq!(attempts, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Nodes that are read or saved on a detached handle keep it.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn detached(&self) -> Self {
        self.with(|settings| settings.detached = true)
    }

    fn bookmark_manager(&self) -> Option<BookmarkManager> {
        match &self.inner.settings.bookmarks {
            Chain::Shared => Some(self.inner.shared.bookmarks.clone()),
            Chain::Own(manager) => Some(manager.clone()),
            Chain::Nobodys => None,
        }
    }

    /// What the newest transactions of this handle, and of those that share its bookmarks, left
    /// behind; to be handed to another handle or another process.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// use neo_ogm::Bookmarks;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// graph.cypher("CREATE (:Visit)").execute(&graph).await?;
    /// // To a client, in a header or a cookie …
    /// let sent: Vec<String> = graph.last_bookmarks().raw_values().map(str::to_owned).collect();
    /// // … and back, perhaps to another process: it sees that visit, whichever member answers.
    /// let graph = graph.with_bookmarks(Bookmarks::from_raw_values(sent));
    /// let visits: Vec<i64> = graph.cypher("MATCH (v:Visit) RETURN count(v)").fetch(&graph).await?;
    /// assert_eq!(visits, [1]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_bookmarks(&self) -> Bookmarks {
        self.bookmark_manager()
            .map(|manager| manager.bookmarks())
            .unwrap_or_default()
    }

    /// A handle whose transactions see what `bookmarks` stand for, and what this handle has seen
    /// so far. From then on it has bookmarks of its own: its transactions wait for each other's,
    /// not for those of other handles.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn with_bookmarks(&self, bookmarks: Bookmarks) -> Self {
        let seen = self.last_bookmarks().union(&bookmarks);
        let manager = BookmarkManager::with_bookmarks(seen);
        self.with(|settings| settings.bookmarks = Chain::Own(manager))
    }

    /// A handle whose transactions wait for nothing: in a cluster they may not see what was
    /// written just before, and are not held up by a member that lags behind.
    #[must_use = "the handle that you call it on stays as it is"]
    pub fn without_bookmarks(&self) -> Self {
        self.with(|settings| settings.bookmarks = Chain::Nobodys)
    }

    /// Runs `work` as one transaction that writes.
    ///
    /// When the database or the connection fails in a way that another attempt may mend, `work`
    /// runs again from its start, with a new transaction; so it should change nothing outside of
    /// it. When `work` returns an error of its own, all is rolled back.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// let created = graph
    ///     .transaction(async |tx| {
    ///         let rows: Vec<i64> = tx.cypher("CREATE (n:Visit) RETURN 1").fetch(&tx).await?;
    ///         Ok(rows.len())
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The future is `Send`: it runs inside a spawned task. What `work` uses of its surroundings
    /// it takes by shared reference. It can't change a variable outside of itself, nor move one
    /// out, since it may run again (the compiler says then that the closure "does not implement
    /// `FnMut`"): read and change nodes inside of it, and return what the caller needs.
    ///
    /// Nodes that `work` reads or saves belong to the transaction until it ends, so operations on
    /// their relationship fields join it; see [`Transaction`](Transaction#scope). While `work` is
    /// awaited, an operation on a handle of the same database fails at once with
    /// [`GraphInTransaction`](crate::ErrorKind::GraphInTransaction), and so does one on a
    /// relationship field of a node from outside. Pass `&tx`, or `.on(&tx)` to the latter. For a
    /// separate transaction there is [`detached`](Self::detached).
    ///
    /// Reading locks nothing: between a `get` and a `save` in `work` somebody else may write, and
    /// the `save` would undo that. Where a new value comes of the old one, lock the node while it is
    /// read, `Book::find_by_isbn(isbn).lock().get(&tx)`, give the struct a
    /// [`Version`](crate::Version), by which the second write is refused, or write in one
    /// statement: `Book::find_by_isbn(isbn).update(&tx).set(Book::SOLD, Book::SOLD + 1)`.
    ///
    /// The unit takes effect exactly once. If the connection is lost between COMMIT and its answer, a
    /// receipt that was committed with the work decides: if it was committed, the value that `work`
    /// returned is returned, otherwise `work` runs again. That takes the constraint that
    /// [`apply_schema`](Self::apply_schema) creates; without it, such an error has
    /// [`CommitOutcome::Unknown`](neo_bolt::CommitOutcome::Unknown).
    ///
    /// Timeout, metadata, database, impersonated user and bookmarks are the handle's, so those of a
    /// single transaction are those of a handle that is made for it:
    /// `graph.with_timeout(limit).with_metadata("job", "import").transaction(…)`. Neo4j has neither
    /// nested transactions nor savepoints: what may fail by itself goes into a transaction of its
    /// own. To commit by hand there is [`begin`](Self::begin).
    ///
    /// How long attempts go on is an option of the
    /// [builder](GraphBuilder::max_transaction_retry_time); an error says how many there were
    /// ([`attempts`](Error::attempts)), and whether a commit that was lost may have happened
    /// ([`commit_outcome`](Error::commit_outcome)).
    ///
    /// # Errors
    /// What `work` returned, or what the database said when it would not be tried again; or
    /// [`GraphInTransaction`](crate::ErrorKind::GraphInTransaction) inside another unit of work on
    /// the same database.
    ///
    /// # Cancel safety
    /// Dropping the future rolls back, unless COMMIT had been sent; then it may have happened.
    pub async fn transaction<T, F, Fut>(&self, work: F) -> Result<T, Error>
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        self.unit_of_work(AccessMode::Write, work).await
    }

    /// Runs `work` as one transaction that reads only; a cluster serves it from any member.
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction).
    pub async fn read_transaction<T, F, Fut>(&self, work: F) -> Result<T, Error>
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        self.unit_of_work(AccessMode::Read, work).await
    }

    async fn unit_of_work<T, F, Fut>(&self, mode: AccessMode, mut work: F) -> Result<T, Error>
    where
        F: FnMut(Transaction) -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
        T: Send,
    {
        self.check_unit()?;
        let mut session = self.session(mode);
        let unit = UnitOfWork::new(false);
        let attempt = |tx: ManagedTransaction| {
            let tx = Transaction::new(tx, self.clone(), mode, &unit);
            Unit::of(&tx).mark(work(tx))
        };
        let config = self.transaction_config();
        let work = async {
            match mode {
                AccessMode::Read => session.execute_read_with(config, attempt).await,
                AccessMode::Write => session.execute_write_with(config, attempt).await,
            }
        };
        let done = work.instrument(trace::unit_of_work(mode)).await;
        unit.end(done.is_ok());
        done
    }

    /// A session of the driver with this handle's settings and bookmarks.
    pub(super) fn session(&self, mode: AccessMode) -> Session {
        let mut config = SessionConfig::default()
            .pipelined_begin(true)
            .default_access_mode(mode);
        if let Some(manager) = self.bookmark_manager() {
            config = config.bookmark_manager(manager);
        }
        if let Some(database) = &self.inner.settings.database {
            config = config.database(database.as_ref());
        }
        if let Some(user) = &self.inner.settings.impersonated_user {
            config = config.impersonated_user(user.as_ref());
        }
        self.inner.shared.driver.session(config)
    }

    pub(super) fn transaction_config(&self) -> TransactionConfig {
        let mut config = TransactionConfig::default().exactly_once(self.inner.shared.exactly_once);
        if let Some(timeout) = self.inner.settings.timeout {
            config = config.timeout(timeout);
        }
        if !self.inner.settings.metadata.is_empty() {
            config = config.metadata(self.inner.settings.metadata.clone());
        }
        config
    }

    pub(super) async fn execute(
        &self,
        mode: AccessMode,
        idempotent: bool,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        self.check_unit()?;
        let statement = self.placed(statement);
        let shared = &self.inner.shared;
        let query = shared
            .driver
            .execute_query(statement, parameters)
            .routing(mode)
            .idempotent(idempotent)
            .exactly_once(shared.exactly_once)
            .pipelined_commit(self.is_embedded());
        Ok(self.with_settings(query).await?)
    }

    /// Runs a statement of the mapper that writes; `plain` is its text without a receipt.
    pub(super) async fn write(
        &self,
        plain: Arc<str>,
        statement: &WriteStatement,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<EagerResult, Error> {
        self.check_unit()?;
        let shared = &self.inner.shared;
        let query = shared.driver.execute_query(self.placed(plain), parameters);
        let query = if !shared.exactly_once {
            query.pipelined_commit(true)
        } else if statement.must_be_received_first() {
            query.exactly_once(true)
        } else {
            let (text, stored) = statement.with_receipt();
            query.stores_receipt(self.placed(text.into()), stored)
        };
        Ok(self.with_settings(query).await?)
    }

    /// Gives a query the settings of this handle.
    fn with_settings<'p, P: ToBolt + Send + Sync + 'p>(
        &self,
        query: ExecuteQuery<'p, P>,
    ) -> ExecuteQuery<'p, P> {
        let mut query = query.bookmark_manager(self.bookmark_manager());
        let settings = &self.inner.settings;
        if let Some(database) = &settings.database {
            query = query.database(database.as_ref());
        }
        if let Some(user) = &settings.impersonated_user {
            query = query.impersonated_user(user.as_ref());
        }
        if let Some(timeout) = settings.timeout {
            query = query.timeout(timeout);
        }
        if !settings.metadata.is_empty() {
            query = query.metadata(settings.metadata.clone());
        }
        query
    }

    pub(super) async fn stream(
        &self,
        mode: AccessMode,
        statement: Arc<str>,
        parameters: impl ToBolt + Send + Sync,
    ) -> Result<Records, Error> {
        self.check_unit()?;
        let mut session = self.session(mode);
        let (statement, config) = (self.placed(statement), self.transaction_config());
        let records = session.run_with(statement, parameters, config).await?;
        Ok(Records::new(records, Some(session)))
    }

    /// Creates the constraint for receipts unless the database has it, and deletes old receipts.
    pub(crate) async fn prepare_receipts(&self) -> Result<(), Error> {
        let database = self.inner.settings.database.as_deref();
        match self.driver().create_receipt_constraint(database).await {
            // The rest of the schema can be used without it.
            Err(error) if error.code() == Some("Neo.ClientError.Security.Forbidden") => {
                tracing::warn!(
                    target: "neo_ogm",
                    %error,
                    "the user may not create the constraint for receipts: the outcome of a lost \
                     commit stays unknown"
                );
                Ok(())
            }
            created => Ok(created?),
        }
    }

    /// Closes the pool; operations on this graph fail from then on.
    pub async fn close(&self) {
        self.inner.shared.driver.close().await;
    }
}

impl fmt::Display for Graph {
    /// Says what is behind the handle, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.shared.description)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph({self})")
    }
}

/// How a graph is connected to; made by [`Graph::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `connect`"]
pub struct GraphBuilder {
    driver: DriverBuilder,
    database: Option<String>,
    exactly_once: bool,
}

impl GraphBuilder {
    /// The login.
    pub fn auth(self, auth: AuthToken) -> Self {
        self.driver(|driver| driver.auth(auth))
    }

    /// For how long a transaction that failed is tried again; 30 s unless told.
    pub fn max_transaction_retry_time(self, time: Duration) -> Self {
        self.driver(|driver| driver.max_transaction_retry_time(time))
    }

    /// The database that operations run on; the user's home database unless told.
    pub fn database(mut self, name: impl Into<String>) -> Self {
        self.database = Some(name.into());
        self
    }

    /// Whether every write commits a receipt, by which a lost commit is decided: each write takes
    /// effect exactly once, on a database whose schema was applied
    /// ([`apply_schema`](Graph::apply_schema) creates the constraint that receipts take). Default: on.
    ///
    /// Raw Cypher that is streamed on a graph handle is an auto-commit transaction, which has no receipt
    /// and is not retried.
    ///
    /// Without receipts a single write is some percent faster, and an error with
    /// [`CommitOutcome::Unknown`](neo_bolt::CommitOutcome::Unknown) if the connection is lost between
    /// COMMIT and its answer.
    pub fn exactly_once(mut self, exactly_once: bool) -> Self {
        self.exactly_once = exactly_once;
        self
    }

    /// Sets any option of the driver, by the names that the official drivers have: pool, timeouts,
    /// trust, retries, fetch size, notifications, telemetry.
    ///
    /// ```no_run
    /// # use neo_ogm::prelude::*;
    /// # async fn example() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::builder("neo4j://localhost:7687")
    ///     .auth(Auth::basic("neo4j", "secret"))
    ///     .database("books")
    ///     .max_transaction_retry_time(std::time::Duration::from_secs(10))
    ///     .driver(|driver| driver.max_connection_pool_size(20).fetch_size(500).telemetry_disabled(true))
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn driver(mut self, change: impl FnOnce(DriverBuilder) -> DriverBuilder) -> Self {
        self.driver = change(self.driver);
        self
    }

    /// Connects, and sees that the server answers.
    ///
    /// # Errors
    /// The URI is wrong, nobody answers there, or the login is refused.
    pub async fn connect(self) -> Result<Graph, Error> {
        let driver = self.driver.build()?;
        driver.verify_connectivity().await?;
        if self.exactly_once {
            // Otherwise the first write asks, and reports a failure.
            let asked = driver.has_receipt_constraint(self.database.as_deref());
            if let Err(error) = asked.await {
                tracing::debug!(target: "neo_ogm", %error, "constraints are not known");
            }
        }
        let graph = Graph::on_driver(driver, self.exactly_once);
        Ok(match self.database {
            Some(name) => graph.with_database(name),
            None => graph,
        })
    }
}
