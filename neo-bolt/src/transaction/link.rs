//! A transaction in progress: the connection that it has, shared by its handle and its results.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Mutex as AsyncMutex;

use super::EagerResult;
use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::error::{Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::Lease;
use crate::protocol::{Begin, End, StreamId, Wanted};
use crate::record::Record;
use crate::routing::{Provider, Purpose};
use crate::summary::{ResultSummary, ServerInfo};

/// What a session remembers from one transaction to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) bookmarks: Mutex<Bookmarks>,
    pub(crate) manager: Option<BookmarkManager>,
}

impl Memory {
    /// What the next transaction must have seen.
    pub(crate) fn bookmarks(&self) -> Bookmarks {
        let own = self
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &self.manager {
            Some(manager) => own.union(&manager.bookmarks()),
            None => own.clone(),
        }
    }

    fn committed(&self, before: &Bookmarks, bookmark: Option<String>) {
        let Some(bookmark) = bookmark else { return };
        let new = Bookmarks::from_raw_values([bookmark]);
        if let Some(manager) = &self.manager {
            manager.update(before, new.clone());
        }
        *self
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = new;
    }
}

/// See the module's description.
pub(crate) struct Link {
    provider: Arc<Provider>,
    memory: Arc<Memory>,
    begin: Begin,
    purpose: Purpose,
    fetch_size: i64,
    /// Each statement is a transaction of its own.
    auto_commit: bool,
    attempt: u32,
    /// Something failed that another attempt may mend.
    retryable: AtomicBool,
    state: AsyncMutex<State>,
    /// Results that were dropped while the connection was in other hands.
    dropped: Mutex<Vec<StreamId>>,
}

enum State {
    /// No connection yet: BEGIN leaves with the first statement.
    Waiting,
    Open(Lease),
    Closed,
}

/// How a link is made.
pub(crate) struct LinkConfig {
    pub(crate) provider: Arc<Provider>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) begin: Begin,
    pub(crate) fetch_size: i64,
    pub(crate) auto_commit: bool,
    pub(crate) attempt: u32,
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
    pub(crate) records: VecDeque<Bytes>,
    pub(crate) end: Option<Result<ResultSummary, Error>>,
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
        } = config;
        let purpose = Purpose {
            mode: if begin.read {
                crate::config::AccessMode::Read
            } else {
                crate::config::AccessMode::Write
            },
            database: begin.database.clone(),
            impersonated_user: begin.impersonated_user.clone(),
            bookmarks: begin.bookmarks.clone(),
        };
        Arc::new(Self {
            provider,
            memory,
            begin,
            purpose,
            fetch_size,
            auto_commit,
            attempt,
            retryable: AtomicBool::new(false),
            state: AsyncMutex::new(State::Waiting),
            dropped: Mutex::default(),
        })
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether something failed that another attempt may mend.
    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable.load(Ordering::Acquire)
    }

    /// Marks an error with the attempt, and remembers whether to try again.
    fn stamp(&self, error: Error) -> Error {
        if error.is_retryable() {
            self.retryable.store(true, Ordering::Release);
        }
        error.with_attempts(self.attempt)
    }

    /// Opens the connection if there is none yet; BEGIN is queued, and leaves with what follows.
    async fn open<'s>(&self, state: &'s mut State) -> Result<&'s mut Lease, Error> {
        if let State::Waiting = state {
            let mut lease = self.provider.acquire(&self.purpose).await?;
            if !self.auto_commit {
                lease.connection()?.machine().begin(&self.begin)?;
            }
            *state = State::Open(lease);
        }
        let State::Open(lease) = state else {
            return Err(Error::new(
                ErrorKind::TransactionClosed,
                "the transaction is over; begin another",
            ));
        };
        let dropped = {
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *dropped)
        };
        let machine = lease.connection()?.machine();
        if let Some(failure) = machine.failure() {
            return Err(Error::new(
                ErrorKind::TransactionClosed,
                format!(
                    "the transaction failed before, and can't go on: {}",
                    failure.message()
                ),
            ));
        }
        dropped
            .into_iter()
            .for_each(|stream| machine.forget(stream));
        Ok(lease)
    }

    /// Runs one exchange; a lost connection closes the transaction and teaches the routing.
    async fn drive(&self, lease: &mut Lease, wanted: Wanted) -> Result<(), Error> {
        let connection = lease.connection()?;
        let driven = connection.drive(wanted).await;
        let error = match (&driven, connection.failure()) {
            (Err(error), _) | (Ok(()), Some(error)) => error,
            (Ok(()), None) => return Ok(()),
        };
        self.provider.learn(error, connection.address());
        driven
    }

    /// Sends a statement and waits for its columns.
    pub(crate) async fn run(
        self: &Arc<Self>,
        statement: &str,
        parameters: &(dyn ToBolt + Sync),
    ) -> Result<(StreamId, Arc<[String]>), Error> {
        let mut state = self.state.lock().await;
        let run = async {
            let lease = self.open(&mut state).await?;
            let begin = self.auto_commit.then_some(&self.begin);
            let machine = lease.connection()?.machine();
            let stream = machine.run(statement, parameters, begin)?;
            machine.pull(stream, self.fetch_size)?;
            self.drive(lease, Wanted::Keys(stream)).await?;
            let machine = lease.connection()?.machine();
            match (machine.keys(stream), machine.failure()) {
                (Some(keys), _) => Ok((stream, keys)),
                (None, Some(failure)) => Err(failure.again()),
                (None, None) => Err(Error::new(ErrorKind::Protocol, "a result without columns")),
            }
        };
        run.await.map_err(|error| self.stamp(error))
    }

    /// Sends a statement and takes its whole result, in one round trip.
    pub(crate) async fn execute(
        self: &Arc<Self>,
        statement: &str,
        parameters: &(dyn ToBolt + Sync),
    ) -> Result<EagerResult, Error> {
        let mut state = self.state.lock().await;
        let execute = async {
            let lease = self.open(&mut state).await?;
            let begin = self.auto_commit.then_some(&self.begin);
            let machine = lease.connection()?.machine();
            let stream = machine.run(statement, parameters, begin)?;
            machine.pull(stream, -1)?;
            self.drive(lease, Wanted::Idle).await?;
            collect(lease, stream)
        };
        execute.await.map_err(|error| self.stamp(error))
    }

    /// The next records of a result. Asks for more as soon as a batch has come, so that the
    /// server works while the caller reads.
    pub(crate) async fn refill(self: Arc<Self>, stream: StreamId) -> Batch {
        let mut state = self.state.lock().await;
        let refilled = self.refill_locked(&mut state, stream).await;
        refilled.unwrap_or_else(|error| Batch {
            records: VecDeque::new(),
            end: Some(Err(self.stamp(error))),
        })
    }

    async fn refill_locked(&self, state: &mut State, stream: StreamId) -> Result<Batch, Error> {
        let State::Open(lease) = state else {
            return Err(Error::new(
                ErrorKind::TransactionClosed,
                "the result ended with its transaction before all of it was read",
            ));
        };
        if lease.connection()?.machine().wants_pull(stream) {
            let machine = lease.connection()?.machine();
            machine.pull(stream, self.fetch_size)?;
        }
        self.drive(lease, Wanted::Records(stream)).await?;
        let server = server_info(lease)?;
        let machine = lease.connection()?.machine();
        let (records, end) = machine.take_records(stream);
        if end.is_none() && machine.wants_pull(stream) {
            machine.pull(stream, self.fetch_size)?;
            // Nothing is waited for: the request leaves, and its answer comes with the next call.
            lease.connection()?.send_now()?;
        }
        let end = end.map(|end| match end {
            End::Failed(error) => Err(self.stamp(error)),
            End::Complete { run, pull } => {
                if self.auto_commit {
                    let bookmark = pull.as_ref().and_then(|pull| pull.get("bookmark"));
                    self.memory.committed(&self.begin.bookmarks, bookmark);
                }
                Ok(ResultSummary { run, pull, server })
            }
        });
        if self.auto_commit && end.is_some() {
            *state = State::Closed;
        }
        Ok(Batch { records, end })
    }

    /// Commits. Results that are still open are thrown away first, as by the official drivers.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        if let State::Waiting = *state {
            // Nothing was run, so there is nothing to commit.
            *state = State::Closed;
            return Ok(());
        }
        let commit = async {
            let lease = self.open(&mut state).await?;
            self.settle(lease).await?;
            lease.connection()?.machine().commit()?;
            self.drive(lease, Wanted::Idle).await?;
            let machine = lease.connection()?.machine();
            if let Some(failure) = machine.failure() {
                return Err(failure.again());
            }
            let bookmark = machine.answer().and_then(|answer| answer.get("bookmark"));
            self.memory.committed(&self.begin.bookmarks, bookmark);
            Ok(())
        };
        let committed = commit.await;
        *state = State::Closed;
        committed.map_err(|error| self.stamp(error))
    }

    /// Brings every open result to its end, as a server wants it before COMMIT.
    async fn settle(&self, lease: &mut Lease) -> Result<(), Error> {
        loop {
            self.drive(lease, Wanted::Idle).await?;
            let machine = lease.connection()?.machine();
            if let Some(failure) = machine.failure() {
                return Err(failure.again());
            }
            let open: Vec<_> = machine.open_results().collect();
            if open.is_empty() {
                return Ok(());
            }
            open.into_iter()
                .try_for_each(|stream| machine.discard(stream))?;
        }
    }

    /// Rolls back, and waits until the server has.
    pub(crate) async fn rollback(&self) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        let previous = std::mem::replace(&mut *state, State::Closed);
        let State::Open(mut lease) = previous else {
            return Ok(());
        };
        let connection = lease.connection()?;
        if connection.machine().failure().is_some() || connection.machine().is_defunct() {
            // The server has rolled back already, or will when it sees the connection gone.
            return Ok(());
        }
        connection
            .drive(Wanted::Idle)
            .await
            .map_err(|error| self.stamp(error))?;
        if connection.machine().open_results().next().is_some() {
            // A RESET ends results and transaction alike.
            connection.machine().reset()?;
        } else if connection.machine().failure().is_none() {
            connection.machine().rollback()?;
        }
        connection
            .drive(Wanted::Idle)
            .await
            .map_err(|error| self.stamp(error))
    }

    /// Ends the transaction without waiting: the connection goes back to the pool with a RESET.
    pub(crate) async fn abandon(&self) {
        *self.state.lock().await = State::Closed;
    }

    /// Nobody reads this result any more.
    pub(crate) fn forget(self: &Arc<Self>, stream: StreamId) {
        let Ok(mut state) = self.state.try_lock() else {
            self.dropped
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(stream);
            return;
        };
        if !self.auto_commit {
            if let State::Open(lease) = &mut *state
                && let Ok(connection) = lease.connection()
            {
                connection.machine().forget(stream);
            }
            return;
        }
        let State::Open(lease) = std::mem::replace(&mut *state, State::Closed) else {
            return;
        };
        // A read may be cut short. A write commits when its result is at its end, so somebody
        // must bring it there, or it would be undone without a word.
        if !self.begin.read
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(Arc::clone(self).finish(lease, stream));
        }
    }

    /// Brings an auto-commit transaction to its end.
    async fn finish(self: Arc<Self>, mut lease: Lease, stream: StreamId) {
        let finish = async {
            self.settle(&mut lease).await?;
            if let (
                _,
                Some(End::Complete {
                    pull: Some(pull), ..
                }),
            ) = lease.connection()?.machine().take_records(stream)
            {
                self.memory
                    .committed(&self.begin.bookmarks, pull.get("bookmark"));
            }
            Ok::<_, Error>(())
        };
        let finished = tokio::time::timeout(self.provider.pool().connection_timeout(), finish);
        match finished.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a dropped auto-commit result failed"),
            Err(_) => tracing::warn!("a dropped auto-commit result took too long and was undone"),
        }
    }

    pub(crate) async fn is_closed(&self) -> bool {
        matches!(*self.state.lock().await, State::Closed)
    }
}

pub(crate) fn server_info(lease: &mut Lease) -> Result<ServerInfo, Error> {
    let connection = lease.connection()?;
    Ok(ServerInfo {
        address: connection.address().clone(),
        agent: connection.server_agent().to_owned(),
        protocol_version: connection.machine().version(),
    })
}

/// Takes a result that has come whole.
pub(crate) fn collect(lease: &mut Lease, stream: StreamId) -> Result<EagerResult, Error> {
    let server = server_info(lease)?;
    let machine = lease.connection()?.machine();
    if let Some(failure) = machine.failure() {
        return Err(failure.again());
    }
    let keys = machine
        .keys(stream)
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "a result without columns"))?;
    let (bodies, end) = machine.take_records(stream);
    let summary = match end {
        Some(End::Complete { run, pull }) => ResultSummary { run, pull, server },
        Some(End::Failed(error)) => return Err(error),
        None => return Err(Error::new(ErrorKind::Protocol, "a result without an end")),
    };
    let records = bodies
        .into_iter()
        .map(|body| Record::new(Arc::clone(&keys), body))
        .collect::<Result<_, _>>()?;
    Ok(EagerResult {
        keys,
        records,
        summary,
    })
}
