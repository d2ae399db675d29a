//! Many nodes or many relationships at once: a statement for each batch.

mod connect;
mod nodes;
mod rows;
mod run;
mod version;

pub use connect::ConnectAll;
pub use nodes::{DeleteAll, InsertAll, SaveAll, UpdateAll};
pub use run::Progress;

use crate::executor::{Executor, Graph, Transaction};
use crate::mapping::{Entity, Node, Relationship};
use crate::query::Relation;
use crate::relation::RelationPair;

macro_rules! bulk {
    ($executor:ty, $example:literal) => {
        /// Many nodes or many relationships at once.
        ///
        /// Each batch is one statement and one round trip. It is written whole or not at all:
        /// [`ErrorKind::Row`](crate::ErrorKind::Row) names the row that stood in the way, by its
        /// place in the input. On a [`Graph`] batches that were written before stay; within a
        /// [`Transaction`] everything is rolled back with it.
        impl $executor {
            /// Saves each node, as [`NodeExt::save`](super::NodeExt::save) does: makes those that
            /// are not there and updates the others. Of two with the same key the later one wins.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String, title: String }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// let books: Vec<Book> = (0..2500)
            ///     .map(|n| Book::new(format!("isbn-{n}"), format!("Volume {n}")))
            ///     .collect();
            #[doc = $example]
            /// assert_eq!(Book::find().count(&graph).await?, 2500);
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// A node can't be written, or a constraint stands against it.
            pub fn save_all<'a, N: Node>(
                &self,
                nodes: impl IntoIterator<Item = &'a N>,
            ) -> SaveAll<'a, N> {
                SaveAll::new(nodes, self.target())
            }

            /// Inserts each node, as [`NodeExt::insert`](super::NodeExt::insert) does: none may
            /// be there before, and no two may have the same key.
            ///
            /// # Errors
            /// [`ErrorKind::AlreadyExists`](crate::ErrorKind::AlreadyExists) within
            /// [`ErrorKind::Row`](crate::ErrorKind::Row), or as [`save_all`](Self::save_all).
            pub fn insert_all<'a, N: Node>(
                &self,
                nodes: impl IntoIterator<Item = &'a N>,
            ) -> InsertAll<'a, N> {
                InsertAll::new(nodes, self.target())
            }

            /// Updates each node, as [`NodeExt::update`](super::NodeExt::update) does: each must
            /// be there.
            ///
            /// # Errors
            /// [`ErrorKind::NodeNotFound`](crate::ErrorKind::NodeNotFound) within
            /// [`ErrorKind::Row`](crate::ErrorKind::Row), or as [`save_all`](Self::save_all).
            pub fn update_all<'a, N: Node>(
                &self,
                nodes: impl IntoIterator<Item = &'a N>,
            ) -> UpdateAll<'a, N> {
                UpdateAll::new(nodes, self.target())
            }

            /// Deletes each node with its relationships; one that is not there is fine.
            ///
            /// # Errors
            /// The database refused it.
            pub fn delete_all<'a, N: Node>(
                &self,
                nodes: impl IntoIterator<Item = &'a N>,
            ) -> DeleteAll<'a, N> {
                DeleteAll::new(nodes, self.target())
            }

            /// Connects pairs of nodes by one relationship field: each pair as `connect` of the
            /// field does, with what its relationship carries where that must be said. Where the
            /// field leads to an enum of nodes, a batch takes a statement for each struct among
            /// its far nodes, and all of them are one transaction.
            ///
            /// ```
            /// # use neo_ogm::prelude::*;
            /// # #[derive(Node, Debug, Clone)]
            /// # struct Book { #[node(key)] isbn: String,
            /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person, WrittenBy> }
            /// # #[derive(Node, Debug, Clone)] struct Person { #[node(key)] name: String }
            /// # #[relationship(type = "WRITTEN_BY")] #[derive(Debug, Clone)] struct WrittenBy { year: i32 }
            /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
            /// # let graph = Graph::in_memory().await?;
            /// # let tx = graph.clone();
            /// # let author = Person::new("Leo Tolstoy");
            /// # author.save(&graph).await?;
            /// # let books = [Book::new("1"), Book::new("2")];
            /// # graph.save_all(&books).await?;
            /// let pairs = books.iter().map(|book| (book, &author, WrittenBy { year: 1877 }));
            /// graph.connect_all(Book::AUTHOR, pairs).await?;
            /// assert_eq!(books[1].author.fetch().await?.name, "Leo Tolstoy");
            /// # Ok(()) }
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::Row`](crate::ErrorKind::Row) names the first pair of which a node is
            /// not in the database, or an end is bounded and taken, be it by another pair.
            pub fn connect_all<'a, N: Node, T: Entity, R: Relationship, P>(
                &self,
                relation: Relation<N, T, R>,
                pairs: impl IntoIterator<Item = P>,
            ) -> ConnectAll<'a, N, T, R>
            where
                P: RelationPair<'a, N, T, R>,
            {
                ConnectAll::new(relation, pairs, self.target())
            }
        }
    };
}
bulk!(Graph, "graph.save_all(&books).batch_size(1000).await?;");
bulk!(
    Transaction,
    "graph.transaction(async |tx| tx.save_all(&books).await).await?;"
);
