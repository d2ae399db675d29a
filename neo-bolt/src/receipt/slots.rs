//! The slots of a driver: the nodes that its transactions leave receipts on.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::PARAMETER;
use super::constraint::Availability;
use crate::packstream::{EncodeError, Encoder, ToBolt};

/// The database of a slot; `None` for the user's home database.
pub(super) type Database = Option<Arc<str>>;

/// So many abandoned slots are kept before their nodes are deleted.
const MOST_ABANDONED: usize = 64;

/// How long a void slot is kept. What the server received before it noticed that the connection was
/// lost, it has carried out by then.
const VOID_FOR: Duration = Duration::from_secs(3600);

/// The receipts of one driver.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    databases: Mutex<HashMap<Database, Slots>>,
    /// Lets one task at a time check for the constraint.
    pub(super) checking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Slots that the next transactions may use.
    free: Vec<Arc<str>>,
    /// Slots whose last transaction was given up. They must not be used again, because a late
    /// commit could replace the receipt of another transaction.
    abandoned: Vec<Arc<str>>,
    /// Void slots, and since when. Each keeps a late original from committing.
    void: VecDeque<(Instant, Arc<str>)>,
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
        Slot {
            id: free.unwrap_or_else(|| new_id().into()),
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

    /// Takes the slots that nothing needs any more to delete their nodes, once there are many of them.
    pub(super) fn take_abandoned(&self, database: &Database) -> Vec<Arc<str>> {
        let mut databases = self.databases();
        let Some(slots) = databases.get_mut(database) else {
            return Vec::new();
        };
        while slots
            .void
            .front()
            .is_some_and(|(since, _)| since.elapsed() > VOID_FOR)
        {
            let oldest = slots.void.pop_front();
            slots.abandoned.extend(oldest.map(|(_, id)| id));
        }
        if slots.abandoned.len() < MOST_ABANDONED {
            return Vec::new();
        }
        std::mem::take(&mut slots.abandoned)
    }

    /// Takes all slots that no transaction uses, by database, to delete their nodes.
    pub(super) fn drain(&self) -> Vec<(Database, Vec<Arc<str>>)> {
        let mut databases = self.databases();
        let unused = databases.iter_mut().map(|(database, slots)| {
            let mut ids = std::mem::take(&mut slots.free);
            ids.append(&mut slots.abandoned);
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
    pub(crate) fn release(mut self) {
        if let Some(receipts) = self.receipts.take() {
            let mut databases = receipts.databases();
            let slots = databases.entry(self.database.clone()).or_default();
            slots.free.push(Arc::clone(&self.id));
        }
    }

    /// Leaves the slot in the database for a while: it is void, which keeps a late original from
    /// committing.
    pub(super) fn leave(mut self) {
        if let Some(receipts) = self.receipts.take() {
            let mut databases = receipts.databases();
            let slots = databases.entry(self.database.clone()).or_default();
            slots.void.push_back((Instant::now(), Arc::clone(&self.id)));
        }
    }

    fn write(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.string(PARAMETER)?;
        encoder.map(2)?;
        encoder.string("id")?;
        encoder.string(&self.id)?;
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
        assert_eq!(again.id, id);
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

    #[tokio::test(start_paused = true)]
    async fn void_slots_are_kept_for_an_hour() {
        let receipts = Arc::new(Receipts::default());
        let slots: Vec<_> = (0..MOST_ABANDONED).map(|_| receipts.take(&None)).collect();
        slots.into_iter().for_each(Slot::leave);
        assert!(receipts.take_abandoned(&None).is_empty());
        assert!(receipts.drain().is_empty());
        tokio::time::advance(VOID_FOR + Duration::from_secs(1)).await;
        assert_eq!(receipts.take_abandoned(&None).len(), MOST_ABANDONED);
        assert!(receipts.take_abandoned(&None).is_empty());
    }
}
