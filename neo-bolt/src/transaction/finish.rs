//! How transactions end.

use std::sync::{Arc, PoisonError};

use super::link::{Batch, Link, State};
use crate::error::{CommitOutcome, Error, ErrorKind};
use crate::pool::Lease;
use crate::protocol::{Machine, StreamId, Wanted};
use crate::receipt::{Claim, Delivery, LostConnection, Slot, store_receipt};
use crate::result::server_info;

/// What is known of a COMMIT that was sent.
#[derive(Default)]
struct Committing {
    /// The connection, once it is lost.
    connection: Option<LostConnection>,
    /// The server has answered with a failure.
    failed: bool,
}

impl Link {
    /// Commits. Results that are still open end here.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        let mut held = self.hold().await;
        if let State::Waiting = *held.state {
            // Nothing was run, so there is nothing to commit.
            *held.state = State::Closed;
            return Ok(());
        }
        let (mut slot, mut only_read) = (None, false);
        let mut sent = Committing::default();
        let commit = async {
            let lease = self.open(&mut held.state).await?;
            self.settle(lease).await?;
            let connection = lease.connection()?;
            only_read = connection.machine().effects().only_read();
            slot = self.leave_receipt(connection.machine())?;
            connection.machine().commit()?;
            tracing::debug!(address = %connection.address(), "a transaction is committed");
            if let Err(error) = self.drive(lease, Wanted::Idle).await {
                sent.connection = LostConnection::new(lease.connection()?);
                return Err(error);
            }
            let machine = lease.connection()?.machine();
            if let Some(failure) = machine.failure() {
                sent.failed = machine.commit_failed();
                return Err(failure.again());
            }
            // What was not read by now is not read any more.
            machine.forget_ended();
            let bookmark = machine.answer().and_then(|answer| answer.get("bookmark"));
            Ok(bookmark)
        };
        let committed = commit.await;
        *held.state = State::Closed;
        let bookmark = match committed {
            Ok(bookmark) => {
                if let Some(slot) = slot {
                    slot.release();
                }
                bookmark
            }
            Err(error)
                if only_read
                    && !matches!(self.delivery, Delivery::Plain)
                    && error.commit_outcome() == CommitOutcome::Unknown =>
            {
                // There was nothing to commit.
                None
            }
            Err(error) => match self.decide(error, slot, sent).await {
                Ok(bookmark) => bookmark,
                Err(error) => return Err(self.told(error).await),
            },
        };
        match self.memory.committed(self.bookmarks(), bookmark) {
            None => Ok(()),
            Some(work) => match work.await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.told(error.after_commit()).await),
            },
        }
    }

    /// Queues the statement that stores a receipt, if the transaction is to have one.
    fn leave_receipt(&self, machine: &mut Machine) -> Result<Option<Slot>, Error> {
        let Delivery::ExactlyOnce(slots) = &self.delivery else {
            return Ok(None);
        };
        if !machine.effects().need_receipt() {
            return Ok(None);
        }
        let slot = slots.take();
        let stream = machine.run(&store_receipt(), &slot, None)?;
        machine.pull(stream, -1)?;
        Ok(Some(slot))
    }

    /// Finds out whether a commit that failed took effect: then returns its bookmark.
    async fn decide(
        &self,
        error: Error,
        slot: Option<Slot>,
        sent: Committing,
    ) -> Result<Option<String>, Error> {
        let unknown = error.commit_outcome() == CommitOutcome::Unknown;
        let (slots, slot) = match (&self.delivery, slot) {
            (Delivery::ExactlyOnce(slots), Some(slot)) if unknown || sent.failed => (slots, slot),
            (Delivery::WithoutConstraint, _) => return Err(error.without_receipts()),
            (_, slot) => {
                if let Some(slot) = slot.filter(|_| error.leaves_slot()) {
                    slot.release();
                }
                return Err(error);
            }
        };
        let (claimant, connection) = (self.claimant(), sent.connection.as_ref());
        match slots.claim(&claimant, slot, &[], connection).await {
            Ok(Claim::Committed { bookmark, .. }) => Ok(bookmark),
            // The server has said why.
            Ok(Claim::NotCommitted) if sent.failed => Err(error),
            Ok(Claim::NotCommitted) => Err(error.not_committed()),
            Err(claim) => Err(error.undecided(&claim)),
        }
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
        let mut held = self.hold().await;
        let previous = std::mem::replace(&mut *held.state, State::Closed);
        let State::Open(mut lease) = previous else {
            return Ok(());
        };
        let rollback = async {
            let address = lease.connection()?.address();
            tracing::debug!(%address, "a transaction is rolled back");
            let machine = lease.connection()?.machine();
            if machine.failure().is_some() || machine.is_defunct() {
                // The server has rolled back already, or will when it sees the connection gone.
                return Ok(());
            }
            if machine.pulls_all() {
                // That is not worth waiting for: a RESET ends it, and rolls back.
                machine.reset()?
            } else {
                self.drive(&mut lease, Wanted::Idle).await?;
                let machine = lease.connection()?.machine();
                if machine.failure().is_some() {
                    return Ok(());
                }
                let open: Vec<_> = machine.open_results().collect();
                open.into_iter()
                    .try_for_each(|stream| machine.discard(stream))?;
                machine.rollback()?
            }
            self.drive(&mut lease, Wanted::Idle).await?;
            let machine = lease.connection()?.machine();
            machine.forget_ended();
            machine
                .failure()
                .map_or(Ok(()), |failure| Err(failure.again()))
        };
        match rollback.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.told(error).await),
        }
    }

    /// Lets an auto-commit transaction come to its end, so that it takes effect. What its reader
    /// has not taken yet is kept for him where `keep` says so; otherwise it is not sent, and a
    /// failure is told to the caller of this.
    pub(crate) async fn finish(&self, keep: bool) -> Result<(), Error> {
        let mut held = self.hold().await;
        if let State::Open(lease) = &mut *held.state {
            let failed = {
                let connection = lease.connection()?;
                connection.failure().is_some() || connection.machine().is_defunct()
            };
            if failed && self.was_told() {
                // Its reader knows.
                *held.state = State::Closed;
                return Ok(());
            }
            let ran = self.run_out(lease, keep).await;
            let (kept, failed) = match ran {
                Ok(kept) => (kept, None),
                Err(error) => (None, Some(self.told(error).await)),
            };
            *held.state = kept.map_or(State::Closed, |batch| State::Kept(Some(batch)));
            if let Some(error) = failed {
                return Err(error);
            }
        }
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.take().map_or(Ok(()), Err)
    }

    /// Nobody reads this result any more. A statement that was accepted takes effect all the
    /// same, in the background where its transaction is its own.
    pub(crate) fn forget(self: &Arc<Self>, stream: StreamId) {
        self.drop_result(stream);
        // Where the connection is in other hands, those see to it.
        let Some(mut held) = self.try_hold() else {
            return;
        };
        let State::Open(lease) = &mut *held.state else {
            return;
        };
        if self.forget_dropped(lease).is_err() || !self.auto_commit {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.begin.read => {
                let link = Arc::clone(self);
                drop(held);
                runtime.spawn(async move {
                    if let Err(error) = link.finish(true).await {
                        tracing::warn!(%error, "a statement failed whose result nobody reads");
                        // The session's next call tells it too.
                        let untold = link.untold.lock();
                        *untold.unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                });
            }
            // What only reads may be cut short.
            _ => *held.state = State::Closed,
        }
    }

    async fn run_out(&self, lease: &mut Lease, keep: bool) -> Result<Option<Batch>, Error> {
        loop {
            self.forget_dropped(lease)?;
            let driven = self.drive(lease, Wanted::Idle).await;
            self.forget_dropped(lease)?;
            let machine = lease.connection()?.machine();
            let Some(stream) = machine.first_result() else {
                // Nobody reads it, and it is over.
                driven?;
                let failure = lease.connection()?.failure().map(Error::again);
                let answer = lease.connection()?.machine().answer();
                let bookmark = answer.and_then(|answer| answer.get("bookmark"));
                if let Some(work) = self.memory.committed(self.bookmarks(), bookmark) {
                    work.await?;
                }
                return failure.map_or(Ok(None), Err);
            };
            let abandoned = !keep || machine.is_abandoned(stream);
            if driven.is_ok() && machine.wants_pull(stream) {
                if abandoned {
                    machine.discard(stream)?
                } else {
                    machine.pull(stream, -1)?
                }
                continue;
            }
            let (records, end) = machine.take_records(stream);
            let end = match (driven, end) {
                (Err(error), _) => Err(error),
                (Ok(()), Some(end)) => {
                    let (end, work) = self.ended_by(end, server_info(lease)?);
                    match work {
                        None => end,
                        Some(work) => work.await.and(end),
                    }
                }
                (Ok(()), None) => Err(Error::new(ErrorKind::Protocol, "a result without an end")),
            };
            if abandoned {
                return end.map(|_| None);
            }
            let end = match end {
                Ok(summary) => Ok(summary),
                Err(error) => Err(self.told(error).await),
            };
            return Ok(Some(Batch {
                records,
                end: Some(end),
            }));
        }
    }
}
