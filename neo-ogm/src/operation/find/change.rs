//! `Book::find().filter(…).update(&graph)` and `.delete(&graph)`: nodes that are never loaded.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;

use neo_bolt::AccessMode;

use super::Find;
use super::question::{Question, Start};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, operation};
use crate::mapping::{Entity, Node, Operand, Property, PropertyRole};
use crate::query::{Assignments, Cypher, Field, Parameters};

/// How it is changed.
impl<N: Node> Find<N> {
    /// Changes the nodes without loading them, and says how many there were: one statement, one
    /// round trip.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, title: String, pages: Option<u32> }
    /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # graph.save_all(&[Book::new("1", "a"), Book::new("2", "b")]).await?;
    /// let changed = Book::find()
    ///     .filter(Book::TITLE.eq("a"))
    ///     .update(&graph)
    ///     .set(Book::PAGES, 300)
    ///     .set(Book::TITLE, "A")
    ///     .await?;
    /// assert_eq!(changed, 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] where there is no filter, which
    /// [`all_nodes`](UpdateFound::all_nodes) allows, or where there is an order or a limit; what
    /// the database says.
    pub fn update(self, on: impl Executor) -> UpdateFound<N> {
        UpdateFound {
            question: self.question,
            target: on.target(),
            changes: Assignments::default(),
            everything: false,
            of: PhantomData,
        }
    }
}

/// How it is deleted.
impl<N: Entity> Find<N> {
    /// Deletes the nodes with their relationships, without loading them, and says how many there
    /// were: one statement, one round trip.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, pages: Option<u32> }
    /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # graph.save_all(&[Book::new("1"), Book::new("2")]).await?;
    /// assert_eq!(Book::find().filter(Book::PAGES.is_null()).delete(&graph).await?, 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] where there is no filter, which
    /// [`all_nodes`](DeleteFound::all_nodes) allows, or where there is an order or a limit; what
    /// the database says.
    pub fn delete(self, on: impl Executor) -> DeleteFound<N> {
        DeleteFound {
            question: self.question,
            target: on.target(),
            everything: false,
            of: PhantomData,
        }
    }
}

/// An update of what a finder finds, which waits to be awaited; see [`Find::update`].
///
/// Where the answer to its commit is lost and it runs again, it says how many pass the filters
/// then. One whose filter looks, over relationships, at properties that it changes is not run
/// again: the error says that the outcome is unknown.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct UpdateFound<N> {
    question: Question,
    target: Target,
    changes: Assignments,
    everything: bool,
    of: PhantomData<fn() -> N>,
}

impl<N> fmt::Debug for UpdateFound<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateFound")
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<N: Node> UpdateFound<N> {
    /// Gives a property another value; the others stay as they are.
    pub fn set<V: Property>(mut self, field: Field<N, V>, value: impl Operand<V::Plain>) -> Self {
        self.changes.set(field, value);
        self
    }

    /// Takes an optional property away.
    pub fn remove<V: Property>(mut self, field: Field<N, Option<V>>) -> Self {
        self.changes.remove(field);
        self
    }

    /// Every node of the label is meant, if no filter says otherwise.
    pub fn all_nodes(mut self) -> Self {
        self.everything = true;
        self
    }

    async fn run(self) -> Result<u64, Error> {
        self.changes.check(N::SCHEMA.properties)?;
        check(&self.question, self.everything, "update")?;
        if N::SCHEMA.properties.iter().any(|property| {
            matches!(
                property.role,
                PropertyRole::Version | PropertyRole::UpdatedAt
            )
        }) {
            return Err(Error::new(ErrorKind::NotSupported {
                operation: "update",
                reason: "of nodes that count their versions or remember when they were updated; \
                         find them and save them one by one",
            }));
        }
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.question.matching(&mut cypher, "n");
        self.changes.write(&mut cypher, "n");
        cypher.push(" RETURN count(n) AS updated");
        let statement = cypher.finish().into();
        let alone = matches!(self.question.start, Start::Label);
        let repeatable = alone && self.changes.repeatable(&self.question.conditions);
        let done = self
            .target
            .run(AccessMode::Write, repeatable, statement, parameters)
            .await?;
        let updated = done.records.first();
        Ok(updated.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
    }
}

impl<N: Node> IntoFuture for UpdateFound<N> {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

/// A delete of what a finder finds, which waits to be awaited; see [`Find::delete`].
///
/// Where the answer to its commit is lost and it runs again, it says how many were left for the
/// second run. One whose filter looks at other nodes is not run again: the error says that the
/// outcome is unknown.
///
/// # Cancel safety
/// Dropping the future leaves graph and connection sound; either all of it has happened or
/// nothing.
#[must_use = "nothing is sent before `.await`"]
pub struct DeleteFound<N> {
    question: Question,
    target: Target,
    everything: bool,
    of: PhantomData<fn() -> N>,
}

impl<N> fmt::Debug for DeleteFound<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteFound").finish_non_exhaustive()
    }
}

impl<N: Entity> DeleteFound<N> {
    /// Every node of the label is meant, if no filter says otherwise.
    pub fn all_nodes(mut self) -> Self {
        self.everything = true;
        self
    }

    async fn run(self) -> Result<u64, Error> {
        check(&self.question, self.everything, "delete")?;
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.question.matching(&mut cypher, "n");
        cypher.push(" DETACH DELETE n RETURN count(*) AS deleted");
        let statement = cypher.finish().into();
        let alone = matches!(self.question.start, Start::Label);
        let repeatable = alone && !Assignments::look_beyond(&self.question.conditions);
        let done = self
            .target
            .run(AccessMode::Write, repeatable, statement, parameters)
            .await?;
        let deleted = done.records.first();
        Ok(deleted.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
    }
}

impl<N: Entity> IntoFuture for DeleteFound<N> {
    type Output = Result<u64, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        operation(self.run())
    }
}

/// Refuses what would take more than was meant, or other nodes at a second run.
fn check(question: &Question, everything: bool, operation: &'static str) -> Result<(), Error> {
    let all = question.conditions.is_empty() && matches!(question.start, Start::Label);
    let reason = if all && !everything {
        "without a filter it would take every node of the label; if that is meant, say `all_nodes()`"
    } else if question.is_paged() || !question.order.is_empty() {
        "it can't be run twice with `skip`, `limit` or an order; filter instead"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::NotSupported { operation, reason }))
}
