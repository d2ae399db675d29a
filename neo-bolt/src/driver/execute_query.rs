//! One statement as a retried transaction.

use std::borrow::Cow;
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
use crate::error::{CommitOutcome, Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::Lease;
use crate::protocol::{Api, Begin, StreamId, Wanted};
use crate::receipt::{
    Claim, Claimant, Delivery, LostConnection, Slot, Slots, WithReceipt, store_receipt,
};
use crate::result::{EagerResult, RecordStream, collect};
use crate::retry::{Backoff, chance};
use crate::routing::{Acquired, Purpose};
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
    pub(super) exactly_once: Option<ReceiptBy>,
    pub(super) pipelined_commit: bool,
    /// For how long the parameters last.
    of: PhantomData<&'p ()>,
}

/// What stores the receipt.
#[derive(Debug, Clone)]
pub(super) enum ReceiptBy {
    /// A statement of its own, after this one has succeeded.
    Itself,
    /// This variant of the statement, together with these columns of its result.
    Statement(Arc<str>, Vec<&'static str>),
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
            exactly_once: None,
            pipelined_commit: false,
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

    /// Declares that running the statement again leaves the same result in the database. Then COMMIT
    /// leaves together with the statement, and the statement is also retried if the connection is
    /// lost between COMMIT and its answer.
    ///
    /// Otherwise a statement that writes is committed when it has succeeded, which takes a second
    /// round trip, and the outcome of a lost commit is
    /// [`CommitOutcome::Unknown`](crate::CommitOutcome::Unknown) unless
    /// [`exactly_once`](Self::exactly_once) decides it.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Commits a receipt together with the statement, if that writes. If the connection is lost
    /// between COMMIT and its answer, the receipt decides whether the result is returned or the
    /// statement is retried; see
    /// [`TransactionConfig::exactly_once`](crate::TransactionConfig::exactly_once). The receipt leaves
    /// with COMMIT and costs no round trip.
    pub fn exactly_once(mut self, exactly_once: bool) -> Self {
        self.exactly_once = exactly_once.then_some(ReceiptBy::Itself);
        self
    }

    /// As [`exactly_once`](Self::exactly_once), for a statement that can store its own receipt:
    /// `statement` is the variant of it that [`ReceiptStatement::append`](crate::ReceiptStatement::append)
    /// writes. Then everything leaves in one flush and takes one round trip. `stored` are the names of
    /// the columns that are kept with the receipt. If the result is lost with the answer to COMMIT, it
    /// is read again from there, without the other columns; see
    /// [`EagerResult::is_recovered`](crate::EagerResult::is_recovered).
    ///
    /// On a database without the constraint for receipts, the statement that was given first runs.
    pub fn stores_receipt(
        mut self,
        statement: impl Into<Arc<str>>,
        stored: impl Into<Vec<&'static str>>,
    ) -> Self {
        self.exactly_once = Some(ReceiptBy::Statement(statement.into(), stored.into()));
        self
    }

    /// Sends COMMIT together with a statement that writes: one round trip instead of two. Default:
    /// off, as in the official drivers.
    ///
    /// Then the outcome of the commit is already in doubt if the connection is lost while the
    /// statement runs. With [`exactly_once`](Self::exactly_once) the receipt decides it, but the
    /// result may be lost: that is an error with
    /// [`CommitOutcome::Committed`](crate::CommitOutcome::Committed). Statements that change the schema
    /// cannot have a receipt.
    pub fn pipelined_commit(mut self, pipelined: bool) -> Self {
        self.pipelined_commit = pipelined;
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
        let delivery = match self.exactly_once {
            Some(_) if !self.begin.read && !self.idempotent => {
                self.driver
                    .delivery(&self.begin, self.auth.as_ref())
                    .await?
            }
            _ => Delivery::Plain,
        };
        let mut backoff = Backoff::new(self.driver.config.retry_policy);
        let started = Instant::now();
        let (mut api_told, mut lost_commit) = (false, false);
        loop {
            if let Some(manager) = &self.manager {
                self.begin.bookmarks = manager.get_bookmarks().await?;
            }
            let error = match self.attempt(&delivery, &mut api_told).await {
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

    fn purpose(&self) -> Purpose {
        Purpose {
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
        }
    }

    async fn attempt(
        &mut self,
        delivery: &Delivery,
        api_told: &mut bool,
    ) -> Result<EagerResult, Error> {
        let purpose = self.purpose();
        let provider = Arc::clone(&self.driver.provider);
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
        let mut begin = Cow::Borrowed(&self.begin);
        if let Some(home) = &home {
            begin.to_mut().database = Some(Arc::clone(home));
        }
        machine.begin(&begin)?;
        let mut sent = Sent::default();
        let exchanged = self.exchange(&mut lease, delivery, &mut sent).await;
        let connection = lease.connection()?;
        sent.commit_failed = connection.machine().commit_failed();
        *api_told |= connection.machine().telemetry_taken();
        let failed = exchanged.as_ref().err().or(connection.failure());
        if let Some(error) = failed {
            let database = purpose.database.as_ref().or(home.as_ref());
            provider.learn(error, connection.address(), database);
            let (login, error) = (connection.auth().clone(), error.again());
            let pool = provider.pool();
            let error = pool.refused(self.auth.as_ref(), &login, error).await;
            let claimant = self.driver.claimant(&begin, self.auth.as_ref());
            sent.connection = LostConnection::new(lease.connection()?);
            // A pool may have no more than this connection.
            drop(lease);
            return self.decide(error, sent, delivery, claimant).await;
        }
        if let Some(database) = connection.machine().take_database()
            && purpose.database.is_none()
            && provider.is_routed()
        {
            provider.learn_home(&purpose, &database);
        }
        let answer = connection.machine().answer();
        let bookmark = answer.and_then(|answer| answer.get::<String>("bookmark"));
        let result = match sent {
            Sent {
                result: Some(result),
                ..
            } => Ok(result),
            Sent { stream, .. } => match stream {
                Some(stream) => collect(&mut lease, stream),
                None => Err(Error::new(ErrorKind::Protocol, "no statement was sent")),
            },
        };
        if let Some(slot) = sent.slot {
            slot.release();
        }
        self.committed(bookmark).await?;
        result.map_err(Error::after_commit)
    }

    /// Whether COMMIT may leave together with the statement.
    fn commits_at_once(&self) -> bool {
        match self.exactly_once {
            Some(ReceiptBy::Statement(..)) => true,
            _ => self.begin.read || self.idempotent || self.pipelined_commit,
        }
    }

    /// Sends the statement and COMMIT, and receives the result.
    async fn exchange(
        &self,
        lease: &mut Lease,
        delivery: &Delivery,
        sent: &mut Sent,
    ) -> Result<(), Error> {
        let slots = match delivery {
            Delivery::ExactlyOnce(slots) => Some(slots),
            _ => None,
        };
        let connection = lease.connection()?;
        let machine = connection.machine();
        let (statement, stream) = match (&self.exactly_once, slots) {
            (Some(ReceiptBy::Statement(statement, _)), Some(slots)) => {
                let slot = sent.slot.insert(slots.take());
                let parameters = WithReceipt {
                    parameters: &self.parameters,
                    slot,
                };
                (statement, machine.run(statement, &parameters, None)?)
            }
            _ => {
                let statement = &self.statement;
                (statement, machine.run(statement, &self.parameters, None)?)
            }
        };
        sent.stream = Some(stream);
        connection.log_statement(statement);
        let size = self.driver.config.fetch_size.unwrap_or(FetchSize::All);
        connection.machine().pull(stream, size.count())?;
        let slots = slots.filter(|_| sent.slot.is_none());
        if size == FetchSize::All && self.commits_at_once() {
            // A failure above makes the server ignore what follows.
            return commit(connection, slots, sent).await;
        }
        connection.drive(Wanted::Idle).await?;
        while connection.machine().wants_pull(stream) {
            connection.machine().pull(stream, size.count())?;
            connection.drive(Wanted::Idle).await?;
        }
        if connection.failure().is_some() {
            return Ok(());
        }
        // From here on the result is not lost with the connection.
        sent.result = Some(collect(lease, stream)?);
        let connection = lease.connection()?;
        let effects = connection.machine().effects();
        sent.only_read = effects.only_read();
        let slots = slots.filter(|_| effects.need_receipt());
        commit(connection, slots, sent).await
    }

    /// Finds out whether an attempt that failed took effect: then returns its result.
    async fn decide(
        &self,
        error: Error,
        sent: Sent,
        delivery: &Delivery,
        claimant: Claimant,
    ) -> Result<EagerResult, Error> {
        let unknown = error.commit_outcome() == CommitOutcome::Unknown;
        if unknown
            && sent.only_read
            && !matches!(delivery, Delivery::Plain)
            && let Some(result) = sent.result
        {
            return Ok(result);
        }
        let (slots, slot) = match (delivery, sent.slot) {
            (Delivery::ExactlyOnce(slots), Some(slot)) if unknown || sent.commit_failed => {
                (slots, slot)
            }
            (Delivery::WithoutConstraint, _) if !self.idempotent => {
                return Err(error.without_receipts());
            }
            (_, slot) => {
                if let Some(slot) = slot.filter(|_| error.leaves_slot()) {
                    slot.release();
                }
                return Err(error);
            }
        };
        let columns = match &self.exactly_once {
            Some(ReceiptBy::Statement(_, columns)) => Some(columns.as_slice()),
            _ => None,
        };
        let connection = sent.connection.as_ref();
        let claim = slots.claim(&claimant, slot, columns.unwrap_or_default(), connection);
        match claim.await {
            Ok(Claim::Committed { stored, bookmark }) => {
                self.committed(bookmark).await?;
                let recovered = columns.map(|_| stored.recovered());
                sent.result.or(recovered).ok_or_else(|| {
                    let lost = "the transaction was committed, and its result was lost";
                    Error::new(ErrorKind::ServiceUnavailable, lost).after_commit()
                })
            }
            // The server has said why.
            Ok(Claim::NotCommitted) if sent.commit_failed => Err(error),
            Ok(Claim::NotCommitted) => Err(error.not_committed()),
            Err(claim) => Err(error.undecided(&claim)),
        }
    }

    /// What is left to do once the transaction is committed.
    async fn committed(&self, bookmark: Option<String>) -> Result<(), Error> {
        if let (Some(manager), Some(bookmark)) = (&self.manager, bookmark) {
            let new = Bookmarks::from_raw_values([bookmark]);
            let updated = manager.update_bookmarks(&self.begin.bookmarks, new).await;
            updated.map_err(Error::after_commit)?;
        }
        Ok(())
    }
}

/// Sends COMMIT, after a statement that stores a receipt if there are `slots` for it.
async fn commit(
    connection: &mut Connection,
    slots: Option<&Arc<Slots>>,
    sent: &mut Sent,
) -> Result<(), Error> {
    let machine = connection.machine();
    let mut stored = None;
    if let Some(slots) = slots {
        let slot = sent.slot.insert(slots.take());
        let stream = machine.run(&store_receipt(), &*slot, None)?;
        machine.pull(stream, -1)?;
        stored = Some(stream);
    }
    machine.commit()?;
    connection.drive(Wanted::Idle).await?;
    if let Some(stream) = stored {
        // It has no rows.
        let _ = connection.machine().take_records(stream);
    }
    Ok(())
}

/// What an attempt has sent, and received before COMMIT.
#[derive(Default)]
struct Sent {
    stream: Option<StreamId>,
    slot: Option<Slot>,
    result: Option<EagerResult>,
    /// There is nothing to commit.
    only_read: bool,
    /// The server has answered COMMIT with a failure.
    commit_failed: bool,
    /// The connection, once it is lost.
    connection: Option<LostConnection>,
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
