//! What becomes of one attempt of a unit of work.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use neo_bolt::value::DateTime;

const RUNNING: u8 = 0;
const ROLLED_BACK: u8 = 1;
const COMMITTED: u8 = 2;

/// One attempt of a unit of work, or one explicit transaction: it goes on, has been committed, or
/// has not.
#[derive(Debug, Default)]
pub(crate) struct Attempt(AtomicU8);

impl Attempt {
    /// Says how it ended. One of which nobody knows counts as not committed.
    pub(crate) fn end(&self, committed: bool) {
        let state = if committed { COMMITTED } else { ROLLED_BACK };
        // What has ended does not end otherwise.
        let _ = self
            .0
            .compare_exchange(RUNNING, state, Ordering::AcqRel, Ordering::Acquire);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) == RUNNING
    }

    pub(crate) fn is_committed(&self) -> bool {
        self.0.load(Ordering::Acquire) == COMMITTED
    }
}

/// A unit of work: what is the same in each of its attempts, and how the last of them ends.
///
/// Dropping it, as happens when its future is dropped, ends the attempt as not committed.
#[derive(Debug)]
pub(super) struct UnitOfWork {
    /// The time that all writes of the unit carry.
    pub(super) started: DateTime,
    /// Whether the caller ends it, rather than the end of a closure.
    pub(super) is_explicit: bool,
    last: Mutex<Arc<Attempt>>,
}

impl UnitOfWork {
    pub(super) fn new(is_explicit: bool) -> Self {
        Self {
            started: DateTime::now(),
            is_explicit,
            last: Mutex::default(),
        }
    }

    /// The next attempt; the one before it has come to nothing.
    pub(super) fn attempt(&self) -> Arc<Attempt> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.end(false);
        *last = Arc::default();
        Arc::clone(&last)
    }

    /// Says how the last attempt ended.
    pub(super) fn end(&self, committed: bool) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.end(committed);
    }
}

impl Drop for UnitOfWork {
    fn drop(&mut self) {
        self.end(false);
    }
}
