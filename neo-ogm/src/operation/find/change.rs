//! `Book::find().filter(…).update(&graph)` and `.delete(&graph)`: nodes that are never loaded.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Find;
use super::lock::lock_again_asked;
use super::question::{Question, Start};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Executor, Target, WriteStatement, operation};
use crate::mapping::{Entity, Node, Property, PropertyRole};
use crate::operation::write::of_role;
use crate::query::{Assignments, Comparand, Cypher, Field, Parameter, Parameters, escape};

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
    /// New values may be computed of what the node has, `.set(Book::PAGES, Book::PAGES + 1)`, and the
    /// filter is asked once more when the node is locked. So of all who take from a stock at once,
    /// none takes what is no longer there:
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book { #[node(key)] isbn: String, stock: u32 }
    /// # #[tokio::main] async fn main() -> Result<(), neo_ogm::Error> {
    /// # let graph = Graph::in_memory().await?;
    /// # graph.save(&Book::new("1", 1)).await?;
    /// let sell = || {
    ///     Book::find_by_isbn("1")
    ///         .filter(Book::STOCK.ge(1))
    ///         .update(&graph)
    ///         .set(Book::STOCK, Book::STOCK - 1)
    /// };
    /// assert_eq!(sell().await?, 1);
    /// assert_eq!(sell().await?, 0, "sold out");
    /// # Ok(()) }
    /// ```
    ///
    /// Nodes that have a [`Version`](crate::Version) get the next one, so that who has read them
    /// before is refused to write; a field with `updated_at` is written, too.
    ///
    /// # Errors
    /// [`ErrorKind::NotSupported`] where there is no filter, which
    /// [`all_nodes`](UpdateFound::all_nodes) allows, or where there is an order or a limit;
    /// [`ErrorKind::Invalid`] where a computed number is one that its field can't hold, such as one
    /// below zero: then nothing is changed; what the database says.
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
    /// Gives a property another value: one of yours, another property, or what is computed of
    /// the node's properties, such as `Book::SOLD + 1`, `Book::SOLD.or(0) + 1` where it may not be
    /// there, `Book::TITLE.concat(" (2nd)")`. Properties that are set later see what was set before.
    ///
    /// The rules of the field's `validate` are not asked, since no struct is there to be asked.
    pub fn set<V: Property>(
        mut self,
        field: Field<N, V>,
        value: impl Comparand<N, V::Plain>,
    ) -> Self {
        self.changes.compute(field, value);
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

    /// The Cypher, with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        let stamps = Stamps::new::<N>(&self.target);
        let statement = self.statement(&stamps, &mut Parameters::default());
        statement.to_string()
    }

    async fn run(self) -> Result<u64, Error> {
        self.changes.check(N::SCHEMA.properties)?;
        check(&self.question, self.everything, "update")?;
        let stamps = Stamps::new::<N>(&self.target);
        let mut parameters = Parameters::default();
        let statement = self.statement(&stamps, &mut parameters);
        let done = self
            .target
            .write(&statement, parameters)
            .await
            .map_err(|error| {
                let schema = N::SCHEMA;
                self.changes
                    .explain(error, schema.type_name, schema.properties)
            })?;
        let updated = done.records.first();
        Ok(updated.map_or(Ok(0), |record| record.get_at::<u64>(0))?)
    }

    fn statement<'c>(
        &'c self,
        stamps: &'c Stamps,
        parameters: &mut Parameters<'c>,
    ) -> WriteStatement {
        let mut cypher = Cypher::new(parameters);
        locked(&self.question, &mut cypher);
        self.changes.write(&mut cypher, "n");
        stamps.write(&mut cypher);
        self.changes.write_limits(&mut cypher, "n");
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("updated", "count(n)");
        statement
    }
}

/// What the mapper itself writes on each node.
struct Stamps {
    version: Option<&'static str>,
    updated: Option<(&'static str, Parameter)>,
}

impl Stamps {
    fn new<N: Node>(target: &Target) -> Self {
        let version = of_role(N::SCHEMA, PropertyRole::Version);
        let updated = of_role(N::SCHEMA, PropertyRole::UpdatedAt);
        Self {
            version,
            updated: updated.map(|name| (name, Arc::new(target.time()) as Parameter)),
        }
    }

    /// Writes them, behind what [`Assignments`] have written.
    fn write<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        let mut word = " SET ";
        if let Some(name) = self.version {
            let name = escape(name);
            cypher.write(format_args!("{word}n.{name} = coalesce(n.{name}, 0) + 1"));
            word = ", ";
        }
        if let Some((name, now)) = &self.updated {
            cypher.write(format_args!("{word}n.{} = ", escape(name)));
            cypher.value(now);
        }
    }
}

/// Writes what finds the nodes, as `n`, and locks them.
fn locked<'c>(question: &'c Question, cypher: &mut Cypher<'_, 'c>) {
    question.matching(cypher, "n");
    lock_again_asked(cypher, &question.conditions);
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

    /// The Cypher, with parameters in the place of values.
    pub fn to_cypher(&self) -> String {
        self.statement(&mut Parameters::default()).to_string()
    }

    fn statement<'c>(&'c self, parameters: &mut Parameters<'c>) -> WriteStatement {
        let mut cypher = Cypher::new(parameters);
        if self.question.conditions.is_empty() {
            self.question.matching(&mut cypher, "n");
        } else {
            locked(&self.question, &mut cypher);
        }
        cypher.push(" DETACH DELETE n");
        let mut statement = WriteStatement::new(cypher.finish());
        statement.column("deleted", "count(*)");
        statement
    }

    async fn run(self) -> Result<u64, Error> {
        check(&self.question, self.everything, "delete")?;
        let mut parameters = Parameters::default();
        let statement = self.statement(&mut parameters);
        let done = self.target.write(&statement, parameters).await?;
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

/// Refuses what would take more than was meant, and what the statement does not support.
fn check(question: &Question, everything: bool, operation: &'static str) -> Result<(), Error> {
    let all = question.conditions.is_empty() && matches!(question.start, Start::Label);
    let reason = if all && !everything {
        "without a filter it would take every node of the label; if that is meant, say `all_nodes()`"
    } else if question.is_paged() || !question.order.is_empty() {
        "it takes no order, `skip` or `limit`; filter instead"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::NotSupported { operation, reason }))
}
