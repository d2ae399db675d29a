//! One statement as a retried transaction, in one round trip.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::{Shared, Transform};
use crate::auth::AuthToken;
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::config::{AccessMode, FetchSize};
use crate::connection::Connection;
use crate::error::{CommitOutcome, Error};
use crate::packstream::ToBolt;
use crate::pool::Lease;
use crate::protocol::{Api, Begin, StreamId, Wanted};
use crate::result::RecordStream;
use crate::retry::{Backoff, chance};
use crate::routing::{Acquired, Purpose};
use crate::transaction::{EagerResult, collect};
use crate::value::Map;

/// One statement as a retried transaction; made by
/// [`Driver::execute_query`](crate::Driver::execute_query).
#[must_use = "nothing is sent before `.await`"]
pub struct ExecuteQuery<'p, P> {
    pub(super) driver: Arc<Shared>,
    pub(super) statement: Arc<str>,
    pub(super) parameters: P,
    pub(super) manager: Option<BookmarkManager>,
    pub(super) begin: Begin,
    pub(super) auth: Option<AuthToken>,
    pub(super) idempotent: bool,
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

impl<'p, P: ToBolt + Send + Sync + 'p> ExecuteQuery<'p, P> {
    pub(super) fn new(driver: &Arc<Shared>, statement: Arc<str>, parameters: P) -> Self {
        Self {
            driver: Arc::clone(driver),
            statement,
            parameters,
            manager: Some(driver.bookmarks.clone()),
            begin: Begin::default(),
            auth: None,
            idempotent: false,
            of: PhantomData,
        }
    }

    /// Makes something of the result while it comes, within the transaction: a result transformer,
    /// as the official drivers call it. What `transformer` is not asked for is not kept, so a large
    /// result need not fit into memory. The transaction commits when it has succeeded; where it
    /// fails, the transaction is rolled back. It may be called again, with the records of another
    /// attempt, so it should change nothing outside.
    ///
    /// ```no_run
    /// # async fn example(driver: neo_bolt::Driver) -> Result<(), neo_bolt::Error> {
    /// let born: i64 = driver
    ///     .execute_query("MATCH (p:Person {name: 'Alice'}) RETURN p.born", ())
    ///     .transform(async |mut records| records.single().await?.get_at(0))
    ///     .await?;
    /// # let _ = born;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transform<T, E, F, Fut>(self, transformer: F) -> Transform<'p, P, F>
    where
        F: Fn(RecordStream) -> Fut + Send + Sync + 'p,
        Fut: Future<Output = Result<T, E>> + Send,
        E: From<Error>,
    {
        Transform::new(self, transformer)
    }

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
        let (mut api_told, mut lost_commit) = (false, false);
        loop {
            if let Some(manager) = &self.manager {
                self.begin.bookmarks = manager.get_bookmarks().await?;
            }
            let error = match self.attempt(&mut api_told).await {
                Ok(mut result) => {
                    result.follows_lost_commit = lost_commit && !self.begin.read;
                    return Ok(result);
                }
                Err(error) => error.with_attempts(backoff.attempt()),
            };
            // What only reads may always run twice.
            let again = error.may_be_tried_again(self.idempotent || self.begin.read);
            lost_commit |= error.commit_outcome() == CommitOutcome::Unknown;
            let delay = match again {
                true => backoff.next(started.elapsed(), chance()),
                false => None,
            };
            let Some(delay) = delay else {
                // Nobody knows what became of an earlier attempt, whatever the last one came to.
                return Err(match lost_commit && !self.begin.read {
                    true => error.with_unknown_commit(),
                    false => error,
                });
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
        connection.log_statement(&self.statement);
        let machine = connection.machine();
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
        self.committed(&mut lease, stream)
            .await
            .map_err(Error::after_commit)
    }

    /// What is left to do once the transaction is committed.
    async fn committed(&self, lease: &mut Lease, stream: StreamId) -> Result<EagerResult, Error> {
        let answer = lease.connection()?.machine().answer();
        let bookmark = answer.and_then(|answer| answer.get::<String>("bookmark"));
        let result = collect(lease, stream)?;
        if let (Some(manager), Some(bookmark)) = (&self.manager, bookmark) {
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
        let span = tracing::debug_span!(
            "execute_query",
            database = self.begin.database.as_deref(),
            read = self.begin.read,
        );
        Box::pin(self.run().instrument(span))
    }
}
