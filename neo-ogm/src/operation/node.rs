//! The operations as methods: `book.save(&graph)` and `graph.save(&book)`.

use std::sync::Arc;

use super::{CreateOrUpdate, Delete, Find, GetOrCreate, Insert, Refresh, Save, Tracked, Update};
use crate::error::Error;
use crate::executor::{Executor, Graph, Transaction};
use crate::mapping::{Node, check_node};
use crate::query::{Condition, Filter};

/// What can be done with every node struct. The prelude brings it.
pub trait NodeExt: Node {
    /// Saves the node: makes it where its key is new, and sets its properties where it is known.
    ///
    /// One round trip, in a retried transaction that takes effect exactly once. A property
    /// that is `None` is removed; properties that the struct does not name stay as they are.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) where the node breaks its own rules,
    /// [`VersionConflict`](crate::ErrorKind::VersionConflict) where it has a
    /// [`Version`](crate::Version) and was changed by somebody else; or the database refused it, or
    /// could not be reached; see [`Error`](crate::Error).
    fn save<E: Executor>(&self, on: E) -> Save<'_, Self> {
        Save::new(self, on.target())
    }

    /// Creates the node. Fails if a node with the same key already exists.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists), or as [`save`](Self::save). A refused
    /// insert leaves [`Version`](crate::Version) and the other managed fields as they are, so that a
    /// later `save` does not overwrite the node that exists.
    fn insert<E: Executor>(&self, on: E) -> Insert<'_, Self> {
        Insert::new(self, on.target())
    }

    /// Sets the properties of a node that must be there.
    ///
    /// # Errors
    /// [`NodeNotFound`](crate::ErrorKind::NodeNotFound) where it is not, or as
    /// [`save`](Self::save).
    fn update<E: Executor>(&self, on: E) -> Update<'_, Self> {
        Update::new(self, on.target())
    }

    /// Saves the node as [`save`](Self::save) does, and returns whether it was created.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    fn create_or_update<E: Executor>(&self, on: E) -> CreateOrUpdate<'_, Self> {
        CreateOrUpdate::new(self, on.target())
    }

    /// Makes the node where its key is new, and leaves it as it is where it is not; gives the node
    /// as the database has it, and whether it is new. One round trip.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, title: String }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), neo_ogm::Error> {
    /// let graph = Graph::in_memory().await?;
    /// let (book, created) = Book::new("1", "War and Peace").get_or_create(&graph).await?;
    /// assert!(created);
    /// let (book, created) = Book::new("1", "Peace and War").get_or_create(&graph).await?;
    /// assert!(!created);
    /// assert_eq!(book.title, "War and Peace");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The node that is there does not fit the struct, or as [`save`](Self::save).
    fn get_or_create<E: Executor>(&self, on: E) -> GetOrCreate<'_, Self> {
        GetOrCreate::new(self, on.target())
    }

    /// The node with what the database has of it now, so that
    /// [`save_changes`](Tracked::save_changes) writes what differs later and nothing else. Call it
    /// on a node that was just found or saved. If that was in a transaction that is rolled back, each
    /// property counts as changed afterwards.
    fn tracked(self) -> Tracked<Self> {
        Tracked::new(self)
    }

    /// Deletes the node with its relationships. Where it is gone already, nothing happens.
    ///
    /// # Errors
    /// [`VersionConflict`](crate::ErrorKind::VersionConflict) where the struct has a
    /// [`Version`](crate::Version) and the node another, or as [`save`](Self::save).
    fn delete<E: Executor>(&self, on: E) -> Delete<'_, Self> {
        Delete::new(self, on.target())
    }

    /// Finds the node of an element id, as [`ElementId`](crate::ElementId) fields have them and
    /// `elementId(n)` gives them. Only a node of this struct's label is found.
    fn find_by_element_id(id: impl Into<String>) -> Find<Self> {
        Find::new().filter(Filter::new(Condition::ElementId(Arc::new(id.into()))))
    }

    /// Whether the node keeps its own rules, those of `#[node(validate(…))]`. Every write of a
    /// node asks this first.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid), with all that is wrong.
    fn validate(&self) -> Result<(), Error> {
        check_node(self)
    }

    /// Reads the node's properties anew; loaded relationships are forgotten.
    ///
    /// After the rollback of a transaction, the properties stay as they were read in it, while
    /// [`Version`](crate::Version), [`ElementId`](crate::ElementId) and
    /// [`Timestamp`](crate::Timestamp) fields have the values from before the refresh.
    ///
    /// # Errors
    /// [`NodeNotFound`](crate::ErrorKind::NodeNotFound) where it is gone, or what the database
    /// has does not fit the struct.
    fn refresh<E: Executor>(&mut self, on: E) -> Refresh<'_, Self> {
        Refresh::new(self, on.target())
    }
}

impl<N: Node> NodeExt for N {}

macro_rules! operations {
    ($($executor:ty),*) => {$(
        impl $executor {
            /// Saves a node; see [`NodeExt::save`].
            pub fn save<'a, N: Node>(&self, node: &'a N) -> Save<'a, N> {
                Save::new(node, self.target())
            }

            /// Makes a node that must be new; see [`NodeExt::insert`].
            pub fn insert<'a, N: Node>(&self, node: &'a N) -> Insert<'a, N> {
                Insert::new(node, self.target())
            }

            /// Sets the properties of a node that must be there; see [`NodeExt::update`].
            pub fn update<'a, N: Node>(&self, node: &'a N) -> Update<'a, N> {
                Update::new(node, self.target())
            }

            /// Saves a node, and says whether it is new; see [`NodeExt::create_or_update`].
            pub fn create_or_update<'a, N: Node>(&self, node: &'a N) -> CreateOrUpdate<'a, N> {
                CreateOrUpdate::new(node, self.target())
            }

            /// Makes a node where it is not there, and gives it as it is; see
            /// [`NodeExt::get_or_create`].
            pub fn get_or_create<'a, N: Node>(&self, node: &'a N) -> GetOrCreate<'a, N> {
                GetOrCreate::new(node, self.target())
            }

            /// Deletes a node with its relationships; see [`NodeExt::delete`].
            pub fn delete<'a, N: Node>(&self, node: &'a N) -> Delete<'a, N> {
                Delete::new(node, self.target())
            }

            /// Reads a node's properties anew; see [`NodeExt::refresh`].
            pub fn refresh<'a, N: Node>(&self, node: &'a mut N) -> Refresh<'a, N> {
                Refresh::new(node, self.target())
            }
        }
    )*};
}
operations!(Graph, Transaction);
