//! A value that the mapper puts into a struct to which it has a shared reference only, and that
//! stays what the database has, whatever becomes of the transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::Attempt;

/// What is known of one value in the database.
///
/// ```text
///            put, on a graph ─▶ settled
/// put, in a transaction ─▶ pending ─┬─ committed ───▶ settled
///                                   └─ rolled back ─▶ forgotten
/// ```
///
/// The transaction does not know of the value: it marks its [`Attempt`], and whoever looks at the
/// value next sees what has become of that. So a unit of work that runs again starts from what the
/// database has, and not from what its first attempt wrote.
pub(crate) struct Kept<T>(Mutex<State<T>>);

#[derive(Clone)]
struct State<T> {
    settled: Option<T>,
    /// `None` inside: in the transaction there is no such value.
    pending: Option<(Arc<Attempt>, Option<T>)>,
}

impl<T> State<T> {
    /// Moves what has been committed or rolled back to where it belongs.
    fn settle(&mut self) {
        match &self.pending {
            Some((attempt, _)) if !attempt.is_running() => {
                let committed = attempt.is_committed();
                if let Some((_, value)) = self.pending.take()
                    && committed
                {
                    self.settled = value;
                }
            }
            _ => {}
        }
    }
}

impl<T: Clone> Kept<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle();
        state
    }

    /// The value as the struct was last read or written, also within a transaction that goes on.
    pub(crate) fn get(&self) -> Option<T> {
        let state = self.state();
        match &state.pending {
            Some((_, value)) => value.clone(),
            None => state.settled.clone(),
        }
    }

    /// The value as an operation in `attempt` finds it in the database, or one outside of any
    /// transaction.
    pub(crate) fn seen_by(&self, attempt: Option<&Arc<Attempt>>) -> Option<T> {
        let state = self.state();
        match (&state.pending, attempt) {
            (Some((of, value)), Some(attempt)) if Arc::ptr_eq(of, attempt) => value.clone(),
            _ => state.settled.clone(),
        }
    }

    /// Remembers what was written in `attempt`, or outside of any transaction.
    pub(crate) fn put(&self, attempt: Option<&Arc<Attempt>>, value: T) {
        let mut state = self.state();
        match attempt {
            Some(attempt) => state.pending = Some((Arc::clone(attempt), Some(value))),
            None => {
                state.settled = Some(value);
                state.pending = None;
            }
        }
    }

    /// Remembers that the value was read in `attempt`.
    pub(crate) fn pend(&self, attempt: &Arc<Attempt>) {
        let mut state = self.state();
        let read = state.settled.take();
        state.pending = Some((Arc::clone(attempt), read));
    }

    /// Remembers what the value was before it was read, for a rollback.
    pub(crate) fn falls_back_to(&self, before: &Self) {
        let before = before.state().settled.clone();
        let mut state = self.state();
        if state.pending.is_some() {
            state.settled = before;
        }
    }

    /// The transaction in which the value was read or written, while it goes on.
    pub(crate) fn attempt(&self) -> Option<Arc<Attempt>> {
        let state = self.state();
        let pending = state.pending.as_ref();
        pending.map(|(attempt, _)| Arc::clone(attempt))
    }
}

impl<T> Kept<T> {
    pub(crate) const fn new(settled: Option<T>) -> Self {
        Self(Mutex::new(State {
            settled,
            pending: None,
        }))
    }

    /// Sets what was read.
    pub(crate) fn set(&mut self, value: T) {
        *self.0.get_mut().unwrap_or_else(PoisonError::into_inner) = State {
            settled: Some(value),
            pending: None,
        };
    }
}

impl<T: Clone> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rolled_back_is_forgotten() {
        let kept = Kept::new(Some(1));
        let first = Arc::new(Attempt::default());
        kept.put(Some(&first), 2);
        assert_eq!(kept.get(), Some(2));
        assert_eq!(kept.seen_by(Some(&first)), Some(2));
        assert_eq!(kept.seen_by(None), Some(1));
        first.end(false);
        assert_eq!(kept.get(), Some(1));

        let second = Arc::new(Attempt::default());
        assert_eq!(kept.seen_by(Some(&second)), Some(1));
        kept.put(Some(&second), 2);
        let copy = kept.clone();
        second.end(true);
        assert_eq!((kept.get(), copy.get()), (Some(2), Some(2)));
        assert_eq!(kept.seen_by(None), Some(2));
    }

    #[test]
    fn forgets_what_was_read_before_a_rollback() {
        for (committed, expected) in [(true, Some(2)), (false, Some(1))] {
            let read = Kept::new(Some(2));
            let attempt = Arc::new(Attempt::default());
            read.pend(&attempt);
            assert_eq!(read.seen_by(None), None);
            read.falls_back_to(&Kept::new(Some(1)));
            assert_eq!(read.get(), Some(2));
            assert_eq!(read.seen_by(Some(&attempt)), Some(2));
            assert_eq!(read.seen_by(None), Some(1));
            attempt.end(committed);
            assert_eq!(read.get(), expected);
        }
    }

    #[test]
    fn sees_what_is_gone_in_a_transaction() {
        let read = Kept::new(None);
        let attempt = Arc::new(Attempt::default());
        read.pend(&attempt);
        read.falls_back_to(&Kept::new(Some(1)));
        assert_eq!((read.get(), read.seen_by(Some(&attempt))), (None, None));
        attempt.end(true);
        assert_eq!(read.get(), None);
    }
}
