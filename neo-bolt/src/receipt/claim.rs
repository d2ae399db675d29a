//! Claims: transactions of the driver's own, which decide what became of a lost commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::orphan::{self, LostConnection};
use super::slots::{Slot, Slots, new_id};
use crate::callback::BoxFuture;
use crate::error::{CommitOutcome, Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::params;
use crate::pool::Lease;
use crate::protocol::{Begin, Wanted};
use crate::result::{EagerResult, collect};
use crate::retry::{Backoff, RetryPolicy, chance};
use crate::routing::{Acquired, Provider, Purpose};

/// How long a claim may wait at least, however short the retry time is.
const LEAST_WAIT: Duration = Duration::from_secs(5);

/// Locks the slot, raises its epoch, and returns whether it has the receipt. The property `guard` is
/// set and removed only to lock the node before `unit` is read. A claim that arrives late must not
/// change the epoch of a later transaction.
const CLAIM: &str = "MERGE (r:_NeoOgmReceipt {id: $id}) SET r.guard = true \
    WITH r, coalesce(r.unit = $unit, false) AS committed \
    SET r.guard = null, r.claimed = $claimed, \
    r.epoch = CASE WHEN r.epoch > $epoch THEN r.epoch ELSE $epoch + 1 END \
    RETURN committed";

/// What became of a transaction whose COMMIT was not answered.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It was committed.
    Committed {
        /// The columns that were stored with the receipt.
        stored: Box<EagerResult>,
        bookmark: Option<String>,
    },
    /// It was not committed, and cannot be any more.
    NotCommitted,
}

/// Who makes a claim: the same user on the same database as the transaction.
#[derive(Clone)]
pub(crate) struct Claimant {
    pub(crate) provider: Arc<Provider>,
    pub(crate) purpose: Purpose,
    pub(crate) begin: Begin,
    pub(crate) retry_policy: RetryPolicy,
}

impl Claimant {
    /// Who asks what became of a transaction that began like `begin`: without its timeout and its
    /// metadata, which are the caller's.
    pub(crate) fn new(
        provider: &Arc<Provider>,
        purpose: Purpose,
        begin: &Begin,
        retry_policy: RetryPolicy,
    ) -> Self {
        Self {
            provider: Arc::clone(provider),
            purpose,
            begin: Begin {
                bookmarks: begin.bookmarks.clone(),
                database: begin.database.clone(),
                impersonated_user: begin.impersonated_user.clone(),
                ..Begin::default()
            },
            retry_policy,
        }
    }

    /// As [`run`](Self::run), with retries. The statements must be idempotent.
    pub(super) async fn run_with_retries(
        &self,
        statements: &[(&str, &(dyn ToBolt + Sync))],
    ) -> Result<(Vec<EagerResult>, Option<String>), Error> {
        let mut backoff = Backoff::new(self.retry_policy);
        let started = Instant::now();
        loop {
            let error = match self.run(statements).await {
                Ok(done) => return Ok(done),
                Err(error) => error.with_attempts(backoff.attempt()),
            };
            let delay = backoff.next(started.elapsed(), chance());
            match delay.filter(|_| error.may_be_tried_again(true)) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(error),
            }
        }
    }

    /// Runs statements as one transaction, in one round trip. Returns their results and the bookmark.
    pub(super) async fn run(
        &self,
        statements: &[(&str, &(dyn ToBolt + Sync))],
    ) -> Result<(Vec<EagerResult>, Option<String>), Error> {
        let (mut lease, home) = self.acquire().await?;
        self.run_on(&mut lease, home, statements).await
    }

    /// A connection, and the name of the home database if a router named it.
    pub(super) async fn acquire(&self) -> Result<(Lease, Option<Arc<str>>), Error> {
        let Acquired { lease, home } = self.provider.acquire(&self.purpose).await?;
        Ok((lease, home))
    }

    /// As [`run`](Self::run), on a connection that was acquired.
    pub(super) async fn run_on(
        &self,
        lease: &mut Lease,
        home: Option<Arc<str>>,
        statements: &[(&str, &(dyn ToBolt + Sync))],
    ) -> Result<(Vec<EagerResult>, Option<String>), Error> {
        let connection = lease.connection()?;
        let machine = connection.machine();
        let mut begin = self.begin.clone();
        begin.database = begin.database.or(home);
        machine.begin(&begin)?;
        let mut streams = Vec::with_capacity(statements.len());
        for (statement, parameters) in statements {
            let stream = machine.run(&Arc::from(*statement), *parameters, None)?;
            machine.pull(stream, -1)?;
            streams.push(stream);
        }
        machine.commit()?;
        let driven = connection.drive(Wanted::Idle).await;
        if let Some(error) = driven.as_ref().err().or(connection.failure()) {
            let database = begin.database.as_ref();
            self.provider.learn(error, connection.address(), database);
            let (login, error) = (connection.auth().clone(), error.again());
            let pool = self.provider.pool();
            return Err(pool
                .refused(self.purpose.auth.as_ref(), &login, error)
                .await);
        }
        let answer = connection.machine().answer();
        let bookmark = answer.and_then(|answer| answer.get("bookmark"));
        let results = streams.into_iter().map(|stream| collect(lease, stream));
        Ok((results.collect::<Result<_, _>>()?, bookmark))
    }
}

impl Slots {
    /// Decides what became of the transaction that used `slot` on the connection `lost`. Tries again
    /// until the retry time is over, counted from now; at least once.
    ///
    /// # Errors
    /// The server did not answer, or the constraint is gone: then the outcome stays unknown.
    pub(crate) fn claim<'c>(
        &'c self,
        claimant: &'c Claimant,
        slot: Slot,
        columns: &'c [&'static str],
        lost: Option<&'c LostConnection>,
    ) -> BoxFuture<'c, Result<Claim, Error>> {
        // Boxed, because it is rare, and would make the future of each query larger.
        Box::pin(self.claim_unboxed(claimant, slot, columns, lost))
    }

    async fn claim_unboxed(
        &self,
        claimant: &Claimant,
        slot: Slot,
        columns: &[&'static str],
        lost: Option<&LostConnection>,
    ) -> Result<Claim, Error> {
        let mut backoff = Backoff::new(claimant.retry_policy);
        let started = Instant::now();
        loop {
            let left = claimant
                .retry_policy
                .max_retry_time
                .saturating_sub(started.elapsed());
            let asked = orphan::unblocked(self.ask(claimant, &slot, columns), claimant, lost);
            let error = match tokio::time::timeout(left.max(LEAST_WAIT), asked).await {
                Ok(Ok(Some(claim))) => {
                    slot.release_claimed();
                    tracing::debug!(?claim, "a lost commit is decided");
                    return Ok(claim);
                }
                Ok(Ok(None)) => {
                    let message = "the constraint `neo_ogm_receipt` is missing";
                    return Err(Error::new(ErrorKind::Usage, message)
                        .with_unknown_commit()
                        .without_receipts());
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    let message = "the server did not answer in time";
                    return Err(Error::new(ErrorKind::ServiceUnavailable, message));
                }
            };
            // A claim is idempotent.
            let again =
                error.may_be_tried_again(true) || error.commit_outcome() == CommitOutcome::Unknown;
            let delay = backoff.next(started.elapsed(), chance()).filter(|_| again);
            let Some(delay) = delay else {
                return Err(error);
            };
            tracing::debug!(?delay, %error, "a claim is tried again");
            tokio::time::sleep(delay).await;
        }
    }

    async fn ask(
        &self,
        claimant: &Claimant,
        slot: &Slot,
        columns: &[&'static str],
    ) -> Result<Option<Claim>, Error> {
        if !self.check(claimant).await? {
            return Ok(None);
        }
        let of_slot = params! {
            "id" => slot.id.as_ref(), "unit" => slot.unit.as_str(), "epoch" => slot.epoch,
            "claimed" => new_id(),
        };
        let stored = stored(columns);
        let mut statements: Vec<(&str, &(dyn ToBolt + Sync))> = vec![(CLAIM, &of_slot)];
        if !columns.is_empty() {
            statements.push((&stored, &of_slot));
        }
        let (results, bookmark) = claimant.run(&statements).await?;
        let no_row = || {
            let message = "the server answered a claim with no row";
            Error::new(ErrorKind::Protocol, message)
        };
        let mut results = results.into_iter();
        let mut claim = results.next().ok_or_else(no_row)?;
        let committed = claim.records.first().ok_or_else(no_row)?.get_at(0)?;
        // Without columns, the result is one without rows.
        claim.records.clear();
        Ok(Some(match committed {
            false => Claim::NotCommitted,
            true => Claim::Committed {
                stored: Box::new(results.next().unwrap_or(claim)),
                bookmark,
            },
        }))
    }
}

/// The statement that reads back the columns which are stored with a receipt.
fn stored(columns: &[&'static str]) -> String {
    let read = columns.iter().enumerate();
    let read = read.map(|(index, name)| format!("head(r.c{index}) AS {name}"));
    format!(
        "MATCH (r:_NeoOgmReceipt {{id: $id, unit: $unit}}) \
         UNWIND range(1, coalesce(r.rows, 0)) AS _row RETURN {}",
        read.collect::<Vec<_>>().join(", ")
    )
}
