//! The uniqueness constraint that makes receipts safe, and the removal of old receipts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::RECEIPT_LABEL;
use super::claim::Claimant;
use super::slots::{Receipts, Slots, new_id};
use crate::error::Error;
use crate::packstream::ToBolt;
use crate::params;
use crate::record::Record;

/// Creates the constraint. Its name is fixed, so that it can be found.
pub(crate) const RECEIPT_CONSTRAINT: &str = "CREATE CONSTRAINT neo_ogm_receipt IF NOT EXISTS \
    FOR (r:_NeoOgmReceipt) REQUIRE r.id IS UNIQUE";

const CONSTRAINTS: &str = "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties";

const SWEEP: &str = "MATCH (r:_NeoOgmReceipt) \
    WHERE coalesce(r.unit, r.id) < $before AND coalesce(r.claimed, '') < $before DELETE r";

/// Creates the names of all properties, which the user who writes receipts may not have the right to.
const NAMES: &str = "CREATE (r:_NeoOgmReceipt {id: $id, unit: '', epoch: 0, guard: true, \
    claimed: '', rows: 0, c0: [0], c1: [0], c2: [0], c3: [0]}) DELETE r";

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
    pub(super) fn known(self) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Missing(since) if since.elapsed() < CHECK_AGAIN => Some(false),
            Self::Missing(_) | Self::Unchecked => None,
        }
    }
}

impl Slots {
    /// Whether receipts can be used. One round trip for each database of a driver; the answer is
    /// remembered.
    ///
    /// # Errors
    /// The server could not be reached within the retry time.
    pub(crate) async fn available(
        &self,
        claimant: impl FnOnce() -> Claimant,
    ) -> Result<bool, Error> {
        let (known, abandoned) = self.known();
        match known {
            Some(known) if abandoned.is_empty() => Ok(known),
            // Boxed, because it is rare, and would make the future of each query larger.
            _ => Box::pin(self.refresh(claimant(), &abandoned)).await,
        }
    }

    async fn refresh(&self, claimant: Claimant, abandoned: &[Arc<str>]) -> Result<bool, Error> {
        if !abandoned.is_empty() {
            delete(&claimant, abandoned).await;
        }
        let _only = self.checking.lock().await;
        match self.known().0 {
            Some(known) => Ok(known),
            None => self.check(&claimant).await,
        }
    }

    /// Asks the database whether it has the constraint.
    pub(crate) async fn check(&self, claimant: &Claimant) -> Result<bool, Error> {
        let present = match claimant.run_with_retries(&[(CONSTRAINTS, &())]).await {
            Ok((results, _)) => {
                let rows = results.iter().flat_map(|result| &result.records);
                rows.into_iter().any(is_receipt_constraint)
            }
            Err(error) if cannot_show(&error) => {
                tracing::debug!(%error, "constraints cannot be shown");
                false
            }
            Err(error) => return Err(error),
        };
        self.set_availability(match present {
            true => Availability::Present,
            false => Availability::Missing(Instant::now()),
        });
        Ok(present)
    }
}

/// Whether the user may not see constraints, or the server does not know the command.
fn cannot_show(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            "Neo.ClientError.Security.Forbidden"
                | "Neo.ClientError.Statement.SyntaxError"
                | "Neo.ClientError.Statement.UnsupportedAdministrationCommand"
                | "Neo.ClientError.Statement.NotSystemDatabaseError"
        )
    )
}

/// Deletes receipts that are older than a day, of all drivers.
pub(crate) async fn sweep(claimant: &Claimant) -> Result<(), Error> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let Ok(now) = now else { return Ok(()) };
    // Ids are UUIDs of version 7, which sort by time.
    let context = uuid::timestamp::context::NoContext;
    let before = now.saturating_sub(KEPT).as_secs();
    let before = Uuid::new_v7(uuid::Timestamp::from_unix(context, before, 0));
    let before = params! { "before" => before.simple().to_string() };
    let statements: [(&str, &(dyn ToBolt + Sync)); 1] = [(SWEEP, &before)];
    claimant.run_with_retries(&statements).await.map(drop)
}

/// Creates the names of the properties that receipts have.
pub(crate) async fn create_names(claimant: &Claimant) -> Result<(), Error> {
    let id = params! { "id" => new_id() };
    let statements: [(&str, &(dyn ToBolt + Sync)); 1] = [(NAMES, &id)];
    claimant.run_with_retries(&statements).await.map(drop)
}

impl Receipts {
    /// Deletes the receipts of this driver that no transaction uses.
    pub(crate) async fn delete_unused(&self, claimant: impl Fn(Option<Arc<str>>) -> Claimant) {
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
