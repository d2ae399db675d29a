//! How results are read, batch by batch, over the connection that their transaction has.

use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, ready};

use super::{After, Batch, Link, State, Work, ended};
use crate::callback::BoxFuture;
use crate::connection::Connection;
use crate::error::Error;
use crate::protocol::{End, Records, StreamId, Wanted, failed_elsewhere};
use crate::result::server_info;
use crate::summary::{ResultSummary, ServerInfo};

impl Link {
    /// The next records of a result; `discard` asks for the end without the records.
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
        let mut after = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        if after.is_none() {
            let refilled = ready!(self.poll_refill_held(cx, &mut held.state, stream, discard));
            let (batch, work) = refilled.unwrap_or_else(|error| {
                let batch = Batch {
                    records: Records::EMPTY,
                    end: Some(Err(error)),
                };
                (batch, None)
            });
            let work = work.or_else(|| self.mend(&batch));
            let Some(work) = work else {
                return Poll::Ready(self.stamped(batch));
            };
            *after = Some(After { batch, work });
        }
        let Some(doing) = after.as_mut() else {
            return Poll::Pending;
        };
        let done = ready!(doing.work.as_mut().poll(cx));
        let mut batch = std::mem::replace(&mut doing.batch, Batch::EMPTY);
        *after = None;
        if let Err(error) = done {
            batch.end = Some(Err(error));
        }
        Poll::Ready(self.stamped(batch))
    }

    /// What is to be done about a result that ended because of the login.
    fn mend(&self, batch: &Batch) -> Option<BoxFuture<'static, Result<(), Error>>> {
        let Some(Err(error)) = &batch.end else {
            return None;
        };
        let login = self
            .login
            .get()
            .filter(|_| self.may_be_mended(error))?
            .clone();
        let (pool, error) = (Arc::clone(self.provider.pool()), error.again());
        Some(Box::pin(async move {
            Err(pool.logins().refused(&login, error).await)
        }))
    }

    fn stamped(&self, mut batch: Batch) -> Batch {
        batch.end = batch.end.map(|end| end.map_err(|error| self.stamp(error)));
        batch
    }

    fn poll_refill_held(
        &self,
        cx: &mut Context<'_>,
        state: &mut State,
        stream: StreamId,
        discard: bool,
    ) -> Poll<Result<(Batch, Option<Work>), Error>> {
        let lease = match state {
            State::Open(lease) => lease,
            State::Kept(batch) if batch.is_some() => {
                let batch = batch.take().ok_or_else(ended);
                return Poll::Ready(batch.map(|batch| (batch, None)));
            }
            _ => return Poll::Ready(Err(ended())),
        };
        let connection = lease.connection()?;
        if let Some(failure) = connection.failure()
            && connection.machine_ref().wants_pull(stream)
        {
            return Poll::Ready(Err(failed_elsewhere(failure)));
        }
        if connection.machine().wants_pull(stream) {
            self.ask_for_more(connection, stream, discard)?;
        }
        let driven = ready!(connection.poll_drive(cx, Wanted::Records(stream)));
        self.learn(connection, &driven);
        self.learn_home(connection);
        driven?;
        let (records, end) = connection.machine().take_records(stream);
        let (end, work) = match end {
            None => (None, None),
            Some(end) => {
                let (end, work) = self.ended_by(end, server_info(lease)?);
                (Some(end), work)
            }
        };
        if self.auto_commit && end.is_some() {
            *state = State::Closed;
        }
        Poll::Ready(Ok((Batch { records, end }, work)))
    }

    /// Asks for the next batch of a result while its reader has still some of the last one, so
    /// that the server works while the caller reads. What goes wrong shows when it is read.
    pub(crate) fn prefetch(&self, stream: StreamId) {
        if let Some(mut held) = self.try_hold()
            && let State::Open(lease) = &mut *held.state
            && let Ok(connection) = lease.connection()
            && connection.failure().is_none()
            && connection.machine().wants_pull(stream)
            && self.ask_for_more(connection, stream, false).is_ok()
        {
            // Nothing is waited for: the request leaves, and its answer comes with the next call.
            let _ = connection.send_now();
        }
    }

    /// How few records are left of a batch when the next one is asked for.
    pub(crate) fn low_water(&self) -> usize {
        usize::try_from(self.fetch_size).unwrap_or(0) * 3 / 10
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

    /// What the end of a result means to its reader, and to the session; and what is to be done
    /// before the reader is told.
    pub(in crate::transaction) fn ended_by(
        &self,
        end: End,
        server: ServerInfo,
    ) -> (Result<ResultSummary, Error>, Option<Work>) {
        match end {
            End::Failed(error) => (Err(error), None),
            End::Complete(completed) => {
                let mut work = None;
                if self.auto_commit {
                    let pull = completed.pull.as_ref();
                    let bookmark = pull.and_then(|pull| pull.get("bookmark"));
                    work = self.memory.committed(self.bookmarks(), bookmark);
                }
                (ResultSummary::new(completed, server), work)
            }
        }
    }
}
