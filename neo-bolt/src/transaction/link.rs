//! A transaction in progress: the connection that it has, shared by its handle and its results.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

use super::{EagerResult, Memory};
use crate::connection::{Connection, Waiters};
use crate::error::{Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::pool::Lease;
use crate::protocol::{Begin, End, StreamId, Wanted};
use crate::record::Record;
use crate::routing::{Provider, Purpose};
use crate::summary::{ResultSummary, ServerInfo};

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
    /// It leaves the same behind however often it is done.
    idempotent: bool,
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
            idempotent,
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
            idempotent,
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
        if error.may_be_tried_again(self.idempotent || self.begin.read) {
            self.retryable.store(true, Ordering::Release);
        }
        error.with_attempts(self.attempt)
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
            let mut lease = self.provider.acquire(&self.purpose).await?;
            if !self.auto_commit {
                lease.connection()?.machine().begin(&self.begin)?;
            }
            *state = State::Open(lease);
        }
        let State::Open(lease) = state else {
            return Err(over());
        };
        self.forget_dropped(lease)?;
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
        driven
    }

    fn learn(&self, connection: &Connection, driven: &Result<(), Error>) {
        if let Some(error) = driven.as_ref().err().or(connection.failure()) {
            self.provider.learn(error, connection.address());
        }
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
            let lease = self.open(&mut held.state).await?;
            let begin = self.auto_commit.then_some(&self.begin);
            let machine = lease.connection()?.machine();
            let stream = machine.run(statement, parameters, begin)?;
            unread.stream = Some(stream);
            machine.pull(stream, self.fetch_size)?;
            self.drive(lease, Wanted::Keys(stream)).await?;
            let machine = lease.connection()?.machine();
            match (machine.keys(stream), machine.failure()) {
                (Some(keys), _) => Ok((stream, keys)),
                (None, Some(failure)) => Err(failure.again()),
                (None, None) => Err(Error::new(ErrorKind::Protocol, "a result without columns")),
            }
        };
        let ran = run.await.map_err(|error| self.stamp(error))?;
        unread.stream = None;
        Ok(ran)
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
            let lease = self.open(&mut held.state).await?;
            let begin = self.auto_commit.then_some(&self.begin);
            let machine = lease.connection()?.machine();
            let stream = machine.run(statement, parameters, begin)?;
            unread.stream = Some(stream);
            machine.pull(stream, -1)?;
            self.drive(lease, Wanted::Idle).await?;
            collect(lease, stream)
        };
        execute.await.map_err(|error| self.stamp(error))
    }

    /// The next records of a result. Asks for more as soon as a batch has come, so that the
    /// server works while the caller reads; `discard` asks for the end without the records.
    ///
    /// Between two polls the connection is free for others.
    pub(crate) fn poll_refill(
        &self,
        cx: &mut Context<'_>,
        stream: StreamId,
        discard: bool,
    ) -> Poll<Batch> {
        let held = self.try_hold().or_else(|| {
            self.readers.add(cx.waker());
            // It may have been let go just before.
            self.try_hold()
        });
        let Some(mut held) = held else {
            return Poll::Pending;
        };
        let refilled = ready!(self.poll_refill_held(cx, &mut held.state, stream, discard));
        Poll::Ready(refilled.unwrap_or_else(|error| Batch {
            records: VecDeque::new(),
            end: Some(Err(self.stamp(error))),
        }))
    }

    fn poll_refill_held(
        &self,
        cx: &mut Context<'_>,
        state: &mut State,
        stream: StreamId,
        discard: bool,
    ) -> Poll<Result<Batch, Error>> {
        let lease = match state {
            State::Open(lease) => lease,
            State::Kept(batch) if batch.is_some() => {
                return Poll::Ready(batch.take().ok_or_else(ended));
            }
            _ => return Poll::Ready(Err(ended())),
        };
        let connection = lease.connection()?;
        if connection.machine().wants_pull(stream) {
            self.ask_for_more(connection, stream, discard)?;
        }
        let driven = ready!(connection.poll_drive(cx, Wanted::Records(stream)));
        self.learn(connection, &driven);
        driven?;
        let (records, end) = connection.machine().take_records(stream);
        if end.is_none() && connection.machine().wants_pull(stream) {
            self.ask_for_more(connection, stream, discard)?;
            // Nothing is waited for: the request leaves, and its answer comes with the next call.
            connection.send_now()?;
        }
        let end = match end {
            None => None,
            Some(end) => Some(self.ended_by(end, server_info(lease)?)),
        };
        if self.auto_commit && end.is_some() {
            *state = State::Closed;
        }
        Poll::Ready(Ok(Batch { records, end }))
    }

    fn ask_for_more(
        &self,
        connection: &mut Connection,
        stream: StreamId,
        discard: bool,
    ) -> Result<(), Error> {
        let machine = connection.machine();
        if discard {
            machine.discard(stream)
        } else {
            machine.pull(stream, self.fetch_size)
        }
    }

    /// What the end of a result means to its reader, and to the session.
    pub(super) fn ended_by(&self, end: End, server: ServerInfo) -> Result<ResultSummary, Error> {
        match end {
            End::Failed(error) => Err(self.stamp(error)),
            End::Complete(completed) => {
                if self.auto_commit {
                    let pull = completed.pull.as_ref();
                    let bookmark = pull.and_then(|pull| pull.get("bookmark"));
                    self.memory.committed(&self.begin.bookmarks, bookmark);
                }
                Ok(ResultSummary::new(completed, server))
            }
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

    pub(crate) async fn is_closed(&self) -> bool {
        matches!(self.hold().await.state.deref(), State::Closed)
    }
}

fn ended() -> Error {
    Error::new(
        ErrorKind::TransactionClosed,
        "the result ended with its transaction before all of it was read",
    )
}

pub(crate) fn server_info(lease: &mut Lease) -> Result<ServerInfo, Error> {
    let connection = lease.connection()?;
    Ok(ServerInfo {
        address: connection.address().clone(),
        agent: Arc::clone(connection.server_agent()),
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
        Some(End::Complete(completed)) => ResultSummary::new(completed, server),
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
