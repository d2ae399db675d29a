//! The operations as methods: `book.save(&graph)` and `graph.save(&book)`.

use super::{Delete, Insert, Refresh, Save, Update};
use crate::executor::{Executor, Graph, Transaction};
use crate::mapping::Node;

/// What can be done with every node struct. The prelude brings it.
pub trait NodeExt: Node {
    /// Saves the node: makes it where its key is new, and sets its properties where it is known.
    ///
    /// One round trip, in a retried transaction; running it again changes nothing. A property
    /// that is `None` is removed; properties that the struct does not name stay as they are.
    ///
    /// # Errors
    /// The database refused it, or could not be reached; see [`Error`](crate::Error).
    fn save<E: Executor>(&self, on: E) -> Save<'_, Self> {
        Save::new(self, on.target())
    }

    /// Makes the node, and refuses where a node of its key is there already.
    ///
    /// A retry knows what its own earlier attempt has made, by a token that stays on the node as
    /// the property `_neo_ogm_insert`.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists), or as [`save`](Self::save).
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

    /// Deletes the node with its relationships. Where it is gone already, nothing happens.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    fn delete<E: Executor>(&self, on: E) -> Delete<'_, Self> {
        Delete::new(self, on.target())
    }

    /// Reads the node's properties anew; loaded relationships are forgotten.
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
