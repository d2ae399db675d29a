//! What a session remembers from one transaction to the next.

use std::sync::{Arc, Mutex, PoisonError};

use crate::bookmark::{BookmarkManager, Bookmarks};
use crate::callback::BoxFuture;
use crate::error::Error;

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    state: Mutex<State>,
    manager: Option<BookmarkManager>,
}

#[derive(Debug, Default)]
struct State {
    bookmarks: Bookmarks,
    /// They are those of the session's own transactions, not those that it began with.
    own: bool,
    home: Option<Arc<str>>,
}

impl Memory {
    pub(crate) fn new(bookmarks: Bookmarks, manager: Option<BookmarkManager>) -> Self {
        let state = State {
            bookmarks,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            manager,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next transaction must have seen.
    pub(crate) async fn bookmarks(&self) -> Result<Bookmarks, Error> {
        let Some(manager) = &self.manager else {
            return Ok(self.last_bookmarks());
        };
        let managed = manager.get_bookmarks().await?;
        let state = self.state();
        Ok(if state.own {
            // The manager knows of them, and of what came after them.
            managed
        } else {
            managed.union(&state.bookmarks)
        })
    }

    /// Whether bookmarks may come from elsewhere at any time.
    pub(super) fn has_supplier(&self) -> bool {
        self.manager
            .as_ref()
            .is_some_and(BookmarkManager::has_supplier)
    }

    /// Those of the session's own last transaction, or what it began with.
    pub(crate) fn last_bookmarks(&self) -> Bookmarks {
        self.state().bookmarks.clone()
    }

    /// A transaction that began with `before` has been committed. What is left to do is told to
    /// the manager's consumer, where there is one.
    pub(super) fn committed(
        &self,
        before: &Bookmarks,
        bookmark: Option<String>,
    ) -> Option<BoxFuture<'static, Result<(), Error>>> {
        let new = Bookmarks::from_raw_values([bookmark?]);
        {
            let mut state = self.state();
            state.bookmarks = new.clone();
            state.own = true;
        }
        self.manager.as_ref()?.replace(before, new)
    }

    /// The session's home database, once it is known.
    pub(crate) fn home(&self) -> Option<Arc<str>> {
        self.state().home.clone()
    }

    pub(crate) fn pin_home(&self, home: &Arc<str>) {
        self.state().home.get_or_insert_with(|| Arc::clone(home));
    }
}
