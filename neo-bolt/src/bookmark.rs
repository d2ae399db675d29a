//! Bookmarks: what a transaction must have seen, so that clients read their own writes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::callback::{BoxError, BoxFuture, failed};
use crate::error::Error;

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
///
/// Several programs can share bookmarks, too: a [supplier](BookmarkManagerBuilder::supplier) adds
/// those that others have left somewhere, and a [consumer](BookmarkManagerBuilder::consumer)
/// leaves new ones there.
#[derive(Clone, Default)]
pub struct BookmarkManager {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    current: Mutex<Bookmarks>,
    supplier: Option<Box<Supplier>>,
    consumer: Option<Box<Consumer>>,
}

type Supplier = dyn Fn() -> BoxFuture<'static, Result<Bookmarks, BoxError>> + Send + Sync;
type Consumer = dyn Fn(Bookmarks) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

impl fmt::Debug for BookmarkManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookmarkManager")
            .field("current", &self.shared.current)
            .finish_non_exhaustive()
    }
}

impl BookmarkManager {
    /// A manager that knows of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A manager that begins with bookmarks from elsewhere.
    pub fn with_bookmarks(bookmarks: Bookmarks) -> Self {
        Self::builder().initial_bookmarks(bookmarks).build()
    }

    /// A manager with more to say than where it begins.
    pub fn builder() -> BookmarkManagerBuilder {
        BookmarkManagerBuilder {
            shared: Shared::default(),
        }
    }

    pub(crate) fn has_supplier(&self) -> bool {
        self.shared.supplier.is_some()
    }

    /// What the manager itself knows, without its supplier.
    pub fn bookmarks(&self) -> Bookmarks {
        let current = self.shared.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the next transaction must have seen, its supplier's bookmarks included.
    ///
    /// # Errors
    /// The supplier failed.
    pub async fn get_bookmarks(&self) -> Result<Bookmarks, Error> {
        let Some(supplier) = &self.shared.supplier else {
            return Ok(self.bookmarks());
        };
        let supplied = supplier().await;
        let supplied = supplied.map_err(|error| failed("the bookmark supplier", error))?;
        Ok(self.bookmarks().union(&supplied))
    }

    /// Puts new bookmarks in the place of those that led to them, and tells the consumer.
    ///
    /// # Errors
    /// The consumer failed; the manager itself knows of the new bookmarks all the same.
    pub async fn update_bookmarks(
        &self,
        previous: &Bookmarks,
        new: Bookmarks,
    ) -> Result<(), Error> {
        match self.replace(previous, new) {
            None => Ok(()),
            Some(told) => told.await,
        }
    }

    /// As [`update_bookmarks`](Self::update_bookmarks); the consumer is still to be waited for.
    pub(crate) fn replace(
        &self,
        previous: &Bookmarks,
        new: Bookmarks,
    ) -> Option<BoxFuture<'static, Result<(), Error>>> {
        let current = {
            let mut current = self
                .shared
                .current
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            current
                .values
                .retain(|value| !previous.values.contains(value));
            current.values.extend(new.values);
            self.shared.consumer.as_ref().map(|_| current.clone())
        };
        let told = (self.shared.consumer.as_ref()?)(current?);
        Some(Box::pin(async move {
            let told = told.await;
            told.map_err(|error| {
                failed(
                    "the bookmark consumer, after the transaction was committed,",
                    error,
                )
            })
        }))
    }
}

/// The options of a [`BookmarkManager`].
#[must_use = "a builder does nothing until `build`"]
pub struct BookmarkManagerBuilder {
    shared: Shared,
}

impl fmt::Debug for BookmarkManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookmarkManagerBuilder")
            .finish_non_exhaustive()
    }
}

impl BookmarkManagerBuilder {
    /// What the first transaction must have seen.
    pub fn initial_bookmarks(mut self, bookmarks: Bookmarks) -> Self {
        self.shared.current = Mutex::new(bookmarks);
        self
    }

    /// A function that is asked for more bookmarks before every transaction.
    pub fn supplier<F, Fut>(mut self, supplier: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bookmarks, BoxError>> + Send + 'static,
    {
        self.shared.supplier = Some(Box::new(move || Box::pin(supplier())));
        self
    }

    /// A function that is given all current bookmarks whenever a transaction has changed them.
    pub fn consumer<F, Fut>(mut self, consumer: F) -> Self
    where
        F: Fn(Bookmarks) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.shared.consumer = Some(Box::new(move |bookmarks| Box::pin(consumer(bookmarks))));
        self
    }

    /// Makes the manager.
    pub fn build(self) -> BookmarkManager {
        BookmarkManager {
            shared: Arc::new(self.shared),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_bookmark_takes_the_place_of_those_before_it() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let manager = BookmarkManager::builder()
            .initial_bookmarks(Bookmarks::from_raw_values(["a", "b"]))
            .supplier(|| async { Ok(Bookmarks::from_raw_values(["s"])) })
            .consumer(move |new| {
                heard.lock().unwrap().push(new);
                async { Ok(()) }
            })
            .build();
        let before = manager.get_bookmarks().await.unwrap();
        assert_eq!(before, Bookmarks::from_raw_values(["a", "b", "s"]));
        let other = Bookmarks::from_raw_values(["x"]);
        let updated = manager.update_bookmarks(&Bookmarks::default(), other).await;
        updated.unwrap();
        let new = Bookmarks::from_raw_values(["c"]);
        manager.update_bookmarks(&before, new).await.unwrap();
        let now = Bookmarks::from_raw_values(["c", "x"]);
        assert_eq!(manager.bookmarks(), now);
        assert_eq!(told.lock().unwrap().last(), Some(&now));
    }
}
