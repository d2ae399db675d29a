//! A transaction in progress: the connection that it has, shared by its handle and its results.

mod reading;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use super::Memory;
use crate::auth::AuthToken;
use crate::bookmark::Bookmarks;
use crate::callback::BoxFuture;
use crate::connection::{Connection, Waiters};
use crate::error::{CommitOutcome, Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::Lease;
use crate::protocol::{Api, Begin, Records, StreamId, Wanted};
use crate::receipt::{Claimant, Delivery};
use crate::result::{EagerResult, collect};
use crate::retry::RetryPolicy;
use crate::routing::{Acquired, Provider, Purpose};
use crate::summary::ResultSummary;

/// See the module's description.
pub(crate) struct Link {
    provider: Arc<Provider>,
    pub(super) memory: Arc<Memory>,
    pub(super) begin: Begin,
    purpose: Purpose,
    fetch_size: i64,
    /// Each statement is a transaction of its own.
    pub(super) auto_commit: bool,
    attempt: u32,
    /// What the server is told that is used, where it wants to know.
    api: Option<Api>,
    pub(super) delivery: Delivery,
    retry_policy: RetryPolicy,
    api_told: AtomicBool,
    /// This attempt or an earlier one has lost the answer to its COMMIT.
    lost_commit: AtomicBool,
    /// What BEGIN or RUN said that must have been seen, where that was asked for just before.
    sent_bookmarks: OnceLock<Bookmarks>,
    /// It leaves the same behind however often it is done.
    idempotent: bool,
    /// The login of the connection, once there is one.
    login: OnceLock<AuthToken>,
    /// The user's home database, where a router named it for this transaction.
    home: OnceLock<Arc<str>>,
    /// What must be done before the reader of a result is told how it ended.
    after: Mutex<Option<After>>,
    /// Somebody has been told of a failure.
    told: AtomicBool,
    /// Something failed that another attempt may mend.
    retryable: AtomicBool,
    pub(super) state: AsyncMutex<State>,
    /// Results that were dropped while the connection was in other hands.
    dropped: Mutex<Vec<StreamId>>,
    /// What went wrong in the background.
    pub(super) untold: Mutex<Option<Error>>,
    /// The transaction was given up; whoever has the connection lets go of it afterwards.
    given_up: AtomicBool,
    /// Readers of results who wait until others are done with the connection.
    readers: Waiters,
}

pub(super) enum State {
    /// No connection yet: BEGIN leaves with the first statement.
    Waiting,
    Open(Lease),
    /// Over, but for the rest of a result that is still to be read.
    Kept(Option<Batch>),
    Closed,
}

/// The state in one's own hands. Letting go of it wakes those who wait for it.
pub(super) struct Held<'l> {
    // Dropped before `link` is told.
    pub(super) state: MutexGuard<'l, State>,
    _release: Release<'l>,
}

struct Release<'l>(&'l Link);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.close_if_given_up();
        self.0.readers.wake_all();
    }
}

/// A result that is being asked for: given up unless somebody gets it in the end.
struct Unread<'l> {
    link: &'l Link,
    stream: Option<StreamId>,
}

impl Drop for Unread<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.stream {
            self.link.drop_result(stream);
        }
    }
}

/// How a link is made.
pub(crate) struct LinkConfig {
    pub(crate) provider: Arc<Provider>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) begin: Begin,
    pub(crate) fetch_size: i64,
    pub(crate) auto_commit: bool,
    pub(crate) attempt: u32,
    pub(crate) idempotent: bool,
    pub(crate) auth: Option<AuthToken>,
    pub(crate) api: Option<Api>,
    pub(crate) delivery: Delivery,
    pub(crate) retry_policy: RetryPolicy,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

/// Records that came, and how the result ended where it has.
pub(crate) struct Batch {
    pub(crate) records: Records,
    pub(crate) end: Option<Result<ResultSummary, Error>>,
}

impl Batch {
    const EMPTY: Self = Self {
        records: Records::EMPTY,
        end: None,
    };
}

/// Something of the caller's that is to be run.
pub(super) type Work = BoxFuture<'static, Result<(), Error>>;

/// What its reader will be told of a result, and what must be done first.
struct After {
    batch: Batch,
    work: Work,
}

impl Link {
    pub(crate) fn new(config: LinkConfig) -> Arc<Self> {
        let LinkConfig {
            provider,
            memory,
            begin,
            fetch_size,
            auto_commit,
            attempt,
            idempotent,
            auth,
            api,
            delivery,
            retry_policy,
        } = config;
        let purpose = Purpose {
            mode: if begin.read {
                crate::config::AccessMode::Read
            } else {
                crate::config::AccessMode::Write
            },
            database: begin.database.clone(),
            impersonated_user: begin.impersonated_user.clone(),
            auth,
            bookmarks: begin.bookmarks.clone(),
            checked: false,
        };
        Arc::new(Self {
            provider,
            memory,
            begin,
            purpose,
            fetch_size,
            auto_commit,
            attempt,
            api,
            delivery,
            retry_policy,
            api_told: AtomicBool::new(false),
            lost_commit: AtomicBool::new(false),
            sent_bookmarks: OnceLock::new(),
            idempotent,
            login: OnceLock::new(),
            home: OnceLock::new(),
            after: Mutex::default(),
            told: AtomicBool::new(false),
            retryable: AtomicBool::new(false),
            state: AsyncMutex::new(State::Waiting),
            dropped: Mutex::default(),
            untold: Mutex::default(),
            given_up: AtomicBool::new(false),
            readers: Waiters::default(),
        })
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether something failed that another attempt may mend.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable.load(Ordering::Acquire)
    }

    /// Says whether an earlier attempt has lost the answer to its COMMIT: then nobody knows the
    /// outcome of the whole, whatever this one comes to.
    pub(crate) fn comes_after(&self, lost_commit: bool) {
        self.lost_commit.store(lost_commit, Ordering::Release);
    }

    /// Whether this attempt or an earlier one has lost the answer to its COMMIT.
    pub(crate) fn has_lost_commit(&self) -> bool {
        self.lost_commit.load(Ordering::Acquire)
    }

    /// Whether it writes, and what it writes may be there already by an attempt that lost the answer
    /// to its COMMIT.
    pub(crate) fn follows_lost_commit(&self) -> bool {
        !self.begin.read && self.has_lost_commit()
    }

    /// Whether the server knows what is used.
    pub(crate) fn api_was_told(&self) -> bool {
        self.api_told.load(Ordering::Acquire)
    }

    /// What the transaction said that must have been seen.
    pub(super) fn bookmarks(&self) -> &Bookmarks {
        self.sent_bookmarks.get().unwrap_or(&self.begin.bookmarks)
    }

    /// Whether somebody has been told of a failure.
    pub(super) fn was_told(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    pub(super) async fn hold(&self) -> Held<'_> {
        Held {
            state: self.state.lock().await,
            _release: Release(self),
        }
    }

    pub(super) fn try_hold(&self) -> Option<Held<'_>> {
        Some(Held {
            state: self.state.try_lock().ok()?,
            _release: Release(self),
        })
    }

    /// Marks an error with the attempt, and remembers whether to try again.
    pub(super) fn stamp(&self, error: Error) -> Error {
        self.told.store(true, Ordering::Release);
        if error.may_be_tried_again(self.idempotent || self.begin.read) {
            self.retryable.store(true, Ordering::Release);
        }
        if error.commit_outcome() == CommitOutcome::Unknown {
            self.lost_commit.store(true, Ordering::Release);
        }
        let error = match self.follows_lost_commit() {
            true => error.with_unknown_commit(),
            false => error,
        };
        error.with_attempts(self.attempt)
    }

    /// Who asks what became of a lost commit.
    pub(super) fn claimant(&self) -> Claimant {
        let purpose = self.purpose.clone();
        Claimant::new(&self.provider, purpose, &self.begin(), self.retry_policy)
    }

    /// How the transaction begins.
    pub(super) fn begin(&self) -> Cow<'_, Begin> {
        if self.home.get().is_none() && self.sent_bookmarks.get().is_none() {
            return Cow::Borrowed(&self.begin);
        }
        let mut begin = self.begin.clone();
        if let Some(home) = self.home.get() {
            begin.database = Some(Arc::clone(home));
        }
        begin.bookmarks = self.bookmarks().clone();
        Cow::Owned(begin)
    }

    /// Sends BEGIN, and waits until the server has taken it.
    pub(crate) async fn begin_now(&self) -> Result<(), Error> {
        let mut held = self.hold().await;
        let begin = async {
            let lease = self.open(&mut held.state).await?;
            self.drive(lease, Wanted::Idle).await?;
            let failure = lease.connection()?.failure();
            failure.map_or(Ok(()), |failure| Err(failure.again()))
        };
        match begin.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.told(error).await),
        }
    }

    /// Opens the connection if there is none yet; BEGIN is queued, and leaves with what follows.
    pub(super) async fn open<'s>(&self, state: &'s mut State) -> Result<&'s mut Lease, Error> {
        let over = || {
            Error::new(
                ErrorKind::TransactionClosed,
                "the transaction is over; begin another",
            )
        };
        if self.given_up.load(Ordering::Acquire) {
            return Err(over());
        }
        if let State::Waiting = state {
            let Acquired { mut lease, home } = self.provider.acquire(&self.purpose).await?;
            if let Some(home) = home {
                self.memory.pin_home(&home);
                let _ = self.home.set(home);
            }
            if self.memory.has_supplier() {
                // Finding a member may have taken a while.
                let _ = self.sent_bookmarks.set(self.memory.bookmarks().await?);
            }
            let connection = lease.connection()?;
            let _ = self.login.set(connection.auth().clone());
            connection.tell_usage(self.api)?;
            if !self.auto_commit {
                connection.machine().begin(&self.begin())?;
            }
            *state = State::Open(lease);
        }
        let State::Open(lease) = state else {
            return Err(over());
        };
        self.forget_dropped(lease)?;
        if lease.connection()?.machine_ref().is_defunct() {
            return Err(Error::new(
                ErrorKind::TransactionClosed,
                "the transaction lost its connection before, and can't go on",
            ));
        }
        if let Some(failure) = lease.connection()?.failure() {
            return Err(Error::new(
                ErrorKind::TransactionClosed,
                format!(
                    "the transaction failed before, and can't go on: {}",
                    failure.message()
                ),
            ));
        }
        Ok(lease)
    }

    /// Passes on which results were dropped while the connection was in other hands.
    pub(super) fn forget_dropped(&self, lease: &mut Lease) -> Result<(), Error> {
        let dropped = {
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *dropped)
        };
        let machine = lease.connection()?.machine();
        dropped
            .into_iter()
            .for_each(|stream| machine.forget(stream));
        Ok(())
    }

    /// Runs one exchange; what fails teaches the routing.
    pub(super) async fn drive(&self, lease: &mut Lease, wanted: Wanted) -> Result<(), Error> {
        let connection = lease.connection()?;
        let driven = connection.drive(wanted).await;
        self.learn(connection, &driven);
        self.learn_home(connection);
        driven
    }

    /// The server may tell in which database it ran what named none.
    fn learn_home(&self, connection: &mut Connection) {
        if connection.machine().telemetry_taken() {
            self.api_told.store(true, Ordering::Release);
        }
        if let Some(database) = connection.machine().take_database()
            && self.purpose.database.is_none()
            && self.provider.is_routed()
        {
            self.memory.pin_home(&database);
            self.provider.learn_home(&self.purpose, &database);
        }
    }

    /// Whoever gives out the logins may have another one.
    fn may_be_mended(&self, error: &Error) -> bool {
        error.is_security()
            && self.purpose.auth.is_none()
            && self.provider.pool().logins().are_managed()
    }

    /// As [`stamp`](Self::stamp), once whoever gives out the logins has heard of it.
    pub(super) async fn told(&self, mut error: Error) -> Error {
        if self.may_be_mended(&error)
            && let Some(login) = self.login.get()
        {
            error = self.provider.pool().logins().refused(login, error).await;
        }
        self.stamp(error)
    }

    fn learn(&self, connection: &Connection, driven: &Result<(), Error>) {
        if let Some(error) = driven.as_ref().err().or(connection.failure()) {
            let home = self.memory.home();
            let database = self.purpose.database.as_ref().or(home.as_ref());
            self.provider.learn(error, connection.address(), database);
        }
    }

    /// Queues a statement and the request for its first `size` records.
    async fn send<'s>(
        &self,
        state: &'s mut State,
        unread: &mut Unread<'_>,
        (statement, parameters): (&Arc<str>, &(dyn ToBolt + Sync)),
        size: i64,
    ) -> Result<(&'s mut Lease, StreamId), Error> {
        let lease = self.open(state).await?;
        let begin = self.auto_commit.then(|| self.begin());
        let connection = lease.connection()?;
        let machine = connection.machine();
        let stream = machine.run(statement, parameters, begin.as_deref())?;
        connection.log_statement(statement);
        unread.stream = Some(stream);
        connection.machine().pull(stream, size)?;
        Ok((lease, stream))
    }

    /// Sends a statement and waits for its columns.
    pub(crate) async fn run(
        &self,
        statement: &Arc<str>,
        parameters: &(dyn ToBolt + Sync),
    ) -> Result<(StreamId, Arc<[String]>), Error> {
        let mut held = self.hold().await;
        let mut unread = Unread {
            link: self,
            stream: None,
        };
        let run = async {
            let query = (statement, parameters);
            let (lease, stream) = self
                .send(&mut held.state, &mut unread, query, self.fetch_size)
                .await?;
            self.drive(lease, Wanted::Keys(stream)).await?;
            let machine = lease.connection()?.machine();
            match (machine.keys(stream), machine.failure()) {
                (Some(keys), _) => Ok((stream, keys)),
                (None, Some(failure)) => Err(failure.again()),
                (None, None) => Err(Error::new(ErrorKind::Protocol, "a result without columns")),
            }
        };
        match run.await {
            Ok(ran) => {
                unread.stream = None;
                Ok(ran)
            }
            Err(error) => Err(self.told(error).await),
        }
    }

    /// Sends a statement and takes its whole result, in one round trip.
    pub(crate) async fn execute(
        &self,
        statement: &Arc<str>,
        parameters: &(dyn ToBolt + Sync),
    ) -> Result<EagerResult, Error> {
        let mut held = self.hold().await;
        let mut unread = Unread {
            link: self,
            stream: None,
        };
        let execute = async {
            let query = (statement, parameters);
            let (lease, stream) = self.send(&mut held.state, &mut unread, query, -1).await?;
            self.drive(lease, Wanted::Idle).await?;
            collect(lease, stream)
        };
        match execute.await {
            Ok(mut result) => {
                result.follows_lost_commit = self.follows_lost_commit();
                Ok(result)
            }
            Err(error) => Err(self.told(error).await),
        }
    }

    /// Gives the transaction up without waiting: the connection goes back to the pool, and a
    /// RESET rolls back.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
        self.close_if_given_up();
    }

    fn close_if_given_up(&self) {
        if self.given_up.load(Ordering::Acquire)
            && let Ok(mut state) = self.state.try_lock()
        {
            *state = State::Closed;
        }
    }

    pub(super) fn drop_result(&self, stream: StreamId) {
        self.dropped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
    }

    /// Whether it is a transaction that the caller sees, and it is over.
    pub(crate) fn was_closed(&self) -> bool {
        !self.auto_commit
            && (self.given_up.load(Ordering::Acquire)
                || self
                    .try_hold()
                    .is_some_and(|held| matches!(*held.state, State::Closed)))
    }

    pub(crate) async fn is_closed(&self) -> bool {
        let mut held = self.hold().await;
        match &mut *held.state {
            State::Closed => true,
            // The server has ended it, or will when it sees the connection gone.
            State::Open(lease) => lease.connection().is_ok_and(|connection| {
                connection.failure().is_some() || connection.machine_ref().is_defunct()
            }),
            State::Waiting | State::Kept(_) => false,
        }
    }
}

fn ended() -> Error {
    Error::new(
        ErrorKind::ResultConsumed,
        "the transaction was closed before all of the result was read; its records are gone",
    )
}
