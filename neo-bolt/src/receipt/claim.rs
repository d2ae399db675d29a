//! Claims: transactions of the driver's own, which decide what became of a lost commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::slots::{Database, Receipts, Slot};
use crate::error::{CommitOutcome, Error, ErrorKind};
use crate::packstream::ToBolt;
use crate::params;
use crate::protocol::{Begin, Wanted};
use crate::result::{EagerResult, collect};
use crate::retry::{Backoff, RetryPolicy, chance};
use crate::routing::{Acquired, Provider, Purpose};

/// How long a claim may wait at least, however little of the retry time is left.
const LEAST_WAIT: Duration = Duration::from_secs(5);

/// Locks the slot, and ends its epoch unless it has the receipt. The property `guard` is set and
/// removed only to lock the node before `unit` is read.
const CLAIM: &str = "MERGE (r:_NeoOgmReceipt {id: $id}) SET r.guard = true \
    WITH r, coalesce(r.unit = $unit, false) AS committed \
    SET r.guard = null, r.epoch = CASE WHEN committed THEN r.epoch ELSE $epoch + 1 END \
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
    pub(super) fn database(&self) -> &Database {
        &self.begin.database
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
        let Acquired { mut lease, home } = self.provider.acquire(&self.purpose).await?;
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
        let results = streams
            .into_iter()
            .map(|stream| collect(&mut lease, stream));
        Ok((results.collect::<Result<_, _>>()?, bookmark))
    }
}

impl Receipts {
    /// Decides what became of the transaction that used `slot`. Tries again until the retry time,
    /// counted from `started`, is over; at least once.
    ///
    /// # Errors
    /// No answer was to be had, or the constraint is gone: then the outcome stays unknown.
    pub(crate) async fn claim(
        &self,
        claimant: &Claimant,
        slot: Slot,
        columns: &[&'static str],
        started: Instant,
    ) -> Result<Claim, Error> {
        let mut backoff = Backoff::new(claimant.retry_policy);
        loop {
            // The original transaction may hold the lock for as long as the server believes in its
            // connection.
            let left = claimant
                .retry_policy
                .max_retry_time
                .saturating_sub(started.elapsed());
            let asked = self.ask(claimant, &slot, columns);
            let error = match tokio::time::timeout(left.max(LEAST_WAIT), asked).await {
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::ServiceUnavailable,
                        "the original transaction is still open",
                    ));
                }
                Ok(Err(error)) => error,
                Ok(Ok(None)) => {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        "the constraint `neo_ogm_receipt` is missing",
                    ));
                }
                Ok(Ok(Some(claim))) => {
                    match &claim {
                        Claim::Committed { .. } => slot.release(),
                        Claim::NotCommitted => slot.release_next_epoch(),
                    }
                    tracing::debug!(?claim, "a lost commit is decided");
                    return Ok(claim);
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
    let mut text = String::from(
        "MATCH (r:_NeoOgmReceipt {id: $id, unit: $unit}) UNWIND coalesce(r.c0, []) AS c0 RETURN ",
    );
    for (index, name) in columns.iter().enumerate() {
        if index == 0 {
            text.push_str(&format!("c0 AS {name}"));
        } else {
            text.push_str(&format!(", head(r.c{index}) AS {name}"));
        }
    }
    text
}
