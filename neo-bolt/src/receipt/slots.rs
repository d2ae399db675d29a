//! Slots: the nodes that transactions leave receipts on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::PARAMETER;
use super::constraint::Availability;
use crate::packstream::{EncodeError, Encoder, ToBolt};

type SlotIds = Vec<Arc<str>>;

/// So many abandoned slots are kept before their nodes are deleted.
const MOST_ABANDONED: usize = 64;

/// Which transactions share slots: those that run on the same database. Which one the home database
/// is depends on the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct SlotKey {
    pub(crate) database: Option<Arc<str>>,
    pub(crate) impersonated_user: Option<Arc<str>>,
    /// The user of a session with a login of its own.
    pub(crate) principal: Option<Arc<str>>,
}

/// The slots of one driver.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    slots: Mutex<HashMap<SlotKey, Arc<Slots>>>,
}

impl Receipts {
    /// The slots of transactions with this key.
    pub(crate) fn slots(&self, key: &SlotKey) -> Arc<Slots> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(key) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(slots.entry(key.clone()).or_default()),
        }
    }

    /// Takes all slots that can be deleted, by database.
    pub(super) fn drain(&self) -> Vec<(Option<Arc<str>>, SlotIds)> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = slots
            .iter()
            .map(|(key, slots)| (key.database.clone(), slots.drain()));
        unused.filter(|(_, ids)| !ids.is_empty()).collect()
    }
}

/// The slots of one database.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    state: Mutex<State>,
    /// Lets one task at a time check for the constraint.
    pub(super) checking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Slots that the next transactions may use, with their epochs.
    free: Vec<(Arc<str>, i64)>,
    /// Slots whose last transaction was given up. They are not used again, because that transaction
    /// may still hold the lock.
    abandoned: Vec<Arc<str>>,
    availability: Availability,
}

impl Slots {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for one transaction.
    pub(crate) fn take(self: &Arc<Self>) -> Slot {
        let free = self.state().free.pop();
        let (id, epoch) = free.unwrap_or_else(|| (new_id().into(), 0));
        Slot {
            id,
            epoch,
            unit: new_id(),
            slots: Some(Arc::clone(self)),
        }
    }

    /// Whether the database has the constraint, as far as is known, and abandoned slots to delete,
    /// once there are many of them.
    pub(super) fn known(&self) -> (Option<bool>, Vec<Arc<str>>) {
        let mut state = self.state();
        let abandoned = match state.abandoned.len() < MOST_ABANDONED {
            true => Vec::new(),
            false => std::mem::take(&mut state.abandoned),
        };
        (state.availability.known(), abandoned)
    }

    pub(super) fn set_availability(&self, availability: Availability) {
        self.state().availability = availability;
    }

    /// Takes the slots that no transaction uses and that no claim has fenced: a fence must outlast
    /// the transaction that it keeps from committing.
    fn drain(&self) -> Vec<Arc<str>> {
        let mut state = self.state();
        let mut ids = std::mem::take(&mut state.abandoned);
        let free = std::mem::take(&mut state.free);
        let unfenced = free.into_iter().filter(|(_, epoch)| *epoch == 0);
        ids.extend(unfenced.map(|(id, _)| id));
        ids
    }
}

/// An id that sorts by time.
pub(super) fn new_id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// The slot of one transaction, and the id that its receipt gets. If it is dropped, nothing is
/// known of the transaction, and the slot is not used again.
pub(crate) struct Slot {
    pub(super) id: Arc<str>,
    /// Counts the claims.
    pub(super) epoch: i64,
    pub(super) unit: String,
    slots: Option<Arc<Slots>>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("id", &self.id)
            .field("epoch", &self.epoch)
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

    /// The same after a claim.
    pub(super) fn release_claimed(self) {
        let epoch = self.epoch.saturating_add(1);
        self.release_in(epoch);
    }

    fn release_in(mut self, epoch: i64) {
        if let Some(slots) = self.slots.take() {
            slots.state().free.push((Arc::clone(&self.id), epoch));
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
        // A slot that a claim has fenced is left to a later sweep.
        if let Some(slots) = self.slots.take()
            && self.epoch == 0
        {
            slots.state().abandoned.push(Arc::clone(&self.id));
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
        let receipts = Receipts::default();
        let slots = receipts.slots(&SlotKey::default());
        let first = slots.take();
        let id = Arc::clone(&first.id);
        first.release();
        let again = slots.take();
        assert_eq!((&again.id, again.epoch), (&id, 0));
        drop(again);
        assert_ne!(slots.take().id, id);
        let unused: Vec<_> = receipts
            .drain()
            .into_iter()
            .flat_map(|(_, ids)| ids)
            .collect();
        assert!(unused.contains(&id));
        assert!(receipts.drain().is_empty());
    }

    #[test]
    fn fenced_slots_are_used_again_and_never_deleted() {
        let receipts = Receipts::default();
        let slots = receipts.slots(&SlotKey::default());
        let first = slots.take();
        let id = Arc::clone(&first.id);
        first.release_claimed();
        let again = slots.take();
        assert_eq!((&again.id, again.epoch), (&id, 1));
        again.release();
        let again = slots.take();
        assert_eq!(again.id, id);
        drop(again);
        assert!(receipts.drain().is_empty());
        let other = slots.take();
        other.release_claimed();
        assert!(receipts.drain().is_empty());
    }

    #[test]
    fn users_with_different_home_databases_share_no_slots() {
        let receipts = Receipts::default();
        let of = |user: Option<&str>| {
            receipts.slots(&SlotKey {
                impersonated_user: user.map(Into::into),
                ..SlotKey::default()
            })
        };
        let slot = of(None).take();
        let id = Arc::clone(&slot.id);
        slot.release();
        assert_ne!(of(Some("ann")).take().id, id);
        assert_eq!(of(None).take().id, id);
    }
}
