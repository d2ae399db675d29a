//! The uniqueness constraint that makes receipts safe, and the removal of old receipts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::RECEIPT_LABEL;
use super::claim::Claimant;
use super::slots::{Database, Receipts};
use crate::error::Error;
use crate::packstream::ToBolt;
use crate::params;
use crate::record::Record;

/// Creates the constraint. Its name is fixed, so that it can be found.
pub(crate) const RECEIPT_CONSTRAINT: &str = "CREATE CONSTRAINT neo_ogm_receipt IF NOT EXISTS \
    FOR (r:_NeoOgmReceipt) REQUIRE r.id IS UNIQUE";

const CONSTRAINTS: &str = "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties";

const SWEEP: &str = "MATCH (r:_NeoOgmReceipt) WHERE coalesce(r.unit, r.id) < $before DELETE r";

const DELETE: &str = "MATCH (r:_NeoOgmReceipt) WHERE r.id IN $ids DELETE r";

/// After this time the database is asked again whether it has the constraint.
const CHECK_AGAIN: Duration = Duration::from_secs(60);

/// Receipts that are older than this are deleted: no retry lasts that long.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// How long the deletion of receipts may take.
const DELETING: Duration = Duration::from_secs(2);

/// Whether a database has the constraint, as far as is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Availability {
    #[default]
    Unchecked,
    Present,
    /// It was missing at this time.
    Missing(Instant),
}

impl Availability {
    fn known(self) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Missing(since) if since.elapsed() < CHECK_AGAIN => Some(false),
            Self::Missing(_) | Self::Unchecked => None,
        }
    }
}

impl Receipts {
    /// Whether receipts can be used on the claimant's database. One round trip for each database of
    /// a driver; the answer is remembered.
    ///
    /// # Errors
    /// The server could not be reached within the retry time.
    pub(crate) async fn available(&self, claimant: &Claimant) -> Result<bool, Error> {
        let database = claimant.database();
        if let Some(known) = self.availability(database).known() {
            let abandoned = self.take_abandoned(database);
            if !abandoned.is_empty() {
                delete(claimant, &abandoned).await;
            }
            return Ok(known);
        }
        let _only = self.checking.lock().await;
        if let Some(known) = self.availability(database).known() {
            return Ok(known);
        }
        self.check(claimant).await
    }

    /// Asks the database whether it has the constraint.
    pub(super) async fn check(&self, claimant: &Claimant) -> Result<bool, Error> {
        let present = match claimant.run_with_retries(&[(CONSTRAINTS, &())]).await {
            Ok((results, _)) => {
                let rows = results.iter().flat_map(|result| &result.records);
                rows.into_iter().any(is_receipt_constraint)
            }
            // The user may not see constraints, or the server does not know the command.
            Err(error) if error.code().is_some() && !error.is_retryable() => {
                tracing::debug!(%error, "constraints cannot be shown");
                false
            }
            Err(error) => return Err(error),
        };
        let availability = match present {
            true => Availability::Present,
            false => Availability::Missing(Instant::now()),
        };
        self.set_availability(claimant.database(), availability);
        Ok(present)
    }

    /// Remembers that the database has the constraint.
    pub(crate) fn set_available(&self, database: &Database) {
        self.set_availability(database, Availability::Present);
    }

    /// Deletes receipts that nobody can need any more, of whatever driver.
    pub(crate) async fn sweep(&self, claimant: &Claimant) -> Result<(), Error> {
        let (seconds, nanos) =
            match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
                Ok(now) => (now.saturating_sub(KEPT).as_secs(), 0),
                Err(_) => return Ok(()),
            };
        // Ids are UUIDs of version 7, which sort by time.
        let context = uuid::timestamp::context::NoContext;
        let before = Uuid::new_v7(uuid::Timestamp::from_unix(context, seconds, nanos));
        let before = params! { "before" => before.simple().to_string() };
        claimant
            .run_with_retries(&[(SWEEP, &before)])
            .await
            .map(drop)
    }

    /// Deletes the receipts of this driver that no transaction uses.
    pub(crate) async fn delete_unused(&self, claimant: impl Fn(Database) -> Claimant) {
        for (database, ids) in self.drain() {
            delete(&claimant(database), &ids).await;
        }
    }
}

/// Whether a row of `SHOW CONSTRAINTS` is the constraint that receipts take.
fn is_receipt_constraint(row: &Record) -> bool {
    let read = row.decode::<(&str, &str, Vec<&str>, Vec<&str>)>();
    read.is_ok_and(|(_, kind, labels, properties)| {
        (kind.contains("UNIQUENESS") || kind.contains("KEY"))
            && labels == [RECEIPT_LABEL]
            && properties == ["id"]
    })
}

/// Deletes receipts. What cannot be deleted is left to a later sweep.
async fn delete(claimant: &Claimant, ids: &[Arc<str>]) {
    let ids: Vec<&str> = ids.iter().map(Arc::as_ref).collect();
    let ids = params! { "ids" => ids };
    let statements: [(&str, &(dyn ToBolt + Sync)); 1] = [(DELETE, &ids)];
    // One of the transactions may still be open and hold its lock.
    let deleted = tokio::time::timeout(DELETING, claimant.run(&statements)).await;
    if !matches!(deleted, Ok(Ok(_))) {
        tracing::debug!("receipts are left to a later sweep");
    }
}
