//! Bookmarks: what a transaction must have seen, so that clients read their own writes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Marks of transactions; opaque text from the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bookmarks {
    values: BTreeSet<String>,
}

impl Bookmarks {
    /// Bookmarks of raw values, as they came out of [`raw_values`](Self::raw_values).
    pub fn from_raw_values(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// The raw values, to hand them to another process.
    pub fn raw_values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// These and the others.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            values: self.values.union(&other.values).cloned().collect(),
        }
    }
}

/// Keeps the newest bookmarks of everything that is run with it, so that sessions, handles and
/// tasks that share one see each other's writes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct BookmarkManager {
    current: Arc<Mutex<Bookmarks>>,
}

impl BookmarkManager {
    /// A manager that knows of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A manager that begins with bookmarks from elsewhere.
    pub fn with_bookmarks(bookmarks: Bookmarks) -> Self {
        Self {
            current: Arc::new(Mutex::new(bookmarks)),
        }
    }

    /// What the next transaction must have seen.
    pub fn bookmarks(&self) -> Bookmarks {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts new bookmarks in the place of those that led to them.
    pub fn update(&self, previous: &Bookmarks, new: Bookmarks) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current
            .values
            .retain(|value| !previous.values.contains(value));
        current.values.extend(new.values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_bookmark_takes_the_place_of_those_before_it() {
        let manager = BookmarkManager::with_bookmarks(Bookmarks::from_raw_values(["a", "b"]));
        let before = manager.bookmarks();
        manager.update(&Bookmarks::default(), Bookmarks::from_raw_values(["x"]));
        manager.update(&before, Bookmarks::from_raw_values(["c"]));
        assert_eq!(manager.bookmarks(), Bookmarks::from_raw_values(["c", "x"]));
    }
}
