//! What a session remembers from one transaction to the next.

use std::sync::{Mutex, PoisonError};

use crate::bookmark::{BookmarkManager, Bookmarks};

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) bookmarks: Mutex<Bookmarks>,
    pub(crate) manager: Option<BookmarkManager>,
}

impl Memory {
    /// What the next transaction must have seen.
    pub(crate) fn bookmarks(&self) -> Bookmarks {
        let own = self
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &self.manager {
            Some(manager) => own.union(&manager.bookmarks()),
            None => own.clone(),
        }
    }

    pub(super) fn committed(&self, before: &Bookmarks, bookmark: Option<String>) {
        let Some(bookmark) = bookmark else { return };
        let new = Bookmarks::from_raw_values([bookmark]);
        if let Some(manager) = &self.manager {
            manager.update(before, new.clone());
        }
        *self
            .bookmarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = new;
    }
}
