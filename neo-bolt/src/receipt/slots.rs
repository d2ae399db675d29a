//! The slots of a driver: the nodes that its transactions leave receipts on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::PARAMETER;
use super::constraint::Availability;
use crate::packstream::{EncodeError, Encoder, ToBolt};

/// The database of a slot; `None` for the user's home database.
pub(super) type Database = Option<Arc<str>>;

/// So many abandoned slots are kept before their nodes are deleted.
const MOST_ABANDONED: usize = 64;

/// The receipts of one driver.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    databases: Mutex<HashMap<Database, Slots>>,
    /// Lets one task at a time check for the constraint.
    pub(super) checking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Slots that the next transactions may use, with their epochs.
    free: Vec<(Arc<str>, i64)>,
    /// Slots whose last transaction was given up. They must not be used again, because a late
    /// commit could replace the receipt of another transaction.
    abandoned: Vec<Arc<str>>,
    constraint: Availability,
}

impl Receipts {
    fn databases(&self) -> MutexGuard<'_, HashMap<Database, Slots>> {
        self.databases
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for one transaction on `database`.
    pub(crate) fn take(self: &Arc<Self>, database: &Database) -> Slot {
        let free = match self.databases().get_mut(database) {
            Some(slots) => slots.free.pop(),
            None => None,
        };
        let (id, epoch) = free.unwrap_or_else(|| (new_id().into(), 0));
        Slot {
            id,
            epoch,
            unit: new_id(),
            database: database.clone(),
            receipts: Some(Arc::clone(self)),
        }
    }

    pub(super) fn availability(&self, database: &Database) -> Availability {
        let databases = self.databases();
        let known = databases.get(database).map(|slots| slots.constraint);
        known.unwrap_or_default()
    }

    pub(super) fn set_availability(&self, database: &Database, availability: Availability) {
        let mut databases = self.databases();
        databases.entry(database.clone()).or_default().constraint = availability;
    }

    /// Takes the abandoned slots to delete their nodes, once there are many of them.
    pub(super) fn take_abandoned(&self, database: &Database) -> Vec<Arc<str>> {
        let mut databases = self.databases();
        match databases.get_mut(database) {
            Some(slots) if slots.abandoned.len() >= MOST_ABANDONED => {
                std::mem::take(&mut slots.abandoned)
            }
            _ => Vec::new(),
        }
    }

    /// Takes all slots that no transaction uses, by database, to delete their nodes.
    pub(super) fn drain(&self) -> Vec<(Database, Vec<Arc<str>>)> {
        let mut databases = self.databases();
        let unused = databases.iter_mut().map(|(database, slots)| {
            let mut ids = std::mem::take(&mut slots.abandoned);
            ids.extend(slots.free.drain(..).map(|(id, _)| id));
            (database.clone(), ids)
        });
        unused.filter(|(_, ids)| !ids.is_empty()).collect()
    }
}

fn new_id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// The slot of one transaction, and the id that its receipt gets. If it is dropped, nothing is
/// known of the transaction, and the slot is not used again.
pub(crate) struct Slot {
    pub(super) id: Arc<str>,
    /// Counts the claims that have found no receipt.
    pub(super) epoch: i64,
    pub(super) unit: String,
    pub(super) database: Database,
    receipts: Option<Arc<Receipts>>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("id", &self.id)
            .field("unit", &self.unit)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// Makes the slot available to other transactions: this one is known to be over.
    pub(crate) fn release(self) {
        let epoch = self.epoch;
        self.release_in(epoch);
    }

    /// The same after a claim that has found no receipt.
    pub(super) fn release_next_epoch(self) {
        let epoch = self.epoch.saturating_add(1);
        self.release_in(epoch);
    }

    fn release_in(mut self, epoch: i64) {
        if let Some(receipts) = self.receipts.take() {
            let mut databases = receipts.databases();
            let slots = databases.entry(self.database.clone()).or_default();
            slots.free.push((Arc::clone(&self.id), epoch));
        }
    }

    fn write(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(PARAMETER)?;
        encoder.map(3)?;
        encoder.string("id")?;
        encoder.string(&self.id)?;
        encoder.string("epoch")?;
        encoder.integer(self.epoch);
        encoder.string("unit")?;
        encoder.string(&self.unit)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(receipts) = self.receipts.take() {
            let mut databases = receipts.databases();
            let slots = databases.entry(self.database.clone()).or_default();
            slots.abandoned.push(Arc::clone(&self.id));
        }
    }
}

/// The parameters of the statement that only stores a receipt.
impl ToBolt for Slot {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(1)?;
        self.write(encoder)
    }
}

/// The parameters of a statement that stores its own receipt.
pub(crate) struct WithReceipt<'a> {
    pub(crate) parameters: &'a (dyn ToBolt + Sync),
    pub(crate) slot: &'a Slot,
}

impl ToBolt for WithReceipt<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        let start = encoder.len();
        self.parameters.to_bolt(encoder)?;
        encoder.add_pair(start, |encoder| self.slot.write(encoder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_used_again_unless_abandoned() {
        let receipts = Arc::new(Receipts::default());
        let first = receipts.take(&None);
        let id = Arc::clone(&first.id);
        first.release();
        let again = receipts.take(&None);
        assert_eq!((&again.id, again.epoch), (&id, 0));
        again.release_next_epoch();
        let again = receipts.take(&None);
        assert_eq!((&again.id, again.epoch), (&id, 1));
        assert_ne!(receipts.take(&Some("other".into())).id, id);
        drop(again);
        assert_ne!(receipts.take(&None).id, id);
        let unused: Vec<_> = receipts
            .drain()
            .into_iter()
            .flat_map(|(_, ids)| ids)
            .collect();
        assert!(unused.contains(&id));
        assert!(receipts.drain().is_empty());
    }
}
